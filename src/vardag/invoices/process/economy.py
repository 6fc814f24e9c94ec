"""Expected hours saved a year, what they are worth, and what the robot costs; each with an interval.

The interval is made by drawing every uncertain number many times from a stated seed: the volume from a gamma
distribution (Poisson counts, widened by how much the weeks differ), how the rules settle requests from a Dirichlet
and the faults from a beta distribution (both with Jeffreys' prior), minutes and costs evenly between their ends.
The same numbers give the same interval; and a number that is tried out meets the same draws, so nothing else moves.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

from vardag.invoices.process.evidence import Decided, Estimate, Minutes, Share, Volume

MONTHS, MINUTES_AN_HOUR = 12, 60
JEFFREYS = 0.5
COST_ROWS = (  # row of the drawn numbers, and the costs that it makes dearer or cheaper together
    (5, {"hourly_cost"}),
    (6, {"build_hours", "build_other"}),
    (7, {"run_hours_per_month", "run_other_per_year"}),
)
Draws = NDArray[np.float64]


@dataclass(frozen=True)
class Costs:
    """What building and running costs; `assumed` names those that rest on assumptions.

    Attributes
    ----------
    hourly_cost
        SEK for an hour of a caseworker.
    build_hours, build_other
        Hours, and SEK beside them, once.
    run_hours_per_month, run_other_per_year
        Hours a month, and SEK a year beside them.
    """

    hourly_cost: float
    build_hours: float
    build_other: float
    run_hours_per_month: float
    run_other_per_year: float
    assumed: frozenset[str] = frozenset()

    @property
    def build_sek(self) -> float:
        """What it costs to build."""
        return self.build_hours * self.hourly_cost + self.build_other

    @property
    def run_sek(self) -> float:
        """What it costs to run for a year."""
        return self.run_hours_per_month * MONTHS * self.hourly_cost + self.run_other_per_year


@dataclass(frozen=True)
class Drawing:
    """How intervals are drawn: how many draws, from which seed, how sure, and the spread of what is assumed."""

    draws: int
    seed: int
    confidence: float
    assumed_spread: float


@dataclass(frozen=True)
class Economy:
    """The outcome a year; the value of each estimate is the median of its draws.

    Attributes
    ----------
    hours_saved
        Hours of people that are freed, before the hours that the robot takes.
    minutes_saved
        The same for an average request, in minutes.
    net_sek
        What the hours saved are worth, less what running costs.
    left_sek
        What is left when the longest pay-back is over: net so many years, less what building costs.
    payback_years
        None where the draws never pay back.
    """

    hours_saved: Estimate
    minutes_saved: Estimate
    run_hours: float
    net_sek: Estimate
    left_sek: Estimate
    payback_years: tuple[float | None, float | None, float | None]


def economy(
    volume: Volume,
    decided: Decided,
    faults: Share,
    minutes: Minutes,
    costs: Costs,
    *,
    years: float,
    drawing: Drawing,
) -> Economy:
    """What a year gives and costs.

    Parameters
    ----------
    years
        Longest pay-back, to which `Economy.left_sek` looks.
    """
    drawn = _uniform(drawing.draws, drawing.seed)
    cases = volume.per_month * MONTHS * _volume(volume.weight, drawing)
    saved = _saved(decided, faults, minutes, drawing)
    hours = cases * saved / MINUTES_AN_HOUR
    hour, build, run = (costs_spread(names, costs, drawing, drawn[row]) for row, names in COST_ROWS)
    hourly = costs.hourly_cost * hour
    run_hours = costs.run_hours_per_month * MONTHS
    net = hours * hourly - run * (run_hours * hourly + costs.run_other_per_year)
    built = build * (costs.build_hours * hourly + costs.build_other)
    return Economy(
        hours_saved=_estimate(hours, drawing),
        minutes_saved=_estimate(saved, drawing),
        run_hours=run_hours,
        net_sek=_estimate(net, drawing),
        left_sek=_estimate(net * years - built, drawing),
        payback_years=_payback(net, built, drawing),
    )


def costs_spread(names: set[str], costs: Costs, drawing: Drawing, drawn: Draws) -> Draws:
    """What a cost is multiplied by: one, or where it is assumed something within the spread."""
    spread = drawing.assumed_spread if names & costs.assumed else 0.0
    return 1 + spread * (2 * drawn - 1)


def _saved(decided: Decided, faults: Share, minutes: Minutes, drawing: Drawing) -> Draws:
    """Minutes saved in an average request."""
    drawn = _uniform(drawing.draws, drawing.seed)
    counts = (decided.cancel, decided.reject, decided.refer)
    ways = np.stack([_gamma(count + JEFFREYS, place, drawing) for place, count in enumerate(counts, start=1)])
    each = np.array([one.baseline - one.residual for one in (minutes.cancel, minutes.reject, minutes.refer)])
    mean = each @ (ways / ways.sum(axis=0))
    dead = _beta(faults.part + JEFFREYS, faults.whole - faults.part + JEFFREYS, drawing)
    lost = minutes.dead.baseline - minutes.dead.residual
    times = minutes.low + (minutes.high - minutes.low) * drawn[8]
    found: Draws = ((1 - dead) * mean + dead * lost) * times
    return found


@lru_cache(maxsize=4)
def _uniform(draws: int, seed: int) -> Draws:
    """Numbers between 0 and 1: a row for each uncertain number."""
    return np.random.default_rng(seed).random((9, draws))


def _volume(weight: float, drawing: Drawing) -> Draws:
    return _gamma(weight, 0, drawing) / weight


def _gamma(shape: float, place: int, drawing: Drawing) -> Draws:
    return _gamma_of(shape, place, drawing.draws, drawing.seed)


def _beta(one: float, other: float, drawing: Drawing) -> Draws:
    return _beta_of(one, other, drawing.draws, drawing.seed)


@lru_cache(maxsize=64)
def _gamma_of(shape: float, place: int, draws: int, seed: int) -> Draws:
    found: Draws = special.gammaincinv(shape, _uniform(draws, seed)[place])
    return found


@lru_cache(maxsize=64)
def _beta_of(one: float, other: float, draws: int, seed: int) -> Draws:
    found: Draws = special.betaincinv(one, other, _uniform(draws, seed)[4])
    return found


def _estimate(drawn: Draws, drawing: Drawing) -> Estimate:
    tail = (1 - drawing.confidence) / 2
    low, value, high = np.quantile(drawn, (tail, 0.5, 1 - tail))
    return Estimate(float(value), float(low), float(high))


def _payback(net: Draws, built: Draws, drawing: Drawing) -> tuple[float | None, float | None, float | None]:
    """Years until the costs are back: best end, median and worst end; a year that loses money never pays back."""
    tail = (1 - drawing.confidence) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        years = np.where(net > 0, built / net, np.inf)
    found = np.quantile(years, (tail, 0.5, 1 - tail), method="nearest")
    best, median, worst = (float(one) if np.isfinite(one) else None for one in found)
    return best, median, worst
