"""Ready-made mappings: each loads a small file that has the source's own layer, columns and typical values."""

import json
import tomllib
from pathlib import Path
from typing import get_args

import duckdb
import pytest
from typer.testing import CliRunner

from preset_files import CASES
from vardag.app.cli import app
from vardag.core.errors import ConfigError, NotFoundError
from vardag.water.city import City
from vardag.water.city.model import Secrecy, Source
from vardag.water.city.presets import FOR_PEOPLE, preset, preset_names, with_presets
from vardag.water.city.vocabulary import vocabulary_for
from vardag.water.commands.load import load
from vardag.water.commands.presets import one_preset, presets
from vardag.water.schema import DELIVERED

CITY = '[city]\nname = "Ytterby"\ncrs = "{crs}"\n'
FETCHED = {"sgu_jordarter_api"}


def city_of(folder: Path, name: str, file: str, crs: str) -> City:
    owner = "" if preset(name).get("owner") else 'owner = "Ytterby kommun"\n'
    lines = f'[sources.{name}]\npreset = "{name}"\npath = "{file}"\n{owner}'
    (folder / "city.toml").write_text(CITY.format(crs=crs) + lines, encoding="utf-8")
    return City.read(folder)


@pytest.mark.parametrize("name", CASES)
def test_a_preset_loads_the_sources_own_file(name: str, tmp_path: Path) -> None:
    write, crs, columns, expected = CASES[name]
    city = city_of(tmp_path, name, write(tmp_path), crs)
    report = load(tmp_path).sources[0]
    table = city.sources[name].table
    with duckdb.connect(city.database, read_only=True) as connection:
        rows = connection.execute(f'SELECT {columns} FROM "{table}" ORDER BY line').fetchall()
    assert (report.kept, report.quarantined.get("duplicate_id", 0)) == (len(expected), 0)
    assert rows == expected


def test_every_preset_is_loaded_above_or_fetched() -> None:
    assert set(CASES) | FETCHED == set(preset_names())


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_says_what_a_source_must_say(name: str) -> None:
    raw = preset(name)
    source = Source.model_validate({key: value for key, value in raw.items() if key not in FOR_PEOPLE})
    table = DELIVERED[source.table]
    assert set(raw["about"]) == {"sv", "en"}
    assert len(raw["basis"]) > 40
    assert raw["secrecy"] in get_args(Secrecy)
    assert source.refresh_days
    assert set(source.columns) <= {column.name for column in table.mappable}
    assert {column.name for column in table.mappable if column.required} <= set(source.columns)
    assert name == "open311" or (source.owner and source.licence and source.contact)


def test_what_the_source_says_itself_wins() -> None:
    own = {"preset": "sgu_jordarter", "path": "a.gpkg", "layer": "ytlager", "columns": {"soil_class": "jy1_tx"}}
    merged = with_presets({"sources": {"soil": own}})["sources"]["soil"]
    assert (merged["layer"], merged["table"]) == ("ytlager", "soil")
    assert merged["columns"] == {"soil_id": "objectid", "soil_class": "jy1_tx"}


def test_the_service_needs_only_a_place(tmp_path: Path) -> None:
    lines = one_preset("sgu_jordarter_api").lines
    (tmp_path / "city.toml").write_text(CITY.format(crs="EPSG:3006") + lines, encoding="utf-8")
    source = City.read(tmp_path).sources["sgu_jordarter_api"]
    assert (source.service, source.layer, source.path) == ("ogcapi", "grundlager", None)
    assert source.bbox is not None


def test_an_unknown_preset_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "city.toml").write_text(
        CITY.format(crs="EPSG:3006") + '[sources.a]\npreset = "sgu_jordart"\n', encoding="utf-8"
    )
    with pytest.raises(ConfigError, match=r"line 5: preset 'sgu_jordart' is unknown.*Did you mean 'sgu_jordarter'"):
        City.read(tmp_path)
    with pytest.raises(NotFoundError, match="Did you mean 'sgu_jordarter'"):
        one_preset("sgu_jordart")


def test_the_list_is_in_the_readers_language() -> None:
    swedish, english = presets(language="sv"), presets(language="en")
    assert [preset.name for preset in swedish] == preset_names()
    assert all(one.about != other.about for one, other in zip(swedish, english, strict=True))


def test_a_report_is_open_or_closed_and_a_pipe_in_service() -> None:
    words = {name: vocabulary_for(DELIVERED[name].column("status")) for name in ("pipe", "valve", "report")}
    assert [words[name] and words[name].kind for name in words] == ["status", "status", "report_status"]


def test_the_command_lists_and_shows() -> None:
    run = CliRunner().invoke
    everything = json.loads(run(app, ["water", "presets", "--json"]).output)
    assert [entry["name"] for entry in everything] == preset_names()
    listed = run(app, ["water", "presets"]).output
    assert all(name in listed for name in preset_names())
    shown = run(app, ["water", "presets", "sgu_jordarter"])
    assert tomllib.loads(shown.output) == {
        "sources": {"sgu_jordarter": {"preset": "sgu_jordarter", "path": "FILE"}}
    }
    assert 'soil_class = "jg2_tx"' in shown.output
    assert isinstance(run(app, ["water", "presets", "nothing"]).exception, NotFoundError)
