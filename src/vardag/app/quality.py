"""`vardag water quality`: parses, calls the command and prints a summary."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table

from vardag.app.progress import progress
from vardag.app.words import words
from vardag.core.config import DEFAULT_SEED

POOREST = 3  # fields named for each source


def quality(
    folder: Annotated[Path, typer.Argument(help=words("opt_folder"), file_okay=False)],
    effect: Annotated[bool, typer.Option("--effect/--no-effect", help=words("opt_quality_effect"))] = True,
    language: Annotated[Literal["sv", "en"] | None, typer.Option(help=words("opt_language"))] = None,
    seed: Annotated[int, typer.Option(help=words("opt_seed"))] = DEFAULT_SEED,
    as_json: Annotated[bool, typer.Option("--json", help=words("opt_json"))] = False,
) -> None:
    """Report the quality of the data."""
    from vardag.app import show
    from vardag.water.commands.quality import quality as report_quality

    with progress(quiet=as_json) as on_step:
        found = report_quality(folder, effect=effect, language=language, seed=seed, on_step=on_step)
    if as_json:
        return show.machine(found.document)
    shown = found.document["language"]
    out = show.person()
    _fill(out, found.document, shown)
    _checks(out, found.document)
    _effect(out, found.document["effect"], shown)
    for path in found.paths:
        out.print(f"  {path}", markup=False)
    return None


def _fill(out: Console, document: Mapping[str, Any], language: str) -> None:
    heads = ("source", "rows", "fields", "poorest")
    table = Table(*(words(f"quality_{head}", language=language) for head in heads))
    for one in document["sources"]:
        poor = sorted((field for field in one["fields"] if field["share"] < 1), key=lambda field: field["share"])
        told = ", ".join(f"{field['field']} {100 * field['share']:.0f} %" for field in poor[:POOREST])
        table.add_row(f"{one['source']} → {one['table']}", f"{one['rows']:,}", str(len(one["fields"])), told or "–")
    out.print(table)


def _checks(out: Console, document: Mapping[str, Any]) -> None:
    from vardag.app.show import MARKS

    for row in document["checks"]:
        if row["rows"]:
            out.print(f"{MARKS[row['severity']]} [bold]{row['name']}[/]", end=" ")
            out.print(row["message"], markup=False)


def _effect(out: Console, effect: Mapping[str, Any] | None, language: str) -> None:
    if effect is None:
        return
    if not effect["measured"]:
        out.print(words("quality_not_measured", language=language))
        return
    from vardag.water.publish.quality.page import effect as in_words

    told = in_words(effect, language)
    assert told is not None
    for model in told["models"]:
        heads = ("without", "group_rows", "difference", "says", "ratio")
        table = Table(*(words(f"quality_{head}", language=language) for head in heads), title=model["name"])
        for row in model["rows"]:
            change = f"{row['difference']} ({row['interval']})" if row["difference"] else ""
            table.add_row(row["name"], row["rows"], change, row["verdict"], row["ratio"])
        out.print(table)
    out.print(told["answer"])
    out.print(told["basis"], style="dim")
