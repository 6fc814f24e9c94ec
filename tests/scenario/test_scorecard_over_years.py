"""A city locks its prediction every year and looks back: champion, challengers, and all years together."""

import json
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vardag.app.cli import app
from vardag.core.errors import NotFoundError, RefusedError
from vardag.demo import town
from vardag.water.commands.load import load
from vardag.water.commands.predict import predict
from vardag.water.commands.scorecard import lock, years
from vardag.water.validation.scorecard import open_lock


def test_every_lock_is_held_against_its_year(tmp_path: Path) -> None:
    town(folder=tmp_path, seed=3, km=8, breaks=150)
    load(tmp_path)
    with pytest.raises(NotFoundError, match="no lock yet"):
        years(tmp_path)
    for year in (2021, 2022, 2024):
        predict(tmp_path, as_of=date(year, 12, 31))
        locked = open_lock(lock(tmp_path))
        assert {"past_breaks_per_km", "poisson_glm", "empirical_bayes"} < set(locked.rates)
        assert not any(locked.predictions[column].null_count() for column in locked.rates.values())
    found = years(tmp_path)
    assert [row["year"] for row in found.years] == [2022, 2023]  # 2025 has not been
    document = json.loads((tmp_path / "out" / "scorecard.json").read_text(encoding="utf-8"))
    assert document == json.loads(json.dumps(found.document()))
    assert document["pooled"]["observed"] == sum(row["observed"] for row in document["years"]) > 0
    said = CliRunner().invoke(app, ["water", "scorecard", "years", str(tmp_path)])
    assert said.exit_code == 0 and "against the year after" in said.output


def test_a_prediction_of_other_data_is_not_locked(tmp_path: Path) -> None:
    town(folder=tmp_path, seed=3, km=8, breaks=150)
    load(tmp_path)
    predict(tmp_path)
    log = (tmp_path / "lackor.csv").read_bytes()
    (tmp_path / "lackor.csv").write_bytes(b"\r\n".join(log.splitlines()[:-1]) + b"\r\n")
    load(tmp_path)
    with pytest.raises(RefusedError, match=r"1 sources \(lackor\) have been loaded since"):
        lock(tmp_path)
    assert not (tmp_path / "scorecard").exists()
