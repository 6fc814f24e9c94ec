"""Lines without quotes are split by columns; the result is that of Python's own csv module, row for row."""

import tempfile
from pathlib import Path
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from vardag.water.sources import csv_file
from vardag.water.sources.csv_file import CsvLayer

CELLS = st.text(alphabet="ab åé0.,;\t\"'|", max_size=4)
ROWS = st.lists(st.lists(CELLS, max_size=4), max_size=12)


def read(path: Path) -> list[object]:
    layer = CsvLayer(path, encoding="utf-8", delimiter=";")
    found: list[object] = []
    for chunk in layer.chunks(["x", "z"]):
        found += chunk.frame.rows()
        found += [chunk.row_json(row) for row in range(chunk.frame.height)]
        found += [vars(row) for row in chunk.rejected]
    return found


@given(rows=ROWS, end=st.sampled_from(["\n", "\r\n", "\r"]), closed=st.booleans())
def test_both_ways_read_the_same(rows: list[list[str]], end: str, closed: bool) -> None:
    text = end.join(["x;y;z", *(";".join(cells) for cells in rows)]) + (end if closed else "")
    if text.count('"') % 2:
        text = text.replace('"', "")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.csv"
        path.write_bytes(text.encode())
        by_columns = read(path)
        with patch.object(csv_file, "_is_plain", lambda texts: False):
            assert read(path) == by_columns


def test_a_quote_late_in_the_file_changes_nothing_before_it(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    lines = [f"{number};b;c" for number in range(120_000)]
    lines[110_000] = '"110000";"two\nlines";c'
    path.write_text("x;y;z\n" + "\n".join(lines) + "\n", encoding="utf-8")
    rows = [row for chunk in CsvLayer(path).chunks(["x"]) for row in chunk.frame.rows()]
    assert [int(x) for _, x in rows] == list(range(120_000))
    assert [line for line, _ in rows[109_999:110_003]] == [110_001, 110_002, 110_004, 110_005]
