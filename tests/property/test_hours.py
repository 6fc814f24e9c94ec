"""Whatever happened, in whatever order: months add up, nothing counts twice, intervals hold what they are of."""

import random
from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import groupby
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from account_logs import Log
from vardag.core.parameters import Parameters
from vardag.invoices import hours
from vardag.invoices.hours import Account, Evidence, account, histories
from vardag.invoices.hours.bars import HEIGHT, TOP, bars
from vardag.invoices.hours.export import rows
from vardag.invoices.hours.freed import Freed
from vardag.invoices.hours.history import moment
from vardag.invoices.hours.sittings import sittings
from vardag.invoices.hours.timings import KINDS, Timing

PACKAGED = hours.minutes()
STOCKHOLM = ZoneInfo("Europe/Stockholm")
QUICK = {"replicates": 60, "few_observations": 3}
SMALL = {name: replace(PACKAGED[name], value=value) for name, value in QUICK.items()}
ROBOT = st.sampled_from(
    [
        ("received", {}),
        ("answered", {}),
        ("decided", {"level": "shadow"}),
        ("decided", {"level": "attended"}),
        ("settled", {"state": "done", "effect": "credit"}),
        ("settled", {"state": "done", "code": "ignored"}),
        ("settled", {"state": "done", "code": "changed"}),
        ("settled", {"state": "failed_business"}),
        ("settled", {"state": "waiting"}),
        ("fault", {"state": "dead"}),
        ("fault", {"state": "failed_application"}),
    ]
)
PERSON = st.sampled_from(["opened", "opened", "approved", "closed by hand", "retried", "objected"])
MODES = st.sampled_from(["unattended", "unattended", "attended", "shadow"])
ITEMS = st.integers(1, 5)
STEP = st.one_of(
    st.tuples(st.just("robot"), ITEMS, ROBOT, MODES),
    st.tuples(st.just("person"), ITEMS, PERSON, st.sampled_from("ab")),
)
PAUSES = st.sampled_from([0, 1, 5, 29, 31, 600, 60 * 24 * 20])
TIMED = st.lists(st.tuples(st.sampled_from(sorted(KINDS)), st.floats(0.1, 200)), max_size=20)
FREED = st.lists(st.tuples(st.sampled_from(["2026-07", "2026-09", "2027-02"]), st.floats(0.1, 50)), max_size=3)


@st.composite
def logs(draw: st.DrawFn) -> Log:
    log = Log()
    for pause, (who, item, what, more) in draw(st.lists(st.tuples(PAUSES, STEP), max_size=40)):
        log.later(pause)
        if who == "robot":
            log.robot(what[0], item, mode=more, **what[1])
        else:
            log.person(what, item, by=more)
    return log


@st.composite
def known(draw: st.DrawFn) -> Evidence:
    timings = tuple(Timing(kind, minutes, date(2026, 8, 3)) for kind, minutes in draw(TIMED))
    freed = tuple(Freed(month, told, "calls", "head") for month, told in draw(FREED))
    return Evidence(Parameters(PACKAGED.path, PACKAGED.entries | SMALL), timings, freed)


AMOUNTS = {item: Decimal(100 * item) for item in (1, 2, 3, 4)}


def made(log: Log, evidence: Evidence) -> Account:
    return account(log.entries, evidence, amounts=AMOUNTS)


@settings(max_examples=150, deadline=None)
@given(logs(), known())
def test_months_add_up_to_the_whole(log: Log, evidence: Evidence) -> None:
    found = made(log, evidence)
    total, months = found.total, found.months
    for name in ("items", "saved_hours", "assumed_saved", "assumed_cost", "known_hours", "cost_hours"):
        assert sum(getattr(one, name) for one in months) == pytest.approx(getattr(total, name)), name
    for name in ("value_sek", "robot_sek", "amount", "without_amount", "freed_hours", "unexplained_hours"):
        parts = [getattr(one.worth, name) for one in months]
        assert float(sum(parts)) == pytest.approx(float(getattr(total.worth, name)), abs=1e-9), name
    by_outcome: Counter[str] = Counter()
    for one in months:
        by_outcome.update({line.outcome: line.items for line in one.lines})
    assert by_outcome == Counter({line.outcome: line.items for line in total.lines}) or not months


@settings(max_examples=150, deadline=None)
@given(logs(), known(), st.randoms(use_true_random=False))
def test_no_item_is_counted_twice_whatever_the_order(log: Log, evidence: Evidence, chance: random.Random) -> None:
    found = made(log, evidence)
    handled, _ = histories(log.entries)
    assert found.items == len(handled) == sum(one.items for one in found.months)
    assert found.items <= len({entry.item for entry in log.entries})
    for one in found.months:
        assert one.items == sum(f"{item.at.astimezone(STOCKHOLM):%Y-%m}" == one.month for item in handled.values())
        assert one.worth.wrong.part <= one.worth.wrong.whole <= one.items
    shuffled = Log(entries=chance.sample(log.entries, len(log.entries)))
    assert made(shuffled, evidence) == found


@settings(max_examples=150, deadline=None)
@given(logs(), known())
def test_intervals_hold_what_they_are_of(log: Log, evidence: Evidence) -> None:
    found = made(log, evidence)
    for one in (found.total, *found.months):
        for line in one.lines:
            assert line.interval is None or line.interval[0] <= line.saved_hours <= line.interval[1]
        if one.interval is not None:
            assert one.interval[0] <= one.known_hours + 1e-9
            assert one.known_hours - 1e-9 <= one.interval[1]
        wrong = one.worth.wrong
        assert (wrong.interval is None) == (wrong.whole == 0)
        assert wrong.interval is None or wrong.interval[0] <= wrong.part / wrong.whole <= wrong.interval[1]


@settings(max_examples=150, deadline=None)
@given(logs())
def test_nobody_sits_longer_than_the_clock(log: Log) -> None:
    sat = sittings(log.entries, longest=30)
    people = [entry for entry in log.entries if "robot" not in entry.body]
    clock = 0.0
    for _, some in groupby(sorted(people, key=lambda entry: entry.body["actor"]), key=lambda e: e.body["actor"]):
        times = [moment(entry) for entry in some]
        clock += (max(times) - min(times)).total_seconds() / 60
    assert sum(one.minutes for one in sat if one.minutes is not None) <= clock + 1e-6
    assert all(one.minutes is None or 0 <= one.minutes <= 30 for one in sat)
    decisions = sum(entry.event in {"approved", "closed by hand"} for entry in people)
    assert sum(one.decided for one in sat) == decisions


@settings(max_examples=80, deadline=None)
@given(logs(), known())
def test_the_picture_holds_every_month(log: Log, evidence: Evidence) -> None:
    months = made(log, evidence).months
    if not months:
        return
    drawn = ElementTree.fromstring(bars(months, "en"))
    heights = [float(one.get("height", "")) for one in drawn.iter("{http://www.w3.org/2000/svg}rect")]
    assert len(heights) == 3 * len(months)
    assert all(0 <= one <= HEIGHT for one in heights)
    places = [float(one.get("y", "")) for one in drawn.iter("{http://www.w3.org/2000/svg}rect")]
    assert all(TOP - 0.1 <= one <= TOP + HEIGHT + 0.1 for one in places)


@settings(max_examples=80, deadline=None)
@given(logs(), known())
def test_the_rows_for_the_budget_add_up(log: Log, evidence: Evidence) -> None:
    found = made(log, evidence)
    table = list(rows(found, cost_per_hour=340, language="sv"))
    assert sum(float(row["hours"]) for row in table) == pytest.approx(
        found.saved_hours, abs=1e-3 * (1 + len(table))
    )
    named = {"failures", "objections", "looks", "robot"}
    assert all("before" not in row for row in table if row["outcome"] in {*named, "waiting", "dead"})
    assert sum(int(row["n"]) for row in table if row["outcome"] not in named) == found.items
    assert len({(row["month"], row["outcome"]) for row in table}) == len(table)
