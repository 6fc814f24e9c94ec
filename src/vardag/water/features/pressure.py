"""The pressure that has been measured near the pipe: how high it is, how it has changed, how it swings.

Only measurements up to ``as_of`` count, also for which point is the nearest. What has no day is left out: nobody
knows whether it was known. How near a point must be, and how long a measurement counts as recent, are the
parameters ``pressure_point_m`` and ``pressure_recent_years``.
"""

import numpy as np
from numpy.typing import NDArray

from vardag.water.features.catalogue import Values, feature
from vardag.water.panel import Floats, Snapshot, day_number, years_after

Chosen = NDArray[np.bool_]


def is_recent(cut: Snapshot) -> Chosen:
    """Which of the known readings are of the latest years."""
    start = day_number(years_after(cut.as_of, -cut.pressures.recent_years))
    return np.asarray(cut.pressures.readings["day"].to_numpy() > start)


def means(cut: Snapshot, column: str, chosen: Chosen) -> Floats:
    """Mean of a column over the chosen readings of each point; NaN where a point has none."""
    values = cut.pressures.readings[column].cast(float).fill_null(np.nan).to_numpy()
    point, points = cut.pressures.readings["point"].to_numpy(), cut.pressures.readings["point"].n_unique()
    use = chosen & np.isfinite(values)
    count = np.bincount(point[use], minlength=points)
    total = np.bincount(point[use], weights=values[use], minlength=points)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def nearest(cut: Snapshot, known: Floats) -> NDArray[np.int64]:
    """For each pipe the nearest point with a known value; -1 where there is none within reach."""
    life, point = (cut.pressures.near[name].to_numpy() for name in ("life", "point"))
    use = np.isfinite(known)[point]
    life, point = life[use], point[use]
    first = np.flatnonzero(np.diff(life, prepend=-1))  # pairs are in order of pipes, each one's nearest first
    chosen = np.full(cut.place.size, -1, dtype=np.int64)
    chosen[life[first]] = point[first]
    return chosen[cut.rows]


def at(points: NDArray[np.int64], values: Floats) -> Floats:
    """Value of each pipe's point; NaN where it has no point."""
    return np.asarray(np.append(values, np.nan)[points])


@feature("pressure", "dated", needs=("pressure", "road"))
def measured_pressure_m(cut: Snapshot) -> Values:
    """Mean pressure of the latest years (five) at the nearest point measured in them, metres of water."""
    recent = means(cut, "pressure_m", is_recent(cut))
    return at(nearest(cut, recent), recent)


@feature("pressure", "dated", needs=("pressure", "road"))
def pressure_change_m(cut: Snapshot) -> Values:
    """How much higher that mean is than the mean of the years before at the same point; missing where none is."""
    recent = means(cut, "pressure_m", is_recent(cut))
    return at(nearest(cut, recent), recent - means(cut, "pressure_m", ~is_recent(cut)))


@feature("pressure", "dated", needs=("pressure", "road"))
def pressure_swing_m(cut: Snapshot) -> Values:
    """Mean so far of a day's highest less its lowest, at the nearest point that tells both, metres of water."""
    swings = means(cut, "swing_m", np.ones(cut.pressures.readings.height, dtype=bool))
    return at(nearest(cut, swings), swings)
