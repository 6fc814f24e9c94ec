"""OGC API Features: Part 1 (items, limit, bbox, next links), Part 2 (crs) and Part 3 (filter in CQL2 text)."""

from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin

import shapely
from pyproj import CRS
from shapely.geometry import mapping, shape

from vardag.core.address import redacted
from vardag.core.errors import InputError
from vardag.core.net import Client
from vardag.water.city import City, Source, did_you_mean
from vardag.water.sources.delivery import Delivery
from vardag.water.sources.remote.spool import Feature, Spool, line_of, page_rows, target_of

ACCEPT = {"Accept": "application/geo+json, application/json;q=0.9"}


def fetch(city: City, name: str, folder: Path, client: Client) -> Delivery:
    """Fetch a collection into a GeoJSON text sequence; the service's ids become a column ``id``."""
    source = city.sources[name]
    origin = redacted(source.origin) + (f" {source.layer}" if source.layer else "")
    where = f"{name} ({origin})"
    items = f"{_collection(client, source, where)}/items"
    params = _question(source)
    first = client.json(items, params=params | {"limit": 1}, headers=ACCEPT)
    state = [first.get("numberMatched"), [_hash(feature) for feature in first.get("features") or ()]]
    spool = Spool(folder, where=where, asked=[items, params, source.page_rows, state])
    start = _address(items, params | {"limit": page_rows(source)})
    spool.run(start, partial(_page, client, source, where))
    if isinstance(state[0], int):
        spool.expect(state[0])
    return Delivery(spool.finish(target_of(folder, source.layer)), origin, "ogcapi", source.crs or "EPSG:4326")


def _collection(client: Client, source: Source, where: str) -> str:
    """Address of the collection: as written, or by the layer's name under the service."""
    url = source.origin.split("?")[0].rstrip("/").removesuffix("/items")
    root, _, written = url.partition("/collections")
    wanted = written.strip("/") or source.layer
    listed = client.json(f"{root}/collections", headers=ACCEPT, params={"f": "json"})
    if not isinstance(listed, dict) or "collections" not in listed:
        raise InputError(f"{where}: {root}/collections lists no collections. Is it an OGC API Features service?")
    known = [str(entry["id"]) for entry in listed["collections"]]
    if wanted is None and len(known) == 1:
        wanted = known[0]
    if wanted not in known:
        meant = did_you_mean(wanted, known) if wanted else ""
        raise InputError(
            f"{where}: no collection {wanted!r}, the service has {', '.join(known[:40]) or 'none'}.{meant} "
            'Name one in city.toml: layer = "..."'
        )
    return f"{root}/collections/{wanted}"


def _question(source: Source) -> dict[str, Any]:
    params: dict[str, Any] = {"f": "json"}
    if source.bbox:
        params["bbox"] = ",".join(str(edge) for edge in source.bbox)
    if source.filter:
        # CQL2 text is what filter means unless another language is named; some servers know no name for it.
        params["filter"] = source.filter
    if source.crs:
        params["crs"] = _uri(source.crs)
    return params


def _page(client: Client, source: Source, where: str, url: str) -> tuple[list[Feature], str | None]:
    response = client.get(url, headers=ACCEPT)
    try:
        answer = response.json()
        rows = answer["features"]
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{where}: a page holds no features, expected GeoJSON. Look at it in a browser.") from None
    if source.crs:
        _same_crs(response.headers.get("content-crs", ""), source.crs, where)
    features = [_feature(row, source.crs) for row in rows]
    links = [link["href"] for link in answer.get("links") or () if link.get("rel") == "next"]
    following = urljoin(url, links[0]) if links and features else None
    if following:
        client.allowed(following)
    return features, following


def _feature(row: dict[str, Any], crs: str | None) -> Feature:
    """A feature with its id as a column, and its coordinates as x and y."""
    values = dict(row.get("properties") or {})
    values.setdefault("id", row.get("id"))
    geometry = row.get("geometry")
    if crs and geometry and _north_first(crs):
        turned = shapely.transform(shape(geometry), lambda points: points[:, ::-1])
        geometry = dict(mapping(turned))
    return {"id": row.get("id"), "properties": values, "geometry": geometry}


def _north_first(crs: str) -> bool:
    """Coordinates come in the order of the system's own definition: northing first in SWEREF 99 TM."""
    return CRS.from_user_input(crs).axis_info[0].direction == "north"


def _same_crs(said: str, crs: str, where: str) -> None:
    if _uri(crs) not in said:
        raise InputError(
            f"{where}: asked for {crs}, the service answers in {said.strip('<>') or 'another system'}. Take crs "
            "out of city.toml: WGS 84 is then asked for, and projected here."
        )


def _uri(crs: str) -> str:
    code = CRS.from_user_input(crs).to_epsg()
    return f"http://www.opengis.net/def/crs/EPSG/0/{code}"


def _hash(feature: dict[str, Any]) -> str:
    return sha256(line_of(feature).encode()).hexdigest()


def _address(url: str, params: dict[str, Any]) -> str:
    return f"{url}?{urlencode(params)}"
