"""What each feature declares that it needs is true: without a table's rows exactly those features change."""

from collections.abc import Callable
from datetime import date

import polars as pl
import pytest
import shapely

from builders import RECORD_END, RECORD_START, breaks, life, lives
from vardag.water.features import CATALOGUE, compute, depending_on
from vardag.water.linking import place
from vardag.water.lof.port import POLICY
from vardag.water.panel import build_network, snapshot
from vardag.water.schema import DELIVERED

AS_OF = date(2008, 12, 31)


def area(x0: float, x1: float) -> bytes:
    return shapely.box(x0, -50.0, x1, 50.0).wkb


def tables() -> dict[str, pl.DataFrame]:
    """Two pipes without geometry, each along a road of its own; breaks, soil, pressures and heights around them.

    Two more have lines of their own, joined end to end.
    """
    done = {"lined_date": date(2001, 5, 1), "cleaned_date": date(2005, 9, 1)}
    rows = [
        life(key, road_id=road, street="Storgatan", geom=None, position="none") | done
        for key, road in (("P1", "R1"), ("P2", "R2"))
    ] + [life("P3", y=900.0), life("P4", x=50.0, y=900.0)]
    dug = [
        ("B1", date(2006, 3, 1), "P1", 10.0),
        ("B2", date(2007, 3, 1), "P2", 60.0),
        ("B3", date(2008, 3, 1), "P1", 9.0),
        ("B4", date(2008, 3, 1), "P3", 9.0),
    ]
    log, links = breaks([(*event, 0.0) for event in dug])
    lines = [shapely.LineString([(x, 0.0), (x + 50.0, 0.0)]).wkb for x in (0.0, 50.0)]
    return {
        "pipe": lives(rows).with_columns(pl.col("geom").cast(pl.Binary)),
        "break": log.join(links, on="break_id"),
        "road": pl.DataFrame(
            {
                "road_id": ["R1", "R2"], "road_class": ["local", "major"], "aadt": [100, 900],
                "speed_kmh": [30.0, 50.0], "truck": [True, False], "bus": [False, True], "width_m": [7.0, 9.0],
                "geom": lines,
            }
        ),
        "soil": pl.DataFrame({"soil_class": ["clay"], "geom": [area(-10.0, 200.0)]}),
        "pressure_zone": pl.DataFrame({"pressure_m": [45.0], "geom": [area(-10.0, 200.0)]}),
        "elevation": pl.DataFrame(
            {"pipe_id": ["P1"], "elevation_m": [12.0], "elevation_min_m": [10.0], "elevation_max_m": [15.0]}
        ),
        "pressure": pl.DataFrame(
            {
                "point_id": ["M", "M"], "geom": [shapely.Point(120.0, 0.0).wkb] * 2,
                "measured_on": [date(2001, 1, 1), date(2008, 1, 1)], "pressure_m": [40.0, 46.0],
                "pressure_min_m": [38.0, 44.0], "pressure_max_m": [41.0, 50.0],
            }
        ),
    }  # fmt: skip


def features_of(given: dict[str, pl.DataFrame]) -> pl.DataFrame:
    log = given["break"]
    network = build_network(
        lives=place(given["pipe"], given["road"]),
        breaks=log.drop("pipe_key"),
        links=log.select("break_id", "pipe_key"),
        record_start=RECORD_START,
        record_end=RECORD_END,
        roads=given["road"],
        soil=given["soil"],
        zones=given["pressure_zone"],
        heights=given["elevation"],
        readings=given["pressure"],
        parameters=POLICY,
    )
    return compute(snapshot(network, AS_OF))


def changed(without: str) -> set[str]:
    whole = tables()
    before, after = features_of(whole), features_of(whole | {without: whole[without].clear()})
    return {name for name in CATALOGUE if not before[name].equals(after[name])}


@pytest.mark.parametrize("table", ["break", "road", "soil", "pressure_zone", "elevation", "pressure"])
def test_without_a_table_exactly_the_declared_features_change(table: str) -> None:
    assert changed(table) == set(depending_on(table))


def test_without_pipes_there_is_no_value_of_any_feature() -> None:
    whole = tables()
    assert features_of(whole).height == 4
    nothing = whole | {"pipe": whole["pipe"].clear(), "break": whole["break"].clear()}
    assert features_of(nothing).height == 0
    assert set(depending_on("pipe")) == set(CATALOGUE)


def test_only_delivered_tables_are_declared() -> None:
    known: Callable[[str], bool] = DELIVERED.__contains__
    assert all(known(table) for entry in CATALOGUE.values() for table in entry.needs)
