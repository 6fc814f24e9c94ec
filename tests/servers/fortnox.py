"""A stand-in for Fortnox that keeps books, and holds calls and answers to ``fortnox_contract.yaml``."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from servers.api import Api, Call, running
from servers.tokens import TokenEndpoint
from servers.web import Answer

CONTRACT = yaml.safe_load(Path(__file__).with_name("fortnox_contract.yaml").read_text(encoding="utf-8"))
RECEIVABLES, BANK, SALES = 1510, 1930, 3041
Row = dict[str, Any]


CUSTOMER = {
    "CustomerNumber": "7",
    "Name": "Ytterby Bygg AB",
    "Email": "Ekonomi@ytterby.example",
    "EmailInvoice": "faktura@ytterby.example",
    "OrganisationNumber": "556677-8899",
}
BLANK = {
    "CustomerNumber": "7", "CustomerName": "Ytterby Bygg AB", "OrganisationNumber": "556677-8899",
    "Currency": "SEK", "Booked": False, "Cancelled": False, "Credit": "false", "CreditInvoiceReference": "0",
    "Comments": "", "ExternalInvoiceReference1": "", "ExternalInvoiceReference2": "",
    "InvoiceDate": "2026-10-01", "DueDate": "2026-10-31", "NoxFinans": False,
    "Reminders": 0, "Sent": True, "VoucherNumber": 0,
}  # fmt: skip


class RefusalError(Exception):
    """A published error, by its name in the contract."""


@dataclass
class Company:
    """Invoices, credit notes and journal of a company; change it while it serves.

    Attributes
    ----------
    keeps_link
        Whether an invoice still names a credit note that was cancelled; the contract does not say.
    inherits
        Whether a credit note takes over the invoice's own reference; the contract does not say either.
    one_draft
        Whether a second credit note is refused while the first is a draft; nor this.
    """

    invoices: dict[str, Row] = field(default_factory=dict)
    customers: dict[str, Row] = field(default_factory=dict)
    journal: list[dict[int, Decimal]] = field(default_factory=list)
    locked: str | None = None
    keeps_link: bool = True
    inherits: bool = False
    one_draft: bool = False
    refuse: set[str] = field(default_factory=set)
    no_scope: str | None = None
    window: tuple[int, float] = (10_000, 1.0)
    login_status: int = 401
    tokens: TokenEndpoint = field(default_factory=TokenEndpoint)
    problems: list[str] = field(default_factory=list)
    asked_at: list[float] = field(default_factory=list)
    api: Api | None = None

    @property
    def url(self) -> str:
        assert self.api is not None
        return f"{self.api.url}/3"

    @property
    def token_url(self) -> str:
        assert self.api is not None
        return f"{self.api.url}/oauth-v1/token"

    def add(self, total: str, **fields: Any) -> Row:
        """An invoice, booked unless said otherwise."""
        number = str(1001 + len(self.invoices))
        row: Row = {**BLANK, "DocumentNumber": number, "Total": Decimal(total), "Balance": Decimal(total)}
        row["OCR"] = f"{number}5"
        self.customers.setdefault(CUSTOMER["CustomerNumber"], dict(CUSTOMER))
        booked = fields.pop("Booked", True)
        row.update(fields)
        self.invoices[number] = row
        if booked:
            self._book(row)
        return row

    def pay(self, row: Row, amount: str) -> None:
        """A payment from the customer."""
        row["Balance"] -= Decimal(amount)
        self.journal.append({BANK: Decimal(amount), RECEIVABLES: -Decimal(amount)})

    def notes(self) -> list[Row]:
        """Credit notes that stand: not cancelled."""
        return [row for row in self.invoices.values() if row["Credit"] == "true" and not row["Cancelled"]]

    def balanced(self) -> bool:
        """Whether every entry sums to nothing, and the receivables are the booked balances."""
        owed = sum(row["Balance"] for row in self.invoices.values() if row["Booked"])
        account = sum(entry.get(RECEIVABLES, Decimal(0)) for entry in self.journal)
        return all(sum(entry.values()) == 0 for entry in self.journal) and owed == account

    def answer(self, call: Call) -> Answer:
        if call.path == "/oauth-v1/token":
            return self.tokens.answer(call)
        if self._too_many():
            return Answer(b"", 429)
        if not self.tokens.allows(call):
            login = CONTRACT["errors"]["login"]
            return refusal(self.login_status, login["message"], login["code"])
        try:
            return Answer(json.dumps(self._acted(call), default=float).encode())
        except RefusalError as no:
            error = CONTRACT["errors"][str(no)]
            return refusal(error["status"], error["message"], error["code"])

    def _too_many(self) -> bool:
        now = time.monotonic()
        self.asked_at = [then for then in self.asked_at if now - then < self.window[1]] + [now]
        return len(self.asked_at) > self.window[0]

    def _acted(self, call: Call) -> Any:
        path = call.path.removeprefix("/3")
        operation = CONTRACT["operations"].get(f"{call.method} {re.sub(r'/[0-9]+', '/{number}', path)}")
        if operation is None:
            raise RefusalError("missing")
        if not call.headers.get("accept", "").startswith("application/json"):
            raise RefusalError("type")
        if set(call.query) - set(operation.get("query", [])):
            raise RefusalError("parameter")
        what, number, act = (*path.strip("/").split("/"), "", "")[:3]
        if what == self.no_scope:
            raise RefusalError("scope")
        if what == "settings":
            return {"LockedPeriod": checked("LockedPeriod", {"EndDate": self.locked}, self.problems)}
        kept = self.invoices if what == "invoices" else self.customers
        if not number:
            return self._listed(what, call.query)
        if number not in kept:
            raise RefusalError("missing")
        if what == "customers":
            return {"Customer": checked("Customer", kept[number], self.problems)}
        if call.method == "PUT":
            {"credit": self._credit, "bookkeep": self._bookkeep, "cancel": self._cancel}.get(
                act, lambda row: self._update(row, call.body)
            )(kept[number])
        return {"Invoice": checked("Invoice", kept[number], self.problems)}

    def _listed(self, what: str, query: dict[str, str]) -> Any:
        wanted = [
            (CONTRACT["searches"][name], value) for name, value in query.items() if name in CONTRACT["searches"]
        ]
        limit, page = int(query.get("limit", CONTRACT["page"]["default"])), int(query.get("page", 1))
        if len(wanted) > 1 or not 1 <= limit <= CONTRACT["page"]["most"] or page < 1:
            raise RefusalError("parameter")
        kept = self.invoices if what == "invoices" else self.customers
        found = [row for row in kept.values()
                 if all(value.lower() in str(row[name]).lower() for name, value in wanted)]  # fmt: skip
        shown = CONTRACT["schemas"]["InvoiceListItem"]
        part = found[(page - 1) * limit : page * limit]
        meta = {"@TotalResources": len(found), "@TotalPages": -(-len(found) // limit), "@CurrentPage": page}
        listed = [{name: row[name] for name in shown if name in row} for row in part]
        return {"MetaInformation": meta, what.capitalize(): listed}

    def _credit(self, row: Row) -> None:
        if not row["Booked"]:
            raise RefusalError("unbooked")
        standing = self.invoices.get(row["CreditInvoiceReference"])
        if "credit" in self.refuse or row["Credit"] == "true":
            raise RefusalError("credited")
        if standing and not standing["Cancelled"] and (standing["Booked"] or self.one_draft):
            raise RefusalError("credited")
        note = self.add(str(-row["Total"]), Booked=False, Credit="true", CustomerNumber=row["CustomerNumber"])
        note["CreditInvoiceReference"] = row["DocumentNumber"]
        if self.inherits:
            note["ExternalInvoiceReference1"] = row["ExternalInvoiceReference1"]
        row["CreditInvoiceReference"] = note["DocumentNumber"]

    def _bookkeep(self, row: Row) -> None:
        if row["Booked"]:
            raise RefusalError("booked")
        if row["Cancelled"]:
            raise RefusalError("cancelled")
        if "bookkeep" in self.refuse or (self.locked and row["InvoiceDate"] <= self.locked):
            raise RefusalError("locked")
        self._book(row)

    def _book(self, row: Row) -> None:
        row["Booked"], row["VoucherNumber"] = True, len(self.journal) + 1
        self.journal.append({RECEIVABLES: row["Total"], SALES: -row["Total"]})
        if row["Credit"] == "true":  # set off against its invoice
            original = self.invoices[row["CreditInvoiceReference"]]
            taken = min(original["Balance"], -row["Balance"])
            original["Balance"] -= taken
            row["Balance"] += taken

    def _cancel(self, row: Row) -> None:
        if row["Booked"] or "cancel" in self.refuse:
            raise RefusalError("booked")
        if row["Cancelled"]:
            raise RefusalError("cancelled")
        row.update(Cancelled=True, Balance=Decimal(0))
        if row["Credit"] == "true" and not self.keeps_link:
            self.invoices[row["CreditInvoiceReference"]]["CreditInvoiceReference"] = "0"

    def _update(self, row: Row, body: bytes) -> None:
        try:
            fields = json.loads(body)["Invoice"]
        except (ValueError, KeyError, TypeError):
            raise RefusalError("empty") from None
        if row["Booked"] or row["Cancelled"]:
            raise RefusalError("booked" if row["Booked"] else "cancelled")
        if "update" in self.refuse:
            raise RefusalError("value")
        for name, value in fields.items():
            rule = CONTRACT["schemas"]["Invoice"].get(name)
            if rule is None or rule.get("read"):
                raise RefusalError("field")
            if wrong(rule, value):
                raise RefusalError("value")
        row.update({name: "" if value is None else value for name, value in fields.items()})


def wrong(rule: dict[str, Any], value: Any) -> bool:
    """Whether a value breaks its rule; null clears a field that is not required."""
    if value is None:
        return bool(rule.get("required"))
    kinds = {"string": str, "date": str, "boolean": bool, "integer": int, "number": (int, float, Decimal)}
    if not isinstance(value, kinds[rule["type"]]) or len(str(value)) > rule.get("most", 10_000):
        return True
    if rule["type"] == "date":
        try:
            return date.fromisoformat(value).isoformat() != value
        except ValueError:
            return True
    return "values" in rule and value not in rule["values"]


def checked(schema: str, row: Row, problems: list[str]) -> Row:
    """An answer, after it was held to the contract too."""
    rules = CONTRACT["schemas"][schema]
    problems += [
        f"{schema}.{name}" for name, value in row.items() if name not in rules or wrong(rules[name], value)
    ]
    return row


def refusal(status: int, message: str, code: int = 2009999) -> Answer:
    said = {"ErrorInformation": {"error": 1, "message": message, "code": code}}
    return Answer(json.dumps(said).encode(), status)


@contextmanager
def fortnox(company: Company) -> Iterator[Company]:
    with running(Api(company.answer, refusal)) as api:
        company.api = api
        yield company
    assert company.problems == []
