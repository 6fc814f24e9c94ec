"""From rates to a ranked list: highest expected breaks per km first, each with its interval."""

import numpy as np
import polars as pl

from vardag.water.lof.intervals import interval, p_break, pipe_shapes
from vardag.water.lof.port import Floats, lengths_km
from vardag.water.lof.top import p_top


def rank(year: pl.DataFrame, rate: Floats, *, shape: float, seed: int = 0) -> pl.DataFrame:
    """Rank the pipes of one risk set.

    Parameters
    ----------
    year
        Panel rows of one ``as_of``; needs ``pipe_key`` and ``length_m`` (m).
    rate
        Expected breaks per km and year, one per row.
    shape
        Gamma shape of the true rate of a pipe without breaks, from `shape_out_of_time`; own breaks add to it.
    seed
        Seed of the draws behind ``p_top_1`` and ``p_top_5``.

    Returns
    -------
    Rows in the order of rank (1 = highest rate; equal rates by pipe_key): ``row`` (in `year`), ``pipe_key``,
    ``length_m``, ``expected_breaks_per_km_year`` with ``lower`` and ``upper`` (80 % interval of the true rate),
    ``expected_breaks`` per year, ``p_break`` (at least one in the year), ``rank``,
    ``cumulative_length_share`` (share of the network's length down to and including the pipe), ``p_top_1`` and
    ``p_top_5`` (probability that it belongs to the top 1 and 5 % of length by its true rate).
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
        "shape": shapes,
    }
    table = year.select("pipe_key", "length_m").with_row_index("row").with_columns(**_series(columns))
    ranked = table.sort("expected_breaks_per_km_year", "pipe_key", descending=[True, False])
    return ranked.drop("shape").with_columns(
        rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int32),
        cumulative_length_share=pl.col("length_m").cum_sum() / pl.col("length_m").sum(),
        **_series(_top(ranked, seed)),
    )


def _top(ranked: pl.DataFrame, seed: int) -> dict[str, Floats]:
    """Chances of the top, drawn in the order of rank, so that the order of the rows does not matter."""
    rate, shapes = (ranked[name].to_numpy() for name in ("expected_breaks_per_km_year", "shape"))
    first, fifth = p_top(rate, shapes, lengths_km(ranked), levels=(0.01, 0.05), seed=seed).T
    return {"p_top_1": first, "p_top_5": fifth}


def _series(columns: dict[str, Floats]) -> dict[str, pl.Series]:
    return {name: pl.Series(np.asarray(values, dtype=np.float64)) for name, values in columns.items()}
