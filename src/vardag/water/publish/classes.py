"""Rank classes: the colours and widths that the map, the GeoPackage style and the pictures share.

A pipe's class is decided by where its own stretch begins when all pipes are laid end to end, highest rate first,
so the first pipe is always in the first class however long it is. The colours grow darker with the rate, differ in
lightness (so they survive colour blindness and a grey printer), and are drawn wider the higher the class.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray


@dataclass(frozen=True)
class RankClass:
    """One class: pipes whose stretch begins below this share of the network's length."""

    number: int
    below: float
    colour: str
    width_mm: float


CLASSES = (
    RankClass(1, 0.01, "#4a0c3f", 1.10),
    RankClass(2, 0.05, "#a81f50", 0.80),
    RankClass(3, 0.10, "#e0612f", 0.60),
    RankClass(4, 0.20, "#eba937", 0.50),
    RankClass(5, 1.00, "#a9b4c0", 0.26),
)
ROAD_COLOUR = "#e3e6ea"


def rank_class(predictions: pl.DataFrame) -> pl.Series:
    """Class 1 (highest rates) to 5 of each pipe, from its rank and length.

    Parameters
    ----------
    predictions
        With ``rank`` and ``length_m``; any row order.

    Returns
    -------
    Int8 series ``rank_class`` in the frame's order.
    """
    length = predictions["length_m"].fill_null(0.0).to_numpy()
    order = np.argsort(predictions["rank"].to_numpy(), kind="stable")
    start = np.empty(length.size)
    start[order] = np.cumsum(length[order]) - length[order]
    share = start / max(float(length.sum()), 1e-9)
    bounds: NDArray[np.float64] = np.array([one.below for one in CLASSES[:-1]])
    return pl.Series("rank_class", np.searchsorted(bounds, share, side="right") + 1, dtype=pl.Int8)
