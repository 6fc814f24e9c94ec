"""Checks of where things lie: far from every pipe, twice in one place, areas that overlap or cross themselves."""

import numpy as np
import polars as pl
import shapely
from numpy.typing import NDArray

from vardag.core.spatial import nearest_within
from vardag.water.checks.model import CheckData, Finding, check, found
from vardag.water.checks.of_layers import KEYS

FITTINGS = ("valve", "hydrant")
AREAS = ("pressure_zone", "dma", "soil", "land_use", "building")
METERED = ("pressure_zone", "dma")
NOT_LOCAL = {"weather", "elevation"}  # a station may serve many towns; heights have no place of their own


def placed(data: CheckData, table: str) -> pl.DataFrame | None:
    """Rows of a layer that have a place, or None where there are none."""
    frame = data.layers.get(table)
    rows = None if frame is None else frame.filter(pl.col("geom").is_not_null())
    return rows if rows is not None and rows.height else None


def _named(table: str, frame: pl.DataFrame, wrong: NDArray[np.bool_]) -> list[str]:
    return [f"{table} {value}" for value in frame[KEYS[table]].filter(pl.Series(wrong))]


@check("valve, hydrant", "warning")
def fittings_far_from_any_pipe(data: CheckData) -> Finding:
    """Valves and hydrants with no surveyed pipe near; not asked where no pipe is surveyed."""
    surveyed = data.pipes.filter((pl.col("position") == "surveyed") & pl.col("geom").is_not_null())
    limits: dict[str, float] = data.parameters.value("check_fitting_far_m")
    ids: list[str] = []
    total = 0
    for table in FITTINGS:
        frame = placed(data, table)
        if frame is not None and surveyed.height:
            far = np.ones(frame.height, dtype=bool)
            far[nearest_within(frame["geom"], surveyed["geom"], distance_m=limits[table])["left"].to_numpy()] = (
                False
            )
            ids, total = ids + _named(table, frame, far), total + frame.height
    return found(ids, total, **limits)


@check("valve, hydrant", "warning")
def fittings_in_one_place(data: CheckData) -> Finding:
    """Valves and hydrants in the very same place (to the centimetre) as an earlier row of their kind."""
    ids: list[str] = []
    total = 0
    for table in FITTINGS:
        frame = placed(data, table)
        if frame is not None:
            points = shapely.centroid(shapely.from_wkb(frame["geom"].to_list()))
            where = pl.DataFrame({"x": np.round(shapely.get_x(points), 2), "y": np.round(shapely.get_y(points), 2)})
            again = (~where.select(pl.struct("x", "y").is_first_distinct()).to_series()).to_numpy()
            ids, total = ids + _named(table, frame, again), total + frame.height
    return found(ids, total)


@check("all layers", "error")
def layers_far_from_the_network(data: CheckData) -> Finding:
    """Rows that lie far outside the extent of the pipes: a wrong coordinate system, or another city."""
    reach = data.parameters.value("check_layer_far_m")
    box = _extent(data.pipes, reach)
    ids: list[str] = []
    total = 0
    for table in () if box is None else (name for name in data.layers if name in KEYS and name not in NOT_LOCAL):
        frame = placed(data, table)
        if frame is not None and box is not None:
            bounds = shapely.bounds(shapely.from_wkb(frame["geom"].to_list()))
            outside = (
                (bounds[:, 2] < box[0])
                | (bounds[:, 3] < box[1])
                | (bounds[:, 0] > box[2])
                | (bounds[:, 1] > box[3])
            )
            ids, total = ids + _named(table, frame, outside), total + frame.height
    return found(ids, total, far_km=reach / 1000)


def _extent(pipes: pl.DataFrame, margin_m: float) -> NDArray[np.float64] | None:
    shapes = shapely.from_wkb(pipes["geom"].drop_nulls().to_list())
    grown = np.array([-margin_m, -margin_m, margin_m, margin_m])
    return np.asarray(shapely.total_bounds(shapes)) + grown if len(shapes) else None


@check("pressure_zone, dma", "warning")
def zones_overlap(data: CheckData) -> Finding:
    """Pressure zones, or metered areas, that lie over an earlier one: a pipe there belongs to two."""
    share = data.parameters.value("check_zone_overlap_share")
    ids: list[str] = []
    total = 0
    for table in METERED:
        frame = placed(data, table)
        if frame is not None:
            shapes = shapely.make_valid(shapely.from_wkb(frame["geom"].to_list()))
            ids, total = ids + _named(table, frame, _overlapping(shapes, share)), total + frame.height
    return found(ids, total, share=round(100 * share))


def _overlapping(shapes: NDArray[np.object_], share: float) -> NDArray[np.bool_]:
    """Areas of which, or of an earlier area under which, more than this share is covered twice."""
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    first, second = first[first < second], second[first < second]
    shared = shapely.area(shapely.intersection(shapes[first], shapes[second]))
    least = np.minimum(shapely.area(shapes[first]), shapely.area(shapes[second]))
    result = np.zeros(len(shapes), dtype=bool)
    result[second[(shared > share * least) & (least > 0)]] = True
    return result


@check("pressure_zone, dma, soil, land_use, building", "note")
def areas_that_cross_themselves(data: CheckData) -> Finding:
    """Polygons whose outline crosses itself: what lies inside is not defined."""
    ids: list[str] = []
    total = 0
    for table in AREAS:
        frame = placed(data, table)
        if frame is not None:
            shapes = shapely.from_wkb(frame["geom"].to_list())
            ids, total = ids + _named(table, frame, ~shapely.is_valid(shapes)), total + frame.height
    return found(ids, total)
