"""WFS 2.0: GetFeature by startIndex and count, in the GML that every service has to write.

GDAL reads the GML, which knows of the order of its axes; every value is kept as the text that was sent.
"""

import re
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyogrio
import shapely
from pyogrio.raw import read
from shapely.geometry import mapping

from vardag.core.address import redacted
from vardag.core.errors import ConfigError, InputError
from vardag.core.net import Client
from vardag.water.city import City, Source, did_you_mean
from vardag.water.sources.delivery import Delivery
from vardag.water.sources.remote.spool import Feature, Spool, page_rows, target_of


def fetch(city: City, name: str, folder: Path, client: Client) -> Delivery:
    """Fetch a feature type into a GeoJSON text sequence, in the service's own system or the one asked for."""
    source = city.sources[name]
    origin = redacted(source.origin) + (f" {source.layer}" if source.layer else "")
    where = f"{name} ({origin})"
    url = source.origin
    layer, crs = _feature_type(client, source, where)
    params = _question(source, layer, where)
    matched = _counted(_xml(client, url, params | {"resultType": "hits"}, where), "numberMatched")
    spool = Spool(folder, where=where, asked=[url, params, source.page_rows, matched])
    spool.run(0, partial(_page, client, source, params, spool=spool, matched=matched))
    if matched is not None:
        spool.expect(matched)
    return Delivery(spool.finish(target_of(folder, source.layer)), origin, "wfs", source.crs or crs)


def _feature_type(client: Client, source: Source, where: str) -> tuple[str, str]:
    """Name and coordinate system of the feature type, as the service's capabilities have it."""
    asked = {"service": "WFS", "request": "GetCapabilities", "acceptVersions": "2.0.0", "version": "2.0.0"}
    root = ElementTree.fromstring(_xml(client, source.origin, asked, where))
    types: dict[str, str] = {}
    for entry in root.iter():
        if _local(entry.tag) == "FeatureType":
            parts = {_local(child.tag): (child.text or "").strip() for child in entry}
            types[parts.get("Name", "")] = parts.get("DefaultCRS") or parts.get("DefaultSRS") or ""
    fits = [known for known in types if source.layer in {None, known, known.rpartition(":")[2]}]
    if len(fits) != 1:
        meant = did_you_mean(source.layer, types) if source.layer else ""
        raise InputError(
            f"{where}: no single feature type {source.layer!r}, the service has {', '.join(list(types)[:40])}."
            f'{meant} Name one in city.toml: layer = "..."'
        )
    return fits[0], _epsg(types[fits[0]])


def _epsg(text: str) -> str:
    code = re.search(r"(\d+)$", text)
    return f"EPSG:{code[1]}" if code and "CRS84" not in text else "EPSG:4326"


def _question(source: Source, layer: str, where: str) -> dict[str, Any]:
    params: dict[str, Any] = {"service": "WFS", "version": "2.0.0", "request": "GetFeature", "typeNames": layer}
    if source.bbox and source.filter:
        raise ConfigError(f"{where}: WFS takes either bbox or filter. Write the place into the filter.")
    if source.bbox:
        west, south, east, north = source.bbox
        params["bbox"] = f"{south},{west},{north},{east},urn:ogc:def:crs:EPSG::4326"
    if source.filter:
        params["FILTER" if source.filter.lstrip().startswith("<") else "CQL_FILTER"] = source.filter
    if source.crs:
        params["srsName"] = source.crs.upper().replace("EPSG:", "urn:ogc:def:crs:EPSG::")
    return params


def _page(
    client: Client, source: Source, params: dict[str, Any], start: int, *, spool: Spool, matched: int | None
) -> tuple[list[Feature], int | None]:
    count = page_rows(source)
    text = _xml(client, source.origin, params | {"startIndex": start, "count": count}, spool.where)
    features = _features(text, spool.folder / "page.gml", spool.where)
    end = start + len(features)
    more = end < matched if matched is not None else len(features) >= count
    return features, end if features and more else None


def _xml(client: Client, url: str, params: dict[str, Any], where: str) -> str:
    """Ask, and tell an exception report and a web page from an answer."""
    response = client.get(url, params=params)
    text = response.text
    if "ExceptionReport" in text[:2000] or "ServiceException" in text[:2000]:
        said = re.findall(r"<(?:\w+:)?(?:ExceptionText|ServiceException)[^>]*>(.*?)<", text, re.DOTALL)
        reason = client.without_secret(" ".join(" ".join(said).split())[:300])
        raise InputError(
            f"{where}: the service answers with an exception: {reason}. Look at layer, filter and crs."
        )
    if not re.match(r"\s*(<\?xml[^>]*\?>)?\s*(<!--.*?-->\s*)*<(?!!DOCTYPE|html)", text, re.DOTALL | re.IGNORECASE):
        kind = response.headers.get("content-type", "no stated type")
        raise InputError(
            f"{where}: the answer is {kind}, expected XML. Open the address in a browser. Is it a WFS?"
        )
    return text


def _counted(text: str, attribute: str) -> int | None:
    """A count of the collection; None where the service does not know it."""
    found = re.search(rf'{attribute}="(\d+)"', text[:5000])
    return int(found[1]) if found else None


def _features(text: str, file: Path, where: str) -> list[Feature]:
    """Read one page of GML; GDAL is kept from fetching the schema that the page names."""
    if not re.search(r"<(\w+:)?member[ >]", text):
        return []
    file.write_text(text, encoding="utf-8")
    pyogrio.set_gdal_config_options({"GML_FIELDTYPES": "ALWAYS_STRING", "GML_DOWNLOAD_SCHEMA": "NO"})
    try:
        meta, _, shapes, columns = read(file, WRITE_GFS="NO", EXPOSE_GML_ID="YES")
    except pyogrio.errors.DataSourceError as error:
        raise InputError(f"{where}: a page is no GML that can be read ({error}). Load again.") from None
    finally:
        pyogrio.set_gdal_config_options({"GML_FIELDTYPES": None})
        file.unlink(missing_ok=True)
    names = [str(name) for name in meta["fields"]]
    geometries = [None] * len(columns[0]) if shapes is None else shapely.from_wkb(shapes)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [
        _feature(dict(zip(names, row, strict=True)), shape) for row, shape in zip(rows, geometries, strict=True)
    ]


def _feature(values: dict[str, Any], shape: Any) -> Feature:
    geometry = None if shape is None or shape.is_empty else dict(mapping(shape))
    return {"id": values.get("gml_id"), "properties": values, "geometry": geometry}


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
