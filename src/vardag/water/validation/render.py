"""The tables of an evaluation as Markdown (for docs) and as rich tables (for the terminal), from its document."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from vardag.core.texts import Texts

TEXTS = Texts(Path(__file__).with_name("texts.toml"))
LEAD_LEVELS = (0.05, 0.1)

Document = dict[str, Any]


@dataclass(frozen=True)
class Sheet:
    """A table to be shown: caption, column heads and rows of text; the first column is text, the rest figures."""

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        """Return the table as GitHub Markdown."""
        rule = ["---", *["---:" for _ in self.heads[1:]]]
        lines = [self.heads, rule, *self.rows]
        table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
        return f"{self.caption}\n\n{table}\n" if self.caption else table + "\n"

    def rich(self) -> Table:
        """Return the table for the terminal."""
        table = Table(title=self.caption or None, title_justify="left")
        for place, head in enumerate(self.heads):
            table.add_column(head, justify="left" if place == 0 else "right")
        for row in self.rows:
            table.add_row(*row)
        return table


def model_name(model: str, language: str) -> str:
    """Name of a model in words, else its stable name."""
    key = f"model_{model}"
    return TEXTS(key, language) if TEXTS.has(key) else model


def headline_sheet(
    document: Document,
    *,
    population: str = "register",
    horizon: str = "1",
    language: str = "en",
    part: str = "headline",
) -> Sheet:
    """Make the headline table: capture per level with its interval, and the first model's lead.

    Parameters
    ----------
    document
        What `vardag.water.validation.evaluate.evaluate` returned.
    population, horizon
        ``register`` or ``with_rebuilt``; ``1`` or ``3`` years ahead.
    part
        ``headline``, or ``no_history`` for the pipes that had not broken yet.
    """
    tables = document["populations"][population][horizon]
    if tables is None:
        return Sheet(TEXTS("none_scored", language, years=horizon), [TEXTS("head_model", language)], [])
    levels = document["levels"]
    places = [levels.index(level) for level in LEAD_LEVELS if level in levels]
    heads = [TEXTS("head_model", language)]
    heads += [TEXTS("head_level", language, level=_percent_level(level)) for level in levels]
    heads += [TEXTS("head_lead", language, level=_percent_level(levels[place])) for place in places]
    rows = [_headline_row(row, places, language, lead=number > 0) for number, row in enumerate(tables[part])]
    shown = {"breaks": tables["breaks"], "origins": len(tables["origins"]), "years": horizon}
    caption = TEXTS("caption", language, **shown) if part == "headline" else ""
    return Sheet(caption, heads, rows)


def _headline_row(row: Document, places: Sequence[int], language: str, *, lead: bool) -> list[str]:
    cells = [model_name(row["model"], language)]
    cells += [_with_interval(*figures) for figures in zip(row["capture"], row["low"], row["high"], strict=True)]
    for place in places:
        figures = (row["difference"][place], row["difference_low"][place], row["difference_high"][place])
        cells.append(_with_interval(*figures, sign="+", to=TEXTS("to", language)) if lead else "")
    return cells


def _with_interval(
    value: float | None, low: float | None, high: float | None, *, sign: str = "", to: str = "–"
) -> str:
    if value is None or low is None or high is None:
        return "–"
    shown = [f"{100 * figure:{sign}.1f}" for figure in (value, low, high)]
    return f"{shown[0]} ({shown[1]}{to}{shown[2]})"


def _percent_level(level: float) -> str:
    return f"{100 * level:g}"


def calibration_sheet(
    document: Document,
    *,
    by: str = "year",
    population: str = "register",
    horizon: str = "1",
    language: str = "en",
) -> Sheet:
    """Make a table of predicted against observed breaks ``by`` year, material or decile, with the total last."""
    tables = document["populations"][population][horizon]
    heads = [TEXTS(f"head_{key}", language) for key in (by, "predicted", "observed", "ratio")]
    if tables is None:
        return Sheet(TEXTS("none_scored", language, years=horizon), heads, [])
    pooled = tables["calibration"]["pooled"] | {by: TEXTS("head_pooled", language)}
    return Sheet("", heads, [_compared(row, by) for row in [*tables["calibration"][f"by_{by}"], pooled]])


def _compared(row: Document, by: str) -> list[str]:
    ratio = "–" if row["ratio"] is None else f"{row['ratio']:.2f}"
    return [str(row[by]), f"{row['predicted']:.1f}", f"{row['observed']:.0f}", ratio]


def believed_words(document: Document, told: Sequence[float | None] | None, language: str) -> str:
    """Say what the first model would catch were its rates true; nothing where that was not computed."""
    if not told or None in told:
        return ""
    levels = " / ".join(_percent_level(level) for level in document["levels"])
    shares = " / ".join(f"{100 * share:.1f}" for share in told if share is not None)
    return TEXTS(
        "believed", language, levels=levels, shares=shares, model=model_name(document["models"][0], language)
    )


def held_words(told: Document | None, language: str) -> str:
    """Say how many of the years' numbers of breaks their intervals held; nothing where that was not tested."""
    if told is None:
        return ""
    shares = {name: f"{100 * told[name]['share']:.0f}" for name in ("years", "materials", "deciles")}
    return TEXTS("held", language, stated=f"{100 * told['stated']:.0f}", count=told["years"]["numbers"], **shares)


def streets_sheet(document: Document, *, population: str = "register", language: str = "en") -> Sheet | None:
    """Make the table of the top street blocks three years ahead; None where it does not apply."""
    tables = document["populations"][population].get("3")
    if tables is None or tables["streets"] is None:
        return None
    heads = [TEXTS("head_model", language)]
    heads += [TEXTS(f"head_{key}", language) for key in ("blocks", "hits", "precision", "base_rate")]
    rows = [
        [
            model_name(row["model"], language),
            f"{row['blocks']:g}",
            f"{row['hits']:g}",
            f"{100 * row['precision']:.1f} %",
            f"{100 * row['base_rate']:.1f} %",
        ]
        for row in tables["streets"]["rows"]
    ]
    return Sheet("", heads, rows)
