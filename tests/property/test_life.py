"""Nothing in the lives may come from a later break: the risk set of a day is a function of that day's knowledge."""

from datetime import date, timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from registers import PARAMETERS, RECORD_START, breaks, event, pipe, pipes, point
from vardag.water.life import lives, rebuilt_links
from vardag.water.linking import link

DAYS = st.integers(0, 9000).map(lambda days: date(1997, 1, 1) + timedelta(days=days))
ROADS = st.sampled_from(["r1", "r2", None])
MATERIALS, YEARS = st.sampled_from(["CI", "PVC", "UNKNOWN"]), st.sampled_from([None, 1950, 1998, 2004, 2012])


@st.composite
def registers(draw: st.DrawFn) -> pl.DataFrame:
    rows = []
    for number in range(draw(st.integers(1, 5))):
        values = {
            "y": draw(st.integers(0, 40)), "material": draw(MATERIALS), "install_year": draw(YEARS),
            "road_id": draw(ROADS), "length_m": draw(st.sampled_from([0.0, 5.0, 100.0])),
            "status": draw(st.sampled_from(["in_service", "retired"])),
        }  # fmt: skip
        rows.append(pipe(f"p{number}", **values))
    return pipes(*rows)


@st.composite
def logs(draw: st.DrawFn) -> pl.DataFrame:
    rows = []
    for number in range(draw(st.integers(0, 8))):
        values = {
            "material": draw(MATERIALS), "install_year": draw(YEARS), "road_id": draw(ROADS),
            "geom": draw(st.sampled_from([None, point(50, 1), point(50, 30)])),
        }  # fmt: skip
        rows.append(event(f"b{number}", draw(DAYS), draw(st.sampled_from(["p0", "p1", "x", "y", None])), **values))
    return breaks(*rows)


def built(register: pl.DataFrame, log: pl.DataFrame) -> pl.DataFrame:
    links = link(register, log, parameters=PARAMETERS)
    return lives(register, log, links, record_start=RECORD_START, parameters=PARAMETERS)


def risk_set(table: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Lives at risk on a day, with everything said of them but the day of their retirement, which is later."""
    leaves = pl.col("retired_date").is_null() | (pl.col("retired_date") > as_of)
    return table.filter((pl.col("known_from") <= as_of) & leaves).drop("retired_date").sort("pipe_key")


@settings(max_examples=50, deadline=None)
@given(registers(), logs(), DAYS, st.integers(0, 4000))
def test_risk_set_does_not_know_later_breaks(
    register: pl.DataFrame, log: pl.DataFrame, cut: date, before: int
) -> None:
    as_of = cut - timedelta(days=before)
    known = built(register, log.filter(pl.col("break_date") <= cut))
    assert risk_set(built(register, log), as_of).equals(risk_set(known, as_of))


@settings(max_examples=20, deadline=None)
@given(registers(), logs(), DAYS)
def test_later_breaks_leave_the_register_and_never_make_a_rebuilt_pipe_known_earlier(
    register: pl.DataFrame, log: pl.DataFrame, cut: date
) -> None:
    full, known = built(register, log), built(register, log.filter(pl.col("break_date") <= cut))
    of_register = pl.col("origin") == "register"
    assert full.filter(of_register).equals(known.filter(of_register))
    days = known.select("pipe_key", "known_from").join(full, on="pipe_key", how="left", suffix="_full")
    assert (days["known_from_full"] == days["known_from"]).all()


@settings(max_examples=20, deadline=None)
@given(registers(), logs())
def test_rebuilt_pipes_are_known_after_their_first_break_and_every_link_has_a_life(
    register: pl.DataFrame, log: pl.DataFrame
) -> None:
    links = rebuilt_links(register, log, link(register, log, parameters=PARAMETERS), parameters=PARAMETERS)
    table = lives(register, log, links, record_start=RECORD_START, parameters=PARAMETERS)
    assert table["pipe_key"].is_unique().all()
    assert (table["retired_date"].is_null() | (table["retired_date"] >= table["known_from"])).all()
    assert set(links["pipe_key"].drop_nulls()) <= set(table["pipe_key"])
    firsts = log.with_columns(links["pipe_key"]).group_by("pipe_key").agg(pl.col("break_date").min())
    rebuilt = table.filter(pl.col("origin") == "rebuilt").join(firsts, on="pipe_key", how="left")
    assert (rebuilt["known_from"] == rebuilt["break_date"] + timedelta(days=1)).all()
