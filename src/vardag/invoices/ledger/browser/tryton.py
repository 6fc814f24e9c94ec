"""Tryton as the finance system, through its web client: for a town whose Tryton is not open to programs.

The robot's user is the same as over the API, with the menu besides. Every call starts from a clean desk (nothing
open, the menu, the list; after an error a new page), so that nothing an earlier call left can be mistaken for
anything. What is done is the same: the action *Credit* with refund is one transaction of the server, and is refused
on an invoice that is no longer posted; the credit note is then found from the invoice, by the origin of its *Cancel
Move*. So a call that comes twice credits once, also when it was cut off before the idempotency key was written.

The key of a credit note is written as a *note on the record* (the toolbar's Note), which nobody can change
afterwards. The note on the credit note's first line, where the API adapter writes it, is refused by the server when
it comes from the form: the client sends more than the note, and a posted invoice takes no other change. It is read
all the same, so that either adapter knows what the other did. The key of a voided draft is in its comment, as over
the API.

What the page is not asked for keeps its default: whether the period of the invoice's date is open (the server
refuses a day in a closed one). Reminders are those of the customer's claims that fell due on the same day, since
the page does not name the invoice: where there are two such invoices both show the higher number.
`credited_by` holds credit notes over the whole amount; one over a part is not looked for.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import TracebackType

from vardag.core.config import settings
from vardag.core.errors import RefusedError
from vardag.invoices.ledger.browser.chromium import Chromium, browser_program
from vardag.invoices.ledger.browser.evidence import Evidence, Shot
from vardag.invoices.ledger.browser.hands import Hands
from vardag.invoices.ledger.browser.tryton_page import Form, Row, TrytonPage, exactly, like, manners
from vardag.invoices.ledger.browser.words import ENGLISH, Words
from vardag.invoices.model import (
    ApplicationError,
    CreditNote,
    Customer,
    Done,
    Effect,
    Invoice,
    InvoiceState,
    Money,
)

STATES = {
    "draft": InvoiceState.DRAFT,
    "validated": InvoiceState.DRAFT,
    "posted": InvoiceState.POSTED,
    "paid": InvoiceState.PAID,
}
OPEN = ("draft", "validated", "posted")


class BrowserTryton:
    """A Tryton web client as a `Ledger`.

    Parameters
    ----------
    url, database
        Address of the page, and name of the database behind it.
    user, secret
        Login, and a function that gives its password when the page asks for it. Nobody else may use that user.
    evidence
        Folder for the screenshots; each call gets a folder of its own in it.
    executable
        The browser's program; None looks for Chromium on the path.
    words
        What the page calls things.
    timeout_s
        Longest that anything on the page may take.
    collection_level
        How many reminders have been sent when the claim has gone to debt collection.
    """

    name = "tryton-browser"

    def __init__(
        self,
        url: str,
        database: str,
        user: str,
        secret: Callable[[], str],
        *,
        evidence: Path,
        executable: Path | None = None,
        words: Words = ENGLISH,
        timeout_s: float = 15.0,
        collection_level: int = 3,
    ) -> None:
        self.url, self.database, self.user = url.rstrip("/"), database, user
        self.words, self.timeout_s, self.collection_level = words, timeout_s, collection_level
        self._secret, self._root = secret, evidence
        self._browser = Chromium(executable, words.locale)
        self._currencies: dict[str, str] = {}
        self._evidence: Evidence | None = None
        self._page: TrytonPage | None = None  # where the last call ended well

    @property
    def evidence(self) -> Sequence[Shot]:
        """Screenshots of the last call, with their hashes, for the audit log."""
        return tuple(self._evidence.shots) if self._evidence else ()

    @property
    def folder(self) -> Path | None:
        """Folder of the last call's screenshots."""
        return self._evidence.folder if self._evidence else None

    def close(self) -> None:
        """Close the browser."""
        self._page = None
        self._browser.close()

    def __enter__(self) -> "BrowserTryton":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def find(self, target: str) -> Sequence[Invoice]:
        """Customer invoices with this number or reference; a credit note comes as one, and says so."""
        with self._work(f"find {target}") as page:
            page.go(self.words.menu)
            columns = (self.words.number, self.words.reference)
            places = [(column, place) for column in columns for place in range(len(_rows(page, column, target)))]
            found: dict[str, Invoice] = {}
            for column, place in places:
                page.go(self.words.menu)
                _rows(page, column, target)
                page.open_row(place)
                invoice = self._invoice(page)
                found[invoice.id] = invoice
            return list(found.values())

    def do(self, effect: Effect, invoice: Invoice, *, key: str, reason: str, on: date) -> Done:
        """Credit or void once under this key."""
        done = self._do(effect, invoice, key=key, reason=reason, on=on)
        return replace(done, evidence=tuple(f"{shot.name} {shot.sha256}" for shot in self.evidence))

    def _do(self, effect: Effect, invoice: Invoice, *, key: str, reason: str, on: date) -> Done:
        with self._work(f"{effect} {invoice.number}") as page:
            others = (
                self._against(page, invoice.customer.name, invoice.total.amount) if effect is Effect.CREDIT else []
            )
            form = self._open(page, invoice)
            done, signed = self._standing(page, form, invoice, key)
            if done is None:
                if effect is Effect.CREDIT:
                    self._credit(page, form, others, on)
                else:
                    self._void(page, form, key, reason)
                done, signed = self._standing(page, self._open(page, invoice), invoice, key)
            if done is None:
                raise page.hands.wrong("verify", f"{invoice.number}: nothing stands in the books afterwards")
            if not signed:
                self._sign(page, key, reason)
            return done

    def done(self, invoice: Invoice, *, key: str) -> Done | None:
        """The credit note that cancels this invoice and is ours, or the draft that we voided."""
        with self._work(f"look {invoice.number}") as page:
            return self._standing(page, self._open(page, invoice), invoice, key)[0]

    def check(self) -> Sequence[str]:
        """Menu and rights that the robot's user lacks, or has too many of."""
        with self._work("check") as page:
            problems = []
            if self.words.administration in page.entries():
                problems.append(f"{self.user} is an administrator. Give the robot a user of its own, with less.")
            if self.words.menu[0] not in page.entries():
                problems.append(
                    f"{self.user} has no '{self.words.menu[0]}' in its menu. Give its group the menu, "
                    f"and set its language to {self.words.locale}."
                )
            else:
                page.go(self.words.menu)
            return problems

    @contextmanager
    def _work(self, what: str) -> Iterator[TrytonPage]:
        """A clean desk for one call, and a folder for its screenshots; after an error a new page."""
        if settings().offline:
            raise RefusedError(f"offline, so {self.url} is not opened. Unset VARDAG_OFFLINE.")
        browser_program(self._browser.executable)
        from playwright.sync_api import Error  # noqa: PLC0415 - an extra

        self._evidence = Evidence(self._root, what)
        page, self._page = self._page or self._new(self._evidence), None
        page.hands.evidence = self._evidence
        try:
            page.open(self.url, self.database, self.user, self._secret)
            yield page
        except Error as error:
            why = f"the page did not answer as foreseen ({type(error).__name__})"
            raise page.hands.wrong("read", why) from None
        self._page = page

    def _new(self, evidence: Evidence) -> TrytonPage:
        opened = self._browser.page(timeout_s=self.timeout_s)
        return TrytonPage(Hands(opened, evidence, manners(self.words), timeout_s=self.timeout_s), self.words)

    def _open(self, page: TrytonPage, invoice: Invoice) -> Form:
        """Open the form of this very invoice, and see that it is the one asked for."""
        page.go(self.words.menu)
        rows = page.search(**{self.words.identity: invoice.id})
        if len(rows) != 1:
            raise page.hands.wrong(
                "open", f"{invoice.number}: Tryton shows {len(rows)} invoices with ID {invoice.id}"
            )
        page.open_row(0)
        form = page.form()
        if (form.number or form.reference) != invoice.number:
            raise page.hands.wrong(
                "compare", f"the form is of {form.number or form.reference}, asked for was {invoice.number}"
            )
        if form.party != invoice.customer.name:
            raise page.hands.wrong("compare", f"{invoice.number}: the form is of another customer")
        if form.total != invoice.total.amount:
            raise page.hands.wrong(
                "compare", f"{invoice.number}: the form says {form.total}, expected was {invoice.total}"
            )
        return form

    def _standing(self, page: TrytonPage, form: Form, invoice: Invoice, key: str) -> tuple[Done | None, bool]:
        """What stands in the books under this key, and whether the key stands there too.

        Where it is a credit note, its form is left open.
        """
        nothing = (None, False)
        if form.state != "cancelled":
            return nothing
        if not form.number:
            return (Done(Effect.VOID, invoice.number), True) if key in form.comment else nothing
        if not form.cancel_move:
            return nothing
        note = self._cancelling(page, invoice)
        origin, written = page.line()
        if f"@ {invoice.number} " not in f"{origin} ":
            raise page.hands.wrong("verify", f"{note.number} does not name {invoice.number}")
        written = " ".join([written, *page.notes()]).strip()
        if key not in written and (written or page.log().created_by != page.who()):
            return nothing
        made = CreditNote(note.number, invoice.number, Money(note.total, invoice.total.currency), _day(note), key)
        return Done(Effect.CREDIT, invoice.number, made), key in written

    def _cancelling(self, page: TrytonPage, invoice: Invoice) -> Form:
        """Open the credit note that the invoice's cancelling move comes from, and see that it takes all of it."""
        (number,) = page.follow("cancel_move", self.words.fields["cancel_move"], "origin")
        page.go(self.words.menu)
        if len(_rows(page, self.words.number, number)) != 1:
            raise page.hands.wrong("verify", f"{invoice.number} is cancelled by {number}, which is not in the list")
        page.open_row(0)
        note = page.form()
        if note.number != number or note.total != -invoice.total.amount or note.state not in {"posted", "paid"}:
            raise page.hands.wrong(
                "verify", f"{note.number} over {note.total} ({note.state}) does not credit {invoice.number} in full"
            )
        return note

    def _credit(self, page: TrytonPage, form: Form, others: Sequence[str], on: date) -> None:
        """The wizard, as far as its last button."""
        if form.state != "posted":
            raise page.hands.refused("credit", f"{form.number} is {form.state}, not open any more.")
        if others:
            why = f"the customer has got a credit note over {form.total} meanwhile ({', '.join(others)})."
            raise page.hands.refused("credit", why)
        if not page.credit(on):
            why = f"{form.number} cannot be credited in full: it is not open, or partly paid."
            raise page.hands.refused("credit", why)

    def _void(self, page: TrytonPage, form: Form, key: str, reason: str) -> None:
        if form.state not in {"draft", "validated"}:
            raise page.hands.refused("void", f"{form.number or form.reference} is {form.state}, no draft any more.")
        if key not in form.comment:
            page.write_comment("\n".join(part for part in (form.comment, f"{reason} [{key}]") if part))
        page.press(self.words.buttons["cancel"])

    def _sign(self, page: TrytonPage, key: str, reason: str) -> None:
        """Write the key on the credit note whose form is open, and see it there."""
        page.write_note(f"[{key}]\n{reason}")
        if key not in " ".join(page.notes()):
            raise page.hands.wrong("verify the note", f"the note with {key} was written and is not there")

    def _against(self, page: TrytonPage, party: str, total: Decimal) -> list[str]:
        """Credit notes over this amount for this customer that have not been used up."""
        words = self.words
        page.go(words.menu)
        rows = page.search(**{words.party: like(party), words.total: words.written(-total)})
        return [
            row[words.number] or row[words.state]
            for row in rows
            if row[words.party] == party
            and words.amount(row[words.total]) == -total
            and words.states.get(row[words.state]) in OPEN
        ]

    def _invoice(self, page: TrytonPage) -> Invoice:
        """The invoice whose form is open, with what stands elsewhere."""
        form, log = page.form(claims=True), page.log()
        customer = self._customer(page)
        currency = self._currency(page, form)
        credited_by: list[str] = []
        if form.state == "cancelled" and form.number and form.cancel_move:
            credited_by = list(page.follow("cancel_move", self.words.fields["cancel_move"], "origin"))
        elif form.state == "posted" and form.total > 0:
            credited_by = self._against(page, form.party, form.total)
        reminders = self._reminders(page, form) if form.state == "posted" and form.due else 0
        issued = form.issued or date.today()
        return Invoice(
            id=log.id,
            number=form.number or form.reference,
            state=_state(form),
            customer=customer,
            issued=issued,
            due=form.due or issued,
            total=Money(form.total, currency),
            reference=form.reference,
            paid=form.total - form.to_pay if form.state in {"posted", "paid"} else Decimal(0),
            credited_by=tuple(credited_by),
            reminders=reminders,
            collection=reminders >= self.collection_level,
            is_credit_note=form.total < 0,
            comment=form.comment,
        )

    def _customer(self, page: TrytonPage) -> Customer:
        number, name, mails, known = page.customer()
        kind, code = (self.words.fields[label] for label in ("type", "code"))
        organisation = next((one[code] for one in known if one[kind] in self.words.organisations), "")
        return Customer(number, name, organisation, tuple(mails))

    def _currency(self, page: TrytonPage, form: Form) -> str:
        """ISO code of the form's currency, looked up once."""
        if form.currency not in self._currencies:
            (self._currencies[form.currency],) = page.follow("currency", self.words.fields["currency"], "code")
        return self._currencies[form.currency]

    def _reminders(self, page: TrytonPage, form: Form) -> int:
        """Reminders sent to this customer for claims that fell due on the same day."""
        words = self.words
        page.go(words.reminders)
        rows = page.search(**{words.party: like(form.party)})
        sent = [
            int(found[0]) + 1
            for row in rows
            if row[words.party] == form.party
            and row[words.fields["maturity"]] == (form.due.strftime(words.day) if form.due else "")
            and row[words.state] != words.unsent
            and (found := re.match(r"\d+", row[words.fields["level"]]))
        ]
        return max(sent, default=0)


def _rows(page: TrytonPage, column: str, text: str) -> Sequence[Row]:
    """Rows of the open list that hold exactly this in a column."""
    if not text:
        return ()
    rows = page.search(**{column: exactly(text)})
    if any(row.get(column) != text for row in rows):
        raise page.hands.wrong("search", f"the list shows other rows than those with {column} {text}")
    return rows


def _state(form: Form) -> InvoiceState:
    """Tryton cancels an invoice that was credited in full; one without a number was never posted."""
    if form.state == "cancelled":
        return InvoiceState.CREDITED if form.number else InvoiceState.VOID
    return STATES[form.state]


def _day(form: Form) -> date:
    if form.issued is None:
        raise ApplicationError(f"{form.number}: the form shows no invoice date.")
    return form.issued
