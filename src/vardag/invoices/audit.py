"""The audit log: append-only, and every entry carries the hash of the one before, so nothing can be taken out.

An entry says who acted (program and version, or person), when, on which input (its hash), what was decided by which
rule, and how things stood before and after. It holds no names and no mail text, only hashes of them, so the mails
can be deleted when their time is out and the chain still holds. The chain proves that nothing was changed within;
that nothing was cut off at the end shows when its last hash, noted elsewhere (every report prints it), is given to
`verify`.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from vardag import __version__
from vardag.invoices.store import CHAIN, Transaction, audit

PROGRAM = f"vardag {__version__}"  # who acts where no person does
START = "0" * 64
LAST = sa.select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
INSERT = sa.insert(audit)
LOCK = sa.select(sa.func.pg_advisory_xact_lock(CHAIN))


@dataclass(frozen=True)
class Entry:
    """One line of the log."""

    seq: int
    at: str
    item: int | None
    event: str
    body: dict[str, Any]
    previous: str
    hash: str


@dataclass(frozen=True)
class Broken:
    """Where the chain does not hold, and why."""

    seq: int
    why: str


def append(tx: Transaction, event: str, *, actor: str, item: int | None = None, **body: Any) -> str:
    """Add an entry and return its hash.

    Parameters
    ----------
    actor
        Program with version, or the person's user name.
    body
        What JSON can hold; amounts and dates as text.
    """
    if tx.dialect.name == "postgresql":
        tx.execute(LOCK)
    last, previous = head(tx)
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    row = {"seq": last + 1, "at": at, "item": item, "event": event, "body": canonical({"actor": actor, **body})}
    found = chained(row, previous)
    tx.execute(INSERT, {**row, "previous": previous, "hash": found})
    return found


def canonical(body: Mapping[str, Any]) -> str:
    """JSON with sorted keys and no spaces: the same content is the same text."""
    return json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)


def chained(row: Mapping[str, Any], previous: str) -> str:
    """Hash of an entry: SHA-256 over its fields, one a line, and the hash before it."""
    number = "" if row["item"] is None else str(row["item"])
    line = "\n".join((str(row["seq"]), row["at"], number, row["event"], row["body"], previous))
    return hashlib.sha256(line.encode()).hexdigest()


def entries(tx: Transaction, *, item: int | None = None) -> Iterator[Entry]:
    """Entries in order; of one item, where given."""
    query = sa.select(audit).order_by(audit.c.seq)
    if item is not None:
        query = query.where(audit.c.item == item)
    for row in tx.execute(query):
        yield Entry(row.seq, row.at, row.item, row.event, body(row), row.previous, row.hash)


def body(row: sa.Row[Any]) -> dict[str, Any]:
    """What a row of the log says."""
    found: dict[str, Any] = json.loads(row.body)
    return found


def head(tx: Transaction) -> tuple[int, str]:
    """Number and hash of the last entry."""
    last = tx.execute(LAST).first()
    return (last.seq, last.hash) if last else (0, START)


def verify(tx: Transaction, *, noted: str = "") -> tuple[int, list[Broken]]:
    """Prove the chain: how many entries, and where it is broken.

    Parameters
    ----------
    noted
        A hash that was noted earlier, which the chain has to hold; empty asks for none.
    """
    broken, count, previous, seen = [], 0, START, not noted
    for row in tx.execute(sa.select(audit).order_by(audit.c.seq)):
        count += 1
        if row.seq != count:
            broken.append(Broken(row.seq, f"entry {count} is missing"))
            count = row.seq
        if row.previous != previous:
            broken.append(Broken(row.seq, "does not carry the hash of the entry before"))
        if chained(dict(row._mapping), row.previous) != row.hash:
            broken.append(Broken(row.seq, "was changed after it was written"))
        previous = row.hash
        seen = seen or row.hash == noted
    if not seen:
        broken.append(Broken(count, f"the noted hash {noted[:12]}... is not in the log: entries were cut off"))
    return count, broken
