"""The journal of outside effects: written before and after each, so that nothing is done twice.

An effect is known by what it is done to (an invoice is cancelled once, an item answered once), whichever work item
asks for it. After a crash or a broken connection the journal holds an intention without an outcome. Then the robot
first looks outside for what carries the key, and acts again only when nothing is found and enough time has passed
for a call under way to have arrived.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from vardag.invoices.model import ApplicationError
from vardag.invoices.store import Transaction, effect, insert_new

SAME = (effect.c.kind == sa.bindparam("of_kind"), effect.c.target == sa.bindparam("of_target"))
FIND = sa.select(effect).where(*SAME).with_for_update()
CHANGE = sa.update(effect).where(*SAME)
BEGUN = sa.select(effect).where(effect.c.item == sa.bindparam("item"), effect.c.state != sa.bindparam("refused"))
SINCE = sa.select(sa.func.count(), sa.func.sum(effect.c.amount)).where(
    effect.c.kind == sa.bindparam("kind"),
    effect.c.intended_at > sa.bindparam("moment"),
    effect.c.state != sa.bindparam("refused"),
)


class Kind(StrEnum):
    """What is done outside."""

    CANCEL = "cancel"
    ANSWER = "answer"


class Progress(StrEnum):
    """How far an effect has come."""

    INTENDED = "intended"
    DONE = "done"
    REFUSED = "refused"


class InDoubtError(ApplicationError):
    """Nobody knows yet whether it was done; look again later."""


@dataclass(frozen=True)
class Line:
    """A line of the journal.

    Attributes
    ----------
    fresh
        Whether the intention was written just now, so nothing can have been done under it.
    """

    kind: Kind
    target: str
    key: str
    item: int
    state: Progress
    intended_at: datetime
    outcome: dict[str, Any] | None
    amount: Decimal | None = None
    fresh: bool = False


def intend(
    tx: Transaction, kind: Kind, target: str, *, key: str, item: int, now: datetime, amount: Decimal | None = None
) -> Line:
    """Write down that it is about to be done; returns the line that is there already where there is one.

    A line that was refused is opened again: nothing was done under it.
    """
    begun = Line(kind, target, key, item, Progress.INTENDED, now, None, amount, fresh=True)
    row = {"key": key, "item": item, "state": begun.state, "intended_at": now, "amount": amount}
    if insert_new(tx, effect, kind=kind, target=target, **row):
        return begun
    found = of(tx, kind, target)
    if found.state is not Progress.REFUSED:
        return found
    tx.execute(CHANGE, {**_same(kind, target), **row, "finished_at": None, "outcome": None})
    return begun


def finish(tx: Transaction, line: Line, state: Progress, outcome: dict[str, Any], *, now: datetime) -> None:
    """Write down what came of it."""
    tx.execute(CHANGE, {**_same(line.kind, line.target), "state": state, "outcome": outcome, "finished_at": now})


def of(tx: Transaction, kind: Kind, target: str) -> Line:
    """The line of an effect, which must be there."""
    return _line(tx.execute(FIND, _same(kind, target)).one())


def begun(tx: Transaction, item: int) -> list[Line]:
    """What an item has set about outside, refusals not counted."""
    return [_line(row) for row in tx.execute(BEGUN, {"item": item, "refused": Progress.REFUSED})]


def since(tx: Transaction, kind: Kind, moment: datetime) -> tuple[int, Decimal]:
    """How many effects of a kind were intended since then, and their amount."""
    count, amount = tx.execute(SINCE, {"kind": kind, "moment": moment, "refused": Progress.REFUSED}).one()
    return int(count), Decimal(amount or 0)


def amounts(tx: Transaction) -> dict[int, Decimal]:
    """Amount of each item whose cancellation was done."""
    query = sa.select(effect.c.item, effect.c.amount).where(
        effect.c.kind == Kind.CANCEL, effect.c.state == Progress.DONE, effect.c.amount.is_not(None)
    )
    return {row.item: Decimal(row.amount) for row in tx.execute(query)}


def wait_for_calls_under_way(line: Line, *, now: datetime, settle: timedelta) -> None:
    """Refuse to act again while a call that was sent may still arrive.

    Raises
    ------
    InDoubtError
        Until `settle` has passed since the intention.
    """
    if now < line.intended_at + settle:
        raise InDoubtError(f"{line.kind} of {line.target}: not known whether it was done; looked at again later.")


def _same(kind: Kind, target: str) -> dict[str, str]:
    return {"of_kind": kind, "of_target": target}


def _line(row: sa.Row[Any]) -> Line:
    return Line(
        Kind(row.kind), row.target, row.key, row.item, Progress(row.state), row.intended_at, row.outcome, row.amount
    )
