"""The stopwatch's file: as people and spreadsheets write it, and what is said of lines that cannot be used."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from vardag.core.errors import ConfigError, InputError
from vardag.invoices.hours import freed, timings
from vardag.invoices.hours.freed import Freed
from vardag.invoices.hours.timings import Timing

LONGEST = 240.0
DAY = date(2026, 11, 3)


def read(path: Path) -> tuple[Timing, ...]:
    return timings.read(path, longest=LONGEST)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / timings.NAME


def test_no_file_is_no_observation(path: Path) -> None:
    assert read(path) == ()


def test_what_is_appended_is_read_again(path: Path) -> None:
    first, second = Timing("cancelled", 11.5, DAY), Timing("unclear", 24, DAY, "handläggare")
    assert timings.append(path, first, longest=LONGEST) == 1
    assert timings.append(path, second, longest=LONGEST) == 1
    assert timings.append(path, first, longest=LONGEST) == 2
    assert read(path) == (first, second, first)


@pytest.mark.parametrize(
    "raw",
    [
        b"kind;minutes;date\ncancelled;11,5;2026-11-03",
        b"\xef\xbb\xbfKind;Minutes;Date;Role\r\ncancelled;11,5;2026-11-03;handl\xc3\xa4ggare\r\n\r\n",
        "date;role;minutes;kind\n2026-11-03;handläggare;11,5;cancelled\n".encode("cp1252"),
        b"kind,minutes,date\ncancelled,11.5,2026-11-03\n",
    ],
)
def test_spreadsheets_files_are_read_and_gone_on_with(path: Path, raw: bytes) -> None:
    path.write_bytes(raw)
    (one,) = read(path)
    assert (one.kind, one.minutes, one.date) == ("cancelled", 11.5, DAY)
    timings.append(path, Timing("rejected", 6.25, DAY), longest=LONGEST)
    assert path.read_bytes().startswith(raw)
    assert read(path)[1] == Timing("rejected", 6.25, DAY)


def test_a_role_is_written_as_the_file_is(path: Path) -> None:
    path.write_bytes("kind;minutes;date;role\ncancelled;11;2026-11-03;handläggare\n".encode("cp1252"))
    timings.append(path, Timing("cancelled", 9, DAY, "förman"), longest=LONGEST)
    assert [one.role for one in read(path)] == ["handläggare", "förman"]


def test_bad_lines_are_named_with_what_was_expected(path: Path) -> None:
    late = date.today() + timedelta(days=2)
    path.write_text(
        "kind,minutes,date\ncancelled,12,2026-11-03\nmakulerad,12,2026-11-03\ncancelled,tolv,2026-11-03\n"
        f"cancelled,0,2026-11-03\ncancelled,12,3/11\ncancelled,nan,2026-11-03\ncancelled,12,{late}\n"
    )
    with pytest.raises(InputError) as error:
        read(path)
    text = str(error.value)
    assert "timings.csv: 6 of 7 lines cannot be used" in text
    assert "line 3: kind is 'makulerad', expected one of cancelled, rejected" in text
    assert "line 4: minutes is 'tolv', expected a number" in text
    assert "line 5: minutes is 0, expected more than 0 and at most 240" in text
    assert "(and 3 more)" in text


@pytest.mark.parametrize(
    "row", ["cancelled,12,3/11", f"cancelled,12,{date.today() + timedelta(days=2)}", "cancelled,11,5,2026-11-03"]
)
def test_bad_days_and_decimal_commas_in_a_comma_file(path: Path, row: str) -> None:
    path.write_text(f"kind,minutes,date\n{row}\n")
    with pytest.raises(InputError, match=r"line 2: (date is|more fields than column names)"):
        read(path)


def test_nothing_is_appended_to_a_broken_file(path: Path) -> None:
    path.write_text("kind,minutes,date\ncancelled,tolv,2026-11-03\n")
    before = path.read_bytes()
    with pytest.raises(InputError, match="line 2"):
        timings.append(path, Timing("cancelled", 12, DAY), longest=LONGEST)
    assert path.read_bytes() == before


def test_a_missing_column_is_named(path: Path) -> None:
    path.write_text("outcome,minutes\ncancelled,12\n")
    with pytest.raises(
        InputError, match=r"no column kind, date in its first line .*Expected: kind,minutes,date,role"
    ):
        read(path)
    path.write_text("kind,minutes,date\n")
    with pytest.raises(InputError, match="no column role"):
        timings.append(path, Timing("cancelled", 12, DAY, "handläggare"), longest=LONGEST)


def test_freed_time_is_read(tmp_path: Path) -> None:
    path = tmp_path / freed.NAME
    assert freed.read(path) == ()
    path.write_text(
        "- {month: 2026-11, hours: 12, to: calls, said_by: head}\n"
        "- {month: 2026-12-01, hours: 1.5, to: e-invoices, said_by: head}\n"
    )
    assert freed.read(path) == (Freed("2026-11", 12, "calls", "head"), Freed("2026-12", 1.5, "e-invoices", "head"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{month: 2026-11}", "expected a list"),
        ("- {month: 2026-11, to: calls}", "entry 1 has month, to, expected hours, month, said_by, to"),
        ("- {month: november, hours: 12, to: calls, said_by: x}", "entry 1: month is 'november'"),
        ("- {month: 2026-11, hours: -1, to: calls, said_by: x}", "entry 1: hours is -1"),
        ("- {month: 2026-11, hours: .nan, to: calls, said_by: x}", "entry 1: hours is nan"),
        ("- {month: 2026-11, hours: 1, to: , said_by: x}", "entry 1: `to` and `said_by` must say something"),
        ("- [", "freed.yaml"),
    ],
)  # fmt: skip
def test_freed_time_that_cannot_be_used(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / freed.NAME
    path.write_text(text)
    with pytest.raises(ConfigError) as error:
        freed.read(path)
    assert says in str(error.value)
