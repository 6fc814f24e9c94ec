"""Breaks of the pipes that are joined to the pipe: what runs along the pipe itself, such as pressure and movement.

Joined is what shares an end (`vardag.water.joints`). Only pipes with a line of their own have a value; in a city
whose register has no lines no pipe has one. Other forms were tried on demo towns: over what is usual for their
kind, two and three joints away, the share of what is joined that is of the same make and decade. None told the
model more, and the last did harm.
"""

import numpy as np

from vardag.water.features.catalogue import Values, feature
from vardag.water.panel import Snapshot

RECENT_YEARS = 10.0


@feature("joined", "dated", needs=("break",))
def joined_breaks_10y(cut: Snapshot) -> Values:
    """Breaks in the last ten years of the pipes that share an end with it, those since taken out included."""
    broken = cut.breaks["life"].to_numpy()
    recent = (cut.break_ages() < RECENT_YEARS) & (broken >= 0)
    breaks = np.bincount(broken[recent], minlength=cut.place.size)
    life, other = (cut.joined[name].to_numpy() for name in ("life", "other"))
    total = np.bincount(cut.place[life], weights=breaks[other], minlength=cut.size)
    return np.where(cut.lives["own_line"].to_numpy(), total, np.nan)
