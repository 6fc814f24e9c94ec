"""Dates in the notations that registers use, converted to the city's local day.

A notation is a Python date format compiled to a pattern; the built-in ones and those stated in ``city.toml`` take
the same way. A clock time may follow every notation. The rules of time:

- A value with an offset (``2017/12/01 15:15:00+00``) is an instant; its day is the day in the city's time zone.
- A value without an offset is local already, unless a ``timezone`` is stated for its column or source.
- Exactly midnight (``1979/01/01 00:00:00+00``) is a date written as a time: its day is taken as written. Databases
  that store a pure date as a UTC instant would otherwise move every date a day back in the Americas.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import polars as pl

MONTHS = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "maj": 5, "jun": 6, "jul": 7,
    "aug": 8, "sep": 9, "oct": 10, "okt": 10, "nov": 11, "dec": 12,
}  # fmt: skip

# One family is one look on paper; where it has two members, only the whole column can tell them apart.
FAMILIES: tuple[tuple[str, ...], ...] = (
    ("%Y-%m-%d",), ("%Y/%m/%d",), ("%Y.%m.%d",), ("%Y%m%d",), ("%d.%m.%Y",),
    ("%d/%m/%Y", "%m/%d/%Y"), ("%d-%m-%Y", "%m-%d-%Y"),
    ("%Y",), ("%Y-%m",), ("%Y/%m",), ("%m/%Y",), ("%d %b %Y",), ("%d-%b-%Y",), ("%b %d, %Y",), ("%b %Y",),
    ("epoch_ms",), ("excel_day",),
)  # fmt: skip

FIRST_YEAR, LAST_YEAR = 1750, 2150
_CLOCK_START = r"[T ]\s*(?:kl\.? ?)?\d{1,2}[:.]\d{2}"
_CLOCK = (
    r"^(?:[T ]\s*(?:kl\.? ?)?(?P<H>\d{1,2})[:.](?P<M>\d{2})(?:[:.](?P<S>\d{2})(?:[.,]\d+)?)?"
    r"\s*(?P<p>[AaPp]\.?[Mm]\.?)?\s*(?P<z>Z|[+-]\d{2}(?::?\d{2})?)?)$"
)
_PARTS = {
    "Y": r"(?P<Y>\d{4})", "y": r"(?P<y>\d{2})", "m": r"(?P<m>\d{1,2})", "d": r"(?P<d>\d{1,2})",
    "b": r"(?P<b>[^\W\d_]{3,10})\.?", "B": r"(?P<b>[^\W\d_]{3,10})\.?", "H": r"(?P<H>\d{1,2})",
    "I": r"(?P<H>\d{1,2})", "M": r"(?P<M>\d{2})", "S": r"(?P<S>\d{2})", "f": r"\d+",
    "p": r"(?P<p>[AaPp]\.?[Mm]\.?)",
    "z": r"(?P<z>Z|[+-]\d{2}(?::?\d{2})?)",
}  # fmt: skip


@dataclass(frozen=True)
class Clock:
    """Where clock times are from and where the day is wanted.

    ``written`` is the zone of times that state none (None: they are local already); ``city`` is the city's zone.
    """

    city: str
    written: str | None = None


@dataclass(frozen=True)
class Parts:
    """A column taken apart: the text of the day, and the clock time behind it.

    ``seconds`` since midnight and ``offset`` from UTC in seconds are null where none is written; ``impossible``
    tells where there is a clock time that no clock shows.
    """

    text: pl.Series
    head: pl.Series
    seconds: pl.Series
    offset: pl.Series
    impossible: pl.Series


def take_apart(text: pl.Series) -> Parts:
    """Part the day from the clock time, cell by cell; the text is stripped, null where the cell is empty."""
    frame = pl.DataFrame({"text": text}).with_columns(pl.col("text").str.find(_CLOCK_START).alias("at"))
    if frame["at"].null_count() == len(text):
        none = pl.Series([None], dtype=pl.Int64).new_from_index(0, len(text))
        return Parts(text, text, none, none, pl.Series([False]).new_from_index(0, len(text)))
    tail = pl.when(pl.col("at").is_not_null()).then(pl.col("text").str.slice(pl.col("at")))
    frame = frame.with_columns(
        pl.col("text").str.head(pl.col("at").fill_null(1000)).alias("head"), tail.alias("tail")
    )
    clock = _by_distinct(frame["tail"], lambda tails: _clock(_groups(tails, _CLOCK)))
    impossible = frame["tail"].is_not_null() & clock["seconds"].is_null()
    return Parts(text, frame["head"], clock["seconds"], clock["offset"], impossible)


def parse_dates(text: pl.Series, formats: tuple[str, ...], clock: Clock) -> pl.Series:
    """Read a column of dates in the given notations, tried in order; null where none fits.

    Parameters
    ----------
    text
        String series, stripped; null where the cell is empty.
    formats
        Notations, such as ``("%Y-%m-%d", "%Y")``.
    """
    parts = take_apart(text)
    days = pl.Series(text.name, [None], dtype=pl.Date).new_from_index(0, len(text))
    for notation in formats:
        if days.null_count() == text.null_count():
            break
        days = days.fill_null(parse_one(parts, notation, clock))
    return days


def parse_one(parts: Parts, notation: str, clock: Clock) -> pl.Series:
    """Read a column in one notation; null where it does not fit or is no day of the calendar."""
    if notation == "epoch_ms":
        return _epoch(parts.text, clock)
    if notation == "excel_day":
        return _excel(parts.text)
    if re.search(r"%[HI]", notation):  # the stated format has its own idea of the clock
        groups = _groups(parts.text, compiled(notation))
        times = _clock(groups)
        whole = Parts(parts.text, parts.text, times["seconds"], times["offset"], times["seconds"].is_null())
        return _local_day(_day(groups), whole, clock)
    days = _by_distinct(parts.head, lambda heads: _day(_groups(heads, compiled(notation))).to_frame("day"))
    return _local_day(days["day"], parts, clock)


def holds_day(notation: str) -> bool:
    """Tell whether a notation gives the day, not only the month or the year."""
    return notation in {"epoch_ms", "excel_day"} or "%d" in notation


@cache
def compiled(notation: str) -> str:
    """Compile a date format to the pattern of the whole cell."""
    pattern, rest = "", notation
    while rest:
        if rest[0] == "%" and len(rest) > 1:
            pattern += _part(rest[1], tight=_tight(notation))
            rest = rest[2:]
        else:
            pattern += r"\s+" if rest[0] == " " else re.escape(rest[0])
            rest = rest[1:]
    return f"^{pattern}{r'(?:[.]0+)?' if notation == '%Y' else ''}$"


def _tight(notation: str) -> bool:
    return re.search(r"%[Yymd]%[ymd]", notation) is not None


def _part(letter: str, *, tight: bool) -> str:
    part = _PARTS[letter]
    return part.replace("{1,2}", "{2}") if tight else part


def _by_distinct(column: pl.Series, work: Callable[[pl.Series], pl.DataFrame]) -> pl.DataFrame:
    """Do work once for each distinct cell: a million rows of a log hold some ten thousand days."""
    distinct = column.unique().drop_nulls().alias("key")
    table = work(distinct).with_columns(distinct)
    return column.to_frame("key").join(table, on="key", how="left", maintain_order="left").drop("key")


def _groups(text: pl.Series, pattern: str) -> pl.DataFrame:
    return text.str.extract_groups(pattern).struct.unnest()


def _day(groups: pl.DataFrame) -> pl.Series:
    """The calendar day of year, month and day groups; null where there is no such day."""
    whole = pl.lit(1, dtype=pl.Int32)
    year = pl.col("Y").cast(pl.Int32) if "Y" in groups.columns else _century(pl.col("y").cast(pl.Int32))
    month = pl.col("m").cast(pl.Int32) if "m" in groups.columns else whole
    if "b" in groups.columns:
        name = pl.col("b").str.to_lowercase().str.slice(0, 3)
        month = name.replace_strict(MONTHS, default=None, return_dtype=pl.Int32)
    day = pl.col("d").cast(pl.Int32) if "d" in groups.columns else whole
    frame = groups.select(year.alias("y"), month.alias("m"), day.alias("d"))
    possible = pl.col("y").is_between(FIRST_YEAR, LAST_YEAR)
    month_text, day_text = (pl.col(name).cast(pl.String).str.zfill(2) for name in ("m", "d"))
    text = pl.when(possible).then(pl.format("{}-{}-{}", "y", month_text, day_text))
    return frame.select(text.str.to_date("%Y-%m-%d", strict=False)).to_series()


def _century(year: pl.Expr) -> pl.Expr:
    """Two-digit years: 69 to 99 are 1900s, 00 to 68 are 2000s (the POSIX rule)."""
    return year + pl.when(year >= 69).then(1900).otherwise(2000)


def _clock(groups: pl.DataFrame) -> pl.DataFrame:
    """Seconds since midnight and offset from UTC of hour, minute, second, AM or PM and zone groups."""
    absent = [pl.lit(None, dtype=pl.String).alias(name) for name in "HMSpz" if name not in groups.columns]
    return groups.with_columns(absent).select(_seconds().alias("seconds"), _offset().alias("offset"))


def _local_day(day: pl.Series, parts: Parts, clock: Clock) -> pl.Series:
    """Move instants that are not midnight to the city's day; an impossible clock time makes the cell unreadable."""
    if parts.seconds.null_count() == len(day):
        return day.set(parts.impossible, None)
    frame = pl.DataFrame({"day": day, "seconds": parts.seconds, "offset": parts.offset, "bad": parts.impossible})
    naive = pl.col("day").cast(pl.Datetime("us")) + pl.duration(seconds=pl.col("seconds"))
    with_offset = (naive - pl.duration(seconds=pl.col("offset"))).dt.replace_time_zone("UTC")
    stated = naive if clock.written is None else _written(naive, clock)
    moved = (
        pl.when(pl.col("offset").is_not_null())
        .then(with_offset.dt.convert_time_zone(clock.city).dt.date())
        .otherwise(stated.dt.date())
    )
    chosen = pl.when(pl.col("seconds") > 0).then(moved).otherwise(pl.col("day"))
    return frame.select(pl.when(~pl.col("bad")).then(chosen)).to_series()


def _written(naive: pl.Expr, clock: Clock) -> pl.Expr:
    """Clock times of another zone; the hour that a change to summer time skips is read as an hour later."""
    zoned = naive.dt.replace_time_zone(clock.written, ambiguous="earliest", non_existent="null")
    skipped = (naive + pl.duration(hours=1)).dt.replace_time_zone(
        clock.written, ambiguous="earliest", non_existent="null"
    )
    return zoned.fill_null(skipped).dt.convert_time_zone(clock.city)


def _seconds() -> pl.Expr:
    """Seconds since midnight; null for a clock time that does not exist."""
    hour, minute = pl.col("H").cast(pl.Int64), pl.col("M").cast(pl.Int64)
    second = pl.col("S").cast(pl.Int64).fill_null(0)
    letter = pl.col("p").str.slice(0, 1).str.to_lowercase()
    hour = pl.when(letter.is_null()).then(hour).otherwise(hour % 12 + pl.when(letter == "p").then(12).otherwise(0))
    return pl.when((hour < 24) & (minute < 60) & (second < 61)).then(hour * 3600 + minute * 60 + second)


def _offset() -> pl.Expr:
    """Offset from UTC in seconds; null where none is written."""
    digits = pl.col("z").str.replace_all(r"[^\d]", "")
    hours = digits.str.slice(0, 2).cast(pl.Int64, strict=False).fill_null(0)
    minutes = digits.str.slice(2, 2).cast(pl.Int64, strict=False).fill_null(0)
    sign = pl.when(pl.col("z").str.starts_with("-")).then(-1).otherwise(1)
    return pl.when(pl.col("z").is_not_null()).then(sign * (hours * 3600 + minutes * 60))


def _epoch(text: pl.Series, clock: Clock) -> pl.Series:
    """Milliseconds since 1970 in UTC, as ArcGIS writes dates in JSON; 11 to 13 digits."""
    number = text.str.extract(r"^(-?\d{11,13})(?:\.0+)?$").cast(pl.Int64)
    instant = number.cast(pl.Datetime("ms")).dt.replace_time_zone("UTC")
    local = instant.dt.convert_time_zone(clock.city).dt.date()
    return local.zip_with((number % 86_400_000 != 0).fill_null(False), instant.dt.date())


def _excel(text: pl.Series) -> pl.Series:
    """Days since 30 December 1899, as spreadsheets count; five digits."""
    number = text.str.extract(r"^(\d{5})(?:[.,]\d+)?$").cast(pl.Int32)
    return (number - 25_569).cast(pl.Date)
