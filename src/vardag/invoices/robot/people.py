"""What people do with work items and with the robots; each is an entry in the audit log, with the person's name.

What a person does with a decision of the robot's is also counted for the rule that settled it (`ladder`); `demands`
are the city's, the packaged ones where none are given.
"""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from vardag.core.errors import InputError, RefusedError
from vardag.invoices import audit, brakes, ladder, workitems
from vardag.invoices import store as stored
from vardag.invoices.ladder import Demands, Outcome, load_demands
from vardag.invoices.rules import same_person
from vardag.invoices.store import Store, Transaction
from vardag.invoices.workitems import Item, State

# What a person may decide where an item waits outside the map: it begins again, or ends.
ENDS = {"confirmed": "", "done": State.DONE, "refused": State.FAILED_BUSINESS}
# A dead letter is ended by hand, or tried again (`retry`): there is nothing to confirm.
DEAD_ENDS = {"done": State.DONE, "refused": State.FAILED_BUSINESS}


class ChangedError(RefusedError):
    """The item is not as the person saw it when they decided."""


def approve(
    store: Store, number: int, *, by: str, reason: str, demands: Demands | None = None, seen: str | None = None
) -> Item:
    """Confirm a waiting item; the rules are asked again, with this person's confirmation.

    Parameters
    ----------
    seen
        The item's `workitems.stamp` when the person looked at it; None asks for none.

    Raises
    ------
    ChangedError
        When the item has changed since.
    RefusedError
        When it does not wait.
    """
    by = _named(by)
    with store.begin() as tx:
        found = _as_seen(tx, number, seen)
        left = _decided(tx, found, "confirmed", told=None, approvals=[*found.approvals, by])
        told = {"reason": reason, "step": found.at, "outcome": "confirmed"}
        audit.append(tx, "approved", actor=by, item=number, **told, **_judged(tx, found, "confirmed", by, demands))
    return left


def close(
    store: Store,
    number: int,
    *,
    by: str,
    reason: str,
    done: bool,
    demands: Demands | None = None,
    seen: str | None = None,
) -> Item:
    """Decide a waiting item or a dead letter by hand: what was asked for has been done, or will not be.

    `seen` is asked for, and refused, as in `approve`.
    """
    by = _named(by)
    outcome: Outcome = "done" if done else "refused"
    with store.begin() as tx:
        found = _as_seen(tx, number, seen)
        left = _decided(tx, found, outcome, told=reason)
        told: dict[str, Any] = {"reason": reason, "state": left.state.value, "step": found.at, "outcome": outcome}
        audit.append(
            tx, "closed by hand", actor=by, item=number, **told, **_judged(tx, found, outcome, by, demands)
        )
    return left


def object_to(store: Store, number: int, *, by: str, reason: str, demands: Demands | None = None) -> None:
    """Say that what the robot did with a settled item was wrong; nothing is undone, and its rule answers for it."""
    by = _named(by)
    with store.begin() as tx:
        judged = ladder.objected(tx, number, by=by, demands=demands or load_demands(), now=datetime.now(UTC))
        audit.append(tx, "objected", actor=by, item=number, reason=reason, **judged)


def _judged(tx: Transaction, found: Item, outcome: Outcome, by: str, demands: Demands | None) -> dict[str, Any]:
    """Count what the person did for the rule that the robot had decided by; who asked is no judge of it."""
    if _asked(tx, found, by):
        return {}
    return ladder.judge(tx, found.id, outcome, by=by, demands=demands or load_demands(), now=datetime.now(UTC))


def _as_seen(tx: Transaction, number: int, seen: str | None) -> Item:
    """The item, locked, so that nobody changes it between this look and the decision."""
    found = workitems.get(tx, number, lock=True)
    if seen is not None and workitems.stamp(found) != seen:
        raise ChangedError(f"work item {number} has changed since you opened it. Look again, and decide then.")
    return found


def _asked(tx: Transaction, found: Item, by: str) -> bool:
    """Whether a person is the one whose mail it is, by address or user name."""
    read = tx.execute(sa.select(stored.mail.c.read).where(stored.mail.c.key == found.mail)).scalar() or {}
    return same_person(by, str(read.get("sender", {}).get("address", "")))


def _decided(tx: Transaction, found: Item, outcome: str, **values: Any) -> Item:
    """Let the item go on along the map with what the person decided, or end where the map ends.

    Raises
    ------
    RefusedError
        When the item does not wait, or the map has no such way from the step where it waits.
    """
    _free(found)
    if found.state not in {State.WAITING, State.DEAD}:
        raise RefusedError(f"work item {found.id} is {found.state}: it waits for nobody's decision.")
    exits = DEAD_ENDS if found.state is State.DEAD else ENDS if found.exits is None else found.exits
    if outcome not in exits:
        ways = ", ".join(sorted(exits)) or "none"
        raise RefusedError(f"work item {found.id} waits at {found.at}, where the map has: {ways}; not {outcome}.")
    state = State(exits[outcome] or State.NEW)
    tries = {"tries": 0} if state is State.NEW else {}
    return workitems.move(tx, found.id, state, now=datetime.now(UTC), outcome=outcome, **tries, **values)


def _free(found: Item, *also: State) -> None:
    """Refuse to take an item out of a robot's hands; it may be in the middle of a call."""
    if found.state in {State.NEW, State.RESERVED, State.FAILED_APPLICATION}.difference(also):
        raise RefusedError(
            f"work item {found.id} is {found.state}: a robot works on it, or will. Wait until it waits."
        )


def retry(store: Store, number: int, *, by: str) -> Item:
    """Give an item that failed technically another row of tries.

    Raises
    ------
    RefusedError
        When a robot has it in hand, or it did not fail: what waits is for somebody's decision.
    """
    with store.begin() as tx:
        found = workitems.get(tx, number, lock=True)
        _free(found, State.FAILED_APPLICATION)
        if found.state not in {State.DEAD, State.FAILED_APPLICATION}:
            raise RefusedError(f"work item {number} is {found.state}; only what failed technically is tried again.")
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
