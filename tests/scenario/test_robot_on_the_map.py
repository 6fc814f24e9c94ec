"""The robot follows the map of its routine, whatever is drawn on it, and refuses a way that is not there."""

import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from offices import ANNA, Office, invoice, mail, office
from vardag.core.errors import RefusedError
from vardag.invoices import routines, store
from vardag.invoices.ledger.port import LedgerRefusedError
from vardag.invoices.model import Action, InvoiceState, Money
from vardag.invoices.process.bpmn import read_map
from vardag.invoices.process.map import HEARD, Kind
from vardag.invoices.robot import Mode, people
from vardag.invoices.robot.steps import STEPS
from vardag.invoices.routines import CANCELLATION, OUTCOMES, PACKAGED, Routine
from vardag.invoices.workitems import State

ASKED = "Hej! Makulera faktura 1234567. Fel mottagare.\nAnna"
OTHER = "Hej! Makulera faktura 1234568. Fel mottagare.\nAnna"
AFTER = PACKAGED / CANCELLATION / routines.MAP


def redrawn(folder: Path, *changes: tuple[str, str]) -> Mapping[str, Routine]:
    """The packaged map with pieces of its file changed."""
    text = AFTER.read_text(encoding="utf-8")
    for old, new in changes:
        assert re.search(old, text), old
        text = re.sub(old, new, text)
    path = folder / "own.bpmn"
    path.write_text(text, encoding="utf-8")
    return {CANCELLATION: Routine(CANCELLATION, read_map(path, OUTCOMES))}


def paths(found: Office, item: int = 1) -> list[list[str]]:
    """The steps that each entry of an item's log tells of."""
    return [entry.body["path"] for entry in found.log if entry.item == item and entry.body.get("path")]


def test_the_robot_has_code_for_each_step_that_it_says_it_has() -> None:
    assert STEPS.keys() == OUTCOMES.keys()
    assert OUTCOMES["decide"] == {action.value for action in Action}


def test_the_log_tells_every_step_of_the_way(tmp_path: Path) -> None:
    found = office(tmp_path, [invoice("1234567")], [mail(ASKED)])
    found.work()
    told = [step for path in paths(found) for step in path]
    assert told == ["received", "read", "look_up", "decide", "allow", "cancel", "answer", "done"]
    drawn = routines.packaged()[CANCELLATION].map
    (decided,) = [entry for entry in found.log if entry.event == "decided"]
    assert decided.body["map"] == drawn.version


def test_a_persons_decision_leads_on_from_where_the_item_stood(tmp_path: Path) -> None:
    found = office(tmp_path, [invoice("1234567")], [mail(ASKED)], mode=Mode.ATTENDED)
    found.work()
    assert (found.item.at, found.item.outcome) == ("confirm", None)
    assert found.item.exits == {"confirmed": "", "done": "done", "refused": "failed_business"}
    people.approve(found.robot.store, 1, by="bo", reason="stämmer")
    found.work()
    assert found.item.state is State.DONE
    assert paths(found)[-4:] == [["confirm", "look_up", "decide"], ["allow", "cancel"], ["answer"], ["done"]]
    (approved,) = [entry for entry in found.log if entry.event == "approved"]
    assert (approved.body["step"], approved.body["outcome"]) == ("confirm", "confirmed")


def test_a_step_without_code_is_a_persons_and_the_robot_goes_on_after_it(tmp_path: Path) -> None:
    """The city has drawn a step between: somebody calls the customer before the answer goes."""
    drawn = redrawn(tmp_path, ('id="answer" name="[^"]*"', 'id="call" name="Ring"'), *moved("answer", "call"))
    assert drawn[CANCELLATION].map.steps["call"].kind is Kind.PERSON
    found = office(tmp_path, [invoice("1234567")], [mail(ASKED)], routines=drawn)
    found.work()
    assert (found.item.state, found.item.at, len(found.ledger.notes)) == (State.WAITING, "call", 1)
    assert not found.answers
    people.close(found.robot.store, 1, by="bo", reason="har ringt", done=True)
    found.work()
    assert found.item.state is State.DONE
    assert len(found.ledger.notes) == 1


def moved(old: str, new: str) -> list[tuple[str, str]]:
    """What else changes in the file when a step gets another id."""
    places = ('sourceRef="{}"', 'targetRef="{}"', 'bpmnElement="{}"', "<bpmn:flowNodeRef>{}</bpmn:flowNodeRef>")
    return [(place.format(old), place.format(new)) for place in places]


def test_a_way_that_is_not_on_the_map_is_refused(tmp_path: Path) -> None:
    """A rejection by the robot waits for what a step came to that it has not taken: a person has to look.

    What a gateway leaves out is refused when the map is read; whether a step was taken shows on the way alone.
    """
    condition = (
        '<bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">'
        "handle = confirmed, done, refused</bpmn:conditionExpression>"
    )
    flow = r'(?s)(<bpmn:sequenceFlow id="flow_alone_answer".*?)(</bpmn:sequenceFlow>)'
    drawn = redrawn(tmp_path, (' default="flow_alone_answer"', ""), (flow, rf"\1{condition}\2"))
    credited = invoice("1234567", state=InvoiceState.CREDITED, credited_by=("9",))
    found = office(tmp_path, [credited, invoice("1234568")], [mail(ASKED), mail(OTHER, number=2)], routines=drawn)
    found.work()
    first, second = found.items
    assert (first.state, second.state) == (State.WAITING, State.DONE)
    assert "allow came to alone, and alone on the map" in (first.told or "")
    assert paths(found)[-1] == ["allow"]
    people.close(found.robot.store, 1, by="bo", reason="svarat", done=False)
    assert found.items[0].state is State.FAILED_BUSINESS


def test_what_the_robot_found_is_known_after_a_persons_step(tmp_path: Path) -> None:
    """A rejection that a person has looked at ends as a rejection, for the map's next choice asks about it."""
    drawn = redrawn(tmp_path, ('id="answer" name="[^"]*"', 'id="call" name="Ring"'), *moved("answer", "call"))
    credited = invoice("1234567", state=InvoiceState.CREDITED, credited_by=("9",))
    found = office(tmp_path, [credited], [mail(ASKED)], routines=drawn)
    found.work()
    people.close(found.robot.store, 1, by="bo", reason="har ringt", done=True)
    found.work()
    assert found.item.state is State.FAILED_BUSINESS


@pytest.mark.parametrize("outcome", HEARD)
def test_a_person_decides_only_what_the_map_has_a_way_for(tmp_path: Path, outcome: str) -> None:
    found = office(tmp_path, [invoice("1234567")], [mail(ASKED)], mode=Mode.ATTENDED)
    found.work()
    with found.robot.store.begin() as tx:
        tx.execute(store.item.update().values(exits={one: "" for one in HEARD if one != outcome}))
    with pytest.raises(RefusedError, match=f"waits at confirm, where the map has: .*; not {outcome}"):
        if outcome == "confirmed":
            people.approve(found.robot.store, 1, by="bo", reason="ja")
        else:
            people.close(found.robot.store, 1, by="bo", reason="nej", done=outcome == "done")


def test_an_item_of_a_routine_that_is_gone_waits_for_a_person(tmp_path: Path) -> None:
    found = office(tmp_path, [invoice("1234567")], [mail(ASKED)], routines={})
    found.work()
    assert found.item.state is State.WAITING
    assert found.item.told == "The robot knows no routine cancellation; it knows none."
    people.close(found.robot.store, 1, by="bo", reason="gjort", done=True)
    assert found.item.state is State.DONE


def test_who_asked_does_not_confirm_the_own_request(tmp_path: Path) -> None:
    found = office(tmp_path, [invoice("1234567")], [mail(ASKED)], mode=Mode.ATTENDED)
    found.work()
    people.approve(found.robot.store, 1, by=ANNA, reason="ja")
    found.work()
    assert (found.item.state, found.item.at, len(found.ledger.notes)) == (State.WAITING, "confirm", 0)


WORDS = '<bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">{}</bpmn:conditionExpression>'


def test_what_was_allowed_before_a_persons_step_is_asked_anew(tmp_path: Path) -> None:
    """The city lets what a person confirms go straight to cancelling, and has put the robot in shadow since."""
    drawn = redrawn(tmp_path, ('sourceRef="handled" targetRef="look_up"', 'sourceRef="handled" targetRef="cancel"'))
    found = office(tmp_path, [invoice("1234567")], [mail(ASKED)], routines=drawn)
    real, found.ledger.do = found.ledger.do, _refuses  # type: ignore[method-assign,assignment]
    found.work()
    assert (found.item.at, (found.item.outcomes or {})["allow"]) == ("handle", "alone")
    found.ledger.do = real  # type: ignore[method-assign]
    people.approve(found.robot.store, 1, by="bo", reason="perioden är öppen igen")
    found.work(mode=Mode.SHADOW)
    assert (found.item.state, found.ledger.notes) == (State.WAITING, [])
    assert "not decided and allowed" in (found.item.told or "")
    people.approve(found.robot.store, 1, by="bo", reason="ja")
    found.work()
    assert (found.item.state, len(found.ledger.notes)) == (State.DONE, 1)


def _refuses(*_arguments: object, **_more: object) -> object:
    raise LedgerRefusedError("perioden är stängd")


def test_an_old_refusal_is_not_told_as_a_new_one(tmp_path: Path) -> None:
    found = office(tmp_path, [invoice("1234567")], [mail(ASKED)])
    found.ledger.do = _refuses  # type: ignore[method-assign,assignment]
    found.work()
    assert found.item.told == "perioden är stängd"
    found.ledger.invoices["1234567"] = invoice("1234567", total=Money(Decimal(9_000_000)))
    people.approve(found.robot.store, 1, by="bo", reason="försök igen")
    found.work()
    assert (found.item.at, found.item.told) == ("handle", (found.item.decision or {})["code"])


def test_what_a_person_refused_does_not_begin_again_on_another_map(tmp_path: Path) -> None:
    """The step where it was refused was taken off the map before the robot came by."""
    drawn = redrawn(tmp_path, ('id="look_up" name="[^"]*"', 'id="call" name="Ring"'), *moved("look_up", "call"))
    found = office(tmp_path, [invoice("1234567")], [mail(ASKED)], routines=drawn)
    found.work()
    assert found.item.at == "call"
    people.close(found.robot.store, 1, by="bo", reason="ska inte krediteras", done=False)
    found.work(routines=routines.packaged())
    assert (found.item.state, found.ledger.notes) == (State.WAITING, [])
    assert "decided refused at call, and that step is no longer on the map" in (found.item.told or "")
    people.close(found.robot.store, 1, by="bo", reason="ska inte krediteras", done=False)
    assert found.item.state is State.FAILED_BUSINESS


def test_where_the_map_has_no_way_on_a_person_ends_it_by_hand(tmp_path: Path) -> None:
    """Somebody reads first, and what comes then depends on a step that nobody has taken yet."""
    way = r'(?s)(<bpmn:sequenceFlow id="{}"[^>]*>.*?)(?:<bpmn:conditionExpression[^\n]*)?(\s*</bpmn:sequenceFlow>)'
    drawn = redrawn(
        tmp_path,
        ('id="read" name="[^"]*"', 'id="call" name="Ring"'), *moved("read", "call"),
        (' default="flow_asks_look_up"', ""),
        (way.format("flow_asks_ignored"), rf"\1{WORDS.format('decide = cancel, refer, reject')}\2"),
        (way.format("flow_asks_look_up"), rf"\1{WORDS.format('decide = accept')}\2"),
    )  # fmt: skip
    found = office(tmp_path, [invoice("1234567")], [mail(ASKED)], routines=drawn)
    found.work()
    assert (found.item.state, found.item.at) == (State.WAITING, "call")
    people.close(found.robot.store, 1, by="bo", reason="gjort", done=True)
    assert found.item.state is State.DONE
