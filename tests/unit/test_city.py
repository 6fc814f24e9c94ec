"""city.toml: every fault is a ConfigError with line, found, expected and cure."""

from datetime import date
from pathlib import Path

import pytest

from vardag.core.errors import ConfigError
from vardag.water.city import City
from vardag.water.city.lines import key_lines, line_of

GOOD = """\
[city]
name = "Ytterby"
crs = "EPSG:3006"
record_start = 1997-01-01
owner = "VA"

[sources.pipes]
table = "pipe"
path = "pipes.csv"

[sources.pipes.columns]
pipe_id = "ID"
diameter_mm = { column = "DIM", unit = "cm" }
owner = { value = "Ytterby" }
"""


def city(folder: Path, text: str) -> City:
    (folder / "city.toml").write_text(text, encoding="utf-8")
    (folder / "pipes.csv").write_text("ID,DIM\n1,15\n", encoding="utf-8")
    return City.read(folder)


def test_a_good_file_is_read_with_its_defaults(tmp_path: Path) -> None:
    read = city(tmp_path, GOOD)
    assert (read.name, read.crs, read.timezone, read.language) == ("Ytterby", "EPSG:3006", "Europe/Stockholm", "sv")
    assert (read.record_start, read.record_end) == (date(1997, 1, 1), None)
    assert (read.secrecy, read.events) == ("protected", ("break",))
    assert read.sources["pipes"].columns["pipe_id"].column == "ID"
    assert read.sources["pipes"].columns["diameter_mm"].unit == "cm"
    assert read.database == tmp_path / "vardag.duckdb"


Fault = tuple[str, str, int, str, str]
FAULTS: list[Fault] = [
    ('name = "Ytterby"', 'nam = "Ytterby"', 2, "unknown key 'nam'", "Did you mean 'name'?"),
    ('name = "Ytterby"\n', "", 1, "[city] lacks name", "Add it"),
    ("1997-01-01", '"1997-01-01"', 4, "city.record_start is '1997-01-01'", "without quotes"),
    ("EPSG:3006", "EPSG:4326", 3, "not in metres", "EPSG:3006"),
    ("EPSG:3006", "EPSG:99999", 3, "no coordinate system", "EPSG:3006"),
    ('table = "pipe"', 'table = "pipes"', 8, "table 'pipes' is unknown", "Did you mean 'pipe'?"),
    ('"pipes.csv"', '"pipe.csv"', 9, "'pipe.csv' does not exist", "Did you mean 'pipes.csv'?"),
    ('pipe_id = "ID"', 'pipeid = "ID"', 12, "no column 'pipeid'", "Did you mean 'pipe_id'?"),
    ('pipe_id = "ID"\n', "", 11, "needs pipe_id", 'Add pipe_id = "COLUMN"'),
    ('unit = "cm"', 'unit = "inhc"', 13, "unit 'inhc' is unknown", "Did you mean 'inch'?"),
    ('unit = "cm"', 'units = "cm"', 13, "unknown key 'units'", "Did you mean 'unit'?"),
    ('unit = "cm"', 'formats = ["%Y"]', 13, "takes no formats", "Remove"),
    ('owner = { value = "Ytterby" }', "owner = {}", 14, "either column or value", "only one"),
    ('owner = { value = "Ytterby" }', "owner = 3", 14, "owner is 3", '"COLUMN"'),
    ('owner = "VA"\n', "", 6, "sources.pipes has no owner", "under [city]"),
]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_names_line_finding_and_cure(tmp_path: Path, fault: Fault) -> None:
    old, new, line, found, cure = fault
    with pytest.raises(ConfigError) as caught:
        city(tmp_path, GOOD.replace(old, new))
    message = str(caught.value)
    assert f"city.toml line {line}:" in message
    assert found in message
    assert cure in message


def test_all_faults_are_told_at_once_in_order(tmp_path: Path) -> None:
    text = GOOD.replace("EPSG:3006", "EPSG:1").replace('unit = "cm"', 'unit = "x"')
    with pytest.raises(ConfigError) as caught:
        city(tmp_path, text + '[sources.pipes.geometry]\nx = "X"\n')
    lines = [part.split(":")[0] for part in str(caught.value).splitlines()]
    assert lines == ["city.toml line 3", "city.toml line 13", "city.toml line 15"]


@pytest.mark.parametrize(
    ("extra", "found"),
    [
        ('[sources.pipes.vocabulary.material]\nX = "IRON"\n', "'X' = 'IRON' is no material"),
        ('[sources.pipes.vocabulary.street]\nX = "Y"\n', "'street' has no vocabulary"),
        ("[sources.pipes.where]\nA = 3\n", "where.A is 3"),
        ('[labels]\nevents = ["burst"]\n', "labels.events"),
    ],
)
def test_faults_in_optional_tables(tmp_path: Path, extra: str, found: str) -> None:
    with pytest.raises(ConfigError, match=r"city.toml line 1[56]") as caught:
        city(tmp_path, GOOD + extra)
    assert found in str(caught.value)


def test_toml_that_is_no_toml_names_its_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"not valid TOML.*line 2"):
        city(tmp_path, '[city]\nname = "Ytterby\n')


def test_a_missing_file_points_to_init(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="vardag water init"):
        City.read(tmp_path)


def test_lines_of_keys_skip_values_that_span_lines() -> None:
    text = '[a]\nx = [\n  "y = 1", # ]\n]\nt = """\nz = 2\n"""\n[a."b c"]\nk.m = 1\n'
    lines = key_lines(text)
    assert lines == {("a",): 1, ("a", "x"): 2, ("a", "t"): 5, ("a", "b c"): 8, ("a", "b c", "k", "m"): 9}
    assert line_of(lines, ("a", "x", "inner")) == 2
    assert line_of(lines, ("nowhere",)) == 1
