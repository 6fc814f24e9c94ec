"""A finance system in memory: for the tests and the speed of the robot itself; it keeps books like the others."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from itertools import count
from threading import Lock

from vardag.invoices.ledger.port import LedgerRefusedError
from vardag.invoices.model import CreditNote, Done, Effect, Invoice, InvoiceState, Money


class MemoryLedger:
    """Invoices and credit notes in dictionaries, as a `Ledger`."""

    name = "memory"

    def __init__(self, invoices: Iterable[Invoice]) -> None:
        self.invoices = {invoice.id: invoice for invoice in invoices}
        self.notes: list[CreditNote] = []
        self.voided: dict[str, str] = {}
        self._by_name: dict[str, list[str]] = {}
        self._by_key: dict[str, CreditNote] = {}
        self._numbers = count(1)
        self._lock = Lock()
        for invoice in self.invoices.values():
            for name in {invoice.number, invoice.reference} - {""}:
                self._by_name.setdefault(name, []).append(invoice.id)

    def find(self, target: str) -> Sequence[Invoice]:
        """Invoices with this number or payment reference."""
        return [self.invoices[number] for number in self._by_name.get(target, ())]

    def do(self, effect: Effect, invoice: Invoice, *, key: str, reason: str, on: date) -> Done:
        """Credit or void once under this key."""
        with self._lock:
            if found := self.done(invoice, key=key):
                return found
            now = self.invoices[invoice.id]
            asked = InvoiceState.POSTED if effect is Effect.CREDIT else InvoiceState.DRAFT
            if now.state is not asked or now.credited_by:
                raise LedgerRefusedError(f"{now.number} is {now.state}, not {asked}.")
            if effect is Effect.VOID:
                self.voided[now.id] = key
                self.invoices[now.id] = replace(now, state=InvoiceState.VOID)
                return Done(effect, now.number)
            owed = Money(-now.total.amount, now.total.currency)
            note = CreditNote(f"K{next(self._numbers):06d}", now.number, owed, on, key)
            self.notes.append(note)
            self._by_key[key] = note
            self.invoices[now.id] = replace(now, state=InvoiceState.CREDITED, credited_by=(note.number,))
            return Done(effect, now.number, note)

    def done(self, invoice: Invoice, *, key: str) -> Done | None:
        """What stands under this key."""
        if self.voided.get(invoice.id) == key:
            return Done(Effect.VOID, invoice.number)
        found = self._by_key.get(key)
        named = found is not None and found.number in self.invoices[invoice.id].credited_by
        return Done(Effect.CREDIT, invoice.number, found) if named else None

    def check(self) -> Sequence[str]:
        """Nothing is missing."""
        return ()
