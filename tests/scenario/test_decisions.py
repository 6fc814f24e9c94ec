"""Decisions told as stories that a caseworker can read: one file per rule, and one with several rules at once.

What a story does not say is as in an ordinary case: Anna (anna@kommun.se, proven, on the allow-list) asks in
Swedish for invoice 10421, 1250.00 SEK, posted 10 November and due 10 December 2026, unpaid; today is 24 November
2026.
`then` gives action, settling code and effect; `also` gives every other code.
"""

from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from vardag.core.parameters import Parameter, Parameters
from vardag.core.texts import LANGUAGES
from vardag.invoices.model import (
    Action,
    CancellationRequest,
    Customer,
    Invoice,
    InvoiceState,
    MailKind,
    MailRead,
    Money,
    Read,
    Sender,
)
from vardag.invoices.rules import Case, Earlier, Grant, Policy, decide, decision_table, in_order, load_policy
from vardag.invoices.rules.catalogue import TEXTS
from vardag.invoices.rules.policy import policy_of

FOLDER = Path(__file__).parent / "decisions"
Story = dict[str, Any]
KNOWN = {
    "story",
    "today",
    "mail",
    "asks",
    "invoice",
    "invoices",
    "may",
    "earlier",
    "confirmed",
    "vat_until",
    "policy",
    "then",
    "also",
}


def stories() -> list[tuple[str, Story]]:
    return [
        (path.stem, story)
        for path in sorted(FOLDER.glob("*.yaml"))
        for story in yaml.safe_load(path.read_text(encoding="utf-8"))
    ]


def policy_for(story: Story) -> Policy:
    packaged = load_policy()
    own = {
        name: Parameter(value, packaged.parameters[name].unit, date(2026, 1, 1), "story")
        for name, value in story.get("policy", {}).items()
    }
    return policy_of(Parameters(packaged.parameters.path, packaged.parameters.entries | own))


def invoice_of(told: Story) -> Invoice:
    customer = Customer(told.get("customer", "1001"), "Eva Ek", "212000-1234", internal=told.get("internal", False))
    plain = {
        name: told[name] for name in ("reminders", "collection", "period_open", "is_credit_note") if name in told
    }
    return Invoice(
        id=told.get("id", "7"),
        number=told.get("number", "10421"),
        state=InvoiceState(told.get("state", "posted")),
        customer=customer,
        issued=told.get("issued", date(2026, 11, 10)),
        due=told.get("due", date(2026, 12, 10)),
        total=Money(Decimal(str(told.get("total", "1250.00"))), told.get("currency", "SEK")),
        paid=Decimal(str(told.get("paid", 0))),
        credited_by=tuple(told.get("credited_by", ())),
        **plain,
    )


def request_of(told: Story) -> CancellationRequest:
    values = {"number": "10421"} | {name: value for name, value in told.items() if name not in ("sure", "doubts")}
    reads = {
        name: Read(value, "body", value, told.get("sure", 1.0))
        for name, value in values.items()
        if value is not None
    }
    return CancellationRequest(**reads, doubts=tuple(told.get("doubts", ())))


def grant_of(told: Story | str) -> Grant | None:
    if isinstance(told, str):
        return None
    most = told.get("most")
    return Grant(
        told.get("kind", "staff"), None if most is None else Decimal(str(most)), tuple(told.get("customers", ()))
    )


def case_of(story: Story) -> Case:
    mail, request = story.get("mail", {}), request_of(story.get("asks", {}))
    sender = Sender(mail.get("from", "anna@kommun.se"), "Anna", mail.get("proven", True))
    read = MailRead(
        MailKind(mail.get("kind", "request")), sender, "Makulera", mail.get("language", "sv"), (request,),
        doubts=tuple(mail.get("doubts", ())), message_id="1@kommun.se",
    )  # fmt: skip
    return Case(
        request=request,
        mail=read,
        invoices=tuple(map(invoice_of, story.get("invoices", [story.get("invoice", {})]))),
        today=story.get("today", date(2026, 11, 24)),
        grant=grant_of(story.get("may", {})),
        earlier=tuple(
            Earlier(f"E{place}", f"{place}@kommun.se", Action(action))
            for place, action in enumerate(story.get("earlier", ()))
        ),
        approvals=tuple(story.get("confirmed", ())),
        vat_reported_until=story.get("vat_until"),
    )


TOLD = [pytest.param(story, id=f"{rule}: {story['story']}") for rule, story in stories()]


@pytest.mark.parametrize("story", TOLD)
def test_story(story: Story) -> None:
    assert set(story) <= KNOWN
    decision = decide(case_of(story), policy_for(story))
    told = " ".join(filter(None, (decision.action.value, decision.code, decision.effect and decision.effect.value)))
    assert (told, list(decision.codes)) == (story["then"], [decision.code, *story.get("also", [])])


@pytest.mark.parametrize("story", TOLD)
def test_every_text_has_its_facts(story: Story) -> None:
    """`str.format` stops at a field that no rule gave a fact for."""
    decision = decide(case_of(story), policy_for(story))
    for reason in decision.codes:
        for language in LANGUAGES:
            TEXTS(f"{reason}_says", language, **decision.facts)


def test_every_rule_is_settled_by_a_story_and_has_at_least_three_of_its_own() -> None:
    settled = Counter(story["then"].split()[1] for _, story in stories())
    told = Counter(rule for rule, _ in stories())
    codes = {rule.code for rule in in_order()}
    assert set(settled) == codes
    assert {code for code in codes if told[code] < 3} == set()
    assert set(told) == codes | {"together"}


def test_every_row_of_the_decision_table_is_what_the_stories_show() -> None:
    """With the packaged parameters, a rule that the table calls a referral refers in a story, and so on."""
    shown = {(code, action) for _, story in stories() if not story.get("policy") for code, action in pairs(story)}
    rows = [line.strip("| ").split(" | ") for line in decision_table()[2:]]
    assert len(rows) == len(in_order())
    assert [row for row in rows if (row[1].strip("`"), row[3].split(":")[0]) not in shown] == []


def pairs(story: Story) -> list[tuple[str, str]]:
    action, code = story["then"].split()[:2]
    return [(code, action), *((other, "none") for other in story.get("also", []))]


def test_every_word_of_a_steering_parameter_is_in_a_story() -> None:
    used = {(name, value) for _, story in stories() for name, value in story.get("policy", {}).items()
            if isinstance(value, str)}  # fmt: skip
    packaged = load_policy()
    steers = {rule.steer for rule in in_order() if rule.steer}
    for steer in steers:
        words = {word.strip() for word in packaged.parameters[steer].unit.replace(" or ", ",").split(",")} - {""}
        assert words <= {value for name, value in used if name == steer} | {packaged.word(steer)}, steer


def test_every_overridable_rule_is_overruled_in_a_story_or_a_property() -> None:
    overruled = {
        code for _, story in stories() if story.get("confirmed") and story["then"].startswith("cancel")
        for code in story.get("also", [])
    }  # fmt: skip
    hard = {rule.code for rule in in_order() if not rule.overridable}
    assert overruled and not overruled & hard
