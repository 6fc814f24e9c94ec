"""PostGIS as the shared home: what is pushed comes back to the last bit, and nobody's work is lost unasked."""

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg
import pytest
import shapely
from polars.testing import assert_frame_equal

from stored import stored
from vardag.core import db
from vardag.core.config import settings
from vardag.core.errors import DatabaseError, RefusedError
from vardag.demo import town
from vardag.water import schema
from vardag.water.city import City
from vardag.water.commands.check import check
from vardag.water.commands.database import opened, pull, push, status
from vardag.water.commands.load import load
from vardag.water.commands.predict import predict
from vardag.water.commands.workspace import read_table

TOML = """[city]
name = "Östra Ytterby"
owner = "VA"
crs = "EPSG:3006"
[sources.pipes]
table = "pipe"
path = "pipes.csv"
columns = { pipe_id = "ID", length_m = "L" }
"""
ODD = [0.1, 1 / 3, -0.0, 5e-324, 1.7976931348623157e308, None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A city whose tables hold what is easily lost on the way, in an order that is no order of values."""
    return filled(tmp_path / "a")


def filled(folder: Path) -> Path:
    folder.mkdir()
    (folder / "city.toml").write_text(TOML, encoding="utf-8")
    (folder / "pipes.csv").write_text("ID,L\n1,3\n", encoding="utf-8")
    with db.connect(folder / "vardag.duckdb") as connection:
        schema.migrate(connection)
        line = shapely.LineString([(674_000.1, 6_580_000.3), (674_000.1 + 1 / 3, 6_580_001)]).wkb
        texts = ["é\t\\N \"'\n", "", None, "NULL", "\\.", ","]
        for n, length in enumerate(ODD):
            values = [
                str(9 - n),
                line if n % 2 else None,
                length,
                texts[n],
                date(1880 + n, 2, 28),
                n or None,
            ]
            sql = ("INSERT INTO pipe (pipe_id, geom, length_m, street, install_date, line) "
                   "VALUES (?, ST_GeomFromWKB(?::BLOB), ?, ?, ?, ?)")  # fmt: skip
            connection.execute(sql, values)
        settle(connection, "B1")
    return folder


def settle(connection: db.duckdb.DuckDBPyConnection, break_id: str) -> None:
    at = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC)
    connection.execute("INSERT INTO settlement VALUES (?, 'm', NULL, 'Anna', ?, '')", [break_id, at])


def copy_of(folder: Path, name: str) -> Path:
    return Path(shutil.copytree(folder, folder.parent / name, ignore=shutil.ignore_patterns("*.duckdb*")))


def edit(server: str, sql: str) -> None:
    with psycopg.connect(server) as connection:
        connection.execute("SET search_path = ostra_ytterby, public")
        connection.execute(sql)  # type: ignore[call-overload]


def test_what_is_pushed_comes_back_to_the_last_bit_and_in_its_order(folder: Path, server: str) -> None:
    assert push(folder, to=server).tables == {"pipe": 6, "settlement": 1}
    assert push(folder, to=server).tables == {}
    other = copy_of(folder, "b")
    assert pull(other, source=server).tables == {"pipe": 6, "settlement": 1}
    assert pull(other, source=server).tables == {}
    with stored(folder) as here, stored(other) as there:
        for connection in (here, there):
            connection.load_extension(str(db.extension_path()))
        for name in ("pipe", "settlement"):
            before, after = read_table(here, name), read_table(there, name)
            assert_frame_equal(before, after, check_exact=True)
        assert [str(x) for x in read_table(there, "pipe")["length_m"]] == [str(x) for x in ODD]
    assert all(state.same for state in status(other, server=server).tables)


def test_a_push_over_newer_data_is_refused_and_names_who(folder: Path, server: str) -> None:
    push(folder, to=server)
    edit(server, "UPDATE pipe SET street = 'Nygatan' WHERE pipe_id = '9'")
    with db.connect(folder / "vardag.duckdb") as connection:
        settle(connection, "B2")
    with pytest.raises(RefusedError, match=r"1 tables \(pipe\), last by postgres \(SQL\) 20.*vardag db pull"):
        push(folder, to=server)
    assert pull(folder, source=server).tables == {"pipe": 6}
    assert push(folder, to=server).tables == {"settlement": 2}
    with stored(folder) as connection:
        assert connection.execute("SELECT street FROM pipe").fetchall()[0] == ("Nygatan",)


def test_a_pull_never_loses_a_settlement_unasked(folder: Path, server: str) -> None:
    push(folder, to=server)
    edit(server, "INSERT INTO settlement (break_id, settled_by) VALUES ('B7', 'Bo')")
    with db.connect(folder / "vardag.duckdb") as connection:
        settle(connection, "B2")
    with pytest.raises(RefusedError, match="This folder's settlements would be lost"):
        pull(folder, source=server)
    with stored(folder) as connection:
        assert connection.execute("SELECT count(*) FROM settlement").fetchone() == (2,)
    assert pull(folder, source=server, force=True).tables == {"settlement": 2}


def test_one_writer_at_a_time_and_a_failure_leaves_the_server(
    folder: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(folder, to=server)
    monkeypatch.setenv("VARDAG_DATABASE", server)
    settings.cache_clear()
    city, other = City.read(folder), City.read(copy_of(folder, "b"))
    with pytest.raises(ZeroDivisionError), opened(city, "water load") as connection:
        connection.execute("DELETE FROM pipe")
        with pytest.raises(DatabaseError, match="locked by water load by postgres"), opened(other, "water check"):
            pass
        raise ZeroDivisionError
    with opened(other, "water check") as connection:
        assert connection.execute("SELECT count(*) FROM pipe").fetchone() == (6,)
    settings.cache_clear()


def test_no_message_shows_the_password(folder: Path, server: str) -> None:
    with pytest.raises(DatabaseError) as caught:
        push(folder, to=server.replace("postgres@", "nobody:hemlig@"))
    assert "hemlig" not in str(caught.value) and "nobody" in str(caught.value)


def test_results_are_the_same_to_the_last_digit_on_both(
    tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = []
    for name in ("file", "server"):
        if name == "server":
            monkeypatch.setenv("VARDAG_DATABASE", server)
        settings.cache_clear()
        town(folder=tmp_path / name, seed=3, km=8, breaks=120)
        load(tmp_path / name)
        check(tmp_path / name)
        predict(tmp_path / name)
        with stored(tmp_path / name) as connection:
            connection.load_extension(str(db.extension_path()))
            frames.append({table: read_table(connection, table) for table in ("link", "life", "prediction")})
    settings.cache_clear()
    for table, frame in frames[0].items():
        assert frame.height > 10
        both = [one.drop("run_id", strict=False) for one in (frame, frames[1][table])]
        assert_frame_equal(*both, check_exact=True)
