"""What each table adds to the columns that a city has mapped: defaults, and values that follow from others."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from vardag.water.schema import Table
from vardag.water.sources.verdict import Verdict

TYPES: dict[str, pl.DataType] = {
    "TEXT": pl.String(), "DOUBLE": pl.Float64(), "INTEGER": pl.Int32(), "BIGINT": pl.Int64(), "DATE": pl.Date(),
    "BOOLEAN": pl.Boolean(), "GEOMETRY": pl.Binary(),
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """Rows as read: the mapped columns with ``geom``, ``source`` and ``line``.

    ``raw`` has the text of columns that went through a vocabulary, ``length_m`` the length of the geometry, and
    ``straight`` tells that lines were drawn from a start to an end.
    """

    frame: pl.DataFrame
    raw: Mapping[str, pl.Series]
    length_m: pl.Series | None
    straight: bool


def finish(table: Table, row: Row, verdict: Verdict) -> pl.DataFrame:
    """Fill in what follows from the mapped columns; returns all the table's columns in order."""
    frame = row.frame
    if "material_raw" in table.names and "material_raw" not in frame.columns:
        frame = frame.with_columns(row.raw.get("material", _nulls(frame)).alias("material_raw"))
    rule = RULES.get(table.name)
    frame = rule(frame, row, verdict) if rule else frame
    if table.key not in row.frame.columns:
        frame = frame.with_columns(pl.format("{}:{}", "source", "line").alias(table.key))
    return frame.select(_column(frame, name, TYPES[table.column(name).type]) for name in table.names)


def _pipe(frame: pl.DataFrame, row: Row, verdict: Verdict) -> pl.DataFrame:
    placed = frame["geom"].is_not_null()
    frame = _with_default(frame, "material", "UNKNOWN")
    frame = _with_default(frame, "function", "main")
    frame = _dates_of(frame)
    if "status" not in frame.columns:
        gone = _get(frame, "retired_date", pl.Date()).is_not_null()
        frame = frame.with_columns(
            pl.select(pl.when(gone).then(pl.lit("retired")).otherwise(pl.lit("in_service")))
            .to_series()
            .alias("status")
        )
    where = "approximate" if row.straight else "surveyed"
    position = pl.when(placed).then(_text_or(frame, "position", where)).otherwise(pl.lit("none"))
    frame = frame.with_columns(position.alias("position"), _length(frame, row).alias("length_m"))
    return _positive(_length_checked(frame, verdict), "diameter_mm")


def _break(frame: pl.DataFrame, row: Row, verdict: Verdict) -> pl.DataFrame:
    frame = _with_default(frame, "material", "UNKNOWN")
    return _positive(_with_default(frame, "event", "break"), "diameter_mm")


def _area(frame: pl.DataFrame, row: Row, verdict: Verdict) -> pl.DataFrame:
    """Areas are nothing without their polygon."""
    verdict.refuse(frame["geom"].is_null().to_numpy(), "no_geometry")
    return frame


def _fitting(frame: pl.DataFrame, row: Row, verdict: Verdict) -> pl.DataFrame:
    """Valves and hydrants."""
    frame = _with_default(frame, "status", "unknown")
    return _positive(_dates_of(frame), "diameter_mm")


def _service(frame: pl.DataFrame, row: Row, verdict: Verdict) -> pl.DataFrame:
    frame = _with_default(frame, "material", "UNKNOWN")
    return _not_negative(_positive(frame, "diameter_mm"), "customers", "consumption_m3")


def _district(frame: pl.DataFrame, row: Row, verdict: Verdict) -> pl.DataFrame:
    return _not_negative(_area(frame, row, verdict), "night_flow_m3h", "connections")


def _road(frame: pl.DataFrame, row: Row, verdict: Verdict) -> pl.DataFrame:
    return _positive(_positive(_not_negative(frame, "aadt"), "speed_kmh"), "width_m")


def _dates_of(frame: pl.DataFrame) -> pl.DataFrame:
    """A date gives the year, and a year alone gives its first day."""
    date, year = _get(frame, "install_date", pl.Date()), _get(frame, "install_year", pl.Int32())
    first = pl.DataFrame({"y": year}).select(pl.date("y", 1, 1)).to_series()
    return frame.with_columns(
        date.fill_null(first).alias("install_date"), year.fill_null(date.dt.year()).alias("install_year")
    )


def _length(frame: pl.DataFrame, row: Row) -> pl.Series:
    mapped = _get(frame, "length_m", pl.Float64())
    return mapped if row.length_m is None else mapped.fill_null(row.length_m)


def _length_checked(frame: pl.DataFrame, verdict: Verdict) -> pl.DataFrame:
    length = frame["length_m"]
    verdict.refuse(length.is_null().to_numpy(), "missing_length")
    verdict.refuse((length.fill_null(1.0) <= 0).to_numpy(), "zero_length", length)
    return frame


def _positive(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    """A size of zero, or less, says that nobody knows."""
    if name not in frame.columns:
        return frame
    return frame.with_columns(pl.when(pl.col(name) > 0).then(pl.col(name)).alias(name))


def _not_negative(frame: pl.DataFrame, *names: str) -> pl.DataFrame:
    """A count or an amount may be nothing; less than nothing says that nobody knows."""
    found = [name for name in names if name in frame.columns]
    return frame.with_columns(pl.when(pl.col(name) >= 0).then(pl.col(name)).alias(name) for name in found)


def _text_or(frame: pl.DataFrame, name: str, default: str) -> pl.Expr:
    return pl.col(name).fill_null(default) if name in frame.columns else pl.lit(default)


def _with_default(frame: pl.DataFrame, name: str, default: str) -> pl.DataFrame:
    """Give a column that the city has not mapped its one value; what is mapped stays as it is."""
    return frame if name in frame.columns else frame.with_columns(pl.lit(default).alias(name))


def _get(frame: pl.DataFrame, name: str, dtype: pl.DataType) -> pl.Series:
    if name in frame.columns:
        return frame[name]
    return pl.Series(name, np.full(frame.height, None), dtype=dtype)


def _nulls(frame: pl.DataFrame) -> pl.Series:
    return pl.Series([None], dtype=pl.String).new_from_index(0, frame.height)


def _column(frame: pl.DataFrame, name: str, dtype: pl.DataType) -> pl.Series:
    return _get(frame, name, dtype).cast(dtype).alias(name)


RULES = {
    "pipe": _pipe, "break": _break, "soil": _area, "pressure_zone": _area, "land_use": _area, "dma": _district,
    "valve": _fitting, "hydrant": _fitting, "service": _service, "road": _road,
}  # fmt: skip
