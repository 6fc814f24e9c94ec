"""What people then did, held against what the robot decided when nobody had confirmed anything."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from vardag.core.errors import RefusedError
from vardag.invoices import audit, workitems
from vardag.invoices.ladder import counting, rungs
from vardag.invoices.ladder.demands import Demands
from vardag.invoices.ladder.levels import Level
from vardag.invoices.model import Action
from vardag.invoices.store import Transaction, insert_new, judgement
from vardag.invoices.workitems import State

Outcome = Literal["confirmed", "done", "refused"]
COMES_TO = {"done": Action.CANCEL, "refused": Action.REJECT}


@dataclass(frozen=True)
class Own:
    """The robot's own decision about a work item: the last one made while no person had confirmed it.

    Attributes
    ----------
    rule
        Code of the settling rule.
    level
        Level on which it was made.
    """

    routine: str
    rule: str
    action: Action
    level: Level

    @property
    def acts(self) -> bool:
        """Whether the robot would act by itself; what it leaves to people is nobody's to agree with."""
        return self.action in COMES_TO.values()


def own_decision(tx: Transaction, item: int) -> Own | None:
    """The robot's own decision about an item, from the audit log; None where there is none."""
    made = [one.body for one in audit.entries(tx, item=item) if one.event == "decided"]
    alone = [body for body in made if not body.get("approved_by")]
    if not alone:
        return None
    body, routine = alone[-1], workitems.get(tx, item).routine
    return Own(routine, body["code"], Action(body["action"]), Level(body.get("level") or body["mode"]))


def judge(
    tx: Transaction,
    number: int,
    outcome: Outcome,
    *,
    by: str,
    demands: Demands,
    now: datetime,
) -> dict[str, Any]:
    """Hold what a person did with an item against the robot's own decision, and count it for its rule, once.

    To confirm agrees. To have done it oneself agrees with cancelling, to have refused it agrees with rejecting. The
    first word of a person counts, so a second confirmation, or what happens afterwards, changes nothing. Where too
    few agree by now, the rule goes back to attended.

    Returns
    -------
    dict
        What the entry about the person's act says of it; empty where there was nothing to judge.
    """
    own = own_decision(tx, number)
    if own is None or not own.acts:
        return {}
    counting.lock(tx)
    agrees = outcome == "confirmed" or COMES_TO[outcome] is own.action
    row = {
        "routine": own.routine,
        "rule": own.rule,
        "level": own.level.value,
        "agrees": agrees,
        "by": by,
        "at": now,
    }
    if not insert_new(tx, judgement, item=number, **row):
        return {}
    return _counted(tx, number, own, agrees=agrees, demands=demands, now=now)


def objected(
    tx: Transaction,
    number: int,
    *,
    by: str,
    demands: Demands,
    now: datetime,
) -> dict[str, Any]:
    """Count a person's objection to what was done: a disagreement, whatever was said before.

    Raises
    ------
    RefusedError
        When the item is not settled, when no rule of the robot's settled it, or when somebody has objected already.
    """
    own = _to_object_to(tx, number)
    counting.lock(tx)
    row = {"routine": own.routine, "rule": own.rule, "level": own.level.value, "agrees": False, "by": by, "at": now}
    if not insert_new(tx, judgement, item=number, **row):
        tx.execute(sa.update(judgement).where(judgement.c.item == number).values(**row))
    return _counted(tx, number, own, agrees=False, demands=demands, now=now)


def _to_object_to(tx: Transaction, number: int) -> Own:
    """The decision of the robot's that an item was settled by."""
    found = workitems.get(tx, number, lock=True)
    if found.state not in {State.DONE, State.FAILED_BUSINESS}:
        raise RefusedError(
            f"work item {number} is {found.state}: nothing is settled yet. Confirm or close it instead."
        )
    own = own_decision(tx, number)
    if own is None or not own.acts or _by_hand(tx, number):
        raise RefusedError(
            f"work item {number} was settled by a person, or asked for nothing: no rule to object to."
        )
    said = tx.execute(sa.select(judgement).where(judgement.c.item == number)).first()
    if said is not None and not said.agrees:
        raise RefusedError(f"work item {number}: {said.by} disagreed already, on {said.at.date()}.")
    return own


def _by_hand(tx: Transaction, number: int) -> bool:
    return any(one.event == "closed by hand" for one in audit.entries(tx, item=number))


def _counted(
    tx: Transaction, number: int, own: Own, *, agrees: bool, demands: Demands, now: datetime
) -> dict[str, Any]:
    """Put a rule that stands unattended back to attended where agreement has fallen; tells what was counted."""
    stands = rungs.last(tx, own.routine, own.rule)
    if stands is not None and stands.level is Level.UNATTENDED:
        found = counting.latest(tx, own.routine, own.rule, stands, demands)
        if found.disagreed > demands.most_disagreements or found.upper < demands.unattended_agreement:
            rungs.fell(tx, stands, found, demands, now=now, item=number)
    return {"rule": own.rule, "rule_level": own.level.value, "agrees": agrees}
