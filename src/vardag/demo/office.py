"""A synthetic town's customers, invoices and mails: what the cancellation robot meets in the demo and the tests.

Nobody in it exists; the organisation numbers are made up and have valid check digits.
"""

import random
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email.message import EmailMessage
from email.utils import format_datetime
from itertools import cycle
from pathlib import Path
from typing import Any

from vardag.demo.finance.books import Entry, Party

MAILS = Path(__file__).with_name("mails.toml")
DOMAIN = "ytterby.example"
ROBOT_ADDRESS = f"fakturor@{DOMAIN}"
TRUSTED_SERVER = f"mx.{DOMAIN}"
FIRST = "Maja Elsa Astrid Wilma Alva Lilly Nils Hugo Liam Oskar Amina Yusuf Greta Sven Ingrid Karim".split()  # noqa: SIM905
LAST = "Ek Lund Holm Sjöberg Nyström Haddad Lindqvist Bergman Åkesson Virtanen Öberg Persson".split()  # noqa: SIM905
FIRMS = "Bageri Bygg Plåt Städ Måleri Trädgård Rör El Taxi Livs".split()  # noqa: SIM905
SERVICES = (
    "Förskoleavgift",
    "Hyra lokal",
    "Hemtjänst",
    "Tillsyn livsmedel",
    "Vatten och avlopp",
    "Bygglov",
    "Torgplats",
)
KINDS = (  # how many, state in the books, reminders, lowest and highest net amount
    ("posted", 130, "posted", 0, 200, 6000),
    ("draft", 10, "draft", 0, 200, 6000),
    ("paid", 20, "paid", 0, 200, 6000),
    ("part_paid", 8, "part_paid", 0, 200, 6000),
    ("credited", 12, "credited", 0, 200, 6000),
    ("reminded", 8, "posted", 1, 200, 6000),
    ("collection", 4, "posted", 3, 200, 6000),
    ("large", 5, "posted", 0, 9000, 40_000),
    ("huge", 3, "posted", 0, 90_000, 200_000),
)
FRESH, OLD = (5, 50), (60, 80)  # days since an invoice was issued; one that was reminded about is older
FIELD = re.compile(r"\{(\w+)(?:\.(\w+))?\}")


@dataclass(frozen=True)
class Ordered:
    """An invoice to be written into the books, and what kind of example it is."""

    kind: str
    entry: Entry


@dataclass(frozen=True)
class Made:
    """A mail as it comes, what it asks about, and what a careful robot does with it."""

    raw: bytes
    numbers: tuple[str, ...]
    expect: str
    sender: str


def customers(seed: int, *, count: int = 40) -> list[Party]:
    """Persons and firms of the town."""
    lots = random.Random(seed)
    parties = []
    for number in range(count):
        name = f"{lots.choice(FIRST)} {lots.choice(LAST)}"
        firm = number % 4 == 0
        title = f"{lots.choice(LAST)}s {lots.choice(FIRMS)} AB" if firm else name
        address = f"kund{number + 1}@kund.example"
        parties.append(Party(title, address, _organisation(lots) if firm else "", str(10_001 + number)))
    return parties


def invoices(seed: int, parties: Sequence[Party], *, today: date) -> list[Ordered]:
    """Two hundred invoices in every state."""
    lots = random.Random(seed + 1)
    made = []
    for kind, count, state, reminders, low, high in KINDS:
        for place in range(count):
            days = lots.randint(*(OLD if reminders else FRESH))
            net = Decimal(lots.randrange(low * 100, high * 100)) / 100
            reference = f"U{today:%y}{place + 1:04d}" if kind == "draft" else ""
            what = lots.choice(SERVICES)
            customer = lots.randrange(len(parties))
            issued = today - timedelta(days=days)
            made.append(Ordered(kind, Entry(customer, what, net, issued, state, reference, reminders)))
    return sorted(made, key=lambda order: order.entry.issued)


def mails(written: Sequence[tuple[str, Entry]], parties: Sequence[Party], *, today: date) -> list[Made]:
    """The sixty mails, about invoices by their numbers in the books (kind and entry each)."""
    told = tomllib.loads(MAILS.read_text(encoding="utf-8"))
    waiting: dict[str, Iterator[Entry]] = {
        kind: cycle([entry for name, entry in written if name == kind]) for kind, _ in written
    }
    fill = _Filling(waiting, parties)
    return [_mail(row, told["people"], fill, place, today) for place, row in enumerate(told["mail"])]


class _Filling:
    """Fills a mail's fields with invoices, each kind's next one; ``last`` is the last that was taken."""

    def __init__(self, waiting: dict[str, Iterator[Entry]], parties: Sequence[Party]) -> None:
        self.waiting, self.parties = waiting, parties
        self.last: Entry | None = None
        self.taken: dict[str, Entry] = {}

    def begin(self) -> None:
        """A new mail: its fields speak of other invoices than the mail's before."""
        self.taken = {}

    def __call__(self, text: str) -> str:
        return FIELD.sub(self._one, text)

    def _one(self, found: re.Match[str]) -> str:
        kind, part = found.group(1), found.group(2) or "number"
        if kind == "last":
            entry = self.last
        else:
            key = f"{kind}.more" if part == "more" else kind
            entry = self.taken[key] = self.taken.get(key) or next(self.waiting[kind])
            self.last = entry
        assert entry is not None
        return {
            "number": entry.number,
            "more": entry.number,
            "amount": _swedish(entry.net * Decimal("1.25")),
            "customer": self.parties[entry.customer].name,
        }[part]

    @property
    def customer(self) -> Party:
        """The customer of the mail's first invoice."""
        return self.parties[next(iter(self.taken.values())).customer]


def _mail(row: dict[str, Any], people: dict[str, Any], fill: _Filling, place: int, today: date) -> Made:
    fill.begin()
    subject, text, html = fill(row["subject"]), fill(row.get("text", "")), fill(row.get("html", ""))
    numbers = tuple(entry.number for entry in fill.taken.values())
    who = people.get(row["who"]) or {"name": fill.customer.name, "address": fill.customer.email}
    domain = who["address"].partition("@")[2]
    passed = "pass" if who.get("proven", True) else "fail"
    message = EmailMessage()
    results = f"{TRUSTED_SERVER}; dmarc={passed} header.from={domain}; spf={passed} smtp.mailfrom={domain}"
    message["Authentication-Results"] = results
    came = datetime.combine(today, datetime.min.time(), UTC) - timedelta(minutes=15 * (60 - place))
    message["Received"] = f"from mail.{domain} by {TRUSTED_SERVER} with ESMTPS; {format_datetime(came)}"
    message["From"] = f'"{who["name"]}" <{who["address"]}>'
    message["To"] = ROBOT_ADDRESS
    message["Date"] = format_datetime(came)
    message["Message-ID"] = f"<{place + 1:03d}.{today:%Y%m%d}@{domain}>"
    message["Subject"] = subject
    for name, value in row.get("headers", {}).items():
        message[name] = value
    message.set_content(text or _plain(html))
    if html:
        message.add_alternative(html, subtype="html")
    return Made(message.as_bytes(), numbers, row["expect"], who["address"])


def _plain(html: str) -> str:
    """What a mail program writes beside its HTML; hidden text is not in it."""
    seen = re.sub(r'<p style="display:none">.*?</p>', "", html)
    return re.sub(r"<[^>]+>", " ", seen)


def _swedish(amount: Decimal) -> str:
    """An amount as a Swede writes it."""
    return f"{amount:,.2f}".replace(",", " ").replace(".", ",")


def _organisation(lots: random.Random) -> str:
    """A made-up organisation number with its check digit (Luhn)."""
    body = f"55{lots.randrange(6_000_000, 9_999_999)}0"[:9]
    doubled = [int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(body)]
    return f"{body}{-sum(number // 10 + number % 10 for number in doubled) % 10}"
