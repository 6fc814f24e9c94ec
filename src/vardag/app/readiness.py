"""`vardag invoices obstacles` and `readiness`: parse, call the command, print what came of it."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vardag.app.show import machine, person
from vardag.app.words import words
from vardag.core.config import settings

if TYPE_CHECKING:
    from vardag.invoices.process.assessment import Assessment
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


def readiness(
    folder: Folder = HERE,
    routine: Annotated[str, typer.Option(help=words("opt_readiness_routine"))] = "cancellation",
    log: Annotated[Path | None, typer.Option(help=words("opt_readiness_log"), dir_okay=False)] = None,
    columns: Annotated[str, typer.Option(help=words("opt_columns"))] = "",
    object_type: Annotated[str, typer.Option(help=words("opt_object_type"))] = "",
    out: Annotated[Path | None, typer.Option(help=words("opt_readiness_out"), file_okay=False)] = None,
    as_json: AsJson = False,
) -> None:
    """Judge whether the routine is ready."""
    from vardag.app.robots import database
    from vardag.invoices.commands import readiness as command

    language, store = settings().language, database(folder)
    done = command.readiness(
        folder, store, language=language, routine=routine, log=log, columns=columns, object_type=object_type
    )
    written = command.write(done, out, language) if out else ()
    if as_json:
        machine(command.facts(done) | {"written": written})
        return
    _verdict(done, language)
    out_ = person()
    for path in written[:1]:
        out_.print(words("discovered_written", path=path), markup=False)
    if not written:
        out_.print(words("discovered_unwritten"))


def _verdict(done: "Assessment", language: str) -> None:
    """The verdict, what decides it, what would change it, and what it does not say."""
    from rich.markup import escape
    from rich.table import Table

    from vardag.invoices.process import assessment, readiness_page

    out, text = person(), assessment.TEXTS
    verdict, why = assessment.headline(done, language)
    out.print(f"[bold]{verdict}[/]. {escape(why)}")
    for reason in assessment.reasons(done, language):
        out.print(f"  · {reason}", markup=False)
    if rows := readiness_page.criteria(done, language):
        table = Table(
            *(text(key, language) for key in ("col_criterion", "col_value", "col_limit", "col_state")), box=None
        )
        for row in rows:
            table.add_row(row["label"], f"{row['value']} ({row['interval']})", row["limit"], row["stands"])
        out.print(table)
    for value, label in readiness_page.year(done, language):
        out.print(f"{value} {label}", markup=False)
    out.print(text("change", language), style="bold")
    for row in readiness_page.changes(done, language):
        out.print(f"  · {row['label']} {row['now']}: {row['at']} → {row['becomes']}", markup=False)
    if not done.flips:
        out.print(f"  {text('change_missing' if done.numbers.missing else 'change_none', language)}")
    out.print(text("limits", language), style="bold")
    for limit in assessment.unsaid(done, language):
        out.print(f"  · {limit}", markup=False)
