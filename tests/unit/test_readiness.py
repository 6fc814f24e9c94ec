"""The verdict on readiness: its five rules, what would change it, and the numbers that it rests on."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from process_logs import event, log_of, tidied
from readiness_numbers import MINUTES, READY, ready
from vardag.core.errors import ConfigError
from vardag.core.parameters import Parameter, Parameters
from vardag.invoices.audit import Entry
from vardag.invoices.commands.evidence import minutes_of, work_of
from vardag.invoices.hours import minutes as read_minutes
from vardag.invoices.process import assessment
from vardag.invoices.process.assessment import Assessment, Behind
from vardag.invoices.process.discovery import variants
from vardag.invoices.process.evidence import (
    Decided,
    Drift,
    Share,
    Volume,
    clocked,
    drift,
    usual_ways,
    volume,
)
from vardag.invoices.process.flips import KNOBS, flips
from vardag.invoices.process.obstacles import packaged, read_obstacles
from vardag.invoices.process.policy import load_readiness
from vardag.invoices.process.readiness import CRITERIA, Kind, State, judge
from vardag.invoices.process.readiness_page import page

PACKAGED = load_readiness()


def verdict(**changed: Any) -> Kind:
    return judge(ready(**changed), PACKAGED).kind


def test_a_ready_routine_is_automated() -> None:
    found = judge(READY, PACKAGED)
    assert found.kind is Kind.AUTOMATE
    assert {one.state for one in found.criteria} == {State.MET}
    assert len(found.criteria) == 8


@pytest.mark.parametrize(
    ("changed", "kind", "name", "state"),
    [
        ({"volume": Volume(5, 300, 300, 1800)}, Kind.LEAVE, "worth", State.FAILS),
        ({"decided": Decided(2, 2, 196)}, Kind.LEAVE, "clear_at_all", State.FAILS),
        ({"decided": Decided(40, 20, 140)}, Kind.MEND, "clear", State.FAILS),
        ({"blocking": 1}, Kind.MEND, "blocking", State.FAILS),
        ({"errors_today": 0.2}, Kind.MEND, "errors_today", State.FAILS),
        ({"usual": Share(500, 1400)}, Kind.MEND, "usual", State.FAILS),
        ({"drift": Drift(0.4, (0.03, 0.01, 0.05))}, Kind.MEND, "drift", State.FAILS),
        ({"faults": Share(40, 200)}, Kind.MEND, "faults", State.FAILS),
        ({"decided": Decided(22, 1, 19)}, Kind.UNKNOWN, "clear", State.OPEN),
        ({"usual": Share(21, 35)}, Kind.UNKNOWN, "usual", State.OPEN),
        ({"faults": Share(3, 40)}, Kind.UNKNOWN, "faults", State.OPEN),
        ({"missing": {"no_log": {}}}, Kind.UNKNOWN, "worth", State.MET),
    ],
)
def test_each_rule_decides(changed: dict[str, Any], kind: Kind, name: str, state: State) -> None:
    found = judge(ready(**changed), PACKAGED)
    assert found.kind is kind
    assert {one.name: one.state for one in found.criteria}[name] is state


def test_people_go_before_mending_and_mending_before_doubt() -> None:
    assert verdict(blocking=1, volume=Volume(5, 300, 300, 1800)) is Kind.LEAVE
    assert verdict(blocking=1, usual=Share(21, 35)) is Kind.MEND


def test_an_unknown_error_rate_decides_nothing() -> None:
    found = judge(ready(errors_today=None), PACKAGED)
    assert found.kind is Kind.AUTOMATE
    assert "errors_today" not in {one.name for one in found.criteria}


def test_without_numbers_there_is_no_verdict_and_no_year() -> None:
    nothing = ready(volume=None, usual=None, drift=None, decided=None, faults=None, missing={"no_decisions": {}})
    found = judge(nothing, PACKAGED)
    assert (found.kind, found.economy) == (Kind.UNKNOWN, None)
    assert flips(nothing, PACKAGED) == []


def test_every_flip_is_one_and_just_before_it_is_none() -> None:
    found = flips(READY, PACKAGED)
    assert {flip.name for flip in found} >= {"volume", "minutes", "clear", "usual", "drift", "blocking"}
    knobs = {knob.name: knob for knob in KNOBS}
    for flip in found:
        knob = knobs[flip.name]
        assert judge(knob.put(READY, flip.at), PACKAGED).kind is flip.becomes
        now = flip.now or 0.0
        nearer = now + (flip.at - now) * (0.0 if knob.scale == "count" else 0.9)
        assert judge(knob.put(READY, nearer), PACKAGED).kind is not flip.becomes, flip
    ways = [(flip.at < (flip.now or 0), flip.becomes) for flip in found if flip.name == "volume"]
    assert ways == [(True, Kind.UNKNOWN), (True, Kind.LEAVE)], "what is worse comes in order"


def test_flips_follow_the_limits() -> None:
    """They are asked of the rules, so another limit gives another value."""
    stricter = replace_parameter("least_usual_share", 0.8)
    before, after = (
        next(flip.at for flip in flips(READY, parameters) if flip.name == "usual")
        for parameters in (PACKAGED, stricter)
    )
    assert 0.6 < before < 0.65, "the nearest is where the lower end of the interval meets the limit"
    assert 0.8 < after < 0.85


def replace_parameter(name: str, value: object) -> Parameters:
    entry = Parameter(value, "x", date(2026, 11, 26), "test")
    return Parameters(PACKAGED.path, PACKAGED.entries | {name: entry})


def test_a_mended_routine_shows_what_mends_it() -> None:
    found = {(flip.name, flip.at, flip.becomes) for flip in flips(ready(blocking=2), PACKAGED)}
    assert ("blocking", 0.0, Kind.AUTOMATE) in found


def test_the_year_adds_up() -> None:
    """250 a month, of which 60 % save 12 minutes, 20 % six and 20 % one, nearly none lost."""
    found = judge(READY, PACKAGED).economy
    assert found is not None
    assert found.hours_saved.value == pytest.approx(250 * 12 * 8.6 / 60, rel=0.04)
    assert found.run_hours == 48
    assert found.net_sek.value == pytest.approx((found.hours_saved.value - 48) * 375 - 12_000, rel=0.02)
    assert found.left_sek.value == pytest.approx(3 * found.net_sek.value - 60_000, rel=0.05)
    median = found.payback_years[1]
    assert median == pytest.approx(60_000 / found.net_sek.value, rel=0.1)
    assert found == judge(READY, PACKAGED).economy, "the seed is stated"


def test_what_never_pays_back_says_never() -> None:
    found = judge(ready(volume=Volume(5, 300, 300, 1800)), PACKAGED).economy
    assert found is not None and found.payback_years == (None, None, None)


def test_the_usual_ways_and_how_they_change() -> None:
    steady = log_of([("abc", 40), ("abd", 40)])
    assert usual_ways(steady.events, variants(steady.events), ways=1) == Share(40, 80)
    one_step = log_of([("a", 40)])
    assert usual_ways(one_step.events, variants(one_step.events), ways=1) is None
    rows = [
        event(
            f"{number:03}",
            step,
            (datetime(2026, 3, 2, tzinfo=UTC) + timedelta(hours=number, minutes=at)).isoformat(),
        )
        for number in range(60)
        for at, step in enumerate("abc" if number < 30 else "abd")
    ]
    log = tidied(rows)
    changed = drift(log.events, variants(log.events), ways=2, draws=200, seed=1)
    assert changed is not None and changed.observed == 1.0 and changed.estimate().low > 0.7


def test_the_volume_is_of_the_days_that_the_cases_began_within() -> None:
    starts = [datetime(2026, 3, 2, tzinfo=UTC) + timedelta(days=day) for day in range(70)]
    found = volume(starts)
    assert found is not None
    assert (found.per_month, found.cases, found.days) == (pytest.approx(30.4375), 70, 70)
    assert found.weight == 70, "weeks more even than chance do not make it surer"
    uneven = volume(starts[:7] * 10 + starts)
    assert uneven is not None and uneven.weight < uneven.cases / 5
    assert volume(starts[:1]) is None and volume([]) is None


def test_minutes_by_the_clock_need_every_start() -> None:
    whole = [
        event(
            str(case),
            step,
            f"2026-03-{case + 1:02}T09:{5 * at + 4:02}:00+01:00",
            start=f"2026-03-{case + 1:02}T09:{5 * at:02}:00+01:00",
        )
        for case in range(20)
        for at, step in enumerate("ab")
    ]
    found = clocked(tidied(whole).events, few=10, confidence=0.9)
    assert found is not None and found.median.value == 8.0
    assert clocked(tidied(whole).events, few=30, confidence=0.9) is None
    assert (
        clocked(tidied([*whole, event("x", "a", "2026-04-02T09:00:00+01:00")]).events, few=10, confidence=0.9)
        is None
    )


def test_measured_minutes_go_before_the_clock_and_both_before_assumptions(tmp_path: Path) -> None:
    from readiness_numbers import log_file  # noqa: PLC0415
    from vardag.invoices.commands.discover import discover  # noqa: PLC0415
    from vardag.invoices.commands.evidence import see, with_stopwatch  # noqa: PLC0415
    from vardag.invoices.hours import evidence  # noqa: PLC0415

    seen = see(discover(log_file(tmp_path / "log.csv"), language="en"), PACKAGED)
    decided = Decided(20, 10, 10)
    assert minutes_of(read_minutes(), decided, None, PACKAGED).origin == "assumed"
    clock = minutes_of(read_minutes(), decided, seen, PACKAGED)
    assert clock.origin == "clock" and clock.baseline(decided).value == pytest.approx(9.0)
    own = tmp_path / "minutes.yaml"
    line = "{}_baseline: {{value: 10, unit: min, date: 2026-11-26, source: measured week 47}}\n"
    own.write_text("".join(line.format(name) for name in ("cancelled_alone", "rejected_alone", "by_hand")))
    measured = minutes_of(read_minutes(own), decided, seen, PACKAGED)
    assert measured.origin == "measured" and measured.baseline(decided).value == 10
    lines = [
        f"{kind},{9 + place % 3},2026-11-03,"
        for kind in ("cancelled", "rejected", "unclear")
        for place in range(21)
    ]
    (tmp_path / "timings.csv").write_text("kind,minutes,date,role\n" + "\n".join(lines) + "\n")
    own.unlink()
    watched = minutes_of(with_stopwatch(evidence(tmp_path)), decided, seen, PACKAGED)
    assert watched.origin == "measured" and watched.baseline(decided).value == pytest.approx(10)
    assert watched.dead.residual == watched.dead.baseline + 15


def entry(seq: int, item: int, name: str, **body: Any) -> Entry:
    return Entry(seq, f"2026-03-{seq:02}T08:00:00+00:00", item, name, body, "", "")


def test_only_what_the_newest_rules_settled_by_themselves_counts() -> None:
    plain = {"code": "posted", "action": "cancel", "rules": "new"}
    found = work_of(
        [
            entry(1, 1, "received"),
            entry(2, 1, "decided", **plain | {"rules": "old"}),
            entry(3, 2, "received"),
            entry(4, 2, "decided", **plain),
            entry(5, 3, "decided", **plain | {"action": "refer", "code": "unclear"}),
            entry(6, 3, "decided", **plain, approved_by=1),
            entry(7, 4, "received"),
            entry(8, 4, "decided", **plain | {"action": "refer"}),
            entry(9, 4, "settled", code="ignored"),
            entry(10, 5, "fault", state="dead"),
            entry(11, 6, "received", routine="reference"),
            entry(12, 6, "decided", **plain | {"rules": "of another routine"}),
        ]
    )
    assert (found.decided, found.rules, found.older) == (Decided(1, 0, 1), "new", 1)
    assert found.faults == Share(1, 4) and len(found.came) == 2
    assert found.codes == {"posted": 1, "unclear": 1}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (
            "hourly_costs: {value: 1, unit: x, date: 2026-11-26, source: x}",
            r"unknown hourly_costs\. Known: hourly_cost",
        ),
        (
            "hourly_cost: {value: -1, unit: x, date: 2026-11-26, source: x}",
            r"hourly_cost is -1, expected a number of 0",
        ),
        ("hourly_cost: {value: .nan, unit: x, date: 2026-11-26, source: x}", r"expected a number of 0 or more"),
        ("hourly_cost: {value: null, unit: x, date: 2026-11-26, source: x}", r"is None, expected a number"),
        (
            "most_faults: {value: 10, unit: x, date: 2026-11-26, source: x}",
            r"is 10, expected a share between 0 and 1",
        ),
        ("draws: {value: 3, unit: x, date: 2026-11-26, source: x}", r"a whole number of 100 or more"),
        ("confidence: {value: 1, unit: x, date: 2026-11-26, source: x}", r"a share of 0\.5 or more, below 1"),
        ("hourly_cost: {value: 1, unit: x, date: then, source: x}", r"needs a date such as"),
        ("hourly_cost: {value: 1, unit: x, date: 2026-11-26, source: ''}", r"needs a date such as .* and a source"),
        ("hourly_cost: 375", r"cannot be read|expected"),
        ("- a list", r"cannot be read as parameters"),
    ],
)
def test_a_number_of_the_citys_that_cannot_be_is_refused(tmp_path: Path, line: str, says: str) -> None:
    (tmp_path / "readiness.yaml").write_text(line + "\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=says):
        load_readiness(tmp_path / "readiness.yaml")


def test_the_citys_own_numbers_go_before_the_packaged_ones(tmp_path: Path) -> None:
    own = tmp_path / "readiness.yaml"
    own.write_text("error_rate_today: {value: 0.04, unit: share, date: 2026-11-26, source: sample of 100}\n")
    assert load_readiness(own).value("error_rate_today") == 0.04
    own.write_text("{}\n")
    assert load_readiness(own).value("error_rate_today") is None


def test_more_assumptions_make_the_interval_wider() -> None:
    sure = ready(costs=replace(READY.costs, assumed=frozenset()))
    wide = ready(
        minutes=replace(MINUTES, low=0.5, high=1.5), costs=replace(READY.costs, assumed=frozenset({"hourly_cost"}))
    )
    spans = []
    for numbers in (sure, wide):
        found = judge(numbers, PACKAGED).economy
        assert found is not None
        spans.append(found.net_sek.high - found.net_sek.low)
    assert spans[1] > 2 * spans[0]


EVERY_MISSING: dict[str, dict[str, object]] = {
    "no_log": {},
    "single_case": {},
    "few_cases": {"cases": 3, "few": 30},
    "short": {"days": 3, "few": 28},
    "one_step": {},
    "doubtful": {"share": 0.25, "most": 0.1},
    "no_decisions": {},
    "few_decisions": {"decisions": 3, "few": 40},
    "no_register": {},
}


def assessed(**changed: Any) -> Assessment:
    numbers = ready(**changed)
    behind = Behind("log", 5, 0.125, {"posted": 3}, "2026.1-a", 2, ("<b>of the log</b>",), "log.csv", "0" * 64)
    register = read_obstacles(packaged(), today=date(2026, 12, 1), language="en")
    return Assessment(judge(numbers, PACKAGED), numbers, flips(numbers, PACKAGED), register, PACKAGED, behind)


@pytest.mark.parametrize("language", ["en", "sv"])
@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"blocking": 8, "errors_today": 0.5, "usual": Share(1, 1400), "drift": Drift(0.9, (0.03, 0.01, 0.05))},
        {"volume": Volume(5, 300, 300, 1800), "decided": Decided(0, 0, 200), "faults": Share(190, 200)},
        {"decided": Decided(22, 1, 19), "usual": Share(21, 35), "faults": Share(3, 40)},
        {"missing": EVERY_MISSING, "volume": None, "usual": None, "drift": None, "decided": None, "faults": None},
    ],
)
def test_every_verdict_has_its_page_in_both_languages(changed: dict[str, Any], language: str) -> None:
    found = assessed(**changed)
    text = page(found, language, version="1", now=datetime(2026, 11, 26, tzinfo=UTC))
    assert f'lang="{language}"' in text and assessment.headline(found, language)[0] in text
    assert "&lt;b&gt;of the log&lt;/b&gt;" in text and "<b>" not in text
    assert "{" not in re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL), "a field was left unfilled"
    assert len(assessment.reasons(found, language)) == len(set(assessment.reasons(found, language)))
    assert bool(assessment.reasons(found, language)) is (found.verdict.kind is not Kind.AUTOMATE)


def test_every_criterion_and_number_has_its_texts() -> None:
    wanted = {f"{of}_{name}" for name in CRITERIA for of in ("criterion", "fails", "open")}
    wanted |= {f"number_{knob.name}" for knob in KNOBS} | {f"missing_{why}" for why in EVERY_MISSING}
    assert wanted <= set(assessment.TEXTS.entries)
    assert assessment.TEXTS.incomplete() == []


def test_a_value_that_flips_is_told_with_all_its_digits() -> None:
    told = assessment.told_exactly
    assert (told("usual", 0.5775, "sv"), told("worth", 160_000, "en")) == ("57,75 %", "160,000 SEK")
    assert told("volume", 3.9, "en") == "3.9"
