"""`vardag invoices compare`: what people did in the finance system with what the robot decided in shadow."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from vardag.core.texts import Texts
from vardag.invoices import ladder, workitems
from vardag.invoices.ladder import Level
from vardag.invoices.model import Action, Invoice, InvoiceState
from vardag.invoices.robot import Robot, people
from vardag.invoices.workitems import Item, State

TEXTS = Texts(Path(__file__).with_name("texts.toml"))
GONE = (InvoiceState.CREDITED, InvoiceState.VOID)


@dataclass(frozen=True)
class Compared:
    """Numbers of the work items that were compared.

    Attributes
    ----------
    cancelled
        People had cancelled the invoice: they came to the robot's decision, and the item is done.
    left
        They had not, and the time for it is out: they did not come to it, and the item is closed as refused.
    open
        They still may.
    """

    cancelled: tuple[int, ...]
    left: tuple[int, ...]
    open: tuple[int, ...]


def compare(robot: Robot, *, by: str) -> Compared:
    """Close what was decided in shadow by what the finance system shows now, and count it for the rule.

    Only decisions to cancel are compared: after a rejection the finance system shows nothing, so a person closes
    those. An invoice credited in part is not cancelled.
    """
    cancelled, left, still = [], [], []
    language, days = robot.sender.language, robot.demands.compare_days
    for item in _in_shadow(robot):
        found = [invoice for invoice in robot.ledger.find(item.target) if invoice.state in GONE]
        if found:
            _close(robot, item, TEXTS("found_cancelled", language, notes=_notes(found[0])), by=by, done=True)
            cancelled.append(item.id)
        elif robot.now() - item.created_at > timedelta(days=days):
            _close(robot, item, TEXTS("not_cancelled", language, days=days), by=by, done=False)
            left.append(item.id)
        else:
            still.append(item.id)
    return Compared(tuple(cancelled), tuple(left), tuple(still))


def _in_shadow(robot: Robot) -> list[Item]:
    """Waiting items that the robot, in shadow, had decided to cancel."""
    with robot.store.read() as tx:
        waiting = [(item, ladder.own_decision(tx, item.id)) for item in workitems.listed(tx, State.WAITING)]
    return [item for item, own in waiting if own and own.action is Action.CANCEL and own.level is Level.SHADOW]


def _close(robot: Robot, item: Item, reason: str, *, by: str, done: bool) -> None:
    people.close(robot.store, item.id, by=by, reason=reason, done=done, demands=robot.demands)


def _notes(invoice: Invoice) -> str:
    return ", ".join(invoice.credited_by) or "–"
