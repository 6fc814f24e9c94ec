"""Stories of the ladder with the whole robot: from shadow to working alone for rules that earned it, and back."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from offices import Office, demands, invoice, mail, office
from vardag.core.errors import NotFoundError, RefusedError
from vardag.invoices import audit, ladder
from vardag.invoices.commands import look
from vardag.invoices.commands.compare import compare
from vardag.invoices.ladder import Level, load_demands
from vardag.invoices.model import InvoiceState
from vardag.invoices.robot import Mode, people, signing
from vardag.invoices.routines import load_routine
from vardag.invoices.workitems import State

EARNED = demands(unattended_volume=3, unattended_agreement=0.25)


def mails(count: int, *, first: int = 1234560) -> tuple[list[str], list[bytes]]:
    numbers = [str(first + place) for place in range(count)]
    return numbers, [mail(f"Makulera faktura {one}. Fel mottagare.", number=int(one)) for one in numbers]


def asked_about(count: int, **more: object) -> Office:
    """An office with so many invoices, and a mail about each; the packaged demands unless others are given."""
    numbers, texts = mails(count)
    return office(more.pop("folder"), map(invoice, numbers), texts, **more)  # type: ignore[arg-type]


def level_of(found: Office, rule: str) -> Level:
    with found.robot.store.read() as tx:
        return ladder.level(tx, "cancellation", rule)


def test_the_rules_that_the_robot_acts_on_are_on_the_ladder(tmp_path: Path) -> None:
    found = office(tmp_path, [])
    places = signing.on_the_ladder(found.robot.routines, found.robot.policy)
    assert tuple(rule for _, rule in places) == (
        "no_number",
        "not_found",
        "duplicate",
        "already_credited",
        "already_void",
        "draft",
        "posted",
    )


def test_a_new_robot_writes_nothing_whatever_its_mode(tmp_path: Path) -> None:
    found = asked_about(1, folder=tmp_path, signed=Level.SHADOW)
    found.work()
    assert (found.item.state, found.ledger.notes, found.answers) == (State.WAITING, [], [])
    people.approve(found.robot.store, 1, by="bo", reason="ja")
    found.work()  # a person's word changes nothing in shadow; it is only counted
    assert (found.item.state, found.ledger.notes, found.answers) == (State.WAITING, [], [])


def test_from_shadow_to_alone_and_back(tmp_path: Path) -> None:
    every = [number for first in (1234560, 2000000, 3000000, 4000000) for number in mails(5, first=first)[0]]
    found = office(tmp_path, map(invoice, every), mails(4)[1], signed=Level.SHADOW, demands=EARNED)
    store = found.robot.store
    found.work()
    for number in (1, 2, 3):
        people.close(store, number, by="bo", reason="krediterad för hand", done=True, demands=EARNED)
    signing.step(
        store, [("cancellation", "posted")], Level.ATTENDED, by="anna", reason="tre av tre", demands=EARNED
    )
    with pytest.raises(RefusedError, match=r"0 of 0 .* Let people judge at least 3 more"):
        signing.step(store, [("cancellation", "posted")], Level.UNATTENDED, by="anna", reason="nu", demands=EARNED)

    deliver(found, 3, first=2000000)
    found.work()
    assert not found.ledger.notes
    for item in (5, 6, 7):
        people.approve(store, item, by="bo", reason="stämmer", demands=EARNED)
    found.work()
    assert [note.invoice for note in found.ledger.notes] == ["2000000", "2000001", "2000002"]
    signing.step(
        store, [("cancellation", "posted")], Level.UNATTENDED, by="anna", reason="tre av tre", demands=EARNED
    )

    deliver(found, 5, first=3000000)
    found.work()
    assert len(found.ledger.notes) == 8
    for item in (8, 9, 10, 11):
        people.object_to(store, item, by="cecilia", reason="kunden ville ha en ny faktura", demands=EARNED)
    assert level_of(found, "posted") is Level.ATTENDED
    (fell,) = look.status(store).fallen
    assert (fell.rule, fell.by, fell.evidence["volume"]) == ("posted", audit.PROGRAM, 4)

    deliver(found, 1, first=4000000)
    found.work()
    assert found.items[-1].state is State.WAITING
    assert len(found.ledger.notes) == 8
    assert look.verify(store).holds


def deliver(found: Office, count: int, *, first: int) -> None:
    """More mails."""
    for text in mails(count, first=first)[1]:
        found.mailbox.deliver(text)


def test_each_rule_stands_for_itself(tmp_path: Path) -> None:
    numbers, texts = mails(2)
    found = office(tmp_path, [invoice(numbers[0])], texts, signed=Level.SHADOW, demands=demands())
    signing.sign_all(
        found.robot.store,
        [("cancellation", "posted")],
        Level.UNATTENDED,
        by="anna",
        reason="bara den",
        demands=demands(),
    )
    found.work()
    assert [item.state for item in found.items] == [State.DONE, State.WAITING]
    levels = [entry.body["level"] for entry in found.log if entry.event == "decided"]
    assert levels == ["unattended", "shadow"]
    assert len(found.answers) == 1


def test_the_mode_is_a_ceiling_over_every_rule(tmp_path: Path) -> None:
    found = asked_about(1, folder=tmp_path, mode=Mode.ATTENDED)
    found.work()
    assert (found.item.state, found.ledger.notes) == (State.WAITING, [])


def test_the_control_sample_waits_for_a_person_and_is_judged(tmp_path: Path) -> None:
    asked = demands(control_share=0.5)
    found = asked_about(12, folder=tmp_path, demands=asked)
    found.work()
    waiting = [item.id for item in found.items if item.state is State.WAITING]
    drawn = [entry.item for entry in found.log if entry.event == "decided" and entry.body.get("sampled")]
    assert waiting == drawn
    assert 0 < len(waiting) < 12
    assert len(found.ledger.notes) == 12 - len(waiting)
    for number in waiting:
        people.approve(found.robot.store, number, by="bo", reason="stämmer", demands=asked)
    found.work()
    assert len(found.ledger.notes) == 12
    with found.robot.store.read() as tx:
        stand = ladder.state(tx, ["posted"], demands=asked)[0]
    assert (stand.found.agreed, stand.found.volume) == (len(waiting), len(waiting))


def test_what_was_begun_is_ended_though_its_rule_has_gone_back(tmp_path: Path) -> None:
    """The robot dies after it has written its intention; meanwhile somebody steps the rule down."""
    found = asked_about(1, folder=tmp_path)

    class Killed(BaseException):
        pass

    def dies(step: str) -> None:
        if step == "cancel":
            raise Killed

    with pytest.raises(Killed):
        found.work(at_step=dies, lease=timedelta(0))
    signing.step(
        found.robot.store,
        [("cancellation", "posted")],
        Level.SHADOW,
        by="anna",
        reason="stopp",
        demands=load_demands(),
    )
    found.work()
    assert (found.item.state, len(found.ledger.notes), len(found.answers)) == (State.DONE, 1, 1)


def test_a_persons_act_says_what_it_counted_for(tmp_path: Path) -> None:
    found = asked_about(2, folder=tmp_path, mode=Mode.ATTENDED)
    found.work()
    people.approve(found.robot.store, 1, by="bo", reason="ja")
    people.close(found.robot.store, 2, by="bo", reason="nej", done=False)
    acts = [entry.body for entry in found.log if entry.event in {"approved", "closed by hand"}]
    assert [(body["rule"], body["rule_level"], body["agrees"]) for body in acts] == [
        ("posted", "attended", True),
        ("posted", "attended", False),
    ]


def test_shadow_is_compared_with_what_people_did_in_the_finance_system(tmp_path: Path) -> None:
    numbers, texts = mails(4)
    found = office(tmp_path, map(invoice, numbers[:3]), texts, signed=Level.SHADOW, demands=load_demands())
    found.work()
    books = found.ledger.invoices
    books[numbers[0]] = replace(books[numbers[0]], state=InvoiceState.CREDITED, credited_by=("K77",))
    done = compare(found.robot, by="anna")
    assert (done.cancelled, done.left, done.open) == ((1,), (), (2, 3))  # the fourth was rejected: not compared
    assert (found.items[0].state, found.items[0].told) == (
        State.DONE,
        "Fakturan har makulerats i ekonomisystemet (kreditfaktura K77).",
    )
    late = replace(found.robot, demands=demands(compare_days=0))
    assert compare(late, by="anna").left == (2, 3)
    with found.robot.store.read() as tx:
        (stand,) = ladder.state(tx, ["posted"], demands=load_demands())
    assert (stand.level, stand.found.agreed, stand.found.volume) == (Level.SHADOW, 1, 3)


def test_a_rule_that_two_routines_share_stands_for_each_apart(tmp_path: Path) -> None:
    both = {name: load_routine(name) for name in ("cancellation", "reference")}
    texts = [
        mail("Makulera faktura 9999999. Fel mottagare.", number=1),
        mail("Hej! Kan ni ändra vår referens på faktura 9999999 till PO-8842?", subject="Ärende", number=2),
    ]
    found = office(tmp_path, [], texts, routines=both, signed=Level.ATTENDED)
    places = signing.meant("not_found", signing.on_the_ladder(found.robot.routines, found.robot.policy))
    assert places == (("cancellation", "not_found"), ("reference", "not_found"))
    signing.step(found.robot.store, places[1:], Level.UNATTENDED, by="anna", reason="en", demands=demands())
    found.work()
    assert [(item.routine, item.state) for item in found.items] == [
        ("cancellation", State.WAITING),
        ("reference", State.FAILED_BUSINESS),
    ]
    people.close(found.robot.store, 1, by="bo", reason="nej", done=False)
    stands = signing.state(found.robot.store, places, demands=demands())
    assert [(one.routine, one.level, one.found.agreed) for one in stands] == [
        ("cancellation", Level.ATTENDED, 1),
        ("reference", Level.UNATTENDED, 0),
    ]


def test_all_takes_the_rules_that_may_and_names_the_others(tmp_path: Path) -> None:
    found = asked_about(1, folder=tmp_path, signed=Level.SHADOW)
    store, places = found.robot.store, signing.on_the_ladder(found.robot.routines, found.robot.policy)
    signing.step(
        store, [("cancellation", "posted")], Level.ATTENDED, by="anna", reason="först", demands=load_demands()
    )
    taken, refused = signing.step(store, places, Level.ATTENDED, by="anna", reason="sedan", demands=load_demands())
    assert {one.rule for one in taken} == {rule for _, rule in places} - {"posted"}
    assert list(refused) == [("cancellation", "posted")]
    with pytest.raises(RefusedError, match="no_number has not earned unattended"):
        signing.step(store, places, Level.UNATTENDED, by="anna", reason="nu", demands=load_demands())
    with pytest.raises(NotFoundError, match=r"no rule 'paid' on the ladder\. The robot acts by itself on: no_"):
        signing.meant("paid", places)
    assert signing.meant("all", places) == places


def test_evidence_can_be_read_by_a_machine(tmp_path: Path) -> None:
    found = asked_about(1, folder=tmp_path)
    with found.robot.store.read() as tx:
        step = ladder.last(tx, "cancellation", "posted")
    assert step is not None
    assert json.loads(json.dumps(dict(step.evidence)))["from"] == "attended"
