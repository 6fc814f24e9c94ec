"""What the account does not know, in words: the gravest first."""

from pathlib import Path

from vardag.core.texts import Texts
from vardag.invoices.hours.account import Account
from vardag.invoices.hours.estimates import Source, assumed
from vardag.invoices.hours.evidence import Evidence
from vardag.invoices.process.page import number

TEXTS = Texts(Path(__file__).with_name("texts.toml"))
SOME_HOURS = 0.05  # hours that are told; less is rounding

Limit = tuple[object, str, dict[str, object]]  # whether it holds, its text, and the text's fields


def limits(found: Account, evidence: Evidence, language: str) -> list[str]:
    """Every limit that holds, as sentences."""
    if not found.items:
        told: list[Limit] = [(True, "limit_nothing", {}), (found.shadow, "limit_shadow", {"count": found.shadow})]
    else:
        told = [*_of_minutes(found, evidence, language), *_of_items(found), *_of_worth(found, evidence, language)]
    return [TEXTS(key, language, **values) for holds, key, values in told if holds]


def _of_minutes(found: Account, evidence: Evidence, language: str) -> list[Limit]:
    """What the minutes rest on."""
    total = found.total
    lines = [line for line in found.lines if line.items]
    baselines = {line.baseline.source for line in lines}
    few = {
        line.outcome: line.baseline.observations for line in lines if line.baseline.source is not Source.MEASURED
    }
    begun = {name: count for name, count in few.items() if count}
    named = ", ".join(TEXTS(f"outcome_{name}", language) for name in found.assumed_outcomes)
    least = evidence.number("few_observations")
    return [
        (
            not found.measured,
            "limit_assumed",
            {"hours": number(total.assumed_saved, language), "cost": number(total.assumed_cost, language)},
        ),
        (named, "limit_assumed_outcomes", {"outcomes": named}),
        (
            begun,
            "limit_few",
            {
                "counts": ", ".join(f"{TEXTS(f'outcome_{name}', language)}: {n}" for name, n in begun.items()),
                "few": f"{least:g}",
            },
        ),
        (found.late, "limit_late", {"count": found.late, "all": len(evidence.timings)}),
        (
            found.unknown,
            "limit_unknown",
            {
                "count": found.unknown,
                "all": found.decided,
                "longest": f"{evidence.number('longest_sitting'):g}",
            },
        ),
        (found.open_looks, "limit_open_looks", {"count": found.open_looks}),
        (Source.MEASURED in baselines, "limit_selection", {}),
    ]


def _of_items(found: Account) -> list[Limit]:
    """What was counted, and what not."""
    counts = {line.outcome: line.items for line in found.lines}
    wrong = found.total.worth.wrong
    return [
        (counts["waiting"], "limit_waiting", {"count": counts["waiting"]}),
        (not wrong.part and wrong.whole, "limit_no_objection", {"count": wrong.whole}),
        (wrong.part, "limit_objections", {"count": wrong.part}),
        (found.shadow, "limit_shadow", {"count": found.shadow}),
        (len(found.routines) > 1, "limit_routines", {"names": ", ".join(found.routines)}),
        (True, "limit_moves", {}),
        (True, "limit_demand", {}),
    ]


def _of_worth(found: Account, evidence: Evidence, language: str) -> list[Limit]:
    """What the hours became."""
    worth = found.total.worth
    hours: dict[str, object] = {
        "hours": number(abs(worth.unexplained_hours), language),
        "told": number(worth.freed_hours, language),
    }
    cost = assumed(evidence.parameters["cost_per_hour"])
    return [
        (not worth.freed, "limit_freed_none", {}),
        (worth.freed and worth.unexplained_hours > SOME_HOURS, "limit_freed_less", hours),
        (worth.freed and worth.unexplained_hours < -SOME_HOURS, "limit_freed_more", hours),
        (cost.source is Source.ASSUMED, "limit_cost", {"cost": f"{cost.value:g}"}),
        (not worth.robot_sek, "limit_robot_cost", {}),
        (evidence.parameters.value("answer_hours_before") is None, "limit_before", {}),
        (worth.without_amount, "limit_amount", {"count": worth.without_amount}),
    ]
