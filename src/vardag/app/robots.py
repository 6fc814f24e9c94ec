"""Builds a robot from its folder: the one place that chooses mailbox and finance system."""

import os
import secrets
import socket
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from vardag.core.config import settings
from vardag.core.errors import ConfigError
from vardag.core.secret import secret
from vardag.invoices import settings as read_settings
from vardag.invoices.answers import From
from vardag.invoices.brakes import Limits
from vardag.invoices.commands.obstacles import ready_for
from vardag.invoices.ladder import Demands, load_demands
from vardag.invoices.ledger.port import Ledger
from vardag.invoices.mailbox.port import Folder, Mailbox
from vardag.invoices.model import MailRead
from vardag.invoices.reading import Patterns, load_patterns, read_mail, standard
from vardag.invoices.robot import Mode, Robot
from vardag.invoices.routines import Routine, load_routine
from vardag.invoices.rules import Policy, load_policy, read_allowed
from vardag.invoices.settings import About, Browser, Graph, Imap, Settings
from vardag.invoices.settings import Fortnox as FortnoxSettings
from vardag.invoices.settings import Tryton as TrytonSettings
from vardag.invoices.store import Store
from vardag.invoices.workitems import Retries

FOLDERS = {
    "sv": {"done": "Klara", "referred": "Till handläggare", "failed": "Fel", "sent": "Svar", "ignored": "Autosvar"},
    "en": {"done": "Done", "referred": "Referred", "failed": "Failed", "sent": "Answers", "ignored": "Automatic"},
}


def robot(folder: Path, *, mode: Mode | None = None) -> Robot:
    """The robot of a folder, ready to work."""
    found = read_settings.read(folder)
    about = found.robot
    mailbox = _mailbox(found, folder)
    patterns = _patterns(folder)
    return Robot(
        name=f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(2)}",  # in containers the rest may be alike
        store=database(folder, about),
        mailbox=mailbox,
        ledger=_ledger(found, folder),
        read=reader(patterns, found),
        routines=routines(folder, about),
        patterns=patterns,
        policy=policy(folder),
        allow_list=read_allowed(folder / "allow-list.yaml"),
        sender=From(about.address, about.organisation, about.team, about.mail, about.phone, about.language),
        mode=mode or Mode(about.mode),
        limits=Limits(**found.brakes.model_dump()),
        retries=Retries(found.work.tries, 60 * found.work.first_pause_minutes),
        demands=demands(folder),
        lease=timedelta(minutes=found.work.lease_minutes),
        settle=timedelta(minutes=found.work.settle_minutes),
        most_bytes=int(1_000_000 * found.work.most_mb),
        templates=_own(folder, "templates"),
        vat_reported_until=about.vat_reported_until,
    )


def may_work(found: Robot, folder: Path) -> None:
    """Refuse to work alone while an obstacle of the folder's register blocks that."""
    ready_for(found.mode, folder, language=settings().language, found=found.store)


def database(folder: Path, about: About | None = None) -> Store:
    """The robot's own database."""
    where = (about or read_settings.read(folder).robot).database
    return Store(where if where.startswith("postgres") else folder / where)


def policy(folder: Path) -> Policy:
    """What the rules decide by, with the city's own on top."""
    return load_policy(_own(folder, "parameters.yaml"))


def routines(folder: Path, about: About | None = None) -> dict[str, Routine]:
    """The routines that the robot follows, by name."""
    names = (about or read_settings.read(folder).robot).routines
    return {name: load_routine(name, folder / "routines") for name in names}


def mode(folder: Path) -> Mode:
    """How far the robot may go at most, as its settings say."""
    return Mode(read_settings.read(folder).robot.mode)


def demands(folder: Path) -> Demands:
    """What the ladder demands, with the city's own on top."""
    return load_demands(_own(folder, "ladder.yaml"))


def _patterns(folder: Path) -> Patterns:
    """The city's patterns, or the packaged ones."""
    own_words = _own(folder, "patterns.yaml")
    return load_patterns(own_words) if own_words else standard()


def reader(patterns: Patterns, found: Settings) -> Callable[[bytes, bool], MailRead]:
    """Reads a mail by these patterns."""
    trusted, own = found.mailbox.trusted_server, found.robot.address

    def read(raw: bytes, truncated: bool) -> MailRead:
        return read_mail(raw, patterns=patterns, trusted_server=trusted, own_address=own, truncated=truncated)

    return read


def _own(folder: Path, name: str) -> Path | None:
    return folder / name if (folder / name).exists() else None


def _mailbox(found: Settings, folder: Path) -> Mailbox:
    packaged, own = FOLDERS[found.robot.language], {str(kind): name for kind, name in found.mailbox.folders.items()}
    names = {kind: own.get(kind.value) or packaged[kind.value] for kind in Folder}
    match found.mailbox:
        case Imap() as imap:
            return _imap(imap, found.robot.address, names, folder)
        case Graph() as graph:
            return _graph(graph, found.robot.address, names, folder)


def _imap(imap: Imap, address: str, names: dict[Folder, str], folder: Path) -> Mailbox:
    from vardag.invoices.mailbox.imap import ImapMailbox, Login, Server

    return ImapMailbox(
        address,
        Server(imap.host, imap.port, imap.tls),
        Server(imap.smtp_host, imap.smtp_port, imap.smtp_tls),
        Login(imap.user, secret(imap.secret, folder=folder), imap.oauth),
        folders={kind: name if "/" in name else f"Vardag/{name}" for kind, name in names.items()},
        trust=_trusted(folder / imap.trust) if imap.trust else None,
    )


def _trusted(path: Path) -> str:
    """A certificate authority's file, which must be there."""
    if not path.is_file():
        raise ConfigError(f"{path}: no such file. Set mailbox.trust to the authority's PEM file, or leave it out.")
    return str(path)


def _graph(graph: Graph, address: str, names: dict[Folder, str], folder: Path) -> Mailbox:
    from vardag.invoices.mailbox.graph import GraphMailbox, application

    tokens = application(graph.tenant, graph.client, secret(graph.secret, folder=folder))
    return GraphMailbox(
        address, tokens, names={kind: name for kind, name in names.items() if kind is not Folder.SENT}
    )


def _ledger(found: Settings, folder: Path) -> Ledger:
    word = secret(found.ledger.secret, folder=folder)
    match found.ledger:
        case TrytonSettings() as tryton:
            from vardag.invoices.ledger.tryton import Tryton
            from vardag.invoices.ledger.tryton_rpc import TrytonServer

            server = TrytonServer(tryton.url, tryton.database, tryton.user, word)
            return Tryton(server, collection_level=tryton.collection_level)
        case FortnoxSettings() as fortnox:
            from vardag.invoices.ledger.fortnox import Fortnox, service_account

            return Fortnox(service_account(fortnox.client, word, tenant=fortnox.tenant))
        case Browser() as page:
            from vardag.invoices.ledger.browser import BrowserTryton

            chromium = Path(page.executable) if page.executable else None
            shots = folder / page.evidence
            return BrowserTryton(page.url, page.database, page.user, word, evidence=shots, executable=chromium)
