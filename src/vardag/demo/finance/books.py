"""Make the empty books of a town in Tryton: company, chart of accounts, years, tax, payment, reminders and users.

Run as a program of its own (`python -m vardag.demo.finance.books`), since Tryton keeps its configuration and its
modules in the process. What people do in the finance system is done here through Tryton's own client library; the
robot itself only ever speaks to the server.
"""

import json
import os
import sys
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

MODULES = ("account_invoice", "account_dunning")
COMPANY = "Ytterby kommun"
ROBOT_GROUP = "Vardag robot"
YEARS_BACK = 3

# What the robot may do, and nothing else: credit and void, read what it decides on. It may delete nothing.
READ = (
    "account.account",
    "account.account.type",
    "account.configuration",
    "account.dunning",
    "account.dunning.level",
    "account.fiscalyear",
    "account.invoice.payment_term",
    "account.invoice.tax",
    "account.journal",
    "account.move",
    "account.move.line",
    "account.move.reconciliation",
    "account.period",
    "account.tax",
    "company.company",
    "currency.currency",
    "ir.sequence.strict",
    "party.address",
    "party.contact_mechanism",
    "party.identifier",
    "party.party",
    "product.category",
    "product.product",
    "product.template",
)
WRITE = ("account.invoice", "account.invoice.line")


PAPER = b"""{% for invoice in records %}${invoice.number} ${invoice.total_amount}
{% end %}"""


@dataclass(frozen=True)
class Entry:
    """An invoice to write into the books.

    Attributes
    ----------
    customer
        Place of the customer in the list of customers.
    state
        ``draft``, ``posted``, ``part_paid``, ``paid`` or ``credited``.
    reminders
        Reminders to have been sent; the last level stands for debt collection.
    number
        Number it got when it was posted; a draft's own reference.
    """

    customer: int
    what: str
    net: Decimal
    issued: date
    state: str = "posted"
    reference: str = ""
    reminders: int = 0
    number: str = ""


@dataclass(frozen=True)
class Party:
    """A customer to write into the books."""

    name: str
    email: str
    organisation: str = ""
    code: str = ""


class Books:
    """Tryton's database seen through its client library, by somebody who may do everything."""

    def __init__(self, database: str, configuration: Path) -> None:
        from proteus import config as proteus  # noqa: PLC0415 - GPL: only in the program that makes the demo's books

        self.config = proteus.set_trytond(database, config_file=str(configuration))
        self.config.skip_warning = True  # old dates are meant

    def get(self, model: str) -> Any:
        """Class of a Tryton model."""
        from proteus import Model  # noqa: PLC0415

        return Model.get(model, config=self.config)

    def first(self, model: str, *clause: Any) -> Any:
        """First record that fits."""
        return self.get(model).find(list(clause), limit=1)[0]

    def wizard(self, name: str, records: Any = None) -> Any:
        """Start a wizard."""
        from proteus import Wizard  # noqa: PLC0415

        return Wizard(name, records, config=self.config)


def make(books: Books, *, today: date, robot_password: str) -> None:
    """Write company, chart, years, tax, payment method, reminder levels and the robot's user."""
    _company(books)
    _chart(books)
    for year in range(today.year - YEARS_BACK, today.year + 2):
        _year(books, year)
    _tax(books)
    _payment(books)
    _levels(books)
    _paper(books)
    _robot(books, robot_password)


def _company(books: Books) -> None:
    currency = books.get("currency.currency")(name="Svensk krona", code="SEK", symbol="kr", numeric_code="752")
    currency.rates.new(date=date(2000, 1, 1), rate=Decimal(1))
    currency.save()
    party = books.get("party.party")(name=COMPANY)
    party.save()
    company = books.wizard("company.company.config")
    company.execute("company")
    company.form.party, company.form.currency = party, currency
    company.execute("add")
    user = books.get("res.user")(books.config.user)
    user.companies.append(books.first("company.company"))
    user.company = books.first("company.company")
    user.save()
    books.config._context = books.get("res.user").get_preferences(True, {})


def _chart(books: Books) -> None:
    data = books.get("ir.model.data")
    template = data.get_id("account", "account_template_root_en", books.config.context)
    chart = books.wizard("account.create_chart")
    chart.execute("account")
    chart.form.account_template = books.get("account.account.template")(template)
    chart.form.company = books.first("company.company")
    chart.execute("create_account")
    chart.form.account_receivable = _account(books, "receivable")
    chart.form.account_payable = _account(books, "payable")
    chart.execute("create_properties")


def _account(books: Books, kind: str) -> Any:
    return books.first("account.account", (f"type.{kind}", "=", True), ("closed", "!=", True))


def _year(books: Books, year: int) -> None:
    kinds = books.get("ir.sequence.type")
    sequence = books.get("ir.sequence.strict")
    company = books.first("company.company")
    journal = sequence(name=f"Verifikat {year}", sequence_type=kinds.find([("name", "=", "Account Move")])[0])
    journal.company = company
    journal.save()
    fiscal = books.get("account.fiscalyear")(name=str(year), company=company, move_sequence=journal)
    fiscal.start_date, fiscal.end_date = date(year, 1, 1), date(year, 12, 31)
    numbers = fiscal.invoice_sequences[0]
    for field, prefix in (("out_invoice_sequence", "F"), ("out_credit_note_sequence", "K")):
        own = sequence(name=f"{prefix} {year}", sequence_type=kinds.find([("name", "=", "Invoice")])[0])
        own.company, own.prefix, own.padding = company, f"{prefix}{year % 100:02d}", 6
        own.save()
        setattr(numbers, field, own)
    numbers.in_invoice_sequence, numbers.in_credit_note_sequence = numbers.out_invoice_sequence, own
    fiscal.save()
    fiscal.click("create_period")


def _tax(books: Books) -> None:
    owed = books.first("account.account", ("code", "=", "6.3.6"))
    tax = books.get("account.tax")(
        name="Moms 25 %", description="Moms 25 %", type="percentage", rate=Decimal("0.25")
    )
    tax.invoice_account = tax.credit_note_account = owed
    tax.save()


def _payment(books: Books) -> None:
    cash = books.first("account.account", ("code", "=", "1.1.1"))
    journal = books.first("account.journal", ("type", "=", "cash"))
    method = books.get("account.invoice.payment.method")(name="Bankgiro", journal=journal)
    method.credit_account = method.debit_account = cash
    method.save()
    term = books.get("account.invoice.payment_term")(name="30 dagar")
    term.lines.new(type="remainder").relativedeltas.new(days=30)
    term.save()


def _levels(books: Books) -> None:
    procedure = books.get("account.dunning.procedure")(name="Krav")
    for days in (10, 30, 60):
        procedure.levels.new(overdue=timedelta(days=days))
    procedure.save()


def _paper(books: Books) -> None:
    """A plain text as the printed invoice: Tryton prints at every posting, and its own sheet takes longest."""
    report = books.first("ir.action.report", ("report_name", "=", "account.invoice"))
    report.template_extension, report.extension, report.report_content_custom = "txt", "", PAPER
    report.save()


def _robot(books: Books, password: str) -> None:
    group = books.get("res.group")(name=ROBOT_GROUP)
    models = books.get("ir.model")
    for name in sorted({*READ, *WRITE}):
        if models.find([("name", "=", name)]):
            may = name in WRITE
            group.model_access.new(model=name, perm_read=True, perm_write=may, perm_create=False, perm_delete=False)
    group.save()
    menu = books.first("ir.ui.menu", ("name", "=", "Financial"), ("parent", "=", None))
    menu.groups.append(books.get("res.group")(group.id))  # a robot at the web page goes the way of people: the menu
    menu.save()
    user = books.get("res.user")(name="Vardag", login="vardag", password=password)
    user.groups.append(group)
    company = books.first("company.company")
    user.companies.append(company)
    user.company = company
    user.save()


def write(books: Books, parties: list[Party], entries: list[Entry]) -> list[Entry]:
    """Write customers and invoices, and give the invoices back with their numbers, in the order of their dates.

    Tryton gives numbers in the order of dates, and refuses an earlier date after a later one.
    """
    customers = _customers(books, parties)
    in_time = sorted(entries, key=lambda entry: entry.issued)
    invoice = books.get("account.invoice")
    ids = invoice._proxy.create(_invoices(books, customers, in_time), books.config.context)
    invoice._proxy.post(
        [id_ for id_, entry in zip(ids, in_time, strict=True) if entry.state != "draft"], books.config.context
    )
    records = [invoice(number) for number in ids]
    for record, entry in zip(records, in_time, strict=True):
        _paid(books, record, entry)
        _reminded(books, record, entry)
    credited = [record for record, entry in zip(records, in_time, strict=True) if entry.state == "credited"]
    if credited:
        books.wizard("account.invoice.credit", credited).execute("credit")
    return [
        replace(entry, number=record.number or entry.reference)
        for record, entry in zip(records, in_time, strict=True)
    ]


def _customers(books: Books, parties: list[Party]) -> list[int]:
    rows = [
        {
            "name": party.name,
            "code": party.code or None,
            "addresses": [("create", [{"street": "Storgatan 1", "city": "Ytterby"}])],
            "contact_mechanisms": [("create", [{"type": "email", "value": party.email}])],
            "identifiers": [("create", [{"type": "se_orgnr", "code": party.organisation}])]
            if party.organisation
            else [],
        }
        for party in parties
    ]
    return list(books.get("party.party")._proxy.create(rows, books.config.context))


def _invoices(books: Books, customers: list[int], entries: list[Entry]) -> list[dict[str, Any]]:
    company, tax = books.first("company.company"), books.first("account.tax")
    addresses = {one.party.id: one.id for one in books.get("party.address").find([("party", "in", customers)])}
    common = {
        "type": "out",
        "company": company.id,
        "currency": company.currency.id,
        "account": _account(books, "receivable").id,
        "journal": books.first("account.journal", ("type", "=", "revenue")).id,
        "payment_term": books.first("account.invoice.payment_term").id,
    }
    line = {"type": "line", "account": _account(books, "revenue").id, "taxes": [("add", [tax.id])], "quantity": 1}
    return [
        {
            **common,
            "party": customers[entry.customer],
            "invoice_address": addresses[customers[entry.customer]],
            "reference": entry.reference or None,
            "invoice_date": entry.issued,
            "description": entry.what,
            "lines": [("create", [{**line, "description": entry.what, "unit_price": entry.net}])],
        }
        for entry in entries
    ]


def _paid(books: Books, record: Any, entry: Entry) -> None:
    if entry.state not in {"paid", "part_paid"}:
        return
    pay = record.click("pay")
    pay.form.payment_method = books.first("account.invoice.payment.method")
    pay.form.date = entry.issued + timedelta(days=20)
    if entry.state == "part_paid":
        pay.form.amount = (record.total_amount / 2).quantize(Decimal("0.01"))
    pay.execute("choice")
    if pay.state == "choice":
        pay.form.type = "partial"
        pay.execute("pay")


def _reminded(books: Books, record: Any, entry: Entry) -> None:
    if not entry.reminders:
        return
    claim = next(line for line in record.move.lines if line.account == record.account)
    procedure = books.first("account.dunning.procedure")
    reminder = books.get("account.dunning")(line=claim, procedure=procedure)
    reminder.company = record.company
    reminder.level = procedure.levels[entry.reminders - 1]
    reminder.save()
    letters = books.wizard("account.dunning.process", [reminder])
    letters.execute("process") if letters.state == "start" else None


def main() -> None:
    """Read the order from standard input, make or fill the books, and print the invoices with their numbers."""
    order = json.load(sys.stdin)
    books = Books(order["database"], Path(order["configuration"]))
    if order["task"] == "make":
        make(books, today=date.fromisoformat(order["today"]), robot_password=os.environ["VARDAG_DEMO_PASSWORD"])
        return
    parties = [Party(**party) for party in order["parties"]]
    entries = [
        Entry(**{**entry, "net": Decimal(entry["net"]), "issued": date.fromisoformat(entry["issued"])})
        for entry in order["entries"]
    ]
    json.dump([asdict(entry) for entry in write(books, parties, entries)], sys.stdout, default=str)


if __name__ == "__main__":
    main()
