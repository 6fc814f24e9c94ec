"""The pipe's own breaks so far, and how recent they are."""

import numpy as np
from numpy.typing import NDArray

from vardag.water.features.catalogue import Values, feature
from vardag.water.features.pipe import days_of
from vardag.water.panel import Floats, Snapshot, day_number

HALF_LIFE_YEARS = 5.0
SHRINK_KM_YEARS = 1.0


def own_places(cut: Snapshot) -> NDArray[np.int64]:
    """For each known break, the place of its pipe in the snapshot; -1 where unlinked or not in the risk set."""
    life = cut.breaks["life"].to_numpy()
    return np.where(life >= 0, cut.place[life], -1)


def count_own(cut: Snapshot, weights: Floats) -> Floats:
    """Sum break weights over each pipe's own breaks."""
    place = own_places(cut)
    own = place >= 0
    return np.bincount(place[own], weights=weights[own], minlength=cut.size).astype(np.float64)


@feature("own_history", "dated", needs=("break",))
def own_breaks(cut: Snapshot) -> Values:
    """Breaks recorded on this pipe so far."""
    return count_own(cut, np.ones(cut.breaks.height))


@feature("own_history", "dated", needs=("break",))
def own_breaks_5y(cut: Snapshot) -> Values:
    """Breaks recorded on this pipe in the last five years."""
    return count_own(cut, (cut.break_ages() < 5.0).astype(float))


@feature("own_history", "dated", needs=("break",))
def own_breaks_recent(cut: Snapshot) -> Values:
    """Breaks on this pipe, each weighted by half for every five years that have passed."""
    return count_own(cut, 0.5 ** (cut.break_ages() / HALF_LIFE_YEARS))


@feature("own_history", "dated", needs=("break",))
def own_years_since(cut: Snapshot) -> Values:
    """Years since the last break on this pipe; missing where none is recorded."""
    place, ages = own_places(cut), cut.break_ages()
    years = np.full(cut.size, np.inf)
    np.minimum.at(years, place[place >= 0], ages[place >= 0])
    return np.where(np.isfinite(years), years, np.nan)


@feature("own_history", "dated")
def own_observed_years(cut: Snapshot) -> Values:
    """Years that this pipe has been in the ground and the log has been kept, up to `as_of`."""
    start = np.fmax(days_of(cut.lives["install_date"]), day_number(cut.record_start))
    return np.maximum((day_number(cut.as_of) - start) / 365.25, 0.0)


@feature("own_history", "dated", needs=("break",))
def own_rate(cut: Snapshot) -> Values:
    """Own breaks per km and observed year, with the length and time shrunk so that short pipes do not explode."""
    km_years = cut.lives["length_m"].to_numpy() / 1000 * np.asarray(own_observed_years(cut))
    return np.asarray(count_own(cut, np.ones(cut.breaks.height)) / (km_years + SHRINK_KM_YEARS))
