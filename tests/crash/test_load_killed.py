"""Kill -9 in the middle of a load: the database opens, is as before, and the next load does what is left."""

import subprocess
import sys
import time
from pathlib import Path

import duckdb
import polars as pl
import pytest

from killed import LOAD, Point, kill_at, named, write
from vardag.water.commands.load import load

# Where the process is killed: a function of the load, and whether before or after its n-th call.
POINTS = [
    ("vardag.water.commands.load:stage_source", "before", 1),
    ("vardag.water.sources.staging:Staging._write", "after", 1),
    ("vardag.water.commands.load:stage_source", "after", 2),
    ("vardag.water.sources.store:forget", "after", 1),
    ("vardag.water.sources.store:settle", "after", 1),
    ("vardag.water.sources.store:record_source", "after", 2),
    ("vardag.water.commands.load:replace_rows", "after", 2),
    ("vardag.core.runs:_write", "before", 1),
]


def content(folder: Path) -> dict[str, pl.DataFrame]:
    """Everything that a load writes, but for times and run ids."""
    queries = {
        "pipe": "SELECT * EXCLUDE (geom) FROM pipe ORDER BY ALL",
        "break": "SELECT * EXCLUDE (geom) FROM break ORDER BY ALL",
        "source": "SELECT * EXCLUDE (loaded_at, run_id) FROM source ORDER BY ALL",
        "quarantine": "SELECT * FROM quarantine ORDER BY ALL",
        "fill": "SELECT source, field, rows, filled FROM field_fill ORDER BY ALL",
    }
    with duckdb.connect(str(folder / "vardag.duckdb"), read_only=True) as connection:
        return {name: connection.execute(sql).pl() for name, sql in queries.items()}


def same(left: dict[str, pl.DataFrame], right: dict[str, pl.DataFrame]) -> bool:
    return all(left[name].equals(right[name]) for name in left)


@pytest.mark.parametrize("point", POINTS, ids=named)
def test_a_load_killed_at_a_named_step_leaves_each_table_as_it_was_or_as_it_will_be(
    tmp_path: Path, point: Point
) -> None:
    write(tmp_path, pipes=50, breaks=20)
    load(tmp_path)
    before = content(tmp_path)
    write(tmp_path, pipes=60, breaks=30)
    kill_at(point, LOAD, tmp_path)
    left = content(tmp_path)
    assert [left[name].height for name in ("pipe", "break")] in ([50, 20], [60, 20], [60, 30])
    assert left["break"].height == 30 or left["break"].equals(before["break"])
    load(tmp_path)
    after = content(tmp_path)
    write(tmp_path / "fresh", pipes=60, breaks=30)
    load(tmp_path / "fresh")
    fresh = content(tmp_path / "fresh")
    assert same({name: after[name] for name in ("pipe", "break", "source", "quarantine")}, fresh)
    assert not (tmp_path / ".vardag-load").exists()


def test_a_load_killed_at_any_moment_leaves_a_database_that_opens(tmp_path: Path) -> None:
    """Not at chosen places but at times spread over the whole load, its start and its last write included."""
    write(tmp_path, pipes=200, breaks=100)
    load(tmp_path)
    write(tmp_path, pipes=20_000, breaks=20_000)
    delay, ended = 0.8, False
    while not ended:
        child = subprocess.Popen([sys.executable, "-c", LOAD, str(tmp_path)])
        time.sleep(delay)
        child.kill()
        ended = child.wait() == 0
        found = content(tmp_path)
        assert found["pipe"].height in (200, 20_000) and found["break"].height in (100, 20_000)
        delay *= 1.3
    assert found["pipe"].height == found["break"].height == 20_000
