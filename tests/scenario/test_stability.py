"""From a city's files to how steady its list is: fitted again, told in the report, and not told of other data."""

import json
from pathlib import Path

import pytest

from vardag.demo import town
from vardag.water.commands.load import load
from vardag.water.commands.predict import predict
from vardag.water.commands.publish import publish
from vardag.water.commands.stability import Stable, stable

ABSENT = "have not been measured on these data"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory, shared: None) -> Path:
    folder = tmp_path_factory.mktemp("town")
    town(folder=folder, seed=7, km=12, breaks=220)
    load(folder)
    predict(folder)
    return folder


@pytest.fixture(scope="module")
def found(city: Path) -> Stable:
    return stable(city, count=2)


def test_the_top_stays_more_than_chance_would_keep(found: Stable) -> None:
    levels = found.stability["levels"]
    assert [row["level"] for row in levels] == [0.01, 0.05, 0.1]
    assert all(row["low"] <= row["mean"] <= row["high"] <= 1.0 for row in levels)
    assert all(row["mean"] > 3 * row["level"] for row in levels)


def test_effects_have_intervals_around_them(found: Stable) -> None:
    effects = found.effects["effects"]
    assert {"install_year", "material", "own_breaks"} <= {row["feature"] for row in effects}
    for point in effects[0]["points"]:
        assert point["lower"] <= point["multiplier"] <= point["upper"]


def test_the_report_tells_them_while_the_data_are_the_same(city: Path, found: Stable) -> None:
    assert json.loads((city / "out" / "effects.json").read_text(encoding="utf-8"))["refits"] == 2
    html = publish(city, language="en").report.read_text(encoding="utf-8")
    assert '<figure class="followed">' in html and ABSENT not in html
    log = city / "lackor.csv"
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-1]))
    load(city)
    predict(city)
    assert ABSENT in publish(city, language="en").report.read_text(encoding="utf-8")
