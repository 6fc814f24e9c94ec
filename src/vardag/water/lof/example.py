"""A small made-up panel with known true rates, for examples and tests. No city looks like this."""

from datetime import date
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vardag.water.lof.port import Floats

RATE_PER_KM = {"CI": 0.40, "DI": 0.10, "AC": 0.15, "PVC": 0.02, "PE": 0.02}
HETEROGENEITY_SHAPE = 1.0
RECORD_START = 1996


def example_panel(*, pipes: int = 400, years: int = 12, seed: int = 0, level: float = 1.0) -> pl.DataFrame:
    """Make a panel: each pipe breaks as a Poisson process with its own ``true_rate`` per km and year.

    Parameters
    ----------
    pipes
        Number of pipes, all in the ground throughout.
    years
        Number of ``as_of`` dates, the last being 31 December 2021.
    seed
        Seed of the town.
    level
        Factor on every true rate; 0 gives a town without breaks.

    Examples
    --------
    >>> example_panel(pipes=3, years=2).select("pipe_key", "as_of").height
    6
    """
    generator = np.random.default_rng(seed)
    town = _town(pipes, generator, level)
    last = 2021
    labels = last - RECORD_START + 1
    means = town["true_rate"].to_numpy() * town["length_m"].to_numpy() / 1000
    breaks = generator.poisson(means[:, None], (pipes, labels)).astype(np.int32)
    cuts = [_year(town, breaks, year, last) for year in range(last - years + 1, last + 1)]
    return pl.concat(cuts)


def _town(pipes: int, generator: np.random.Generator, level: float) -> pl.DataFrame:
    material = generator.choice(list(RATE_PER_KM), pipes, p=[0.35, 0.25, 0.1, 0.15, 0.15])
    install = np.where(np.isin(material, ["CI", "AC"]), 1930, 1965) + generator.integers(0, 30, pipes)
    own = generator.gamma(HETEROGENEITY_SHAPE, 1 / HETEROGENEITY_SHAPE, pipes)
    base = np.array([RATE_PER_KM[name] for name in material])
    return pl.DataFrame(
        {
            "pipe_key": [f"p{number:05d}" for number in range(pipes)],
            "origin": "register",
            "length_m": np.exp(generator.normal(4.3, 0.8, pipes)),
            "material": material,
            "install_year": install.astype(float),
            "era": [f"{year // 10 * 10}s" for year in install],
            "diameter_mm": generator.choice([100.0, 150.0, 200.0, 300.0], pipes),
            "pressure_zone": generator.choice(["north", "south"], pipes),
            "street_block": [f"s{number // 4}" for number in range(pipes)],
            "aadt": np.where(generator.random(pipes) < 0.2, np.nan, generator.integers(200, 9000, pipes)),
            "true_rate": level * base * own,
        }
    )


def _year(town: pl.DataFrame, breaks: NDArray[np.int32], year: int, last: int) -> pl.DataFrame:
    """Risk set on 31 December of a year; column ``j`` of the breaks is the year after ``RECORD_START + j``."""
    place = year - RECORD_START
    so_far = breaks[:, :place].sum(axis=1).astype(float)
    three: list[Any] = breaks[:, place : place + 3].sum(axis=1).tolist()
    return town.with_columns(
        as_of=pl.lit(date(year, 12, 31)),
        exposure_years=pl.lit(1.0),
        breaks=pl.Series(breaks[:, place]),
        breaks_3y=pl.Series(three if year + 2 <= last else [None] * len(three), dtype=pl.Int32),
        age_years=pl.lit(float(year)) - pl.col("install_year"),
        own_breaks=pl.Series(so_far),
        own_observed_years=pl.lit(float(place)),
        nearby_150m=pl.Series(_neighbours(so_far)),
    )


def _neighbours(so_far: Floats) -> Floats:
    """Breaks of the pipes next in number, as if they lay beside one another."""
    return np.roll(so_far, 1) + np.roll(so_far, -1)
