"""`vardag water quality` on a small city: two deliveries, a page, and an effect that cannot be measured."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vardag.app.cli import app
from vardag.water.commands.load import load
from vardag.water.commands.quality import quality

YTTERBY = Path(__file__).parents[1] / "golden" / "load" / "ytterby"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    city = tmp_path / "ytterby"
    city.mkdir()
    for file in YTTERBY.glob("*.*"):
        shutil.copy(file, city)
    load(city)
    return city


def test_a_field_that_the_next_delivery_lost_shows(folder: Path) -> None:
    mains = folder / "ledningar.csv"
    text = mains.read_text(encoding="cp1252")
    assert "Åkervägen" in text
    mains.write_text(text.replace("Åkervägen", ""), encoding="cp1252")
    load(folder)
    document = quality(folder, effect=False).document
    told = next(one for one in document["sources"] if one["table"] == "pipe")
    street = next(field for field in told["fields"] if field["field"] == "street")
    before, after = street["by_delivery"]
    assert before["filled"] > after["filled"] == street["filled"]
    assert document["effect"] is None


def test_the_page_and_the_numbers_are_written_in_the_language_asked_for(folder: Path) -> None:
    shown = CliRunner().invoke(app, ["water", "quality", str(folder), "--language", "en", "--json"])
    assert shown.exit_code == 0, shown.output
    document = json.loads(shown.stdout)
    assert document == json.loads((folder / "out" / "quality.json").read_text(encoding="utf-8"))
    assert document["effect"]["measured"] is None
    page = (folder / "out" / "quality.html").read_text(encoding="utf-8")
    assert '<html lang="en">' in page and "Cannot be measured" in page
    shown = CliRunner().invoke(app, ["water", "quality", str(folder), "--no-effect"])
    assert shown.exit_code == 0, shown.output
    assert '<html lang="sv">' in (folder / "out" / "quality.html").read_text(encoding="utf-8")
