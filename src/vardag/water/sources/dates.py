"""Dates in the notations that registers use, converted to the city's local day.

A notation is a Python date format compiled to a pattern; the built-in ones and those stated in ``city.toml`` take
the same way. A clock time may follow every notation. The rules of time:

- A value with an offset (``2017/12/01 15:15:00+00``) is an instant; its day is the day in the city's time zone.
- A value without an offset is local already, unless a ``timezone`` is stated for its column or source.
- Exactly midnight (``1979/01/01 00:00:00+00``) is a date written as a time: its day is taken as written. Databases
  that store a pure date as a UTC instant would otherwise move every date a day back in the Americas.
"""

import re
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
_TIME = (
    r"(?:[T ]\s*(?:kl\.? ?)?(?P<H>\d{1,2})[:.](?P<M>\d{2})(?:[:.](?P<S>\d{2})(?:[.,]\d+)?)?"
    r"\s*(?P<p>[AaPp]\.?[Mm]\.?)?\s*(?P<z>Z|[+-]\d{2}(?::?\d{2})?)?)?"
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


def parse_dates(text: pl.Series, formats: tuple[str, ...], clock: Clock) -> pl.Series:
    """Read a column of dates in the given notations, tried in order; null where none fits.

    Parameters
    ----------
    text
        String series, stripped; null where the cell is empty.
    formats
        Notations, such as ``("%Y-%m-%d", "%Y")``.
    """
    days = pl.Series(text.name, [None] * len(text), dtype=pl.Date)
    for notation in formats:
        todo = days.is_null() & text.is_not_null()
        if not todo.any():
            break
        days = days.zip_with(~todo, parse_one(text.set(~todo, None), notation, clock))
    return days


def parse_one(text: pl.Series, notation: str, clock: Clock) -> pl.Series:
    """Read a column in one notation; null where it does not fit or is no day of the calendar."""
    if notation == "epoch_ms":
        return _epoch(text, clock)
    if notation == "excel_day":
        return _excel(text)
    groups = text.str.extract_groups(compiled(notation)).struct.unnest()
    fields = {name: groups[name] for name in groups.columns}
    frame = pl.DataFrame({"day": _day(fields)})
    return _local_day(frame["day"], fields, clock)


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
    clock = "" if re.search(r"%[HI]", notation) else _TIME
    fraction = r"(?:\.0+)?" if notation == "%Y" else ""
    return f"^{pattern}{fraction}{clock}$"


def _tight(notation: str) -> bool:
    return re.search(r"%[Yymd]%[ymd]", notation) is not None


def _part(letter: str, *, tight: bool) -> str:
    part = _PARTS[letter]
    return part.replace("{1,2}", "{2}") if tight else part


def _day(fields: dict[str, pl.Series]) -> pl.Series:
    """The calendar day of year, month and day groups; null where there is no such day."""
    year = fields["Y"].cast(pl.Int32) if "Y" in fields else _century(fields["y"].cast(pl.Int32))
    if "b" in fields:
        month = fields["b"].str.to_lowercase().str.slice(0, 3).replace_strict(MONTHS, default=None)
    else:
        month = fields["m"].cast(pl.Int32) if "m" in fields else pl.repeat(1, len(year), eager=True)
    day = fields["d"].cast(pl.Int32) if "d" in fields else pl.repeat(1, len(year), eager=True)
    frame = pl.DataFrame({"y": year, "m": month.cast(pl.Int32), "d": day})
    possible = (
        pl.col("y").is_between(FIRST_YEAR, LAST_YEAR)
        & pl.col("m").is_between(1, 12)
        & pl.col("d").is_between(1, 31)
    )
    padded = pl.format(
        "{}-{}-{}", "y", pl.col("m").cast(pl.String).str.zfill(2), pl.col("d").cast(pl.String).str.zfill(2)
    )
    return frame.select(pl.when(possible).then(padded).str.to_date("%Y-%m-%d", strict=False)).to_series()


def _century(year: pl.Series) -> pl.Series:
    """Two-digit years: 69 to 99 are 1900s, 00 to 68 are 2000s (the POSIX rule)."""
    return year + pl.select(pl.when(year >= 69).then(1900).otherwise(2000)).to_series()


def _local_day(day: pl.Series, fields: dict[str, pl.Series], clock: Clock) -> pl.Series:
    """Move instants that are not midnight to the city's day."""
    if "H" not in fields or fields["H"].null_count() == len(day):
        return day
    none = pl.repeat(None, len(day), dtype=pl.String, eager=True)
    frame = pl.DataFrame({"day": day, **{k: fields.get(k, none) for k in ("H", "M", "S", "p", "z")}})
    seconds = _seconds().alias("seconds")
    frame = frame.with_columns(seconds, _offset().alias("offset"))
    naive = pl.col("day").cast(pl.Datetime("us")) + pl.duration(seconds=pl.col("seconds"))
    with_offset = (naive - pl.duration(seconds=pl.col("offset"))).dt.replace_time_zone("UTC")
    stated = naive if clock.written is None else _written(naive, clock)
    moved = (
        pl.when(pl.col("offset").is_not_null())
        .then(with_offset.dt.convert_time_zone(clock.city).dt.date())
        .otherwise(stated.dt.date())
    )
    known = pl.col("seconds").is_not_null()
    chosen = pl.when(known & (pl.col("seconds") > 0)).then(moved).otherwise(pl.col("day"))
    return frame.select(pl.when(known | pl.col("H").is_null()).then(chosen)).to_series()


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
