"""Dates, numbers and CSV files as registers write them."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from vardag.core.errors import ConfigError, InputError
from vardag.water.sources.chunk import LINE
from vardag.water.sources.csv_file import CsvLayer, sniff_delimiter
from vardag.water.sources.date_survey import DateSurvey
from vardag.water.sources.dates import FAMILIES, Clock, parse_dates
from vardag.water.sources.fields import Field
from vardag.water.sources.number_survey import NumberSurvey
from vardag.water.sources.numbers import parse_numbers

ALL = tuple(family[0] for family in FAMILIES)
TORONTO = Clock("America/Toronto")
STOCKHOLM = Clock("Europe/Stockholm")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2017/12/01 15:15:00+00", date(2017, 12, 1)),
        ("2017/12/01 03:15:00+00", date(2017, 11, 30)),  # still the evening before in Toronto
        ("1979/01/01 00:00:00+00", date(1979, 1, 1)),  # exactly midnight is a date written as a time
        ("1970/01/02 05:00:00+00", date(1970, 1, 2)),
        ("2004-05-06", date(2004, 5, 6)),
        ("2004-05-06T23:30:00Z", date(2004, 5, 6)),
        ("2004-05-06T23:30:00-08:00", date(2004, 5, 7)),
        ("2004-05-06 23:59:59.123", date(2004, 5, 6)),
        ("6.5.2004", date(2004, 5, 6)),
        ("20040506", date(2004, 5, 6)),
        ("1963", date(1963, 1, 1)),
        ("1963.0", date(1963, 1, 1)),
        ("2004-05", date(2004, 5, 1)),
        ("6 maj 2004", date(2004, 5, 6)),
        ("06-Oct-2004", date(2004, 10, 6)),
        ("May 6, 2004", date(2004, 5, 6)),
        ("1512141300000", date(2017, 12, 1)),
        ("1/1/2000 12:00:00 AM", date(2000, 1, 1)),
        ("2004-02-30", None),
        ("2004-05-06 25:00", None),
        ("0004-05-06", None),
        ("yesterday", None),
    ],
)
def test_a_date_is_read_as_the_local_day(text: str, expected: date | None) -> None:
    assert parse_dates(pl.Series([text]), ALL, TORONTO).to_list() == [expected]


def test_times_without_offset_are_local_unless_a_zone_is_stated() -> None:
    text = pl.Series(["2004-05-06 23:30", "2004-01-06 23:30", "2021-03-28 02:30"])
    assert parse_dates(text, ("%Y-%m-%d",), STOCKHOLM).to_list()[0] == date(2004, 5, 6)
    moved = parse_dates(text, ("%Y-%m-%d",), Clock("Europe/Stockholm", "UTC"))
    assert moved.to_list() == [date(2004, 5, 7), date(2004, 1, 7), date(2021, 3, 28)]
    skipped = parse_dates(text, ("%Y-%m-%d",), Clock("UTC", "Europe/Stockholm"))
    assert skipped.to_list()[2] == date(2021, 3, 28)  # an hour that summer time skips


def test_stated_formats_are_tried_in_order() -> None:
    text = pl.Series(["06/05/04", "2004", "5.2004"])
    read = parse_dates(text, ("%d/%m/%y", "%Y", "%m.%Y"), STOCKHOLM)
    assert read.to_list() == [date(2004, 5, 6), date(2004, 1, 1), date(2004, 5, 1)]
    own_clock = parse_dates(pl.Series(["2004-05-06 1 PM"]), ("%Y-%m-%d %I %p",), STOCKHOLM)
    assert own_clock.to_list() == [None]  # a clock needs its minutes


def survey_dates(*cells: str, formats: tuple[str, ...] = ()) -> tuple[str, ...]:
    survey = DateSurvey(Field("break_date", "date", "DATUM", required=True, formats=formats, clock=STOCKHOLM))
    for start in range(0, len(cells), 2):  # chunks must not matter
        part = cells[start : start + 2]
        survey.look(pl.Series(part), pl.Series(range(start + 2, start + 2 + len(part))))
    return survey.decide("log (log.csv)")


def test_the_whole_column_tells_the_order_of_day_and_month() -> None:
    assert survey_dates("03/04/2005", "25/04/2005") == ("%d/%m/%Y",)
    assert survey_dates("03/04/2005", "04/25/2005") == ("%m/%d/%Y",)
    assert survey_dates("04/04/2005") == ("%d/%m/%Y",)
    assert set(survey_dates("2005-04-03", "1963", "6.5.2004")) == {"%Y-%m-%d", "%Y", "%d.%m.%Y"}


def test_an_order_that_cannot_be_told_is_asked_for() -> None:
    with pytest.raises(ConfigError, match=r"2 dates whose day and month.*03/04/2005' in line 2.*formats = "):
        survey_dates("03/04/2005", "05/06/2007")
    assert survey_dates("03/04/2005", formats=("%m/%d/%Y",)) == ("%m/%d/%Y",)


def test_an_order_that_is_mixed_is_refused() -> None:
    with pytest.raises(InputError, match=r"mixes dates with the day first \(1 cells, '25/04/2005' in line 3\)"):
        survey_dates("03/04/2005", "25/04/2005", "04/26/2005")


def test_a_column_of_no_dates_is_refused() -> None:
    with pytest.raises(InputError, match=r"2 of 3 cells are no dates.*'Storgatan' in line 2"):
        survey_dates("Storgatan", "Kungsgatan", "2004-05-06")


def test_day_numbers_of_spreadsheets_stand_alone() -> None:
    assert survey_dates("38000", "38001") == ("excel_day",)
    assert survey_dates("2004-05-06", "2004-05-07", "38000") == ("%Y-%m-%d",)


@pytest.mark.parametrize(
    ("text", "decimal", "expected"),
    [
        ("150", ".", 150.0), ("12.5", ".", 12.5), ("12,5", ",", 12.5), ("1.234,5", ",", 1234.5),
        ("1,234.5", ".", 1234.5), ("1 234,5", ",", 1234.5), ("6 580 123,45", ",", 6580123.45), ("12.5", ",", 12.5),
        ("DN150", ".", 150.0), ("Ø110", ".", 110.0), ("150 mm", ".", 150.0), ("15 cm", ".", 150.0),
        ('6"', ".", 152.4),
        ("−5", ".", -5.0), ("1e3", ".", 1000.0), ("abc", ".", None), ("110/100", ".", None), ("inf", ".", None),
        ("12,5", ".", None), ("1,23,4", ".", None), ("5 furlong", ".", None),
    ],
)  # fmt: skip
def test_a_number_is_read(text: str, decimal: str, expected: float | None) -> None:
    (value,) = parse_numbers(pl.Series([text]), decimal=decimal, to="mm")
    assert value is None if expected is None else value == pytest.approx(expected)


def test_units_of_the_file_become_those_of_the_table() -> None:
    cells = pl.Series(["15", "150 mm"])
    assert parse_numbers(cells, decimal=".", unit="cm", to="mm").to_list() == [150.0, 150.0]
    assert parse_numbers(pl.Series(["6"]), decimal=".", unit="inch", to="mm").to_list() == [pytest.approx(152.4)]


def survey_numbers(*cells: str, stated: str | None = None, semicolons: bool = False) -> str:
    survey = NumberSurvey(Field("length_m", "number", "LANGD"), stated=stated, semicolons=semicolons)
    for number, cell in enumerate(cells, start=2):
        survey.look(pl.Series([cell]), pl.Series([number]))
    return survey.decide("pipes (pipes.csv)")


def test_the_whole_column_tells_the_decimal_sign() -> None:
    assert survey_numbers("1,234", "12,5") == ","
    assert survey_numbers("1,234", "12.5") == "."
    assert survey_numbers("1,234", "0,352") == ","
    assert survey_numbers("12,5", "12.5") == ","
    assert survey_numbers("34.211", "150") == "."
    assert survey_numbers("1,234", semicolons=True) == ","


def test_a_decimal_sign_that_cannot_be_told_is_asked_for() -> None:
    with pytest.raises(ConfigError, match=r'2 numbers whose comma.*\'1,234\' in line 2.*decimal = ","'):
        survey_numbers("1,234", "5,678")
    assert survey_numbers("1,234", stated=".") == "."


def test_mixed_decimal_signs_are_refused() -> None:
    with pytest.raises(InputError, match=r"mixes decimal commas.*decimal points"):
        survey_numbers("1.234,5", "1,234.5")


def rows(path: Path, *wanted: str) -> tuple[list[tuple[object, ...]], list[tuple[int, str]]]:
    layer = CsvLayer(path)
    chunks = list(layer.chunks(wanted or layer.columns))
    kept = [row for chunk in chunks for row in chunk.frame.rows()]
    return kept, [(bad.line, bad.reason) for chunk in chunks for bad in chunk.rejected]


def test_csv_lines_are_true_lines_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('\nid,text\n1,"two\nlines"\n\n2,b\n3\n,\n4,d,e\n5,f\n', encoding="utf-8", newline="")
    kept, bad = rows(path)
    assert kept == [(3, "1", "two\nlines"), (6, "2", "b"), (10, "5", "f")]
    assert bad == [(7, "ragged_row"), (8, "empty_row"), (9, "ragged_row")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_csv_encoding_is_found(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id;gata\n1;Åkervägen\n", encoding=encoding)
    layer = CsvLayer(path)
    assert layer.columns == ["id", "gata"]
    assert rows(path)[0] == [(2, "1", "Åkervägen")]
    assert [note.code for note in layer.notes] == (["encoding_assumed"] if encoding == "cp1252" else [])


def test_a_wrong_encoding_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,gata\n1,Åkervägen\n", encoding="cp1252")
    with pytest.raises(InputError, match=r"a.csv: after line \d+ .*not utf-8.*cp1252"):
        list(CsvLayer(path, encoding="utf-8").chunks(["id"]))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"id,id\n1,2\n", "column 'id' stands more than once"),
        (b"PK\x03\x04\x00\x00", "not a text file"),
    ],
)
def test_files_that_are_no_table_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        CsvLayer(path)


def test_delimiters() -> None:
    assert sniff_delimiter(["a,b", "1,2"]) == ","
    assert sniff_delimiter(["a;b", "1,5;2,5"]) == ";"
    assert sniff_delimiter(["a\tb", "1\t2"]) == "\t"
    assert sniff_delimiter(["a"]) == ","


def test_chunks_are_bounded_and_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vardag.water.sources.csv_file.MAX_ROWS", 7)
    path = tmp_path / "a.csv"
    path.write_text("id\n" + "".join(f"{number}\n" for number in range(50)), encoding="utf-8")
    seen: list[float] = []
    chunks = list(CsvLayer(path).chunks(["id"], progress=seen.append))
    assert max(chunk.rows_in for chunk in chunks) == 7
    assert [line for chunk in chunks for line in chunk.frame[LINE]] == list(range(2, 52))
    assert seen[-1] == 1.0


def test_an_optional_column_may_have_many_cells_that_are_no_dates() -> None:
    survey = DateSurvey(Field("lined_date", "date", "FODRAD", clock=STOCKHOLM))
    survey.look(pl.Series(["ja", "ja", "2004"]), pl.Series([2, 3, 4]))
    assert survey.decide("pipes") == ("%Y",)
    survey = DateSurvey(Field("lined_date", "date", "FODRAD", clock=STOCKHOLM))
    survey.look(pl.Series(["ja", "ja"]), pl.Series([2, 3]))
    with pytest.raises(InputError, match="2 of 2 cells"):
        survey.decide("pipes")
