"""`vardag invoices ...`: the cancellation robot. Each command parses, calls a room and prints what came of it."""

import getpass
import signal
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Annotated, Literal

import typer

from vardag.app.discover import discover
from vardag.app.invoices_demo import demo
from vardag.app.invoices_desk import desk, person
from vardag.app.map import map_
from vardag.app.words import words

app = typer.Typer(help=words("help_invoices"), epilog=words("example_invoices"), no_args_is_help=True)
app.command(help=words("help_invoices_demo"), epilog=words("example_invoices_demo"))(demo)
app.command(help=words("help_invoices_discover"), epilog=words("example_invoices_discover"))(discover)
app.command(help=words("help_invoices_desk"), epilog=words("example_invoices_desk"))(desk)
app.add_typer(person, name="person")
app.command("map", help=words("help_invoices_map"), epilog=words("example_invoices_map"))(map_)

HERE = Path()
ME = getpass.getuser()
Folder = Annotated[Path, typer.Argument(help=words("opt_robot_folder"), file_okay=False)]
AsJson = Annotated[bool, typer.Option("--json", help=words("opt_json"))]
Number = Annotated[int, typer.Argument(help=words("opt_item"))]
By = Annotated[str, typer.Option("--by", help=words("opt_by"))]
Why = Annotated[str, typer.Option("--reason", help=words("opt_reason"))]
Modes = Literal["shadow", "attended", "unattended"]


@app.command(help=words("help_invoices_init"), epilog=words("example_invoices_init"))
def init(
    folder: Folder = HERE,
    language: Annotated[Literal["sv", "en"], typer.Option(help=words("opt_comments"))] = "sv",
    replace: Annotated[bool, typer.Option("--replace", help=words("opt_overwrite"))] = False,
    as_json: AsJson = False,
) -> None:
    """Write a robot's folder."""
    from vardag.app import show_invoices as show
    from vardag.invoices.commands.init import init as init_folder

    show.written(init_folder(folder, language=language, replace=replace), as_json=as_json)


@app.command(help=words("help_invoices_check"), epilog=words("example_invoices_check"))
def check(folder: Folder = HERE, as_json: AsJson = False) -> None:
    """Find what is missing before the robot can work."""
    from vardag.app import show_invoices as show
    from vardag.app.robots import robot
    from vardag.invoices.commands.check import check as check_robot

    found = robot(folder)
    problems = check_robot(found)
    show.checked(problems, as_json=as_json)
    raise typer.Exit(1 if problems else 0)


@app.command(help=words("help_invoices_run"), epilog=words("example_invoices_run"))
def run(
    folder: Folder = HERE,
    mode: Annotated[Modes | None, typer.Option(help=words("opt_mode"))] = None,
    once: Annotated[bool, typer.Option("--once", help=words("opt_once"))] = False,
    as_json: AsJson = False,
) -> None:
    """Work: one round, or until told to stop."""
    from vardag.app import show_invoices as show
    from vardag.app.robots import robot
    from vardag.invoices.robot import Mode, run_once, serve

    found = robot(folder, mode=Mode(mode) if mode else None)
    if once:
        show.ran(run_once(found), as_json=as_json)
        return
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    serve(found, stop)


@app.command(help=words("help_invoices_status"), epilog=words("example_invoices_status"))
def status(folder: Folder = HERE, as_json: AsJson = False) -> None:
    """How it goes."""
    from vardag.app import show_invoices as show
    from vardag.app.robots import database
    from vardag.invoices.commands import look
    from vardag.invoices.routines import every_rule

    show.status(look.status(database(folder)), rules=every_rule(folder / "routines"), as_json=as_json)


@app.command(help=words("help_invoices_show"), epilog=words("example_invoices_show"))
def show(
    number: Number,
    folder: Folder = HERE,
    eml: Annotated[Path | None, typer.Option(help=words("opt_eml"), dir_okay=False)] = None,
    as_json: AsJson = False,
) -> None:
    """One work item."""
    from vardag.app import show_invoices
    from vardag.app.robots import database
    from vardag.invoices.commands import look
    from vardag.invoices.routines import every_rule

    found = look.show(database(folder), number)
    if eml is not None and found.raw is not None:
        eml.write_bytes(found.raw)
    show_invoices.item(found, rules=every_rule(folder / "routines"), as_json=as_json)


@app.command(help=words("help_invoices_approve"), epilog=words("example_invoices_approve"))
def approve(number: Number, folder: Folder = HERE, *, reason: Why, by: By = ME) -> None:
    """Confirm a waiting item."""
    from vardag.app.robots import database
    from vardag.invoices.robot import people

    left = people.approve(database(folder), number, by=by, reason=reason)
    typer.echo(words("item_is", number=number, state=words(f"state_{left.state}")))


@app.command(help=words("help_invoices_close"), epilog=words("example_invoices_close"))
def close(
    number: Number,
    folder: Folder = HERE,
    *,
    reason: Why,
    by: By = ME,
    refused: Annotated[bool, typer.Option("--refused", help=words("opt_refused"))] = False,
) -> None:
    """End a waiting item by hand."""
    from vardag.app.robots import database
    from vardag.invoices.robot import people

    left = people.close(database(folder), number, by=by, reason=reason, done=not refused)
    typer.echo(words("item_is", number=number, state=words(f"state_{left.state}")))


@app.command(help=words("help_invoices_retry"), epilog=words("example_invoices_retry"))
def retry(number: Number, folder: Folder = HERE, by: By = ME) -> None:
    """Give a failed item another row of tries."""
    from vardag.app.robots import database
    from vardag.invoices.robot import people

    left = people.retry(database(folder), number, by=by)
    typer.echo(words("item_is", number=number, state=words(f"state_{left.state}")))


@app.command(help=words("help_invoices_pause"), epilog=words("example_invoices_pause"))
def pause(folder: Folder = HERE, *, reason: Why, by: By = ME) -> None:
    """Stop every robot of the folder at once."""
    from vardag.app.robots import database
    from vardag.invoices.robot import people

    people.pause(database(folder), by=by, why=reason)
    typer.echo(words("robots_paused"))


@app.command(help=words("help_invoices_resume"), epilog=words("example_invoices_resume"))
def resume(folder: Folder = HERE, by: By = ME) -> None:
    """Let the robots go on."""
    from vardag.app.robots import database
    from vardag.invoices.robot import people

    people.resume(database(folder), by=by)
    typer.echo(words("robots_resumed"))


@app.command("delete-mails", help=words("help_invoices_delete"), epilog=words("example_invoices_delete"))
def delete_mails(
    folder: Folder = HERE,
    *,
    before: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help=words("opt_before"))],
    by: By = ME,
) -> None:
    """Delete mails whose time is out."""
    from vardag.app.robots import database
    from vardag.invoices.robot import people

    count = people.delete_mails(database(folder), before=before.astimezone(), by=by)
    typer.echo(words("mails_deleted", count=count))


@app.command(help=words("help_invoices_report"), epilog=words("example_invoices_report"))
def report(folder: Folder = HERE, as_json: AsJson = False) -> None:
    """What the robot did, and the hours saved."""
    from vardag.app import show_invoices
    from vardag.app.robots import database
    from vardag.invoices.commands import look
    from vardag.invoices.hours import minutes

    show_invoices.report(look.report(database(folder), minutes(folder / "minutes.yaml")), as_json=as_json)


@app.command(help=words("help_invoices_verify"), epilog=words("example_invoices_verify"))
def verify(
    folder: Folder = HERE,
    noted: Annotated[str, typer.Option(help=words("opt_noted"))] = "",
    export: Annotated[Path | None, typer.Option(help=words("opt_export"), dir_okay=False)] = None,
    as_json: AsJson = False,
) -> None:
    """Prove the audit log, and write it for the auditor."""
    from vardag.app import show_invoices
    from vardag.app.robots import database
    from vardag.invoices.commands import look

    found = database(folder)
    proof = look.verify(found, noted=noted)
    if export is not None:
        look.export(found, export)
    show_invoices.proof(proof, as_json=as_json)
    raise typer.Exit(0 if proof.holds else 1)
