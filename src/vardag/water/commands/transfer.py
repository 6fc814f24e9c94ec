"""Which tables differ between a DuckDB file and the server, and moving those, whole and in their stored order.

A table's mark is a hash of its rows in order. Both sides keep the mark of what they hold; the file also remembers
the marks of both sides when they were last the same. So it is known which side has changed, table by table, and
nothing is moved that is the same.
"""

import getpass
import platform
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import duckdb
import psycopg

from vardag.core.db import transaction
from vardag.core.errors import DatabaseError
from vardag.core.postgres import ATTACHED, Rows, attached, execute, explained, literal, quoted, shown
from vardag.core.runs import DDL
from vardag.water import schema
from vardag.water.schema import Table
from vardag.water.schema.postgis import ORDER, column_type, indexes, is_keeper, make_indexes, staging_name

EMPTY = "empty"
LAST_SAME = """
CREATE TABLE IF NOT EXISTS server_table (
    server TEXT, table_name TEXT, here TEXT, there TEXT, PRIMARY KEY (server, table_name))
"""
RUNS = ("run", "run_step")  # only ever added to, on both sides


@dataclass(frozen=True)
class City:
    """Where a city lives on a server."""

    url: str
    schema: str
    srid: int

    @property
    def key(self) -> str:
        """What a file calls this place; with the user, because an owner sees fewer rows."""
        return f"{shown(self.url)}/{self.schema}"

    @property
    def staging(self) -> str:
        """Schema in which a push puts its rows first."""
        return staging_name(self.schema)


@dataclass(frozen=True)
class TableState:
    """A table on both sides: what each holds, and held when they were last the same; who changed the server's.

    ``rows`` are the file's.
    """

    table: str
    here: str
    there: str
    here_before: str
    there_before: str
    rows: int
    changed_at: datetime | None = None
    changed_by: str = ""

    @property
    def same(self) -> bool:
        """Whether both sides hold the same."""
        return self.here == self.there or (self.here == self.here_before and self.there == self.there_before)

    @property
    def changed_here(self) -> bool:
        """Whether the file has changed since they were the same."""
        return not self.same and self.here != self.here_before

    @property
    def changed_there(self) -> bool:
        """Whether the server has changed since they were the same."""
        return not self.same and self.there != self.there_before


def states(connection: duckdb.DuckDBPyConnection, server: Rows, city: City) -> list[TableState]:
    """Compare every table that the user may read."""
    connection.execute(LAST_SAME)
    known = connection.execute("SELECT table_name, here, there FROM server_table WHERE server = ?", [city.key])
    before = {name: (here, there) for name, here, there in known.fetchall()}
    sql = "SELECT table_name, mark, changed_at, changed_by || coalesce(' (' || host || ')', '') FROM table_state"
    marks = {str(row[0]): row for row in execute(server, sql)}
    readable = _readable(server, city)
    server.rollback()
    found = []
    for table in (table for table in schema.TABLES if table.name in readable):
        here, rows = mark_of(connection, table)
        then = before.get(table.name, (EMPTY, EMPTY))
        _, there, at, who = marks.get(table.name, ("", EMPTY, None, ""))
        when = at if isinstance(at, datetime) else None
        found.append(TableState(table.name, here, str(there), *then, rows, when, str(who)))
    return found


def _readable(server: Rows, city: City) -> set[str]:
    sql = (
        "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(%s) "
        "AND has_table_privilege(oid, 'SELECT')"
    )
    return {str(name) for (name,) in execute(server, sql, (quoted(city.schema),))}


def mark_of(connection: duckdb.DuckDBPyConnection, table: Table) -> tuple[str, int]:
    """Hash of a table's rows in their order, and how many they are."""
    columns = ", ".join(_out(name) for name in table.names)
    sql = (
        f"SELECT count(*), sum(h), bit_xor(h) FROM (SELECT hash(row_number() OVER (), {columns}) AS h "  # noqa: S608
        f"FROM {quoted(table.name)})"
    )
    rows, total, mixed = connection.execute(sql).fetchone() or (0, 0, 0)
    return (f"{duckdb.__version__} {rows} {total:x} {mixed:x}" if rows else EMPTY), rows


def push_tables(
    connection: duckdb.DuckDBPyConnection, server: Rows, city: City, wanted: Iterable[TableState]
) -> None:
    """Put the file's tables in the place of the server's, all or none, and the runs that the server lacks.

    The rows are first staged beside the tables, where nobody else may look; one transaction then moves them. A
    process that is killed leaves the server as it was; what it had staged is thrown away by the next push.
    """
    moved = list(wanted)
    tables = [_table(state.table) for state in moved]
    try:
        with _staged(connection, server, city, tables), server.transaction():
            execute(server, "SELECT pg_advisory_xact_lock(hashtext(%s))", (f"vardag move {city.schema}",))
            keeper = is_keeper(server, city.schema)
            for table in tables:
                (_settle if keeper else _settle_own)(server, city, table)
            push_runs(connection, server)
            for state in moved if keeper else ():
                _note(server, state)
            marks = {
                str(name): str(mark) for name, mark in execute(server, "SELECT table_name, mark FROM table_state")
            }
    except (duckdb.Error, psycopg.Error) as error:
        raise DatabaseError(
            f"{shown(city.url)}: the push failed, the server is as before: {explained(error)}"
        ) from None
    remember(connection, city, [(state.table, state.here, marks[state.table]) for state in moved])


def pull_tables(
    connection: duckdb.DuckDBPyConnection, server: Rows, city: City, wanted: Iterable[TableState]
) -> None:
    """Put the server's tables in the place of the file's, all or none, and the runs that the file lacks."""
    moved = list(wanted)
    connection.execute(DDL)
    execute(server, "SELECT pg_advisory_xact_lock_shared(hashtext(%s))", (f"vardag move {city.schema}",))
    try:
        with attached(connection, city.url), transaction(connection):
            for state in moved:
                _fetch(connection, city, _table(state.table))
            for name in RUNS if "run" in _readable(server, city) else ():
                known = "SELECT run_id FROM run" if name == "run" else "SELECT run_id FROM run_step"
                sql = f"SELECT * FROM {quoted(city.schema)}.{name}"  # noqa: S608
                connection.execute(f"INSERT INTO {name} {_query(sql)} WHERE run_id NOT IN ({known})")
            remember(connection, city, [(s.table, mark_of(connection, _table(s.table))[0], s.there) for s in moved])
    except duckdb.Error as error:
        raise DatabaseError(
            f"{shown(city.url)}: the pull failed, the file is as before: {explained(error)}"
        ) from None
    finally:
        server.rollback()


def remember(connection: duckdb.DuckDBPyConnection, city: City, same: Iterable[tuple[str, str, str]]) -> None:
    """Note in the file that tables are the same on both sides: name, mark here, mark there."""
    for name, here, there in same:
        connection.execute("INSERT OR REPLACE INTO server_table VALUES (?, ?, ?, ?)", [city.key, name, here, there])


def me() -> tuple[str, str]:
    """Who runs this, and on which machine."""
    try:
        return getpass.getuser(), platform.node()
    except (KeyError, OSError):  # a container's user may have no name
        return "?", platform.node()


@contextmanager
def _staged(connection: duckdb.DuckDBPyConnection, server: Rows, city: City, tables: list[Table]) -> Iterator[None]:
    """Copy tables into the staging schema, and throw the copies away at the end."""
    if not tables:  # only runs: nothing to stage, and another writer's staged tables are not ours to throw away
        yield
        return
    _throw_away(server, city)
    with server.transaction():
        for table in tables:
            columns = [f"{quoted(c.name)} {'bytea' if c.name == 'geom' else column_type(c, city.srid)}"
                       for c in table.columns]  # fmt: skip
            name = _staged_name(server, city, table)
            execute(server, f"CREATE UNLOGGED TABLE {name} ({ORDER} bigint, {', '.join(columns)})")
    try:
        with attached(connection, city.url):
            for table in tables:
                into = f"{ATTACHED}.{_staged_name(server, city, table)}"
                connection.execute(f"INSERT INTO {into} {_select(table)}")
        yield
    finally:
        server.rollback()
        _throw_away(server, city)


def _staged_name(server: Rows, city: City, table: Table) -> str:
    """Name of a staged table: one for each connection, so that what another user left there is in nobody's way."""
    return f"{quoted(city.staging)}.{quoted(f'{table.name}_{server.info.backend_pid}')}"


def _throw_away(server: Rows, city: City) -> None:
    """Drop the staged tables that are the user's to drop, also those that an ended push left."""
    with server.transaction():
        sql = "SELECT tablename FROM pg_tables WHERE schemaname = %s AND pg_has_role(tableowner, 'USAGE')"
        for (name,) in execute(server, sql, (city.staging,)):
            execute(server, f"DROP TABLE {quoted(city.staging)}.{quoted(str(name))}")


def push_runs(connection: duckdb.DuckDBPyConnection, server: Rows) -> None:
    """Add the runs that the server lacks, with their steps; inside a transaction."""
    connection.execute(DDL)
    there = {row[0] for row in execute(server, "SELECT run_id FROM run")}
    for row in connection.execute("SELECT * FROM run").fetchall():
        if row[0] not in there:
            _insert(server, "run", [row])
            steps = connection.execute("SELECT * FROM run_step WHERE run_id = ? ORDER BY step", [row[0]]).fetchall()
            _insert(server, "run_step", steps)


def _insert(server: Rows, table: str, rows: list[tuple[object, ...]]) -> None:
    for row in rows:
        execute(server, f"INSERT INTO {table} VALUES ({', '.join(['%s'] * len(row))})", row)  # noqa: S608


def _select(table: Table) -> str:
    columns = ", ".join(_out(name) for name in table.names)
    return f"SELECT row_number() OVER (), {columns} FROM {quoted(table.name)}"  # noqa: S608


def _settle(server: Rows, city: City, table: Table) -> None:
    """Fill a table from its staged rows; indexes are made afterwards, which is faster."""
    execute(server, f"TRUNCATE {quoted(table.name)}")
    execute(server, "; ".join(f"DROP INDEX IF EXISTS {quoted(name)}" for name in indexes(table)))
    _fill(server, city, table, (ORDER, *table.names))
    make_indexes(server, table)
    last = f"SELECT coalesce(max({ORDER}), 0) + 1 FROM {quoted(table.name)}"  # noqa: S608
    execute(server, f"SELECT setval(pg_get_serial_sequence(%s, '{ORDER}'), ({last}), false)", (quoted(table.name),))


def _settle_own(server: Rows, city: City, table: Table) -> None:
    """Put the staged rows in the place of those that the user may write, which the server decides, row by row."""
    execute(server, f"DELETE FROM {quoted(table.name)}")  # noqa: S608
    _fill(server, city, table, table.names)


def _fill(server: Rows, city: City, table: Table, columns: tuple[str, ...]) -> None:
    names = ", ".join(quoted(name) for name in columns)
    values = names.replace('"geom"', f"ST_GeomFromWKB(geom, {city.srid})")
    staged = _staged_name(server, city, table)
    order = "" if ORDER in columns else f" ORDER BY {ORDER}"
    execute(server, f"INSERT INTO {quoted(table.name)} ({names}) SELECT {values} FROM {staged}{order}")  # noqa: S608


def _note(server: Rows, state: TableState) -> None:
    who, host = me()
    execute(
        server,
        "INSERT INTO table_state VALUES (%s, %s, %s, now(), session_user || '/' || %s::text, %s) "
        "ON CONFLICT (table_name) DO UPDATE SET mark = excluded.mark, rows = excluded.rows, "
        "changed_at = excluded.changed_at, changed_by = excluded.changed_by, host = excluded.host",
        (state.table, state.here, state.rows, who, host),
    )


def _fetch(connection: duckdb.DuckDBPyConnection, city: City, table: Table) -> None:
    names = ", ".join(quoted(name) for name in table.names)
    there = names.replace('"geom"', "ST_AsBinary(geom, 'NDR') AS geom")
    sql = f"SELECT {there} FROM {quoted(city.schema)}.{quoted(table.name)} ORDER BY {ORDER}"  # noqa: S608
    values = names.replace('"geom"', "ST_GeomFromWKB(geom)")
    connection.execute(f"DELETE FROM {quoted(table.name)}")  # noqa: S608
    connection.execute(f"INSERT INTO {quoted(table.name)} ({names}) {_query(sql, values)}")


def _query(sql: str, values: str = "*") -> str:
    return f"SELECT {values} FROM postgres_query('{ATTACHED}', {literal(sql)})"  # noqa: S608


def _out(name: str) -> str:
    return "ST_AsWKB(geom)::BLOB" if name == "geom" else quoted(name)


def _table(name: str) -> Table:
    return next(table for table in schema.TABLES if table.name == name)
