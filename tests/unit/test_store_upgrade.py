"""A database that an earlier version made is brought up to this one, with everything in it."""

from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from vardag.invoices import store, workitems
from vardag.invoices.store import Store

SINCE_1 = {
    "item": ("routine", "at", "outcome", "outcomes", "exits"),
    "tables": ("rung", "judgement", "person", "suggestion"),
}


def as_version_1(path: Path) -> None:
    """A database as version 1 left it, with one work item."""
    made = Store(path)
    now = datetime.now(UTC)
    with made.begin() as tx:
        row = {"handle": "1", "message_id": "m", "sha256": "0", "size": 1, "received_at": now}
        store.insert_new(tx, store.mail, key="m", **row)
        workitems.add(tx, key="m\n1", mail="m", place=0, target="1", now=now)
        for column in SINCE_1["item"]:
            tx.execute(sa.text(f"ALTER TABLE item DROP COLUMN {column}"))
        for table in SINCE_1["tables"]:
            tx.execute(sa.text(f"DROP TABLE {table}"))
        store.put(tx, "schema_version", 1)
    made.close()


def test_a_database_of_version_1_keeps_its_work_items(tmp_path: Path) -> None:
    as_version_1(tmp_path / "robot.sqlite")
    opened = Store(tmp_path / "robot.sqlite")
    with opened.begin() as tx:
        (item,) = workitems.listed(tx)
        assert store.get(tx, "schema_version") == store.SCHEMA_VERSION
        assert tx.execute(sa.select(sa.func.count()).select_from(store.rung)).scalar() == 0
    assert (item.target, item.routine, item.at, item.outcome) == ("1", "cancellation", None, None)
