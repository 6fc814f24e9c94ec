"""The ladder: how far the robot may go by itself with each of its rules, and whose signature put it there.

A rule begins in shadow. Every step up is somebody's signed decision, and the one to unattended must be earned by
what people did with the rule's decisions. When they come to agree too seldom, the rule goes back by itself.
"""

from vardag.invoices.ladder.agreement import Agreement, agreement, still_needed
from vardag.invoices.ladder.demands import Demand, Demands, load_demands
from vardag.invoices.ladder.judging import Outcome, Own, judge, objected, own_decision
from vardag.invoices.ladder.levels import Level, Rung, Stand, Standing
from vardag.invoices.ladder.rungs import (
    CANCELLATION,
    fallen,
    last,
    level,
    sampled,
    sign_all,
    standing,
    state,
    step,
    steps,
)

__all__ = [
    "CANCELLATION",
    "Agreement",
    "Demand",
    "Demands",
    "Level",
    "Outcome",
    "Own",
    "Rung",
    "Stand",
    "Standing",
    "agreement",
    "fallen",
    "judge",
    "last",
    "level",
    "load_demands",
    "objected",
    "own_decision",
    "sampled",
    "sign_all",
    "standing",
    "state",
    "step",
    "steps",
    "still_needed",
]
