"""Errors, settings, database, runs, parameters, log: what every room stands on."""

import logging
from pathlib import Path

import duckdb
import polars as pl
import pytest
import shapely

from vardag.core import db, log, parameters, units
from vardag.core.config import settings
from vardag.core.errors import (
    ConfigError,
    DatabaseError,
    InputError,
    NotFoundError,
    RefusedError,
    VardagError,
    first_ids,
)
from vardag.core.runs import Run, recorded
from vardag.core.texts import Texts


def test_every_error_class_has_its_own_exit_code() -> None:
    classes = [VardagError, InputError, ConfigError, DatabaseError, NotFoundError, RefusedError]
    assert sorted(error.exit_code for error in classes) == [1, 2, 3, 4, 5, 6]
    assert first_ids([]) == "first: none"


def test_a_wrong_setting_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VARDAG_LANGUAGE", "fi")
    settings.cache_clear()
    try:
        with pytest.raises(ConfigError, match=r"VARDAG_LANGUAGE.*'fi'"):
            settings()
    finally:
        monkeypatch.undo()
        settings.cache_clear()


def test_geometry_survives_the_database(tmp_path: Path) -> None:
    line = shapely.LineString([(0, 0), (3, 4)]).wkb
    with db.connect(tmp_path / "x.duckdb") as connection:
        connection.execute("CREATE TABLE pipe (id TEXT, geom GEOMETRY)")
        db.insert(connection, "pipe", pl.DataFrame({"id": ["a", "b"], "geom": [line, None]}))
        found = db.read(connection, "SELECT id, ST_AsWKB(geom)::BLOB AS geom FROM pipe ORDER BY id")
    assert found["geom"].to_list() == [line, None]


def test_the_database_never_goes_to_the_network_for_an_extension() -> None:
    with db.connect(None) as connection:
        values = connection.execute(
            "SELECT value FROM duckdb_settings() WHERE name LIKE 'auto%known_extensions'"
        ).fetchall()
    assert values == [("false",), ("false",)]


def test_a_transaction_that_fails_leaves_everything_as_it_was(tmp_path: Path) -> None:
    with db.connect(tmp_path / "x.duckdb") as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS a")
        with pytest.raises(ZeroDivisionError), db.transaction(connection):
            connection.execute("DELETE FROM t")
            raise ZeroDivisionError
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (1,)


def test_a_file_that_is_no_database_and_one_that_is_missing(tmp_path: Path) -> None:
    (tmp_path / "x.duckdb").write_text("not a database at all, " * 400)
    with pytest.raises(DatabaseError, match="cannot be opened"):
        db.connect(tmp_path / "x.duckdb")
    with pytest.raises(DatabaseError, match="vardag water load"):
        db.connect(tmp_path / "none.duckdb", read_only=True)


def test_a_run_is_recorded_when_it_fails_too() -> None:
    connection = duckdb.connect()
    told: list[tuple[str, float]] = []
    run = Run("try", seed=3, on_step=lambda name, done: told.append((name, done)))
    with pytest.raises(KeyError), recorded(connection, run):
        with run.step("first") as step:
            step.advance(1, 2)
            step.rows(rows_in=10, rows_out=7)
        raise KeyError("x")
    assert connection.execute("SELECT status, seed, error FROM run").fetchall() == [("failed", 3, "KeyError: 'x'")]
    assert connection.execute("SELECT name, rows_dropped FROM run_step").fetchall() == [("first", 3)]
    assert told == [("first", 0.0), ("first", 0.5), ("first", 1.0)]


def test_parameters_need_value_unit_date_and_source(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("cost: {value: 3, unit: SEK}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="cost"):
        parameters.load(path)
    path.write_text("cost: {value: 3, unit: SEK, date: 2026-01-01, source: s}\n", encoding="utf-8")
    assert parameters.load(path).value("cost") == 3
    with pytest.raises(NotFoundError, match="price"):
        parameters.load(path).value("price")


def test_texts_say_which_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "texts.toml"
    path.write_text('a = { en = "x {n}", sv = "y {n}" }\nb = { en = "z" }\n', encoding="utf-8")
    texts = Texts(path)
    assert (texts("a", "sv", n=2), texts.incomplete()) == ("y 2", ["b"])
    with pytest.raises(NotFoundError, match="'b' in 'sv'"):
        texts("b", "sv")


@pytest.mark.parametrize(
    ("unit", "to", "expected"), [("cm", "mm", 10.0), ("inch", "mm", 25.4), ("ft", "m", 0.3048)]
)
def test_units(unit: str, to: str, expected: float) -> None:
    assert units.factor(unit, to=to) == expected
    with pytest.raises(ConfigError, match="furlong"):
        units.factor("furlong", to=to)


def test_personal_data_and_secrets_never_reach_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    log.setup()
    logging.getLogger("x").warning("%s wrote from %s, token=%s", "19121212-1212", "a@b.se", "abc123")
    shown = capsys.readouterr().err
    assert "1212-1212" not in shown and "a@b.se" not in shown and "abc123" not in shown and "wrote from" in shown
    logging.basicConfig(force=True)
