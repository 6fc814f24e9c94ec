"""A blend: models that know different things, each with a weight that years they had not seen gave it.

    log rate = w_1 log rate_1 + w_2 log rate_2 + ...          w >= 0, their sum 1

The weights are the most likely ones (Poisson, each year's level left free) on the panel's latest label years, as
predicted by recipes fitted on the years before those; then every member is fitted on all years. Nothing is used
that the panel does not hold: a blend is as honest at each origin as its panel. The weights are drawn towards equal
ones, which are hard to beat with a few hundred breaks (Clemen 1989, Combining forecasts: a review and annotated
bibliography, International Journal of Forecasting 5; the pool of log rates: Genest and Zidek 1986, Combining
probability distributions, Statistical Science 1).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import minimize

from vardag.water.lof.explain import SMALLEST_RATE, explain
from vardag.water.lof.port import POLICY, Floats, Model, counts, km_years, usable

LEAST_YEARS = 2  # to fit on, before the years that the weights are learnt from


@dataclass(frozen=True)
class Blend:
    """A geometric mean of models' rates, with weights learnt inside `fit`.

    Parameters
    ----------
    members
        Recipes.
    trial
        Recipes that stand for them while the weights are learnt, as many (such as with fewer seeds); the members
        themselves unless given.
    years
        Latest label years that the weights are learnt from; 0 weighs all members alike.
    """

    members: tuple[Model, ...]
    trial: tuple[Model, ...] = ()
    years: int = POLICY.value("blend_years")
    weights: tuple[float, ...] = ()
    name: str = "vardag"

    def fit(self, panel: pl.DataFrame) -> Self:
        """Learn the weights on the latest years, then fit every member on all of them."""
        rows = usable(panel)
        weights = self._learn(rows)
        return replace(self, members=tuple(member.fit(rows) for member in self.members), weights=weights)

    def _learn(self, rows: pl.DataFrame) -> tuple[float, ...]:
        days: list[date] = rows["as_of"].unique().sort().to_list()
        size = len(self.members)
        if size < 2 or not self.years or len(days) < self.years + LEAST_YEARS + 1:
            return (1.0 / size,) * size
        first = pl.lit(days[-self.years])
        past = rows.filter(pl.col("as_of").dt.offset_by("1y") <= first)
        later = rows.filter(pl.col("as_of") >= first)
        rates = [recipe.fit(past).rate(later) for recipe in self.trial or self.members]
        year = later["as_of"].rank("dense").cast(pl.Int64).to_numpy() - 1
        return best_weights(_logs(rates), counts(later), km_years(later), year)

    def rate(self, panel: pl.DataFrame) -> Floats:
        """Return the weighted geometric mean of the members' rates."""
        rates = [member.rate(panel) for member in self.members]
        return np.asarray(np.exp(np.einsum("j,ji->i", self._weights(), _logs(rates))))

    def _weights(self) -> Floats:
        if not self.weights:
            raise ValueError(f"{self.name}: not fitted. Call fit(panel) first.")
        return np.array(self.weights)

    def explain(
        self, panel: pl.DataFrame, rows: NDArray[np.int64] | Sequence[int], *, families: Mapping[str, str]
    ) -> pl.DataFrame:
        """Tell what moves each row's rate, as multipliers by family: each member's to the power of its weight.

        See `Boosted.explain`. A member that cannot tell its reasons has its rate told in the base.
        """
        asked = np.asarray(rows, dtype=np.int64)
        table: dict[str, Floats] = {"base": np.ones(asked.size)}
        for member, weight in zip(self.members, self._weights().tolist(), strict=True):
            told = explain(member, panel, asked, families=families)
            for column in told.columns:
                table[column] = table.get(column, np.ones(asked.size)) * told[column].to_numpy() ** weight
        return pl.DataFrame(table)


def _logs(rates: Sequence[Floats]) -> Floats:
    return np.log(np.maximum(np.array(rates), SMALLEST_RATE))


def best_weights(
    log_rates: Floats,
    breaks: Floats,
    size: Floats,
    year: NDArray[np.int64],
    *,
    prior_breaks: float = POLICY.value("blend_prior_breaks"),
) -> tuple[float, ...]:
    """Weights, none negative and summing to one, under which the breaks fell most likely where they did.

    Parameters
    ----------
    log_rates
        Predicted log rates; shape (models, rows).
    breaks, size, year
        Breaks, km-years and number of the year of each row. Only where in a year its breaks fell is judged.
    prior_breaks
        How strongly the weights are drawn to equal ones: that many times the squared distance, times the number of
        models squared.
    """
    models = len(log_rates)
    equal = np.full(models, 1.0 / models)
    per_year = np.bincount(year, weights=breaks)
    hits = log_rates @ breaks

    def loss(weights: Floats) -> tuple[float, Floats]:
        log_mean = weights @ log_rates
        top = float(log_mean.max(initial=-np.inf))
        mean = size * np.exp(log_mean - top)
        total = np.maximum(np.bincount(year, weights=mean, minlength=per_year.size), SMALLEST_RATE)
        away = weights - equal
        pull = prior_breaks * models**2
        value = float(per_year @ (np.log(total) + top) - weights @ hits + pull * away @ away)
        slope = log_rates @ (mean * (per_year / total)[year]) - hits + 2 * pull * away
        return value, np.asarray(slope)

    if not breaks.sum():
        return tuple(equal.tolist())
    whole = {"type": "eq", "fun": lambda w: w.sum() - 1.0, "jac": np.ones_like}
    found = minimize(loss, equal, jac=True, bounds=[(0.0, 1.0)] * models, constraints=[whole], method="SLSQP")
    weights = np.clip(found.x, 0.0, 1.0)
    return tuple((weights / weights.sum()).tolist())
