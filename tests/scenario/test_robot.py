"""Stories of the robot, from the mail to the journal entry: modes, people, brakes, and things that come twice."""

import time
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from offices import ANNA, DOMAIN, invoice, mail, office
from vardag.core.errors import RefusedError
from vardag.invoices import brakes, hours, store
from vardag.invoices.brakes import Limits
from vardag.invoices.commands import look
from vardag.invoices.ledger.port import LedgerRefusedError
from vardag.invoices.mailbox.port import Folder, Waiting
from vardag.invoices.model import ApplicationError, InvoiceState, MailRead, Money
from vardag.invoices.robot import Mode, people, run_once
from vardag.invoices.workitems import Retries, State

ASKED = "Hej! Makulera faktura 1234567. Fel mottagare.\nAnna"
AT_ONCE = Retries(tries=3, first_s=0.0)


def test_a_posted_invoice_is_credited_answered_and_noted(tmp_path: Path) -> None:
    found = office(tmp_path, [invoice("1234567")], [mail(ASKED)])
    found.work()
    (note,) = found.ledger.notes
    assert (note.invoice, note.total) == ("1234567", Money(Decimal(-1250)))
    assert note.key.startswith("vardag-")
    (answer,) = found.answers
    assert "1234567" in answer
    assert note.number in answer
    assert found.item.state is State.DONE
    assert len(found.mailbox.folders[Folder.DONE]) == 1
    assert len(found.mailbox.folders[Folder.SENT]) == 1
    assert not found.mailbox.inbox
    assert found.events(1) == [
        "received",
        "reserved",
        "decided",
        "intends to cancel",
        "cancelled",
        "intends to answer",
        "answered",
        "settled",
    ]


def test_a_draft_is_voided(tmp_path: Path) -> None:
    found = office(tmp_path, [invoice("1234567", state=InvoiceState.DRAFT)], [mail(ASKED)])
    found.work()
    assert found.ledger.find("1234567")[0].state is InvoiceState.VOID
    assert not found.ledger.notes


def test_running_again_changes_nothing(tmp_path: Path) -> None:
    found = office(tmp_path, [invoice("1234567")], [mail(ASKED)])
    found.work()
    before = (len(found.log), len(found.answers), len(found.ledger.notes))
    found.work()
    found.work()
    assert (len(found.log), len(found.answers), len(found.ledger.notes)) == before


def test_several_invoices_in_one_mail_are_several_items(tmp_path: Path) -> None:
    text = "Hej! Makulera faktura 1234567 och faktura 1234568, båda gick till fel mottagare."
    found = office(tmp_path, [invoice("1234567"), invoice("1234568")], [mail(text)])
    found.work()
    assert [item.target for item in found.items] == ["1234567", "1234568"]
    assert {note.invoice for note in found.ledger.notes} == {"1234567", "1234568"}
    assert len({message["Message-ID"] for message in found.mailbox.sent}) == 2


def test_in_shadow_nothing_is_written_and_the_decision_is_kept(tmp_path: Path) -> None:
    found = office(tmp_path, [invoice("1234567")], [mail(ASKED)], mode=Mode.SHADOW)
    found.work()
    found.work()
    assert not found.ledger.notes
    assert not found.mailbox.sent
    assert len(found.mailbox.inbox) == 1
    assert found.item.state is State.WAITING
    (decided,) = [entry for entry in found.log if entry.event == "decided"]
    assert (decided.body["action"], decided.body["mode"]) == ("cancel", "shadow")


def test_attended_waits_for_a_person_who_confirms(tmp_path: Path) -> None:
    found = office(tmp_path, [invoice("1234567")], [mail(ASKED)], mode=Mode.ATTENDED)
    found.work()
    assert (found.item.state, len(found.ledger.notes)) == (State.WAITING, 0)
    people.approve(found.robot.store, 1, by="bo", reason="stämmer")
    found.work()
    assert (found.item.state, len(found.ledger.notes)) == (State.DONE, 1)
    (approved,) = [entry for entry in found.log if entry.event == "approved"]
    assert (approved.body["actor"], approved.body["reason"]) == ("bo", "stämmer")
    assert len(found.mailbox.folders[Folder.DONE]) == 1


def test_four_eyes_need_two_persons_who_do_not_ask_themselves(tmp_path: Path) -> None:
    found = office(tmp_path, [invoice("1234567", total=Money(Decimal(50_000)))], [mail(ASKED)])
    found.work()
    for person, credited in ((ANNA, 0), ("bo", 0), ("bo", 0), ("cecilia", 1)):
        people.approve(found.robot.store, 1, by=person, reason="ja")
        found.work()
        assert len(found.ledger.notes) == credited, person
    assert len(found.answers) == 2  # that a person looks, and what was done


def test_a_person_ends_an_item_by_hand(tmp_path: Path) -> None:
    found = office(tmp_path, [invoice("1234567", paid=Decimal(10))], [mail(ASKED)])
    found.work()
    people.close(found.robot.store, 1, by="bo", reason="återbetalad", done=True)
    found.work()
    assert found.item.state is State.DONE
    with pytest.raises(RefusedError, match="waits for nobody"):
        people.approve(found.robot.store, 1, by="bo", reason="igen")


def test_the_same_mail_twice_is_one_item(tmp_path: Path) -> None:
    found = office(tmp_path, [invoice("1234567")], [mail(ASKED), mail(ASKED)])
    found.work()
    assert (len(found.items), len(found.ledger.notes), len(found.answers)) == (1, 1, 1)
    assert "came again" in [entry.event for entry in found.log]


def test_another_text_under_the_same_id_is_another_mail(tmp_path: Path) -> None:
    """Whoever copies a Message-ID cannot make a request disappear."""
    other = mail("Hej! Makulera faktura 1234568. Fel mottagare.")
    found = office(tmp_path, [invoice("1234567"), invoice("1234568")], [mail(ASKED), other])
    found.work()
    assert len(found.items) == 2


def test_a_second_request_for_the_same_invoice_is_told_that_it_is_done(tmp_path: Path) -> None:
    found = office(tmp_path, [invoice("1234567")], [mail(ASKED), mail(ASKED, number=2)])
    found.work()
    assert len(found.ledger.notes) == 1
    assert [item.state for item in found.items] == [State.DONE, State.FAILED_BUSINESS]
    assert len(found.answers) == 2


def test_an_unproven_sender_gets_no_answer(tmp_path: Path) -> None:
    forged = mail(ASKED, Authentication_Results=f"mx.{DOMAIN}; dmarc=fail header.from={DOMAIN}")
    found = office(tmp_path, [invoice("1234567")], [forged])
    found.work()
    assert (found.item.state, found.answers, found.ledger.notes) == (State.WAITING, [], [])
    assert len(found.mailbox.folders[Folder.REFERRED]) == 1


def test_pause_stops_at_once_and_resume_goes_on(tmp_path: Path) -> None:
    found = office(tmp_path, [invoice("1234567")], [mail(ASKED)])
    people.pause(found.robot.store, by="bo", why="nya regler")
    assert "paused by bo: nya regler" in run_once(found.robot).held_back
    assert (found.item.state, found.ledger.notes) == (State.NEW, [])
    people.resume(found.robot.store, by="bo")
    found.work()
    assert found.item.state is State.DONE


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        (Limits(per_hour=2), "would make 3 within the hour; the limit is 2"),
        (Limits(per_day=2), "would make 3 within the day; the limit is 2"),
        (Limits(amount_per_hour=Decimal(3000)), "would make 3750.00 within the hour; the limit is 3000"),
        (Limits(amount_per_day=Decimal(3000)), "would make 3750.00 within the day; the limit is 3000"),
    ],
)
def test_limits_hold_the_robot_back_and_lose_nothing(tmp_path: Path, limits: Limits, says: str) -> None:
    numbers = [str(1234560 + place) for place in range(4)]
    mails = [mail(f"Makulera faktura {one}. Fel mottagare.", number=place) for place, one in enumerate(numbers)]
    found = office(tmp_path, map(invoice, numbers), mails, limits=limits)
    assert says in run_once(found.robot).held_back
    assert len(found.ledger.notes) == 2
    assert [item.state for item in found.items] == [State.DONE, State.DONE, State.NEW, State.NEW]
    assert found.items[2].tries == 0
    found.work(limits=Limits())
    assert len(found.ledger.notes) == 2  # not looked at again before ten minutes have passed
    with found.robot.store.begin() as tx:
        tx.execute(sa.update(store.item).values(retry_at=None))
    found.work(limits=Limits())
    assert len(found.ledger.notes) == 4


def test_a_limit_does_not_keep_the_others_waiting(tmp_path: Path) -> None:
    mails = [mail(ASKED), mail("Makulera faktura 9999999. Fel mottagare.", number=2)]
    found = office(tmp_path, [invoice("1234567")], mails, limits=Limits(per_hour=0))
    assert "the limit is 0" in run_once(found.robot).held_back
    assert [item.state for item in found.items] == [State.NEW, State.FAILED_BUSINESS]


def test_attended_confirmations_are_no_exceptions(tmp_path: Path) -> None:
    numbers = [str(1234560 + place) for place in range(5)]
    mails = [mail(f"Makulera faktura {one}. Fel mottagare.", number=place) for place, one in enumerate(numbers)]
    found = office(tmp_path, map(invoice, numbers), mails, mode=Mode.ATTENDED, limits=Limits(exceptions_in_a_row=3))
    assert run_once(found.robot).held_back == ""
    assert [item.state for item in found.items] == [State.WAITING] * 5


def test_the_credit_note_says_why_and_who_confirmed(tmp_path: Path) -> None:
    found = office(tmp_path, [invoice("1234567")], [mail(ASKED)], mode=Mode.ATTENDED)
    found.work()
    people.approve(found.robot.store, 1, by="bo", reason="ja")
    said = []
    real = found.ledger.do
    found.ledger.do = lambda *a, **more: said.append(more["reason"]) or real(*a, **more)  # type: ignore[method-assign,func-returns-value]
    found.work()
    assert said == ["Makulerad av Vardag, ärende 1: fel mottagare. Bekräftad av bo."]


def test_a_refusal_of_our_own_late_call_is_no_refusal(tmp_path: Path) -> None:
    """The call had arrived after all; the system refuses the second because of the first."""
    found = office(tmp_path, [invoice("1234567")], [mail(ASKED)])
    real = found.ledger.do

    def twice(*arguments: object, **more: object) -> object:
        real(*arguments, **more)  # type: ignore[arg-type]
        raise LedgerRefusedError("1234567 is credited, not posted.")

    found.ledger.do = twice  # type: ignore[method-assign,assignment]
    found.work()
    assert (found.item.state, len(found.ledger.notes), len(found.answers)) == (State.DONE, 1, 1)


def test_a_mail_goes_where_its_items_are_when_a_person_has_ended_them(tmp_path: Path) -> None:
    found = office(tmp_path, [invoice("1234567", paid=Decimal(10))], [mail(ASKED), mail(ASKED)])
    found.work()
    assert len(found.mailbox.folders[Folder.REFERRED]) == 1
    assert not found.mailbox.inbox  # the second copy is filed too
    people.close(found.robot.store, 1, by="bo", reason="återbetalad", done=True)
    found.work()
    assert len(found.mailbox.folders[Folder.REFERRED]) == 0


def test_mails_are_deleted_when_their_time_is_out_and_the_log_holds(tmp_path: Path) -> None:
    mails = [mail(ASKED), mail("Makulera faktura 1234568. Fel mottagare.", number=2)]
    found = office(tmp_path, [invoice("1234567"), invoice("1234568", paid=Decimal(10))], mails)
    found.work()
    later = found.robot.now() + timedelta(days=1)
    assert people.delete_mails(found.robot.store, before=found.robot.now() - timedelta(days=1), by="bo") == 0
    assert people.delete_mails(found.robot.store, before=later, by="bo") == 1
    with found.robot.store.read() as tx:
        rows = tx.execute(sa.select(store.mail).order_by(store.mail.c.key)).all()
    assert [(row.raw is None, row.read is None, row.salt is None) for row in rows] == [(True,) * 3, (False,) * 3]
    assert look.show(found.robot.store, 1).raw is None
    assert look.verify(found.robot.store).holds
    found.work()
    people.approve(found.robot.store, 2, by="bo", reason="ja")  # what waits is kept, and goes on
    found.work()
    assert found.items[1].state is State.DONE


def test_exceptions_in_a_row_pause_the_robot(tmp_path: Path) -> None:
    mails = [mail(f"Makulera faktura 765432{place}. Fel mottagare.", number=place) for place in range(5)]
    found = office(tmp_path, [], mails, limits=Limits(exceptions_in_a_row=3))
    assert "3 business exceptions in a row" in run_once(found.robot).held_back
    assert [item.state for item in found.items].count(State.NEW) == 2
    with found.robot.store.read() as tx:
        assert brakes.paused(tx)


def test_a_finance_system_that_is_down_is_tried_again_and_ends_as_a_dead_letter(tmp_path: Path) -> None:
    found = office(tmp_path, [invoice("1234567")], [mail(ASKED)], retries=AT_ONCE)
    found.ledger.find = _down  # type: ignore[method-assign]
    found.work()
    assert (found.item.state, found.item.tries) == (State.DEAD, 3)
    assert len(found.mailbox.folders[Folder.FAILED]) == 1
    assert found.events(1).count("fault") == 3
    del found.ledger.find  # type: ignore[method-assign]
    people.retry(found.robot.store, 1, by="bo")
    found.work()
    assert found.item.state is State.DONE
    assert len(found.mailbox.folders[Folder.DONE]) == 1


def test_a_refusal_by_the_finance_system_goes_to_a_person(tmp_path: Path) -> None:
    found = office(tmp_path, [invoice("1234567")], [mail(ASKED)])
    found.ledger.do = _refuses  # type: ignore[method-assign]
    found.work()
    assert (found.item.state, found.item.told) == (State.WAITING, "perioden är stängd")
    assert found.events(1)[-2:] == ["ledger refused", "settled"]
    del found.ledger.do  # type: ignore[method-assign]
    people.approve(found.robot.store, 1, by="bo", reason="öppnad igen")
    found.work()
    assert len(found.ledger.notes) == 1


def test_a_fault_of_ours_stops_neither_the_robot_nor_the_other_items(tmp_path: Path) -> None:
    mails = [mail(ASKED), mail("Makulera faktura 1234568. Fel mottagare.", number=2)]
    found = office(tmp_path, [invoice("1234567"), invoice("1234568")], mails, retries=Retries(tries=1))
    real = found.ledger.find

    def broken(target: str) -> object:
        if target == "1234567":
            raise KeyError("oops")
        return real(target)

    found.ledger.find = broken  # type: ignore[method-assign,assignment]
    found.work()
    assert [item.state for item in found.items] == [State.DEAD, State.DONE]
    assert found.items[0].told == "KeyError: 'oops'"


def test_the_log_holds_no_names_and_no_mail_text(tmp_path: Path) -> None:
    found = office(tmp_path, [invoice("1234567")], [mail(ASKED)])
    found.work()
    text = "\n".join(str(entry) for entry in found.log)
    for word in ("anna", "Anna", "Eks Bygg", "556036", "Hej!", "ek@kund"):
        assert word not in text
    assert look.verify(found.robot.store).holds


def test_hours_count_each_item_once_by_its_latest_outcome(tmp_path: Path) -> None:
    mails = [
        mail(ASKED),
        mail("Makulera faktura 1234568. Fel mottagare.", number=2),
        mail("Makulera faktura 9999999. Fel mottagare.", number=3),
    ]
    found = office(tmp_path, [invoice("1234567"), invoice("1234568", total=Money(Decimal(50_000)))], mails)
    found.work()
    people.approve(found.robot.store, 2, by="bo", reason="ja")
    people_again = found.items[1]
    found.work()
    people.approve(found.robot.store, people_again.id, by="cecilia", reason="ja")
    found.work()
    account = look.report(found.robot.store, hours.evidence()).account
    assert {line.outcome: line.items for line in account.lines if line.items} == {
        "cancelled_alone": 1,
        "cancelled_with_person": 1,
        "rejected_alone": 1,
    }
    assert account.saved_hours == pytest.approx((12 + 9 + 6) / 60)
    assert not account.measured


def test_shadow_counts_no_hours(tmp_path: Path) -> None:
    found = office(tmp_path, [invoice("1234567")], [mail(ASKED)], mode=Mode.SHADOW)
    found.work()
    assert look.report(found.robot.store, hours.evidence()).account.items == 0


def test_an_answer_goes_once_even_when_the_server_takes_it_and_says_nothing(tmp_path: Path) -> None:
    found = office(tmp_path, [invoice("1234567")], [mail(ASKED)], retries=AT_ONCE)
    real = found.mailbox.send

    def takes_and_fails(message: object) -> None:
        real(message)  # type: ignore[arg-type]
        raise ApplicationError("connection lost")

    found.mailbox.send = takes_and_fails  # type: ignore[method-assign,assignment]
    found.work()
    assert (found.item.state, len(found.mailbox.sent), len(found.ledger.notes)) == (State.DONE, 1, 1)


def test_the_log_and_the_journal_must_agree(tmp_path: Path) -> None:
    found = office(tmp_path, [invoice("1234567")], [mail(ASKED)])
    found.work()
    with found.robot.store.begin() as tx:
        tx.exec_driver_sql("DELETE FROM effect")
    proof = look.verify(found.robot.store)
    assert [one.why for one in proof.broken] == ["work item 1: cancelled in one of journal and log only"]


def _down(target: str) -> list[object]:
    raise ApplicationError("no answer")


def _refuses(*_arguments: object, **_more: object) -> object:
    raise LedgerRefusedError("perioden är stängd")


def test_two_robots_on_one_invoice_credit_it_once(tmp_path: Path) -> None:
    """Two mails about one invoice, decided at the same time: the journal lets one of them act."""
    soon = Retries(tries=3, first_s=0.3)
    found = office(tmp_path, [invoice("1234567")], [mail(ASKED), mail(ASKED, number=2)], retries=soon)
    second = replace(found.robot, name="second")
    run_once(replace(found.robot, at_step=lambda step: run_once(second) and None if step == "cancel" else None))
    assert found.items[1].state is State.FAILED_APPLICATION
    assert found.items[1].told == "1234567 is being cancelled by work item 1."
    time.sleep(0.3)
    run_once(second)
    assert (len(found.ledger.notes), len(found.answers)) == (1, 2)
    assert [item.state for item in found.items] == [State.DONE, State.FAILED_BUSINESS]


def test_a_robot_that_lost_its_item_lets_go_even_of_its_faults(tmp_path: Path) -> None:
    """It was stopped in a call; another robot took over and was through when it woke up with an error."""
    found = office(tmp_path, [invoice("1234567")], [mail(ASKED)])
    second = replace(found.robot, name="second", lease=timedelta(minutes=5))
    first = replace(found.robot, lease=timedelta(0))
    real = found.ledger.do

    def late(*arguments: object, **more: object) -> object:
        found.ledger.do = real  # type: ignore[method-assign]
        run_once(second)
        raise ApplicationError("connection lost")

    found.ledger.do = late  # type: ignore[method-assign,assignment]
    run_once(first)
    assert (found.item.state, len(found.ledger.notes), len(found.answers)) == (State.DONE, 1, 1)


def test_a_mail_that_the_reader_stumbles_over_goes_to_a_person(tmp_path: Path) -> None:
    found = office(tmp_path, [invoice("1234567")], [mail("x", number=1), mail(ASKED, number=2)])
    real = found.robot.read

    def stumbles(raw: bytes, truncated: bool) -> MailRead:
        if b"<1@" in raw:
            raise RecursionError
        return real(raw, truncated)

    found.work(read=stumbles)
    assert [item.state for item in found.items] == [State.WAITING, State.DONE]


def test_a_mail_that_cannot_be_fetched_keeps_no_other_waiting(tmp_path: Path) -> None:
    found = office(tmp_path, [invoice("1234567")], [mail("x", number=1), mail(ASKED, number=2)])
    real = found.mailbox.fetch

    def fails(one: Waiting, *, most: int) -> bytes:
        if one.id == "1":
            raise ApplicationError("cannot be fetched")
        return real(one, most=most)

    found.mailbox.fetch = fails  # type: ignore[method-assign]
    found.work()
    assert (found.item.target, found.item.state) == ("1234567", State.DONE)
    assert list(found.mailbox.inbox) == ["1"]
