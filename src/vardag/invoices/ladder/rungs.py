"""The steps themselves: where a rule stands, and every signed step that it took there."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from vardag.core.errors import InputError, RefusedError
from vardag.invoices import audit, store
from vardag.invoices.ladder import counting
from vardag.invoices.ladder.agreement import Agreement, still_needed
from vardag.invoices.ladder.demands import Demands
from vardag.invoices.ladder.levels import FELL, Level, Rung, Stand, Standing
from vardag.invoices.store import Transaction, rung

CANCELLATION = "cancellation"
SALT = "control_salt"


def standing(
    tx: Transaction, *, routine: str, rule: str | None, key: str, ceiling: Level, demands: Demands
) -> Standing:
    """How far the robot may go with a decision: as far as the ceiling, and its settling rule, let it.

    Parameters
    ----------
    rule
        Code of the settling rule; None where the decision only goes to a person, which needs no ladder.
    key
        The work item's key; the control sample is drawn by it, so it is the same after a crash.
    ceiling
        The robot's own mode.
    """
    if rule is None:
        return Standing(ceiling)
    found = min(ceiling, level(tx, routine, rule), key=lambda one: one.height)
    control = found is Level.UNATTENDED and demands.control_share > 0
    return Standing(found, control and sampled(key, demands.control_share, salt=_salt(tx)))


def sampled(key: str, share: float, *, salt: str = "") -> bool:
    """Whether a key is in a sample of this share; always the same answer for the same key and salt.

    The salt is the database's own secret: who writes a mail chooses its Message-ID, and must not be able to choose
    one that nobody will look at.

    >>> sum(sampled(f"mail {number}", 0.05) for number in range(10_000))
    499
    """
    drawn = hashlib.sha256(f"{salt}\n{key}".encode()).digest()[:8]
    return int.from_bytes(drawn) < share * 2**64


def level(tx: Transaction, routine: str, rule: str) -> Level:
    """Where a rule stands; in shadow where nobody has signed a step."""
    found = last(tx, routine, rule)
    return found.level if found else Level.SHADOW


def last(tx: Transaction, routine: str, rule: str) -> Rung | None:
    """The latest step of a rule."""
    query = sa.select(rung).where(rung.c.routine == routine, rung.c.rule == rule)
    row = tx.execute(query.order_by(rung.c.id.desc()).limit(1)).first()
    return _rung(row) if row else None


def steps(tx: Transaction, routine: str = CANCELLATION) -> list[Rung]:
    """Every step that was taken, in order."""
    return [_rung(row) for row in tx.execute(sa.select(rung).where(rung.c.routine == routine).order_by(rung.c.id))]


def fallen(tx: Transaction) -> list[Rung]:
    """Steps by which rules went back by themselves, where no person has stepped since."""
    latest = sa.select(sa.func.max(rung.c.id)).group_by(rung.c.routine, rung.c.rule)
    query = sa.select(rung).where(rung.c.id.in_(latest)).order_by(rung.c.id)
    return [found for row in tx.execute(query) if (found := _rung(row)).fell]


def state(
    tx: Transaction, rules: Iterable[str], *, demands: Demands, routine: str = CANCELLATION
) -> tuple[Stand, ...]:
    """Where each of these rules stands, how people judged it there, and what the next step needs."""
    return tuple(_stand(tx, routine, rule, demands) for rule in rules)


def step(
    tx: Transaction,
    *,
    rule: str,
    to: Level,
    by: str,
    reason: str,
    demands: Demands,
    now: datetime,
    routine: str = CANCELLATION,
) -> Rung:
    """Put a rule on another level, signed: down by as much as one likes, up by one step that is earned.

    Raises
    ------
    InputError
        When nobody signs, or no reason is given.
    RefusedError
        When the rule stands there already, when a level is passed over, or when the step is not earned; the message
        names what was found, what is demanded and the cure. Nothing is written then.
    """
    if not by.strip() or not reason.strip():
        raise InputError("a step on the ladder is signed: give a name with --by and a reason with --reason.")
    counting.lock(tx)
    before = last(tx, routine, rule)
    stands = before.level if before else Level.SHADOW
    found = counting.counted(tx, routine, rule, before, demands)
    _earned(rule, before, to, found, demands)
    evidence = {
        "from": stands.value,
        "since": before.at.isoformat() if before else None,
        **_told(found, demands),
        "versions": counting.versions(tx, routine, rule, before),
    }
    if to.height > stands.height:
        demand = demands.of(to)
        evidence |= {"volume_demanded": demand.volume, "agreement_demanded": demand.agreement}
        evidence |= {"source": demand.source}
    return write(tx, Rung(routine, rule, to, now, by.strip(), reason.strip(), evidence))


def sign_all(
    tx: Transaction,
    rules: Iterable[str],
    goal: Level,
    *,
    by: str,
    reason: str,
    demands: Demands,
    now: datetime,
    routine: str = CANCELLATION,
) -> None:
    """Take every rule to a level, one signed step after the other.

    Raises
    ------
    RefusedError
        When one of them has not earned it.
    """
    for rule in rules:
        while (way := _next(level(tx, routine, rule), goal)) is not None:
            step(tx, rule=rule, to=way, by=by, reason=reason, demands=demands, now=now, routine=routine)


def _next(stands: Level, goal: Level) -> Level | None:
    """The next level on the way to another; down is one step."""
    if stands is goal:
        return None
    return goal if goal.height < stands.height else tuple(Level)[stands.height + 1]


def write(tx: Transaction, found: Rung) -> Rung:
    """Write a step down, and its entry in the audit log."""
    row = {**vars(found), "level": found.level.value, "evidence": dict(found.evidence)}
    tx.execute(sa.insert(rung).values(**row))
    told = {name: row[name] for name in ("routine", "rule", "level", "reason", "evidence")}
    audit.append(tx, "ladder", actor=found.by, item=None, **told)
    return found


def _stand(tx: Transaction, routine: str, rule: str, demands: Demands) -> Stand:
    before = last(tx, routine, rule)
    stands = before.level if before else Level.SHADOW
    found = counting.counted(tx, routine, rule, before, demands)
    if stands is Level.UNATTENDED:
        return Stand(routine, rule, stands, before, found, None, 0)
    above = tuple(Level)[stands.height + 1]
    missing = still_needed(found, demands.of(above), confidence=demands.confidence)
    return Stand(routine, rule, stands, before, found, above, missing)


def _told(found: Agreement, demands: Demands) -> dict[str, Any]:
    """An agreement as the evidence of a step holds it."""
    bounds = {"lower": round(found.lower, 4), "upper": round(found.upper, 4)}
    return {"agreed": found.agreed, "volume": found.volume, **bounds, "confidence": demands.confidence}


def fell(tx: Transaction, since: Rung, found: Agreement, demands: Demands, *, now: datetime, item: int) -> Rung:
    """Put a rule back to attended in the program's own name, with what made it fall."""
    evidence = {
        FELL: True,
        "from": since.level.value,
        "since": since.at.isoformat(),
        **_told(found, demands),
        "window": demands.window,
        "most_disagreements": demands.most_disagreements,
        "agreement_demanded": demands.unattended_agreement,
        "versions": counting.versions(tx, since.routine, since.rule, since),
        "item": item,
    }
    reason = f"{found.disagreed} of the latest {found.volume} judged decisions were not what a person came to"
    return write(tx, Rung(since.routine, since.rule, Level.ATTENDED, now, audit.PROGRAM, reason, evidence))


def _earned(rule: str, before: Rung | None, to: Level, found: Agreement, demands: Demands) -> None:
    """Refuse a step that leads nowhere, that passes a level over, or that goes up and is not earned."""
    stands = before.level if before else Level.SHADOW
    if to is stands:
        raise RefusedError(f"{rule} stands {to} already, {_since(before)}.")
    if to.height > stands.height + 1:
        raise RefusedError(
            f"{rule} stands {stands}, and no step passes over attended. "
            "Step it to attended first, and let people confirm."
        )
    if to.height > stands.height and not found.meets(demands.of(to)):
        raise RefusedError(_unearned(rule, stands, to, found, demands))


def _unearned(rule: str, stands: Level, to: Level, found: Agreement, demands: Demands) -> str:
    demand = demands.of(to)
    more = still_needed(found, demand, confidence=demands.confidence)
    return (
        f"{rule} has not earned {to}: people came to {found.agreed} of {found.volume} of its decisions in {stands} "
        f"(lower bound {found.lower:.3f}); {to} demands {demand.volume} or more and a lower bound of "
        f"{demand.agreement:g} ({demands.confidence:.0%} Clopper-Pearson). Let people judge at least {more} more, "
        "or lay other demands, with their source, in ladder.yaml."
    )


def _since(before: Rung | None) -> str:
    return f"since {before.at.date()}, signed by {before.by}" if before else "where every rule begins"


def _salt(tx: Transaction) -> str:
    """The database's own secret for the control sample; drawn when it is first asked for."""
    found = store.get(tx, SALT)
    if found is None:
        store.insert_new(tx, store.setting, name=SALT, value=secrets.token_hex(16))
        found = store.get(tx, SALT)
    return str(found)


def _rung(row: sa.Row[Any]) -> Rung:
    return Rung(row.routine, row.rule, Level(row.level), row.at, row.by, row.reason, row.evidence)
