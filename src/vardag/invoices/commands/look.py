"""Looks into the robot's database: how it goes, one work item, the account, and the proof of the log."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from vardag import __version__
from vardag.core.config import DEFAULT_SEED
from vardag.invoices import audit, brakes, hours, journal, ladder, store, workitems
from vardag.invoices.audit import Broken, Entry
from vardag.invoices.hours import Account, Evidence
from vardag.invoices.hours import export as export_hours
from vardag.invoices.hours.page import About, page
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
    evidence: Evidence
    codes: dict[str, int]
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


def report(found: Store, evidence: Evidence, *, seed: int = DEFAULT_SEED) -> Report:
    """The account of hours and what they are worth, the reasons, and the head of the log."""
    with found.read() as tx:
        entries = list(audit.entries(tx))
        amounts = journal.amounts(tx)
        routines = {row.id: row.routine for row in tx.execute(sa.select(store.item.c.id, store.item.c.routine))}
    codes: dict[str, int] = {}
    for entry in {entry.item: entry for entry in entries if entry.event == "decided"}.values():
        codes[entry.body["code"]] = codes.get(entry.body["code"], 0) + 1
    return Report(
        account=hours.account(entries, evidence, amounts=amounts, routines=routines, seed=seed),
        evidence=evidence,
        codes=dict(sorted(codes.items(), key=lambda pair: (-pair[1], pair[0]))),
        faults=sum(entry.event == "fault" for entry in entries),
        entries=len(entries),
        head=entries[-1].hash if entries else audit.START,
    )


def facts(found: Report, language: str) -> dict[str, Any]:
    """All of a report for a machine: what is known, and what is not."""
    account = found.account
    answered = account.total.worth.answered.median
    told = {name: getattr(found, name) for name in ("codes", "faults", "entries", "head")}
    return told | {
        "account": asdict(account) | {"measured": account.measured, "items": account.items},
        "saved_hours": account.saved_hours,
        "answer_minutes": None if answered is None else 60 * answered,
        "timings": len(found.evidence.timings),
        "limits": hours.limits(account, found.evidence, language),
    }


def write(found: Report, language: str, *, name: str, csv: Path | None, html: Path | None) -> list[Path]:
    """Write the report as a table for the budget and as a page for people, those that are asked for."""
    if csv is not None:
        cost = found.evidence.number("cost_per_hour")
        export_hours.write(csv, export_hours.rows(found.account, cost_per_hour=cost, language=language), language)
    if html is not None:
        about = About(name, __version__, found.entries, found.head)
        html.write_text(page(found.account, found.evidence, about, language), encoding="utf-8")
    return [path for path in (csv, html) if path is not None]


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
