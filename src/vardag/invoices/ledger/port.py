"""What the robot asks of a finance system; every adapter gives the same answers.

`do` may be called again with the same key after any doubt: an adapter first looks for what it did under that key.
It raises `LedgerRefusedError` when the system said no (nothing was done), and `ApplicationError` when nobody knows:
a broken connection, a timeout, an answer that cannot be read.
"""

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from vardag.invoices.model import BusinessError, Done, Effect, Invoice


class LedgerRefusedError(BusinessError):
    """The finance system refused, and did nothing."""


class Ledger(Protocol):
    """A finance system."""

    name: str

    def find(self, target: str) -> Sequence[Invoice]:
        """Customer invoices that carry this number or payment reference; none, one, or several."""
        ...

    def do(self, effect: Effect, invoice: Invoice, *, key: str, reason: str, on: date) -> Done:
        """Credit a posted invoice in full, or void a draft, once under this key, and say what stands there now."""
        ...

    def done(self, invoice: Invoice, *, key: str) -> Done | None:
        """What the finance system holds under this key; None where it has done nothing."""
        ...

    def check(self) -> Sequence[str]:
        """What is missing before the robot can work here, in words a person can act on; empty when all is well."""
        ...
