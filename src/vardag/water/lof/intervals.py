"""How far a pipe's true rate may lie from what is predicted for it, and the chance that it breaks at all.

Pipes with the same prediction are not alike. Their true rates are taken as gamma distributed around it, the less
spread the more the pipe itself has shown::

    true rate ~ Gamma(shape k, mean r)      k = kappa + own breaks so far
    breaks | true rate ~ Poisson(true rate x km-years)

which is what the gamma-Poisson posterior gives: every recorded break adds one to the shape (Hauer 1997, ch. 11).
Breaks are then negative binomial (Cameron and Trivedi 2013, Regression analysis of count data, ch. 3), and
``kappa`` is the one that makes the breaks of years that the model has not seen most likely, drawn towards a prior
since a few hundred breaks leave it uncertain.

Moments were tried first and left: on 16 made-up towns with 400 breaks held out and a true kappa of 1, their
estimates of 1 / kappa ran from 0.03 to 8.9; the likelihood with its prior gives 0.75 to 1.9. The interval holds
the true rate, not next year's count; on those towns it held 74 % of the pipes' true rates, 77 % weighed by breaks.
"""

from typing import Any

import numpy as np
import polars as pl
from scipy.optimize import minimize_scalar
from scipy.stats import gamma, nbinom

from vardag.water.lof.port import POLICY, Floats, Model, counts, km_years, numbers, usable

SMALLEST, LARGEST = 0.05, 1e3


def pipe_shapes(panel: pl.DataFrame, kappa: float) -> Floats:
    """Gamma shape of each pipe's true rate: kappa, and one for each of its own breaks so far."""
    return kappa + numbers(panel, "own_breaks", missing=0.0)


def most_likely_kappa(
    observed: Floats,
    expected: Floats,
    own_breaks: Floats | float = 0.0,
    *,
    prior: tuple[float, float] | None = None,
) -> float:
    """Kappa under which the counts are most likely, within 0.05 to 1,000.

    Parameters
    ----------
    observed, expected
        Breaks of each pipe over some years, as seen and as predicted.
    own_breaks
        Breaks that each pipe had before those years.
    prior
        Median of kappa and standard deviation of its logarithm (log-normal); none by default.
    """
    mean = np.maximum(expected, 1e-12)

    def loss(log_kappa: float) -> float:
        shape = np.exp(log_kappa) + own_breaks
        away = 0.0 if prior is None else (log_kappa - np.log(prior[0])) / prior[1]
        return 0.5 * away**2 - float(nbinom.logpmf(observed, shape, shape / (shape + mean)).sum())

    found = minimize_scalar(loss, bounds=(np.log(SMALLEST), np.log(LARGEST)), method="bounded")
    return float(np.exp(found.x))


def shape_out_of_time(model: Model, panel: pl.DataFrame, *, years: int = POLICY.value("dispersion_years")) -> float:
    """Fit without the latest label years, predict them as of the last day before, and estimate kappa.

    The level is set to what those years gave before comparing, since a wrong level is a matter of calibration.
    Where the panel has too few years to hold any out, the prior's median is returned.
    """
    prior = POLICY.value("dispersion_prior")
    rows = usable(panel)
    days = rows["as_of"].unique().sort()
    if days.len() <= years + 1:
        return float(prior["median"])
    pipes = _held_out(model, rows, start=days[-years])
    expected, observed = (pipes["rate"] * pipes["km"]).to_numpy(), pipes["y"].to_numpy()
    level = (observed.sum() + 1.0) / (expected.sum() + 1.0)
    own = numbers(pipes, "own_breaks", missing=0.0)
    return most_likely_kappa(observed, expected * level, own, prior=(prior["median"], prior["log_sd"]))


def _held_out(model: Model, rows: pl.DataFrame, *, start: object) -> pl.DataFrame:
    """Each pipe's predicted rate and own breaks at `start`, and its km-years and breaks from then on."""
    first = pl.lit(start)
    fitted = model.fit(rows.filter(pl.col("as_of").dt.offset_by("1y") <= first))
    known, later = rows.filter(pl.col("as_of") == first), rows.filter(pl.col("as_of") >= first)
    own = numbers(known, "own_breaks", missing=0.0)
    at_start = known.select("pipe_key", own_breaks=pl.Series(own), rate=pl.Series(fitted.rate(known)))
    seen = later.select("pipe_key", km=pl.Series(km_years(later)), y=pl.Series(counts(later)))
    summed = seen.group_by("pipe_key", maintain_order=True).agg(pl.sum("km", "y"))
    return summed.join(at_start, on="pipe_key", maintain_order="left")


def interval(
    rate: Floats, shape: Floats | float, *, level: float = POLICY.value("interval_level")
) -> tuple[Floats, Floats]:
    """Lower and upper bound of the true rate, per km and year, with equal tails.

    Parameters
    ----------
    rate
        Predicted breaks per km and year.
    shape
        Gamma shape of each pipe, see `pipe_shapes`.
    level
        Share of pipes whose true rate lies within; 0.8 unless the policy says otherwise.
    """
    tail = (1.0 - level) / 2.0
    low, high = (np.asarray(rate * gamma.ppf(share, shape) / shape) for share in (tail, 1.0 - tail))
    return low, high


def p_break(expected_breaks: Floats, shape: Floats | float) -> Floats:
    """Probability of at least one break: 1 - (1 + m / k)^-k, which is 1 - exp(-m) where pipes do not differ."""
    return np.asarray(-np.expm1(-shape * np.log1p(expected_breaks / shape)))


def breaks_in_a_year(expected: Floats | float, *, level: float = POLICY.value("interval_level")) -> Floats:
    """Lower and upper number of breaks of one year, with equal tails; shape (2, ...).

    Chance alone would make the number Poisson. Years differ besides, by winters that nothing here foresees: the
    year's own factor is gamma with mean 1 and the policy's ``year_dispersion`` as variance.
    """
    tail = (1.0 - level) / 2.0
    return np.array([of_a_year(expected).ppf(share) for share in (tail, 1.0 - tail)], dtype=np.float64)


def held(observed: Floats, expected: Floats, *, level: float = POLICY.value("interval_level")) -> Floats:
    """How much of each observed number lies within the interval of `breaks_in_a_year`, in truth `level` on average.

    A number of breaks is whole, so an interval of whole numbers holds more than it states. Here each number stands
    for its share of probability, of which the part between the tails is taken (Czado, Gneiting and Held 2009,
    Predictive model assessment for count data, Biometrics 65).
    """
    tail = (1.0 - level) / 2.0
    start, end = of_a_year(expected).cdf(observed - 1), of_a_year(expected).cdf(observed)
    inside = np.minimum(end, 1.0 - tail) - np.maximum(start, tail)
    return np.asarray(np.clip(inside / np.maximum(end - start, 1e-300), 0.0, 1.0))


def of_a_year(expected: Floats | float, *, share: float = 1.0) -> Any:
    """Distribution of the number of breaks: negative binomial, see `breaks_in_a_year`.

    Parameters
    ----------
    expected
        Breaks expected.
    share
        Of the variance of one year's factor; below 1 for several years together, whose factors are independent.
    """
    size = 1.0 / (POLICY.value("year_dispersion") * share)
    return nbinom(size, size / (size + np.maximum(expected, 1e-12)))
