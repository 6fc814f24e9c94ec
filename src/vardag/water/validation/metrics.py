"""Capture: the share of breaks that lay in the top share of network length, ranked by rate.

Within its origin year, each pipe-year takes up an interval ``[a, b]`` of the cumulative share of length when pipes
are ranked by falling rate; pipes with the same rate share one interval. A break there is caught at level ``x`` with
``clip((x - a) / (b - a), 0, 1)``, which is what digging a random part of a tie would catch. Capture is the mean
over all breaks, pooled over years.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vardag.water.lof.port import Floats

LEVELS = (0.0025, 0.01, 0.05, 0.1, 0.2)
CURVE_LEVELS = tuple(np.linspace(0.0, 1.0, 101).tolist())
NARROWEST = 1e-15


def length_intervals(rate: Floats, length: Floats, origin: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Interval of cumulative length share that each row takes up within its origin, highest rate first.

    Parameters
    ----------
    rate
        What to rank by; ties share one interval.
    length
        Length of each row, any unit, not negative.
    origin
        Number of the origin of each row; ranks and shares are within it.

    Returns
    -------
    ``a`` and ``b``, each in the order of the rows.
    """
    order = np.lexsort((-rate, origin))
    ranked_rate, ranked_origin, ranked_length = rate[order], origin[order], length[order]
    first = np.r_[True, ranked_origin[1:] != ranked_origin[:-1]][: order.size]
    tie = np.r_[True, (ranked_rate[1:] != ranked_rate[:-1]) | first[1:]][: order.size]
    group, block = np.cumsum(tie) - 1, np.cumsum(first) - 1
    total = np.bincount(block, weights=ranked_length)
    width = np.bincount(group, weights=ranked_length)
    end = np.cumsum(width)
    before_origin = np.cumsum(total) - total
    block_of_group = block[tie]
    a = (end - width - before_origin[block_of_group]) / total[block_of_group]
    b = (end - before_origin[block_of_group]) / total[block_of_group]
    low, high = np.empty(order.size), np.empty(order.size)
    low[order], high[order] = np.clip(a, 0.0, 1.0)[group], np.clip(b, 0.0, 1.0)[group]
    return low, high


def caught(a: Floats, b: Floats, levels: Sequence[float]) -> Floats:
    """Share of each interval that lies within each level; shape (rows, levels)."""
    width = np.maximum(b - a, NARROWEST)[:, None]
    return np.clip((np.asarray(levels)[None, :] - a[:, None]) / width, 0.0, 1.0)


def capture(a: Floats, b: Floats, breaks: Floats, levels: Sequence[float] = LEVELS) -> Floats:
    """Share of the breaks caught at each level; NaN where there are no breaks."""
    broken = breaks > 0
    total = breaks.sum()
    if not total:
        return np.full(len(levels), np.nan)
    return np.asarray(breaks[broken] @ caught(a[broken], b[broken], levels) / total)


def origin_codes(scores: pl.DataFrame) -> NDArray[np.int64]:
    """Number of each row's origin date."""
    return scores["as_of"].rank("dense").cast(pl.Int64).to_numpy() - 1
