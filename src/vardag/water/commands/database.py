"""The shared home: `vardag db push`, `pull`, `status`, and every command working on the server's data.

Computing stays in DuckDB. With ``VARDAG_DATABASE`` a command works in a copy in the city folder, which is brought
up to date first, table by table; what the command changed is pushed in one transaction when it has succeeded.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb
import psycopg
from pyproj import CRS

from vardag.core.config import settings
from vardag.core.db import connect
from vardag.core.errors import ConfigError, DatabaseError, RefusedError
from vardag.core.postgres import Rows, execute, explained, open_server, shown
from vardag.water.city import City
from vardag.water.commands import transfer
from vardag.water.commands.transfer import TableState, me, pull_tables, push_tables, states
from vardag.water.lof.port import POLICY
from vardag.water.schema import migrate
from vardag.water.schema.postgis import has_city, schema_name
from vardag.water.schema.postgis import migrate as migrate_server
from vardag.water.schema.roles import has_roles, make_roles

WORKING_COPY = ".vardag-work.duckdb"
SETTLED_BY_HAND = "settlement"


@dataclass(frozen=True)
class Moved:
    """What a push or a pull did: the server, and the tables that were moved with their rows."""

    server: str
    tables: dict[str, int]


@dataclass(frozen=True)
class Status:
    """How a folder and a server compare, table by table."""

    server: str
    tables: tuple[TableState, ...]


def push(folder: Path, *, to: str | None = None, force: bool = False) -> Moved:
    """Put what the folder's database holds on the server; only tables that have changed are moved.

    Parameters
    ----------
    to
        Address, ``postgresql://...``; ``VARDAG_DATABASE`` unless given.
    force
        Push although the server has changed since this folder last pulled: what it holds is replaced.

    Raises
    ------
    RefusedError
        When the server has changed since. Names who and when (cure: ``vardag db pull``).
    DatabaseError
        When the server does not answer, or another program is writing.
    """
    city, place = place_of(folder, to)
    with _file(city) as connection, server_of(city, place) as server, writing(server, place, "db push"):
        found = states(connection, server, place)
        newer = [state for state in found if state.changed_there]
        if newer and not force:
            raise RefusedError(_newer(place, newer, folder))
        wanted = [state for state in found if not state.same]
        push_tables(connection, server, place, wanted)
        _remember_same(connection, place, found)
    return Moved(place.key, {state.table: state.rows for state in wanted})


def pull(folder: Path, *, source: str | None = None, force: bool = False) -> Moved:
    """Bring the folder's database up to date with the server; tables that changed only here stay.

    Parameters
    ----------
    source
        Address, ``postgresql://...``; ``VARDAG_DATABASE`` unless given.
    force
        Take the server's tables also where this folder has changed them, settlements included.

    Raises
    ------
    RefusedError
        When a table has changed on both sides. Names them (cure: ``--force`` there or here).
    """
    city, place = place_of(folder, source)
    with connect(city.database) as connection, server_of(city, place, make=False) as server:
        migrate(connection)
        found = states(connection, server, place)
        torn = [state for state in found if state.changed_there and state.changed_here]
        if torn and not force:
            raise RefusedError(_torn(place, torn, folder))
        wanted = [state for state in found if state.changed_there or (force and not state.same)]
        pull_tables(connection, server, place, wanted)
        _remember_same(connection, place, found)
        rows = {state.table: _rows(connection, state.table) for state in wanted}
    return Moved(place.key, rows)


def status(folder: Path, *, server: str | None = None) -> Status:
    """Compare the folder's database with the server; changes nothing."""
    city, place = place_of(folder, server)
    with connect(city.database) as connection, server_of(city, place, make=False) as there:
        migrate(connection)
        return Status(place.key, tuple(states(connection, there, place)))


@contextmanager
def opened(
    city: City, command: str, *, loads: bool = False, writes: bool = True
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the city's data for a command: its DuckDB file, or with ``VARDAG_DATABASE`` the server's.

    Parameters
    ----------
    command
        Name of the command, for others who wait.
    loads
        The data need not be there yet.
    writes
        Keep other writers out from beginning to end; without it only the record of the run is pushed.

    Raises
    ------
    DatabaseError
        When the city has not been loaded, the server does not answer, or another program is writing.
    """
    if settings().database is None:
        with _file(city, make=loads) as connection:
            yield connection
        return
    _, place = place_of(city.folder, None)
    with (
        server_of(city, place, make=loads) as server,
        _lock(server, place, command, writes=writes),
        connect(city.folder / WORKING_COPY) as connection,
    ):
        migrate(connection)
        found = states(connection, server, place)
        # The working copy is nobody's own: what an ended command left in it is replaced.
        pull_tables(connection, server, place, [state for state in found if not state.same])
        _remember_same(connection, place, found)
        try:
            yield connection
        except BaseException:
            with suppress(DatabaseError):  # of the run that failed the record is kept, nothing else
                push_tables(connection, server, place, [])
            raise
        changed = [state for state in states(connection, server, place) if state.changed_here] if writes else []
        push_tables(connection, server, place, changed)


@contextmanager
def writing(server: Rows, place: transfer.City, command: str) -> Iterator[None]:
    """Keep other writers of the city out while the block runs; the lock falls with the connection.

    Raises
    ------
    DatabaseError
        When another program is writing: names who, where and since when.
    """
    key = f"vardag write {place.schema}"
    if execute(server, "SELECT pg_try_advisory_lock(hashtext(%s))", (key,)) != [(True,)]:
        found = execute(server, "SELECT command, who, host, since::timestamptz(0) FROM writer")
        said = "another program" if not found else "{} by {} on {} since {}".format(*found[0])
        raise DatabaseError(f"{place.key}: locked by {said}. Wait until it has ended, or end it.")
    server.commit()  # so that the next block is a transaction of its own, and others can read who writes
    who, host = me()
    with server.transaction():
        execute(server, "DELETE FROM writer")
        execute(
            server,
            "INSERT INTO writer VALUES (true, %s, session_user || '/' || %s::text, %s, now())",
            (command, who, host),
        )
    try:
        yield
    finally:
        if not server.closed:
            server.rollback()
            execute(server, "SELECT pg_advisory_unlock(hashtext(%s))", (key,))
            server.commit()


@contextmanager
def _lock(server: Rows, place: transfer.City, command: str, *, writes: bool) -> Iterator[None]:
    if not writes:
        yield
        return
    with writing(server, place, command):
        yield


@contextmanager
def server_of(city: City, place: transfer.City, *, make: bool = True) -> Iterator[Rows]:
    """Connect, with the city's schema made or brought up to date.

    Raises
    ------
    DatabaseError
        When the server does not answer, the city is not there, or the user may not do what was asked.
    """
    with open_server(place.url) as server:
        try:
            if not make and not has_city(server, place.schema):
                raise DatabaseError(
                    f"{place.key}: the city is not there. Load it, vardag water load {city.folder}, or push it: "
                    f"vardag db push {city.folder}"
                )
            server.rollback()
            if migrate_server(server, schema=place.schema, city=city.name, srid=place.srid):
                renew_roles(server, place.schema)
            yield server
        except psycopg.Error as error:
            raise DatabaseError(f"{place.key}: {explained(error)}") from None


def renew_roles(server: Rows, schema: str) -> None:
    """Give the city's roles their rights on tables that are new, where it has roles."""
    if has_roles(server, schema):
        make_roles(server, schema, smallest=smallest())
    server.commit()


def smallest() -> tuple[int, int]:
    """Fewest pipes and fewest breaks that a public figure may rest on."""
    return POLICY.value("disclosure_min_pipes"), POLICY.value("disclosure_min_breaks")


@contextmanager
def _file(city: City, *, make: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """The folder's own database, its tables brought up to date."""
    if not make and not city.database.exists():
        raise DatabaseError(f"{city.database}: not there. Load the city first: vardag water load {city.folder}")
    with connect(city.database) as connection:
        migrate(connection)
        yield connection


def place_of(folder: Path, url: str | None) -> tuple[City, transfer.City]:
    """The city, and where it lives on the server."""
    city = City.read(folder)
    address = url or settings().database
    if address is None:
        raise ConfigError("no server: give its address, --to postgresql://host/database, or set VARDAG_DATABASE.")
    if not address.startswith(("postgresql://", "postgres://")):
        raise ConfigError(f"server is {shown(address)!r}, expected an address such as postgresql://host/database.")
    srid = CRS.from_user_input(city.crs).to_epsg()
    if srid is None:
        raise ConfigError(
            f"city.toml: crs {city.crs!r} has no EPSG code, which PostGIS needs. Write one with a code."
        )
    return city, transfer.City(address, schema_name(city.name), srid)


def _remember_same(connection: duckdb.DuckDBPyConnection, place: transfer.City, found: list[TableState]) -> None:
    equal = [(s.table, s.here, s.there) for s in found if s.here == s.there and s.here != s.here_before]
    transfer.remember(connection, place, equal)


def _rows(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    found = connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()  # noqa: S608
    return int(found[0]) if found else 0


def _newer(place: transfer.City, newer: list[TableState], folder: Path) -> str:
    return (
        f"{place.key}: {_named(newer)} changed since this folder last pulled. Pull first, vardag db pull {folder}, "
        "or replace what the server has: vardag db push --force"
    )


def _torn(place: transfer.City, torn: list[TableState], folder: Path) -> str:
    lost = " This folder's settlements would be lost." if SETTLED_BY_HAND in {s.table for s in torn} else ""
    return (
        f"{place.key}: {_named(torn)} changed there, and here too.{lost} Keep the server's, vardag db pull "
        f"{folder} --force, or this folder's: vardag db push {folder} --force"
    )


def _named(found: list[TableState]) -> str:
    """The tables, and who changed the one that was changed last."""
    last = max(found, key=lambda state: state.changed_at.timestamp() if state.changed_at else 0)
    when = f"{last.changed_at:%Y-%m-%d %H:%M}" if last.changed_at else "?"
    return f"{len(found)} tables ({', '.join(s.table for s in found[:5])}), last by {last.changed_by} {when},"
