"""How far a pipe's true rate may lie from what is predicted for it, and the chance that it breaks at all.

Pipes with the same prediction are not alike. Their true rates are taken as gamma distributed around it::

    true rate ~ Gamma(shape k, mean r)      breaks | true rate ~ Poisson(true rate x km-years)

so breaks are negative binomial, Var(y) = m + m^2 / k. ``k`` is estimated by moments on years that the model has
not seen: 1 / k = sum((y - m)^2 - m) / sum(m^2), with y and m summed per pipe over those years. The interval holds
the true rate, not next year's count. Source: Cameron and Trivedi (2013), Regression analysis of count data, ch. 3.
"""

import numpy as np
import polars as pl
from scipy.stats import gamma

from vardag.water.lof.port import POLICY, Floats, Model, counts, km_years, usable

LARGEST_SHAPE = 1e4
SMALLEST_SHAPE = 0.05


def shape_by_moments(observed: Floats, expected: Floats) -> float:
    """Shape of the gamma of true rates about the predicted ones; very large where chance explains all."""
    excess = float(((observed - expected) ** 2 - expected).sum())
    spread = float((expected**2).sum())
    if excess <= spread / LARGEST_SHAPE:
        return LARGEST_SHAPE
    return max(spread / excess, SMALLEST_SHAPE)


def shape_out_of_time(model: Model, panel: pl.DataFrame, *, years: int = POLICY.value("dispersion_years")) -> float:
    """Fit without the latest label years, predict them as of the last day before, and estimate the shape.

    The level is set to what those years gave before comparing, since a wrong level is a matter of calibration.
    Where the panel has too few years to hold any out, the shape is one: the true rate may be anything near it.
    """
    rows = usable(panel)
    days = rows["as_of"].unique().sort()
    if days.len() <= years + 1:
        return 1.0
    start = days[-years]
    earlier = rows.filter(pl.col("as_of").dt.offset_by("1y") <= start)
    later = rows.filter(pl.col("as_of") >= start)
    known = rows.filter(pl.col("as_of") == start)
    at_start = known.select("pipe_key", rate=pl.Series(model.fit(earlier).rate(known)))
    seen = later.select("pipe_key", km=pl.Series(km_years(later)), y=pl.Series(counts(later)))
    pipes = seen.group_by("pipe_key", maintain_order=True).agg(pl.sum("km", "y")).join(at_start, on="pipe_key")
    expected, observed = (pipes["rate"] * pipes["km"]).to_numpy(), pipes["y"].to_numpy()
    level = (observed.sum() + 1.0) / (expected.sum() + 1.0)
    return shape_by_moments(observed, expected * level)


def interval(rate: Floats, shape: float, *, level: float = POLICY.value("interval_level")) -> tuple[Floats, Floats]:
    """Lower and upper bound of the true rate, per km and year, with equal tails.

    Parameters
    ----------
    rate
        Predicted breaks per km and year.
    shape
        Shape of `shape_out_of_time`.
    level
        Share of pipes whose true rate lies within; 0.8 unless the policy says otherwise.
    """
    tail = (1.0 - level) / 2.0
    low, high = gamma.ppf([tail, 1.0 - tail], shape) / shape
    return rate * low, rate * high


def p_break(expected_breaks: Floats, shape: float) -> Floats:
    """Probability of at least one break: 1 - (1 + m / k)^-k, which is 1 - exp(-m) where pipes do not differ."""
    return np.asarray(-np.expm1(-shape * np.log1p(expected_breaks / shape)))
