"""A robot's folder for the synthetic town: its settings, its allow-list and where its passwords are."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from vardag.demo.finance.books import Entry
from vardag.demo.finance.server import ROBOT, Finance, Running, books, fill
from vardag.demo.office import DOMAIN, ROBOT_ADDRESS, TRUSTED_SERVER, Made, customers, invoices, mails
from vardag.demo.post.ports import LOOPBACK
from vardag.demo.post.servers import Post
from vardag.invoices.commands.init import init
from vardag.invoices.commands.obstacles import example
from vardag.invoices.ladder import Level, load_demands
from vardag.invoices.process.obstacles import NAME as OBSTACLES
from vardag.invoices.robot import signing
from vardag.invoices.routines import packaged
from vardag.invoices.rules import load_policy
from vardag.invoices.settings import NAME
from vardag.invoices.store import Store

SETTINGS = """
[robot]
organisation = "Ytterby kommun"
address = "{address}"
mode = "unattended"
language = "sv"
team = "Kundfakturor"
mail = "kundfakturor@{domain}"
phone = "031-700 00 00"

[mailbox]
kind = "imap"
host = "{host}"
port = {imap}
tls = "starttls"
smtp_host = "{host}"
smtp_port = {smtp}
smtp_tls = "starttls"
user = "{address}"
secret = "file:mail-password"
trust = "{trust}"
trusted_server = "{trusted}"

[ledger]
kind = "tryton"
url = "{url}"
database = "{database}"
user = "{user}"
secret = "file:ledger-password"
"""
REGISTER = Path(__file__).with_name("obstacles.yaml")
WHY = "synthetic town: shows the robot at work, no measured agreement"
LADDER = "\n".join(
    f'{name}: {{value: 0, unit: {unit}, date: 2026-11-26, source: "{WHY}"}}'
    for name, unit in (
        ("unattended_volume", "judged decisions"),
        ("unattended_agreement", "share"),
        ("control_share", "share of decisions at unattended"),
    )
)
ALLOWED = '- {{who: "@{domain}"}}\n'


@dataclass(frozen=True)
class Town:
    """The town's books, and the mails that come in."""

    finance: Finance
    invoices: tuple[tuple[str, Entry], ...]
    mails: tuple[Made, ...]


def town(folder: Path, cache: Path, *, seed: int, today: date) -> Town:
    """Write the town's books into a folder (no server may have them open) and make its mails."""
    parties = customers(seed)
    ordered = invoices(seed, parties, today=today)
    copied = books(cache.absolute(), today=today).copy(folder.absolute())
    written = fill(copied, parties, [order.entry for order in ordered])
    named = tuple((order.kind, entry) for order, entry in zip(ordered, written, strict=True))
    return Town(copied, named, tuple(mails(named, parties, today=today)))


def robot_folder(folder: Path, post: Post, finance: Running) -> Path:
    """Write the robot's folder, with every rule signed to work alone; returns it."""
    init(folder, replace=True)
    text = SETTINGS.format(
        address=ROBOT_ADDRESS,
        domain=DOMAIN,
        host=LOOPBACK,
        imap=post.imap_port,
        smtp=post.smtp_port,
        trust=post.certificate,
        trusted=TRUSTED_SERVER,
        url=finance.url,
        database=finance.finance.database,
        user=ROBOT,
    )
    (folder / NAME).write_text(text.lstrip(), encoding="utf-8")
    (folder / "allow-list.yaml").write_text(ALLOWED.format(domain=DOMAIN), encoding="utf-8")
    (folder / OBSTACLES).write_text(example("sv", path=REGISTER), encoding="utf-8")
    (folder / "ladder.yaml").write_text(LADDER + "\n", encoding="utf-8")
    for name, word in (("mail-password", post.password), ("ledger-password", finance.finance.password)):
        path = folder / name
        path.touch(mode=0o600)
        path.write_text(word, encoding="utf-8")
    signed(Store(folder / "robot.sqlite"), folder / "ladder.yaml")
    return folder


def signed(store: Store, own: Path | None) -> None:
    """Put every rule to work alone, as far as these demands let it, and close the database."""
    places, demands = signing.on_the_ladder(packaged(), load_policy()), load_demands(own)
    signing.sign_all(store, places, Level.UNATTENDED, by="vardag demo", reason=WHY, demands=demands)
    store.close()
