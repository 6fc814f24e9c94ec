"""A second routine in the same mailbox, by map, rules and templates alone: another reference on an invoice."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from offices import Office, invoice, mail, office
from vardag.core.errors import ConfigError
from vardag.invoices import routines
from vardag.invoices.brakes import Limits
from vardag.invoices.model import InvoiceState
from vardag.invoices.robot import Mode, people
from vardag.invoices.routines import load_routine
from vardag.invoices.workitems import State

BOTH = {name: load_routine(name) for name in ("cancellation", "reference")}
ASKED = "Hej! Kan ni ändra vår referens på faktura 1234567 till PO-8842? Tack!\nAnna"
ASKED_IN_ENGLISH = "Hello, please change the reference on invoice 1234567 to PO-8842. Regards, Anna"


def asked(folder: Path, text: str, state: InvoiceState = InvoiceState.DRAFT, **more: object) -> Office:
    """An office that follows both routines, after its first round."""
    found = office(folder, [invoice("1234567", state=state)], [mail(text, subject="Ärende")], routines=BOTH, **more)
    found.work()
    return found


@pytest.mark.parametrize(("text", "said"), [(ASKED, "har ändrat"), (ASKED_IN_ENGLISH, "have changed")])
def test_a_caseworker_changes_it_and_the_robot_answers(tmp_path: Path, text: str, said: str) -> None:
    found = asked(tmp_path, text)
    assert (found.item.routine, found.item.at, found.item.target) == ("reference", "change", "1234567")
    assert not found.answers
    people.close(found.robot.store, 1, by="bo", reason="bytt", done=True)
    found.work()
    (answer,) = found.answers
    assert found.item.state is State.DONE
    assert said in answer
    assert "PO-8842" in answer
    assert not found.ledger.notes
    assert "PO-8842" not in str([entry.body for entry in found.log])  # the log outlives the mail


def test_a_posted_invoice_is_not_changed_and_the_sender_is_told_what_to_do(tmp_path: Path) -> None:
    found = asked(tmp_path, ASKED, InvoiceState.POSTED)
    (answer,) = found.answers
    assert found.item.state is State.FAILED_BUSINESS
    assert "Kreditera faktura 1234567, fel referens" in answer
    (decided,) = [entry for entry in found.log if entry.event == "decided"]
    assert decided.body["code"] == "posted_already"
    assert decided.body["rules"].startswith("2026.1-")


def test_what_is_missing_is_asked_for(tmp_path: Path) -> None:
    found = asked(tmp_path, "Hej! Kan ni byta vår referens på faktura 1234567?\nAnna")
    (answer,) = found.answers
    assert "ny referens" in answer
    assert found.item.state is State.FAILED_BUSINESS


def test_the_caseworker_cannot_do_it_either(tmp_path: Path) -> None:
    found = asked(tmp_path, ASKED)
    people.close(found.robot.store, 1, by="bo", reason="låst", done=False)
    found.work()
    assert (found.item.state, found.item.at) == (State.WAITING, "handle")


def test_in_shadow_nobody_is_answered(tmp_path: Path) -> None:
    found = asked(tmp_path, ASKED, mode=Mode.SHADOW)
    assert (found.item.at, found.item.state) == ("confirm", State.WAITING)
    assert not found.answers


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Hej! Ändra referens på faktura 1234567 till PO-8842 eller till PO-9951.\nAnna", "unclear"),
        ("Hej! Ändra inte referensen på faktura 1234567 till PO-8842.\nAnna", "unclear"),
        ("Hej! Makulera faktura 1234567. Ändra referens på den nya till PO-8842.\nAnna", "unclear"),
    ],
)
def test_what_is_unclear_goes_to_a_person(tmp_path: Path, text: str, code: str) -> None:
    found = asked(tmp_path, text)
    (decided,) = [entry for entry in found.log if entry.event == "decided"]
    assert (decided.body["action"], decided.body["code"]) == ("refer", code)
    assert found.item.state is State.WAITING
    assert not found.ledger.notes


def test_a_request_to_cancel_is_still_one(tmp_path: Path) -> None:
    found = asked(tmp_path, "Hej! Makulera faktura 1234567. Fel mottagare.\nAnna", InvoiceState.POSTED)
    assert (found.item.routine, found.item.state, len(found.ledger.notes)) == ("cancellation", State.DONE, 1)


def test_without_the_routine_the_same_mail_is_one_for_a_person(tmp_path: Path) -> None:
    found = office(tmp_path, [invoice("1234567")], [mail(ASKED, subject="Ärende")])
    found.work()
    assert (found.item.routine, found.item.state) == ("cancellation", State.WAITING)


def test_what_goes_to_a_caseworker_by_rule_is_no_exception(tmp_path: Path) -> None:
    """Twenty of them in a row are a usual morning, and no reason to pause."""
    texts = [mail(ASKED, subject="Ärende", number=number) for number in (1, 2, 3)]
    drafts = [invoice("1234567", state=InvoiceState.DRAFT)]
    found = office(tmp_path, drafts, texts, routines=BOTH, limits=Limits(exceptions_in_a_row=2))
    found.work()
    assert [item.at for item in found.items] == ["change"] * 3
    assert "paused" not in [entry.event for entry in found.log]


def test_a_routine_that_stumbles_over_a_mail_leaves_it_to_a_person(tmp_path: Path) -> None:
    routine = BOTH["reference"]
    assert routine.wanted
    wanted = replace(routine.wanted, fields={"new_reference": (routine.wanted.asks, re.compile("(?P<value>x)"))})
    stumbles = {**BOTH, "reference": replace(routine, wanted=wanted)}
    asked_twice = [mail(ASKED, subject="Ärende"), mail("Makulera faktura 1234567. Fel mottagare.", number=2)]
    found = office(tmp_path, [invoice("1234567")], asked_twice, routines=stumbles)
    found.work()
    assert [item.state for item in found.items] == [State.WAITING, State.DONE]


WRONG = [
    ("title:", "titel:", "found .*expected answers, asks, fields, rules, title"),
    ("invoice.state: posted", "invoice.colour: red", "nothing is known about invoice.colour"),
    ("invoice.state: posted", "invoice.state: sent", "invoice.state is never sent"),
    ("- use: unproven", "- use: unheard", "no rule 'unheard' to use"),
    ("action: accept", "action: cancel", "action 'cancel', expected one of accept, refer, reject"),
    ("posted_already: reference_posted", "posted_already: nothing", "there is no templates/en/nothing.txt"),
    ("{{ number }}", "{{ colour }}", "cannot be used"),
    ("posted_already: reference_posted", "later: reference_posted", r"found \['later'\]"),
    ("- code: no_new_reference", "- code: unclear", "unclear: is a rule of the catalogue; write - use: unclear"),
    ("- use: unclear", "- use: unproven", "unproven more than once"),
    ("form: '(?=", "form: '((?=", "is no expression"),
    ("form: '(?=", "form: '(?i)(?=", "is no expression"),
    (
        "    action: accept",
        "    when: {invoice: one}\n    action: accept",
        "the last one, change_reference",
    ),
]


@pytest.mark.parametrize(("old", "new", "says"), WRONG)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, old: str, new: str, says: str) -> None:
    own = tmp_path / "reference"
    for path in (routines.PACKAGED / "reference").rglob("*.*"):
        target = own / path.relative_to(routines.PACKAGED / "reference")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    path = own / ("templates/sv/reference_posted.txt" if old.startswith("{{") else "routine.yaml")
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError, match=says):
        load_routine("reference", tmp_path)
