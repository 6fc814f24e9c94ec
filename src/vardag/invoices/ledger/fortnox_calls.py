"""The calls to Fortnox that the adapter is made of, each one request, but for lists with their pages."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any
from urllib.parse import quote

from vardag.core.oauth import LoginError
from vardag.core.rest import NoError, Rest, UnansweredError
from vardag.invoices.ledger import fortnox_rows as rows
from vardag.invoices.ledger.fortnox_rows import Row, text
from vardag.invoices.ledger.port import LedgerRefusedError
from vardag.invoices.model import ApplicationError


class Calls:
    """Fortnox as its own nouns and verbs."""

    def __init__(self, rest: Rest, page_rows: int) -> None:
        self.rest = rest
        self._page_rows = page_rows

    def invoice(self, number: str) -> Row | None:
        """An invoice or credit note, whole; None where there is none of this number."""
        answer = self._got(f"/invoices/{quote(number, safe='')}")
        return None if answer is None else rows.invoice(answer)

    def linked(self, original: Row) -> Row | None:
        """The credit note that an invoice names, unless it was cancelled."""
        number = text(original, "CreditInvoiceReference")
        note = self.invoice(number) if number not in {"", "0"} else None
        return note if note and not rows.true(note, "Cancelled") else None

    def listed(self, **search: str) -> Iterator[Row]:
        """Rows of a search, over all its pages; only one field may be searched at a time."""
        page, pages = 1, 1
        while page <= pages:
            found, pages = rows.page(self._got("/invoices", **search, limit=self._page_rows, page=page))
            yield from found
            page = page + 1 if found else pages + 1

    def locked_until(self) -> date | None:
        """Last day that can no longer be posted on."""
        return rows.locked(self._got("/settings/lockedperiod"))

    def customer(self, number: str) -> Row:
        """A customer; empty where it was removed."""
        answer = self._got(f"/customers/{quote(number, safe='')}")
        return {} if answer is None else rows.part(answer, "Customer")

    def update(self, row: Row, fields: Mapping[str, str | None]) -> Row:
        """Write fields of an unbooked invoice or credit note; None clears one."""
        return self._put(row, "", json={"Invoice": dict(fields)})

    def act(self, row: Row, verb: str) -> Row:
        """``credit``, ``bookkeep`` or ``cancel``."""
        return self._put(row, f"/{verb}")

    def _put(self, row: Row, tail: str, **asked: Any) -> Row:
        number = quote(text(row, "DocumentNumber"), safe="")
        return rows.invoice(self.rest.json("PUT", f"/invoices/{number}{tail}", **asked))

    def _got(self, path: str, **params: Any) -> Any:
        """An answer to a question, None where there is no such thing; any other no is a fault of the connection."""
        try:
            return self.rest.json("GET", path, params=params)
        except NoError as error:
            if error.status == 404 and rows.readable(error):
                return None
            raise UnansweredError(str(error)) from None


@contextmanager
def told() -> Iterator[None]:
    """Errors of the service in the routine's words: a definite no, or that nobody knows."""
    try:
        yield
    except (UnansweredError, LoginError) as error:
        raise ApplicationError(str(error)) from None
    except NoError as error:
        if rows.technical(error):
            raise ApplicationError(str(error)) from None
        raise LedgerRefusedError(f"fortnox: {rows.said(error)}") from None
