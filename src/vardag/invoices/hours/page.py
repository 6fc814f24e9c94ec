"""The account as one HTML file that is complete in itself: figures, limits, months, outcomes, freed time."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from vardag.core.pages import environment
from vardag.invoices.hours import sheets
from vardag.invoices.hours.account import Account, Span
from vardag.invoices.hours.bars import bars
from vardag.invoices.hours.evidence import Evidence
from vardag.invoices.hours.history import OPEN
from vardag.invoices.hours.limits import TEXTS, limits
from vardag.invoices.process.page import HERE as DISCOVERY
from vardag.invoices.process.page import POLICY, number, span

HERE = Path(__file__).parent
STYLES = (DISCOVERY / "page.css", HERE / "page.css")  # one look for every page about the routine


@dataclass(frozen=True)
class About:
    """What the page says of its origin: the robot's folder, the program, and the head of the log."""

    name: str
    version: str
    entries: int
    head: str


def page(found: Account, evidence: Evidence, about: About, language: str) -> str:
    """Make the page. It asks for nothing from anywhere, and names nobody but those whom freed.yaml names."""
    pages = environment(HERE)
    percent = number(100 * evidence.number("confidence"), language, 0)
    return pages.get_template("page.html.j2").render(
        language=language,
        t=lambda key, **values: TEXTS(key, language, **values),
        policy=POLICY,
        style=Markup("\n".join(path.read_text(encoding="utf-8") for path in STYLES)),
        about=about,
        found=found,
        facts=facts(found.total, evidence, language),
        limits=limits(found, evidence, language),
        picture=Markup(bars(found.months, language)) if found.months else "",
        confidence=percent,
        months=sheets.months(found, language),
        outcomes=sheets.outcomes(found.total, language),
        freed=sheets.freed(found.total, language),
        told={
            "saved": number(found.total.saved_hours, language),
            "told": number(found.total.worth.freed_hours, language),
            "rest": number(found.total.worth.unexplained_hours, language),
        },
    )


def facts(total: Span, evidence: Evidence, language: str) -> list[tuple[str, str, str]]:
    """Figures of the first screen: each with what it is, and what belongs to it."""
    worth = total.worth
    done = sum(line.items for line in total.lines if line.outcome not in OPEN)
    net, cost = number(worth.net_sek, language, 0), number(worth.robot_sek, language, 0)
    robot = TEXTS("fact_robot", language, cost=cost, net=net) if worth.robot_sek else ""
    return [
        (
            f"{number(total.saved_hours, language)} h",
            TEXTS("fact_hours", language),
            split(total, evidence, language),
        ),
        (
            number(total.items, language, 0),
            TEXTS("fact_items", language),
            TEXTS("fact_completed", language, completed=number(done, language, 0)),
        ),
        (number(worth.value_sek, language, 0), TEXTS("fact_value", language), robot),
        (
            number(float(worth.amount), language, 0),
            TEXTS("fact_amount", language),
            TEXTS("fact_no_saving", language),
        ),
        _wrong(total, evidence, language),
        (span(worth.ended.median, language), TEXTS("fact_ended", language), _waits(total, evidence, language)),
    ]


def split(total: Span, evidence: Evidence, language: str) -> str:
    """What the hours rest on."""
    interval = ""
    if total.interval is not None:
        percent = number(100 * evidence.number("confidence"), language, 0)
        ends = sheets.between(total.interval, language)
        interval = TEXTS("fact_interval", language, confidence=percent, interval=ends)
    hours = {"known": total.known_hours, "assumed": total.assumed_saved, "cost": total.assumed_cost}
    told = {name: number(value, language) for name, value in hours.items()}
    return TEXTS("fact_split", language, interval=interval, **told)


def _wrong(total: Span, evidence: Evidence, language: str) -> tuple[str, str, str]:
    """The error rate, with its interval; a dash where the robot ended nothing."""
    wrong, words = total.worth.wrong, TEXTS("fact_wrong", language)
    if wrong.value is None or wrong.interval is None:
        return sheets.NOT_KNOWN, words, ""
    low, high = (100 * end for end in wrong.interval)
    told = TEXTS(
        "fact_of",
        language,
        part=number(wrong.part, language, 0),
        whole=number(wrong.whole, language, 0),
        confidence=number(100 * evidence.number("confidence"), language, 0),
        interval=sheets.between((low, high), language),
    )
    return f"{number(100 * wrong.value, language)} %", words, told


def _waits(total: Span, evidence: Evidence, language: str) -> str:
    """How long others waited, before the robot, and for a first answer."""
    worth, before = total.worth, evidence.parameters.value("answer_hours_before")
    told: Sequence[tuple[str, float | None]] = (
        ("fact_p90", worth.ended.p90),
        ("fact_before", before),
        ("fact_answered", worth.answered.median),
    )
    return "; ".join(TEXTS(key, language, time=span(hours, language)) for key, hours in told if hours is not None)
