"""Pipes that the model sees as like one another, so that a person can judge a prediction by what they have done.

Two pipes are alike when the same families of features move their rates by the same factors. The distance is that
of the logarithms of the factors, so that 0.1 is about ten per cent apart in one of them. The pipe's own breaks are
left out: what the others have done then says something that was not asked for.
"""

from collections.abc import Collection

import numpy as np
import polars as pl

from vardag.water.lof.port import POLICY

OWN = ("own_history",)
SMALLEST = 1e-6


def similar(
    multipliers: pl.DataFrame,
    row: int,
    *,
    count: int = POLICY.value("similar_pipes"),
    without: Collection[str] = OWN,
) -> pl.DataFrame:
    """Nearest other rows in the space of the logarithms of the families' multipliers.

    Parameters
    ----------
    multipliers
        One Float column per family, one row per pipe, see `vardag.water.lof.explain.explain`; a column ``base`` is
        not a family, and a missing multiplier is 1.
    row
        The row to compare with.
    count
        How many to give at most.
    without
        Families that do not count.

    Returns
    -------
    ``row`` and ``distance``, nearest first; the same distance in the order of the rows.

    Examples
    --------
    >>> found = similar(pl.DataFrame({"material": [2.0, 0.5, 1.9], "age": [1.0, 1.0, 1.1]}), 0, count=1)
    >>> found["row"].to_list()
    [2]
    """
    families = [name for name in multipliers.columns if name not in {"base", *without}]
    logs = multipliers.select(pl.col(families).fill_null(1.0).clip(lower_bound=SMALLEST).log()).to_numpy()
    distance = np.sqrt(((logs - logs[row]) ** 2).sum(axis=1))
    order = np.argsort(distance, kind="stable")
    nearest = order[order != row][:count]
    return pl.DataFrame({"row": nearest.astype(np.int64), "distance": distance[nearest]})
