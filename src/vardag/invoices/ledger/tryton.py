"""Tryton as the finance system, over its JSON-RPC with a user that may read invoices and write on them, no more.

Crediting is the wizard ``account.invoice.credit`` with refund: in one transaction of the server the credit note is
posted, reconciled with the invoice, and the invoice becomes *cancelled*. The same wizard is refused on an invoice
that is no longer *posted*, so a call that comes twice credits once. A posted credit note takes no more text than a
note on its lines, so the idempotency key is written there, in a second call; between the two it is known as ours
by its origin (the invoice's lines) and by the user who made it. A draft is voided by ``cancel``; its key is
written in its comment first.

Source: Tryton 8.2, ``trytond_account_invoice`` (``Invoice.credit``, ``CreditInvoice``, ``Invoice.cancel``).
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from vardag.invoices.ledger.port import LedgerRefusedError
from vardag.invoices.ledger.tryton_rpc import TrytonServer
from vardag.invoices.model import ApplicationError, CreditNote, Customer, Done, Effect, Invoice, InvoiceState, Money

FIELDS = (
    "number",
    "state",
    "invoice_date",
    "total_amount",
    "amount_to_pay",
    "currency.code",
    "reference",
    "comment",
    "lines_to_pay",
    "party.code",
    "party.name",
    "party.identifiers",
    "party.contact_mechanisms",
    "move.period.state",
)
NOTE_FIELDS = ("number", "total_amount", "currency.code", "invoice_date", "create_uid", "lines")
MOST = 1000  # rows of one answer
PERSONS_AND_COMPANIES = {"se_orgnr", "se_personnummer", "se_vat", "eu_vat"}
STATES = {
    "draft": InvoiceState.DRAFT,
    "validated": InvoiceState.DRAFT,
    "posted": InvoiceState.POSTED,
    "paid": InvoiceState.PAID,
}
NEEDED = ("account.invoice", "account.invoice.line", "account.dunning", "party.party")
Row = Mapping[str, Any]


class Tryton:
    """A Tryton server as a `Ledger`.

    Parameters
    ----------
    server
        A session as the robot's own user; nobody else may use that user.
    collection_level
        How many reminders have been sent when the claim has gone to debt collection.
    """

    name = "tryton"

    def __init__(self, server: TrytonServer, *, collection_level: int = 3) -> None:
        self.server, self.collection_level = server, collection_level

    def find(self, target: str) -> Sequence[Invoice]:
        """Customer invoices with this number or reference; a credit note comes as one, and says so."""
        named = [["OR", ("number", "=", target), ("reference", "=", target)], ("type", "=", "out")]
        return [self._invoice(row) for row in self._search(named, FIELDS)]

    def do(self, effect: Effect, invoice: Invoice, *, key: str, reason: str, on: date) -> Done:
        """Credit or void once under this key."""
        done = self.done(invoice, key=key)
        if done is None and effect is Effect.CREDIT:
            self._credit(invoice, on)
        if done is None and effect is Effect.VOID:
            self._void(invoice, key, reason)
        if effect is Effect.CREDIT:
            self._label(invoice, key, reason)
        done = self.done(invoice, key=key)
        if done is None:
            raise ApplicationError(f"{invoice.number}: Tryton answered, but nothing stands in the books.")
        return done

    def done(self, invoice: Invoice, *, key: str) -> Done | None:
        """The credit note that names this invoice and is ours, or the draft that we voided."""
        row = self._now(invoice)
        if row["state"] == "cancelled" and row["number"] is None:
            return Done(Effect.VOID, invoice.number) if key in (row["comment"] or "") else None
        for note in self._notes(int(invoice.id)):
            if self._is_ours(note, key):
                made = CreditNote(note["number"], invoice.number, _money(note), note["invoice_date"], key)
                return Done(Effect.CREDIT, invoice.number, made)
        return None

    def check(self) -> Sequence[str]:
        """Rights that the robot's user lacks, or has too many of."""
        problems = []
        for model in NEEDED:
            try:
                self.server.call(f"model.{model}.search", [], 0, 1, None)
            except LedgerRefusedError as error:
                problems.append(f"{self.server.user} may not read {model}: {error}")
        if self.server.call("model.res.user.get_preferences", True).get("administrator"):
            problems.append(f"{self.server.user} is an administrator. Give the robot a user of its own, with less.")
        return problems

    def _credit(self, invoice: Invoice, on: date) -> None:
        if others := self._notes(int(invoice.id)):
            numbers = ", ".join(note["number"] or "draft" for note in others)
            raise LedgerRefusedError(f"{invoice.number} has got a credit note meanwhile ({numbers}).")
        record = int(invoice.id)
        context = {"active_model": "account.invoice", "active_id": record, "active_ids": [record]}
        wizard, *_ = self.server.call("wizard.account.invoice.credit.create")
        start = self.server.call("wizard.account.invoice.credit.execute", wizard, {}, "start", **context)
        offered = start["view"]["defaults"]
        if not offered.get("with_refund"):
            raise LedgerRefusedError(
                f"{invoice.number} cannot be credited in full: it is not open, or partly paid."
            )
        chosen = {**offered, "invoice_date": on}
        self.server.call("wizard.account.invoice.credit.execute", wizard, {"start": chosen}, "credit", **context)
        self.server.call("wizard.account.invoice.credit.delete", wizard)

    def _void(self, invoice: Invoice, key: str, reason: str) -> None:
        row = self._now(invoice)
        if row["state"] not in {"draft", "validated"}:
            raise LedgerRefusedError(f"{invoice.number} is {row['state']}, no draft any more.")
        signed = "\n".join(part for part in (row["comment"], f"{reason} [{key}]") if part)
        self.server.call("model.account.invoice.write", [row["id"]], {"comment": signed})
        self.server.call("model.account.invoice.cancel", [row["id"]])

    def _label(self, invoice: Invoice, key: str, reason: str) -> None:
        """Write the key on our credit note, unless it is there."""
        for note in self._notes(int(invoice.id)):
            if self._is_ours(note, key) and not note["keys"]:
                signed = {"note": f"{reason} [{key}]"}
                self.server.call("model.account.invoice.line.write", list(note["lines"][:1]), signed)

    def _is_ours(self, note: Row, key: str) -> bool:
        """A credit note that carries the key, or that our user made a moment ago and has not signed yet."""
        return key in note["keys"] or (not note["keys"] and note["create_uid"] == self.server.user_id)

    def _now(self, invoice: Invoice) -> Row:
        found = self._search([("id", "=", int(invoice.id))], ("state", "number", "comment"))
        if not found:
            raise ApplicationError(f"{invoice.number}: Tryton no longer shows invoice {invoice.id}.")
        return found[0]

    def _notes(self, record: int) -> list[Row]:
        """Credit notes that come from this invoice's lines, drafts too, those that are cancelled not."""
        clause = [("origin_invoices", "=", record), ("state", "!=", "cancelled")]
        found = self._search(clause, NOTE_FIELDS)
        told = {
            line["id"]: line["note"] or "" for line in self._read("account.invoice.line", found, "lines", "note")
        }
        return [{**note, "keys": " ".join(told[line] for line in note["lines"]).strip()} for note in found]

    def _invoice(self, row: Row) -> Invoice:
        total = row["total_amount"]
        credited_by = [] if total < 0 else [note["number"] or "" for note in self._notes(row["id"])]
        claims = self._read("account.move.line", [row], "lines_to_pay", "maturity_date")
        reminders = self._reminders([claim["id"] for claim in claims])
        issued = row["invoice_date"] or date.today()
        return Invoice(
            id=str(row["id"]),
            number=row["number"] or row["reference"] or "",
            state=_state(row, credited=bool(credited_by)),
            customer=self._customer(row["party."]),
            issued=issued,
            due=min((claim["maturity_date"] for claim in claims if claim["maturity_date"]), default=issued),
            total=_money(row),
            reference=row["reference"] or "",
            paid=total - row["amount_to_pay"] if row["state"] in {"posted", "paid"} else Decimal(0),
            credited_by=tuple(credited_by),
            reminders=reminders,
            collection=reminders >= self.collection_level,
            period_open=_period(row) == "open",
            is_credit_note=total < 0,
            comment=row["comment"] or "",
        )

    def _customer(self, party: Row) -> Customer:
        ways = self._read("party.contact_mechanism", [party], "contact_mechanisms", "type", "value")
        known = self._read("party.identifier", [party], "identifiers", "type", "code")
        mails = tuple(way["value"].strip().lower() for way in ways if way["type"] == "email" and way["value"])
        number = next((one["code"] for one in known if one["type"] in PERSONS_AND_COMPANIES), "")
        return Customer(party["code"] or str(party["id"]), party["name"] or "", number, mails)

    def _reminders(self, claims: Sequence[int]) -> int:
        """Reminders sent for an invoice's claims: the place of the level that the dunning has reached."""
        clause = [("line", "in", list(claims)), ("state", "!=", "draft"), ("active", "in", [True, False])]
        found = self._search(clause, ("level.rec_name",), model="account.dunning") if claims else []
        return max((int(one["level."]["rec_name"].partition("@")[0]) + 1 for one in found), default=0)

    def _search(self, clause: Sequence[Any], fields: Sequence[str], *, model: str = "account.invoice") -> list[Row]:
        return list(self.server.call(f"model.{model}.search_read", list(clause), 0, MOST, None, list(fields)))

    def _read(self, model: str, rows: Sequence[Row], field: str, *fields: str) -> list[Row]:
        """Records that a field of these rows points at."""
        ids = [number for row in rows for number in row[field] or ()]
        return list(self.server.call(f"model.{model}.read", ids, list(fields))) if ids else []


def _state(row: Row, *, credited: bool) -> InvoiceState:
    """Tryton cancels an invoice that was credited in full; one without a number was never posted."""
    if row["state"] == "cancelled":
        return InvoiceState.CREDITED if row["number"] else InvoiceState.VOID
    if credited and row["state"] == "paid":
        return InvoiceState.CREDITED
    return STATES[row["state"]]


def _money(row: Row) -> Money:
    return Money(row["total_amount"], row["currency."]["code"])


def _period(row: Row) -> str:
    """State of the period of the invoice's posting; a draft has none yet."""
    return str(((row["move."] or {}).get("period.") or {}).get("state", "open"))
