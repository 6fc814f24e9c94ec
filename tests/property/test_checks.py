"""Checks never change the data, and what they find is found whatever the order of the rows."""

from datetime import date, timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from registers import PARAMETERS, breaks, event, pipe, pipes, quarantine
from vardag.water.checks import CheckData, run_checks
from vardag.water.checks.of_the_log import breaks_per_year, proposed_start, typical_count

ASSETS = st.sampled_from(["p0", "p1", None])
DAYS = st.integers(0, 3000).map(lambda days: date(1997, 1, 1) + timedelta(days=days))


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.tuples(DAYS, st.sampled_from(["p0", "p1", None])), max_size=12), st.randoms(use_true_random=False)
)
def test_counts_do_not_depend_on_the_order_of_rows(rows: list[tuple[date, str | None]], order: object) -> None:
    log = [event(str(number), day, asset) for number, (day, asset) in enumerate(rows)]
    register = [pipe("p0", install_year=2001), pipe("p1", y=90, length_m=None), pipe("p2", material="OTHER")]
    counts = [counted(register, log)]
    order.shuffle(log)  # type: ignore[attr-defined]
    order.shuffle(register)  # type: ignore[attr-defined]
    counts.append(counted(register, log))
    assert counts[0] == counts[1]


def counted(register: list[dict[str, object]], log: list[dict[str, object]]) -> dict[str, tuple[int, int]]:
    given_data = as_data(register, log)
    before = given_data.breaks.clone()
    results = run_checks(given_data, language="en")
    assert given_data.breaks.equals(before)
    assert all(0 <= found.rows <= found.total for found in results)
    return {found.name: (found.rows, found.total) for found in results}


def as_data(register: list[dict[str, object]], log: list[dict[str, object]]) -> CheckData:
    return CheckData(pipes=pipes(*register), breaks=breaks(*log), quarantine=quarantine(), parameters=PARAMETERS)


@given(st.lists(st.integers(0, 300), min_size=1, max_size=30))
def test_typical_count_is_the_weighted_median(counts: list[int]) -> None:
    typical = typical_count(pl.Series(counts, dtype=pl.UInt32))
    spread = sorted(count for count in counts for _ in range(count))
    naive = spread[(len(spread) - 1) // 2] if spread else 0
    assert typical == naive


@given(st.lists(st.booleans(), min_size=1, max_size=30))
def test_proposed_start_is_a_kept_year_wherever_there_is_one(sparse: list[bool]) -> None:
    years = list(range(1990, 1990 + len(sparse)))
    start = proposed_start(years, sparse)
    assert start in years
    if any(not any(sparse[place : place + 4]) for place in range(len(sparse))):
        assert not sparse[start - 1990]


@given(st.lists(DAYS, max_size=20))
def test_breaks_per_year_has_every_year_once(days: list[date]) -> None:
    years = breaks_per_year(as_data([], [event(str(number), day) for number, day in enumerate(days)]))
    assert years["year"].to_list() == sorted(
        set(range(min(years["year"], default=0), max(years["year"], default=-1) + 1))
    )
    assert years["breaks"].sum() <= len(days)
