"""What would change the verdict: each number is tried out, the others left alone, until another verdict comes out.

The values are found by asking `readiness.judge` again and again, so they hold whatever its rules and limits are.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from vardag.core.parameters import Parameters
from vardag.invoices.process.readiness import Kind, Numbers, judge

FACTORS = tuple(10 ** (step / 12) for step in range(1, 37))  # up to a thousand times as much
STEPS = 40  # from where a share is to 0 and to 1
HALVINGS = 40
DIGITS = {"amount": (2, 3, 4, 6), "share": (3, 4, 6)}


@dataclass(frozen=True)
class Knob:
    """A number that can be tried out: how to read it (None where it is not known), and how to set it."""

    name: str
    scale: str  # amount, share or count
    now: Callable[[Numbers], float | None]
    put: Callable[[Numbers, float], Numbers]


@dataclass(frozen=True)
class Flip:
    """At this value of one number, the others as they are, the verdict is another one."""

    name: str
    now: float | None
    at: float
    becomes: Kind


def _cost(name: str) -> Knob:
    """One of the costs."""

    def now(numbers: Numbers) -> float:
        return float(getattr(numbers.costs, name))

    def put(numbers: Numbers, to: float) -> Numbers:
        changed: Mapping[str, Any] = {name: to}
        return replace(numbers, costs=replace(numbers.costs, **changed))

    return Knob(name, "amount", now, put)


def _minutes(numbers: Numbers) -> float | None:
    return numbers.minutes.baseline(numbers.decided).value if numbers.decided else None


def _put_minutes(numbers: Numbers, to: float) -> Numbers:
    now = _minutes(numbers)
    return replace(numbers, minutes=numbers.minutes.scaled(to / now)) if now else numbers


KNOBS = (
    Knob(
        "volume",
        "amount",
        lambda n: n.volume.per_month if n.volume else None,
        lambda n, to: replace(n, volume=n.volume.at(to) if n.volume else None),
    ),
    Knob("minutes", "amount", _minutes, _put_minutes),
    Knob(
        "clear",
        "share",
        lambda n: n.decided.clear.value if n.decided else None,
        lambda n, to: replace(n, decided=n.decided.at(to) if n.decided else None),
    ),
    Knob(
        "usual",
        "share",
        lambda n: n.usual.value if n.usual else None,
        lambda n, to: replace(n, usual=n.usual.at(to) if n.usual else None),
    ),
    Knob(
        "drift",
        "share",
        lambda n: n.drift.estimate().value if n.drift else None,
        lambda n, to: replace(n, drift=n.drift.at(to) if n.drift else None),
    ),
    Knob(
        "faults",
        "share",
        lambda n: n.faults.value if n.faults else None,
        lambda n, to: replace(n, faults=n.faults.at(to) if n.faults else None),
    ),
    Knob("errors_today", "share", lambda n: n.errors_today, lambda n, to: replace(n, errors_today=to)),
    Knob("blocking", "count", lambda n: n.blocking, lambda n, to: replace(n, blocking=round(to))),
    *(
        _cost(name)
        for name in ("hourly_cost", "build_hours", "build_other", "run_hours_per_month", "run_other_per_year")
    ),
)


def flips(numbers: Numbers, parameters: Parameters) -> list[Flip]:
    """For each number the values below and above it at which the verdict changes, the nearest first.

    A number that is not known is tried out only where the verdict stands without it. While numbers are missing
    nothing flips: what is missing has to be found.
    """
    if numbers.missing:
        return []
    found = []
    for knob in KNOBS:

        def kind(value: float | None, knob: Knob = knob) -> Kind:
            return judge(numbers if value is None else knob.put(numbers, value), parameters).kind

        now = knob.now(numbers)
        for way in _ways(knob.scale, now or 0.0):
            changes = _changes(kind, now or 0.0, way, DIGITS.get(knob.scale, ()))
            found += [Flip(knob.name, now, at, becomes) for at, becomes in changes]
    return found


def _ways(scale: str, at: float) -> Iterator[list[float]]:
    """Values to try, from the number as it is and away from it: downwards, then upwards."""
    if scale == "count":
        yield [float(value) for value in range(int(at) - 1, -1, -1)]
        yield [at + 1]
    elif scale == "share":
        yield [at * (1 - step / STEPS) for step in range(1, STEPS + 1)] if at else []
        yield [at + (1 - at) * step / STEPS for step in range(1, STEPS + 1)]
    else:
        yield [*(at / factor for factor in FACTORS), 0.0] if at else []
        yield [(at or 1.0) * factor for factor in FACTORS]


def _changes(
    kind: Callable[[float | None], Kind], now: float, way: list[float], digits: tuple[int, ...]
) -> Iterator[tuple[float, Kind]]:
    """Where on a way the verdict changes to another one than it is now, and to which.

    Without digits the values of the way are all that there are: they are counts. Between two values of the way
    there may be several changes, one for each verdict at most.
    """
    is_ = last = kind(None)
    before = now
    for value in way:
        for _ in Kind:
            if kind(value) is last:
                break
            before = _edge(before, value, kind, last, digits)
            last = kind(before)
            if last is not is_:
                yield before, last
        before = value


def _edge(
    before: float, after: float, kind: Callable[[float | None], Kind], last: Kind, digits: tuple[int, ...]
) -> float:
    """Where the verdict stops being the last one between two values, in as few digits as say it."""
    if not digits:
        return after
    inside, outside = after, before
    for _ in range(HALVINGS):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if kind(middle) is not last else (inside, middle)
    becomes = kind(inside)
    for wanted in digits:
        rounded = _rounded(inside, wanted, up=after > before)
        if min(inside, after) <= rounded <= max(inside, after) and kind(rounded) is becomes:
            return rounded
    return inside


def _rounded(value: float, digits: int, *, up: bool) -> float:
    """A value with so many digits, away from where it came from."""
    if value == 0:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(abs(value))) - digits + 1)
    return (math.ceil if up else math.floor)(value / unit) * unit
