"""Fortnox as the finance system, by its published REST API (version 3).

Crediting is three calls: make the credit note (a draft that the invoice names in `CreditInvoiceReference`), write
the key on it, book it. Before each, what is there is looked up, so that a run that was killed anywhere is continued
and never repeated. The key stands in `ExternalInvoiceReference1`, which can be searched for.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any
from urllib.parse import quote

from vardag.core.errors import InputError
from vardag.core.net import Patience
from vardag.core.oauth import ClientCredentials, LoginError, RefreshToken, Secret
from vardag.core.rest import NoError, Pace, Rest, Tokens, UnansweredError
from vardag.invoices.ledger import fortnox_rows as rows
from vardag.invoices.ledger.fortnox_rows import Row, amount, text, true
from vardag.invoices.ledger.port import LedgerRefusedError
from vardag.invoices.model import ApplicationError, CreditNote, Customer, Done, Effect, Invoice, Money

ADDRESS = "https://api.fortnox.se/3"
LOGIN = "https://apps.fortnox.se/oauth-v1/token"
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
    headers = {"TenantId": tenant}
    return ClientCredentials(url, client_id=client_id, secret=secret, basic=True, headers=headers, **others)


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
        self._page_rows = page_rows
        self._rest = Rest(
            address,
            about=self.name,
            tokens=tokens,
            offline=offline,
            patience=patience,
            pace=pace or Pace(CALLS, SECONDS),
            expired=rows.token_expired,
        )

    def __repr__(self) -> str:
        return f"<Fortnox {self._rest!r}>"

    def find(self, target: str) -> Sequence[Invoice]:
        """Invoices and credit notes with this number or OCR number."""
        if not target.isdigit():  # both are digits; the search would match parts of text
            return ()
        with _told():
            found: dict[str, Row] = {}
            if (row := self._invoice(target)) and text(row, "DocumentNumber") == target:
                found[target] = row
            for item in self._listed(ocr=target):
                number = text(item, "DocumentNumber")
                if text(item, "OCR") == target and number not in found and (row := self._invoice(number)):
                    found[number] = row
            locked = self._locked_until() if found else None
            return tuple(self._told(row, locked) for row in found.values())

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
        with _told():
            original = self._invoice(invoice.number)
            if original is None:
                raise LedgerRefusedError(f"fortnox: there is no invoice {invoice.number}.")
            act = self._credit if effect is Effect.CREDIT else self._void
            return act(original, key, reason, on)

    def done(self, invoice: Invoice, *, key: str) -> Done | None:
        """What is finished under this key; a draft credit note is not, and `do` continues it."""
        with _told():
            original = self._invoice(invoice.number)
            if original is None:
                return None
            if true(original, "Cancelled"):
                return Done(Effect.VOID, invoice.number) if _carries(original, key) else None
            note = self._linked(original)
            if note is None or not _carries(note, key):
                note = self._by_key(original, key)
            return _credited(original, note, key) if note and true(note, "Booked") else None

    def check(self) -> Sequence[str]:
        """What cannot be read; whether the robot may also write shows only when it does."""
        missing = []
        for what, path in READ:
            try:
                self._rest.json("GET", path)
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
            note = self._made(original)
        if not true(note, "Booked"):
            try:
                note = self._booked(self._marked(original, note, key, reason, on))
            except NoError as error:
                if rows.technical(error):
                    raise
                self._undo(note, error)
        return _credited(original, note, key)

    def _begun(self, original: Row, key: str) -> Row | None:
        """The credit note that a run under this key made, whole or half.

        A draft without any key is taken for the one of a run that was killed before it could write the key: when
        the case was decided, the invoice had no credit note.
        """
        note = self._linked(original)
        if note is None:
            return self._by_key(original, key)
        if _carries(note, key):
            return note
        number, other = text(note, "DocumentNumber"), text(note, KEY_FIELDS[0])
        if true(note, "Booked") or other not in {"", text(original, KEY_FIELDS[0])}:
            raise LedgerRefusedError(f"fortnox: the invoice is credited already, by {number}.")
        if abs(amount(note, "Total")) != amount(original, "Total"):
            raise LedgerRefusedError(
                f"fortnox: credit note {number} is begun, for another amount than the invoice's."
            )
        return note

    def _linked(self, original: Row) -> Row | None:
        """The credit note that the invoice names, unless it was cancelled."""
        number = text(original, "CreditInvoiceReference")
        note = self._invoice(number) if number not in {"", "0"} else None
        return note if note and not true(note, "Cancelled") else None

    def _by_key(self, original: Row, key: str) -> Row | None:
        """A credit note that carries the key, whatever the invoice says of it."""
        for item in self._listed(externalinvoicereference1=key):
            if text(item, KEY_FIELDS[0]) != key:  # the search matches parts
                continue
            note = self._invoice(text(item, "DocumentNumber"))
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
        locked = self._locked_until()
        if locked and on <= locked:
            raise LedgerRefusedError(f"fortnox: the books are locked up to {locked}; {on} cannot be posted.")

    def _made(self, original: Row) -> Row:
        """Make the draft; from here on, something was done."""
        path = f"/invoices/{_safe(original)}/credit"
        answer = rows.invoice(self._rest.json("PUT", path))
        if true(answer, "Credit"):
            return answer
        note = self._linked(answer)
        if note is None:
            raise UnansweredError(f"fortnox: {path} names no credit note.")
        return note

    def _marked(self, original: Row, note: Row, key: str, reason: str, on: date) -> Row:
        """Write key, reason and date on the draft, and see that it is still for the whole amount."""
        if not _carries(note, key) or text(note, "InvoiceDate") != on.isoformat():
            fields = {KEY_FIELDS[0]: key, "Comments": reason[:MOST_COMMENT], "InvoiceDate": on.isoformat()}
            note = self._updated(note, fields)
        if abs(amount(note, "Total")) != amount(original, "Total"):
            raise UnansweredError(
                f"fortnox: credit note {text(note, 'DocumentNumber')} is not for the whole amount."
            )
        return note

    def _booked(self, note: Row) -> Row:
        booked = rows.invoice(self._rest.json("PUT", f"/invoices/{_safe(note)}/bookkeep"))
        if not true(booked, "Booked"):
            raise UnansweredError(f"fortnox: credit note {text(note, 'DocumentNumber')} is not booked.")
        return booked

    def _undo(self, note: Row, refusal: NoError) -> None:
        """Cancel the draft after a definite no, so that nothing is left of it."""
        number, why = text(note, "DocumentNumber"), rows.said(refusal)
        try:
            self._rest.json("PUT", f"/invoices/{_safe(note)}/cancel")
        except (NoError, UnansweredError):
            raise ApplicationError(
                f"fortnox: {why} The draft credit note {number} could not be cancelled; cancel it by hand."
            ) from None
        raise LedgerRefusedError(f"fortnox: {why} The draft credit note {number} was cancelled.") from None

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
            original = self._updated(original, {free: key, "Comments": comment[:MOST_COMMENT]})
        try:
            answer = rows.invoice(self._rest.json("PUT", f"/invoices/{_safe(original)}/cancel"))
        except NoError as error:
            if not rows.technical(error):
                marked = next(name for name in KEY_FIELDS if text(original, name) == key)
                self._updated(original, {marked: None})  # nothing was done, so nothing says that it was
            raise
        if not true(answer, "Cancelled"):
            raise UnansweredError(f"fortnox: invoice {number} is not cancelled.")
        return Done(Effect.VOID, number)

    # Reading

    def _got(self, path: str, **params: Any) -> Any:
        """An answer to a question, None where there is no such thing; any other no is a fault of the connection."""
        try:
            return self._rest.json("GET", path, params=params)
        except NoError as error:
            if error.status == 404 and rows.readable(error):
                return None
            raise UnansweredError(str(error)) from None

    def _invoice(self, number: str) -> Row | None:
        answer = self._got(f"/invoices/{quote(number, safe='')}")
        return None if answer is None else rows.invoice(answer)

    def _updated(self, row: Row, fields: Mapping[str, str | None]) -> Row:
        return rows.invoice(self._rest.json("PUT", f"/invoices/{_safe(row)}", json={"Invoice": dict(fields)}))

    def _listed(self, **search: str) -> Iterator[Row]:
        """Rows of a search, over all its pages; only one field may be searched at a time."""
        page, pages = 1, 1
        while page <= pages:
            found, pages = rows.page(self._got("/invoices", **search, limit=self._page_rows, page=page))
            yield from found
            page += 1

    def _locked_until(self) -> date | None:
        return rows.locked(self._got("/settings/lockedperiod"))

    def _customer(self, number: str) -> Row:
        answer = self._got(f"/customers/{quote(number, safe='')}")
        return {} if answer is None else rows.part(answer, "Customer")

    def _told(self, row: Row, locked: date | None) -> Invoice:
        """An invoice in the routine's own words."""
        note = None if true(row, "Credit") else self._linked(row)
        who = self._customer(text(row, "CustomerNumber"))
        issued = rows.day(row, "InvoiceDate")
        addresses = (text(who, name).lower() for name in ("Email", "EmailInvoice"))
        return Invoice(
            id=text(row, "DocumentNumber"),
            number=text(row, "DocumentNumber"),
            state=rows.state(row, note),
            customer=Customer(
                number=text(row, "CustomerNumber"),
                name=text(row, "CustomerName") or text(who, "Name"),
                organisation=text(who, "OrganisationNumber") or text(row, "OrganisationNumber"),
                addresses=tuple(dict.fromkeys(address for address in addresses if address)),
            ),
            issued=issued,
            due=rows.day(row, "DueDate", otherwise=issued),
            total=Money(amount(row, "Total"), text(row, "Currency") or "SEK"),
            reference=text(row, "OCR"),
            paid=rows.paid(row, note),
            credited_by=(text(note, "DocumentNumber"),) if note else (),
            reminders=int(amount(row, "Reminders")),
            collection=true(row, "NoxFinans"),
            period_open=locked is None or issued > locked,
            is_credit_note=true(row, "Credit"),
            comment=text(row, "Comments"),
        )


def _carries(row: Row, key: str) -> bool:
    return any(text(row, name) == key for name in KEY_FIELDS)


def _safe(row: Row) -> str:
    """The document number, for an address."""
    return quote(text(row, "DocumentNumber"), safe="")


def _credited(original: Row, note: Row, key: str) -> Done:
    invoice = text(original, "DocumentNumber")
    total = Money(abs(amount(note, "Total")), text(note, "Currency") or "SEK")
    issued = rows.day(note, "InvoiceDate")
    return Done(Effect.CREDIT, invoice, CreditNote(text(note, "DocumentNumber"), invoice, total, issued, key))


@contextmanager
def _told() -> Iterator[None]:
    """Errors of the service in the routine's words: a definite no, or that nobody knows."""
    try:
        yield
    except (UnansweredError, LoginError) as error:
        raise ApplicationError(str(error)) from None
    except NoError as error:
        if rows.technical(error):
            raise ApplicationError(str(error)) from None
        raise LedgerRefusedError(f"fortnox: {rows.said(error)}") from None
