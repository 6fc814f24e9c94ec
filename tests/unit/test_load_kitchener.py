"""The example of Kitchener, on the city's own files where they lie beside the checkout."""

import shutil
from pathlib import Path

import pytest

from stored import stored
from vardag.water.city import City
from vardag.water.commands.load import load

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data" / "kitchener"
FILES = ("water_mains.csv", "water_main_breaks.csv", "roads.csv")


@pytest.mark.skipif(not DATA.is_dir(), reason="Kitchener's files are not in ../shared/data/kitchener")
def test_kitchener_is_loaded_without_losing_a_row(tmp_path: Path) -> None:
    shutil.copy(ROOT / "examples" / "kitchener" / "city.toml", tmp_path)
    for name in FILES:
        shutil.copy(DATA / name, tmp_path)
    mains, breaks, roads = load(tmp_path).sources
    assert [(s.rows_in, s.kept, s.quarantined) for s in (mains, breaks, roads)] == [
        (15_903, 15_903, {}), (2_766, 2_766, {}), (6_066, 6_066, {}),
    ]  # fmt: skip
    assert [(note.code, note.rows) for s in (mains, breaks, roads) for note in s.notes] == [("no_place", 121)]
    with stored(tmp_path) as connection:
        one = connection.execute(
            "SELECT count(*) FILTER (event = 'break'), count(*) FILTER (event = 'service'), "
            "count(*) FILTER (event = 'break' AND year(break_date) BETWEEN 1997 AND 2022) FROM break"
        ).fetchone()
        pipes = connection.execute(
            "SELECT count(*) FILTER (install_date IS NULL), count(DISTINCT pipe_id), round(sum(length_m) / 1000) "
            "FROM pipe"
        ).fetchone()
        first = connection.execute(
            "SELECT install_date, material, diameter_mm FROM pipe WHERE pipe_id = '10080'"
        ).pl()
    assert one == (2_736, 30, 2_723)  # as the data's README counts them
    assert pipes == (135, 15_903, 929)
    assert first.write_csv(include_header=False) == "1979-01-01,DI,450.0\n"


def test_the_examples_city_toml_asks_for_the_citys_files(tmp_path: Path) -> None:
    shutil.copy(ROOT / "examples" / "kitchener" / "city.toml", tmp_path)
    for name in FILES:
        (tmp_path / name).touch()
    city = City.read(tmp_path)
    assert [source.path for source in city.sources.values()] == list(FILES)
    assert (city.crs, city.timezone, city.secrecy) == ("EPSG:26917", "America/Toronto", "open")
