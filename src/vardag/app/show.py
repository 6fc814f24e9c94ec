"""What a command prints: text and tables for people, JSON for machines."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from vardag.app.words import words
from vardag.core.config import settings

if TYPE_CHECKING:
    from vardag.water.commands.check import Checked
    from vardag.water.commands.evaluate import Evaluated
    from vardag.water.commands.load import LoadReport
    from vardag.water.commands.predict import Predicted
    from vardag.water.publish import Published

MARKS = {"error": "[bold red]✗[/]", "warning": "[yellow]![/]", "note": "[blue]·[/]"}


def machine(value: Any) -> None:
    """Print a value as JSON."""
    print(json.dumps(value, default=str, ensure_ascii=False, indent=1))


def person() -> Console:
    """The terminal, for text and tables."""
    return Console(soft_wrap=True, highlight=False)


def initialised(path: Path, *, as_json: bool) -> None:
    """Say where the city.toml lies and what to do next."""
    if as_json:
        return machine({"path": path})
    return person().print(words("init_done", path=path, folder=path.parent))


def loaded(report: "LoadReport", *, as_json: bool) -> None:
    """Say what was loaded, what was put in quarantine and why, and what was assumed."""
    if as_json:
        return machine(asdict(report))
    from vardag.water.sources.notes import reason_text

    out, language = person(), settings().language
    table = headed("load_source", "load_status", "load_in", "load_kept", "load_quarantined")
    for source in report.sources:
        left_out = sum(source.quarantined.values())
        counts = [f"{number:,}" for number in (source.rows_in, source.kept, left_out)]
        table.add_row(f"{source.name} → {source.table}", words(f"load_{source.status}"), *counts)
    out.print(table)
    for source in report.sources:
        for reason, rows in source.quarantined.items():
            out.print(f"  {source.name}: {rows:,} × {reason_text(reason, language)}", markup=False)
        for note in source.notes:
            out.print(f"  {source.name}: {note.text(language)}", markup=False)
    return None


def checked(found: "Checked", *, as_json: bool) -> None:
    """Say what is wrong with the data and how much of the log can be used."""
    if as_json:
        return machine(asdict(found))
    out = person()
    for result in found.checks:
        mark = MARKS[result.severity] if result.rows else "[green]✓[/]"
        out.print(f"{mark} [bold]{result.name}[/]", end=" ")
        out.print(" ".join(part for part in (result.message, result.cure) if part), markup=False)
    log = found.survivorship
    shares = {key: f"{100 * log[key]['share']:.1f} %" for key in ("register", "with_rebuilt", "labels")}
    out.print("\n" + words("check_log", breaks=f"{log['breaks']:,}", rebuilt=log["rebuilt"]["pipes"], **shares))
    return None


def predicted(found: "Predicted", *, as_json: bool) -> None:
    """Say what was predicted and what it rests on."""
    if as_json:
        return machine(asdict(found))
    out, (fewest, most) = person(), found.breaks_interval
    out.print(words(
        "predict_done", as_of=found.as_of, pipes=f"{found.pipes:,}", km=f"{found.length_km:,.0f}",
        breaks=f"{found.expected_breaks:.1f}", fewest=f"{fewest:.0f}", most=f"{most:.0f}",
        learned=f"{found.label_breaks:,}",
    ))  # fmt: skip
    return out.print(found.notes[settings().language], markup=False)


def evaluated(found: "Evaluated", *, as_json: bool) -> None:
    """Print the headline and the calibration by year, and say where the rest lies."""
    if as_json:
        return machine(found.document)
    from vardag.water.validation.render import calibration_sheet, headline_sheet

    out, language = person(), settings().language
    out.print(headline_sheet(found.document, language=language).rich())
    out.print(calibration_sheet(found.document, language=language).rich())
    return _paths(out, found.paths)


def published(found: "Published", *, as_json: bool) -> None:
    """Say where the files lie."""
    if as_json:
        return machine([str(path) for path in found.paths])
    return _paths(person(), found.paths)


def locked(path: Path, *, as_json: bool) -> None:
    """Say where the lock lies."""
    if as_json:
        return machine({"path": path})
    return person().print(words("lock_done", path=path))


def headed(*heads: str) -> Table:
    """An empty table; the first two columns are text, the others figures."""
    table = Table()
    for place, head in enumerate(heads):
        table.add_column(words(head), justify="left" if place < 2 and head != "score_caught" else "right")
    return table


def _paths(out: Console, paths: Iterable[Path]) -> None:
    for path in paths:
        out.print(f"  {path}", markup=False)
