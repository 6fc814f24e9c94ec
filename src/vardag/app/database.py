"""`vardag db ...`: a city's database shared through PostGIS."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vardag.app.words import words

if TYPE_CHECKING:
    from vardag.water.commands.database import Moved

app = typer.Typer(help=words("help_db"), epilog=words("example_db"), no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(help=words("opt_folder"), file_okay=False)]
Address = Annotated[str | None, typer.Option("--server", help=words("db_opt_server"))]
Force = Annotated[bool, typer.Option("--force", help=words("db_opt_force"))]
AsJson = Annotated[bool, typer.Option("--json", help=words("opt_json"))]


@app.command(help=words("help_db_push"), epilog=words("example_db_push"))
def push(folder: Folder, server: Address = None, force: Force = False, as_json: AsJson = False) -> None:
    """Put the folder's tables on the server."""
    from vardag.water.commands import database

    _moved(database.push(folder, to=server, force=force), "db_pushed", as_json=as_json)


@app.command(help=words("help_db_pull"), epilog=words("example_db_pull"))
def pull(folder: Folder, server: Address = None, force: Force = False, as_json: AsJson = False) -> None:
    """Bring the folder up to date with the server."""
    from vardag.water.commands import database

    _moved(database.pull(folder, source=server, force=force), "db_pulled", as_json=as_json)


@app.command(help=words("help_db_status"), epilog=words("example_db_status"))
def status(folder: Folder, server: Address = None, as_json: AsJson = False) -> None:
    """Compare the folder with the server."""
    from vardag.app import show
    from vardag.water.commands import database

    found = database.status(folder, server=server)
    if as_json:
        return show.machine(asdict(found))
    out = show.person()
    out.print(found.server, markup=False)
    for state in found.tables:
        where = [words("db_here")] * state.changed_here + [words("db_there")] * state.changed_there
        said = words("db_same") if state.same else words("db_changed", where=" + ".join(where))
        out.print(f"  {state.table}: {said}, {state.rows:,}", markup=False)
    return None


@app.command(help=words("help_db_roles"), epilog=words("example_db_roles"))
def roles(
    folder: Folder,
    server: Address = None,
    reader: Annotated[list[str] | None, typer.Option("--reader", help=words("db_opt_reader"))] = None,
    planner: Annotated[list[str] | None, typer.Option("--planner", help=words("db_opt_planner"))] = None,
    owner: Annotated[list[str] | None, typer.Option("--owner", help=words("db_opt_owner"))] = None,
    remove: Annotated[list[str] | None, typer.Option("--remove", help=words("db_opt_remove"))] = None,
    as_json: AsJson = False,
) -> None:
    """Make the city's roles, and people members of them."""
    from vardag.app import show
    from vardag.water.commands.roles import roles as make

    owners = [_owner(text) for text in owner or ()]
    found = make(
        folder, server=server, readers=reader or (), planners=planner or (), owners=owners, remove=remove or ()
    )
    if as_json:
        return show.machine(asdict(found))
    out = show.person()
    out.print(found.server, markup=False)
    for name, logins in found.members.items():
        out.print(f"  {name}: {', '.join(logins) or words('db_nobody')}", markup=False)
    for source, logins in found.owners.items():
        out.print(f"    {source}: {', '.join(logins)}", markup=False)
    return None


def _owner(text: str) -> tuple[str, str]:
    source, equals, login = text.partition("=")
    if not equals:
        raise typer.BadParameter(words("db_owner_form", found=text))
    return source, login


def _moved(done: "Moved", key: str, *, as_json: bool) -> None:
    from vardag.app import show

    if as_json:
        return show.machine(asdict(done))
    rows = ", ".join(f"{table} {rows:,}" for table, rows in done.tables.items())
    return show.person().print(words(key, server=done.server, tables=rows or words("db_nothing")), markup=False)
