"""The audit log: a chain that shows every change, on SQLite and on PostgreSQL."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from servers.postgis import PostGIS
from vardag.core.errors import DatabaseError
from vardag.invoices import audit, store
from vardag.invoices.commands import look
from vardag.invoices.store import Store


@pytest.fixture(params=["sqlite", "postgresql"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    server: PostGIS | None = request.getfixturevalue("postgis") if request.param == "postgresql" else None
    made = Store(server.fresh() if server else tmp_path / "robot.sqlite")
    for number in range(5):
        with made.begin() as tx:
            audit.append(tx, "decided", actor="vardag 1", item=number, code="posted", amount="12.50")
    yield made
    made.close()


def disarm(tx: sa.Connection) -> None:
    """What somebody would do who wants to change the log all the same."""
    if tx.dialect.name == "sqlite":
        tx.execute(sa.text("DROP TRIGGER audit_no_UPDATE"))
        tx.execute(sa.text("DROP TRIGGER audit_no_DELETE"))
    else:
        tx.execute(sa.text("DROP TRIGGER audit_append_only ON audit"))


def broken(log: Store, *, noted: str = "") -> list[audit.Broken]:
    with log.read() as tx:
        return audit.verify(tx, noted=noted)[1]


def test_an_untouched_log_holds(log: Store) -> None:
    with log.read() as tx:
        assert audit.verify(tx) == (5, [])
        assert audit.head(tx)[0] == 5


def test_the_database_refuses_to_change_or_delete(log: Store) -> None:
    for statement in (sa.update(store.audit).values(event="x"), sa.delete(store.audit)):
        with pytest.raises(sa.exc.DBAPIError, match="append-only"), log.begin() as tx:
            tx.execute(statement)


def test_a_changed_entry_shows(log: Store) -> None:
    with log.begin() as tx:
        disarm(tx)
        changed = json.dumps({"actor": "vardag 1", "amount": "1250", "code": "posted"})
        tx.execute(sa.update(store.audit).where(store.audit.c.seq == 3).values(body=changed))
    assert broken(log) == [audit.Broken(3, "was changed after it was written")]


def test_a_changed_entry_with_a_new_hash_breaks_the_next(log: Store) -> None:
    with log.begin() as tx:
        disarm(tx)
        row = dict(tx.execute(sa.select(store.audit).where(store.audit.c.seq == 3)).one()._mapping)
        forged = audit.chained({**row, "event": "cancelled"}, row["previous"])
        tx.execute(sa.update(store.audit).where(store.audit.c.seq == 3).values(event="cancelled", hash=forged))
    assert broken(log) == [audit.Broken(4, "does not carry the hash of the entry before")]


def test_an_entry_taken_out_shows(log: Store) -> None:
    with log.begin() as tx:
        disarm(tx)
        tx.execute(sa.delete(store.audit).where(store.audit.c.seq == 2))
    assert audit.Broken(3, "entry 2 is missing") in broken(log)


def test_entries_cut_off_show_by_a_noted_hash(log: Store) -> None:
    with log.read() as tx:
        noted = audit.head(tx)[1]
    with log.begin() as tx:
        disarm(tx)
        tx.execute(sa.delete(store.audit).where(store.audit.c.seq > 3))
    assert broken(log) == []
    (found,) = broken(log, noted=noted)
    assert "entries were cut off" in found.why


def test_writers_at_once_make_one_chain(log: Store) -> None:
    def write(name: int) -> None:
        for _ in range(10):
            with log.begin() as tx:
                audit.append(tx, "noted", actor=str(name))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    with log.read() as tx:
        assert audit.verify(tx) == (45, [])


def test_the_export_can_be_checked_by_anybody(log: Store, tmp_path: Path) -> None:
    assert look.export(log, tmp_path / "log.jsonl") == 5
    previous = audit.START
    for line in (tmp_path / "log.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        assert entry["previous"] == previous
        previous = audit.chained({**entry, "body": audit.canonical(entry["body"])}, previous)
        assert entry["hash"] == previous


def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    made = Store(tmp_path / "robot.sqlite")
    with made.begin() as tx:
        store.put(tx, "schema_version", 99)
    made.close()
    with pytest.raises(DatabaseError, match=r"version 99, this program writes 2"):
        Store(tmp_path / "robot.sqlite")
