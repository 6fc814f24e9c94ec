"""The brakes: pause at once, limits by hour and day on count and amount, and a stop after exceptions in a row.

They are looked at in the transaction that writes down an intention, so no two robots can pass a limit together.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from vardag.core.errors import RefusedError
from vardag.invoices import journal, store
from vardag.invoices.store import Transaction

PAUSED = "paused"
IN_A_ROW = "exceptions_in_a_row"
LOCK = 1_876_307  # advisory lock of PostgreSQL: cancellations are counted one after the other


class BrakeError(RefusedError):
    """A limit is reached; the work item is left as it was, for later."""


class PausedError(BrakeError):
    """Somebody has paused the robots."""


@dataclass(frozen=True)
class Limits:
    """How much the robot may cancel before somebody has to look.

    Attributes
    ----------
    per_hour, per_day
        Invoices cancelled.
    amount_per_hour, amount_per_day
        Their amount, in the currency of the books.
    exceptions_in_a_row
        Business exceptions without a cancellation between them, after which the robot pauses itself.
    """

    per_hour: int = 60
    per_day: int = 200
    amount_per_hour: Decimal = Decimal(200_000)
    amount_per_day: Decimal = Decimal(500_000)
    exceptions_in_a_row: int = 20


def pause(tx: Transaction, *, by: str, why: str, now: datetime) -> None:
    """Pull the brake: no robot takes another item or begins another effect."""
    store.put(tx, PAUSED, {"by": by, "why": why, "since": now.isoformat()})


def resume(tx: Transaction) -> None:
    """Let the robots go on."""
    store.put(tx, PAUSED, None)
    store.put(tx, IN_A_ROW, 0)


def paused(tx: Transaction) -> dict[str, str] | None:
    """Who paused the robots, why and since when; None while they may work."""
    found: dict[str, str] | None = store.get(tx, PAUSED)
    return found


def allow(tx: Transaction, limits: Limits, *, now: datetime) -> None:
    """Let the cancellation pass whose intention was just written; it is counted with the others.

    Raises
    ------
    BrakeError
        When the robots are paused, or a limit is passed; the intention must then be rolled back.
    """
    store.one_at_a_time(tx, LOCK)  # so that each sees the intentions before it
    let_pass(tx)
    for name, span, most, most_amount in (
        ("hour", timedelta(hours=1), limits.per_hour, limits.amount_per_hour),
        ("day", timedelta(days=1), limits.per_day, limits.amount_per_day),
    ):
        count, total = journal.since(tx, journal.Kind.CANCEL, now - span)
        if count > most:
            raise BrakeError(f"one more would make {count} within the {name}; the limit is {most}.")
        if total > most_amount:
            raise BrakeError(
                f"one more invoice would make {total:.2f} within the {name}; the limit is {most_amount}."
            )


def let_pass(tx: Transaction) -> None:
    """Go on, unless the robots are paused.

    Raises
    ------
    PausedError
        When they are; says by whom and why.
    """
    if found := paused(tx):
        raise PausedError(f"paused by {found['by']}: {found['why']}. Go on with: vardag invoices resume FOLDER")


def note(tx: Transaction, limits: Limits, *, exception: bool, now: datetime) -> bool:
    """Count business exceptions in a row; pauses and returns True when there have been too many."""
    before = int(store.get(tx, IN_A_ROW) or 0)
    count = before + 1 if exception else 0
    if count != before:
        store.put(tx, IN_A_ROW, count)
    if count < limits.exceptions_in_a_row:
        return False
    pause(tx, by="vardag", why=f"{count} business exceptions in a row", now=now)
    return True
