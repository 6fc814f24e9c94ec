"""Spatial joins behind one interface: DuckDB's spatial join, or shapely where the extension is missing.

Geometry travels as WKB bytes in arrays (or Polars ``Binary`` series); ``None`` means no geometry and never
matches. Coordinates are metres in the city's projected system. Both engines return the same rows in the same
order; `tests/property/test_spatial.py` holds them against each other and against a naive loop.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import duckdb
import numpy as np
import polars as pl
import shapely
from numpy.typing import NDArray

from vardag.core.db import connect, extension_path

Wkb = pl.Series | NDArray[Any] | Sequence[bytes | None]
PAIRS = {"left": pl.UInt32, "right": pl.UInt32, "distance_m": pl.Float64}

WITHIN_SQL = """
    SELECT l.row AS "left", r.row AS "right", ST_Distance(l.geom, r.geom) AS distance_m
    FROM left_geoms AS l JOIN right_geoms AS r ON ST_DWithin(l.geom, r.geom, {distance})
    ORDER BY ALL
"""


def pairs_within(left: Wkb, right: Wkb, *, distance_m: float) -> pl.DataFrame:
    """All pairs of a left and a right geometry at most `distance_m` apart.

    Returns
    -------
    Frame with ``left`` and ``right`` (row numbers, UInt32) and ``distance_m`` (Float64), sorted by all three.
    """
    if extension_path() is None:
        return _shapely_pairs(left, right, distance_m)
    pairs = _duckdb_join(left, right, WITHIN_SQL.format(distance=float(distance_m)))
    return pairs.cast(PAIRS)  # type: ignore[arg-type]


def nearest_within(left: Wkb, right: Wkb, *, distance_m: float) -> pl.DataFrame:
    """The nearest right geometry of each left one, for lefts that have one within `distance_m`.

    DuckDB has no nearest-neighbour operator, so the radius widens (x 4) and only the lefts still without a match
    are searched again; ties go to the lower row number.
    """
    left_array = _as_array(left)
    found: list[pl.DataFrame] = []
    todo = np.flatnonzero(np.array([value is not None for value in left_array], dtype=bool))
    radius = distance_m / 16
    while radius <= distance_m and todo.size:
        pairs = pairs_within(left_array[todo], right, distance_m=radius)
        best = pairs.sort("left", "distance_m", "right").unique("left", keep="first", maintain_order=True)
        hit = best["left"].to_numpy()
        found.append(best.with_columns(pl.Series("left", todo[hit], dtype=pl.UInt32)))
        todo = np.delete(todo, hit)
        radius *= 4
    return pl.concat(found).sort("left") if found else pl.DataFrame(schema=PAIRS)


def covering(points: Wkb, polygons: Wkb) -> NDArray[np.int64]:
    """Row of the polygon that covers each point (the first where several do), or -1.

    Always by shapely: it prepares each polygon once, where a join in SQL walks all its vertices for every point.
    A soil map has polygons of many thousands of vertices; `make bench` keeps the ratio.
    """
    tree = shapely.STRtree(shapely.from_wkb(_as_array(points)))
    polygon, point = tree.query(shapely.from_wkb(_as_array(polygons)), predicate="intersects")
    rows = np.full(len(points), -1, dtype=np.int64)
    order = np.argsort(-polygon, kind="stable")  # the first polygon is written last, and stays
    rows[point[order]] = polygon[order]
    return rows


def midpoints(geoms: Wkb) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Point halfway along each line (the point itself, the centroid of a polygon); NaN where there is none."""
    shapes = shapely.from_wkb(_as_array(geoms))
    lines = np.isin(shapely.get_type_id(shapes), (1, 2, 5))
    merged = np.where(lines, shapely.line_merge(shapes), shapes)
    single = shapely.get_type_id(merged) == 1
    points = shapely.centroid(merged)
    points[single] = shapely.line_interpolate_point(merged[single], 0.5, normalized=True)
    points[shapely.is_empty(points)] = None
    return shapely.get_x(points), shapely.get_y(points)


def line_ends(geoms: Wkb) -> NDArray[np.float64]:
    """First and last point of each line, as rows of x, y, x, y; NaN where there is no line."""
    first = shapely.from_wkb(_as_array(geoms))
    last = first.copy()
    parts = np.flatnonzero(shapely.get_type_id(first) == 5)
    merged = shapely.line_merge(first[parts])
    first[parts], last[parts] = shapely.get_geometry(merged, 0), shapely.get_geometry(merged, -1)
    points = shapely.get_point(first, 0), shapely.get_point(last, -1)  # none but of a line
    return np.stack([of(point) for point in points for of in (shapely.get_x, shapely.get_y)], axis=1)


def hilbert(geoms: Wkb) -> NDArray[np.uint32]:
    """Position of each geometry's centre on a Hilbert curve over their extent; no geometry comes last.

    Tables stored in this order join several times faster (Hamilton and Rau-Chaplin, 2008, on the curve).
    """
    bounds = shapely.bounds(shapely.from_wkb(_as_array(geoms)))
    x, y = (bounds[:, 0] + bounds[:, 2]) / 2, (bounds[:, 1] + bounds[:, 3]) / 2
    known = np.isfinite(x)
    order = np.full(x.size, np.iinfo(np.uint32).max, dtype=np.uint32)
    if known.any():
        order[known] = _hilbert_index(_to_grid(x[known]), _to_grid(y[known]))
    return order


def _to_grid(values: NDArray[np.float64]) -> NDArray[np.uint32]:
    low, span = values.min(), max(float(np.ptp(values)), 1e-9)
    grid: NDArray[np.uint32] = ((values - low) / span * 0xFFFF).astype(np.uint32)
    return grid


def _hilbert_index(x: NDArray[np.uint32], y: NDArray[np.uint32]) -> NDArray[np.uint32]:
    index: NDArray[np.uint32] = np.zeros(x.size, dtype=np.uint32)
    for bit in range(15, -1, -1):
        right, up = (x >> bit) & 1, (y >> bit) & 1
        index = ((index << 2) | ((3 * right) ^ up)).astype(np.uint32)
        x, y = _turn(x, y, right=right == 1, up=up == 1)
    return index


def _turn(
    x: NDArray[np.uint32], y: NDArray[np.uint32], *, right: NDArray[np.bool_], up: NDArray[np.bool_]
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Turn the quadrant so that the curve goes on: mirror the lower right one, swap axes in both lower ones."""
    mirror = right & ~up
    x, y = np.where(mirror, 0xFFFF - x, x).astype(np.uint32), np.where(mirror, 0xFFFF - y, y).astype(np.uint32)
    return np.where(up, x, y), np.where(up, y, x)


def _as_array(geoms: Wkb) -> NDArray[np.object_]:
    values = geoms.to_list() if isinstance(geoms, pl.Series) else list(geoms)
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _duckdb_join(left: Wkb, right: Wkb, sql: str) -> pl.DataFrame:
    connection = _engine()
    for name, geoms in (("left_geoms", left), ("right_geoms", right)):
        _register(connection, name, _as_array(geoms))
    joined = connection.execute(sql).pl()
    connection.execute("DROP TABLE left_geoms; DROP TABLE right_geoms")
    return joined


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    """One in-memory database for all joins of the process: opening one costs more than a small join."""
    return connect(None)


def _register(connection: duckdb.DuckDBPyConnection, name: str, geoms: NDArray[np.object_]) -> None:
    frame = pl.DataFrame(
        {"row": np.arange(geoms.size, dtype=np.uint32), "wkb": pl.Series(geoms.tolist(), dtype=pl.Binary)}
    )
    connection.register("wkb_frame", frame.to_arrow())
    connection.execute(
        f"CREATE OR REPLACE TABLE {name} AS SELECT row, ST_GeomFromWKB(wkb::BLOB) AS geom FROM wkb_frame "  # noqa: S608
        "WHERE wkb IS NOT NULL"
    )
    connection.unregister("wkb_frame")


def _shapely_pairs(left: Wkb, right: Wkb, distance_m: float) -> pl.DataFrame:
    lefts, rights = shapely.from_wkb(_as_array(left)), shapely.from_wkb(_as_array(right))
    if not len(lefts) or not len(rights):
        return pl.DataFrame(schema=PAIRS)
    rows = shapely.STRtree(rights).query(lefts, predicate="dwithin", distance=distance_m)
    distance = shapely.distance(lefts[rows[0]], rights[rows[1]])
    frame = pl.DataFrame({"left": rows[0], "right": rows[1], "distance_m": distance})
    return frame.cast(PAIRS).sort("left", "right", "distance_m")  # type: ignore[arg-type]
