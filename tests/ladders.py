"""A ladder without a robot: work items, decisions as the audit log holds them, and what people said."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from offices import demands
from vardag.invoices import audit, ladder, workitems
from vardag.invoices import store as stored
from vardag.invoices.ladder import Demands, Level
from vardag.invoices.store import Store
from vardag.invoices.workitems import State

__all__ = ["NOW", "decided", "demands", "items", "objection", "said", "signed"]
NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


def items(store: Store, count: int) -> list[int]:
    """So many work items, all from one mail."""
    row = {"handle": "1", "message_id": "m", "sha256": "s", "size": 1, "received_at": NOW}
    with store.begin() as tx:
        stored.insert_new(tx, stored.mail, key="m", **row)
        made = [
            workitems.add(tx, key=f"m\n{one}", mail="m", place=one, target=str(one), now=NOW)
            for one in range(count)
        ]
    return [number for number in made if number is not None]


def decided(
    store: Store, number: int, rule: str, action: str, level: Level | None, *, approved_by: int = 0
) -> None:
    """The robot's decision, as it writes it."""
    body: dict[str, Any] = {"action": action, "code": rule, "approved_by": approved_by, "mode": "shadow"}
    body |= {"level": level.value} if level else {}
    with store.begin() as tx:
        kept = {"action": action, "code": rule, "version": "v1"}
        tx.execute(sa.update(stored.item).where(stored.item.c.id == number).values(decision=kept))
        audit.append(tx, "decided", actor="robot", item=number, **body)


def said(store: Store, number: int, outcome: Any, asked: Demands, *, now: datetime = NOW) -> dict[str, Any]:
    """What a person did."""
    with store.begin() as tx:
        return ladder.judge(tx, number, outcome, by="bo", demands=asked, now=now)


def objection(
    store: Store, number: int, asked: Demands, *, now: datetime = NOW, settle: bool = True
) -> dict[str, Any]:
    """A person's objection to an item that is settled."""
    with store.begin() as tx:
        if settle:
            state = {"state": State.DONE.value}
            tx.execute(sa.update(stored.item).where(stored.item.c.id == number).values(**state))
        return ladder.objected(tx, number, by="bo", demands=asked, now=now)


def signed(store: Store, level: Level, *, rule: str = "posted", now: datetime = NOW) -> None:
    """A rule on a level, by demands that ask for nothing."""
    with store.begin() as tx:
        ladder.sign_all(tx, [rule], level, by="anna", reason="a test", demands=demands(), now=now)
