"""What must hold of the verdict on readiness whatever the numbers."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from readiness_numbers import MINUTES, ready
from vardag.core.parameters import Parameters
from vardag.invoices.process.evidence import Decided, Drift, Estimate, Share, Volume
from vardag.invoices.process.flips import KNOBS, flips
from vardag.invoices.process.policy import load_readiness
from vardag.invoices.process.readiness import Kind, Numbers, judge

PACKAGED = load_readiness()
FEWER = replace(PACKAGED["draws"], value=400)
QUICK = Parameters(PACKAGED.path, PACKAGED.entries | {"draws": FEWER})
RANK = {Kind.LEAVE: 0, Kind.UNKNOWN: 1, Kind.MEND: 1, Kind.AUTOMATE: 2}
COUNT = st.integers(0, 200)
CHANCE = st.tuples(st.floats(0, 0.1), st.floats(0, 0.1), st.floats(0, 0.1)).map(
    lambda three: (sorted(three)[1], sorted(three)[0], sorted(three)[2])
)
NUMBERS = st.builds(
    lambda per_month, weight, usual, observed, chance, counts, dead, times, blocking, errors: ready(
        volume=Volume(per_month, weight, weight, 180),
        usual=Share(round(usual * 300), 300),
        drift=Drift(observed, chance),
        decided=Decided(*counts),
        faults=Share(min(dead, sum(counts)), sum(counts)),
        minutes=MINUTES.scaled(times),
        blocking=blocking,
        errors_today=errors,
    ),
    st.floats(0.1, 5000),
    st.integers(30, 3000),
    st.floats(0, 1),
    st.floats(0, 1),
    CHANCE,
    st.tuples(COUNT, COUNT, COUNT).filter(lambda counts: sum(counts) >= 40),
    st.integers(0, 40),
    st.floats(0.05, 5),
    st.integers(0, 3),
    st.none() | st.floats(0, 1),
)


@settings(max_examples=40, deadline=None)
@given(NUMBERS, st.floats(1, 100))
def test_more_volume_never_makes_the_verdict_worse(numbers: Numbers, times: float) -> None:
    assert numbers.volume is not None
    more = replace(numbers, volume=numbers.volume.at(numbers.volume.per_month * times))
    assert RANK[judge(more, QUICK).kind] >= RANK[judge(numbers, QUICK).kind]


@settings(max_examples=40, deadline=None)
@given(NUMBERS, st.integers(1, 5))
def test_an_obstacle_more_never_makes_it_better(numbers: Numbers, more: int) -> None:
    worse = judge(replace(numbers, blocking=(numbers.blocking or 0) + more), QUICK).kind
    assert worse is not Kind.AUTOMATE
    assert RANK[worse] <= RANK[judge(numbers, QUICK).kind]


@settings(max_examples=40, deadline=None)
@given(NUMBERS)
def test_every_interval_holds_its_number(numbers: Numbers) -> None:
    found = judge(numbers, QUICK)
    year = found.economy
    assert year is not None and numbers.volume is not None and numbers.decided is not None
    estimates: list[Estimate] = [
        *(one.estimate for one in found.criteria),
        *(year.hours_saved, year.minutes_saved, year.net_sek, year.left_sek),
        *(numbers.volume.estimate(0.9), numbers.minutes.baseline(numbers.decided)),
    ]
    assert all(one.low <= one.value <= one.high for one in estimates)


@settings(max_examples=40, deadline=None)
@given(NUMBERS, st.sampled_from(["no_log", "few_cases", "no_register"]))
def test_whatever_is_missing_there_is_no_verdict(numbers: Numbers, why: str) -> None:
    assert judge(replace(numbers, missing={why: {}}), QUICK).kind is Kind.UNKNOWN


@settings(max_examples=6, deadline=None)
@given(NUMBERS)
def test_every_flip_gives_the_verdict_that_it_says(numbers: Numbers) -> None:
    knobs, is_ = {knob.name: knob for knob in KNOBS}, judge(numbers, QUICK).kind
    for flip in flips(numbers, QUICK):
        assert judge(knobs[flip.name].put(numbers, flip.at), QUICK).kind is flip.becomes
        assert flip.becomes is not is_
