"""Counts what people said of a rule's decisions where the rule stands."""

import sqlalchemy as sa

from vardag.invoices.ladder.agreement import Agreement, agreement
from vardag.invoices.ladder.demands import Demands
from vardag.invoices.ladder.levels import Level, Rung
from vardag.invoices.store import Transaction, item, judgement

LOCK = 1_876_306  # advisory lock of PostgreSQL: steps and judgements one after the other


def lock(tx: Transaction) -> None:
    """One step or judgement at a time, so that each sees the ones before; SQLite has one writer anyway."""
    if tx.dialect.name == "postgresql":
        tx.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))


def counted(tx: Transaction, routine: str, rule: str, since: Rung | None, demands: Demands) -> Agreement:
    """Agreement about a rule on the level where it stands, since the step that put it there."""
    query = sa.select(judgement.c.agrees, sa.func.count()).where(*_judged(routine, rule, since))
    counts = {bool(row[0]): int(row[1]) for row in tx.execute(query.group_by(judgement.c.agrees))}
    agreed = counts.get(True, 0)
    return agreement(agreed, agreed + counts.get(False, 0), confidence=demands.confidence)


def latest(tx: Transaction, routine: str, rule: str, since: Rung, demands: Demands) -> Agreement:
    """The same over the latest judgements only, as many as the window holds."""
    query = sa.select(judgement.c.agrees).where(*_judged(routine, rule, since))
    query = query.order_by(judgement.c.at.desc(), judgement.c.item.desc()).limit(demands.window)
    found = [bool(agrees) for agrees in tx.execute(query).scalars()]
    return agreement(sum(found), len(found), confidence=demands.confidence)


def versions(tx: Transaction, routine: str, rule: str, since: Rung | None) -> dict[str, int]:
    """How many of the judged decisions each version of the rules made."""
    named = item.c.decision["version"].as_string().label("version")
    each = sa.select(named).join_from(judgement, item).where(*_judged(routine, rule, since)).subquery()
    query = sa.select(each.c.version, sa.func.count()).group_by(each.c.version).order_by(each.c.version)
    return {str(row[0]): int(row[1]) for row in tx.execute(query)}


def _judged(routine: str, rule: str, since: Rung | None) -> list[sa.ColumnElement[bool]]:
    """Judgements that speak about a rule where it stands: made since it came there, of decisions on that level.

    A decision on a level above, judged late, counts too: it was made with less of a person's help.
    """
    found = [judgement.c.routine == routine, judgement.c.rule == rule]
    if since is not None:
        levels = [one.value for one in Level if one.height >= since.level.height]
        found += [judgement.c.at > since.at, judgement.c.level.in_(levels)]
    return found
