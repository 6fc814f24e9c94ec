"""What people do with work items and with the robots; each is an entry in the audit log, with the person's name."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from vardag.core.errors import InputError, RefusedError
from vardag.invoices import audit, brakes, workitems
from vardag.invoices import store as stored
from vardag.invoices.store import Store, Transaction
from vardag.invoices.workitems import Item, State

# What a person may decide where an item waits outside the map: it begins again, or ends.
ENDS = {"confirmed": "", "done": State.DONE, "refused": State.FAILED_BUSINESS}


def approve(store: Store, number: int, *, by: str, reason: str) -> Item:
    """Confirm a waiting item; the rules are asked again, with this person's confirmation."""
    by = _named(by)
    with store.begin() as tx:
        found = workitems.get(tx, number, lock=True)
        left = _decided(tx, found, "confirmed", told=None, approvals=[*found.approvals, by])
        audit.append(tx, "approved", actor=by, item=number, reason=reason, step=found.at, outcome="confirmed")
    return left


def close(store: Store, number: int, *, by: str, reason: str, done: bool) -> Item:
    """Decide a waiting item by hand: what was asked for has been done, or will not be."""
    by, outcome = _named(by), "done" if done else "refused"
    with store.begin() as tx:
        found = workitems.get(tx, number, lock=True)
        left = _decided(tx, found, outcome, told=reason)
        told = {"reason": reason, "state": left.state.value, "step": found.at, "outcome": outcome}
        audit.append(tx, "closed by hand", actor=by, item=number, **told)
    return left


def _decided(tx: Transaction, found: Item, outcome: str, **values: Any) -> Item:
    """Let the item go on along the map with what the person decided, or end where the map ends.

    Raises
    ------
    RefusedError
        When the item does not wait, or the map has no such way from the step where it waits.
    """
    exits = found.exits if found.state is State.WAITING and found.exits is not None else ENDS
    if outcome not in exits:
        ways = ", ".join(sorted(exits)) or "none"
        raise RefusedError(f"work item {found.id} waits at {found.at}, where the map has: {ways}; not {outcome}.")
    state = State(exits[outcome] or State.NEW)
    tries = {"tries": 0} if state is State.NEW else {}
    return workitems.move(tx, found.id, state, now=datetime.now(UTC), outcome=outcome, **tries, **values)


def retry(store: Store, number: int, *, by: str) -> Item:
    """Give an item that failed technically another row of tries."""
    with store.begin() as tx:
        left = workitems.move(tx, number, State.NEW, now=datetime.now(UTC), tries=0, told=None, retry_at=None)
        audit.append(tx, "retried", actor=_named(by), item=number)
    return left


def pause(store: Store, *, by: str, why: str) -> None:
    """Pull the brake for every robot."""
    by = _named(by)
    with store.begin() as tx:
        brakes.pause(tx, by=by, why=why, now=datetime.now(UTC))
        audit.append(tx, "paused", actor=by, why=why)


def resume(store: Store, *, by: str) -> None:
    """Let the robots go on."""
    with store.begin() as tx:
        brakes.resume(tx)
        audit.append(tx, "resumed", actor=_named(by))


def _named(person: str) -> str:
    if not person.strip():
        raise InputError("who decides? Give a name with --by.")
    return person.strip()


def delete_mails(store: Store, *, before: datetime, by: str) -> int:
    """Delete the mails whose items were all settled before a day: text, what was read in it, and the sender's key.

    The log stays as it is; without the key nobody can tell any more who a mail was from. What still waits for a
    person is kept.
    """
    mail, item = stored.mail, stored.item
    open_items = sa.select(item.c.mail).where(
        sa.or_(item.c.state.not_in([State.DONE, State.FAILED_BUSINESS]), item.c.changed_at >= before)
    )
    old = sa.and_(mail.c.received_at < before, mail.c.salt.is_not(None), mail.c.key.not_in(open_items))
    with store.begin() as tx:
        keys = tx.execute(sa.select(mail.c.key).where(old)).scalars().all()
        tx.execute(sa.update(mail).where(old).values(raw=None, read=sa.null(), salt=None))
        audit.append(tx, "mails deleted", actor=_named(by), count=len(keys), before=before.date().isoformat())
    return len(keys)
