"""An office in memory: a robot with the real rules, reader, answers and database; its books and mailbox show."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from vardag.invoices import audit, workitems
from vardag.invoices.answers import From
from vardag.invoices.audit import Entry
from vardag.invoices.ladder import Demands, Level, load_demands
from vardag.invoices.ledger.memory import MemoryLedger
from vardag.invoices.mailbox.memory import MemoryMailbox
from vardag.invoices.model import Customer, Invoice, InvoiceState, Money
from vardag.invoices.reading import load_patterns, read_mail
from vardag.invoices.robot import Mode, Robot, run_once, signing
from vardag.invoices.rules import Allowed, load_policy
from vardag.invoices.store import Store
from vardag.invoices.workitems import Item

ADDRESS, TRUSTED, DOMAIN = "fakturor@kommun.example", "mx.kommun.example", "kommun.example"
ANNA = f"anna.berg@{DOMAIN}"
CUSTOMER = Customer("1001", "Eks Bygg AB", "556036-0793", ("ek@kund.example",))
PATTERNS = load_patterns()
NOTHING_DEMANDED = {
    "attended_volume": 0, "attended_agreement": 0, "unattended_volume": 0, "unattended_agreement": 0,
    "control_share": 0,
}  # fmt: skip


def invoice(number: str, **more: Any) -> Invoice:
    """A posted invoice of ten days ago, for 1 250 SEK, unless said otherwise."""
    today = datetime.now(UTC).date()
    plain = Invoice(
        id=more.pop("id", number),
        number=number,
        state=InvoiceState.POSTED,
        customer=CUSTOMER,
        issued=today - timedelta(days=10),
        due=today + timedelta(days=20),
        total=Money(Decimal(1250)),
    )
    return replace(plain, **more)


def mail(text: str, *, subject: str = "Makulera", sender: str = ANNA, number: int = 1, **headers: str) -> bytes:
    """A mail that our own server has found to be from the sender's domain."""
    message = EmailMessage()
    domain = sender.partition("@")[2]
    message["Authentication-Results"] = f"{TRUSTED}; dmarc=pass header.from={domain}"
    message["From"], message["To"], message["Subject"] = sender, ADDRESS, subject
    message["Message-ID"] = f"<{number}@{domain}>"
    for name, value in headers.items():
        del message[name.replace("_", "-")]
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes()


@dataclass
class Office:
    """A robot and everything around it."""

    robot: Robot
    ledger: MemoryLedger
    mailbox: MemoryMailbox

    def work(self, **more: Any) -> None:
        """One round, with settings changed where given."""
        run_once(replace(self.robot, **more))

    @property
    def items(self) -> list[Item]:
        """Every work item."""
        with self.robot.store.read() as tx:
            return workitems.listed(tx)

    @property
    def item(self) -> Item:
        """The only work item."""
        (one,) = self.items
        return one

    @property
    def log(self) -> list[Entry]:
        """The audit log."""
        with self.robot.store.read() as tx:
            return list(audit.entries(tx))

    def events(self, item: int) -> list[str]:
        """What happened to an item, in order."""
        return [entry.event for entry in self.log if entry.item == item]

    @property
    def answers(self) -> list[str]:
        """The texts of the answers."""
        return [message.get_content() for message in self.mailbox.sent]


def office(
    folder: Path,
    invoices: Iterable[Invoice],
    mails: Iterable[bytes] = (),
    *,
    mode: Mode = Mode.UNATTENDED,
    signed: Level = Level.UNATTENDED,
    **more: Any,
) -> Office:
    """An office where Anna's whole domain may ask, and every rule is signed to stand on a level."""
    ledger, mailbox = MemoryLedger(invoices), MemoryMailbox(ADDRESS, mails)

    def read(raw: bytes, truncated: bool) -> Any:
        return read_mail(raw, patterns=PATTERNS, trusted_server=TRUSTED, own_address=ADDRESS, truncated=truncated)

    plain = {
        "allow_list": (Allowed(f"@{DOMAIN}"),),
        "sender": From(ADDRESS, "Vår kommun", "Kundfakturor", f"kundfakturor@{DOMAIN}", "", "sv"),
        "policy": load_policy(),
        "settle": timedelta(0),
        "demands": demands(),
    }
    robot = Robot(
        name="robot", store=Store(folder / "robot.sqlite"), mailbox=mailbox, ledger=ledger, read=read, mode=mode,
        **{**plain, **more},
    )  # fmt: skip
    places = signing.on_the_ladder(robot.routines, robot.policy)
    signing.sign_all(robot.store, places, signed, by="test", reason="a test", demands=demands())
    return Office(robot, ledger, mailbox)


def demands(**changed: float) -> Demands:
    """Demands that every rule meets from the start, with no control sample; changed where given."""
    return Demands(**{**load_demands().model_dump(), **NOTHING_DEMANDED, **changed})


def today() -> date:
    """Today as the robot counts it."""
    return datetime.now(UTC).date()
