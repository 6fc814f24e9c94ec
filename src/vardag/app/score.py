"""What `vardag water scorecard` prints."""

from typing import Any

from rich.console import Console
from rich.table import Table

from vardag.app.show import headed, machine, person
from vardag.app.words import words
from vardag.core.config import settings
from vardag.water.validation.metrics import LEVELS
from vardag.water.validation.outcome import Outcome, Years
from vardag.water.validation.render import model_name

SHOWN_LEVELS = (0.01, 0.05, 0.1, 0.2)
RIVAL_PLACE = LEVELS.index(0.1)


def scored(found: Outcome, *, as_json: bool) -> None:
    """Print what the locked prediction caught, predicted against observed, and alarms."""
    document = found.document()
    if as_json:
        return machine(document)
    out, language = person(), settings().language
    out.print(words("score_head", as_of=document["as_of"], through=document["through"], **document["breaks"]))
    table = headed("score_level", "score_caught", "score_interval")
    for row in document["capture"]:
        shown = ["–" if row[key] is None else f"{100 * row[key]:.1f} %" for key in ("capture", "low", "high")]
        table.add_row(f"{100 * row['level']:g} %", shown[0], f"{shown[1]} – {shown[2]}")
    out.print(table)
    for year in document["years"]:
        out.print(words("score_year", **year), markup=False)
    _rivals(out, document["model"], document["challengers"])
    for alarm in found.alarms:
        out.print(f"[bold red]![/] {alarm.words(language)}")
    return None


def scored_years(found: Years, *, as_json: bool) -> None:
    """Print every lock against its year, all together, the challengers and the alarms."""
    document = found.document()
    if as_json:
        return machine(document)
    out, language = person(), settings().language
    shown = [document["levels"].index(level) for level in SHOWN_LEVELS]
    table = Table(title=words("score_years_head"), title_justify="left")
    for head in ("score_year_column", "score_predicted", "score_observed", "score_ratio"):
        table.add_column(words(head), justify="right")
    for level in SHOWN_LEVELS:
        table.add_column(f"{100 * level:g} %", justify="right")
    for row in [*document["years"], document["pooled"] | {"year": words("score_pooled")}]:
        ratio = "–" if row["ratio"] is None else f"{row['ratio']:.2f}"
        caught = [_per_cent(row["capture"][place]) for place in shown]
        table.add_row(str(row["year"]), f"{row['predicted']:.1f}", str(row["observed"]), ratio, *caught)
    out.print(table)
    _rivals(out, document["model"], document["challengers"])
    for alarm in found.alarms:
        out.print(f"[bold red]![/] {alarm.words(language)}")
    return None


def _rivals(out: Console, champion: str, rows: list[dict[str, Any]]) -> None:
    """Print what the challengers caught and how far the model in use is ahead."""
    if not rows or rows[0]["lead"][RIVAL_PLACE] is None:
        return
    language = settings().language
    level = f"{100 * LEVELS[RIVAL_PLACE]:g}"
    out.print(words("score_rivals", model=model_name(champion, language), level=level), markup=False)
    table = headed("score_model", "score_caught", "score_lead")
    for row in rows:
        lead, low, high = (100 * row[key][RIVAL_PLACE] for key in ("lead", "low", "high"))
        name, caught = model_name(row["model"], language), _per_cent(row["capture"][RIVAL_PLACE])
        table.add_row(name, caught, f"{lead:+.1f} ({low:+.1f} – {high:+.1f})")
    out.print(table)


def _per_cent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"
