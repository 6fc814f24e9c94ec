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
from vardag.invoices.process.obstacles import NAME as OBSTACLES
from vardag.invoices.settings import NAME

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
    """Write the robot's folder; returns it."""
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
    for name, word in (("mail-password", post.password), ("ledger-password", finance.finance.password)):
        path = folder / name
        path.touch(mode=0o600)
        path.write_text(word, encoding="utf-8")
    return folder
