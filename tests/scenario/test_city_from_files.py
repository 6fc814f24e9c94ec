"""From a city's files to the ranking, with the real commands: what a new user meets."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from stored import stored
from vardag.core.errors import ConfigError, InputError, NotFoundError, RefusedError
from vardag.demo import town
from vardag.water.commands import scorecard
from vardag.water.commands.check import check
from vardag.water.commands.evaluate import evaluate
from vardag.water.commands.load import load
from vardag.water.commands.predict import predict
from vardag.water.commands.publish import publish

AS_OF = date(2019, 12, 31)


@pytest.fixture(scope="module")
def city(shared: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("town")
    town(folder=folder, seed=7, km=12, breaks=220)
    load(folder)
    return folder


def ranking(folder: Path) -> pl.DataFrame:
    with stored(folder) as connection:
        return connection.execute("SELECT * EXCLUDE (run_id) FROM prediction ORDER BY rank").pl()


def rewrite_log(folder: Path, change: Callable[[list[str]], list[str]]) -> None:
    path = folder / "lackor.csv"
    head, *rows = path.read_bytes().decode("cp1252").splitlines(keepends=True)
    path.write_bytes("".join([head, *change(rows)]).encode("cp1252"))


def day_of(row: str) -> str:
    return row.split(";")[1].replace("-", "")[:8]


def test_what_happens_after_as_of_changes_no_score_and_no_rank(city: Path, tmp_path: Path) -> None:
    """The leak test, from the files to the ranking: the future is taken away, and later moved to one pipe."""
    predict(city, as_of=AS_OF)
    honest = ranking(city)
    assert honest.height > 100 and honest["expected_breaks_per_km_year"].n_unique() > 50
    rewrite_log(city, lambda rows: [row for row in rows if day_of(row) <= "20191231"])
    load(city)
    predict(city, as_of=AS_OF)
    assert_frame_equal(ranking(city), honest)
    last = honest["pipe_key"][-1]
    worst = [f"X{n};2021-03-0{n};{last};GJJ;150;1950;Rörbrott;;;;\r\n" for n in range(1, 9)]
    rewrite_log(city, lambda rows: rows + worst)
    load(city)
    predict(city, as_of=AS_OF)
    assert_frame_equal(ranking(city), honest)


def test_the_same_command_gives_the_same_result_twice(tmp_path: Path) -> None:
    rankings = []
    for name in ("a", "b"):
        town(folder=tmp_path / name, seed=3, km=10, breaks=150)
        load(tmp_path / name)
        predict(tmp_path / name)
        rankings.append(ranking(tmp_path / name))
    assert_frame_equal(rankings[0], rankings[1])
    predict(tmp_path / "a", seed=99)
    assert not ranking(tmp_path / "a").equals(rankings[0])


def test_evaluate_publish_lock_and_score(tmp_path: Path) -> None:
    town(folder=tmp_path, seed=5, km=10, breaks=200)
    load(tmp_path)
    found = predict(tmp_path)
    evaluated = evaluate(tmp_path, first=2022)
    horizon = evaluated.document["populations"]["register"]["1"]
    assert horizon["origins"] == ["2021-12-31", "2022-12-31", "2023-12-31"]
    assert horizon["headline"][0]["model"] == "vardag"
    random = next(row for row in horizon["headline"] if row["model"] == "random")
    assert random["capture"][4] < horizon["headline"][0]["capture"][4]
    published = publish(tmp_path)
    assert all(path.stat().st_size > 1000 for path in published.paths)
    text = published.report.read_text(encoding="utf-8")
    assert "Påhittad stad" in text and "http://" not in text.replace("http://www.w3.org", "")
    locked = scorecard.lock(tmp_path, years=2)
    with pytest.raises(RefusedError, match="never written over"):
        scorecard.lock(tmp_path, years=2)
    later = tmp_path / "later.csv"
    head = (tmp_path / "lackor.csv").read_bytes().decode("cp1252").splitlines()[0]
    key = ranking(tmp_path)["pipe_key"][0]
    later.write_bytes(f"{head}\r\nN1;2025-02-01;{key};;;;Rörbrott;;;;\r\n".encode("cp1252"))
    outcome = scorecard.check(tmp_path, breaks=later, locked=locked).document()
    assert outcome["breaks"]["linked"] == 1 and outcome["as_of"] == found.as_of.isoformat()


@pytest.mark.parametrize(("kept", "choice"), [(5, "few_some"), (0, "few_zero")])
def test_a_city_with_few_breaks_rests_on_published_rates_and_is_told_so(
    tmp_path: Path, kept: int, choice: str
) -> None:
    town(folder=tmp_path, seed=2, km=10)
    breaks_since_2003 = [0]

    def few(rows: list[str]) -> list[str]:
        proper = [row for row in rows if "Rörbrott" in row and "20030101" < day_of(row) < "20241231"]
        breaks_since_2003[0] = len(proper)
        other = [row for row in rows if "Servisläcka" in row][:1]
        return proper[:kept] + other

    rewrite_log(tmp_path, few)
    load(tmp_path)
    found = predict(tmp_path)
    assert breaks_since_2003[0] > kept
    assert (found.choice, found.model) == (choice, "hierarchical")
    assert 0 < found.expected_breaks < 20
    report = publish(tmp_path).report.read_text(encoding="utf-8")
    assert "Folkman" in report
    if kept == 0:
        with pytest.raises(InputError, match="nothing can be tested"):
            evaluate(tmp_path)


def test_check_says_how_much_of_the_log_can_be_used(city: Path) -> None:
    found = check(city)
    log = found.survivorship
    assert 0 < log["register"]["breaks"] <= log["with_rebuilt"]["breaks"] <= log["breaks"]
    assert any(result.rows for result in found.checks)


def test_a_failed_load_loses_nothing(city: Path) -> None:
    before = ranking(city)
    text = (city / "city.toml").read_text(encoding="utf-8")
    try:
        (city / "city.toml").write_text(text.replace('"DATUM"', '"DATUMM"'), encoding="utf-8")
        with pytest.raises(InputError, match=r"no column 'DATUMM'.*[Dd]id you mean"):
            load(city)
    finally:
        (city / "city.toml").write_text(text, encoding="utf-8")
    with stored(city) as connection:
        assert connection.execute('SELECT count(*) > 0 FROM "break"').fetchone() == (True,)
        failed = connection.execute("SELECT status, error FROM run ORDER BY started_at DESC LIMIT 1").fetchone()
    assert failed is not None and failed[0] == "failed" and "DATUMM" in failed[1]
    assert_frame_equal(ranking(city), before)


def test_errors_name_the_next_command(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="vardag water init"):
        predict(tmp_path)
    town(folder=tmp_path, seed=1, km=6)
    load(tmp_path)
    with pytest.raises(NotFoundError, match="vardag water predict"):
        publish(tmp_path)
    with pytest.raises(InputError, match="outside the record"):
        predict(tmp_path, as_of=date(1901, 1, 1))


def test_every_run_is_recorded_with_its_steps(city: Path) -> None:
    predict(city)
    summary = json.loads((city / "out" / "prediction.json").read_text(encoding="utf-8"))
    assert summary["run"]["seed"] == 1 and set(summary["run"]["inputs"]) >= {"ledningar", "lackor"}
    with stored(city) as connection:
        steps = connection.execute(
            "SELECT count(*), min(peak_memory_mb) FROM run_step WHERE run_id = ?", [summary["run"]["run_id"]]
        ).fetchone()
    assert steps is not None and steps[0] >= 9 and steps[1] > 1
