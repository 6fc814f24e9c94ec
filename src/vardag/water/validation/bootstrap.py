"""Cluster bootstrap over pipes: a pipe's breaks are drawn together, since they are not independent.

The ranking is taken as it is; what is drawn anew is which pipes are in the test. Every replicate draws as many
pipes as there are, with replacement; only those with breaks carry weight, so their counts are drawn from the
multinomial with the rest in one cell. All models share the same draws, so differences are paired.
Source: Efron and Tibshirani (1993), An introduction to the bootstrap, ch. 8 and 13 (percentile intervals).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vardag.water.lof.port import POLICY, Floats

INTERVAL = (2.5, 97.5)


@dataclass(frozen=True)
class Interval:
    """A figure per level with its 95 % interval."""

    value: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class Broken:
    """The rows with breaks: which pipe, how many breaks, and the number of pipes in the whole test."""

    pipe: NDArray[np.int64]
    breaks: Floats
    pipes: int

    def sums(self, values: Floats) -> Floats:
        """Sum values, weighted by breaks, over the rows of each pipe; shape (pipes with breaks, columns)."""
        codes, place = np.unique(self.pipe, return_inverse=True)
        result = np.zeros((codes.size, values.shape[1]))
        np.add.at(result, place, self.breaks[:, None] * values)
        return result


def draws(broken: Broken, *, seed: int, replicates: int | None = None) -> Floats:
    """How often each pipe with breaks is drawn in each replicate; shape (replicates, pipes with breaks)."""
    count = int(np.unique(broken.pipe).size)
    rest = max(broken.pipes - count, 0)
    chances = np.r_[np.full(count, 1.0), float(rest)] / (count + rest)
    size = POLICY.value("bootstrap_replicates") if replicates is None else replicates
    return np.random.default_rng(seed).multinomial(count + rest, chances, size=size)[:, :count].astype(np.float64)


def captures(
    broken: Broken, caught: Mapping[str, Floats], *, seed: int, replicates: int | None = None
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Capture of each model, as seen (levels) and in each replicate (replicates, levels), on the same draws.

    Parameters
    ----------
    broken
        The rows with breaks.
    caught
        By model, the share of each of those rows within each level; shape (rows, levels).
    """
    weights = draws(broken, seed=seed, replicates=replicates)
    totals = broken.sums(np.ones((broken.breaks.size, 1)))
    drawn = weights @ totals
    drawn[drawn == 0] = np.nan
    parts = {name: broken.sums(values) for name, values in caught.items()}
    seen = {name: part.sum(axis=0) / totals.sum() for name, part in parts.items()}
    return seen, {name: (weights @ part) / drawn for name, part in parts.items()}


def interval(value: Floats, replicated: Floats) -> Interval:
    """Percentile interval of a figure; replicates without a break are left out."""
    low, high = np.nanpercentile(replicated, INTERVAL, axis=0)
    return Interval(value, low, high)
