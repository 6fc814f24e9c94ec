"""The chance that a pipe belongs to the top of the network, when true rates differ from what is predicted.

The list is sorted by predicted rates. Which pipes are really the worst depends on their true rates, and those are
taken as in `vardag.water.lof.intervals`: gamma distributed around the prediction, with a spread that was estimated
on years the model had not seen and so holds the model's error too. True rates of all pipes are drawn again and
again, each time the network is sorted by them, and what is counted is how often each pipe lies in the top 1 or 5 %
of length. Pipes are drawn independently of one another: an error that a whole cohort shares moves all of it up or
down, and is told by the calibration by material instead.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vardag.water.lof.port import POLICY, Floats

TOP_LEVELS = (0.01, 0.05)
SLACK = 0.8  # rates down to this share of the last draw's limit are looked at first; it only saves time
NARROWEST = 1e-9


def p_top(
    rate: Floats,
    shapes: Floats,
    lengths: Floats,
    *,
    levels: Sequence[float] = TOP_LEVELS,
    draws: int = POLICY.value("top_draws"),
    seed: int = 0,
) -> Floats:
    """Probability that each pipe belongs to the top of the network's length by its true rate.

    Parameters
    ----------
    rate
        Predicted breaks per km and year.
    shapes
        Gamma shape of each pipe's true rate, see `vardag.water.lof.intervals.pipe_shapes`.
    lengths
        Length of each pipe, any unit.
    levels
        Shares of the network's length.
    draws
        How many times the true rates are drawn; the standard error of a probability of one half is
        ``0.5 / sqrt(draws)``.
    seed
        Seed of the draws; the same rows in the same order give the same probabilities.

    Returns
    -------
    One column per level, rows alike. Where the limit cuts a pipe, the part of its length above it counts, so that
    the sum of probability times length is the level's share of the network.
    """
    generator = np.random.default_rng(seed)
    limits = np.asarray(levels) * lengths.sum()
    scale, floor = rate / shapes, -1.0
    sums = np.zeros((len(limits), rate.size))
    for _ in range(draws if rate.size else 0):
        truth, rows = _drawn(generator, shapes, scale, lengths=lengths, floor=floor, limit=limits.max())
        order = rows[np.argsort(-truth[rows], kind="stable")]
        ends = np.cumsum(lengths[order])
        for sum_of_level, limit in zip(sums, limits, strict=True):
            sum_of_level[order] += _within(ends, lengths[order], limit)
        floor = SLACK * float(truth[order[min(np.searchsorted(ends, limits.max()), order.size - 1)]])
    return sums.T / max(draws, 1)


def membership(score: Floats, lengths: Floats, level: float) -> Floats:
    """Share of each row's length that lies in the top `level` of all length, highest score first."""
    order = np.argsort(-score, kind="stable")
    found = np.empty(score.size)
    found[order] = _within(np.cumsum(lengths[order]), lengths[order], level * float(lengths.sum()))
    return found


def _drawn(
    generator: np.random.Generator, shapes: Floats, scale: Floats, *, lengths: Floats, floor: float, limit: float
) -> tuple[Floats, NDArray[np.int64]]:
    """True rates, and the rows that fill `limit` of length with the highest; all rows where those do not suffice.

    A gamma variable of shape k is one of shape k + 1, quick to draw, times a uniform one to the power of 1 / k
    (Stuart 1962); the second is drawn only where the first leaves a chance. Elsewhere the first is returned.
    """
    truth = generator.standard_gamma(shapes + 1.0) * scale
    high = truth > floor
    rows = np.flatnonzero(high)
    truth[rows] *= np.exp(-generator.standard_exponential(rows.size) / shapes[rows])
    above = rows[truth[rows] > floor]
    if lengths[above].sum() >= limit:
        return truth, above
    rest = np.flatnonzero(~high)
    truth[rest] *= np.exp(-generator.standard_exponential(rest.size) / shapes[rest])
    return truth, np.arange(truth.size)


def _within(ends: Floats, lengths: Floats, limit: float) -> Floats:
    """Share of each length that ends before the limit, lengths being laid end to end."""
    return np.clip((limit - ends) / np.maximum(lengths, NARROWEST) + 1.0, 0.0, 1.0)
