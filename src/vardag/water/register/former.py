"""What becomes of a pipe that left the register: it is retired, not deleted.

When it was retired nobody wrote down. It was in the ground on the day of the last delivery that had it and was
missed on the day of the first that had it not. The days in between are counted as service: the retirement is known
from ``first_missed`` and no earlier, so no risk set of an earlier day changes because a delivery came later. Where
the id went to another pipe, that pipe's installation is the day, as for the pipes rebuilt from the log: two pipes
of one id are never in the ground together. A date that the register itself states is kept.
"""

from datetime import date

import polars as pl

from vardag.water.schema import FORMER_PIPE
from vardag.water.schema.facts import installed


def retired(left: pl.DataFrame, *, first_missed: date, taken: pl.Series) -> pl.DataFrame:
    """Rows for table ``former_pipe``.

    Parameters
    ----------
    left
        `Difference.left`.
    first_missed
        Day that the later delivery describes.
    taken
        Keys that are in use, of former pipes and of the register.

    Returns
    -------
    One row per row of `left`. A pipe that was only planned stays planned: it was never in the ground.
    """
    planned = (pl.col("status") == "planned").fill_null(value=False)
    return (
        left.with_columns(
            first_missed=pl.lit(first_missed),
            retired_date=pl.when(~planned).then(pl.coalesce("retired_date", _day(first_missed))),
            status=pl.when(planned).then("status").otherwise(pl.lit("retired")),
            pipe_key=keys(left, taken=taken),
        )
        .select(FORMER_PIPE.names)
        .with_columns(pl.col("install_year").cast(pl.Int32))
    )


def keys(left: pl.DataFrame, *, taken: pl.Series) -> pl.Series:
    """``id@year`` of each pipe, with ``-2``, ``-3`` and so on where that key is taken already."""
    year = installed().dt.year().cast(pl.String).fill_null("unknown")
    frame = left.select(base=pl.format("{}@{}", "pipe_id", year)).with_columns(key="base")
    number = 2
    while (held := frame["key"].is_in(taken.implode())).any():
        other = pl.format("{}-{}", "base", pl.lit(number))
        frame = frame.with_columns(key=pl.when(held).then(other).otherwise("key"))
        number += 1
    return frame["key"].alias("pipe_key")


def _day(first_missed: date) -> pl.Expr:
    """The successor's installation where it lies in the pipe's own time, otherwise the day it was missed."""
    laid = pl.col("successor_laid")
    own_time = (laid > installed()).fill_null(value=True) & (laid <= first_missed)
    return pl.when(own_time).then(laid).otherwise(pl.lit(first_missed))


def with_keys(changes: pl.DataFrame, former: pl.DataFrame) -> pl.DataFrame:
    """Changes where the pipes that left are told with the key that they are kept under, as ``before``."""
    held = former.select("pipe_id", "pipe_key")
    left = pl.col("change").is_in(["gone", "reused"])
    keyed = changes.join(held, on="pipe_id", how="left", maintain_order="left")
    return keyed.with_columns(before=pl.when(left).then("pipe_key").otherwise("before")).drop("pipe_key")
