"""What a city has in its database, wherever it lives: the folder's DuckDB file, or the server."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from vardag.core.config import settings
from vardag.core.db import connect
from vardag.water.commands import database


@contextmanager
def stored(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a city's data to look at it; what is on a server is pulled into a file of its own first."""
    if settings().database is None:
        with connect(folder / "vardag.duckdb", read_only=True) as connection:
            yield connection
        return
    with tempfile.TemporaryDirectory() as apart:
        for path in folder.iterdir():
            if not path.name.startswith((".vardag", "vardag.duckdb")):
                (Path(apart) / path.name).symlink_to(path)
        database.pull(Path(apart))
        with connect(Path(apart) / "vardag.duckdb", read_only=True) as connection:
            yield connection


def rows(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    """Ask a city's database."""
    with stored(folder) as connection:
        return connection.execute(sql).fetchall()
