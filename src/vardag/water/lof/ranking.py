"""From rates to a ranked list: highest expected breaks per km first, each with its interval."""

import numpy as np
import polars as pl

from vardag.water.lof.intervals import interval, p_break, pipe_shapes
from vardag.water.lof.port import Floats, lengths_km


def rank(year: pl.DataFrame, rate: Floats, *, shape: float) -> pl.DataFrame:
    """Rank the pipes of one risk set.

    Parameters
    ----------
    year
        Panel rows of one ``as_of``; needs ``pipe_key`` and ``length_m`` (m).
    rate
        Expected breaks per km and year, one per row.
    shape
        Gamma shape of the true rate of a pipe without breaks, from `shape_out_of_time`; own breaks add to it.

    Returns
    -------
    Rows in the order of rank (1 = highest rate; equal rates by pipe_key): ``row`` (in `year`), ``pipe_key``,
    ``length_m``, ``expected_breaks_per_km_year`` with ``lower`` and ``upper`` (80 % interval of the true rate),
    ``expected_breaks`` per year, ``p_break`` (at least one in the year), ``rank`` and
    ``cumulative_length_share`` (share of the network's length down to and including the pipe).
    """
    shapes = pipe_shapes(year, shape)
    lower, upper = interval(rate, shapes)
    expected = rate * lengths_km(year)
    columns = {
        "expected_breaks_per_km_year": rate,
        "lower": lower,
        "upper": upper,
        "expected_breaks": expected,
        "p_break": p_break(expected, shapes),
    }
    table = year.select("pipe_key", "length_m").with_row_index("row").with_columns(**_series(columns))
    ranked = table.sort("expected_breaks_per_km_year", "pipe_key", descending=[True, False])
    return ranked.with_columns(
        rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int32),
        cumulative_length_share=pl.col("length_m").cum_sum() / pl.col("length_m").sum(),
    )


def _series(columns: dict[str, Floats]) -> dict[str, pl.Series]:
    return {name: pl.Series(np.asarray(values, dtype=np.float64)) for name, values in columns.items()}
