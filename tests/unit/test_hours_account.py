"""The account by hand: small logs whose hours can be reckoned on paper."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from account_logs import Log
from vardag.core.errors import ConfigError
from vardag.core.parameters import Parameter, Parameters
from vardag.invoices import hours
from vardag.invoices.hours import TEXTS, Account, Evidence, account, limits
from vardag.invoices.hours.estimates import Source, mean, share
from vardag.invoices.hours.freed import Freed
from vardag.invoices.hours.timings import KINDS, Timing

PACKAGED = hours.minutes()
BEFORE = date(2026, 8, 3)


def evidence(timings: Iterable[Timing] = (), freed: Iterable[Freed] = (), **numbers: float | None) -> Evidence:
    """The packaged parameters, some of them as this city states them."""
    stated = {name: Parameter(value, "", BEFORE, "measured here") for name, value in numbers.items()}
    return Evidence(Parameters(PACKAGED.path, PACKAGED.entries | stated), tuple(timings), tuple(freed))


def timed(kind: str, *minutes: float, day: date = BEFORE) -> list[Timing]:
    return [Timing(kind, one, day) for one in minutes]


def made(log: Log, known: Evidence | None = None, **more: object) -> Account:
    return account(log.entries, known or evidence(), **more)  # type: ignore[arg-type]


def lines(found: Account) -> dict[str, tuple[int, float, float]]:
    return {one.outcome: (one.items, one.baseline.value, one.residual.value) for one in found.lines if one.items}


def said(found: Account, known: Evidence, key: str) -> bool:
    """Whether a limit is told, whatever its figures."""
    begin = TEXTS.entries[key]["en"].split("{")[0] or TEXTS.entries[key]["en"].split("}")[-1]
    return any(begin in one for one in limits(found, known, "en"))


def test_an_empty_log_saves_nothing_and_says_so() -> None:
    found = made(Log())
    assert (found.items, found.saved_hours, found.months, found.first) == (0, 0.0, (), None)
    assert limits(found, evidence(), "en") == [TEXTS("limit_nothing", "en")]


def test_the_stopwatch_goes_before_the_assumption_when_there_is_enough_of_it() -> None:
    log = Log().cancelled(1).cancelled(2)
    few = evidence(timed("cancelled", *[9.0] * 19))
    assert lines(made(log, few)) == {"cancelled_alone": (2, 12.0, 0.0)}
    assert said(made(log, few), few, "limit_few")
    enough = evidence(timed("cancelled", *[8.0, 10.0] * 10))
    found = made(log, enough)
    assert lines(found) == {"cancelled_alone": (2, 9.0, 0.0)}
    (line,) = [one for one in found.lines if one.items]
    assert (line.baseline.source, line.baseline.observations) == (Source.MEASURED, 20)
    assert line.interval is not None
    assert line.interval[0] < 18 / 60 < line.interval[1]
    assert found.measured
    assert said(found, enough, "limit_selection")


def test_an_assumption_has_no_interval_and_is_told_apart() -> None:
    known = evidence(timed("cancelled", *range(5, 30)))
    found = made(Log().cancelled(1).robot("settled", 2, state="failed_business"), known)
    total = found.total
    assert (total.assumed_saved, found.assumed_outcomes) == (pytest.approx(0.1), ("rejected_alone",))
    assert total.known_hours == pytest.approx(17 / 60)
    assert total.interval is not None
    assert said(found, known, "limit_assumed_outcomes")
    assert made(Log().cancelled(1)).total.interval is None


def test_the_desk_measures_what_people_still_need() -> None:
    log = Log()
    for item in range(1, 23):
        log.waits(item).later(90).approved(item, minutes=2 if item % 2 else 6)
    log.waits(99).approved(99, minutes=45)
    found = made(log)
    assert lines(found) == {"cancelled_with_person": (23, 12.0, 4.0)}
    (line,) = [one for one in found.lines if one.items]
    assert (line.residual.source, line.residual.observations) == (Source.MEASURED, 22)
    assert (found.decided, found.unknown) == (23, 1)
    assert said(found, evidence(), "limit_unknown")


def test_two_persons_at_one_item_both_count() -> None:
    log = Log()
    for item in range(1, 21):
        log.waits(item).approved(item, minutes=3, by="anna").waits(item).approved(item, minutes=4, by="bo")
    assert lines(made(log)) == {"cancelled_with_person": (20, 12.0, 7.0)}


def test_failures_objections_and_looks_count_against() -> None:
    log = Log().cancelled(1).person("opened", 1).later(6).person("objected", 1)
    log.robot("fault", 2, state="dead").person("retried", 2).cancelled(2)
    found = made(log)
    against = {one.what: (one.count, one.minutes) for one in found.total.against}
    assert against == {"failures": (1, 15.0), "objections": (1, 30.0), "looks": (1, 6.0)}
    assert found.saved_hours == pytest.approx((12 + 12 - 15 - 30 - 6) / 60)
    assert (found.total.worth.wrong.part, found.total.worth.wrong.whole) == (1, 2)
    assert said(found, evidence(), "limit_objections")


def test_what_waits_saves_nothing_yet() -> None:
    found = made(Log().waits(1))
    assert (found.items, found.saved_hours) == (1, 0.0)
    assert said(found, evidence(), "limit_waiting")


def test_an_item_counts_in_the_month_it_was_last_settled() -> None:
    log = Log().waits(1)
    assert [(one.month, one.items) for one in made(log).months] == [("2026-09", 1)]
    log.later(60 * 24 * 61).closed(1, minutes=5)
    assert [(one.month, one.items) for one in made(log).months] == [("2026-11", 1)]


def test_a_month_begins_at_midnight_in_the_citys_zone() -> None:
    log = Log().later(14 * 60 + 24 * 29 * 60)  # 30 September 22:00 UTC, the first of October in Stockholm
    assert [one.month for one in made(log.cancelled(1)).months] == ["2026-10"]


def test_money_answer_times_and_amounts() -> None:
    known = evidence(cost_per_hour=300, robot_cost_per_month=20, answer_hours_before=72)
    log = Log().cancelled(1).later(60 * 24 * 31).cancelled(2)
    found = made(log, known, amounts={1: Decimal("1250.50")})
    worth = found.total.worth
    assert (worth.value_sek, worth.robot_sek, worth.net_sek) == (pytest.approx(120), 40, pytest.approx(80))
    assert (worth.amount, worth.without_amount) == (Decimal("1250.50"), 1)
    assert (worth.ended.n, worth.ended.median, worth.ended.p90) == (2, pytest.approx(2 / 60), None)
    assert said(found, known, "limit_amount")
    assert not said(found, known, "limit_robot_cost")
    assert not said(found, known, "limit_before")


def test_freed_time_is_set_beside_what_was_saved() -> None:
    log = Log()
    for item in range(1, 11):
        log.cancelled(item)  # two hours
    less = evidence(freed=[Freed("2026-09", 0.5, "calls", "head")])
    assert made(log, less).total.worth.unexplained_hours == pytest.approx(1.5)
    assert said(made(log, less), less, "limit_freed_less")
    more = evidence(freed=[Freed("2026-09", 1.5, "calls", "head"), Freed("2026-11", 2, "letters", "head")])
    found = made(log, more)
    assert [(one.month, one.worth.freed_hours) for one in found.months] == [
        ("2026-09", 1.5),
        ("2026-10", 0),
        ("2026-11", 2.0),
    ]
    assert found.total.worth.unexplained_hours == pytest.approx(-1.5)
    assert said(found, more, "limit_freed_more")
    assert said(made(log), evidence(), "limit_freed_none")


def test_observations_after_the_robot_began_are_told() -> None:
    known = evidence(timed("cancelled", 9, day=date(2026, 9, 2)))
    assert made(Log().cancelled(1), known).late == 1
    assert said(made(Log().cancelled(1), known), known, "limit_late")


def test_several_routines_in_one_account_are_told() -> None:
    log, both = Log().cancelled(1).cancelled(2), {1: "cancellation", 2: "reference", 3: "unused"}
    found = made(log, routines=both)
    assert found.routines == ("cancellation", "reference")
    assert said(found, evidence(), "limit_routines")
    assert not said(made(log, routines={1: "cancellation"}), evidence(), "limit_routines")


def test_the_seed_decides_the_interval_and_nothing_else() -> None:
    log, known = Log().cancelled(1), evidence(timed("cancelled", *range(3, 40)))
    one, same, other = (made(log, known, seed=seed) for seed in (1, 1, 2))
    assert one == same
    assert one.saved_hours == other.saved_hours
    assert one.total.interval != other.total.interval


def test_an_interval_holds_the_mean_about_as_often_as_it_says() -> None:
    """Twenty skewed observations, the fewest that are used: the interval is somewhat narrow, and known to be."""
    import numpy as np  # noqa: PLC0415

    truth, held = float(np.exp(2.4 + 0.5**2 / 2)), 0
    for seed in range(1000):
        values = np.random.default_rng((77, seed)).lognormal(2.4, 0.5, 20)
        found = mean(list(values), seed=(seed,), replicates=1000, confidence=0.95).estimate
        assert found.interval is not None
        held += found.interval[0] <= truth <= found.interval[1]
    assert round(held / 1000, 2) == 0.92  # as docs/explanation/hours-saved.md says


def test_no_objection_is_not_no_error() -> None:
    """Rule of three: nought of a hundred leaves room for some three per cent; Hanley and Lippman-Hand 1983."""
    found = share(0, 100, confidence=0.95)
    assert found.interval == (0.0, pytest.approx(0.0362, abs=1e-4))
    assert share(0, 0, confidence=0.95).value is None


def test_every_outcome_has_a_kind_minutes_and_words() -> None:
    saving = {outcome for outcomes in KINDS.values() for outcome in outcomes}
    assert saving == set(hours.OUTCOMES) - {"waiting", "dead"}
    assert {f"{name}_{what}" for name in saving for what in ("baseline", "residual")} <= PACKAGED.entries.keys()
    assert all(TEXTS.has(f"outcome_{name}") for name in hours.OUTCOMES)
    assert TEXTS.incomplete() == []


def test_a_number_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "minutes.yaml").write_text(
        'cost_per_hour: {value: "340", unit: SEK/h, date: 2026-11-26, source: "us"}'
    )
    with pytest.raises(ConfigError, match=r"cost_per_hour has the value '340', expected a number"):
        hours.evidence(tmp_path)


def test_a_city_states_its_own_minutes() -> None:
    found = made(Log().cancelled(1), evidence(cancelled_alone_baseline=9.5))
    (line,) = [one for one in found.lines if one.items]
    assert (line.saved_hours, line.source, line.interval) == (pytest.approx(9.5 / 60), Source.STATED, None)
    swedish = replace(PACKAGED["cancelled_alone_baseline"], source="antagande")
    guessed = Evidence(Parameters(PACKAGED.path, PACKAGED.entries | {"cancelled_alone_baseline": swedish}))
    assert not made(Log().cancelled(1), guessed).measured
