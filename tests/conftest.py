"""What all tests share: the same Hypothesis examples every time, and both databases for every test of a command."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from hypothesis import settings

from servers.postgis import PostGIS, require, running
from vardag.core.config import settings as vardag_settings

settings.register_profile("same_every_time", derandomize=True, deadline=None)
settings.load_profile("same_every_time")

COMMANDS = "vardag.water.commands"
# Modules that import a command and nevertheless run on one database only, and why.
ONE_DATABASE = {
    "test_load_killed": "what is killed is a process that writes the DuckDB file",
    "test_push_killed": "what is killed is a process that writes on the server",
    "test_postgis": "holds the two against each other itself",
    "test_same_on_both": "holds the two against each other itself",
    "test_roles": "roles are the server's",
    "test_readers_while_writing": "the lock is the server's",
    "test_load_rows": "looks into the DuckDB file",
    "test_presets": "looks into the DuckDB file",
    "test_readers_parquet": "looks into the DuckDB file",
    "test_readers_tables": "looks into the DuckDB file",
}
# Tests that run commands as a user does, as programs of their own.
ALSO_BOTH = {"test_the_tutorial_runs_as_it_is_written"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test of a command twice: on the folder's DuckDB file, and with ``VARDAG_DATABASE`` on a server.

    A module that imports a command is a test of commands, so that a new one is never forgotten.
    """
    module = metafunc.module
    name = module.__name__.rpartition(".")[2]
    imports = any(_home_of(value).startswith(COMMANDS) for value in vars(module).values())
    if (imports and name not in ONE_DATABASE) or metafunc.function.__name__ in ALSO_BOTH:
        metafunc.parametrize("database", ["duckdb", "postgis"], indirect=True, scope="module")


def _home_of(value: object) -> str:
    """Module that a module, function or class comes from."""
    return str(getattr(value, "__module__", None) or getattr(value, "__name__", ""))


@pytest.fixture(scope="session")
def postgis() -> Iterator[PostGIS]:
    """A PostGIS server; one per worker, ended when its tests are."""
    with running(require()) as server:
        yield server


@contextmanager
def fresh(postgis: PostGIS) -> Iterator[str]:
    """An empty database with PostGIS, thrown away afterwards."""
    address = postgis.fresh()
    try:
        yield address
    finally:
        with psycopg.connect(postgis.url("postgres"), autocommit=True) as connection:
            name = psycopg.sql.Identifier(address.rpartition("/")[2])
            connection.execute(psycopg.sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.fixture
def server(postgis: PostGIS) -> Iterator[str]:
    """Address of an empty database with PostGIS."""
    with fresh(postgis) as address:
        yield address


@contextmanager
def _at(address: str | None) -> Iterator[None]:
    """Let commands work on a server, or in the folder's own file."""
    with pytest.MonkeyPatch.context() as patch:
        if address is None:
            patch.delenv("VARDAG_DATABASE", raising=False)
        else:
            patch.setenv("VARDAG_DATABASE", address)
        vardag_settings.cache_clear()
        yield
    vardag_settings.cache_clear()


@pytest.fixture(scope="module")
def database(request: pytest.FixtureRequest) -> str:
    """Where the cities of a test live: ``duckdb`` or ``postgis``."""
    return getattr(request, "param", "duckdb")


@pytest.fixture(scope="module")
def shared(database: str, request: pytest.FixtureRequest) -> Iterator[None]:
    """For a module's own city: tests that use it, and it itself, have the module's database."""
    if database == "duckdb":
        with _at(None):
            yield
        return
    with fresh(request.getfixturevalue("postgis")) as address, _at(address):
        yield


@pytest.fixture(autouse=True)
def both(database: str, request: pytest.FixtureRequest) -> Iterator[None]:
    """An empty database for every test, but for those that share their module's."""
    if "shared" in request.fixturenames:
        yield
    else:
        with _at(request.getfixturevalue("server") if database == "postgis" else None):
            yield
