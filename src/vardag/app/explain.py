"""`vardag water explain`: parses, calls the command and prints one pipe."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table

from vardag.app.progress import progress
from vardag.app.words import words


def explain(
    folder: Annotated[Path, typer.Argument(help=words("opt_folder"), file_okay=False)],
    pipe: Annotated[str, typer.Argument(help=words("opt_explain_pipe"))],
    language: Annotated[Literal["sv", "en"] | None, typer.Option(help=words("opt_language"))] = None,
    as_json: Annotated[bool, typer.Option("--json", help=words("opt_json"))] = False,
) -> None:
    """Explain one pipe."""
    from vardag.app import show
    from vardag.water.commands.explain import explain as explain_pipe
    from vardag.water.publish.one_pipe import explained

    with progress(quiet=as_json) as on_step:
        found = explain_pipe(folder, pipe, language=language, on_step=on_step)
    if as_json:
        return show.machine(found.document)
    return _print(show.person(), explained(found.document, found.language), found.language)


def _print(out: Console, told: Mapping[str, Any], language: str) -> None:
    def head(key: str) -> None:
        out.print("\n" + words(key, language=language), style="bold", markup=False)

    out.print(told["title"], style="bold", markup=False)
    for line in told["facts"]:
        out.print(line, markup=False)
    head("explain_why")
    for times, text in told["reasons"]:
        out.print(f"  {times:<7}{text}", markup=False)
    head("explain_similar")
    _table(out, told["similar"])
    head("explain_changes")
    for name, figure in told["changes"]:
        out.print(f"  {name}: {figure}", markup=False)
    out.print(words("explain_no_promise", language=language), style="dim", markup=False)


def _table(out: Console, similar: Mapping[str, Any]) -> None:
    table = Table()
    for place, name in enumerate(similar["heads"]):
        table.add_column(name, justify="left" if place < 2 else "right")
    for row in similar["rows"]:
        table.add_row(*(cell.replace("[", "\\[") for cell in row))
    if similar["rows"]:
        out.print(table)
    out.print(similar["together"], markup=False)
