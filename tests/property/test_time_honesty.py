"""The future changes nothing: whatever happens after `as_of`, features and risk set stay the same."""

from datetime import date, timedelta

import polars as pl
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import builders
from vardag.water import features
from vardag.water.lof.port import POLICY
from vardag.water.panel import Network, build_network, snapshot

AS_OF = date(2004, 12, 31)
KEYS = ("a", "b", "c", "d")
PIPES = [
    builders.life("a", road_id="r", cleaned_date=date(2006, 5, 1)),
    builders.life("b", y=30.0, road_id="r", install_date=date(2002, 3, 1), cleaned_date=date(2003, 9, 1)),
    builders.life("c", y=120.0, install_date=date(2006, 1, 1)),
    builders.life("d", y=60.0, retired_date=date(2007, 1, 1), lined_date=date(2006, 1, 1)),
]

days = st.integers(0, 365 * 10 - 1).map(lambda day: builders.RECORD_START + timedelta(days=day))
later_days = st.integers(1, 365 * 5).map(lambda day: AS_OF + timedelta(days=day))
events = st.lists(
    st.tuples(days, st.sampled_from([*KEYS, None]), st.floats(0, 50), st.floats(-200, 200)), max_size=12
)


def named(rows: list) -> list:
    return [(f"b{number}", *row) for number, row in enumerate(rows)]


@settings(max_examples=40, deadline=None)
@given(past=events, future=events, other=events)
def test_breaks_after_as_of_change_no_feature(past: list, future: list, other: list) -> None:
    known = [row for row in past if row[0] <= AS_OF]
    panels = []
    for later in (future, other, []):
        rows = named(known + [row for row in later if row[0] > AS_OF])
        cut = snapshot(builders.network(PIPES, rows), AS_OF)
        panels.append(cut.lives.select("pipe_key").hstack(features.compute(cut)))
    assert_frame_equal(panels[0], panels[1])
    assert_frame_equal(panels[0], panels[2])


@settings(max_examples=15, deadline=None)
@given(past=events, retired=later_days, lined=later_days, cleaned=st.one_of(st.none(), later_days))
def test_later_retirement_lining_and_cleaning_change_no_feature(
    past: list, retired: date, lined: date, cleaned: date | None
) -> None:
    rows = named([row for row in past if row[0] <= AS_OF])
    later = PIPES[3] | {"retired_date": retired, "lined_date": lined, "cleaned_date": cleaned}
    changed = [PIPES[0] | {"cleaned_date": cleaned}, *PIPES[1:3], later]
    cuts = [snapshot(builders.network(pipes, rows), AS_OF) for pipes in (PIPES, changed)]
    assert_frame_equal(features.compute(cuts[0]), features.compute(cuts[1]))
    assert cuts[0].lives["pipe_key"].equals(cuts[1].lives["pipe_key"])


measuring_days = st.integers(-365 * 5, 365 * 10 - 1).map(lambda day: builders.RECORD_START + timedelta(days=day))
measured = st.lists(
    st.tuples(
        measuring_days, st.sampled_from(["M", "N", None]), st.sampled_from([0.0, 90.0, 400.0]), st.floats(20, 90)
    ),
    max_size=12,
)


def pressure_features(rows: list) -> pl.DataFrame:
    log, links = builders.breaks([])
    readings = pl.DataFrame(
        [(day, name, shapely.Point(x, 10.0).wkb, mean, mean - 3.0, mean + x) for day, name, x, mean in rows],
        schema={
            "measured_on": pl.Date, "point_id": pl.String, "geom": pl.Binary, "pressure_m": pl.Float64,
            "pressure_min_m": pl.Float64, "pressure_max_m": pl.Float64,
        },
        orient="row",
    )  # fmt: skip
    network = build_network(
        lives=builders.lives(PIPES), breaks=log, links=links, readings=readings, parameters=POLICY,
        record_start=builders.RECORD_START, record_end=builders.RECORD_END,
    )  # fmt: skip
    names = ("measured_pressure_m", "pressure_change_m", "pressure_swing_m")
    return features.compute(snapshot(network, AS_OF)).select(names)


@settings(max_examples=40, deadline=None)
@given(past=measured, future=measured, other=measured)
def test_pressures_measured_after_as_of_change_no_feature(past: list, future: list, other: list) -> None:
    """Nor does a point that is first measured later, however near it is."""
    known = [row for row in past if row[0] <= AS_OF]
    told = [pressure_features([row for row in later if row[0] > AS_OF] + known) for later in (future, other, [])]
    assert_frame_equal(told[0], told[1], check_exact=True)
    assert_frame_equal(told[0], told[2], check_exact=True)


@settings(max_examples=40, deadline=None)
@given(rows=measured)
def test_vectorised_pressures_equal_a_naive_mean(rows: list) -> None:
    told = pressure_features(rows)["measured_pressure_m"]
    assert told.len() == 3
    known = sorted((row for row in rows if row[0] <= AS_OF), key=lambda row: row[0])
    recent = [row for row in known if row[0] > date(1999, 12, 31)]
    nearest = min((max(x - 50.0, 0.0) for _, _, x, _ in recent), default=None)
    if nearest is None:
        assert told[0] is None
        return
    there = [row for row in recent if max(row[2] - 50.0, 0.0) == nearest]
    means = [
        sum(row[3] for row in there if row[1] == name) / sum(row[1] == name for row in there)
        for name in {row[1] for row in there}
    ]
    assert any(abs(told[0] - mean) < 1e-9 for mean in means)


@settings(max_examples=40, deadline=None)
@given(rows=events)
def test_vectorised_history_equals_a_naive_count(rows: list) -> None:
    network = builders.network(PIPES, named(rows))
    panel = features.panel_of(network, [AS_OF])
    for row in panel.iter_rows(named=True):
        own = [day for day, key, _, _ in rows if key == row["pipe_key"] and day <= AS_OF]
        assert row["own_breaks"] == len(own)
        future = [day for day, key, _, _ in rows if key == row["pipe_key"] and AS_OF < day <= date(2005, 12, 31)]
        assert row["breaks"] == len(future)


@settings(max_examples=40, deadline=None)
@given(rows=events)
def test_vectorised_neighbours_equal_a_naive_count(rows: list) -> None:
    panel = features.panel_of(builders.network(PIPES, named(rows)), [AS_OF])
    places = {row["pipe_key"]: float(row["y"]) for row in _places()}
    for row in panel.iter_rows(named=True):
        y = places[row["pipe_key"]]
        near = [day for day, key, _, by in rows if key != row["pipe_key"] and day <= AS_OF and abs(by - y) <= 150.0]
        recent = [day for day in near if (AS_OF - day).days / 365.25 < 5.0]
        assert row["nearby_150m_5y"] == len(recent)


joints = st.tuples(st.integers(0, 2), st.integers(0, 2)).map(lambda at: (100.0 * at[0], 100.0 * at[1]))
laid_days = st.sampled_from([date(1960, 1, 1), date(2003, 5, 1), date(2006, 1, 1)])
gone_days = st.sampled_from([None, date(2004, 3, 1), date(2007, 1, 1)])
drawn = st.lists(st.tuples(joints, joints, laid_days, gone_days), min_size=1, max_size=8)
broken = st.lists(st.tuples(days, st.integers(0, 7)), max_size=12)


def joined_network(pipes: list, rows: list) -> Network:
    lives = [
        builders.life(
            f"p{number}",
            geom=shapely.LineString([start, (170.0, 130.0), end]).wkb,
            install_date=laid,
            known_from=max(laid, builders.RECORD_START),
            retired_date=gone,
        )
        for number, (start, end, laid, gone) in enumerate(pipes)
    ]
    linked = [(day, f"p{number}") for day, number in rows if number < len(pipes)]
    return builders.network(lives, [(f"b{at}", *row, 0.0, 0.0) for at, row in enumerate(linked)])


@settings(max_examples=60, deadline=None)
@given(pipes=drawn, rows=broken)
def test_vectorised_joints_equal_a_naive_count(pipes: list, rows: list) -> None:
    cut = snapshot(joined_network(pipes, rows), AS_OF)
    told = dict(zip(cut.lives["pipe_key"], features.compute(cut)["joined_breaks_10y"], strict=True))
    there = [number for number, (_, _, laid, gone) in enumerate(pipes) if laid <= AS_OF < (gone or date.max)]
    assert set(told) == {f"p{number}" for number in there}
    for number in there:
        others = [
            other
            for other, (start, end, laid, _) in enumerate(pipes)
            if other != number and laid <= AS_OF and {start, end} & set(pipes[number][:2])
        ]
        assert told[f"p{number}"] == sum(day <= AS_OF and at in others for day, at in rows)


@settings(max_examples=40, deadline=None)
@given(pipes=drawn, rows=broken, later=drawn, future=broken)
def test_pipes_laid_and_broken_after_as_of_change_no_joint(
    pipes: list, rows: list, later: list, future: list
) -> None:
    known = [(day, number) for day, number in rows if day <= AS_OF and number < len(pipes)]
    laid = [(start, end, date(2006, 1, 1), None) for start, end, _, _ in later]
    after = [row for row in future if row[0] > AS_OF]
    told = [
        features.compute(snapshot(joined_network(*one), AS_OF))
        for one in ((pipes, known), (pipes + laid, known), (pipes + laid, known + after))
    ]
    assert_frame_equal(told[0], told[1], check_exact=True)
    assert_frame_equal(told[0], told[2], check_exact=True)


def _places() -> list[dict[str, object]]:
    network = builders.network(PIPES, [])
    return network.lives.select("pipe_key", pl.col("y")).to_dicts()
