"""An answer to the one who asked: which template, filled in with what, in which headers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import HeaderRegistry, MessageIDHeader
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path

from vardag.core.texts import Texts
from vardag.invoices.answers.address import (
    answerable,
    header_text,
    identifier,
    message_id,
    number_of,
    one_line,
    subject_of,
    valid_address,
)
from vardag.invoices.answers.templates import FIELDS, LANGUAGES, render
from vardag.invoices.model import Action, BusinessError, Decision, Done, Effect, Invoice, MailRead, Money

TEXTS = Texts(Path(__file__).with_name("texts.toml"))
# Codes after which nothing about an invoice is told, not even whether it exists.
FACT = 60  # characters of what was read in a mail that an answer repeats
STRANGERS = frozenset({"unproven", "not_entitled"})
MISSING = frozenset({"no_number", "not_found"})
BY_CODE = {"already_credited": "already_credited", **dict.fromkeys(MISSING, "missing")}
# Message ids are never folded or encoded, however long.
REGISTRY = HeaderRegistry()
REGISTRY.map_to_type("in-reply-to", MessageIDHeader)  # type: ignore[arg-type]
REGISTRY.map_to_type("references", MessageIDHeader)  # type: ignore[arg-type]
POLICY = SMTP.clone(header_factory=REGISTRY)


@dataclass(frozen=True)
class From:
    """Who answers, and how a person is reached.

    Attributes
    ----------
    address
        The robot's own address.
    organisation
        The city's name, as in the text.
    team, mail, phone
        The people behind the robot.
    language
        Language of an answer to a mail in another one than the templates'.
    """

    address: str
    organisation: str
    team: str = ""
    mail: str = ""
    phone: str = ""
    language: str = "sv"


def compose(
    *,
    decision: Decision,
    mail: MailRead,
    item: str,
    sender: From,
    entitled: bool,
    now: datetime,
    target: str = "",
    invoice: Invoice | None = None,
    done: Done | None = None,
    reference: str = "",
    waiting: bool = False,
    templates: Path | None = None,
    routine: Path | None = None,
    template: str | None = None,
) -> EmailMessage:
    """Write the answer to a request.

    Parameters
    ----------
    item
        Key of the work item; the message id comes from it, so the same item always gives the same id.
    entitled
        Whether the one who asked is entitled to the invoice; where not, or where the sender is not proven, the
        answer is the same whatever the finance system holds.
    target
        The number the mail asked about, as read (`CancellationRequest.target`).
    done
        What the finance system did; without it an answer never says that something was done.
    reference
        The case number a person can ask by; a short form of the item's key where it is left out.
    waiting
        Whether a person has to confirm first.
    templates
        A city's own folder of templates.
    routine, template
        Templates of another routine than cancelling, and which of them it is; the usual one where it has none.

    Raises
    ------
    BusinessError
        When the mail may not be answered, or a template cannot be used.
    """
    if not answerable(mail) or not valid_address(sender.address):
        raise BusinessError(f"No answer can go from {sender.address!r} to this sender. A person has to take over.")
    language = mail.language if mail.language in LANGUAGES else sender.language
    trusted = entitled and mail.sender.proven and not STRANGERS & set(decision.codes)
    name = template_for(decision, trusted=trusted, done=done, waiting=waiting)
    if trusted and template:
        name = template
    fields = general(sender, item, reference, language, now)
    if trusted:
        fields |= particular(decision, mail, language, target=target, invoice=invoice, done=done)
    subject, text = render(name, language, fields, templates, routine)
    step = step_of(decision, done) if trusted else "received"  # a stranger reads nothing out of the id either
    return written(subject, text, headers(mail, item, sender, now, step))


def step_of(decision: Decision, done: Done | None) -> str:
    """Which of an item's answers it is: ``received`` while a person is to look, ``answer`` when it is settled."""
    settled = done is not None or decision.action in {Action.ACCEPT, Action.REJECT}
    return "answer" if settled else "received"


def template_for(decision: Decision, *, trusted: bool, done: Done | None = None, waiting: bool = False) -> str:
    """Name of the template that tells what was done, what a person will look at, or what is missing."""
    if not trusted:
        return "neutral"
    if done is not None and decision.action is Action.CANCEL:
        return "cancelled_void" if done.effect is Effect.VOID else "cancelled_credit"
    if waiting or decision.action in {Action.ACCEPT, Action.CANCEL}:
        return "received"
    if decision.action is Action.REFER:
        return "referred"
    return BY_CODE.get(decision.code, "rejected")


def general(sender: From, item: str, reference: str, language: str, now: datetime) -> dict[str, str]:
    """Fields that tell nothing about an invoice, and all others empty."""
    return {
        **dict.fromkeys(("amount", "because", "credit_note", "number", "refund", "subject"), ""),
        "contact_mail": one_line(sender.mail),
        "contact_phone": one_line(sender.phone),
        "date": now.date().isoformat(),
        "organisation": one_line(sender.organisation),
        "reference": one_line(reference or item)[:40],
        "team": one_line(sender.team) or TEXTS("team_none", language),
    }


def particular(
    decision: Decision, mail: MailRead, language: str, *, target: str, invoice: Invoice | None, done: Done | None
) -> Mapping[str, str]:
    """Fields about the invoice, for somebody who may know."""
    because = f"because_{decision.code}"
    fields = {
        "because": TEXTS(because if TEXTS.has(because) else "because_other", language),
        "number": one_line(invoice.number) if invoice else number_of(target),
        "subject": subject_of(mail.subject) or TEXTS("subject_none", language),
    }
    fields |= {name: one_line(str(value))[:FACT] for name, value in decision.facts.items() if name not in FIELDS}
    if invoice:
        fields |= {"amount": money(invoice.total, language), "credit_note": ", ".join(invoice.credited_by)}
        if invoice.paid > 0 and decision.action is Action.CANCEL:
            fields["refund"] = money(Money(invoice.paid, invoice.total.currency), language)
    if done and done.credit_note:
        fields |= {"credit_note": done.credit_note.number, "date": done.credit_note.issued.isoformat()}
    return fields


def money(sum_: Money, language: str) -> str:
    """An amount as the language writes it, with spaces that do not break.

    >>> from decimal import Decimal
    >>> money(Money(Decimal("1250.5"), "SEK"), "en")
    'SEK\\xa01,250.50'
    """
    figures = f"{sum_.amount:,.2f}"
    if language != "sv":
        return f"{sum_.currency}\N{NO-BREAK SPACE}{figures}"
    swedish = figures.replace(",", "\N{NO-BREAK SPACE}").replace(".", ",")
    return f"{swedish}\N{NO-BREAK SPACE}{'kr' if sum_.currency == 'SEK' else sum_.currency}"


def headers(mail: MailRead, item: str, sender: From, now: datetime, step: str) -> Mapping[str, str]:
    """Headers of an automatic answer (RFC 3834): no other robot answers it, and it lies in the thread."""
    asked = identifier(mail.message_id)
    thread = {"In-Reply-To": asked, "References": asked} if asked else {}
    return {
        "From": sender.address,
        "To": mail.sender.address,
        "Date": format_datetime(now),
        "Message-ID": message_id(item, sender.address.partition("@")[2], step),
        **thread,
        "Auto-Submitted": "auto-replied",
        "X-Auto-Response-Suppress": "All",
        "X-Vardag-Item": header_text(item)[:100],
    }


def written(subject: str, text: str, fields: Mapping[str, str]) -> EmailMessage:
    """The finished message."""
    message = EmailMessage(policy=POLICY)
    for name, value in fields.items():
        message[name] = value
    message["Subject"] = header_text(subject)
    message.set_content(text, subtype="plain", charset="utf-8", cte="quoted-printable")
    return message
