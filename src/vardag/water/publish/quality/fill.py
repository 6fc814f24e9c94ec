"""How full the fields are: now, by delivery, and by the year that the rows tell of."""

from collections.abc import Mapping
from typing import Any

import polars as pl

Row = dict[str, Any]

TRACE = ("source", "line")
SPAN = {"decade": 10, "year": 1}
TELLS_OF: Mapping[str, tuple[str, str]] = {  # table to the column with its time, and how wide a period is
    "pipe": ("install_year", "decade"),
    "valve": ("install_year", "decade"),
    "hydrant": ("install_year", "decade"),
    "service": ("install_year", "decade"),
    "break": ("break_date", "year"),
    "pressure": ("measured_on", "year"),
    "weather": ("day", "year"),
    "works": ("starts_on", "year"),
    "report": ("reported_on", "year"),
}


def source_fill(frame: pl.DataFrame, *, source: str, table: str, deliveries: pl.DataFrame) -> Row:
    """Fill of one source's fields.

    Parameters
    ----------
    frame
        The source's rows.
    source, table
        Its name, and the table it fills.
    deliveries
        The table ``field_fill``, of any sources.

    Returns
    -------
    Plain values: ``rows``, ``period`` (decade, year or None), ``fields`` (those with a value somewhere; each with
    ``filled``, ``share``, ``by_delivery`` and ``by_period``), and ``empty``, the names of the others.
    """
    names = [name for name in frame.columns if name not in TRACE]
    filled = frame.select(pl.col(name).is_not_null().sum() for name in names).row(0, named=True)
    column, period = TELLS_OF.get(table, ("", None))
    periods = by_period(frame, names, column, SPAN[period]) if period and frame.height else []
    history = by_delivery(deliveries.filter(pl.col("source") == source))
    fields = [
        {
            "field": name,
            "filled": filled[name],
            "share": filled[name] / frame.height,
            "by_delivery": history.get(name, []),
            "by_period": [{key: row[key] for key in ("period", "rows")} | {"filled": row[name]} for row in periods],
        }
        for name in names
        if filled[name]
    ]
    empty = [name for name in names if not filled[name]]
    return {
        "source": source, "table": table, "rows": frame.height, "period": period, "fields": fields, "empty": empty,
    }  # fmt: skip


def by_period(frame: pl.DataFrame, names: list[str], column: str, years: int) -> list[Row]:
    """Rows and filled cells of each period, those without a time last (period None)."""
    year = pl.col(column).dt.year() if frame.schema[column] == pl.Date else pl.col(column)
    counted = frame.group_by((year // years * years).cast(pl.Int64).alias("_period")).agg(
        pl.len().alias("_rows"), *(pl.col(name).is_not_null().sum() for name in names)
    )
    rows = counted.sort("_period", nulls_last=True).to_dicts()
    return [{"period": row.pop("_period"), "rows": row.pop("_rows")} | row for row in rows]


def by_delivery(history: pl.DataFrame) -> dict[str, list[Row]]:
    """Fill of each field in every delivery, oldest first."""
    result: dict[str, list[Row]] = {}
    for row in history.sort("loaded_at", maintain_order=True).iter_rows(named=True):
        told = {"loaded_at": f"{row['loaded_at']:%Y-%m-%d %H:%M}", "rows": row["rows"], "filled": row["filled"]}
        result.setdefault(row["field"], []).append(told)
    return result
