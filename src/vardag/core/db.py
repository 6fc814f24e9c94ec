"""The one database: a DuckDB file per city, with the spatial extension from its own wheel.

Nothing is downloaded: ``INSTALL spatial`` would go to the network, so the extension file that the
``duckdb-extension-spatial`` wheel carries is loaded by its path. Without it the database still works
(``GEOMETRY`` is a type of DuckDB itself since 1.5) and joins go through shapely, see `vardag.core.spatial`.
"""

import importlib.util
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from vardag.core.config import settings
from vardag.core.errors import DatabaseError

CLOSED_NETWORK = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}


@cache
def extension_path() -> Path | None:
    """Find the spatial extension file of the installed wheel; None where there is none."""
    chosen = settings().spatial_extension
    if chosen == "none":
        return None
    if chosen is not None:
        return Path(chosen)
    spec = importlib.util.find_spec("duckdb_extension_spatial")
    folders = [] if spec is None else list(spec.submodule_search_locations or [])
    found = [path for folder in folders for path in Path(folder).rglob("spatial.duckdb_extension")]
    return found[0] if found else None


def connect(path: Path | None, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """Open a database file (None: in memory) with the spatial extension loaded where it is installed.

    Raises
    ------
    DatabaseError
        When the file is locked by another process (cure: end that process, or open read-only), is not a DuckDB
        database, or is missing while opened read-only (cure: ``vardag water load``).
    """
    if read_only and path is not None and not path.exists():
        raise DatabaseError(f"{path}: no such database. Load the city first: vardag water load {path.parent}")
    try:
        connection = duckdb.connect(str(path or ":memory:"), read_only=read_only, config=dict(CLOSED_NETWORK))
    except duckdb.Error as error:
        raise DatabaseError(f"{path}: cannot be opened: {str(error).splitlines()[0]}") from None
    connection.execute(f"SET threads = {settings().threads}")
    connection.execute(f"SET memory_limit = '{settings().memory_gb}GB'")
    if extension_path() is not None:
        connection.load_extension(str(extension_path()))
    return connection


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All or nothing: commit at the end, roll back when anything is raised."""
    connection.execute("BEGIN")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def read(connection: duckdb.DuckDBPyConnection, sql: str, params: Sequence[Any] = ()) -> pl.DataFrame:
    """Run a query and return a Polars frame. Select geometry as ``ST_AsWKB(geom)::BLOB AS geom``."""
    return connection.execute(sql, list(params)).pl()


def insert(connection: duckdb.DuckDBPyConnection, table: str, frame: pl.DataFrame) -> int:
    """Append a frame to a table by column name; a ``geom`` column holds WKB bytes. Returns the row count."""
    columns = ", ".join(f'"{name}"' for name in frame.columns)
    values = ", ".join(_value(name) for name in frame.columns)
    connection.register("incoming_frame", frame.to_arrow())
    try:
        connection.execute(f'INSERT INTO "{table}" ({columns}) SELECT {values} FROM incoming_frame')  # noqa: S608
    finally:
        connection.unregister("incoming_frame")
    return frame.height


def replace(connection: duckdb.DuckDBPyConnection, table: str, frame: pl.DataFrame) -> int:
    """Empty a derived table and fill it with a frame."""
    connection.execute(f'DELETE FROM "{table}"')  # noqa: S608
    return insert(connection, table, frame)


def _value(name: str) -> str:
    return 'ST_GeomFromWKB("geom"::BLOB)' if name == "geom" else f'"{name}"'
