"""The numbers that a verdict on readiness rests on, each with how sure it is; and those that an event log gives.

Shares have exact binomial intervals (Clopper and Pearson 1934), the volume an exact Poisson interval (Garwood 1936)
widened by how much the weeks differ. Nothing is guessed: what the log cannot say is None.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import polars as pl
from scipy import stats

from vardag.invoices.process.log import EventLog

DAYS_A_MONTH = 365.25 / 12
WEEK = 7
CHANCE = (0.05, 0.95)
LEAST_STEPS = 2  # a case of one step has no way through the routine


@dataclass(frozen=True)
class Estimate:
    """A number and its interval, which holds it; equal ends where it is certain."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Share:
    """A part of a whole; the part may be a fraction where a share is tried out."""

    part: float
    whole: int

    @property
    def value(self) -> float:
        """The share itself."""
        return self.part / self.whole

    def estimate(self, confidence: float) -> Estimate:
        """The share with its Clopper-Pearson interval.

        >>> found = Share(8, 10).estimate(0.95)
        >>> round(found.low, 4), found.value, round(found.high, 4)
        (0.4439, 0.8, 0.9748)
        """
        tail, rest = (1 - confidence) / 2, self.whole - self.part
        low = stats.beta.ppf(tail, self.part, rest + 1) if self.part > 0 else 0.0
        high = stats.beta.ppf(1 - tail, self.part + 1, rest) if rest > 0 else 1.0
        return Estimate(self.value, float(low), float(high))

    def at(self, value: float) -> "Share":
        """As many observations, with another share."""
        return replace(self, part=value * self.whole)


@dataclass(frozen=True)
class Volume:
    """Cases a month.

    Attributes
    ----------
    weight
        How many independent cases it weighs as: cases, divided by how much more the weeks differ than chance gives.
    """

    per_month: float
    weight: float
    cases: int
    days: int

    def estimate(self, confidence: float) -> Estimate:
        """Cases a month with Garwood's interval, for so many cases as it weighs."""
        tail = (1 - confidence) / 2
        low = stats.chi2.ppf(tail, 2 * self.weight) / 2 / self.weight
        high = stats.chi2.ppf(1 - tail, 2 * self.weight + 2) / 2 / self.weight
        return Estimate(self.per_month, self.per_month * float(low), self.per_month * float(high))

    def at(self, value: float) -> "Volume":
        """As sure, with another volume."""
        return replace(self, per_month=value)


@dataclass(frozen=True)
class Drift:
    """How far the ways of the log's second half are from those of its first.

    Attributes
    ----------
    observed
        Total variation distance between the halves, over the usual ways and all others together.
    chance
        What the distance would be if cases came in any order: mean, 5 % and 95 %.
    """

    observed: float
    chance: tuple[float, float, float]

    def estimate(self) -> Estimate:
        """The distance beyond chance: the mean of chance taken away, and its 95 % and 5 %."""
        value, low, high = (max(self.observed - by, 0.0) for by in (self.chance[0], self.chance[2], self.chance[1]))
        return Estimate(value, min(low, value), max(high, value))

    def at(self, value: float) -> "Drift":
        """As much chance, with another distance beyond it."""
        return replace(self, observed=value + self.chance[0])


@dataclass(frozen=True)
class Decided:
    """How many requests the rules would cancel, reject, and refer to a person."""

    cancel: float
    reject: float
    refer: float

    @property
    def clear(self) -> Share:
        """The share that the rules settle."""
        return Share(self.cancel + self.reject, round(self.cancel + self.reject + self.refer))

    def at(self, value: float) -> "Decided":
        """As many decisions, with another share settled; cancelled and rejected keep their proportion."""
        whole, settled = self.clear.whole, self.clear.part
        cancelled = self.cancel / settled if settled else 1.0
        return Decided(value * whole * cancelled, value * whole * (1 - cancelled), (1 - value) * whole)


@dataclass(frozen=True)
class Spent:
    """Minutes of people for one item: by hand before, and with the robot."""

    baseline: float
    residual: float


@dataclass(frozen=True)
class Minutes:
    """Minutes by outcome, where they come from, and how far all of them together may be off.

    Attributes
    ----------
    origin
        ``measured`` (the city's own), ``clock`` (the log's working times) or ``assumed``.
    times, low, high
        What all minutes are multiplied by, and its interval.
    """

    cancel: Spent
    reject: Spent
    refer: Spent
    dead: Spent
    origin: str
    times: float
    low: float
    high: float

    def baseline(self, decided: Decided) -> Estimate:
        """Minutes by hand for an average request."""
        one = self.cancel.baseline * decided.cancel + self.reject.baseline * decided.reject
        mean = (one + self.refer.baseline * decided.refer) / (decided.cancel + decided.reject + decided.refer)
        return Estimate(mean * self.times, mean * self.low, mean * self.high)

    def scaled(self, by: float) -> "Minutes":
        """All minutes longer or shorter."""
        return replace(self, times=self.times * by, low=self.low * by, high=self.high * by)


@dataclass(frozen=True)
class Clocked:
    """Working minutes of a case by the log's clocks: the median and its exact interval from order statistics."""

    median: Estimate
    cases: int


def volume(starts: Sequence[datetime]) -> Volume | None:
    """Cases a month, from when each began; None without two days of them."""
    if not starts:
        return None
    ordered = sorted(starts)
    days = (ordered[-1].date() - ordered[0].date()).days + 1
    if days < LEAST_STEPS:
        return None
    weeks = np.bincount([(start.date() - ordered[0].date()).days // WEEK for start in ordered])[: days // WEEK]
    uneven = float(weeks.var(ddof=1) / weeks.mean()) if len(weeks) > 1 and weeks.any() else 1.0
    return Volume(len(ordered) / days * DAYS_A_MONTH, len(ordered) / max(1.0, uneven), len(ordered), days)


def case_starts(events: pl.DataFrame) -> list[datetime]:
    """When each case began."""
    first = pl.min_horizontal(pl.col("time").min(), pl.col("start").min())
    return events.group_by("case").agg(first.alias("began"))["began"].to_list()


def usual_ways(events: pl.DataFrame, variants: pl.DataFrame, *, ways: int) -> Share | None:
    """Share of the cases that take one of the most usual ways; None where most cases have one step only."""
    if not has_ways(events):
        return None
    return Share(int(variants["cases"].head(ways).sum()), int(variants["cases"].sum()))


def has_ways(events: pl.DataFrame) -> bool:
    """Whether an ordinary case has steps enough for a way."""
    steps = events.group_by("case").len()["len"].median()
    return isinstance(steps, float) and steps >= LEAST_STEPS


def drift(events: pl.DataFrame, variants: pl.DataFrame, *, ways: int, draws: int, seed: int) -> Drift | None:
    """Change of the ways between the log's halves; None where cases have no ways, or there are too few to halve."""
    if not has_ways(events) or (cases := int(variants["cases"].sum())) < 2 * LEAST_STEPS:
        return None
    usual = variants.head(ways).with_row_index("place").select("variant", "place")
    first = pl.min_horizontal(pl.col("time").min(), pl.col("start").min())
    by_case = events.group_by("case", maintain_order=True).agg(
        pl.col("activity").alias("variant"), first.alias("began")
    )
    placed = by_case.join(usual, on="variant", how="left").sort("began", "case")["place"].fill_null(ways)
    half = cases // 2
    counts, early = (np.bincount(part.to_numpy(), minlength=ways + 1) for part in (placed, placed.head(half)))
    rng = np.random.default_rng(seed)
    shuffled = rng.multivariate_hypergeometric(counts, half, size=draws, method="marginals")
    by_chance = distance(shuffled, counts)
    low, high = np.quantile(by_chance, CHANCE)
    return Drift(float(distance(early, counts)), (float(by_chance.mean()), float(low), float(high)))


def distance(early: np.ndarray, all_: np.ndarray) -> np.ndarray:
    """Total variation distance between the counts of a half, or of many, and those of the other half.

    >>> float(distance(np.array([5, 5]), np.array([15, 5])))
    0.5
    """
    late = all_ - early
    shares = early / early.sum(axis=-1, keepdims=True), late / late.sum(axis=-1, keepdims=True)
    gap: np.ndarray = np.abs(shares[0] - shares[1]).sum(axis=-1) / 2
    return gap


def clocked(events: pl.DataFrame, *, few: int, confidence: float) -> Clocked | None:
    """Working minutes of a case; None unless every step's start is known, in cases enough."""
    if events["start"].is_null().any() or events["case"].n_unique() < few:
        return None
    spent = (pl.col("time") - pl.col("start")).sum().dt.total_microseconds() / 60e6
    minutes = events.group_by("case").agg(spent.alias("minutes"))["minutes"].sort()
    cases, tail = minutes.len(), (1 - confidence) / 2
    below = int(stats.binom.ppf(tail, cases, 0.5))
    found = Estimate(float(np.median(minutes.to_numpy())), minutes[max(below - 1, 0)], minutes[-max(below, 1)])
    return Clocked(found, cases) if found.low > 0 else None


def doubtful(log: EventLog) -> float:
    """Share of the log that cannot be trusted: rows set aside, or cases whose clocks disagree; the larger one."""
    backwards = log.signs.get("out_of_order_cases", 0) / log.cases
    negative = log.signs.get("negative", 0) / max(log.events.height, 1)
    return max(log.quarantined.height / log.rows_in, backwards, negative)
