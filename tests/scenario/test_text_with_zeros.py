"""Zero characters in a source's text, which PostgreSQL refuses: they are left out, and both hold the same rows."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stored import rows
from vardag.core.errors import InputError
from vardag.water.commands.load import load

TOML = """
[city]
name = "Ytterby"
owner = "VA"
crs = "EPSG:3006"
[sources.pipes]
table = "pipe"
path = "{path}"
{extra}
[sources.pipes.columns]
pipe_id = "id"
length_m = "length"
material = "material"
street = "street"
install_date = "laid"
[sources.pipes.where]
kind = ["main"]
"""
ROWS = [  # id, length, material, street, laid, kind
    ("1", "5", "GJJ", "Stor\0gatan", "1960-05-06", "main"),
    ("2\0", "6", "GJJ", "\0", "1960\0-05-06", "main"),
    ("2", "6", "PE", "a", "1970-05-06", "main"),
    ("3", "7\0", "P\0E", "b", "1970-05-06", "ma\0in"),
    ("4", "-5", "PE", "x\0y", "1970-05-06", "main"),
    ("5", "5", "PE", "b", "1970-05-06", "ser\0vice"),
]
Write = Callable[[Path, list[tuple[str, ...]]], None]
NAMES = ["id", "length", "material", "street", "laid", "kind"]


def parquet(folder: Path, rows: list[tuple[str, ...]]) -> None:
    pq.write_table(
        pa.table(dict(zip(NAMES, map(list, zip(*rows, strict=True)), strict=True))), folder / "p.parquet"
    )
    (folder / "city.toml").write_text(TOML.format(path="p.parquet", extra=""), encoding="utf-8")


def csv(folder: Path, rows: list[tuple[str, ...]]) -> None:
    lines = [",".join(row) for row in [tuple(NAMES), *rows]]
    (folder / "p.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "city.toml").write_text(TOML.format(path="p.csv", extra='encoding = "utf-8"'), encoding="utf-8")


@pytest.mark.parametrize("write", [parquet, csv])
def test_a_row_is_kept_without_its_zeros_or_left_out_for_its_reason(tmp_path: Path, write: Write) -> None:
    write(tmp_path, ROWS)
    (report,) = load(tmp_path).sources
    assert (report.kept, report.quarantined) == (3, {"duplicate_id": 1, "filtered": 1, "zero_length": 1})
    sql = "SELECT pipe_id, length_m, material, street, CAST(install_date AS TEXT) FROM pipe ORDER BY line"
    assert rows(tmp_path, sql) == [
        ("1", 5.0, "CI", "Storgatan", "1960-05-06"),
        ("2", 6.0, "CI", None, "1960-05-06"),
        ("3", 7.0, "PE", "b", "1970-05-06"),
    ]
    left_out = rows(tmp_path, "SELECT reason, detail, row_json FROM quarantine ORDER BY line")
    assert [(reason, detail) for reason, detail, _ in left_out] == [
        ("duplicate_id", "pipe_id 2"), ("zero_length", "-5.0"), ("filtered", "kind = service"),
    ]  # fmt: skip
    assert ["\\u0000" in row for _, _, row in left_out] == [False, True, True]  # as it came
    assert [source.status for source in load(tmp_path).sources] == ["unchanged"]


def test_a_file_that_begins_with_them_is_no_text(tmp_path: Path) -> None:
    csv(tmp_path, ROWS)
    (tmp_path / "city.toml").write_text(TOML.format(path="p.csv", extra=""), encoding="utf-8")
    with pytest.raises(InputError, match="not a text file"):
        load(tmp_path)
