"""The verdict on readiness: automate, mend first, leave to people, or that it cannot be said yet.

Pure: numbers in, verdict out. Each criterion holds a number with its interval against a limit. Where the whole
interval is on the right side the criterion is met, where the whole of it is on the wrong side it fails, and where
the limit is within the interval nobody knows yet. Then, in this order:

1. a number is missing: it cannot be said;
2. a criterion fails without which the work belongs with people: leave to people;
3. a criterion fails that can be mended: mend first;
4. a criterion is not known yet: it cannot be said;
5. else: automate.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from vardag.core.parameters import Parameters
from vardag.invoices.process.economy import Costs, Drawing, Economy, economy
from vardag.invoices.process.evidence import Decided, Drift, Estimate, Minutes, Share, Volume


class Kind(StrEnum):
    """The verdicts."""

    AUTOMATE = "automate"
    MEND = "mend"
    LEAVE = "leave"
    UNKNOWN = "unknown"


class State(StrEnum):
    """How a criterion stands."""

    MET = "met"
    FAILS = "fails"
    OPEN = "open"


# Each criterion: the parameter with its limit, whether the number has to reach it or stay below, and what else.
CRITERIA: Mapping[str, tuple[str, bool, Kind]] = {
    "worth": ("", True, Kind.LEAVE),
    "clear_at_all": ("least_clear_share_at_all", True, Kind.LEAVE),
    "blocking": ("most_blocking", False, Kind.MEND),
    "errors_today": ("most_errors_today", False, Kind.MEND),
    "clear": ("least_clear_share", True, Kind.MEND),
    "usual": ("least_usual_share", True, Kind.MEND),
    "drift": ("most_drift", False, Kind.MEND),
    "faults": ("most_faults", False, Kind.MEND),
}


@dataclass(frozen=True)
class Numbers:
    """What is known; None is not known.

    Attributes
    ----------
    missing
        Why numbers are not known, by reason, with what the reason's text needs.
    """

    volume: Volume | None
    usual: Share | None
    drift: Drift | None
    decided: Decided | None
    faults: Share | None
    minutes: Minutes
    costs: Costs
    errors_today: float | None
    blocking: int | None
    missing: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


@dataclass(frozen=True)
class Criterion:
    """One number against its limit."""

    name: str
    estimate: Estimate
    limit: float
    at_least: bool
    otherwise: Kind

    @property
    def state(self) -> State:
        """Whether the whole interval is on one side of the limit; on the limit is met."""
        low, high = self.estimate.low, self.estimate.high
        if low >= self.limit if self.at_least else high <= self.limit:
            return State.MET
        return State.FAILS if (high < self.limit if self.at_least else low > self.limit) else State.OPEN


@dataclass(frozen=True)
class Verdict:
    """The verdict, with what it rests on."""

    kind: Kind
    criteria: tuple[Criterion, ...]
    economy: Economy | None
    missing: tuple[str, ...] = ()

    def named(self, state: State) -> tuple[Criterion, ...]:
        """The criteria in a state."""
        return tuple(one for one in self.criteria if one.state is state)


def judge(numbers: Numbers, parameters: Parameters) -> Verdict:
    """The verdict, by the five rules of this module."""
    found = _economy(numbers, parameters)
    criteria = tuple(_criteria(numbers, found, parameters))
    if numbers.missing:
        kind = Kind.UNKNOWN
    else:
        failing = {one.otherwise for one in criteria if one.state is State.FAILS}
        unsure = any(one.state is State.OPEN for one in criteria)
        last = Kind.UNKNOWN if unsure else Kind.AUTOMATE
        kind = next((kind for kind in (Kind.LEAVE, Kind.MEND) if kind in failing), last)
    return Verdict(kind, criteria, found, tuple(numbers.missing))


def drawing_of(parameters: Parameters) -> Drawing:
    """How the intervals are drawn."""
    return Drawing(
        draws=int(parameters.value("draws")),
        seed=int(parameters.value("seed")),
        confidence=float(parameters.value("confidence")),
        assumed_spread=float(parameters.value("assumed_spread")),
    )


def _economy(numbers: Numbers, parameters: Parameters) -> Economy | None:
    if numbers.volume is None or numbers.decided is None or numbers.faults is None:
        return None
    return economy(
        numbers.volume,
        numbers.decided,
        numbers.faults,
        numbers.minutes,
        numbers.costs,
        years=float(parameters.value("longest_payback")),
        drawing=drawing_of(parameters),
    )


def _criteria(numbers: Numbers, found: Economy | None, parameters: Parameters) -> list[Criterion]:
    """The criteria whose numbers are known, the gravest first."""
    sure = float(parameters.value("confidence"))
    clear = numbers.decided.clear.estimate(sure) if numbers.decided else None
    usual = numbers.usual.estimate(sure) if numbers.usual else None
    faults = numbers.faults.estimate(sure) if numbers.faults else None
    known: dict[str, Estimate | None] = {
        "worth": found.left_sek if found else None,
        "clear_at_all": clear,
        "blocking": _exactly(numbers.blocking),
        "errors_today": _exactly(numbers.errors_today),
        "clear": clear,
        "usual": usual,
        "drift": numbers.drift.estimate() if numbers.drift else None,
        "faults": faults,
    }
    limits = ((name, float(parameters.value(limit)) if limit else 0.0) for name, (limit, *_) in CRITERIA.items())
    return [
        Criterion(name, estimate, limit, *CRITERIA[name][1:])
        for name, limit in limits
        if (estimate := known[name]) is not None
    ]


def _exactly(value: float | None) -> Estimate | None:
    return None if value is None else Estimate(float(value), float(value), float(value))
