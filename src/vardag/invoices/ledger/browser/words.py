"""What Tryton's web client calls things: every label that the robot looks for, by language, and how it writes.

Tryton 8.2 and its web client are translated to some twenty languages, and Swedish is not among them, so a Swedish
town meets it in English. A town that has translated its own gives its `Words`; a page in a language that has none
here is not worked on.

Source: ``tryton-sao`` (``locale/``), ``trytond_account_invoice`` and ``trytond_party`` (``view/``).
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from vardag.invoices.model import ApplicationError


@dataclass(frozen=True)
class Words:
    """Labels as they stand on the page; the colon after a field's label is the client's own.

    Attributes
    ----------
    locale
        The browser's language, which the login page follows.
    states
        From the word in the form to Tryton's own name of the state.
    trouble
        Headings of pop-ups that are no refusal.
    """

    locale: str
    day: str
    thousands: str
    decimal: str
    # login
    login: str
    user: str
    password: str
    ok: str
    # menu
    menu: tuple[str, ...]
    reminders: tuple[str, ...]
    unsent: str
    administration: str
    # the list
    everything: str
    search: str
    number: str
    reference: str
    identity: str
    party: str
    total: str
    state: str
    # the toolbar
    switch: str
    save: str
    action: str
    logs: str
    notes: str
    # the form
    pages: dict[str, str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, str] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    organisations: frozenset[str] = frozenset()
    trouble: frozenset[str] = frozenset()

    def label(self, name: str) -> str:
        """A field's label with its colon."""
        return f"{self.fields[name]}:"

    def amount(self, text: str) -> Decimal:
        """An amount as the page writes it, with or without its currency's symbol.

        >>> ENGLISH.amount("kr -1,250.00")
        Decimal('-1250.00')
        """
        kept = text.replace(self.thousands, "").replace(self.decimal, ".")
        figures = "".join(sign for sign in kept if sign.isdigit() or sign in ".-")
        try:
            return Decimal(figures)
        except InvalidOperation:
            raise ApplicationError(f"the page shows {text!r} where an amount was expected.") from None

    def written(self, amount: Decimal) -> str:
        """An amount as it is typed.

        >>> ENGLISH.written(Decimal("-1250.00"))
        '-1250.00'
        """
        return f"{amount:f}".replace(".", self.decimal)

    def date(self, text: str) -> date:
        """A day as the page writes it."""
        try:
            return datetime.strptime(text, self.day).date()
        except ValueError:
            raise ApplicationError(f"the page shows {text!r} where a day ({self.day}) was expected.") from None


ENGLISH = Words(
    locale="en-US",
    day="%m/%d/%Y",
    thousands=",",
    decimal=".",
    login="Login",
    user="User name",
    password="Password for {user}",
    ok="OK",
    menu=("Financial", "Invoices", "Customer Invoices"),
    reminders=("Financial", "Dunnings", "Dunnings"),
    unsent="Draft",
    administration="Administration",
    everything="All",
    search="Search",
    number="Number",
    reference="Reference",
    identity="ID",
    party="Party",
    total="Total",
    state="State",
    switch="Switch",
    save="Save",
    action="Launch action",
    logs="View Logs...",
    notes="Note",
    pages={
        "invoice": "Invoice",
        "info": "Other Info",
        "payment": "Payment",
        "identifiers": "Identifiers",
        "notes": "Notes",
    },
    fields={
        "number": "Number",
        "reference": "Reference",
        "party": "Party",
        "date": "Invoice Date",
        "currency": "Currency",
        "code": "Code",
        "state": "State",
        "total": "Total",
        "to_pay": "Amount to Pay",
        "cancel_move": "Cancel Move",
        "origin": "Origin",
        "comment": "Comment",
        "maturity": "Maturity Date",
        "name": "Name",
        "type": "Type",
        "value": "Value",
        "refund": "With Refund",
        "created_by": "Created by",
        "id": "ID",
        "product": "Product",
        "message": "Message",
        "note": "Note",
        "level": "Level",
    },
    buttons={
        "open": "Open the record",
        "close": "Close",
        "cancel": "Cancel",
        "credit": "Credit",
        "new": "New",
        "discard": "Discard changes",
    },
    states={
        "Draft": "draft",
        "Validated": "validated",
        "Posted": "posted",
        "Paid": "paid",
        "Cancelled": "cancelled",
    },
    kinds={"email": "Email"},
    organisations=frozenset(
        {"Swedish Company Number", "Swedish Personal Number", "Swedish VAT Number", "European VAT Number"}
    ),
    trouble=frozenset({"Connection error", "Version mismatch"}),
)
