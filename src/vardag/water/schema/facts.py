"""What follows from a table's columns, the same wherever it is asked."""

import polars as pl


def installed(prefix: str = "", suffix: str = "") -> pl.Expr:
    """Day from which a pipe was in the ground; 1 January where only the year is known, null where nothing is."""
    day, year = (f"{prefix}{name}{suffix}" for name in ("install_date", "install_year"))
    return pl.coalesce(day, pl.date(pl.col(year), 1, 1))
