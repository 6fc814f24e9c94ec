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


def own_lines(lives: pl.DataFrame, roads: pl.DataFrame | None) -> pl.Series:
    """Return True for the lives whose geometry is a line and not that of a road."""
    x = line_ends(lives["geom"])[:, 0]
    line = pl.Series("own_line", np.isfinite(x), dtype=pl.Boolean)
    if roads is None or "geom" not in roads.columns:
        return line
    return line & ~lives["geom"].is_in(roads["geom"].drop_nulls().unique().implode()).fill_null(value=False)


def joined_pairs(lives: pl.DataFrame) -> pl.DataFrame:
    """Pairs of lives that share a joint, each pair once in both directions, sorted: ``life``, ``other`` (rows).

    `lives` needs ``geom`` and ``own_line``. Two lives that share both ends are one pair; no life is joined to
    itself, though its ends meet.
    """
    rows = np.flatnonzero(lives["own_line"].to_numpy())
    places = line_ends(lives["geom"].gather(rows)).reshape(-1, 2)
    kept = _not_heaped(places)
    life = np.repeat(rows, 2)[kept]
    if life.size < 2:
        return NOTHING_JOINED
    met = life[cKDTree(places[kept]).query_pairs(JOINED_M, output_type="ndarray")]
    both = np.concatenate([met, met[:, ::-1]])
    pairs = pl.DataFrame({"life": both[:, 0], "other": both[:, 1]}, schema=NOTHING_JOINED.schema)
    return pairs.filter(pl.col("life") != pl.col("other")).unique().sort("life", "other")


def _not_heaped(places: NDArray[np.float64]) -> NDArray[np.bool_]:
    ends = pl.DataFrame({"x": places[:, 0], "y": places[:, 1]})
    return ends.select(pl.len().over("x", "y") <= MOST_ENDS).to_series().to_numpy()
