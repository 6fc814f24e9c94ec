"""Heights of the ground and measured pressures: by hand, on pipes and points at known distances and days."""

from collections.abc import Sequence
from datetime import date

import polars as pl
import pytest
import shapely

import builders
from vardag.core.errors import NotFoundError
from vardag.water.features import compute
from vardag.water.lof.port import POLICY
from vardag.water.panel import Network, build_network, snapshot

AS_OF = date(2008, 12, 31)
REACH = POLICY.value("pressure_point_m")
PRESSURE = ("measured_pressure_m", "pressure_change_m", "pressure_swing_m")
HEIGHT = ("elevation_m", "elevation_span_m")
Reading = tuple[str | None, float, date | None, float, float | None, float | None]


def readings(rows: Sequence[Reading]) -> pl.DataFrame:
    """Table ``pressure`` from (point, x, day, mean, lowest, highest)."""
    return pl.DataFrame(
        [(point, shapely.Point(x, 0.0).wkb, *told) for point, x, *told in rows],
        schema={
            "point_id": pl.String, "geom": pl.Binary, "measured_on": pl.Date, "pressure_m": pl.Float64,
            "pressure_min_m": pl.Float64, "pressure_max_m": pl.Float64,
        },
        orient="row",
    )  # fmt: skip


def heights(rows: Sequence[tuple[str, float, float | None, float | None]]) -> pl.DataFrame:
    """Table ``elevation`` from (pipe, mean, lowest, highest)."""
    columns = {"elevation_m": pl.Float64, "elevation_min_m": pl.Float64, "elevation_max_m": pl.Float64}
    return pl.DataFrame(rows, schema={"pipe_id": pl.String, **columns}, orient="row")


def network(pipes: Sequence[dict[str, object]], **tables: pl.DataFrame) -> Network:
    log, links = builders.breaks([])
    return build_network(
        lives=builders.lives(pipes), breaks=log, links=links, parameters=POLICY,
        record_start=builders.RECORD_START, record_end=builders.RECORD_END, **tables,
    )  # fmt: skip


def told(around: Network, names: Sequence[str], as_of: date = AS_OF) -> list[tuple[float | None, ...]]:
    return compute(snapshot(around, as_of)).select(names).rows()


def pressures(rows: Sequence[Reading], as_of: date = AS_OF) -> tuple[float | None, ...]:
    """What a pipe from x = 0 to 50 is told of these readings."""
    return told(network([builders.life("a")], readings=readings(rows)), PRESSURE, as_of)[0]


def test_the_recent_mean_and_how_it_differs_from_the_years_before() -> None:
    rows: list[Reading] = [
        ("M", 80.0, date(2001, 5, 1), 40.0, 36.0, 44.0),
        ("M", 80.0, date(2003, 12, 31), 44.0, None, 50.0),
        ("M", 80.0, date(2004, 1, 1), 47.0, 45.0, 49.0),
        ("M", 80.0, date(2008, 12, 31), 49.0, 46.0, 52.0),
    ]
    assert pressures(rows) == (48.0, 6.0, 6.0)
    assert pressures(rows, date(2003, 12, 31)) == (42.0, None, 8.0)


def test_the_nearest_point_that_has_been_measured_lately_is_the_one() -> None:
    old: Reading = ("old", 60.0, date(2002, 1, 1), 30.0, 20.0, 40.0)
    near: Reading = ("near", 150.0, date(2007, 1, 1), 50.0, None, None)
    far: Reading = ("far", 200.0, date(2006, 1, 1), 90.0, 80.0, 90.0)
    assert pressures([far, near, old]) == (50.0, None, 20.0)
    assert pressures([far, near]) == (50.0, None, 10.0)


@pytest.mark.parametrize(("metres", "value"), [(-0.5, 50.0), (0.5, None)])
def test_a_point_too_far_away_says_nothing(metres: float, value: float | None) -> None:
    assert pressures([("M", 50.0 + REACH + metres, date(2007, 1, 1), 50.0, None, None)])[0] == value


def test_a_point_without_a_name_is_known_by_its_place_and_a_moved_sensor_is_another_point() -> None:
    unnamed: list[Reading] = [(None, 60.0, date(year, 1, 1), float(year), None, None) for year in (2000, 2008)]
    assert pressures(unnamed) == (2008.0, 8.0, None)
    moved: list[Reading] = [("M", 60.0, date(2000, 1, 1), 40.0, None, None), ("M", 70.0, AS_OF, 50.0, None, None)]
    assert pressures(moved) == (50.0, None, None)


def test_a_reading_without_a_day_or_a_place_is_left_out() -> None:
    undated = readings([("M", 60.0, None, 99.0, 90.0, 99.0), ("M", 60.0, AS_OF, 50.0, None, None)])
    nowhere = readings([("N", 55.0, AS_OF, 99.0, 90.0, 99.0)]).with_columns(geom=pl.lit(None, dtype=pl.Binary))
    around = network([builders.life("a")], readings=pl.concat([undated, nowhere]))
    assert told(around, PRESSURE) == [(50.0, None, None)]


def test_pipes_are_told_of_their_own_points_also_where_some_are_gone() -> None:
    pipes = [
        builders.life("gone", retired_date=date(2004, 1, 1)),
        builders.life("b", x=1000.0),
        builders.life("a"),
        builders.life("nowhere", geom=None),
    ]
    rows: list[Reading] = [("M", 60.0, AS_OF, 50.0, None, None), ("N", 1060.0, AS_OF, 30.0, None, None)]
    around = network(pipes, readings=readings(rows))
    assert [row[0] for row in told(around, PRESSURE)] == [30.0, 50.0, None]


def test_heights_are_the_pipes_own_or_the_nearest_ones() -> None:
    """A pipe replaced since, which today's raster was not read along, has the height of its successor."""
    pipes = [
        builders.life("a"),
        builders.life("b", x=500.0),
        builders.life("replaced", x=10.0, origin="rebuilt"),
        builders.life("far", y=900.0),
        builders.life("nowhere", geom=None),
    ]
    around = network(pipes, heights=heights([("a", 12.0, 10.0, 15.0), ("b", 31.0, None, None)]))
    assert told(around, HEIGHT) == [(12.0, 5.0), (31.0, None), (12.0, 5.0), (None, None), (None, None)]


def test_an_id_that_a_later_pipe_has_taken_over_gives_the_older_one_no_height_of_its_own() -> None:
    pipes = [builders.life("7"), builders.life("7@2003", pipe_id="7", y=900.0)]
    assert told(network(pipes, heights=heights([("7", 12.0, 10.0, 15.0)])), HEIGHT) == [(12.0, 5.0), (None, None)]


def test_without_the_tables_the_columns_are_null() -> None:
    pipes = [builders.life("a"), builders.life("b", geom=None)]
    empty = network(pipes, heights=heights([]), readings=readings([]))
    undated = network(pipes, readings=readings([("M", 60.0, None, 50.0, 40.0, 60.0)]))
    for around in (builders.network(pipes, []), empty, undated):
        assert told(around, (*HEIGHT, *PRESSURE)) == [(None,) * 5, (None,) * 5]


def test_a_network_with_measurements_needs_the_policy() -> None:
    log, links = builders.breaks([])
    with pytest.raises(NotFoundError, match="pressure_point_m"):
        build_network(
            lives=builders.lives([builders.life("a")]), breaks=log, links=links,
            readings=readings([("M", 60.0, AS_OF, 50.0, None, None)]),
            record_start=builders.RECORD_START, record_end=builders.RECORD_END,
        )  # fmt: skip
