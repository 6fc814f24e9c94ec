"""Work items: one request about one invoice on its way through the routine.

::

    new ─► reserved ─► done                  the routine is through: credited, voided, or nothing was left to do
     ▲        │ ├────► waiting               a person must look (a business exception); never retried by itself
     │        │ ├────► failed_business       rejected, and the requester was told
     │        │ └────► failed_application    something technical; tried again at `retry_at`
     │        └──────► dead                  tried too often: the dead letter, for the administrator
     └─ a person decides (waiting), or asks for another try (dead)

A robot reserves an item for a while (the lease) and renews it while it works. A robot that dies loses its items
when the lease ends; that counts as a try, so an item that kills robots ends as a dead letter. Before every outside
effect the robot proves with `hold` that the item is still its own.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from vardag.core.errors import NotFoundError, RefusedError
from vardag.invoices.store import Transaction, insert_new, item


class State(StrEnum):
    """Where a work item stands."""

    NEW = "new"
    RESERVED = "reserved"
    WAITING = "waiting"
    DONE = "done"
    FAILED_BUSINESS = "failed_business"
    FAILED_APPLICATION = "failed_application"
    DEAD = "dead"


SETTLED = (State.DONE, State.WAITING, State.FAILED_BUSINESS, State.DEAD)
ALLOWED = {
    State.NEW: {State.RESERVED},
    State.RESERVED: {State.NEW, *SETTLED, State.FAILED_APPLICATION},
    State.FAILED_APPLICATION: {State.RESERVED, State.NEW, State.DEAD},
    State.WAITING: {State.NEW, State.DONE, State.FAILED_BUSINESS},
    State.DEAD: {State.NEW, State.DONE, State.FAILED_BUSINESS},
    State.DONE: set[State](),
    State.FAILED_BUSINESS: set[State](),
}


def _oldest(*due: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """The oldest item that is due in a way, and that no other robot is taking."""
    found = sa.select(item.c.id).where(*due).order_by(item.c.id).limit(1).with_for_update(skip_locked=True)
    return sa.select(found.subquery().c.id)


# Statements that every work item needs are built once; building one takes longer than running it.
NOW = sa.bindparam("now", type_=item.c.changed_at.type)
# One search for each state, and not one for all: it ends at the first item, however long the queue is.
DUE = sa.union_all(
    _oldest(item.c.state == State.NEW, sa.or_(item.c.retry_at.is_(None), item.c.retry_at <= NOW)),
    _oldest(item.c.state == State.FAILED_APPLICATION, item.c.retry_at <= NOW),
    _oldest(item.c.state == State.RESERVED, item.c.lease_until <= NOW),
).subquery()
TAKE = (
    sa.update(item)
    .where(item.c.id == sa.select(sa.func.min(DUE.c.id)).scalar_subquery())
    .values(state=State.RESERVED, reserved_by=sa.bindparam("robot"), lease_until=sa.bindparam("until"))
    .values(tries=item.c.tries + 1, changed_at=NOW, retry_at=None)
    .returning(item)
)
FIND = sa.select(item).where(item.c.id == sa.bindparam("number"))
LOCK = FIND.with_for_update()
ABOUT = sa.select(item).where(item.c.target == sa.bindparam("target")).order_by(item.c.id)
CHANGE = sa.update(item).where(item.c.id == sa.bindparam("number"))
HOLD = (
    sa.update(item)
    .where(item.c.id == sa.bindparam("number"), item.c.state == sa.bindparam("reserved"))
    .where(item.c.reserved_by == sa.bindparam("robot"))
    .values(lease_until=sa.bindparam("until"))
)


class LeaseLostError(RefusedError):
    """Another robot has the item by now; this one must let go."""


@dataclass(frozen=True)
class Retries:
    """How often, and after how long, a technical fault is tried again.

    Attributes
    ----------
    tries
        Tries in all, the first one too.
    first_s, factor, most_s
        Pause after the first try, its growth with each, and its longest.
    """

    tries: int = 5
    first_s: float = 60.0
    factor: float = 4.0
    most_s: float = 6 * 3600.0

    def pause(self, tries: int) -> timedelta:
        """Pause after so many tries.

        >>> Retries().pause(2)
        datetime.timedelta(seconds=240)
        """
        return timedelta(seconds=min(self.first_s * self.factor ** (tries - 1), self.most_s))


@dataclass(frozen=True)
class Item:
    """A work item as it stands."""

    id: int
    key: str
    mail: str
    place: int
    routine: str
    at: str | None
    outcome: str | None
    outcomes: dict[str, str] | None
    exits: dict[str, str] | None
    target: str
    state: State
    created_at: datetime
    changed_at: datetime
    reserved_by: str | None
    lease_until: datetime | None
    tries: int
    retry_at: datetime | None
    decision: dict[str, Any] | None
    approvals: tuple[str, ...]
    told: str | None


def add(
    tx: Transaction, *, key: str, mail: str, place: int, target: str, now: datetime, routine: str = "cancellation"
) -> int | None:
    """Make an item; None where there is one with this key already."""
    values = {"key": key, "mail": mail, "place": place, "target": target, "routine": routine}
    values |= {"state": State.NEW, "approvals": []}
    made = insert_new(tx, item, **values, tries=0, created_at=now, changed_at=now)
    return int(made.id) if made else None


def reserve(tx: Transaction, *, robot: str, now: datetime, lease: timedelta) -> Item | None:
    """Take the oldest item that is due: new, to be tried again, or left behind by a robot that died.

    A new item that was held back by a limit is due at its `retry_at`.
    """
    row = tx.execute(TAKE, {"now": now, "robot": robot, "until": now + lease}).first()
    return _item(row) if row else None


def hold(tx: Transaction, number: int, *, robot: str, now: datetime, lease: timedelta) -> None:
    """Renew the lease.

    Raises
    ------
    LeaseLostError
        When the item is no longer this robot's; it must do nothing more with it.
    """
    own = {"number": number, "reserved": State.RESERVED, "robot": robot, "until": now + lease}
    if tx.execute(HOLD, own).rowcount == 0:
        raise LeaseLostError(f"work item {number} is no longer reserved by {robot}.")


def move(tx: Transaction, number: int, state: State, *, now: datetime, **values: Any) -> Item:
    """Give an item another state.

    Raises
    ------
    RefusedError
        When the routine knows no way from the item's state to the new one.
    """
    found = get(tx, number, lock=True)
    if state not in ALLOWED[found.state]:
        ways = ", ".join(sorted(ALLOWED[found.state])) or "nowhere"
        raise RefusedError(f"work item {number} is {found.state} and cannot become {state}; from there: {ways}.")
    left: dict[str, Any] = {"state": state, "changed_at": now, "reserved_by": None, "lease_until": None, **values}
    tx.execute(CHANGE, {"number": number, **left})
    return replace(found, **{**left, "approvals": tuple(left.get("approvals", found.approvals))})


def failed(tx: Transaction, number: int, why: str, *, now: datetime, retries: Retries) -> Item:
    """A technical fault: try again later, or never."""
    found = get(tx, number, lock=True)
    if found.tries >= retries.tries:
        return move(tx, number, State.DEAD, now=now, told=why)
    return move(tx, number, State.FAILED_APPLICATION, now=now, told=why, retry_at=now + retries.pause(found.tries))


def get(tx: Transaction, number: int, *, lock: bool = False) -> Item:
    """An item by its number.

    Raises
    ------
    NotFoundError
        When there is none.
    """
    row = tx.execute(LOCK if lock else FIND, {"number": number}).first()
    if row is None:
        raise NotFoundError(f"no work item {number}. List them with: vardag invoices status")
    return _item(row)


def stamp(found: Item) -> str:
    """How an item stands, for a form to carry: who decides sees whether it is still so."""
    return f"{found.state}.{found.changed_at.isoformat()}.{len(found.approvals)}"


def listed(tx: Transaction, *states: State) -> list[Item]:
    """Items in these states (all, where none is given), oldest first."""
    query = sa.select(item).where(item.c.state.in_(states or tuple(State))).order_by(item.c.id)
    return [_item(row) for row in tx.execute(query)]


def about(tx: Transaction, target: str) -> list[Item]:
    """Items about one invoice, oldest first."""
    return [_item(row) for row in tx.execute(ABOUT, {"target": target})]


def counted(tx: Transaction) -> dict[State, int]:
    """Items by state."""
    query = sa.select(item.c.state, sa.func.count()).group_by(item.c.state)
    found = {str(row.state): int(row[1]) for row in tx.execute(query)}
    return {state: found.get(state, 0) for state in State}


def _item(row: sa.Row[Any]) -> Item:
    found = dict(row._mapping)
    return Item(**{**found, "state": State(found["state"]), "approvals": tuple(found["approvals"] or ())})
