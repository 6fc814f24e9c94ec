"""The nouns of the routine as plain data: invoice, credit note, cancellation request, decision, money.

Amounts are `decimal.Decimal`, in the currency's main unit; dates are calendar days in the city's own time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from vardag.core.errors import VardagError


class BusinessError(VardagError):
    """A business exception: somebody has to look; it is never tried again by itself."""

    exit_code = 7


class ApplicationError(VardagError):
    """An application exception: something technical failed, before or after it acted; tried again, with a limit."""

    exit_code = 8


@dataclass(frozen=True, order=True)
class Money:
    """An amount in a currency (ISO 4217).

    >>> str(Money(Decimal("1250.5"), "SEK"))
    '1250.50 SEK'
    """

    amount: Decimal
    currency: str = "SEK"

    def __str__(self) -> str:
        return f"{self.amount:.2f} {self.currency}"


class InvoiceState(StrEnum):
    """Where an invoice stands in the finance system."""

    DRAFT = "draft"
    POSTED = "posted"
    PAID = "paid"
    CREDITED = "credited"
    VOID = "void"


@dataclass(frozen=True)
class Customer:
    """Who the invoice was sent to.

    Attributes
    ----------
    number
        Customer number in the finance system.
    organisation
        Organisation or personal identity number as the finance system writes it; empty where it knows none.
    addresses
        Electronic mail addresses that the finance system knows, in lower case.
    """

    number: str
    name: str
    organisation: str = ""
    addresses: tuple[str, ...] = ()
    internal: bool = False


@dataclass(frozen=True)
class Invoice:
    """A customer invoice (UNTDID 1001 code 380) as the finance system tells it now.

    Attributes
    ----------
    id
        The finance system's own handle, kept as text.
    number, reference
        Number on the invoice, and its payment reference (OCR) where there is one.
    total, paid
        Amount to pay with VAT, and what has been paid of it.
    credited_by
        Numbers of the credit notes that name this invoice.
    reminders, collection
        Reminders sent; whether the claim went to debt collection.
    period_open
        Whether the period of the invoice's date is open for posting.
    comment
        Free text on the invoice, where the finance system has such a field.
    """

    id: str
    number: str
    state: InvoiceState
    customer: Customer
    issued: date
    due: date
    total: Money
    reference: str = ""
    paid: Decimal = Decimal(0)
    credited_by: tuple[str, ...] = ()
    reminders: int = 0
    collection: bool = False
    period_open: bool = True
    is_credit_note: bool = False
    comment: str = ""


@dataclass(frozen=True)
class CreditNote:
    """A credit note (UNTDID 1001 code 381) in the finance system, and the invoice it names.

    Attributes
    ----------
    key
        Idempotency key it carries; empty where a person made it.
    """

    number: str
    invoice: str
    total: Money
    issued: date
    key: str = ""


class Effect(StrEnum):
    """What is done to the invoice: voided before it was posted, credited after."""

    VOID = "void"
    CREDIT = "credit"


@dataclass(frozen=True)
class Done:
    """What the finance system holds under an idempotency key: an invoice voided, or credited by a credit note.

    Attributes
    ----------
    evidence
        Name and SHA-256 of the screenshots that were taken, where a web page was worked on.
    """

    effect: Effect
    invoice: str
    credit_note: CreditNote | None = None
    evidence: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class Read:
    """One thing read in a mail: what, where, in which words, and how sure (0 to 1).

    Attributes
    ----------
    value
        In its normal form: a number without spaces, an amount as ``1250.50``, a code.
    where
        ``subject``, ``body``, ``forwarded`` or the attachment's file name.
    quote
        The words around it, as they stand.
    start, end
        Place of the value in the text of `where`, in characters.
    """

    value: str
    where: str
    quote: str
    sure: float
    start: int = 0
    end: int = 0


@dataclass(frozen=True)
class CancellationRequest:
    """What a mail asks for about one invoice, as read; it may be wrong.

    Attributes
    ----------
    number
        Invoice number; None where the mail names none.
    reason
        Code of the reason (`reading/patterns.yaml`), such as ``wrong_recipient``.
    replacement
        What is to come instead: a new invoice, a corrected one, nothing.
    part
        Set where only a part of the invoice is asked for.
    fields
        What another routine than cancelling reads, by the name its file gives it.
    doubts
        Codes of what is unclear; a request with a doubt is never acted upon without a person.
    """

    number: Read | None = None
    reference: Read | None = None
    amount: Read | None = None
    customer: Read | None = None
    organisation: Read | None = None
    reason: Read | None = None
    replacement: Read | None = None
    part: Read | None = None
    fields: Mapping[str, Read] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()

    @property
    def target(self) -> str:
        """Number that names the invoice: its own, else its payment reference, else nothing."""
        named = self.number or self.reference
        return named.value if named else ""


class MailKind(StrEnum):
    """What sort of mail it is, before anything is asked of it."""

    REQUEST = "request"
    AUTO_REPLY = "auto_reply"
    BOUNCE = "bounce"
    OWN = "own"
    OTHER = "other"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Sender:
    """Who wrote: address and name as written, and whether the receiving server could prove the domain.

    Attributes
    ----------
    proven
        True where DMARC passed, or an aligned SPF or DKIM, as told by the trusted server's Authentication-Results.
    """

    address: str
    name: str = ""
    proven: bool = False


@dataclass(frozen=True)
class MailRead:
    """A mail as read: its kind, language, and one request for every invoice that it names.

    Attributes
    ----------
    texts
        The text of every place that was read, by `Read.where`, so that a person can be shown the marks.
    doubts
        Codes of what is unclear about the mail as a whole; they hold for every request in it.
    """

    kind: MailKind
    sender: Sender
    subject: str
    language: str
    requests: tuple[CancellationRequest, ...]
    texts: Mapping[str, str] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()
    message_id: str = ""


class Action(StrEnum):
    """What is decided about a request; accepted is what is in order, and the map says who does it."""

    ACCEPT = "accept"
    CANCEL = "cancel"
    REFER = "refer"
    REJECT = "reject"


@dataclass(frozen=True)
class Decision:
    """Accept, cancel, refer to a person, or reject; with the reason codes and the version of the rules.

    Attributes
    ----------
    effect
        What to do to the invoice; None unless the action is to cancel.
    code
        The rule that settled it.
    codes
        Every rule that had something to say, the settling one first.
    facts
        Numbers and names for the answer's text, such as the credit note's number.
    """

    action: Action
    code: str
    codes: tuple[str, ...]
    version: str
    effect: Effect | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
