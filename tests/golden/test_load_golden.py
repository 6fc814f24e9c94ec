"""The golden folders of load: files that a person can open, and the tables that must come out of them."""

import os
import shutil
from pathlib import Path

import pytest

from stored import stored
from vardag.water.commands.load import load
from vardag.water.sources.notes import reason_text

FOLDER = Path(__file__).parent / "load"
CITIES = sorted(path.name for path in FOLDER.iterdir() if path.is_dir())
TABLES = {
    "pipe": "SELECT * REPLACE (ST_AsText(geom) AS geom) FROM pipe ORDER BY line",
    "break": "SELECT * REPLACE (ST_AsText(geom) AS geom) FROM break ORDER BY line",
    "quarantine": "SELECT * FROM quarantine ORDER BY source, line",
    "source": "SELECT * EXCLUDE (loaded_at, run_id, mapping_hash) FROM source ORDER BY source",
}


@pytest.mark.usefixtures("both")
@pytest.mark.parametrize("city", CITIES)
def test_a_city_folder_becomes_the_expected_tables(tmp_path: Path, city: str) -> None:
    shutil.copytree(FOLDER / city, tmp_path / city)
    report = load(tmp_path / city)
    said = [
        f"{source.name}: {source.rows_in} rows, {source.kept} kept\n"
        + "".join(f"  {rows} {reason_text(reason, 'sv')}\n" for reason, rows in source.quarantined.items())
        + "".join(f"  {note.text('sv')}\n" for note in source.notes)
        for source in report.sources
    ]
    found = {"report.txt": "".join(said)} | {
        f"{name}.csv": _csv(tmp_path / city, sql) for name, sql in TABLES.items()
    }
    expected = FOLDER / city / "expected"
    if os.environ.get("VARDAG_UPDATE_GOLDEN"):
        for name, text in found.items():
            (expected / name).write_text(text, encoding="utf-8")
    assert found == {name: (expected / name).read_text(encoding="utf-8") for name in found}


def _csv(folder: Path, sql: str) -> str:
    with stored(folder) as connection:
        return str(connection.execute(sql).pl().write_csv())
