"""From pipe-years to survival data: pieces of a pipe's age between breaks, and landmarks for late clocks.

The panel has one row per pipe and year of observation, with the number of breaks in it. Two ways to read it:

- `pieces`: time is the pipe's age. Each pipe-year is the interval of age that was observed; its first day is the
  entry (left truncation: ages before the log began are never at risk), and it is cut at each break (Andersen and
  Gill, 1982, Cox's regression model for counting processes). The panel does not say on which day of the year a pipe
  broke, so breaks are spread evenly over it.
- `landmarks`: time runs from a landmark, a year end on which the pipe was under observation, to its first break or
  the end of the block of years (van Houwelingen, 2007, Dynamic prediction by landmarking). Nothing is truncated,
  since the clock starts under observation; age is a covariate. For methods that know no delayed entry.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.peers.inputs import known_ages
from vardag.water.lof.port import Floats, counts, numbers


@dataclass(frozen=True)
class Pieces:
    """Observed intervals of age, years: the row each is of, where it starts and stops, and if a break ends it."""

    row: NDArray[np.int64]
    entry: Floats
    stop: Floats
    event: NDArray[np.bool_]


def pieces(rows: pl.DataFrame, *, typical: float) -> Pieces:
    """Cut each pipe-year at its breaks; a year with n breaks is n + 1 pieces, the last without a break."""
    breaks = counts(rows).astype(np.int64)
    row = np.repeat(np.arange(rows.height), breaks + 1)
    place = np.arange(row.size) - np.repeat(np.cumsum(breaks + 1) - (breaks + 1), breaks + 1)
    start = known_ages(rows, typical)[row]
    width = numbers(rows, "exposure_years")[row] / (breaks[row] + 1)
    return Pieces(row, start + place * width, start + (place + 1) * width, place < breaks[row])


def landmarks(rows: pl.DataFrame, *, years: int) -> pl.DataFrame:
    """One row per pipe and block of years, counted back from the latest, as the pipe was when the block began.

    Parameters
    ----------
    rows
        Usable pipe-years, in the order of `vardag.water.lof.port.usable`.
    years
        Years of a block.

    Returns
    -------
    The columns of `rows` on the landmark, with ``followed_years`` to the first break or the end of observation, and
    ``broke``. A break is placed in the middle of its year.
    """
    year = pl.col("as_of").dt.year()
    before = pl.col("exposure_years").cum_sum() - pl.col("exposure_years")
    at_break = before + pl.col("exposure_years") / 2.0
    by_block = rows.with_columns(block=(year.max() - year) // years).group_by(
        "pipe_key", "block", maintain_order=True
    )
    return by_block.agg(
        pl.col(rows.columns).exclude("pipe_key").first(),
        broke=(pl.col("breaks") > 0).any(),
        followed_years=pl.coalesce(at_break.filter(pl.col("breaks") > 0).first(), pl.col("exposure_years").sum()),
    )


@dataclass(frozen=True)
class Baseline:
    """Hazard per year by year of age, averaged over a window of ages, for a relative risk of one."""

    by_age: Floats

    def at(self, age: Floats) -> Floats:
        """Hazard in the year that begins at each age; the oldest known hazard beyond it."""
        middle = np.floor(age + 0.5).astype(np.int64)
        return self.by_age[np.clip(middle, 0, self.by_age.size - 1)]


def baseline(observed: Pieces, risk: Floats, weight: Floats, *, half_width: int) -> Baseline:
    """Breaks over relative risk times years at risk, within a window of ages: a smoothed Breslow estimate.

    Only the ages that a piece was observed at count as at risk. (lifelines' own baseline forgets the entry: its
    risk set at an age holds every piece that ends later, those not yet begun too.) Sources: Breslow (1974),
    Covariance analysis of censored survival data; Ramlau-Hansen (1983), Smoothing counting process intensities by
    means of kernel functions.

    Parameters
    ----------
    risk, weight
        Relative risk and sampling weight of each piece.
    half_width
        Years of age on either side of the year.
    """
    age = np.floor((observed.entry + observed.stop) / 2.0).astype(np.int64)
    window = np.ones(2 * half_width + 1)
    at_risk = np.convolve(np.bincount(age, weights=weight * risk * (observed.stop - observed.entry)), window)
    broken = np.convolve(np.bincount(age, weights=weight * observed.event), window)
    inner = slice(half_width, at_risk.size - half_width)
    known, overall = at_risk[inner] > 0, broken.sum() / at_risk.sum()
    return Baseline(np.divide(broken[inner], at_risk[inner], out=np.full(known.size, overall), where=known))
