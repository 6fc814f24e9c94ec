"""What became of each item: the last settlement counts, shadow does not, and failures are remembered."""

import pytest

from account_logs import Log
from vardag.invoices.hours.history import Handled, histories


def the_only(log: Log) -> Handled:
    found, _ = histories(log.entries)
    (one,) = found.values()
    return one


def test_what_the_robot_ends_alone_and_after_a_person() -> None:
    assert the_only(Log().cancelled(1)).outcome == "cancelled_alone"
    assert the_only(Log().waits(1).approved(1, minutes=3)).outcome == "cancelled_with_person"
    rejected = Log().robot("received", 1).robot("settled", 1, state="failed_business", code="paid")
    assert the_only(rejected).outcome == "rejected_alone"
    assert the_only(Log().robot("settled", 1, state="done", code="ignored")).outcome == "ignored"
    assert the_only(Log().robot("settled", 1, state="done", code="filed")).outcome == "ignored"
    other = Log().robot("decided", 1, action="change").robot("settled", 1, state="done", code="changed")
    assert the_only(other).outcome == "done_alone"


def test_what_waits_is_open_until_it_is_ended_and_then_moves() -> None:
    log = Log().waits(1)
    assert the_only(log).outcome == "waiting"
    log.later(60 * 24 * 40).closed(1, minutes=4)
    assert (the_only(log).outcome, the_only(log).at) == ("by_hand", log.now)


def test_shadow_counts_not_and_what_people_then_do_by_hand_neither() -> None:
    log = Log().cancelled(1, mode="shadow").closed(1, minutes=4)
    assert histories(log.entries) == ({}, 1)
    levelled = Log().robot("decided", 1, level="shadow").waits(1).closed(1, minutes=4)
    assert histories(levelled.entries) == ({}, 1)
    assert the_only(levelled.robot("decided", 1, level="unattended").cancelled(1)).outcome == "cancelled_alone"
    dead = Log().robot("fault", 1, state="dead", mode="shadow")
    assert histories(dead.entries) == ({}, 1)


def test_a_failure_stays_counted_when_the_item_then_succeeds() -> None:
    log = Log().robot("received", 1).robot("fault", 1, state="failed_application").robot("fault", 1, state="dead")
    assert (the_only(log).outcome, the_only(log).failures) == ("dead", 1)
    log.person("retried", 1).cancelled(1)
    assert (the_only(log).outcome, the_only(log).failures) == ("cancelled_alone", 1)


def test_a_retry_before_the_last_try_is_a_failure_that_needed_a_person() -> None:
    log = Log().robot("fault", 1, state="failed_application").person("retried", 1).cancelled(1)
    assert the_only(log).failures == 1


def test_a_dead_letter_that_is_done_by_hand_had_no_help_of_the_robot() -> None:
    assert the_only(Log().robot("fault", 1, state="dead").closed(1, minutes=9)).outcome == "dead"


def test_what_a_person_did_is_by_hand_also_when_the_robot_goes_on_with_the_map() -> None:
    log = Log().waits(1).person("closed by hand", 1, state="new").robot("settled", 1, state="done")
    assert the_only(log).outcome == "by_hand"


@pytest.mark.parametrize("times", [1, 3])
def test_an_objection_counts_once(times: int) -> None:
    log = Log().cancelled(1)
    for _ in range(times):
        log.person("objected", 1)
    assert the_only(log).objected
    assert not the_only(Log().cancelled(2)).objected
