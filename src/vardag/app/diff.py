"""``vardag water diff``: parse, compare, print."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from vardag.app.progress import progress
from vardag.app.words import words


def diff(
    folder: Annotated[Path, typer.Argument(help=words("opt_folder"), file_okay=False)],
    against: Annotated[Path | None, typer.Option("--with", help=words("opt_diff_with"))] = None,
    source: Annotated[str | None, typer.Option(help=words("opt_diff_source"))] = None,
    language: Annotated[Literal["sv", "en"] | None, typer.Option(help=words("opt_language"))] = None,
    as_json: Annotated[bool, typer.Option("--json", help=words("opt_json"))] = False,
) -> None:
    """Compare two deliveries of the register."""
    from vardag.app import show
    from vardag.water.commands.diff import diff as diff_city

    with progress(quiet=as_json) as on_step:
        found = diff_city(folder, against=against, source=source, language=language, on_step=on_step)
    if as_json:
        return show.machine(asdict(found))
    for line in (*found.words, *(f"  {path}" for path in found.paths)):
        show.person().print(line, markup=False)
    return None
