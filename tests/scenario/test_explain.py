"""One pipe explained from what a prediction left in the database, with the real commands."""

import json
from math import prod
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from stored import rows
from vardag.app.cli import app
from vardag.core.errors import NotFoundError
from vardag.demo import town
from vardag.water.commands.explain import explain
from vardag.water.commands.load import load
from vardag.water.commands.predict import predict


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory, shared: None) -> Path:
    folder = tmp_path_factory.mktemp("town")
    town(folder=folder, seed=7, km=15, breaks=260)
    load(folder)
    predict(folder)
    return folder


@pytest.fixture(scope="module")
def first(city: Path) -> str:
    found = rows(city, "SELECT pipe_id FROM prediction JOIN life USING (pipe_key) WHERE rank = 1")
    return str(found[0][0])


def test_the_reasons_and_what_is_left_make_up_the_rate(city: Path, first: str) -> None:
    told = explain(city, first).document
    assert told["rank"] == 1
    whole = told["typical_rate"] * told["rest"] * prod(reason["multiplier"] for reason in told["reasons"])
    assert whole == pytest.approx(told["rate"])
    assert 0.7 < told["rest"] < 1.4


def test_the_sooner_a_break_the_more_are_expected(city: Path, first: str) -> None:
    """Years until even odds: told of most pipes, never of one that is more likely than not to break this year."""
    found = rows(city, "SELECT expected_breaks, p_break, coalesce(years_to_break, 201) FROM prediction")
    expected, chance, years = np.array(found, dtype=float).T
    assert ((years == 1) | (chance < 0.55)).all()
    assert (years <= 200).mean() > 0.5
    assert np.corrcoef(np.log(expected), np.log(years))[0, 1] < -0.8
    assert 1 <= explain(city, first).document["years_to_break"] < 200


def test_its_breaks_are_those_that_are_linked_to_it(city: Path, first: str) -> None:
    told = explain(city, first).document
    counted = rows(city, f"SELECT count(*) FROM link WHERE pipe_key = '{told['pipe_key']}'")
    assert told["breaks"] == counted[0][0]
    assert sum(one["breaks"] for one in told["similar"]) == told["together"]["breaks"]


def test_pipes_like_it_are_others_nearest_first(city: Path, first: str) -> None:
    similar = explain(city, first).document["similar"]
    assert len(similar) == 10
    assert first not in {one["pipe_id"] for one in similar}
    distances = [one["distance"] for one in similar]
    assert distances == sorted(distances)


def test_a_change_is_told_with_the_rank_it_would_give_or_not_at_all(city: Path, first: str) -> None:
    changes = explain(city, first).document["what_if"]
    assert [one["change"] for one in changes] == ["new_pipe", "relined", "lower_pressure"]
    for one in changes:
        if one["state"] == "told":
            assert one["pipes"] >= 20 and one["rank"] >= 1
        else:
            assert one["rate"] is one["multiplier"] is one["rank"] is None


def test_it_is_printed_in_the_language_asked_for_and_as_json(city: Path, first: str) -> None:
    shown = CliRunner().invoke(app, ["water", "explain", str(city), first, "--language", "sv"])
    assert shown.exit_code == 0, shown.output
    assert f"Ledning {first}" in shown.stdout and "lovar inte" in shown.stdout
    shown = CliRunner().invoke(app, ["water", "explain", str(city), first, "--json"])
    assert json.loads(shown.stdout)["pipe_id"] == first


def test_an_id_that_is_not_there_is_answered_with_ids_like_it(city: Path, first: str) -> None:
    with pytest.raises(NotFoundError, match=f"Ids like it: .*{first}"):
        explain(city, first + "0")
    with pytest.raises(NotFoundError, match="not among the"):
        explain(city, "no such pipe")


def test_a_prediction_of_an_earlier_version_is_to_be_made_anew(city: Path, first: str) -> None:
    path = city / "out" / "prediction.json"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"typical_rate"', '"no_such_key"'), encoding="utf-8")
    try:
        with pytest.raises(NotFoundError, match="vardag water predict"):
            explain(city, first)
    finally:
        path.write_text(text, encoding="utf-8")
