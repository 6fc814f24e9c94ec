"""Breaks of others around the pipe: nearby, in the same street, in the same cohort; never its own."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vardag.water.features.catalogue import Values, feature
from vardag.water.features.history import HALF_LIFE_YEARS, count_own, own_observed_years
from vardag.water.panel import Floats, Snapshot

STREET_SHRINK_KM_YEARS = 2.0
COHORT_SHRINK_KM_YEARS = 20.0


def recency(cut: Snapshot) -> Floats:
    """Weight of each known break: half for every `HALF_LIFE_YEARS` that have passed."""
    return np.asarray(0.5 ** (cut.break_ages() / HALF_LIFE_YEARS))


def sum_nearby(cut: Snapshot, weights: Floats, radius_m: float) -> Floats:
    """Sum break weights over the breaks of other pipes within a radius of each pipe."""
    life, number = cut.near["life"].to_numpy(), cut.near["break"].to_numpy()
    place = cut.place[life]
    inside = (place >= 0) & (cut.near["distance_m"].to_numpy() <= radius_m)
    return np.bincount(place[inside], weights=weights[number[inside]], minlength=cut.size).astype(np.float64)


@feature("neighbours", "dated", needs=("break", "road"))
def nearby_50m(cut: Snapshot) -> Values:
    """Breaks of other pipes within 50 m, half weight for every five years that have passed."""
    return sum_nearby(cut, recency(cut), 50.0)


@feature("neighbours", "dated", needs=("break", "road"))
def nearby_150m(cut: Snapshot) -> Values:
    """Breaks of other pipes within 150 m, half weight for every five years that have passed."""
    return sum_nearby(cut, recency(cut), 150.0)


@feature("neighbours", "dated", needs=("break", "road"))
def nearby_300m(cut: Snapshot) -> Values:
    """Breaks of other pipes within 300 m, half weight for every five years that have passed."""
    return sum_nearby(cut, recency(cut), 300.0)


@feature("neighbours", "dated", needs=("break", "road"))
def nearby_150m_5y(cut: Snapshot) -> Values:
    """Breaks of other pipes within 150 m in the last five years."""
    return sum_nearby(cut, (cut.break_ages() < 5.0).astype(float), 150.0)


def group_rate(cut: Snapshot, group: NDArray[np.int64], breaks: Floats, shrink: float) -> Floats:
    """Breaks per km and year of the other pipes of each pipe's group, shrunk towards the network's rate.

    Gamma-Poisson mean (breaks + rate x shrink) / (km-years + shrink); a pipe's own part is taken out of both.
    """
    km_years = cut.lives["length_m"].to_numpy() / 1000 * np.asarray(own_observed_years(cut))
    network = breaks.sum() / max(km_years.sum(), 1e-9)
    others = np.bincount(group, weights=breaks)[group] - breaks
    others_km_years = np.bincount(group, weights=km_years)[group] - km_years
    return np.asarray((others + network * shrink) / (others_km_years + shrink))


def codes(*columns: pl.Series) -> NDArray[np.int64]:
    """Number the distinct combinations of columns, missing values being one of them."""
    return (
        pl.DataFrame(list(columns)).select(pl.struct(pl.all()).rank("dense").cast(pl.Int64)).to_series().to_numpy()
    )


def street_key(lives: pl.DataFrame) -> pl.Series:
    """Road segment, else street name, else the pipe alone."""
    alone = pl.lit("pipe ") + pl.col("pipe_key")
    return lives.select(pl.coalesce("road_id", "street", alone).alias("street")).to_series()


@feature("street", "dated", needs=("break",))
def street_rate(cut: Snapshot) -> Values:
    """Breaks per km and year of the other pipes in the same street segment, shrunk towards the network's rate."""
    breaks = count_own(cut, np.ones(cut.breaks.height))
    return group_rate(cut, codes(street_key(cut.lives)), breaks, STREET_SHRINK_KM_YEARS)


@feature("cohort", "dated", needs=("break",))
def cohort_rate(cut: Snapshot) -> Values:
    """Breaks per km and year so far of the other pipes of its material and decade."""
    breaks = count_own(cut, np.ones(cut.breaks.height))
    decade = (cut.lives["install_year"] // 10).rename("decade")
    return group_rate(cut, codes(cut.lives["material"], decade), breaks, COHORT_SHRINK_KM_YEARS)
