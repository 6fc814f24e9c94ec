"""Commands that only read change nothing but the record of runs."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from deliveries import predicted
from stored import rows, stored
from vardag.water import schema
from vardag.water.commands import scorecard
from vardag.water.commands.catalogue import catalogue
from vardag.water.commands.diff import diff
from vardag.water.commands.publish import publish
from vardag.water.commands.workspace import read_table

READERS: dict[str, Callable[[Path], object]] = {
    "publish": publish,
    "diff": diff,
    "diff --with": lambda folder: diff(folder, against=folder / "pipes.csv"),
    "scorecard check": lambda folder: scorecard.check(folder, through=date(2022, 12, 31)),
    "scorecard years": scorecard.years,
    "catalogue": lambda folder: catalogue(folder, day=date(2026, 3, 3)),
}


@pytest.fixture(scope="module")
def city(shared: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = predicted(tmp_path_factory.mktemp("city"))
    scorecard.lock(folder)
    return folder


def content(folder: Path) -> dict[str, pl.DataFrame]:
    with stored(folder) as connection:
        return {table.name: read_table(connection, table.name) for table in schema.TABLES}


@pytest.mark.parametrize("command", READERS)
def test_nothing_but_the_record_changes(city: Path, command: str) -> None:
    before, runs = content(city), rows(city, "SELECT run_id FROM run")
    assert before["prediction"].height == 401 and before["pipe_change"].height == 1
    READERS[command](city)
    after = content(city)
    assert [name for name in before if not before[name].equals(after[name])] == []
    assert len(rows(city, "SELECT run_id FROM run")) == len(runs) + 1
