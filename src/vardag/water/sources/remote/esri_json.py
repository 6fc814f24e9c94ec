"""Rows as ArcGIS writes them, made into GeoJSON features: dates as ISO text, rings as polygons."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import shapely
from shapely.geometry import mapping

from vardag.water.sources.remote.spool import Feature

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Ring = list[list[float]]


def as_feature(row: dict[str, Any], *, key: str, fields: Sequence[dict[str, Any]]) -> Feature:
    """Make a row of ``f=json`` or ``f=geojson`` a feature; ``id`` is its object id.

    Dates come as milliseconds since 1970 in UTC and become ISO text.
    """
    values = dict(row.get("properties") or row.get("attributes") or {})
    for field in fields:
        if field["type"] == "esriFieldTypeDate" and isinstance(values.get(field["name"]), int | float):
            values[field["name"]] = iso(values[field["name"]])
    geometry = row.get("geometry")
    if geometry is not None and "coordinates" not in geometry:
        geometry = as_geojson(geometry)
    return {"id": values.get(key, row.get("id")), "properties": values, "geometry": geometry}


def iso(milliseconds: float) -> str:
    """Write a moment as ISO text; the fraction of a second only where there is one.

    >>> iso(1083801600000)
    '2004-05-06T00:00:00Z'
    """
    moment = EPOCH + timedelta(milliseconds=milliseconds)
    text = moment.isoformat(timespec="milliseconds" if milliseconds % 1000 else "seconds")
    return text.replace("+00:00", "Z")


def as_geojson(geometry: dict[str, Any]) -> dict[str, Any] | None:
    """Make a geometry of Esri's JSON a GeoJSON one, in two dimensions; None where it is empty."""
    if "x" in geometry:
        numbers = isinstance(geometry["x"], int | float) and isinstance(geometry["y"], int | float)
        return {"type": "Point", "coordinates": [geometry["x"], geometry["y"]]} if numbers else None
    if geometry.get("points"):
        return {"type": "MultiPoint", "coordinates": [point[:2] for point in geometry["points"]]}
    if geometry.get("paths"):
        paths = [[point[:2] for point in path] for path in geometry["paths"]]
        one = len(paths) == 1
        return {"type": "LineString" if one else "MultiLineString", "coordinates": paths[0] if one else paths}
    return _polygon([[point[:2] for point in ring] for ring in geometry.get("rings") or ()])


def _polygon(rings: list[Ring]) -> dict[str, Any] | None:
    """Rings are clockwise outside and counterclockwise around holes; a hole belongs to the ring it lies in."""
    outer = [ring for ring in rings if len(ring) >= 4 and not _counterclockwise(ring)]
    holes = [ring for ring in rings if len(ring) >= 4 and _counterclockwise(ring)]
    shapes = [shapely.Polygon(ring) for ring in outer]
    inside: list[list[Ring]] = [[] for _ in outer]
    for hole in holes:
        point = shapely.Polygon(hole).representative_point()
        owners = [number for number, shape in enumerate(shapes) if shape.covers(point)]
        if owners:
            inside[min(owners, key=lambda number: shapes[number].area)].append(hole)
        else:
            shapes.append(shapely.Polygon(hole))
            outer.append(hole)
            inside.append([])
    parts = [shapely.Polygon(ring, own) for ring, own in zip(outer, inside, strict=True)]
    if not parts:
        return None
    return dict(mapping(parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)))


def _counterclockwise(ring: Ring) -> bool:
    return bool(shapely.LinearRing(ring).is_ccw)
