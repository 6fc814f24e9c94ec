"""What a robot works with: its database, mailbox, finance system, rules and words, and who it is."""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from vardag import __version__
from vardag.invoices import audit, workitems
from vardag.invoices.answers import From
from vardag.invoices.brakes import Limits
from vardag.invoices.ledger.port import Ledger
from vardag.invoices.mailbox.port import Mailbox
from vardag.invoices.model import Decision, Done, MailRead
from vardag.invoices.reading import Patterns, standard
from vardag.invoices.routines import Routine, packaged
from vardag.invoices.rules import Allowed, Policy
from vardag.invoices.store import Store, Transaction
from vardag.invoices.workitems import Retries

ACTOR = f"vardag {__version__}"
READ = TypeAdapter(MailRead)
DECISION = TypeAdapter(Decision)
DONE = TypeAdapter(Done)


class Mode(StrEnum):
    """How far the robot may go by itself."""

    SHADOW = "shadow"
    ATTENDED = "attended"
    UNATTENDED = "unattended"


@dataclass(frozen=True)
class Robot:
    """One robot at work.

    Attributes
    ----------
    name
        Its own among the robots that share the database.
    read
        Reads a mail: the bytes, and whether it was cut off because of its size.
    routines, patterns
        The routines that it follows, by name; what those are read by that have no reader of their own.
    lease, settle
        How long it keeps a work item; how long after an intention a call under way may still arrive.
    most_bytes
        Largest mail that is fetched whole.
    at_step
        Called with the name of every step before it is taken; the tests that kill the robot begin there.
    """

    name: str
    store: Store
    mailbox: Mailbox
    ledger: Ledger
    read: Callable[[bytes, bool], MailRead]
    policy: Policy
    allow_list: tuple[Allowed, ...]
    sender: From
    routines: Mapping[str, Routine] = field(default_factory=packaged)
    patterns: Patterns = field(default_factory=standard)
    mode: Mode = Mode.SHADOW
    limits: Limits = field(default_factory=Limits)
    retries: Retries = field(default_factory=Retries)
    lease: timedelta = timedelta(minutes=5)
    settle: timedelta = timedelta(minutes=2)
    most_bytes: int = 15_000_000
    templates: Path | None = None
    vat_reported_until: date | None = None
    at_step: Callable[[str], None] = lambda step: None

    def now(self) -> datetime:
        """This moment, in UTC."""
        return datetime.now(UTC)

    def hold(self, tx: Transaction, item: int) -> None:
        """Renew the lease of a work item; `workitems.LeaseLostError` where it is another robot's by now."""
        workitems.hold(tx, item, robot=self.name, now=self.now(), lease=self.lease)

    def note(self, tx: Transaction, event: str, item: int | None = None, **body: Any) -> None:
        """Write an entry in the audit log, in the name of the program."""
        audit.append(tx, event, actor=ACTOR, item=item, robot=self.name, mode=self.mode.value, **body)


def plain(adapter: TypeAdapter[Any], value: Any) -> Any:
    """What JSON can hold of a value."""
    return adapter.dump_python(value, mode="json")


def pseudonym(salt: str, address: str) -> str:
    """A person's address as the audit log knows it: keyed with the mail's own salt.

    When the mail is deleted its salt goes too, and nobody can tell any more who it was.
    """
    return hmac.new(salt.encode(), address.strip().lower().encode(), hashlib.sha256).hexdigest()[:16]


def short(facts: Mapping[str, Any]) -> dict[str, str]:
    """A decision's facts as text."""
    return {name: str(value) for name, value in facts.items()}
