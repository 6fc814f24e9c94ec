"""A mean or a share with its interval. What was measured has one; an assumption has none, and says what it is.

Intervals of means are percentile intervals of the bootstrap (Efron and Tibshirani 1993, An introduction to the
bootstrap, ch. 13), those of shares are exact (Clopper and Pearson 1934, Biometrika 26:404).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from vardag.core.parameters import Parameter

Interval = tuple[float, float]
Draws = NDArray[np.float64]


class Source(StrEnum):
    """What a number rests on: observations, the city's own word, or an assumption."""

    MEASURED = "measured"
    STATED = "stated"
    ASSUMED = "assumed"


@dataclass(frozen=True)
class Estimate:
    """Minutes for one work item.

    Attributes
    ----------
    observations
        How many there are; below the limit the value is the parameter's, and not their mean.
    interval
        None for what was not measured.
    """

    value: float
    source: Source
    observations: int = 0
    interval: Interval | None = None


@dataclass(frozen=True)
class Drawn:
    """An estimate with replicates of its mean, for sums with their intervals; None for what was not measured."""

    estimate: Estimate
    draws: Draws | None = None


@dataclass(frozen=True)
class Share:
    """A part of a whole; no interval, and no share, of nothing."""

    part: int
    whole: int
    interval: Interval | None

    @property
    def value(self) -> float | None:
        """The share."""
        return self.part / self.whole if self.whole else None


def mean(values: Sequence[float], *, seed: Sequence[int], replicates: int, confidence: float) -> Drawn:
    """Mean of observations with its percentile interval.

    >>> mean([10.0, 12.0], seed=(1,), replicates=100, confidence=0.95).estimate.value
    11.0
    """
    found = np.asarray(values, dtype=np.float64)
    places = np.random.default_rng(seed).integers(0, found.size, (replicates, found.size))
    draws = found[places].mean(axis=1)
    value = float(found.mean())
    return Drawn(Estimate(value, Source.MEASURED, found.size, around(value, draws, confidence)), draws)


def assumed(entry: Parameter, *, observations: int = 0) -> Estimate:
    """A parameter's value: an assumption where its source says so, else the city's own word."""
    said = entry.source.casefold()
    source = Source.ASSUMED if "assum" in said or "antag" in said else Source.STATED
    return Estimate(float(entry.value), source, observations)


def around(value: float, draws: Draws, confidence: float) -> Interval:
    """Percentile interval of draws; the value is always within."""
    low, high = np.quantile(draws, ((1 - confidence) / 2, (1 + confidence) / 2))
    return min(float(low), value), max(float(high), value)


def share(part: int, whole: int, *, confidence: float) -> Share:
    """A share with its exact interval."""
    if whole == 0:
        return Share(part, whole, None)
    found = binomtest(part, whole).proportion_ci(confidence, method="exact")
    return Share(part, whole, (float(found.low), float(found.high)))
