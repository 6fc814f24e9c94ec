"""Kill -9 in the middle of a push, or of a load on a server: it is as before, and the next one completes."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import polars as pl
import psycopg
import pytest

from killed import LOAD, PUSH, Point, kill_at, named, write
from vardag.core import db
from vardag.core.config import settings
from vardag.water import schema
from vardag.water.commands.database import pull, push
from vardag.water.commands.load import load
from vardag.water.commands.workspace import read_table

HERE = "vardag.water.commands"
# Where the process is killed: a function of the push, and whether before or after its n-th call.
UNDONE = [
    (f"{HERE}.database:states", "after", 1),  # it holds the lock, and nothing has been staged
    (f"{HERE}.transfer:_throw_away", "after", 1),
    (f"{HERE}.transfer:_settle", "before", 1),  # everything is staged
    (f"{HERE}.transfer:_settle", "after", 1),  # one table is in its place, others are not
    (f"{HERE}.transfer:make_indexes", "before", 2),
    (f"{HERE}.transfer:push_runs", "after", 1),
    (f"{HERE}.transfer:_note", "after", 1),
]
DONE = [(f"{HERE}.transfer:remember", "before", 1), (f"{HERE}.transfer:_throw_away", "after", 2)]
IN_A_LOAD = [
    (f"{HERE}.load:replace_rows", "after", 2),
    ("vardag.core.runs:_write", "after", 1),
    (f"{HERE}.transfer:_settle", "after", 1),
    (f"{HERE}.transfer:push_runs", "after", 1),
]


def content(server: str) -> dict[str, pl.DataFrame]:
    """Everything that the server holds of the city, its runs included."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), pipes=1, breaks=1)
        pull(Path(folder), source=server)
        with db.connect(Path(folder) / "vardag.duckdb") as connection:
            runs = connection.execute("SELECT run_id, command, status FROM run ORDER BY 1").pl()
            return {table.name: read_table(connection, table.name) for table in schema.TABLES} | {"run": runs}


def different(left: dict[str, pl.DataFrame], right: dict[str, pl.DataFrame]) -> list[str]:
    return [name for name in left if not left[name].equals(right[name])]


def alone(server: str) -> None:
    """Wait until the server has noticed that the killed process is gone, and look for what it left."""
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with psycopg.connect(server, autocommit=True) as connection:
        while connection.execute(f"{others} AND backend_type = 'client backend'").fetchone() != (0,):
            time.sleep(0.05)


def staged(server: str) -> int:
    with psycopg.connect(server) as connection:
        sql = "SELECT count(*) FROM pg_tables WHERE schemaname = 'ytterby_staging'"
        return int((connection.execute(sql).fetchone() or (0,))[0])


@pytest.mark.parametrize("point", [*UNDONE, *DONE], ids=named)
def test_a_push_killed_at_a_named_step_leaves_the_server_as_it_was_or_as_it_will_be(
    tmp_path: Path, server: str, point: Point
) -> None:
    write(tmp_path, pipes=50, breaks=20)
    load(tmp_path)
    push(tmp_path, to=server)
    before = content(server)
    write(tmp_path, pipes=60, breaks=30)
    load(tmp_path)
    kill_at(point, PUSH, tmp_path, server)
    alone(server)
    left = content(server)
    push(tmp_path, to=server)
    after = content(server)
    assert after["pipe"].height == 60 and after["break"].height == 30 and after["run"].height == 2
    assert different(left, after if point in DONE else before) == []
    assert staged(server) == 0
    assert push(tmp_path, to=server).tables == {}


@pytest.mark.parametrize("point", IN_A_LOAD, ids=named)
def test_a_load_on_a_server_killed_at_a_named_step_leaves_it_as_it_was(
    tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch, point: Point
) -> None:
    monkeypatch.setenv("VARDAG_DATABASE", server)
    settings.cache_clear()
    write(tmp_path, pipes=50, breaks=20)
    load(tmp_path)
    before = content(server)
    write(tmp_path, pipes=60, breaks=30)
    kill_at(point, LOAD, tmp_path)
    alone(server)
    assert different(content(server), before) == []
    assert [source.status for source in load(tmp_path).sources] == ["loaded", "loaded"]
    after = content(server)
    assert after["pipe"].height == 60 and after["break"].height == 30
    assert staged(server) == 0


def test_a_load_on_a_server_killed_at_any_moment_is_there_whole_or_not_at_all(
    tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not at chosen places but at times spread over the whole load, its start and its last write included."""
    monkeypatch.setenv("VARDAG_DATABASE", server)
    settings.cache_clear()
    write(tmp_path, pipes=200, breaks=100)
    load(tmp_path)
    write(tmp_path, pipes=20_000, breaks=20_000)
    delay, ended = 0.8, False
    while not ended:
        child = subprocess.Popen([sys.executable, "-c", LOAD, str(tmp_path)])
        time.sleep(delay)
        child.kill()
        ended = child.wait() == 0
        alone(server)
        found = content(server)
        assert (found["pipe"].height, found["break"].height) in ((200, 100), (20_000, 20_000))
        delay *= 1.3
    assert found["pipe"].height == 20_000 and staged(server) == 0
