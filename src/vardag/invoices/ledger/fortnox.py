"""Fortnox as the finance system, by its published REST API (version 3).

Crediting is three calls: make the credit note (a draft that the invoice names in `CreditInvoiceReference`), write
the key on it, book it. Before each, what is there is looked up, so that a run that was killed anywhere is continued
and never repeated. The key stands in `ExternalInvoiceReference1`, which can be searched for.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date
from typing import Any

from vardag.core.errors import InputError
from vardag.core.net import Patience
from vardag.core.oauth import ClientCredentials, LoginError, RefreshToken, Secret
from vardag.core.rest import NoError, Pace, Rest, Tokens, UnansweredError
from vardag.invoices.ledger import fortnox_rows as rows
from vardag.invoices.ledger.fortnox_calls import Calls, told
from vardag.invoices.ledger.fortnox_rows import Row, amount, text, true
from vardag.invoices.ledger.port import LedgerRefusedError
from vardag.invoices.model import ApplicationError, Done, Effect, Invoice

ADDRESS = "https://api.fortnox.se/3"
LOGIN = "https://apps.fortnox.se/oauth-v1/token"
SCOPE = "invoice customer settings"  # no more than is called
CALLS, SECONDS = 25, 5.0  # the published rate limit
KEY_FIELDS = ("ExternalInvoiceReference1", "ExternalInvoiceReference2")
MOST_KEY, MOST_COMMENT = 80, 1024
READ = (
    ("customer invoices (scope invoice)", "/invoices?limit=1"),
    ("customers (scope customer)", "/customers?limit=1"),
    ("the locked period (scope settings)", "/settings/lockedperiod"),
)


def service_account(client_id: str, secret: Secret, *, tenant: str, url: str = LOGIN, **others: Any) -> Tokens:
    """Tokens of a service account, by client credentials and the tenant's number (DatabaseNumber)."""
    asked = {"scope": SCOPE, "headers": {"TenantId": tenant}, **others}
    return ClientCredentials(url, client_id=client_id, secret=secret, basic=True, **asked)


def consent(
    client_id: str,
    secret: Secret,
    *,
    refresh: Secret,
    store: Callable[[str], None],
    url: str = LOGIN,
    **others: Any,
) -> Tokens:
    """Tokens of a person's consent; the refresh token is replaced at each use, and `store` keeps the new one."""
    return RefreshToken(url, client_id=client_id, secret=secret, basic=True, refresh=refresh, store=store, **others)


class Fortnox:
    """A company in Fortnox.

    Parameters
    ----------
    tokens
        `service_account` or `consent`.
    page_rows
        Rows asked for at a time, 1 to 500.
    patience
        How long to wait for an answer; a write is sent again only after 429 or a renewed token.

    Notes
    -----
    An invoice that Fortnox Finans manages (`NoxFinans`) is told as gone to collection: somebody else's claim
    routine has hold of it. A draft credit note is named in `Invoice.credited_by` as well as a booked one. The total
    of a `CreditNote` is told without sign.
    """

    name = "fortnox"

    def __init__(
        self,
        tokens: Tokens,
        *,
        address: str = ADDRESS,
        page_rows: int = 100,
        offline: bool = False,
        patience: Patience | None = None,
        pace: Pace | None = None,
    ) -> None:
        rest = Rest(
            address,
            about=self.name,
            tokens=tokens,
            offline=offline,
            patience=patience,
            pace=pace or Pace(CALLS, SECONDS),
            expired=rows.token_expired,
        )
        self._calls = Calls(rest, page_rows)

    def __repr__(self) -> str:
        return f"<Fortnox {self._calls.rest!r}>"

    def find(self, target: str) -> Sequence[Invoice]:
        """Invoices and credit notes with this number or OCR number."""
        if not target.isdigit():  # both are digits; the search would match parts of text
            return ()
        with told():
            found: dict[str, Row] = {}
            if (row := self._calls.invoice(target)) and text(row, "DocumentNumber") == target:
                found[target] = row
            for item in self._calls.listed(ocr=target):
                number = text(item, "DocumentNumber")
                if text(item, "OCR") == target and number not in found and (row := self._calls.invoice(number)):
                    found[number] = row
            locked = self._calls.locked_until() if found else None
            return tuple(self._told(row, locked) for row in found.values())

    def _told(self, row: Row, locked: date | None) -> Invoice:
        note = None if true(row, "Credit") else self._calls.linked(row)
        return rows.told(row, note, self._calls.customer(text(row, "CustomerNumber")), locked)

    def do(self, effect: Effect, invoice: Invoice, *, key: str, reason: str, on: date) -> Done:
        """Credit a booked invoice in full on a day, or cancel an unbooked one, once under this key.

        Raises
        ------
        LedgerRefusedError
            Fortnox said no; where a draft credit note had been made, it was cancelled.
        ApplicationError
            Nobody knows; call again with the same key.
        """
        if not 0 < len(key) <= MOST_KEY or key != key.strip():
            raise InputError(f"fortnox: a key has 1 to {MOST_KEY} characters, found {len(key)}.")
        with told():
            original = self._calls.invoice(invoice.number)
            if original is None:
                raise LedgerRefusedError(f"fortnox: there is no invoice {invoice.number}.")
            act = self._credit if effect is Effect.CREDIT else self._void
            return act(original, key, reason, on)

    def done(self, invoice: Invoice, *, key: str) -> Done | None:
        """What is finished under this key; a draft credit note is not, and `do` continues it."""
        with told():
            original = self._calls.invoice(invoice.number)
            if original is None:
                return None
            if true(original, "Cancelled"):
                return Done(Effect.VOID, invoice.number) if _carries(original, key) else None
            note = self._calls.linked(original)
            if note is None or not _carries(note, key):
                note = self._by_key(original, key)
            return rows.credited(original, note, key) if note and true(note, "Booked") else None

    def check(self) -> Sequence[str]:
        """What cannot be read; whether the robot may also write shows only when it does."""
        missing = []
        for what, path in READ:
            try:
                self._calls.rest.json("GET", path)
            except NoError as error:
                missing.append(f"fortnox: cannot read {what}: {rows.said(error)}")
            except (UnansweredError, LoginError) as error:
                return [*missing, str(error)]
        return missing

    # Crediting

    def _credit(self, original: Row, key: str, reason: str, on: date) -> Done:
        if true(original, "Credit"):
            raise LedgerRefusedError(f"fortnox: {text(original, 'DocumentNumber')} is itself a credit note.")
        note = self._begun(original, key)
        if note is None:
            self._may_credit(original, on)
            note = self._made(original, key)
        if not true(note, "Booked"):
            try:
                note = self._booked(self._marked(original, note, key, reason, on))
            except NoError as error:
                note = self._after_no(note, key, error)
            self._tidy(original, note)
        return rows.credited(original, note, key)

    def _begun(self, original: Row, key: str) -> Row | None:
        """The credit note that a run under this key made, whole or half.

        A draft without any key is taken for the one of a run that was killed before it could write the key: when
        the case was decided, the invoice had no credit note.
        """
        note = self._calls.linked(original)
        if note and _carries(note, key):
            return note
        if mine := self._by_key(original, key):
            return mine
        if note and not _keyless_draft(original, note):
            number = text(note, "DocumentNumber")
            raise LedgerRefusedError(f"fortnox: the invoice is credited already, or about to be, by {number}.")
        return note

    def _by_key(self, original: Row, key: str) -> Row | None:
        """A credit note that carries the key, whatever the invoice says of it."""
        for item in self._calls.listed(externalinvoicereference1=key):
            if text(item, KEY_FIELDS[0]) != key:  # the search matches parts
                continue
            note = self._calls.invoice(text(item, "DocumentNumber"))
            if note and true(note, "Credit") and not true(note, "Cancelled"):
                names = text(note, "CreditInvoiceReference")
                if names not in {"", "0", text(original, "DocumentNumber")}:
                    raise LedgerRefusedError(f"fortnox: the key {key} stands on a credit note of invoice {names}.")
                return note
        return None

    def _may_credit(self, original: Row, on: date) -> None:
        """Refuse what Fortnox would refuse only after a draft was made."""
        number = text(original, "DocumentNumber")
        if true(original, "Cancelled") or not true(original, "Booked"):
            raise LedgerRefusedError(f"fortnox: invoice {number} is not booked; there is nothing to credit.")
        locked = self._calls.locked_until()
        if locked and on <= locked:
            raise LedgerRefusedError(f"fortnox: the books are locked up to {locked}; {on} cannot be posted.")

    def _made(self, original: Row, key: str) -> Row:
        """Make the draft; from here on, something was done."""
        number = text(original, "DocumentNumber")
        try:
            answer = self._calls.act(original, "credit")
        except NoError as error:
            if rows.technical(error):
                raise
            # A call that had been given up on may have made it meanwhile.
            now = self._calls.invoice(number)
            note = self._begun(now, key) if now else None
            if note is None:
                raise
            return note
        note = answer if true(answer, "Credit") else self._calls.linked(answer)
        if note is None:
            raise UnansweredError(f"fortnox: crediting {number} names no credit note.")
        return note

    def _marked(self, original: Row, note: Row, key: str, reason: str, on: date) -> Row:
        """Write key, reason and date on the draft, and see that it is still for the whole amount."""
        if not _carries(note, key) or text(note, "InvoiceDate") != on.isoformat():
            fields = {KEY_FIELDS[0]: key, "Comments": reason[:MOST_COMMENT], "InvoiceDate": on.isoformat()}
            note = self._calls.update(note, fields)
        if abs(amount(note, "Total")) != amount(original, "Total"):
            raise UnansweredError(
                f"fortnox: credit note {text(note, 'DocumentNumber')} is not for the whole amount."
            )
        return note

    def _booked(self, note: Row) -> Row:
        booked = self._calls.act(note, "bookkeep")
        if not true(booked, "Booked"):
            raise UnansweredError(f"fortnox: credit note {text(note, 'DocumentNumber')} is not booked.")
        return booked

    def _after_no(self, note: Row, key: str, refusal: NoError) -> Row:
        """The note where a call that had been given up on booked it; else cancel the draft: none is left."""
        if rows.technical(refusal):
            raise refusal
        number, why = text(note, "DocumentNumber"), rows.said(refusal)
        now = self._calls.invoice(number)
        if now and true(now, "Booked") and _carries(now, key):
            return now
        try:
            self._calls.act(note, "cancel")
        except (NoError, UnansweredError):
            raise ApplicationError(
                f"fortnox: {why} The draft credit note {number} could not be cancelled; cancel it by hand."
            ) from None
        raise LedgerRefusedError(f"fortnox: {why} The draft credit note {number} was cancelled.")

    def _tidy(self, original: Row, note: Row) -> None:
        """Cancel a second draft, made by a call that was given up on and acted late."""
        now = self._calls.invoice(text(original, "DocumentNumber"))
        other = self._calls.linked(now) if now else None
        if (
            other
            and text(other, "DocumentNumber") != text(note, "DocumentNumber")
            and _keyless_draft(original, other)
        ):
            with suppress(NoError):  # it is not in the books, and the next who looks sees it
                self._calls.act(other, "cancel")

    # Voiding

    def _void(self, original: Row, key: str, reason: str, on: date) -> Done:
        number = text(original, "DocumentNumber")
        if true(original, "Cancelled"):
            if _carries(original, key):
                return Done(Effect.VOID, number)
            raise LedgerRefusedError(f"fortnox: invoice {number} is cancelled already, by somebody else.")
        if true(original, "Booked"):
            raise LedgerRefusedError(f"fortnox: invoice {number} is booked; it can be credited, not voided.")
        if not _carries(original, key):
            free = next((name for name in KEY_FIELDS if not text(original, name)), None)
            if free is None:
                raise LedgerRefusedError(f"fortnox: both external references of invoice {number} are taken.")
            comment = "\n".join(part for part in (text(original, "Comments"), f"{on} {reason}") if part)
            original = self._calls.update(original, {free: key, "Comments": comment[:MOST_COMMENT]})
        try:
            answer = self._calls.act(original, "cancel")
        except NoError as error:
            answer = self._still_there(original, key, error)
        if not true(answer, "Cancelled"):
            raise UnansweredError(f"fortnox: invoice {number} is not cancelled.")
        return Done(Effect.VOID, number)

    def _still_there(self, original: Row, key: str, refusal: NoError) -> Row:
        """The invoice where a call that had been given up on cancelled it; else take the key off it again."""
        if rows.technical(refusal):
            raise refusal
        now = self._calls.invoice(text(original, "DocumentNumber"))
        if now and true(now, "Cancelled") and _carries(now, key):
            return now
        marked = next(name for name in KEY_FIELDS if text(original, name) == key)
        self._calls.update(original, {marked: None})  # nothing was done, so nothing says that it was
        raise refusal


def _carries(row: Row, key: str) -> bool:
    return any(text(row, name) == key for name in KEY_FIELDS)


def _keyless_draft(original: Row, note: Row) -> bool:
    """Whether a credit note is a draft for the whole amount without a key; a reference may be inherited."""
    whole = abs(amount(note, "Total")) == amount(original, "Total")
    return whole and not true(note, "Booked") and text(note, KEY_FIELDS[0]) in {"", text(original, KEY_FIELDS[0])}
