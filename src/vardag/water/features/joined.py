"""Breaks of the pipes that are joined to the pipe: what runs along the pipe itself, such as pressure and movement.

Joined is what shares an end (`vardag.water.joints`). Only pipes with a line of their own have a value; in a city
whose register has no lines no pipe has one.
"""

import numpy as np

from vardag.water.features.catalogue import Values, feature
from vardag.water.features.excess import PRIOR_BREAKS, expected_so_far
from vardag.water.features.history import count_own
from vardag.water.panel import Floats, Snapshot

RECENT_YEARS = 10.0


def over_joined(cut: Snapshot, values: Floats) -> Floats:
    """Sum a value of every life of the network over those joined to each pipe; NaN where its line is unknown."""
    life, other = (cut.joined[name].to_numpy() for name in ("life", "other"))
    total = np.bincount(cut.place[life], weights=values[other], minlength=cut.size)
    return np.where(cut.lives["own_line"].to_numpy(), total, np.nan)


@feature("joined", "dated", needs=("break",))
def joined_breaks_10y(cut: Snapshot) -> Values:
    """Breaks in the last ten years of the pipes that share an end with it, those since taken out included."""
    life = cut.breaks["life"].to_numpy()
    recent = (cut.break_ages() < RECENT_YEARS) & (life >= 0)
    return over_joined(cut, np.bincount(life[recent], minlength=cut.place.size).astype(np.float64))


@feature("joined", "dated", needs=("break",))
def joined_excess(cut: Snapshot) -> Values:
    """Breaks so far of the pipes that share an end with it, over what their material and age class would give.

    Of pipes in the ground; one break at the usual rate is added to both, so that it is 1 where nothing is joined.
    """
    breaks = count_own(cut, np.ones(cut.breaks.height))
    seen, expected = np.zeros(cut.place.size), np.zeros(cut.place.size)
    seen[cut.rows], expected[cut.rows] = breaks, expected_so_far(cut, breaks)
    return (over_joined(cut, seen) + PRIOR_BREAKS) / (over_joined(cut, expected) + PRIOR_BREAKS)
