"""How far the robot may go, as plain data: the levels, a signed step, and where a rule stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from vardag.invoices.ladder.agreement import Agreement

FELL = "fell"  # mark in the evidence of a step that the program took


class Level(StrEnum):
    """How far the robot may go by itself with a rule's decisions, from the lowest."""

    SHADOW = "shadow"
    ATTENDED = "attended"
    UNATTENDED = "unattended"

    @property
    def height(self) -> int:
        """0 for shadow, 2 for unattended."""
        return tuple(Level).index(self)


@dataclass(frozen=True)
class Rung:
    """A signed step: who put a rule on a level, when, why, and what was known then."""

    routine: str
    rule: str
    level: Level
    at: datetime
    by: str
    reason: str
    evidence: Mapping[str, Any]

    @property
    def fell(self) -> bool:
        """Whether the program took the step, because agreement had fallen."""
        return bool(self.evidence.get(FELL))


@dataclass(frozen=True)
class Standing:
    """How far the robot may go with one decision.

    Attributes
    ----------
    sampled
        Whether it belongs to the control sample: a person confirms it although its rule stands unattended.
    """

    level: Level
    sampled: bool = False

    @property
    def writes(self) -> bool:
        """Whether anything is done outside at all, with or without a person."""
        return self.level is not Level.SHADOW

    @property
    def alone(self) -> bool:
        """Whether it is done without a person."""
        return self.level is Level.UNATTENDED and not self.sampled


@dataclass(frozen=True)
class Stand:
    """Where a rule stands, for showing.

    Attributes
    ----------
    last
        The step that put it there; None where nobody has taken one.
    found
        Agreement on this level since then.
    above
        The level above; None at the top.
    missing
        How many more judgements, all agreeing, the step up to it needs; 0 when it is earned.
    """

    routine: str
    rule: str
    level: Level
    last: Rung | None
    found: Agreement
    above: Level | None
    missing: int
