"""The frames of the discovery are what a plain loop over the cases gives; no row is lost whatever it holds."""

from collections import Counter
from datetime import timedelta
from itertools import groupby, pairwise
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from process_logs import BEGAN, event, tidied
from vardag.core.errors import InputError
from vardag.invoices.process import EventLog
from vardag.invoices.process.discovery import activities, follows, footprint, hands, rework_cases, variants

MINUTES = st.integers(0, 30)
EVENTS = st.builds(
    lambda case, name, end, length, who: event(
        case,
        name,
        (BEGAN + timedelta(minutes=end)).isoformat(),
        start=None if length is None else (BEGAN + timedelta(minutes=end - length)).isoformat(),
        resource=who,
    ),
    st.sampled_from("123"),
    st.sampled_from("abc"),
    MINUTES,
    st.none() | MINUTES,
    st.sampled_from("xy"),
)
LOGS = st.lists(EVENTS, min_size=1, max_size=14).map(tidied)


def cases(log: EventLog) -> dict[str, list[dict[str, object]]]:
    return {case: list(rows) for case, rows in groupby(log.events.to_dicts(), key=lambda row: str(row["case"]))}


@settings(max_examples=60, deadline=None)
@given(LOGS)
def test_ways_and_rework(log: EventLog) -> None:
    ways = {case: tuple(str(row["activity"]) for row in rows) for case, rows in cases(log).items()}
    found = {tuple(row["variant"]): row["cases"] for row in variants(log.events).to_dicts()}
    assert found == Counter(ways.values())
    assert rework_cases(log.events) == sum(len(set(way)) < len(way) for way in ways.values())
    follow = {pair for way in ways.values() for pair in pairwise(way)}
    signs = {(True, True): "‖", (True, False): "→", (False, True): "←", (False, False): "#"}
    assert all(sign == signs[(a, b) in follow, (b, a) in follow] for (a, b), sign in footprint(log.events).items())


@settings(max_examples=60, deadline=None)
@given(LOGS)
def test_steps_and_their_times(log: EventLog) -> None:
    waits: dict[tuple[object, object], list[float]] = {}
    for rows in cases(log).values():
        for one, two in pairwise(rows):
            gap = (two["start"] or two["time"]) - one["time"]  # type: ignore[operator]
            waits.setdefault((one["activity"], two["activity"]), []).append(max(gap.total_seconds() / 3600, 0))
    found = follows(log.events).to_dicts()
    assert {(row["activity"], row["next"]): row["count"] for row in found} == {
        pair: len(w) for pair, w in waits.items()
    }
    assert all(row["median_h"] == pytest.approx(median(waits[row["activity"], row["next"]])) for row in found)


@settings(max_examples=60, deadline=None)
@given(LOGS)
def test_activities_and_hands(log: EventLog) -> None:
    every = cases(log).values()
    for row in activities(log.events).to_dicts():
        counts = [sum(one["activity"] == row["activity"] for one in rows) for rows in every]
        assert (row["events"], row["cases"]) == (sum(counts), sum(count > 0 for count in counts))
        assert row["repeated_in"] == sum(count > 1 for count in counts)
        assert row["starts"] == sum(rows[0]["activity"] == row["activity"] for rows in every)
        assert row["ends"] == sum(rows[-1]["activity"] == row["activity"] for rows in every)
    found = hands(log.events)
    assert found is not None
    changes = (one["resource"] != two["resource"] for rows in every for one, two in pairwise(rows))
    assert found.handovers == sum(changes)
    assert found.one_hand == sum(len({one["resource"] for one in rows}) == 1 for rows in every)


WORDS = st.sampled_from([None, "", " ", "1", "a", "ö"]) | st.text(max_size=4)
TIMES = st.sampled_from(
    [None, "", "2026-03-02", "2026-03-02T08:00Z", "2026-99-02 99:99", "2099-01-01", "0000-00-00 1"]
)
WRITTEN = st.builds(
    lambda case, name, time, start, what: event(case, name, time, start=start, transition=what),
    WORDS,
    WORDS,
    TIMES | st.text(max_size=12),
    TIMES,
    st.sampled_from([None, "start", "complete", "COMPLETE", "abort"]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(WRITTEN, max_size=12))
def test_no_row_is_lost_whatever_it_holds(rows: list[dict[str, object]]) -> None:
    try:
        log = tidied(rows)
    except InputError:
        return
    assert log.rows_in == len(rows) == log.rows_used + log.quarantined.height
    lines = [*log.events["line"], *log.events["start_line"].drop_nulls(), *log.quarantined["line"]]
    assert sorted(lines) == [number for number, _ in enumerate(rows, start=2)]
