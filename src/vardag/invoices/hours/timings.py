"""The stopwatch: minutes of people before the robot, one observation a line of `timings.csv` in the robot's folder.

::

    kind,minutes,date,role
    cancelled,11.5,2026-11-03,
    unclear,24,2026-11-03,caseworker

`kind` is what became of the request: cancelled, rejected, done (another routine), ignored, or unclear, one that
the caseworker had to ask or think about. Who was timed does not stand there, and need not. Commas or semicolons,
decimal points or decimal commas, as Excel writes them.
"""

import csv
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from io import StringIO
from pathlib import Path

from vardag.core.errors import InputError

NAME = "timings.csv"
KINDS: Mapping[str, tuple[str, ...]] = {
    "cancelled": ("cancelled_alone", "cancelled_with_person"),
    "rejected": ("rejected_alone", "rejected_with_person"),
    "done": ("done_alone", "done_with_person"),
    "ignored": ("ignored",),
    "unclear": ("by_hand",),
}
COLUMNS = ("kind", "minutes", "date", "role")
NEEDED = COLUMNS[:3]
SHOWN = 3  # bad lines that an error tells of


@dataclass(frozen=True)
class Timing:
    """One observation; `role` is a role, never a person."""

    kind: str
    minutes: float
    date: date
    role: str = ""


def read(path: Path, *, longest: float) -> tuple[Timing, ...]:
    """The observations of a file; none where there is no file.

    Parameters
    ----------
    longest
        Most minutes that an observation may have.

    Raises
    ------
    InputError
        When a column is missing or lines cannot be used; names the lines. Nothing is left out in silence.
    """
    if not path.exists():
        return ()
    found, wrong = [], []
    for line, row in _table(path).rows:
        try:
            found.append(observed(row, longest=longest))
        except ValueError as error:
            wrong.append(f"line {line}: {error}")
    if wrong:
        more = f" (and {len(wrong) - SHOWN} more)" if len(wrong) > SHOWN else ""
        raise InputError(
            f"{path.name}: {len(wrong)} of {len(wrong) + len(found)} lines cannot be used: "
            f"{'; '.join(wrong[:SHOWN])}{more}. Mend them, or take them out."
        )
    return tuple(found)


def observed(row: Mapping[str, str | None], *, longest: float) -> Timing:
    """One observation from texts.

    Raises
    ------
    ValueError
        When it cannot be used; says what was found and what was expected.
    """
    told = {name: (row.get(name) or "").strip() for name in COLUMNS}
    if row.get("") is not None:
        raise ValueError(
            "more fields than column names; write decimals with a point, or part fields with semicolons"
        )
    if told["kind"] not in KINDS:
        raise ValueError(f"kind is {told['kind']!r}, expected one of {', '.join(KINDS)}")
    return Timing(told["kind"], _minutes(told["minutes"], longest), _day(told["date"]), told["role"])


def append(path: Path, timing: Timing, *, longest: float) -> int:
    """Add an observation at the end; makes the file where there is none. Returns how many there are of its kind.

    What is there must be whole first, and stays as it is: the line follows the file's own columns and separator,
    and is written at once and to the disk.
    """
    there = read(path, longest=longest)
    begun = path.exists() and path.stat().st_size > 0
    table = _table(path) if begun else _Table((), COLUMNS, ",", "utf-8")
    fields = {"kind": timing.kind, "minutes": f"{timing.minutes:g}", "date": timing.date.isoformat()}
    if table.separator == ";":
        fields["minutes"] = fields["minutes"].replace(".", ",")
    if timing.role and "role" not in table.heads:
        raise InputError(f"{path.name}: has no column role. Add it to the first line, or leave the role out.")
    text = StringIO()
    writer = csv.DictWriter(text, table.heads, delimiter=table.separator, lineterminator="\n", restval="")
    if not begun:
        writer.writeheader()
    writer.writerow(fields | ({"role": timing.role} if timing.role else {}))
    _add(path, text.getvalue().encode(table.encoding, errors="replace"))
    return sum(one.kind == timing.kind for one in there) + 1


def _add(path: Path, line: bytes) -> None:
    """Write at the end in one go, on a line of its own, and to the disk."""
    raw = path.read_bytes() if path.exists() else b""
    begin = b"\n" if raw and not raw.endswith(b"\n") else b""
    with path.open("ab") as file:
        file.write(begin + line)
        file.flush()
        os.fsync(file.fileno())


@dataclass(frozen=True)
class _Table:
    """A file's rows with their line numbers, and how it is written."""

    rows: Sequence[tuple[int, dict[str, str | None]]]
    heads: Sequence[str]
    separator: str
    encoding: str


def _table(path: Path) -> _Table:
    raw = path.read_bytes()
    try:
        text, encoding = raw.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        text, encoding = raw.decode("cp1252", errors="replace"), "cp1252"  # as Excel on Windows writes
    first = text.partition("\n")[0]
    separator = ";" if ";" in first else ","
    rows = csv.DictReader(StringIO(text, newline=""), delimiter=separator, restkey="")
    heads = [name.strip().lower() for name in rows.fieldnames or ()]
    if missing := [name for name in NEEDED if name not in heads]:
        raise InputError(
            f"{path.name}: no column {', '.join(missing)} in its first line ({first.strip()!r}). "
            f"Expected: {separator.join(COLUMNS)}"
        )
    rows.fieldnames = heads
    return _Table(list(_numbered(rows)), heads, separator, encoding)


def _numbered(rows: "csv.DictReader[str]") -> Iterator[tuple[int, dict[str, str | None]]]:
    """Rows that hold something, each with the number of its line."""
    for row in rows:
        if any(value for value in row.values()):
            yield rows.line_num, dict(row)


def _minutes(text: str, longest: float) -> float:
    try:
        minutes = float(text.replace(",", "."))
    except ValueError:
        raise ValueError(f"minutes is {text!r}, expected a number") from None
    if not 0 < minutes <= longest:
        raise ValueError(f"minutes is {text}, expected more than 0 and at most {longest:g}")
    return minutes


def _day(text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"date is {text!r}, expected year-month-day as 2026-11-03") from None
    if found > date.today():
        raise ValueError(f"date is {text}, which has not come yet")
    return found
