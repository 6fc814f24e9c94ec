"""What caseworkers do at the desk: look at the queue, open an item, decide with a reason, suggest a change."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from vardag.core.errors import RefusedError
from vardag.invoices import audit, brakes, store, workitems
from vardag.invoices.audit import Entry
from vardag.invoices.commands.sheet import approvers
from vardag.invoices.ladder import Demands
from vardag.invoices.robot import people
from vardag.invoices.robot.desk import READ
from vardag.invoices.rules import same_person
from vardag.invoices.store import Store, Transaction
from vardag.invoices.workitems import Item, State

OPENED, LOOKED = "opened", "looked"
DECIDED = ("approved", "closed by hand", "retried")
SHOWN = 50  # items on a page of the queue


class Tab(StrEnum):
    """A part of the queue."""

    WAITING = "waiting"
    DEAD = "dead"
    UNDER_WAY = "under_way"
    SETTLED = "settled"
    ALL = "all"


STATES = {
    Tab.WAITING: (State.WAITING,),
    Tab.DEAD: (State.DEAD,),
    Tab.UNDER_WAY: (State.NEW, State.RESERVED, State.FAILED_APPLICATION),
    Tab.SETTLED: (State.DONE, State.FAILED_BUSINESS),
    Tab.ALL: tuple(State),
}


class Choice(StrEnum):
    """What a person decides about an item."""

    CONFIRM = "confirm"
    DONE = "done"
    REFUSE = "refuse"


class DecisionRefusedError(RefusedError):
    """A decision that cannot be taken; `why` is a code: changed, again, own."""

    def __init__(self, why: str, says: str) -> None:
        super().__init__(says)
        self.why = why


@dataclass(frozen=True)
class Opened:
    """Who has an item open, and since when."""

    by: str
    at: datetime


@dataclass(frozen=True)
class Queue:
    """A page of the queue: its items, how many there are in all, how many in each part, and the brakes."""

    items: tuple[Item, ...]
    total: int
    counts: dict[Tab, int]
    paused: dict[str, str] | None
    opened: dict[int, Opened]


def queue(found: Store, tab: Tab, *, search: str = "", page: int = 1, sitting: timedelta) -> Queue:
    """Look at the queue: what waits the longest first, what was settled last first.

    Parameters
    ----------
    search
        Part of an invoice number or reference, or the number of a work item.
    """
    table = store.item
    wanted: list[sa.ColumnElement[bool]] = [table.c.state.in_(STATES[tab])]
    if search:
        like = table.c.target.contains(search, autoescape=True)
        wanted.append(sa.or_(like, table.c.id == int(search)) if _is_number(search) else like)
    order = table.c.changed_at if tab in {Tab.WAITING, Tab.DEAD} else table.c.changed_at.desc()
    ids = sa.select(table.c.id).where(*wanted).order_by(order, table.c.id).limit(SHOWN).offset(SHOWN * (page - 1))
    with found.read() as tx:
        numbers = tx.execute(ids).scalars().all()
        total = tx.execute(sa.select(sa.func.count()).select_from(table).where(*wanted)).scalar_one()
        by_state = workitems.counted(tx)
        return Queue(
            items=tuple(workitems.get(tx, number) for number in numbers),
            total=int(total),
            counts={one: sum(by_state[state] for state in states) for one, states in STATES.items()},
            paused=brakes.paused(tx),
            opened=_opened(tx, numbers, datetime.now(UTC) - sitting),
        )


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def _opened(tx: Transaction, numbers: Sequence[int], since: datetime) -> dict[int, Opened]:
    """Who opened an item last, unless somebody has decided since."""
    log = store.audit
    query = sa.select(log).where(
        log.c.item.in_(numbers), log.c.event.in_([OPENED, *DECIDED]), log.c.at >= since.isoformat()
    )
    found: dict[int, Opened] = {}
    for row in tx.execute(query.order_by(log.c.seq)):
        if row.event == OPENED:
            actor = str(audit.body(row)["actor"])
            found[row.item] = Opened(actor, datetime.fromisoformat(row.at))
        else:
            found.pop(row.item, None)
    return found


def look_at(found: Store, number: int, *, by: str, sitting: timedelta, event: str = OPENED) -> None:
    """Note that a person looks at an item: once a sitting, and again after a decision.

    The account of hours counts a caseworker's minutes from ``opened`` to the decision.
    """
    now = datetime.now(UTC)
    with found.read() as tx:
        if _sits(tx, number, by, event, now - sitting):
            return
    with found.begin() as tx:
        if not _sits(tx, number, by, event, now - sitting):
            audit.append(tx, event, actor=by, item=number)


def _sits(tx: Transaction, number: int, by: str, event: str, since: datetime) -> bool:
    sits = False
    for entry in audit.entries(tx, item=number):
        mine = entry.body.get("actor") == by
        if mine and entry.event == event and datetime.fromisoformat(entry.at) >= since:
            sits = True
        elif mine and entry.event in DECIDED:
            sits = False
    return sits


def decide(found: Store, number: int, choice: Choice, *, by: str, reason: str, seen: str, demands: Demands) -> Item:
    """Take a person's decision about a waiting item.

    Parameters
    ----------
    seen
        The item's `workitems.stamp` when the person looked at it.
    demands
        What the ladder demands of the rule that the decision is counted for.

    Raises
    ------
    DecisionRefusedError
        When the item has changed since, when the person has confirmed it already, or asked for it.
    """
    told: dict[str, Any] = {"by": by, "reason": reason, "demands": demands, "seen": seen}
    try:
        if choice is not Choice.CONFIRM:
            return people.close(found, number, done=choice is Choice.DONE, **told)
        with found.read() as tx:
            item = workitems.get(tx, number)
            if workitems.stamp(item) == seen:  # who confirmed is in the stamp, so this holds when it is taken
                _may_confirm(tx, item, by)
        return people.approve(found, number, **told)
    except DecisionRefusedError:
        raise
    except RefusedError as error:
        raise DecisionRefusedError("changed", str(error)) from None


def _may_confirm(tx: Transaction, item: Item, by: str) -> None:
    kept = tx.execute(sa.select(store.mail.c.read).where(store.mail.c.key == item.mail)).scalar()
    read = READ.validate_python(kept) if kept is not None else None
    if any(same_person(by, one) for one in approvers(item, read)):
        raise DecisionRefusedError("again", f"{by} has confirmed work item {item.id} already.")
    if read is not None and same_person(by, read.sender.address):
        raise DecisionRefusedError("own", f"{by} asked for this; somebody else has to confirm.")


def history(found: Store, number: int) -> tuple[Entry, ...]:
    """What the log says of an item; nothing where there is no such item."""
    with found.read() as tx:
        return tuple(audit.entries(tx, item=number))


def note_export(found: Store, *, by: str) -> None:
    """Note that somebody took the log out."""
    with found.begin() as tx:
        audit.append(tx, "log exported", actor=by)
