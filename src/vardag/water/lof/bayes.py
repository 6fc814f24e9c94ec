"""Empirical Bayes: a pipe's own history, weighed against what pipes of its cohort do.

Breaks of a pipe are Poisson with a mean that differs between pipes of one cohort (material x era) as a gamma
distribution. With cohort rate ``c`` per km and year, length ``L``, observed years ``T`` and recorded breaks ``x``::

    expected so far   m = c L T
    weight            w = 1 / (1 + m / (phi L))
    estimate          w m + (1 - w) x        over the T years; divided by L T it is the pipe's rate

``phi`` is the overdispersion per km: the gamma's shape is in proportion to length, since a short pipe's mean
varies more than a long one's.

Sources: Hauer (1997), Observational before-after studies in road safety, ch. 11; Hauer (2001), Overdispersion in
modelling accidents on road sections and in empirical Bayes estimation, Accident Analysis and Prevention 33;
Hauer, Harwood, Council and Griffith (2002), Estimating safety by the empirical Bayes method: a tutorial,
Transportation Research Record 1784 (its worked example is in ``tests/published``).
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import polars as pl

from vardag.water.lof.port import Floats, group_sums, lengths_km, look_up, network_rate, numbers, usable

LARGEST_SHAPE_PER_KM = 1e6
COHORT = ["material", "era"]


def weight(expected: Floats, shape: Floats) -> Floats:
    """Weight of the cohort against the pipe's own record: 1 / (1 + expected / shape).

    Parameters
    ----------
    expected
        Breaks that the cohort's rate gives over the observed time.
    shape
        Shape of the gamma distribution of pipe means: overdispersion per km times length.
    """
    return np.asarray(1.0 / (1.0 + expected / shape))


def estimate(observed: Floats, expected: Floats, shape: Floats) -> Floats:
    """Expected breaks over the observed time, given the record: w expected + (1 - w) observed."""
    own = weight(expected, shape)
    return own * expected + (1.0 - own) * observed


def shape_per_km(observed: Floats, expected: Floats, length_km: Floats) -> float:
    """Overdispersion per km by moments.

    Var(x) = m + m^2 / (phi L), so phi = sum(m^2 / L) / sum((x - m)^2 - m). Where pipes differ no more than chance
    would have it, the shape is very large and the record hardly counts.
    """
    excess = float(((observed - expected) ** 2 - expected).sum())
    spread = float((expected**2 / length_km).sum())
    if excess <= spread / LARGEST_SHAPE_PER_KM:
        return LARGEST_SHAPE_PER_KM
    return spread / excess


@dataclass(frozen=True)
class EmpiricalBayes:
    """Gamma-Poisson estimate for each pipe, with its cohort (material x era) as the prior."""

    cohorts: pl.DataFrame | None = None
    materials: pl.DataFrame | None = None
    mean: float = 0.0
    phi: float = LARGEST_SHAPE_PER_KM
    name: str = "empirical_bayes"

    def fit(self, panel: pl.DataFrame) -> Self:
        """Learn the cohorts' rates from all rows, and the overdispersion from each pipe's latest record."""
        rows = _named(usable(panel))
        mean = network_rate(rows)
        materials = group_sums(rows, COHORT[:1]).with_columns(rate=_shrunk(pl.lit(mean)))
        cohorts = group_sums(rows, COHORT)
        above = look_up(cohorts, COHORT[:1], materials, "rate")
        cohorts = cohorts.with_columns(above=above).with_columns(rate=_shrunk(pl.col("above")))
        fitted = replace(self, cohorts=cohorts, materials=materials, mean=mean)
        return replace(fitted, phi=fitted._dispersion(rows))

    def _dispersion(self, rows: pl.DataFrame) -> float:
        latest = rows.group_by("pipe_key", maintain_order=True).last()
        observed = numbers(latest, "own_breaks", missing=0.0) + numbers(latest, "breaks", missing=0.0)
        years = numbers(latest, "own_observed_years", missing=0.0) + numbers(latest, "exposure_years", missing=0.0)
        lengths = lengths_km(latest)
        return shape_per_km(observed, self.cohort_rate(latest) * lengths * years, lengths)

    def cohort_rate(self, panel: pl.DataFrame) -> Floats:
        """Rate of each pipe's cohort, else of its material, else of the network."""
        if self.cohorts is None or self.materials is None:
            raise ValueError("empirical_bayes: not fitted. Call fit(panel) first.")
        rows = _named(panel)
        cohort = look_up(rows, COHORT, self.cohorts, "rate")
        material = look_up(rows, COHORT[:1], self.materials, "rate")
        return pl.select(pl.coalesce(cohort, material, self.mean)).to_series().to_numpy()

    def rate(self, panel: pl.DataFrame) -> Floats:
        """Posterior mean rate of each pipe: its cohort's rate times (shape + record) / (shape + expected)."""
        cohort, lengths = self.cohort_rate(panel), np.maximum(lengths_km(panel), 1e-6)
        expected = cohort * lengths * numbers(panel, "own_observed_years", missing=0.0)
        shape = self.phi * lengths
        return np.asarray(cohort * (shape + numbers(panel, "own_breaks", missing=0.0)) / (shape + expected))


def _shrunk(above: pl.Expr) -> pl.Expr:
    """Rate of a group with a prior worth one break at the rate above it, so that thin groups stay sensible."""
    return (pl.col("breaks") + 1.0) / (pl.col("km") + 1.0 / above)


def _named(panel: pl.DataFrame) -> pl.DataFrame:
    return panel.with_columns(
        pl.col("material").cast(pl.String).fill_null("UNKNOWN"), pl.col("era").cast(pl.String).fill_null("unknown")
    )
