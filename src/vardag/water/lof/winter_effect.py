"""How the number of breaks of a year has gone with its winter, learnt from the label years alone.

::

    breaks of year t ~ year's own factor x Poisson(predicted_t x exp(a + c trend_t + b frost_t + d falls_t))

The figures are in standard deviations from their mean over the record. Years differ for other reasons too: their
own factor has the policy's ``year_dispersion`` as variance, which weighs each year by
1 / (1 + dispersion x predicted) (quasi-likelihood: McCullagh and Nelder 1989, Generalized linear models, ch. 9).
The effects and the trend are drawn towards nought by a normal prior, so that a handful of years cannot say much;
the trend is there so that rates that fell while winters grew milder are not taken for the winters' work.

What the model that is levelled has learnt of single years by itself is no longer seen here: the effect told is then
too small rather than too large.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from vardag.water.lof.penalised import LEVEL, NUMBERS, Effects, Rows, regress
from vardag.water.lof.port import POLICY, Floats
from vardag.water.winters import WINTER

STEPS = 50


@dataclass(frozen=True)
class Effect:
    """One figure of the winters: its mean and standard deviation over the record, and what goes with it.

    ``effect`` is the logarithm of the factor on a year's breaks for one standard deviation more, ``error`` its
    standard error.
    """

    usual: float
    spread: float
    effect: float
    error: float


@dataclass(frozen=True)
class Winters:
    """The winters of the record and what they did.

    Attributes
    ----------
    label_years
        Years whose winter is known.
    factors
        How many times as many breaks each of them had for its winter's sake, where the mean over them is 1.
    effects
        By figure of the winters.
    latest
        The same factor for the years that set the level, weighed by their predicted breaks.
    """

    label_years: tuple[int, ...]
    factors: tuple[float, ...]
    effects: dict[str, Effect]
    latest: float = 1.0

    def of(self, as_of: pl.Series) -> Floats:
        """Return the factor of the year after each day; 1 where its winter is not known."""
        known = dict(zip(self.label_years, self.factors, strict=True))
        label_years = as_of.dt.year() + 1
        return label_years.replace_strict(known, default=1.0, return_dtype=pl.Float64).to_numpy()


def winters_of(panel: pl.DataFrame) -> pl.DataFrame:
    """The label years of a panel whose winter is known: ``as_of`` and the figures, oldest first."""
    if not set(WINTER) <= set(panel.columns):
        return pl.DataFrame(schema={"as_of": pl.Date} | dict.fromkeys(WINTER, pl.Float64))
    return panel.group_by("as_of").agg(pl.mean(*WINTER)).drop_nulls().sort("as_of")


def enough(years: pl.DataFrame) -> bool:
    """Whether the winters are many enough to learn from, and not all alike."""
    return years.height >= POLICY.value("winter_least_years") and bool(_varying(years))


def _varying(years: pl.DataFrame) -> list[str]:
    return [name for name in WINTER if float(years[name].to_numpy().std()) > 0]


def winter_effect(years: pl.DataFrame) -> Winters:
    """Estimate the effects.

    Parameters
    ----------
    years
        One row per label year: ``as_of``, the figures of its winter, ``observed`` and ``predicted`` breaks.
    """
    names = _varying(years)
    figures = years.select(names).to_numpy()
    label_years = years["as_of"].dt.year().to_numpy() + 1
    usual, spread = figures.mean(axis=0), figures.std(axis=0)
    z = (figures - usual) / spread
    fitted = _fit(z, _standardised(label_years), years)
    values, errors = fitted.values[2:], np.sqrt(np.diag(fitted.covariance))[2:]
    factors = np.exp(z @ values)
    rows: Any = zip(usual, spread, values, errors, strict=True)
    effects = {name: Effect(*map(float, row)) for name, row in zip(names, rows, strict=True)}
    return Winters(tuple(label_years.tolist()), tuple((factors / factors.mean()).tolist()), effects)


def _standardised(values: Any) -> Floats:
    return np.asarray((values - values.mean()) / values.std())


def _fit(z: Floats, trend: Floats, years: pl.DataFrame) -> Effects:
    prior = POLICY.value("winter_prior")
    predicted = years["predicted"].to_numpy()
    inputs = np.column_stack([np.ones(trend.size), trend, z])
    family = np.where(np.arange(inputs.shape[1]) == 0, LEVEL, NUMBERS)
    spread = np.array([prior["level_sd"], prior["effect_sd"]]) ** 2
    rows = Rows(
        inputs=inputs,
        family=family,
        breaks=years["observed"].to_numpy(),
        size=predicted,
        offset=np.zeros(trend.size),
        weights=1.0 / (1.0 + POLICY.value("year_dispersion") * predicted),
    )
    return regress(rows, Effects(np.zeros(family.size), np.diag(spread[family]), spread), steps=STEPS)
