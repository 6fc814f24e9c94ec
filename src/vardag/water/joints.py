"""Which pipes are joined: an end of the one lies where an end of the other lies.

Only a pipe's own line says where it ends. A pipe that was given the line of its road (`vardag.water.linking.place`)
does not: two pipes in one road would be joined at both ends, and those of the next road at every crossing. Its line
is known by being a road's line to the last bit. A pipe that joins another in the middle of its line, as a tee that
the register did not cut, is not found.

Pairs are between two ends and not by way of a third: a pipe that is laid later can then never join two that were
there before it, so what is known of a day stays the same.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from vardag.core.spatial import line_ends

JOINED_M = 0.5
MOST_ENDS = 50
"""Ends on one spot, to the last digit: more are no joint but what stands for an unknown place."""

NOTHING_JOINED = pl.DataFrame(schema={"life": pl.Int64, "other": pl.Int64})


def joints(lives: pl.DataFrame, roads: pl.DataFrame | None) -> tuple[pl.Series, pl.DataFrame]:
    """Find which lives have a line of their own, and which share a joint.

    Returns
    -------
    ``own_line``, True for the lives whose geometry is a line and not a road's; and pairs of ``life`` and ``other``
    (rows), each pair once in both directions, sorted. Two lives that share both ends are one pair; no life is
    joined to itself, though its ends meet.
    """
    ends = line_ends(lives["geom"])
    own = np.isfinite(ends[:, 0]) & ~_along_roads(lives["geom"], roads)
    return pl.Series("own_line", own, dtype=pl.Boolean), _pairs(np.flatnonzero(own), ends[own].reshape(-1, 2))


def _along_roads(lines: pl.Series, roads: pl.DataFrame | None) -> NDArray[np.bool_]:
    if roads is None or "geom" not in roads.columns:
        return np.zeros(lines.len(), dtype=bool)
    return lines.is_in(roads["geom"].drop_nulls().unique().implode()).fill_null(value=False).to_numpy()


def _pairs(rows: NDArray[np.int64], places: NDArray[np.float64]) -> pl.DataFrame:
    kept = _not_heaped(places)
    life = np.repeat(rows, 2)[kept]
    if not life.size:
        return NOTHING_JOINED
    met = life[cKDTree(places[kept]).query_pairs(JOINED_M, output_type="ndarray")]
    both = np.concatenate([met, met[:, ::-1]])
    pairs = pl.DataFrame({"life": both[:, 0], "other": both[:, 1]}, schema=NOTHING_JOINED.schema)
    return pairs.filter(pl.col("life") != pl.col("other")).unique().sort("life", "other")


def _not_heaped(places: NDArray[np.float64]) -> NDArray[np.bool_]:
    ends = pl.DataFrame({"x": places[:, 0], "y": places[:, 1]})
    return ends.select(pl.len().over("x", "y") <= MOST_ENDS).to_series().to_numpy()
