"""Looks into the robot's database: how it goes, one work item, the account, and the proof of the log."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from vardag.core.parameters import Parameters
from vardag.invoices import audit, brakes, hours, journal, ladder, store, workitems
from vardag.invoices.audit import Broken, Entry
from vardag.invoices.hours import Account
from vardag.invoices.journal import Kind, Line, Progress
from vardag.invoices.ladder import Rung
from vardag.invoices.store import Store
from vardag.invoices.workitems import Item, State


@dataclass(frozen=True)
class Status:
    """How it goes: items by state, the brakes, rules that went back, and what waits for somebody."""

    counts: dict[State, int]
    paused: dict[str, str] | None
    fallen: tuple[Rung, ...]
    cancelled_today: int
    amount_today: Decimal
    waiting: tuple[Item, ...]
    dead: tuple[Item, ...]
    head: str


@dataclass(frozen=True)
class Shown:
    """One work item with all that is known of it; `raw` is the mail as it came, None where it was deleted."""

    item: Item
    read: dict[str, Any] | None
    raw: bytes | None
    effects: tuple[Line, ...]
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Report:
    """What the robot did, from the audit log."""

    account: Account
    codes: dict[str, int]
    answer_minutes: float | None
    faults: int
    entries: int
    head: str


@dataclass(frozen=True)
class Proof:
    """Whether the log holds, and whether the journal agrees with it."""

    entries: int
    head: str
    broken: tuple[Broken, ...]

    @property
    def holds(self) -> bool:
        """True when nothing is wrong."""
        return not self.broken


def status(found: Store) -> Status:
    """How it goes just now."""
    with found.read() as tx:
        count, amount = journal.since(tx, Kind.CANCEL, datetime.now(UTC) - timedelta(days=1))
        return Status(
            counts=workitems.counted(tx),
            paused=brakes.paused(tx),
            fallen=tuple(ladder.fallen(tx)),
            cancelled_today=count,
            amount_today=amount,
            waiting=tuple(workitems.listed(tx, State.WAITING)),
            dead=tuple(workitems.listed(tx, State.DEAD)),
            head=audit.head(tx)[1],
        )


def show(found: Store, number: int) -> Shown:
    """One work item."""
    with found.read() as tx:
        item = workitems.get(tx, number)
        mail = tx.execute(sa.select(store.mail).where(store.mail.c.key == item.mail)).one()
        return Shown(
            item, mail.read, mail.raw, tuple(journal.begun(tx, number)), tuple(audit.entries(tx, item=number))
        )


def report(found: Store, minutes: Parameters) -> Report:
    """The account of hours, the reasons, and how long requesters waited for their first answer."""
    with found.read() as tx:
        entries = list(audit.entries(tx))
    codes: dict[str, int] = {}
    for entry in {entry.item: entry for entry in entries if entry.event == "decided"}.values():
        codes[entry.body["code"]] = codes.get(entry.body["code"], 0) + 1
    return Report(
        account=hours.account(entries, minutes),
        codes=dict(sorted(codes.items(), key=lambda pair: (-pair[1], pair[0]))),
        answer_minutes=_median_answer(entries),
        faults=sum(entry.event == "fault" for entry in entries),
        entries=len(entries),
        head=entries[-1].hash if entries else audit.START,
    )


def verify(found: Store, *, noted: str = "") -> Proof:
    """Prove the chain, and that every cancellation in the journal stands in the log and the other way round."""
    with found.read() as tx:
        count, broken = audit.verify(tx, noted=noted)
        log, effect = store.audit, store.effect
        logged = set(tx.execute(sa.select(log.c.item).where(log.c.event == "cancelled")).scalars())
        query = sa.select(effect.c.item).where(effect.c.kind == Kind.CANCEL, effect.c.state == Progress.DONE)
        done = set(tx.execute(query).scalars())
        head = audit.head(tx)[1]
    apart = [Broken(0, f"work item {number}: cancelled in one of journal and log only") for number in logged ^ done]
    return Proof(count, head, (*broken, *apart))


def export(found: Store, path: Path) -> int:
    """Write the log for the auditor or the archive, one JSON entry a line, each with its hash; returns how many."""
    with found.read() as tx, path.open("w", encoding="utf-8") as file:
        return sum(file.write(audit.canonical(vars(entry)) + "\n") > 0 for entry in audit.entries(tx))


def _median_answer(entries: list[Entry]) -> float | None:
    """Median minutes from when an item was received to its first answer."""
    received = {entry.item: entry.at for entry in entries if entry.event == "received"}
    first: dict[int | None, float] = {}
    for entry in entries:
        if entry.event == "answered" and entry.item in received and entry.item not in first:
            span = datetime.fromisoformat(entry.at) - datetime.fromisoformat(received[entry.item])
            first[entry.item] = span.total_seconds() / 60
    ordered = sorted(first.values())
    return ordered[len(ordered) // 2] if ordered else None
