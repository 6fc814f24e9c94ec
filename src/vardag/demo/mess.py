"""Deliberately bad rows, counted, so that the data checks have something to say."""

from collections.abc import Callable

import numpy as np
import polars as pl
import shapely

from vardag.demo.constants import BAD_ROWS
from vardag.demo.fields import Ints

IMPOSSIBLE_YEAR = 2205
UNKNOWN_MATERIAL = "GJJ/SEG"


class Spoiler:
    """Hands out rows that nobody has spoiled yet, and counts them."""

    def __init__(self, rng: np.random.Generator, rows: Ints) -> None:
        self._free = rng.permutation(rows)
        self._most = max(1, len(rows) // 50)
        self.counts: dict[str, int] = {}

    def take(self, kind: str) -> Ints:
        """Take the rows of one kind of mess."""
        count = min(BAD_ROWS[kind], self._most, len(self._free))
        taken, self._free = self._free[:count], self._free[count:]
        self.counts[kind] = count
        return np.sort(taken)


def spoil_register(rng: np.random.Generator, register: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, int]]:
    """Blank, duplicate and misspell some rows of the register; returns it with the count of each kind."""
    spoiler = Spoiler(rng, np.arange(len(register)))
    register = _set(register, spoiler.take("pipe_missing_year"), "ANLAGGNINGSAR", None)
    register = _set(register, spoiler.take("pipe_impossible_year"), "ANLAGGNINGSAR", IMPOSSIBLE_YEAR)
    register = _set(register, spoiler.take("pipe_unknown_material"), "MATERIAL", UNKNOWN_MATERIAL)
    register = _set(register, spoiler.take("pipe_without_geometry"), "geom", None)
    twice = register[spoiler.take("pipe_duplicate_id")]
    points = _renumbered(register[spoiler.take("pipe_zero_length")], "X").with_columns(
        pl.lit(0.0).alias("LANGD_M"), pl.col("geom").map_elements(_shrunk, return_dtype=pl.Binary)
    )
    planned = _renumbered(register[spoiler.take("pipe_planned")], "P").with_columns(
        pl.lit("Planerad").alias("STATUS"), pl.lit("PE").alias("MATERIAL"), pl.lit(None).alias("ANLAGGNINGSAR")
    )
    return pl.concat([register, twice, points, planned], how="vertical_relaxed"), spoiler.counts


def spoil_log(
    rng: np.random.Generator, log: pl.DataFrame, *, first_year: int
) -> tuple[pl.DataFrame, dict[str, int]]:
    """Spoil some rows of the log from the record's first year on, after ``records.as_text``."""
    plain = log["life"].is_not_null() & log["LEDNINGSID"].is_not_null() & log["N"].is_not_null()
    plain &= log["ANLÄGGNINGSÅR"].is_not_null() & (log["DATUM"].str.head(4).cast(pl.Int64) >= first_year)
    spoiler = Spoiler(rng, np.flatnonzero(plain.to_numpy()))
    early = spoiler.take("break_before_installation")
    log = _change(log, early, "ANLÄGGNINGSÅR", lambda row: int(str(row["DATUM"])[:4]) + 3)
    log = _set(log, spoiler.take("break_unreadable_date"), "DATUM", "okänt")
    far = spoiler.take("break_far_away")
    north, east = log["N"], log["E"]
    for row in far:
        log = _set(log, np.array([row]), "N", east[int(row)])
        log = _set(log, np.array([row]), "E", north[int(row)])
    twice = log[spoiler.take("break_duplicate_id")]
    return pl.concat([log, twice]), spoiler.counts


def _set(frame: pl.DataFrame, rows: Ints, column: str, value: object) -> pl.DataFrame:
    return _change(frame, rows, column, lambda _: value)


def _change(
    frame: pl.DataFrame, rows: Ints, column: str, value: Callable[[dict[str, object]], object]
) -> pl.DataFrame:
    values = frame[column].to_list()
    for row in rows:
        values[row] = value(frame.row(int(row), named=True))
    return frame.with_columns(pl.Series(column, values, dtype=frame.schema[column]))


def _renumbered(frame: pl.DataFrame, letter: str) -> pl.DataFrame:
    number = pl.lit(letter) + pl.col("LEDNINGSID").str.slice(1)
    return frame.with_columns(number.alias("LEDNINGSID"), pl.lit(None, pl.Int64).alias("life"))


def _shrunk(wkb: bytes) -> bytes:
    """Shrink a line to its first point, twice: a line without length."""
    first = shapely.get_coordinates(shapely.from_wkb(wkb))[0]
    return bytes(shapely.to_wkb(shapely.LineString([first, first])))
