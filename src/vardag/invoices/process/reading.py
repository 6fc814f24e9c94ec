"""Reads an event log from a file: a table (CSV), XES (IEEE 1849) or OCEL 2.0 JSON."""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from vardag.core.errors import InputError
from vardag.invoices.process.log import RAW, TEXT
from vardag.invoices.process.ocel import read_ocel
from vardag.invoices.process.xes import read_xes

SEPARATORS = ";,\t|"
# Usual names, the most telling first; compared without case, spaces and signs.
USUAL = {
    "case": (
        *("caseid", "case", "caseconceptname", "ärendeid", "ärendenummer", "ärendenr", "ärende", "diarienummer"),
        *("fallid", "fall", "traceid", "fakturanummer", "fakturanr", "invoicenumber", "invoiceid", "invoice"),
    ),
    "activity": (
        *("activity", "activityname", "conceptname", "aktivitet", "händelse", "event", "eventname", "steg", "step"),
        *("task", "åtgärd", "moment"),
    ),
    "time": (
        *("timetimestamp", "timestamp", "completetimestamp", "endtimestamp", "time", "endtime", "completetime"),
        *("tidpunkt", "tidsstämpel", "sluttid", "tid", "end", "slut", "klar", "datum", "date"),
    ),
    "start": ("starttimestamp", "starttime", "start", "starttid", "påbörjad", "began"),
    "resource": (
        *("orgresource", "resource", "resurs", "handläggare", "utförare", "användare", "user", "person", "agent"),
    ),
    "group": ("orggroup", "orgrole", "group", "grupp", "role", "roll", "enhet", "unit", "department", "avdelning"),
    "transition": ("lifecycletransition", "lifecycle", "transition"),
}
NEEDED = ("case", "activity", "time")


@dataclass(frozen=True)
class Source:
    """What a reader found: a raw frame, the kind of file, which columns were taken, and what was guessed."""

    raw: pl.DataFrame
    kind: str
    columns: Mapping[str, str] = field(default_factory=dict)
    signs: Mapping[str, int] = field(default_factory=dict)


def read_source(path: Path, *, columns: str = "", object_type: str = "", largest_mb: float = 2000) -> Source:
    """Read an event log.

    Parameters
    ----------
    columns
        ``case=...,activity=...``: the names of a table's columns; those left out are guessed from usual names.
    object_type
        Which kind of object is a case, in OCEL; may be left out where there is only one.

    Raises
    ------
    InputError
        When the file cannot be read as an event log; the message names what was found and what to do.
    """
    if not path.is_file():
        raise InputError(f"{path} is no file. Give a CSV, XES or OCEL 2.0 JSON file, or the robot's folder.")
    if (size := path.stat().st_size / 1e6) > largest_mb:
        raise InputError(
            f"{path.name} is {size:.0f} MB, and at most {largest_mb:.0f} are read. Take a shorter span."
        )
    name = path.name.lower()
    if name.endswith((".xes", ".xes.gz")):
        return Source(read_xes(path), "xes")
    if name.endswith((".json", ".jsonocel")):
        raw, signs = read_ocel(path, object_type)
        return Source(raw, "ocel", signs=signs)
    if name.endswith((".csv", ".txt", ".tsv")):
        return _read_table(path, columns)
    raise InputError(
        f"{path.name}: unknown kind of file. Expected .csv, .tsv, .txt, .xes, .xes.gz or .json (OCEL)."
    )


def with_groups(raw: pl.DataFrame, groups: Mapping[str, str]) -> pl.DataFrame:
    """The frame with each resource's group, as given."""
    found = pl.DataFrame(
        {"resource": list(groups), "given": list(groups.values())},
        schema={"resource": pl.String(), "given": pl.String()},
    )
    joined = raw.with_columns(pl.col("resource").str.strip_chars()).join(
        found, on="resource", how="left", maintain_order="left"
    )
    return joined.with_columns(group=pl.coalesce("given", "group")).select(list(RAW))


def read_groups(path: Path) -> dict[str, str]:
    """Group of each resource: a table of two columns, the resource and its group, under a line of headings."""
    frame, _ = _table(path)
    if frame.width != 2:
        raise InputError(f"{path.name} has the columns {frame.columns}. Expected two: resource, group.")
    rows = frame.drop_nulls().iter_rows()
    return {resource.strip(): group.strip() for resource, group in rows if group.strip()}


def _read_table(path: Path, columns: str) -> Source:
    frame, signs = _table(path)
    chosen = guessed(frame.columns, asked(columns), path.name)
    taken = [pl.col(chosen[name]).alias(name) if name in chosen else _nothing(name) for name in TEXT]
    raw = frame.select(taken).with_row_index("line", offset=2).cast(pl.Schema(RAW))
    return Source(raw, "csv", chosen, signs)


def _nothing(name: str) -> pl.Expr:
    return pl.lit(None, dtype=pl.String).alias(name)


def asked(columns: str) -> dict[str, str]:
    """Column names as the user gave them."""
    found = {}
    for part in filter(None, (part.strip() for part in columns.split(","))):
        name, _, column = part.partition("=")
        if name.strip() not in USUAL or not column.strip():
            raise InputError(
                f"--columns: {part!r} is not understood. Write e.g. case=Ärende, of {', '.join(USUAL)}."
            )
        found[name.strip()] = column.strip()
    return found


def guessed(columns: Iterable[str], given: Mapping[str, str], where: str) -> dict[str, str]:
    """Which column is what: as given, else by its usual name.

    Raises
    ------
    InputError
        When a column that is needed is not found, or one that was given does not exist.
    """
    there = list(columns)
    if missing := [column for column in given.values() if column not in there]:
        raise InputError(f"{where}: no column {', '.join(missing)}. Its columns: {', '.join(there)}.")
    free = {_plain(column): column for column in reversed(there) if column not in given.values()}
    usual = {
        name: next((free[one] for one in names if one in free), None)
        for name, names in USUAL.items()
        if name not in given
    }
    found = {**given, **{name: column for name, column in usual.items() if column is not None}}
    if lacking := [name for name in NEEDED if name not in found]:
        example = ",".join(f"{name}=COLUMN" for name in lacking)
        raise InputError(
            f"{where}: no column for {', '.join(lacking)} by a usual name. Its columns: {', '.join(there)}. "
            f"Say which with --columns {example}."
        )
    return found


def _plain(name: str) -> str:
    return "".join(sign for sign in name.casefold() if sign.isalnum())


def _table(path: Path) -> tuple[pl.DataFrame, dict[str, int]]:
    """A table's cells as text."""
    text, certain = _decoded(path)
    lines = text.splitlines()
    if not lines:
        raise InputError(f"{path.name} is empty. Expected a line of column names and a line for each event.")
    if text.count('"') % 2:
        raise InputError(f'{path.name}: a quotation mark (") is never closed, so its rows cannot be told apart.')
    separator = max(SEPARATORS, key=lambda sign: len(next(csv.reader(lines[:1], delimiter=sign))))
    if separator not in lines[0]:
        raise InputError(
            f"{path.name}: the first line has no separator: {lines[0][:80]!r}. Expected column names between "
            "semicolons, commas, tabs or |."
        )
    try:
        frame = pl.read_csv(io.BytesIO(text.encode()), separator=separator, infer_schema=False)
    except (pl.exceptions.PolarsError, ValueError) as error:
        told = str(error).partition("\n")[0]
        raise InputError(f"{path.name}: a row does not fit the {separator!r}-separated columns: {told}") from error
    return frame, {} if certain else {"encoding_guessed": 1}


def _decoded(path: Path) -> tuple[str, bool]:
    """The file's text, and whether its encoding is certain."""
    data = path.read_bytes()
    try:
        if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
            return data.decode("utf-16"), True
        if b"\0" in data:
            raise InputError(f"{path.name} is no text: it holds zero bytes. Export it as CSV in UTF-8.")
        return data.decode("utf-8-sig"), True
    except UnicodeDecodeError:
        pass
    try:
        return data.decode("cp1252"), False
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path.name}: unknown encoding, neither UTF-8 nor Windows-1252 (byte {error.start}). "
            "Export it in UTF-8."
        ) from error
