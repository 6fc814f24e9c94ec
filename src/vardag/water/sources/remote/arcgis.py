"""ArcGIS feature and map services, by Esri's REST specification (Query of a feature or map service's layer).

Rows are asked for by ranges of their object ids, which works with and without the service's own paging, and shows
at once when a page is not the one that was asked for.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any

from pyproj import CRS

from vardag.core.address import redacted
from vardag.core.errors import InputError
from vardag.core.net import Client
from vardag.water.city import City, Source, did_you_mean
from vardag.water.sources.delivery import Delivery
from vardag.water.sources.remote.esri_json import as_feature
from vardag.water.sources.remote.spool import AGAIN, Feature, Spool, line_of, target_of, write_sorted, write_whole

# Ids in one address: servers take about 8,000 letters.
IDS_AT_ONCE = 200
WGS84 = 4326
STATE_FILE = "delivered.json"


@dataclass(frozen=True)
class Layer:
    """A layer of a service, and what is asked of it."""

    client: Client
    url: str
    source: Source
    where: str
    about: dict[str, Any]

    @property
    def key(self) -> str:
        """Column of the object id."""
        named = self.about.get("objectIdField")
        kinds = [field["name"] for field in self.fields if field["type"] == "esriFieldTypeOID"]
        if not named and not kinds:
            raise InputError(
                f"{self.where}: the layer has no object id, so its rows cannot be told apart. Ask the service's "
                "owner for an export, or for a layer with an OBJECTID."
            )
        return str(named or kinds[0])

    @property
    def fields(self) -> list[dict[str, Any]]:
        """Columns as the service describes them."""
        return list(self.about.get("fields") or ())

    @property
    def page_rows(self) -> int:
        """Rows to ask for at a time."""
        most = int(self.about.get("maxRecordCount") or 1000)
        return min(self.source.page_rows or most, most)

    @property
    def srid(self) -> int:
        """Coordinate system asked for: that of the source in city.toml, else WGS 84."""
        return (CRS.from_user_input(self.source.crs).to_epsg() or WGS84) if self.source.crs else WGS84

    def query(self, **asked: Any) -> Any:
        """Ask the layer; the source's filter and bbox hold for every question."""
        box = self.source.bbox
        place = {} if box is None else {
            "geometry": ",".join(str(edge) for edge in box), "geometryType": "esriGeometryEnvelope",
            "inSR": WGS84, "spatialRel": "esriSpatialRelIntersects",
        }  # fmt: skip
        condition = " AND ".join(f"({part})" for part in (self.source.filter, asked.pop("also", None)) if part)
        return _ask(self.client, f"{self.url}/query", self.where, where=condition or "1=1", **place, **asked)

    def ids(self, also: str | None = None) -> list[int]:
        """Object ids of all rows that fit, in order."""
        answer = self.query(also=also, returnIdsOnly="true", f="json")
        return sorted(int(key) for key in answer.get("objectIds") or ())

    def rows(self, **which: Any) -> list[Feature]:
        """Rows as features, dates as ISO text."""
        form = "geojson" if self.srid == WGS84 and self._writes_geojson else "json"
        answer = self.query(
            outFields="*", outSR=self.srid, orderByFields=f"{self.key} ASC", returnGeometry="true", f=form, **which
        )
        if "features" not in answer:
            raise InputError(f"{self.where}: an answer has no features, expected rows of the layer. {AGAIN}")
        return [as_feature(row, key=self.key, fields=self.fields) for row in answer["features"]]

    @property
    def _writes_geojson(self) -> bool:
        return "geojson" in str(self.about.get("supportedQueryFormats", "")).casefold()


def fetch(city: City, name: str, folder: Path, client: Client) -> Delivery:
    """Fetch a layer, or only what was edited since the last time, into a GeoJSON text sequence."""
    source = city.sources[name]
    origin = redacted(source.origin) + (f" {source.layer}" if source.layer else "")
    layer = _open(client, source, f"{name} ({origin})")
    target = target_of(folder, source.layer)
    asked = _asked(layer)
    ids = layer.ids()
    if not _fetch_edited(layer, ids, target, asked):
        _fetch_all(layer, ids, folder, asked).finish(target)
    write_whole(folder / STATE_FILE, json.dumps({"asked": asked, "last": _last_edit(layer, target)}))
    return Delivery(target, origin, "arcgis", f"EPSG:{layer.srid}")


def _open(client: Client, source: Source, where: str) -> Layer:
    """Find the layer: by the number in its address, or by the name in city.toml."""
    url = source.origin.split("?")[0].rstrip("/")
    if re.search(r"/(Feature|Map)Server/\d+$", url):
        try:
            return Layer(client, url, source, where, _ask(client, url, where, f="json"))
        except InputError as error:
            if "answers 404" not in str(error) and "error 404" not in str(error) and "error 400" not in str(error):
                raise
            raise InputError(f"{error} {_layers_said(client, url.rpartition('/')[0], where)}") from None
    listed = _listed(client, url, where)
    found = [number for number, title in listed if source.layer in {title, str(number)}]
    if source.layer is None and len(listed) == 1:
        found = [listed[0][0]]
    if len(found) != 1:
        wanted = f"no layer {source.layer!r}" if source.layer else "no layer is named"
        meant = did_you_mean(source.layer, [title for _, title in listed]) if source.layer else ""
        raise InputError(f"{where}: {wanted}.{meant} {_layers_said(client, url, where)}")
    url = f"{url}/{found[0]}"
    return Layer(client, url, source, where, _ask(client, url, where, f="json"))


def _listed(client: Client, service: str, where: str) -> list[tuple[int, str]]:
    about = _ask(client, service, where, f="json")
    return [(entry["id"], entry["name"]) for kind in ("layers", "tables") for entry in about.get(kind) or ()]


def _layers_said(client: Client, service: str, where: str) -> str:
    listed = ", ".join(f"{number} {title}" for number, title in _listed(client, service, where))
    return f'The service has: {listed or "no layers"}. Write the number last in url, or layer = "NAME".'


def _ask(client: Client, url: str, said_of: str, **params: Any) -> Any:
    """Ask, and tell an error that comes with status 200 from an answer."""
    answer = client.json(url, params=params)
    if not isinstance(answer, dict):
        raise InputError(f"{said_of}: the answer is no JSON object, expected one. Is it an ArcGIS service?")
    if error := answer.get("error"):
        details = "; ".join(str(text) for text in error.get("details") or () if text)
        said = client.without_secret(f"{error.get('message', 'no message')}" + (f" ({details})" if details else ""))
        code = error.get("code")
        cure = 'Set token = "VARDAG_TOKEN_..." in city.toml, or renew the token.' if code in {498, 499} else AGAIN
        raise InputError(f"{said_of}: the service answers with error {code}: {said}. {cure}")
    return answer


def _asked(layer: Layer) -> dict[str, Any]:
    """The question; rows fetched before by another one are of no use."""
    source = layer.source
    columns = [[field["name"], field["type"]] for field in layer.fields]
    return {"url": layer.url, "filter": source.filter, "bbox": source.bbox, "srid": layer.srid, "fields": columns}


def _fetch_all(layer: Layer, ids: list[int], folder: Path, asked: dict[str, Any]) -> Spool:
    """Ask for every row, by ranges of object ids; the same ids and time of edit mean the same state."""
    edited = (layer.about.get("editingInfo") or {}).get("lastEditDate")
    state = [asked, layer.page_rows, sha256(json.dumps(ids).encode()).hexdigest(), edited]
    spool = Spool(folder, where=layer.where, asked=state)
    spool.run(0 if ids else None, partial(_range, layer, ids, spool))
    spool.expect(len(ids))
    return spool


def _range(layer: Layer, ids: list[int], spool: Spool, start: int) -> tuple[list[Feature], int | None]:
    wanted = ids[start : start + layer.page_rows]
    rows = layer.rows(also=f"{layer.key} >= {wanted[0]} AND {layer.key} <= {wanted[-1]}")
    got = [row["id"] for row in rows]
    if sorted(got) != wanted:
        number = len(spool.pages) + 1
        repeated = sum(json.dumps(key) in spool.ids for key in got)
        spool.discard()
        raise InputError(
            f"{layer.where}: page {number} has {len(got):,} rows, {repeated:,} of which came before; expected the "
            f"{len(wanted):,} with {layer.key} {wanted[0]} to {wanted[-1]}. The service repeats or leaves out "
            f"pages, or its data changed meanwhile. {AGAIN}"
        )
    end = start + len(wanted)
    return rows, end if end < len(ids) else None


def _fetch_edited(layer: Layer, ids: list[int], target: Path, asked: dict[str, Any]) -> bool:
    """Bring the earlier delivery up to date; False where there is none that answers the same question."""
    column, state = layer.source.edited, _delivered(target)
    if column is None or state.get("asked") != asked or state.get("last") is None:
        return False
    before = {key for key, _ in _earlier(layer, target)}
    edited = set(layer.ids(f"{column} >= TIMESTAMP '{_since(layer, state['last'])}'"))
    wanted = sorted((edited | (set(ids) - before)) & set(ids))
    stay = set(ids) - set(wanted)
    kept = ((json.dumps(key), line) for key, line in _earlier(layer, target) if key in stay)
    write_sorted(target, chain(kept, _by_ids(layer, wanted)), where=layer.where)
    return True


def _earlier(layer: Layer, target: Path) -> Iterator[tuple[int, str]]:
    """Object id and line of every row delivered before."""
    with target.open(encoding="utf-8", newline="\n") as lines:
        for line in lines:
            yield json.loads(line)["properties"][layer.key], line.rstrip("\n")


def _by_ids(layer: Layer, wanted: list[int]) -> Iterable[tuple[str, str]]:
    at_once = min(IDS_AT_ONCE, layer.page_rows)
    for start in range(0, len(wanted), at_once):
        some = wanted[start : start + at_once]
        rows = layer.rows(objectIds=",".join(str(key) for key in some))
        if sorted(row["id"] for row in rows) != some:
            raise InputError(f"{layer.where}: got {len(rows):,} of {len(some):,} edited rows. {AGAIN}")
        yield from ((json.dumps(row["id"]), line_of(row)) for row in rows)


def _since(layer: Layer, last: int) -> str:
    """The last edit as the service's SQL writes it; a day is added where its clock is not UTC."""
    zone = (layer.about.get("dateFieldsTimeReference") or {}).get("timeZone", "UTC")
    moment = datetime.fromtimestamp(last // 1000, UTC) - timedelta(days=0 if "UTC" in zone else 1)
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def _delivered(target: Path) -> dict[str, Any]:
    """What is known of the earlier delivery."""
    path = target.with_name(STATE_FILE)
    if not path.is_file() or not target.is_file():
        return {}
    state: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return state


def _last_edit(layer: Layer, target: Path) -> int | None:
    """Time of the last edit among the rows delivered, in milliseconds since 1970."""
    column = layer.source.edited
    if column is None:
        return None
    names = [field["name"] for field in layer.fields if field["type"] == "esriFieldTypeDate"]
    if column not in names:
        raise InputError(
            f"{layer.where}: edited names {column!r}, which is no date column of the layer; it has "
            f"{', '.join(names) or 'none'}.{did_you_mean(column, names)}"
        )
    with target.open(encoding="utf-8") as lines:
        moments = (json.loads(line)["properties"].get(column) for line in lines)
        last = max((datetime.fromisoformat(text) for text in moments if text), default=None)
    return int(last.timestamp() * 1000) if last else None
