"""The review queue as a sheet: a CSV file that opens in a spreadsheet, and is read back with clear errors."""

import csv
from pathlib import Path

import polars as pl

from vardag.core.errors import InputError, first_ids

FILL_IN = ("settle_pipe", "settled_by", "settled_reason")
NEEDED = ("break_id", "break_mark", *FILL_IN)
CANDIDATES = 5


def write_sheet(file: Path, rows: pl.DataFrame, candidates: pl.DataFrame) -> None:
    """Write one row a break: its fields, up to five candidates, and the columns to fill in."""
    texts: dict[str, list[str]] = {}
    known = candidates.drop_nulls("pipe_key")
    for break_id, pipe, confidence, distance in known.select(
        "break_id", "pipe_key", "confidence", "distance_m"
    ).iter_rows():
        metres = "" if distance is None else f", {distance:.0f} m"
        texts.setdefault(break_id, []).append(f"{pipe} ({100 * confidence:.0f} %{metres})")
    with file.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream, delimiter=";")
        writer.writerow([*rows.columns, *(f"candidate_{n}" for n in range(1, CANDIDATES + 1)), *FILL_IN])
        for row in rows.iter_rows():
            told = texts.get(row[0], [])[:CANDIDATES]
            writer.writerow([*row, *told, *[""] * (CANDIDATES - len(told)), "", "", ""])


def read_sheet(file: Path) -> list[dict[str, str]]:
    """Rows whose ``settle_pipe`` is filled in, with ``line``; rows left empty are passed over.

    Raises
    ------
    InputError
        When the file cannot be read, lacks a column, or settles a break twice.
    """
    text = _text(file)
    first = text.partition("\n")[0]
    delimiter = max(";,\t", key=first.count)
    reader = csv.DictReader(text.splitlines(), delimiter=delimiter)
    missing = [name for name in NEEDED if name not in (reader.fieldnames or [])]
    if missing:
        raise InputError(
            f"{file.name}: no column {missing[0]!r}, it has {', '.join(reader.fieldnames or ['none'])}. "
            "Fill in a sheet written by: vardag water review export FOLDER FILE. Nothing was settled."
        )
    found = []
    for row in reader:
        values = {name: (row[name] or "").strip() for name in NEEDED}
        if values["settle_pipe"]:
            found.append(values | {"line": str(reader.line_num)})
    ids = [row["break_id"] for row in found]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise InputError(
            f"{file.name}: {len(twice)} breaks are settled on several lines ({first_ids(twice)}). Keep one line of "
            "each. Nothing was settled."
        )
    return found


def _text(file: Path) -> str:
    """Text of a sheet as this program or a spreadsheet saves it: UTF-8, or the Windows code page."""
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}. Nothing was settled.") from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")
