"""A blend: models that know different things, each with the same weight.

    log rate = mean of the members' log rates

The pool of log rates is Genest and Zidek's (1986), Combining probability distributions, Statistical Science 1. That
equal weights are hard to beat with a few hundred breaks is Clemen's finding (1989), Combining forecasts: a review
and annotated bibliography, International Journal of Forecasting 5. It was so here: weights learnt from the latest
years, drawn towards equal ones, stayed between 0.30 and 0.36 on Kitchener's validation years and gave nothing.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vardag.core.config import settings as process
from vardag.water.lof.explain import explain
from vardag.water.lof.port import Floats, Model, log_rate, one_thread, usable


@dataclass(frozen=True)
class Blend:
    """A geometric mean of models' rates.

    Parameters
    ----------
    members
        Recipes.
    """

    members: tuple[Model, ...]
    name: str = "vardag"

    def fit(self, panel: pl.DataFrame) -> Self:
        """Fit the members beside one another: much of each fit waits for one core."""
        rows = usable(panel)
        with one_thread(), ThreadPoolExecutor(max_workers=process().threads) as pool:
            return replace(self, members=tuple(pool.map(lambda member: member.fit(rows), self.members)))

    def rate(self, panel: pl.DataFrame) -> Floats:
        """Return the geometric mean of the members' rates."""
        rates = np.array([member.rate(panel) for member in self.members])
        return np.asarray(np.exp(log_rate(rates).mean(axis=0)))

    def explain(
        self, panel: pl.DataFrame, rows: NDArray[np.int64] | Sequence[int], *, families: Mapping[str, str]
    ) -> pl.DataFrame:
        """Tell what moves each row's rate, as multipliers by family: the geometric mean of the members'.

        See `Boosted.explain`. A member that cannot tell its reasons has its rate told in the base.
        """
        asked = np.asarray(rows, dtype=np.int64)
        table: dict[str, Floats] = {"base": np.ones(asked.size)}
        for member in self.members:
            told = explain(member, panel, asked, families=families)
            for column in told.columns:
                part = told[column].to_numpy() ** (1.0 / len(self.members))
                table[column] = table.get(column, np.ones(asked.size)) * part
        return pl.DataFrame(table)
