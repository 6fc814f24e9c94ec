"""What the hours are worth: money, wrong decisions, how long people waited, and where the freed time went."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from vardag.invoices.hours.estimates import Share, share
from vardag.invoices.hours.evidence import Evidence
from vardag.invoices.hours.freed import Freed
from vardag.invoices.hours.history import BY_ROBOT, OPEN, Handled


@dataclass(frozen=True)
class Times:
    """Hours of `n` items: median and ninth decile; None for too few."""

    n: int
    median: float | None
    p90: float | None


@dataclass(frozen=True)
class Worth:
    """What a span of time was worth.

    Attributes
    ----------
    value_sek, robot_sek
        Hours saved at a caseworker's cost; what the robot costs.
    amount
        Sum of the invoices that were voided or credited; no saving.
    without_amount
        Cancelled items whose amount the journal does not hold.
    wrong
        Items that the robot ended and a person objected to.
    ended, answered
        Hours from a mail's arrival to the end of its item, and to the first answer.
    freed
        What people say of the freed time.
    unexplained_hours
        Hours saved less those; negative where more was said than saved.
    """

    value_sek: float
    robot_sek: float
    amount: Decimal
    without_amount: int
    wrong: Share
    ended: Times
    answered: Times
    freed: tuple[Freed, ...]
    freed_hours: float
    unexplained_hours: float

    @property
    def net_sek(self) -> float:
        """Value of the hours less what the robot costs."""
        return self.value_sek - self.robot_sek


def worth(
    handled: Sequence[Handled],
    hours: float,
    evidence: Evidence,
    *,
    month: str,
    amounts: Mapping[int, Decimal],
    at_work: int,
) -> Worth:
    """Worth of the hours of a month, or of the whole (`month` empty), in which the robot worked so many months."""
    by_robot = [one for one in handled if one.outcome in BY_ROBOT]
    cancelled = [one.item for one in handled if one.outcome.startswith("cancelled")]
    freed = tuple(one for one in evidence.freed if month in {"", one.month})
    told = sum(one.hours for one in freed)
    few = evidence.number("few_for_p90")
    return Worth(
        value_sek=hours * evidence.number("cost_per_hour"),
        robot_sek=at_work * evidence.number("robot_cost_per_month"),
        amount=sum((amounts[item] for item in cancelled if item in amounts), Decimal(0)),
        without_amount=sum(item not in amounts for item in cancelled),
        wrong=share(sum(one.objected for one in by_robot), len(by_robot), confidence=evidence.number("confidence")),
        ended=times(_waits(handled, ended=True), few=few),
        answered=times(_waits(handled, ended=False), few=few),
        freed=freed,
        freed_hours=told,
        unexplained_hours=hours - told,
    )


def times(hours: Sequence[float], *, few: float) -> Times:
    """Median and ninth decile of hours; no decile of fewer than `few`.

    >>> times([1.0, 2.0, 6.0], few=20)
    Times(n=3, median=2.0, p90=None)
    """
    if not hours:
        return Times(0, None, None)
    p90 = float(np.quantile(hours, 0.9)) if len(hours) >= few else None
    return Times(len(hours), float(np.median(hours)), p90)


def _waits(handled: Iterable[Handled], *, ended: bool) -> list[float]:
    """Hours that those who asked waited for the end, or for a first answer; what still waits has no end."""
    found = []
    for one in handled:
        until = one.at if ended and one.outcome not in OPEN else None if ended else one.answered
        if one.received is not None and until is not None:
            found.append((until - one.received).total_seconds() / 3600)
    return found
