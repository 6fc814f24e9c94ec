"""The true break rate of every pipe: what a perfect model of this town would know."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from vardag.demo import constants
from vardag.demo.fields import Floats, Ints, SmoothField

MATERIALS = tuple(constants.AGE_POWER)
COHORT_YEARS, FIRST_COHORT, COHORTS = 5, 1880, 32


@dataclass(frozen=True)
class Hidden:
    """What no register tells: factors shared by a cohort, by a neighbourhood and by a street link."""

    cohort: Floats  # (materials, five-year periods)
    spatial: SmoothField
    street: Floats  # per run


def draw_hidden(rng: np.random.Generator, *, runs: int) -> Hidden:
    """Draw the hidden factors, each about 1."""
    spread, shape = constants.COHORT_SPREAD, constants.STREET_SHAPE
    return Hidden(
        cohort=rng.lognormal(-(spread**2) / 2, spread, (len(MATERIALS), COHORTS)),
        spatial=SmoothField.draw(rng, wavelength_m=constants.SPATIAL_M),
        street=rng.gamma(shape, 1 / shape, runs),
    )


def lasting(rng: np.random.Generator, pipes: pl.DataFrame, hidden: Hidden) -> tuple[Floats, Floats]:
    """Relative rate of each pipe at 50 years of age, without its own history, the trend and the winter.

    ``pipes`` has the columns of the places, and ``material``, ``diameter_mm`` and ``install_year``. The second of
    the two is the part of the rate that is the pipe's own (mean 1), which nothing but its breaks can tell.
    """
    material = pipes["material"].to_numpy()
    year = pipes["install_year"].to_numpy()
    rate = _base(material, year)
    rate *= (pipes["diameter_mm"].to_numpy() / 150) ** constants.DIAMETER_POWER
    rate *= _surroundings(pipes)
    code = pipes["material"].replace_strict(MATERIALS, range(len(MATERIALS)), return_dtype=pl.Int64).to_numpy()
    period = np.clip((year - FIRST_COHORT) // COHORT_YEARS, 0, COHORTS - 1)
    rate *= hidden.cohort[code, period] * hidden.street[pipes["run"].to_numpy()]
    rate *= np.exp(constants.SPATIAL_SPREAD * hidden.spatial(pipes.select("x", "y").to_numpy()))
    own = rng.gamma(constants.PIPE_SHAPE, 1 / constants.PIPE_SHAPE, len(pipes))
    return np.asarray(rate * own), own


def _base(material: Ints, year: Ints) -> Floats:
    rate = np.zeros(len(year))
    for name, until, factor in reversed(constants.BASE):
        rate[(material == name) & (year < until)] = factor
    return rate


def _surroundings(pipes: pl.DataFrame) -> Floats:
    """Soil, pressure and traffic."""
    soil = pipes["soil"].replace_strict(constants.SOIL, return_dtype=pl.Float64).to_numpy()
    clay_on_iron = ((pipes["soil"] == "lera") & (pipes["material"] == "CI")).to_numpy()
    pressure = constants.PRESSURE_PER_10_M ** ((pipes["head_m"].to_numpy() - 50) / 10)
    doublings = np.log2(np.maximum(1, pipes["aadt"].to_numpy() / 400))
    factor = soil * np.where(clay_on_iron, constants.CLAY_ON_IRON, 1.0) * pressure
    return np.asarray(factor * constants.TRAFFIC_PER_DOUBLING**doublings)


def in_year(lives: pl.DataFrame, recent: Ints, *, year: int, since: int, winter: float = 0.0) -> Floats:
    """Relative rate of each pipe in one year.

    Parameters
    ----------
    lives
        Columns ``lasting``, ``material`` and ``install_year``.
    recent
        Own breaks one, two and three years before, shape ``(lives, 3)``.
    year, since
        The year, and the year in which the trend is 1.
    winter
        Severity in standard deviations; 0 gives the average over winters.
    """
    power = lives["material"].replace_strict(constants.AGE_POWER, return_dtype=pl.Float64).to_numpy()
    age = np.maximum(0.5, year + 0.5 - lives["install_year"].to_numpy())
    feedback = 1 + np.minimum(constants.FEEDBACK_CAP, recent @ np.array(constants.FEEDBACK))
    trend = np.exp(constants.TREND_PER_YEAR * (year - since))
    rate = lives["lasting"].to_numpy() * (age / 50) ** power * feedback * trend
    return np.asarray(rate * (_winter(lives, winter) if winter else 1.0))


def _winter(lives: pl.DataFrame, severity: float) -> Floats:
    sensitivity = lives["material"].replace_strict(constants.WINTER_SENSITIVITY, return_dtype=pl.Float64).to_numpy()
    spread = sensitivity * constants.WINTER_SPREAD
    return np.asarray(np.exp(spread * severity - spread**2 / 2))
