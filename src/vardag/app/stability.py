"""`vardag water stability`: parses, calls the command and prints what stays and what goes with breaks."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from vardag.app.progress import progress
from vardag.app.words import words
from vardag.core.config import DEFAULT_SEED, settings


def stability(
    folder: Annotated[Path, typer.Argument(help=words("opt_folder"), file_okay=False)],
    refits: Annotated[int | None, typer.Option(min=2, max=1000, help=words("opt_refits"))] = None,
    as_of: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help=words("opt_as_of"))] = None,
    seed: Annotated[int, typer.Option(help=words("opt_seed"))] = DEFAULT_SEED,
    as_json: Annotated[bool, typer.Option("--json", help=words("opt_json"))] = False,
) -> None:
    """Fit again and compare."""
    from vardag.app import show
    from vardag.water.commands.stability import stable

    day = as_of.date() if as_of else None
    with progress(quiet=as_json) as on_step:
        found = stable(folder, count=refits, as_of=day, seed=seed, on_step=on_step)
    if as_json:
        return show.machine({"stability": found.stability, "effects": found.effects})
    out = show.person()
    _print(out, found.stability, found.effects, settings().language)
    for path in found.paths:
        out.print(f"  {path}", markup=False)
    return None


def _print(out: Console, stability: dict[str, Any], effects: dict[str, Any], language: str) -> None:
    from vardag.water.publish.effects import effect_charts, stability_rows

    told, charts = stability_rows(stability, language), effect_charts(effects, language)
    assert told is not None and charts is not None
    out.print(told["intro"], markup=False)
    table = Table(*told["heads"])
    for row in told["rows"]:
        table.add_row(*row)
    out.print(table)
    for chart in (*charts["shown"], *charts["more"]):
        table = Table(title=chart["title"], title_justify="left", show_header=False)
        for row in chart["rows"]:
            table.add_row(row["name"], row["share"], row["value"], row["interval"])
        out.print(table)
    out.print("\n".join(filter(None, (charts["weak"], charts["how"]))), style="dim", markup=False)
