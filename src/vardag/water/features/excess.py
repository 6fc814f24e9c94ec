"""Whether pipes break more than pipes like them, smoothed over the map: ground, traffic and crews are local.

Each pipe's breaks so far, and those that its cohort (material x decade) would have had, are spread over the map by
a Gaussian kernel; the first over the second says how a place differs from what its pipes explain. It is the kernel
of a self-exciting process (Ogata 1998, Space-time point-process models for earthquake occurrences, Annals of the
Institute of Statistical Mathematics 50) that does not forget: on Kitchener's validation years a memory of 2 or 8
years told less than one without end, and 200 m told as much as three bandwidths together.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from vardag.water.features.catalogue import Values, feature
from vardag.water.features.history import count_own, own_observed_years
from vardag.water.features.neighbours import COHORT_SHRINK_KM_YEARS, codes
from vardag.water.panel import Floats, Snapshot

BANDWIDTH_M = 200.0
CELLS_PER_BANDWIDTH = 4
REACH = 3.0  # bandwidths; a kernel is cut there
LARGEST_GRID = 4_000_000  # cells; a city of 100 km x 100 km at 50 m
PRIOR_BREAKS = 1.0


@dataclass(frozen=True)
class Grid:
    """Square cells over the pipes that have a place.

    Attributes
    ----------
    placed
        Which pipes have a place.
    cell
        Cell of each of those, counted row by row.
    shape
        Cells in x and y.
    sigma
        Bandwidth in cells.
    """

    placed: NDArray[np.bool_]
    cell: NDArray[np.int64]
    shape: tuple[int, int]
    sigma: float

    def smooth(self, values: Floats) -> Floats:
        """Kernel sum over the other pipes: one on the same spot counts one. Nought for pipes without a place."""
        own = values[self.placed]
        summed = np.bincount(self.cell, weights=own, minlength=self.shape[0] * self.shape[1])
        spread = self._filter(summed.astype(np.float64).reshape(self.shape)).ravel()[self.cell] / self._peak()
        result = np.zeros(values.size)
        result[self.placed] = np.maximum(spread - own, 0.0)
        return result

    def _filter(self, cells: Floats) -> Floats:
        return np.asarray(gaussian_filter(cells, self.sigma, mode="constant", truncate=REACH))

    def _peak(self) -> float:
        """What the filter leaves of one in its own cell."""
        half = int(REACH * self.sigma + 0.5)
        alone = np.zeros((2 * half + 1, 2 * half + 1))
        alone[half, half] = 1.0
        return float(self._filter(alone)[half, half])


def grid(x: Floats, y: Floats, *, bandwidth_m: float) -> Grid:
    """Lay cells of a quarter of the bandwidth over the pipes; larger ones where that would be too many."""
    placed = np.isfinite(x) & np.isfinite(y)
    if not placed.any():
        return Grid(placed, np.empty(0, dtype=np.int64), (1, 1), float(CELLS_PER_BANDWIDTH))
    across, up = x[placed] - x[placed].min(), y[placed] - y[placed].min()
    size = bandwidth_m / CELLS_PER_BANDWIDTH
    cells = (across.max() / size + 1) * (up.max() / size + 1)
    size *= max(1.0, np.sqrt(cells / LARGEST_GRID))
    column, row = (across // size).astype(np.int64), (up // size).astype(np.int64)
    shape = (int(column.max()) + 1, int(row.max()) + 1)
    return Grid(placed, column * shape[1] + row, shape, bandwidth_m / size)


def expected_so_far(cut: Snapshot, breaks: Floats) -> Floats:
    """Breaks that each pipe would have had so far at its cohort's (material x decade) rate, itself included."""
    km_years = cut.lives["length_m"].to_numpy() / 1000 * np.asarray(own_observed_years(cut))
    network = breaks.sum() / max(km_years.sum(), 1e-9)
    cohort = codes(cut.lives["material"], (cut.lives["install_year"] // 10).rename("decade"))
    seen, size = np.bincount(cohort, weights=breaks), np.bincount(cohort, weights=km_years)
    rate = (seen + network * COHORT_SHRINK_KM_YEARS) / (size + COHORT_SHRINK_KM_YEARS)
    return np.asarray(km_years * rate[cohort])


@feature("neighbours", "dated", needs=("break", "road"))
def nearby_excess(cut: Snapshot) -> Values:
    """Breaks so far of other pipes around, over what their material and age class would give: 2 is twice as many.

    Weights fall with distance (Gaussian, 200 m); one break at the usual rate is added to both.
    """
    breaks = count_own(cut, np.ones(cut.breaks.height))
    cells = grid(cut.lives["x"].to_numpy(), cut.lives["y"].to_numpy(), bandwidth_m=BANDWIDTH_M)
    seen, expected = cells.smooth(breaks), cells.smooth(expected_so_far(cut, breaks))
    ratio = (seen + PRIOR_BREAKS) / (expected + PRIOR_BREAKS)
    return np.where(cells.placed, ratio, np.nan)
