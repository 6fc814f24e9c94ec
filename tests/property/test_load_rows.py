"""Whatever a file holds, every row comes out once: kept, or in quarantine with its reason."""

import csv
from pathlib import Path

import duckdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vardag.core.errors import InputError
from vardag.water.commands.load import load

TOML = """
[city]
name = "X"
owner = "VA"
crs = "EPSG:3006"
[sources.pipes]
table = "pipe"
path = "pipes.csv"
[sources.pipes.columns]
pipe_id = "id"
length_m = "length"
material = "material"
install_date = { column = "laid", formats = ["%Y", "%Y-%m-%d"] }
[sources.pipes.geometry]
start_x = "x1"
start_y = "y1"
end_x = "x2"
end_y = "y2"
"""
HEADER = ["id", "length", "material", "laid", "x1", "y1", "x2", "y2"]
cell = st.one_of(
    st.sampled_from(
        ["", "1", "2", "3", "0", "-1", "GJJ", "PE", "1963", "1963-02-30", "nan", "12.5", "670000", "6580000"]
    ),
    st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00"), max_size=6),
)
x = st.sampled_from(["", "670000", "670010.5", "0", "x", "9e99"])
y = st.sampled_from(["", "6580000", "6580010", "0", "y"])
row = st.one_of(
    st.tuples(
        st.sampled_from(["1", "2", "3", "4", ""]), st.sampled_from(["", "5", "0", "7.5"]), cell, cell, x, y, x, y
    ),
    st.lists(cell, max_size=10),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(row, min_size=1, max_size=12))
def test_rows_in_are_rows_kept_and_rows_quarantined(tmp_path: Path, rows: list[list[str]]) -> None:
    (tmp_path / "vardag.duckdb").unlink(missing_ok=True)
    (tmp_path / "city.toml").write_text(TOML, encoding="utf-8")
    with (tmp_path / "pipes.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEADER, *rows])
    try:
        (report,) = load(tmp_path).sources
    except InputError as error:  # a column that is no numbers at all, or a file whose places all lie outside
        assert "pipes.csv" in str(error)
        return
    assert report.rows_in == report.kept + sum(report.quarantined.values())
    with duckdb.connect(str(tmp_path / "vardag.duckdb"), read_only=True) as connection:
        kept = {line for (line,) in connection.execute("SELECT line FROM pipe").fetchall()}
        left_out = {line for (line,) in connection.execute("SELECT line FROM quarantine").fetchall()}
        ids = [name for (name,) in connection.execute("SELECT pipe_id FROM pipe").fetchall()]
    assert len(kept) == report.kept
    assert len(kept) + len(left_out) == report.rows_in
    assert not kept & left_out
    assert len(ids) == len(set(ids))
