"""From the inbox to work items: every mail is kept as it came, read once, and becomes one item for each invoice."""

import hashlib
import logging
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

import sqlalchemy as sa

from vardag.invoices import store, workitems
from vardag.invoices.mailbox.port import Folder, Waiting
from vardag.invoices.model import ApplicationError, CancellationRequest, MailKind, MailRead, Sender
from vardag.invoices.robot.desk import READ, Mode, Robot, plain, pseudonym
from vardag.invoices.routines import CANCELLATION, claimed
from vardag.invoices.store import Transaction

LOG = logging.getLogger(__name__)
BATCH = 500  # mails that are looked up at a time
HANDLE = sa.select(store.mail.c.key).where(store.mail.c.handle == sa.bindparam("handle")).limit(1)
HASH = sa.select(store.mail.c.sha256).where(store.mail.c.key == sa.bindparam("key"))


def take_in(robot: Robot) -> int:
    """Take in what is new in the inbox; returns how many work items it made."""
    made = 0
    for some in batches(robot.mailbox.waiting(), BATCH):
        known, own = _seen(robot, some)
        for waiting in some:
            if waiting.message_id in own:
                _file(robot, waiting, Folder.SENT)
            elif waiting.id not in known:
                made += _take_in(robot, waiting)
    return made


def _read(robot: Robot, raw: bytes, *, truncated: bool) -> tuple[str | None, MailRead]:
    """Read the mail, and for which routine it is.

    One that our reader stumbles over is a mail that a person has to read, and stops no other.
    """
    try:
        return claimed(robot.routines, robot.read(raw, truncated), robot.patterns)
    except Exception:  # whatever it is, the mail must not be lost
        LOG.exception("a mail could not be read")
        return None, MailRead(MailKind.UNREADABLE, Sender(""), "", robot.sender.language, (), doubts=("broken",))


def batches(mails: Iterable[Waiting], size: int) -> Iterator[list[Waiting]]:
    """Lists of so many mails."""
    every = iter(mails)
    while some := list(islice(every, size)):
        yield some


def _seen(robot: Robot, mails: list[Waiting]) -> tuple[set[str], set[str]]:
    """Handles that were taken in before, and message ids of the robot's own answers.

    A mail that was taken in and still lies there is being worked on, or the robot only watches. The copy of an
    answer is known by the journal, for a header can be forged.
    """
    handles, ids = [mail.id for mail in mails], [mail.message_id for mail in mails if mail.message_id]
    with robot.store.read() as tx:
        known = tx.execute(sa.select(store.mail.c.handle).where(store.mail.c.handle.in_(handles))).scalars().all()
        own = tx.execute(sa.select(store.effect.c.key).where(store.effect.c.key.in_(ids))).scalars().all()
    return set(known), set(own)


def _take_in(robot: Robot, waiting: Waiting) -> int:
    robot.at_step("fetch")
    try:
        raw = robot.mailbox.fetch(waiting, most=robot.most_bytes)
    except ApplicationError as error:
        LOG.warning("%s", error)  # it stays in the inbox for the next round, and keeps no other waiting
        return 0
    name, read = _read(robot, raw, truncated=waiting.size > robot.most_bytes)
    robot.at_step("take in")
    with robot.store.begin() as tx:
        made = _record(robot, tx, waiting, raw, read, routine=name or CANCELLATION)
    robot.at_step("taken in")
    if made is None:  # the same mail once more
        _file(robot, waiting, Folder.DONE)
    return made or 0


def _file(robot: Robot, waiting: Waiting, folder: Folder) -> None:
    """Lay a mail that asks for nothing out of the inbox; in shadow nothing is moved."""
    if robot.mode is not Mode.SHADOW:
        robot.mailbox.file(waiting, folder)


def _record(
    robot: Robot, tx: Transaction, waiting: Waiting, raw: bytes, read: MailRead, *, routine: str
) -> int | None:
    """Write the mail and its items down; None for a mail that came again, 0 where another robot was quicker."""
    sha256 = hashlib.sha256(raw).hexdigest()
    key, again = _key(tx, waiting, sha256)
    read = replace(read, message_id=waiting.message_id or read.message_id)
    row: dict[str, Any] = {
        "handle": waiting.id,
        "message_id": waiting.message_id,
        "sha256": sha256,
        "size": waiting.size,
        "received_at": robot.now(),
        "salt": secrets.token_hex(16),
    }
    if tx.execute(HANDLE, {"handle": waiting.id}).first():
        return 0
    if again:
        store.insert_new(tx, store.mail, key=f"{key}#{waiting.id}", folder=Folder.DONE.value, **row)
        robot.note(tx, "came again", mail=sha256)
        return None
    if not store.insert_new(tx, store.mail, key=key, **row, raw=raw, read=plain(READ, replace(read, texts={}))):
        return 0
    common: dict[str, Any] = {"mail": key, "routine": routine, "now": robot.now()}
    items = [
        workitems.add(tx, key=f"{key}\n{one.target}", target=one.target, place=place, **common)
        for place, one in enumerate(read.requests or (CancellationRequest(),))
    ]
    made = [number for number in items if number is not None]
    who = pseudonym(row["salt"], read.sender.address)
    told = {
        "mail": sha256,
        "bytes": waiting.size,
        "kind": read.kind.value,
        "routine": routine,
        "from": who,
        "doubts": list(read.doubts),
    }
    for number in made:
        robot.note(tx, "received", number, **told)
    return len(made)


def _key(tx: Transaction, waiting: Waiting, sha256: str) -> tuple[str, bool]:
    """Key of a mail, and whether the same mail is there already. A second content under one id is another mail."""
    key = waiting.message_id or f"sha256:{sha256}"
    for candidate in (key, f"{key}#{sha256[:16]}"):
        found = tx.execute(HASH, {"key": candidate}).scalar()
        if found is None or found == sha256:
            return candidate, found is not None
    return f"{key}#{sha256}", False
