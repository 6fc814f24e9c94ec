"""Roles on a server: everybody logs in with their own password and tries what they may, and what they may not."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from servers.postgis import PostGIS
from vardag.core.config import settings
from vardag.core.errors import DatabaseError, NotFoundError
from vardag.demo import town
from vardag.water.commands.check import check
from vardag.water.commands.database import pull, push, status
from vardag.water.commands.load import load
from vardag.water.commands.predict import predict
from vardag.water.commands.review import review, settle
from vardag.water.commands.roles import roles

SCHEMA = "vardagskoping"
EVERYTHING = ("pipe", "break", "road", "soil", "source", "quarantine", "link", "life", "prediction", "settlement")


@dataclass(frozen=True)
class Server:
    """A server with a predicted city and somebody in each role."""

    folder: Path
    keeper: str
    logins: dict[str, str]

    def url(self, who: str) -> str:
        """Address with which somebody logs in."""
        place = urlsplit(self.keeper)
        return f"postgresql://{who}:{self.logins[who]}@{place.hostname}:{place.port}{place.path}"

    @contextmanager
    def as_(self, who: str) -> Iterator[psycopg.Connection]:
        """Log in as somebody; what is done is not kept."""
        with psycopg.connect(self.url(who)) as connection:
            yield connection
            connection.rollback()

    def refused(self, who: str, sql: str) -> None:
        """Demand that the server refuses somebody a statement."""
        with self.as_(who) as connection, pytest.raises(InsufficientPrivilege):
            connection.execute(sql)  # type: ignore[call-overload]

    def found(self, who: str, sql: str) -> list[tuple[object, ...]]:
        """What somebody sees."""
        with self.as_(who) as connection:
            return connection.execute(sql).fetchall()  # type: ignore[call-overload,no-any-return]


@pytest.fixture(scope="module")
def server(postgis: PostGIS, tmp_path_factory: pytest.TempPathFactory) -> Server:
    """A demo town on a server: Anna plans, the traffic office owns the roads, the web page reads."""
    folder, keeper = tmp_path_factory.mktemp("roles") / "town", postgis.fresh()
    town(folder=folder, seed=5, km=8, breaks=120)
    load(folder)
    check(folder)
    predict(folder)
    push(folder, to=keeper)
    logins = {who: secrets.token_hex(8) for who in ("anna", "trafikkontoret", "webben", "nobody_known")}
    with psycopg.connect(keeper, autocommit=True) as connection:
        for who, password in logins.items():
            connection.execute(f'DROP ROLE IF EXISTS "{who}"')
            connection.execute(f"CREATE ROLE \"{who}\" LOGIN PASSWORD '{password}'")
    given = roles(
        folder, server=keeper, readers=["webben"], planners=["anna"], owners=[("vagar", "trafikkontoret")]
    )
    assert given.members == {
        f"{SCHEMA}_reader": ("webben",), f"{SCHEMA}_planner": ("anna",), f"{SCHEMA}_owner": ("trafikkontoret",)
    }  # fmt: skip
    assert given.owners == {"vagar": ("trafikkontoret",)}
    return Server(folder, keeper, logins)


def test_the_reader_sees_pooled_figures_and_no_table(server: Server) -> None:
    cells = server.found("webben", f"SELECT pooled, pipes, breaks_per_100km_year FROM {SCHEMA}_public.network")
    pipes = server.found(
        "anna", f"SELECT count(*) FROM {SCHEMA}.pipe WHERE coalesce(function, 'main') <> 'service'"
    )
    assert len(cells) > 3 and all(pipes >= 10 for _, pipes, _ in cells)
    assert sum(n for _, n, _ in cells) == pipes[0][0] and any(rate and rate > 0 for *_, rate in cells)
    years = server.found("webben", f"SELECT pooled, breaks FROM {SCHEMA}_public.breaks")
    assert years and all(breaks >= 5 for _, breaks in years)
    assert server.found("webben", f"SELECT count(*) FROM {SCHEMA}_public.sources WHERE owner IS NULL") == [(0,)]
    for table in (*EVERYTHING, "run", "table_state", "writer", "source_owner", "my_source"):
        server.refused("webben", f"SELECT 1 FROM {SCHEMA}.{table}")
    server.refused("webben", f"CREATE TABLE {SCHEMA}_staging.x (a int)")
    server.refused("webben", f"CREATE VIEW {SCHEMA}_public.x AS SELECT 1")


def test_the_reader_cannot_look_behind_the_pooling(server: Server) -> None:
    """A function of the reader's own, put into the condition, sees no group that is too small."""
    with server.as_("webben") as connection:
        seen: list[str] = []
        connection.add_notice_handler(lambda notice: seen.append(notice.message_primary or ""))
        connection.execute(
            "CREATE FUNCTION pg_temp.peep(text, int) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS "
            "$$ BEGIN RAISE NOTICE 'saw % %', $1, $2; RETURN true; END $$"
        )
        cells = connection.execute(
            f"SELECT material, decade FROM {SCHEMA}_public.network WHERE pg_temp.peep(material, decade)"
        ).fetchall()
    assert sorted(seen) == sorted(f"saw {m or '<NULL>'} {'<NULL>' if d is None else d}" for m, d in cells)


def test_a_stranger_sees_nothing(server: Server) -> None:
    for place in (f"{SCHEMA}.pipe", f"{SCHEMA}.link", f"{SCHEMA}_public.network"):
        server.refused("nobody_known", f"SELECT 1 FROM {place}")
    with pytest.raises(DatabaseError, match=r"permission denied.*vardag db roles"):
        status(server.folder, server=server.url("nobody_known"))


def test_the_planner_reads_all_and_writes_what_is_decided_and_derived(server: Server) -> None:
    for table in EVERYTHING:
        server.found("anna", f'SELECT 1 FROM {SCHEMA}."{table}" LIMIT 1')
    for sql in (
        f"UPDATE {SCHEMA}.pipe SET material = 'PE'", f"DELETE FROM {SCHEMA}.break",
        f"INSERT INTO {SCHEMA}.road (road_id, source) VALUES ('r', 'vagar')", f"TRUNCATE {SCHEMA}.prediction",
        f"UPDATE {SCHEMA}.table_state SET mark = 'x'", f"DROP TABLE {SCHEMA}.link", f"DELETE FROM {SCHEMA}.run",
        f"INSERT INTO {SCHEMA}.source_owner VALUES ('vagar', 'anna')", f"CREATE TABLE {SCHEMA}.x (a int)",
    ):  # fmt: skip
        server.refused("anna", sql)
    server.found("anna", f"INSERT INTO {SCHEMA}.settlement (break_id) VALUES ('B') RETURNING 1")


def test_a_planner_works_on_the_server_with_vardag(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VARDAG_DATABASE", server.url("anna"))
    settings.cache_clear()
    try:
        doubtful = review(server.folder)["queue"]
        settle(server.folder, doubtful[0]["break_id"], pipe=None, by="Anna", reason="looked in the trench book")
        predict(server.folder)
        with pytest.raises(DatabaseError, match=r"the push failed, the server is as before: permission denied"):
            load_changed(server.folder)
    finally:
        monkeypatch.delenv("VARDAG_DATABASE")
        settings.cache_clear()
    with psycopg.connect(server.keeper) as connection:
        found = connection.execute(f"SELECT settled_by FROM {SCHEMA}.settlement").fetchall()
        who = connection.execute(f"SELECT changed_by FROM {SCHEMA}.table_state WHERE table_name = 'settlement'")
        assert found == [("Anna",)] and who.fetchall()[0][0].startswith("anna")
    assert "settlement" in pull(server.folder, source=server.keeper, force=True).tables


def load_changed(folder: Path) -> None:
    """Load with another owner of a source in city.toml, and mend city.toml again."""
    path = folder / "city.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("[sources.vagar]", '[sources.vagar]\ncontact = "x@example.org"'), encoding="utf-8")
    try:
        load(folder, only=["vagar"])
    finally:
        path.write_text(text, encoding="utf-8")


def test_an_owner_has_the_own_rows_and_no_others(server: Server) -> None:
    owner = "trafikkontoret"
    roads = server.found("anna", f"SELECT count(*) FROM {SCHEMA}.road")
    assert server.found(owner, f"SELECT count(*) FROM {SCHEMA}.road") == roads != [(0,)]
    for table in ("pipe", "break", "soil"):
        assert server.found(owner, f'SELECT count(*) FROM {SCHEMA}."{table}"') == [(0,)]
    assert server.found(owner, f"SELECT source FROM {SCHEMA}.source") == [("vagar",)]
    assert server.found(owner, f"UPDATE {SCHEMA}.road SET aadt = 1 RETURNING 1")
    assert not server.found(owner, f"DELETE FROM {SCHEMA}.pipe RETURNING 1")
    for sql in (
        f"INSERT INTO {SCHEMA}.road (road_id, source) VALUES ('r', 'ledningar')",
        f"INSERT INTO {SCHEMA}.pipe (pipe_id, source) VALUES ('p', 'ledningar')",
        f"UPDATE {SCHEMA}.road SET source = 'ledningar'", f"SELECT 1 FROM {SCHEMA}.link",
        f"SELECT 1 FROM {SCHEMA}.settlement", f"SELECT error FROM {SCHEMA}.run", f"TRUNCATE {SCHEMA}.road",
        f"INSERT INTO {SCHEMA}.source_owner VALUES ('ledningar', '{owner}')",
    ):  # fmt: skip
        server.refused(owner, sql)


def test_an_owner_loads_the_own_source_with_vardag(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    before = server.found(
        "anna", f"SELECT (SELECT count(*) FROM {SCHEMA}.pipe), (SELECT count(*) FROM {SCHEMA}.road)"
    )
    monkeypatch.setenv("VARDAG_DATABASE", server.url("trafikkontoret"))
    settings.cache_clear()
    try:
        load_changed(server.folder)
    finally:
        monkeypatch.delenv("VARDAG_DATABASE")
        settings.cache_clear()
    said = server.found("anna", f"SELECT contact FROM {SCHEMA}.source WHERE source = 'vagar'")
    assert said == [("x@example.org",)]
    after = server.found(
        "anna", f"SELECT (SELECT count(*) FROM {SCHEMA}.pipe), (SELECT count(*) FROM {SCHEMA}.road)"
    )
    assert after == before


def test_who_loses_a_role_loses_its_rights_and_mistakes_change_nothing(server: Server) -> None:
    with pytest.raises(NotFoundError, match=r"no login 'ana' on the server\. Did you mean 'anna'"):
        roles(server.folder, server=server.keeper, planners=["ana"], remove=["webben"])
    with pytest.raises(NotFoundError, match=r"no source 'roads' in city\.toml, expected one of"):
        roles(server.folder, server=server.keeper, owners=[("roads", "anna")])
    with pytest.raises(DatabaseError, match="Roles are made by the keeper"):
        roles(server.folder, server=server.url("anna"), readers=["webben"])
    assert roles(server.folder, server=server.keeper).members[f"{SCHEMA}_reader"] == ("webben",)
    left = roles(server.folder, server=server.keeper, remove=["webben"])
    assert left.members[f"{SCHEMA}_reader"] == ()
    server.refused("webben", f"SELECT 1 FROM {SCHEMA}_public.network")
    roles(server.folder, server=server.keeper, readers=["webben"])


def test_a_later_vardag_gives_the_rights_again(server: Server) -> None:
    with psycopg.connect(server.keeper) as connection:
        connection.execute(f"UPDATE {SCHEMA}.schema_version SET made_from = 'an earlier Vardag'")  # type: ignore[call-overload]
        connection.execute(f"REVOKE ALL ON {SCHEMA}.pipe FROM {SCHEMA}_planner")  # type: ignore[call-overload]
    with pytest.raises(DatabaseError, match="only its keeper can bring it up to date"):
        status(server.folder, server=server.url("anna"))
    status(server.folder, server=server.keeper)
    assert server.found("anna", f"SELECT count(*) > 0 FROM {SCHEMA}.pipe") == [(True,)]
