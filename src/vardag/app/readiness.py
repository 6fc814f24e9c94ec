"""`vardag invoices obstacles` and `readiness`: parse, call the command, print what came of it."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vardag.app.show import machine, person
from vardag.app.words import words
from vardag.core.config import settings

if TYPE_CHECKING:
    from vardag.invoices.process.obstacles import Obstacle

HERE = Path()
Folder = Annotated[Path, typer.Argument(help=words("opt_robot_folder"), file_okay=False)]
AsJson = Annotated[bool, typer.Option("--json", help=words("opt_json"))]


def obstacles(
    folder: Folder = HERE,
    example: Annotated[bool, typer.Option("--example", help=words("opt_obstacles_example"))] = False,
    as_json: AsJson = False,
) -> None:
    """List what stands in the way."""
    from vardag.invoices.commands import obstacles as command

    language = settings().language
    if example:
        typer.echo(command.example(language), nl=False)
        return
    found = command.obstacles(folder, language=language)
    if as_json:
        machine([asdict(one) for one in found])
        return
    _list(found)


def _list(found: "list[Obstacle]") -> None:
    from vardag.invoices.process.obstacles import not_looked_at

    out = person()
    opened, stopping = sum(one.open for one in found), sum(one.stops for one in found)
    out.print(words("obstacles_counted", all=len(found), open=opened, blocking=stopping), markup=False)
    for one in found:
        state = "blocking" if one.stops else one.status.value
        style = {"blocking": "bold red", "open": "yellow", "removed": "green"}[state]
        out.print(f"[{style}]{words(f'obstacle_{state}')}[/]  {words(f'kind_{one.kind}')}", end="  ")
        out.print(f"{one.id}  {one.date}", markup=False)
        out.print(f"  {one.what}", markup=False)
        out.print(f"  {words('obstacle_owner')}: {one.owner}", markup=False)
        key, text = ("remedy", one.remedy) if one.open else ("evidence", one.evidence)
        out.print(f"  {words(f'obstacle_{key}')}: {text}", markup=False)
        if one.stops:
            out.print(f"  {words('obstacle_blocking_by')}: {one.blocking_by}", markup=False)
    if kinds := not_looked_at(found):
        told = ", ".join(words(f"kind_{kind}") for kind in kinds)
        out.print(words("obstacles_not_looked", kinds=told), markup=False)
