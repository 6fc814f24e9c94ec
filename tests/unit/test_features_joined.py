"""Pipes joined end to end: a hand-made network, and what their breaks tell of each other."""

from collections.abc import Sequence
from datetime import date

import polars as pl
import pytest
import shapely

import builders
from vardag.core.spatial import line_ends
from vardag.water.features import compute
from vardag.water.joints import MOST_ENDS
from vardag.water.linking import place
from vardag.water.panel import Network, build_network, snapshot

AS_OF = date(2008, 12, 31)
Points = Sequence[tuple[float, float]]


def pipe(key: str, *points: tuple[float, float], **values: object) -> dict[str, object]:
    line = shapely.LineString(points)
    return builders.life(key, geom=line.wkb, **{"length_m": line.length} | values)


def breaks(*keys: str, day: date = date(2005, 6, 1)) -> list[tuple[str, date, str | None, float, float]]:
    return [(f"{key}{number}", day, key, 0.0, 0.0) for number, key in enumerate(keys)]


def pairs(network: Network) -> set[tuple[str, str]]:
    key = network.lives["pipe_key"].to_list()
    return {(key[life], key[other]) for life, other in network.joined.rows()}


def counted(pipes: list[dict[str, object]], events: list, as_of: date = AS_OF) -> dict[str, float | None]:
    cut = snapshot(builders.network(pipes, events), as_of)
    told = cut.lives.select("pipe_key").hstack(compute(cut)).select("pipe_key", "joined_breaks_10y")
    return dict(told.iter_rows())


# a, b and c meet in (100, 0); d goes on from c; e lies alone.
STAR = [
    pipe("a", (0, 0), (100, 0)),
    pipe("b", (100, 0), (200, 0)),
    pipe("c", (100, 100), (100, 0)),
    pipe("d", (100, 100), (100, 200)),
    pipe("e", (500, 500), (600, 500)),
]


def test_pipes_that_meet_in_a_joint_are_joined_and_no_others() -> None:
    joined = pairs(builders.network(STAR, []))
    once = {("a", "b"), ("a", "c"), ("b", "c"), ("c", "d")}
    assert joined == once | {(other, life) for life, other in once}


def test_breaks_of_the_joined_pipes_count_and_own_ones_do_not() -> None:
    told = counted(STAR, breaks("a", "a", "b", "d", "e"))
    assert told == {"a": 1.0, "b": 2.0, "c": 4.0, "d": 0.0, "e": 0.0}


@pytest.mark.parametrize(("apart", "joined"), [(0.3, True), (0.49, True), (0.51, False), (2.0, False)])
@pytest.mark.parametrize("start", [99.75, 100.0, 100.24, 6_500_000.0])
def test_an_end_a_little_off_still_meets(start: float, apart: float, joined: bool) -> None:
    """Wherever it lies: there is no raster whose edges could part two ends."""
    pipes = [pipe("a", (0, 0), (start, 0)), pipe("b", (start + apart, 0), (start + 100, 0))]
    assert (("a", "b") in pairs(builders.network(pipes, []))) is joined


def test_two_pipes_side_by_side_are_joined_once() -> None:
    pipes = [pipe("a", (0, 0), (100, 0)), pipe("b", (100, 0), (50, 20), (0, 0))]
    assert counted(pipes, breaks("a", "b", "b")) == {"a": 2.0, "b": 1.0}


def test_a_ring_is_not_joined_to_itself_and_counts_once_for_others() -> None:
    pipes = [
        pipe("ring", (0, 0), (50, 0), (50, 50), (0, 0)),
        pipe("stump", (0, 0), (0.2, 0)),
        pipe("a", (0, 0), (-9, 0)),
    ]
    assert counted(pipes, breaks("ring", "stump", "a")) == {"ring": 2.0, "stump": 2.0, "a": 2.0}


def test_a_line_in_parts_ends_where_its_last_part_ends() -> None:
    parts = shapely.MultiLineString([[(100, 0), (150, 0)], [(50, 0), (100, 0)]])
    pipes = [builders.life("a", geom=parts.wkb), pipe("b", (150, 0), (200, 0)), pipe("c", (100, 0), (100, 50))]
    assert pairs(builders.network(pipes, [])) == {("a", "b"), ("b", "a")}


def test_only_lines_have_ends() -> None:
    others = [shapely.Point(1, 2), shapely.box(0, 0, 1, 1), shapely.LineString(), shapely.MultiLineString()]
    ends = line_ends([*(shape.wkb for shape in others), None, shapely.LineString([(1, 2), (3, 4), (5, 6)]).wkb])
    assert not (ends[:5] == ends[:5]).any()  # NaN is not itself
    assert ends[5].tolist() == [1.0, 2.0, 5.0, 6.0]


def test_breaks_of_a_pipe_that_was_taken_out_count_as_long_as_they_are_recent() -> None:
    old = pipe("old", (100, 0), (200, 0), retired_date=date(2006, 1, 1))
    new = pipe("new", (100, 0), (200, 0), install_date=date(2006, 1, 1), known_from=date(2006, 1, 1))
    events = [*breaks("old", "old"), ("first", date(2000, 3, 1), "old", 0.0, 0.0)]
    assert counted([STAR[0], old, new], events) == {"a": 3.0, "new": 3.0}
    assert counted([STAR[0], old, new], events, date(2010, 12, 31)) == {"a": 2.0, "new": 2.0}
    assert counted([STAR[0], old, new], events, date(2005, 12, 31)) == {"a": 3.0, "old": 0.0}


def test_breaks_after_the_day_and_pipes_laid_after_it_do_not_count() -> None:
    later = pipe("later", (100, 0), (100, -100), install_date=date(2009, 1, 1), known_from=date(2009, 1, 1))
    events = breaks("later") + breaks("b", day=date(2009, 1, 1))
    assert counted([*STAR, later], events)["a"] == 0.0


def test_a_pipe_laid_later_joins_no_two_that_were_there() -> None:
    """Its end lies within reach of both, theirs do not lie within reach of each other."""
    pipes = [pipe("a", (0, 0), (100, 0)), pipe("b", (100.8, 0), (200, 0))]
    between = pipe("later", (100.4, 0), (100.4, 50), install_date=date(2009, 1, 1), known_from=date(2009, 1, 1))
    assert counted([*pipes, between], breaks("b")) == counted(pipes, breaks("b")) == {"a": 0.0, "b": 0.0}


def test_a_heap_of_pipes_on_one_spot_is_no_joint() -> None:
    heap = [pipe(f"h{number}", (0, 0), (100, 10 * number)) for number in range(MOST_ENDS + 1)]
    assert pairs(builders.network(heap, [])) == set()
    assert len(pairs(builders.network(heap[1:], []))) == MOST_ENDS * (MOST_ENDS - 1)


def along_roads(pipes: list[dict[str, object]], roads: pl.DataFrame) -> list[float | None]:
    """What the pipes are told, where pipes without geometry are given the line of their road."""
    log, links = builders.breaks(breaks("a", "b"))
    table = builders.lives(pipes).with_columns(pl.col("geom").cast(pl.Binary))
    network = build_network(
        lives=place(table, roads), breaks=log, links=links, roads=roads,
        record_start=builders.RECORD_START, record_end=builders.RECORD_END,
    )  # fmt: skip
    return compute(snapshot(network, AS_OF))["joined_breaks_10y"].to_list()


ROADS = pl.DataFrame(
    {
        "road_id": ["r", "s"], "road_class": ["local"] * 2, "aadt": [100, 200], "speed_kmh": [30.0] * 2,
        "truck": [False] * 2, "bus": [False] * 2, "width_m": [7.0] * 2,
        "geom": [shapely.LineString([(x, 0), (x + 100, 0)]).wkb for x in (0, 100)],
    }
)  # fmt: skip


def test_in_a_register_without_lines_nothing_is_told_though_roads_meet() -> None:
    pipes = [builders.life(key, road_id=road, geom=None) for key, road in (("a", "r"), ("b", "r"), ("c", "s"))]
    assert along_roads(pipes, ROADS) == [None, None, None]


def test_pipes_with_lines_are_told_of_each_other_and_not_of_those_placed_along_roads() -> None:
    placeless = builders.life("b", road_id="s", geom=None)
    rough = {"position": "approximate"}  # drawn by hand: where it lies is unsure, what it joins is not
    pipes = [
        pipe("a", (0, 0), (100, 0.1), road_id="r", **rough),
        placeless,
        pipe("c", (100, 0), (100, 9), road_id="s"),
    ]
    assert along_roads(pipes, ROADS) == [0.0, None, 1.0]
