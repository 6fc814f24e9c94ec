"""Suggestions from those who do the work: a change to the map, a rule, an answer or the reading."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

import sqlalchemy as sa

from vardag.core.errors import InputError, NotFoundError, RefusedError
from vardag.invoices import audit
from vardag.invoices.store import Store, Transaction
from vardag.invoices.store import suggestion as table


class About(StrEnum):
    """What a suggestion would change."""

    MAP = "map"
    RULE = "rule"
    TEMPLATE = "template"
    READING = "reading"


class Fate(StrEnum):
    """What became of a suggestion."""

    NEW = "new"
    TAKEN = "taken"
    DECLINED = "declined"


@dataclass(frozen=True)
class Suggestion:
    """A suggestion, and its answer where there is one.

    Attributes
    ----------
    item
        Work item at which the thought came up.
    target
        Step on the map, or code of the rule; empty where neither is meant.
    """

    id: int
    at: datetime
    by: str
    item: int | None
    about: About
    target: str
    text: str
    state: Fate
    answer: str | None
    answered_by: str | None
    answered_at: datetime | None


def suggest(store: Store, *, by: str, about: About, target: str, text: str, item: int | None = None) -> Suggestion:
    """Write a suggestion down; its text stays out of the log, where nothing can be taken back."""
    if not text.strip():
        raise InputError("a suggestion needs a text.")
    row = {"at": datetime.now(UTC), "by": by, "item": item, "about": about, "target": target, "text": text.strip()}
    with store.begin() as tx:
        number = tx.execute(sa.insert(table).values(**row, state=Fate.NEW).returning(table.c.id)).scalar_one()
        audit.append(tx, "suggested", actor=by, item=item, suggestion=int(number), about=about.value, target=target)
        return _get(tx, int(number))


def answer(store: Store, number: int, fate: Fate, *, by: str, text: str) -> Suggestion:
    """Take or decline a suggestion, with an answer to who made it.

    Raises
    ------
    InputError
        When there is no answer.
    RefusedError
        When it was answered already.
    """
    if not text.strip():
        raise InputError("an answer is needed: who suggested it wants to know why.")
    with store.begin() as tx:
        found = _get(tx, number)
        if found.state is not Fate.NEW:
            raise RefusedError(f"suggestion {number} was {found.state} by {found.answered_by} already.")
        values = {"state": fate, "answer": text.strip(), "answered_by": by, "answered_at": datetime.now(UTC)}
        tx.execute(sa.update(table).where(table.c.id == number).values(**values))
        audit.append(tx, "suggestion answered", actor=by, item=found.item, suggestion=number, state=fate.value)
        return _get(tx, number)


def listed(store: Store) -> list[Suggestion]:
    """All suggestions, the unanswered first, then the latest."""
    order = sa.case((table.c.state == Fate.NEW, 0), else_=1), table.c.id.desc()
    with store.read() as tx:
        return [_suggestion(row) for row in tx.execute(sa.select(table).order_by(*order))]


def _get(tx: Transaction, number: int) -> Suggestion:
    row = tx.execute(sa.select(table).where(table.c.id == number).with_for_update()).first()
    if row is None:
        raise NotFoundError(f"no suggestion {number}.")
    return _suggestion(row)


def _suggestion(row: sa.Row[tuple[object, ...]]) -> Suggestion:
    found = dict(row._mapping)
    return Suggestion(**{**found, "about": About(found["about"]), "state": Fate(found["state"])})
