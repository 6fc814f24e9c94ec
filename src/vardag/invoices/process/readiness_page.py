"""The page of a verdict on readiness: one HTML file that is complete in itself."""

from datetime import datetime
from typing import Any

from markupsafe import Markup

from vardag.core.pages import environment
from vardag.invoices.process import assessment as words
from vardag.invoices.process.assessment import TEXTS, Assessment, told
from vardag.invoices.process.page import HERE, POLICY, number
from vardag.invoices.process.readiness import Criterion, State

MARKS = {State.MET: "✓", State.FAILS: "✗", State.OPEN: "?"}
STYLES = ("page.css", "readiness.css")


def page(found: Assessment, language: str, *, version: str, now: datetime) -> str:
    """Make the page.

    It asks for nothing from anywhere; a content security policy forbids every request and every script. No person
    and no case is on it but the owners that the register names.
    """
    pages = environment(HERE)
    verdict, why = words.headline(found, language)
    return pages.get_template("readiness.html.j2").render(
        language=language,
        t=lambda key, **values: TEXTS(key, language, **values),
        policy=POLICY,
        style=Markup("".join((HERE / name).read_text(encoding="utf-8") for name in STYLES)),
        found=found,
        kind=found.verdict.kind.value,
        verdict=verdict,
        why=why,
        reasons=words.reasons(found, language),
        criteria=criteria(found, language),
        flips=changes(found, language),
        year=year(found, language),
        drawn=_drawn(found, language),
        lines=words.behind_words(found, language),
        obstacles=[one for one in found.obstacles or () if one.open],
        limits=words.unsaid(found, language),
        parameters=[
            (name, "–" if entry.value is None else entry.value, entry.unit, entry.date, entry.source)
            for name, entry in found.parameters.entries.items()
        ],
        confidence=_percent(found, language),
        version=version,
        date=now.date(),
    )


def criteria(found: Assessment, language: str) -> list[dict[str, Any]]:
    """The criteria, row by row; a share's interval and limit are drawn as well."""
    return [
        {
            "label": words.label(one, found, language),
            "value": told(one.name, one.estimate.value, language),
            "interval": words.spread(one.name, one.estimate, language),
            "limit": words.limit(one, language),
            "otherwise": TEXTS(f"else_{one.otherwise}", language),
            "state": one.state.value,
            "mark": MARKS[one.state],
            "stands": TEXTS(f"state_{one.state}", language),
            "drawn": _on_a_line(one) if one.name in words.SHARES else None,
        }
        for one in found.verdict.criteria
    ]


def _on_a_line(one: Criterion) -> dict[str, float]:
    """Where interval, value and limit of a share stand on a line from 0 to 100."""
    ends = {"low": one.estimate.low, "high": one.estimate.high, "value": one.estimate.value, "limit": one.limit}
    return {name: round(100 * at, 2) for name, at in ends.items()}


def changes(found: Assessment, language: str) -> list[dict[str, str]]:
    """What would change the verdict, row by row."""
    return [
        {
            "label": TEXTS(f"number_{flip.name}", language),
            "now": told(flip.name, flip.now, language),
            "at": words.flip_at(flip, language),
            "becomes": TEXTS(f"becomes_{flip.becomes}", language),
            "kind": flip.becomes.value,
        }
        for flip in found.flips
    ]


def year(found: Assessment, language: str) -> list[tuple[str, str]]:
    """Figures of a year with the robot: value and words; none where they are not known."""
    if (economy := found.verdict.economy) is None:
        return []

    def with_ends(key: str, name: str, low: float | None, high: float | None, **more: object) -> str:
        return TEXTS(key, language, low=told(name, low, language), high=told(name, high, language), **more)

    hours, minutes, net = economy.hours_saved, economy.minutes_saved, economy.net_sek
    best, median, worst = (_years(one, language) for one in economy.payback_years)
    return [
        (told("", hours.value, language), with_ends("fact_hours", "", hours.low, hours.high)),
        (told("", economy.run_hours, language), TEXTS("fact_run_hours", language)),
        (number(minutes.value, language), with_ends("fact_minutes", "", minutes.low, minutes.high)),
        (told("worth", net.value, language), with_ends("fact_net", "worth", net.low, net.high)),
        (told("worth", found.numbers.costs.build_sek, language), TEXTS("fact_build", language)),
        (median, TEXTS("fact_payback", language, low=best, high=worst)),
    ]


def _years(value: float | None, language: str) -> str:
    if value is None:
        return TEXTS("never", language)
    return TEXTS("years", language, years=number(value, language))


def _percent(found: Assessment, language: str) -> str:
    return told("clear", float(found.parameters.value("confidence")), language)


def _drawn(found: Assessment, language: str) -> dict[str, Any]:
    draws, seed = (found.parameters.value(name) for name in ("draws", "seed"))
    return {"draws": number(draws, language, 0), "seed": seed, "confidence": _percent(found, language)}
