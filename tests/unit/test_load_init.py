"""`vardag water init`: a proposal that can be read, mended and loaded."""

from pathlib import Path
from typing import Literal

import pytest
import yaml

from vardag.core.errors import InputError, RefusedError
from vardag.water.city import City
from vardag.water.commands.init import init
from vardag.water.commands.load import load
from vardag.water.schema import DELIVERED
from vardag.water.sources.guess import SYNONYMS, guess_folder, plain

PIPES = "LEDNINGSID;MATERIAL;DIMENSION;ANLAGGNINGSAR;Längd (m)\n1;GJJ;150;1954;34,5\n"
BREAKS = "NR;LÄCKDATUM;X_KOORD;Y_KOORD;LEDNINGSID;Händelsetyp\n1;2004-05-06;674000,0;6580000,0;1;rörbrott\n"


def folder(path: Path) -> Path:
    (path / "ledningar.csv").write_text(PIPES.replace("Längd (m)", "LANGD"), encoding="utf-8")
    (path / "läckor 2024.csv").write_text(BREAKS, encoding="utf-8")
    (path / "budget.csv").write_text("konto,belopp\n1,2\n", encoding="utf-8")
    (path / "trasig.gpkg").write_bytes(b"nothing")
    return path


@pytest.mark.parametrize("language", ["sv", "en"])
def test_the_proposal_loads_as_it_stands(tmp_path: Path, language: Literal["sv", "en"]) -> None:
    path = init(folder(tmp_path), name="Ytterby", language=language)
    city = City.read(tmp_path)
    assert (path.name, city.name, city.crs, city.language) == ("city.toml", "Ytterby", "EPSG:3006", language)
    assert {source.path: source.table for source in city.sources.values()} == {
        "ledningar.csv": "pipe", "läckor 2024.csv": "break",
    }  # fmt: skip
    assert [(source.table, source.kept) for source in load(tmp_path).sources] == [("pipe", 1), ("break", 1)]
    text = path.read_text(encoding="utf-8")
    assert "budget.csv" in text
    assert "trasig" not in text
    assert ("läckregistret" in text) == (language == "sv")


def test_columns_are_found_by_their_usual_names(tmp_path: Path) -> None:
    guesses = {guess.path: guess for guess in guess_folder(folder(tmp_path))}
    assert guesses["ledningar.csv"].columns == {
        "pipe_id": "LEDNINGSID", "length_m": "LANGD", "material": "MATERIAL", "diameter_mm": "DIMENSION",
        "install_year": "ANLAGGNINGSAR",
    }  # fmt: skip
    assert guesses["läckor 2024.csv"].geometry == {"x": "X_KOORD", "y": "Y_KOORD"}
    assert guesses["budget.csv"].table is None


def test_what_is_needed_and_not_found_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "ledningar.csv").write_text("A,MATERIAL\n1,PE\n", encoding="utf-8")
    text = init(tmp_path, language="en").read_text(encoding="utf-8")
    assert 'pipe_id = "?"' in text
    with pytest.raises(InputError, match=r"no column '\?' \(for pipe_id\).*\nThe file has: A, MATERIAL"):
        load(tmp_path)


def test_degrees_propose_a_zone(tmp_path: Path) -> None:
    (tmp_path / "breaks.csv").write_text("id,date,lon,lat\n1,2004-05-06,-80.5,43.4\n", encoding="utf-8")
    init(tmp_path, language="en")
    city = City.read(tmp_path)
    assert (city.crs, city.sources["breaks"].crs) == ("EPSG:32617", "EPSG:4326")


def test_a_city_toml_is_not_written_over(tmp_path: Path) -> None:
    init(folder(tmp_path))
    with pytest.raises(RefusedError, match="--replace"):
        init(tmp_path)
    assert init(tmp_path, replace=True).exists()


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    with pytest.raises(InputError, match="expected a folder"):
        init(tmp_path / "a")


def test_an_empty_folder_gets_a_template(tmp_path: Path) -> None:
    text = init(tmp_path / "new").read_text(encoding="utf-8")
    assert text.startswith("# city.toml")
    assert "[city]" in text


def test_synonyms_are_for_columns_that_exist() -> None:
    words = yaml.safe_load(SYNONYMS.read_text(encoding="utf-8"))
    for table, columns in words["columns"].items():
        assert set(columns) <= {column.name for column in DELIVERED[table].mappable}
    assert all(isinstance(name, str) for names in words["geometry"].values() for name in names)
    assert plain("Anläggningsår") == "anlaggningsar"
