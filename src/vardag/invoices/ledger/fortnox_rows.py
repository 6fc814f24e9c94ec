"""What Fortnox's answers say: fields, pages, states and errors.

Types differ between versions of the published contract (a number as text, a truth value as "true"), so each field
is read as what it means.
"""

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from vardag.core.rest import NoError, UnansweredError
from vardag.invoices.model import CreditNote, Customer, Done, Effect, Invoice, InvoiceState, Money

Row = Mapping[str, Any]

WRONG_LOGIN = {2000310, 2000311}  # "Ogiltig inloggning", sent with various status codes


def part(answer: Any, name: str) -> Row:
    """The object that an answer wraps."""
    if isinstance(answer, dict) and isinstance(answer.get(name), dict):
        return dict(answer[name])
    raise UnansweredError(f"fortnox: an answer without {name!r}.")


def invoice(answer: Any) -> Row:
    """An invoice or credit note, which has a number and a total whatever else it has."""
    row = part(answer, "Invoice")
    if not text(row, "DocumentNumber") or "Total" not in row:
        raise UnansweredError("fortnox: an invoice without DocumentNumber or Total.")
    return row


def page(answer: Any) -> tuple[list[Row], int]:
    """Rows of one page, and how many pages there are."""
    found = answer.get("Invoices") if isinstance(answer, dict) else None
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise UnansweredError("fortnox: a page without 'Invoices'.")
    return found, int(amount(part(answer, "MetaInformation"), "@TotalPages"))


def locked(answer: Any) -> date | None:
    """Last day of the locked period; None where nothing is locked."""
    row = part(answer, "LockedPeriod")
    return day(row, "EndDate") if text(row, "EndDate") else None


def text(row: Row | None, name: str) -> str:
    """A field as text; empty where it is missing or null."""
    value = row.get(name) if row else None
    return "" if value is None else str(value).strip()


def true(row: Row, name: str) -> bool:
    """A truth value, as true or "true"."""
    return text(row, name).lower() == "true"


def amount(row: Row, name: str) -> Decimal:
    """A number; 0 where it is missing."""
    try:
        value = Decimal(text(row, name) or "0")
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise UnansweredError(f"fortnox: {name} is no number.")
    return value


def day(row: Row, name: str, *, otherwise: date | None = None) -> date:
    """A date as YYYY-MM-DD."""
    written = text(row, name)
    if not written and otherwise:
        return otherwise
    try:
        return date.fromisoformat(written[:10])
    except ValueError:
        raise UnansweredError(f"fortnox: {name} is no date.") from None


def state(row: Row, note: Row | None) -> InvoiceState:
    """Where an invoice stands; credited when its credit note is booked and for the whole amount."""
    if true(row, "Cancelled"):
        return InvoiceState.VOID
    if not true(row, "Booked"):
        return InvoiceState.DRAFT
    if note and true(note, "Booked") and abs(amount(note, "Total")) == amount(row, "Total"):
        return InvoiceState.CREDITED
    return InvoiceState.PAID if amount(row, "Balance") == 0 else InvoiceState.POSTED


def paid(row: Row, note: Row | None) -> Decimal:
    """What was paid: total less balance, less what the credit note took off."""
    if true(row, "Cancelled") or not true(row, "Booked"):
        return Decimal(0)
    settled = amount(row, "Total") - amount(row, "Balance")
    if note and true(note, "Booked"):
        settled -= abs(amount(note, "Total")) - abs(amount(note, "Balance"))
    return settled


def told(row: Row, note: Row | None, customer: Row, locked: date | None) -> Invoice:
    """An invoice in the routine's own words, from its credit note, customer and the end of the locked period."""
    issued = day(row, "InvoiceDate")
    addresses = (text(customer, name).lower() for name in ("Email", "EmailInvoice"))
    return Invoice(
        id=text(row, "DocumentNumber"),
        number=text(row, "DocumentNumber"),
        state=state(row, note),
        customer=Customer(
            number=text(row, "CustomerNumber"),
            name=text(row, "CustomerName") or text(customer, "Name"),
            organisation=text(customer, "OrganisationNumber") or text(row, "OrganisationNumber"),
            addresses=tuple(dict.fromkeys(address for address in addresses if address)),
        ),
        issued=issued,
        due=day(row, "DueDate", otherwise=issued),
        total=Money(amount(row, "Total"), text(row, "Currency") or "SEK"),
        reference=text(row, "OCR"),
        paid=paid(row, note),
        credited_by=(text(note, "DocumentNumber"),) if note else (),
        reminders=int(amount(row, "Reminders")),
        collection=true(row, "NoxFinans"),
        period_open=locked is None or issued > locked,
        is_credit_note=true(row, "Credit"),
        comment=text(row, "Comments"),
    )


def credited(original: Row, note: Row, key: str) -> Done:
    """A booked credit note in the routine's own words."""
    invoice_number = text(original, "DocumentNumber")
    total = Money(abs(amount(note, "Total")), text(note, "Currency") or "SEK")
    made = CreditNote(text(note, "DocumentNumber"), invoice_number, total, day(note, "InvoiceDate"), key)
    return Done(Effect.CREDIT, invoice_number, made)


def readable(error: NoError) -> dict[str, Any] | None:
    """Fortnox's own error object; None where the answer comes from something in between."""
    inner = error.body.get("ErrorInformation") if isinstance(error.body, dict) else None
    return {str(name).lower(): value for name, value in inner.items()} if isinstance(inner, dict) else None


def technical(error: NoError) -> bool:
    """Whether a no is about the connection (log-in, permission, a proxy) rather than about the invoice."""
    inner = readable(error)
    return inner is None or error.status in {401, 403} or text(inner, "code") in {str(code) for code in WRONG_LOGIN}


def said(error: NoError) -> str:
    """What Fortnox said, in its own words, with its code."""
    inner = readable(error)
    if inner is None:
        return str(error)
    words = text(inner, "message") or "no message"
    return f"{words.rstrip('.')} (code {text(inner, 'code') or 'unknown'})."


def token_expired(status: int, content: bytes) -> bool:
    """Whether an answer means that the token does not hold."""
    if status == 401:
        return True
    try:
        error = NoError("", status, json.loads(content))
    except ValueError:
        return False
    return text(readable(error), "code") in {str(code) for code in WRONG_LOGIN}
