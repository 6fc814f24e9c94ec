"""PostgreSQL with PostGIS: connections, and whole tables moved between it and DuckDB.

Rows move in the binary form of COPY, by DuckDB's own ``postgres_scanner`` extension, loaded from its wheel. So a
double is the same to the last bit, NULL is not empty text, and memory does not grow with the table. The password is
left to libpq: ``VARDAG_DATABASE``, ``PGPASSWORD``, ``PGPASSFILE`` or ``PGSERVICE``. No message ever shows it.
"""

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import duckdb
import psycopg
from psycopg import conninfo

from vardag.core.errors import DatabaseError

ATTACHED = "server"  # what DuckDB calls the server while it is attached
CONNECT_SECONDS = 10
CURES = {
    "row-level security": "Load only the sources that are yours: vardag water load FOLDER --only SOURCE",
    "permission denied": "Ask the server's keeper for the role that may: vardag db roles FOLDER",
    "password": "Set PGPASSWORD or PGPASSFILE to the right password.",
    "does not exist": "Make the database, or mend the address.",
    "refused": "Start the server, or mend host and port.",
    "translate host": "Mend the host in the address.",
    "resolve": "Mend the host in the address.",
    "timeout": "Start the server, or mend host and port.",
    "pg_hba": "Ask the server's keeper to let this user in from this machine.",
}

Rows = psycopg.Connection[tuple[object, ...]]


def shown(url: str) -> str:
    """Address of a server without password or options, for messages.

    >>> shown("postgresql://anna:hemlig@db.ytterby.se:5433/va?sslmode=require")
    'anna@db.ytterby.se:5433/va'
    """
    parts = urlsplit(url)
    host = (parts.hostname or "localhost") + (f":{parts.port}" if parts.port else "")
    user = f"{unquote(parts.username)}@" if parts.username else ""
    return f"{user}{host}{unquote(parts.path)}"


def open_server(url: str, *, password: str | None = None) -> Rows:
    """Connect to a server.

    Raises
    ------
    DatabaseError
        When it does not answer or lets nobody in; the message names the address, without password, and the cure.
    """
    options = {"connect_timeout": CONNECT_SECONDS, "application_name": "vardag"}
    if password is not None:
        options["password"] = password
    try:
        return psycopg.connect(url, **options)  # type: ignore[arg-type]
    except psycopg.Error as error:
        raise DatabaseError(f"{shown(url)}: cannot be opened: {explained(error)}") from None


def explained(error: Exception) -> str:
    """First line of what the server said, and what to do about it."""
    said = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    reason = said[0].rsplit("FATAL:", maxsplit=1)[-1].strip()
    cure = next((cure for word, cure in CURES.items() if word in reason.casefold()), "")
    return f"{reason}. {cure}".rstrip()


def execute(server: Rows, sql: str, params: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """Run a statement and return its rows, none where it has none."""
    cursor = server.execute(sql, params or None)
    return cursor.fetchall() if cursor.description else []


def quoted(name: str) -> str:
    """Name of a table or a column, in quotes."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


@cache
def scanner_path() -> Path:
    """File of the ``postgres_scanner`` extension, in its wheel.

    Raises
    ------
    DatabaseError
        When the wheel is not installed.
    """
    spec = importlib.util.find_spec("duckdb_extension_postgres_scanner")
    folders = [] if spec is None else list(spec.submodule_search_locations or [])
    found = [path for folder in folders for path in Path(folder).rglob("postgres_scanner.duckdb_extension")]
    if not found:
        raise DatabaseError("postgres_scanner is not installed. Run: pip install duckdb-extension-postgres-scanner")
    return found[0]


@contextmanager
def attached(connection: duckdb.DuckDBPyConnection, url: str, *, password: str | None = None) -> Iterator[None]:
    """Let DuckDB see the server as ``server`` while the block runs."""
    connection.load_extension(str(scanner_path()))
    secret = {"password": password} if password else {}
    try:
        connection.execute(f"ATTACH {literal(conninfo.make_conninfo(url, **secret))} AS {ATTACHED} (TYPE postgres)")
    except duckdb.Error as error:
        raise DatabaseError(f"{shown(url)}: cannot be opened: {_bare(error)}") from None
    try:
        yield
    finally:
        connection.execute(f"DETACH {ATTACHED}")


def _bare(error: Exception) -> str:
    """What went wrong, without the connection string that DuckDB repeats."""
    return explained(Exception(str(error).rsplit("failed:", maxsplit=1)[-1]))
