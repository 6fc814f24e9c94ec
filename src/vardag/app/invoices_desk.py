"""`vardag invoices desk` and `vardag invoices person`: the caseworkers' web page, and who may sign in there."""

import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from vardag.app.words import words

if TYPE_CHECKING:
    from vardag.invoices.persons import Role

HERE = Path()
ME = getpass.getuser()
Folder = Annotated[Path, typer.Argument(help=words("opt_robot_folder"), file_okay=False)]
Name = Annotated[str, typer.Argument(help=words("opt_person"))]
By = Annotated[str, typer.Option("--by", help=words("opt_by"))]
Roles = Annotated[list[str], typer.Option("--role", help=words("opt_role"))]

person = typer.Typer(
    help=words("help_invoices_person"), epilog=words("example_invoices_person"), no_args_is_help=True
)


def desk(
    folder: Folder = HERE,
    host: Annotated[str, typer.Option(help=words("opt_host"))] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help=words("opt_port"))] = 8017,
) -> None:
    """Serve the caseworkers' web page until told to stop."""
    import uvicorn

    from vardag.app.desk import build
    from vardag.app.desk.site import may_listen
    from vardag.app.robots import robot
    from vardag.invoices import settings
    from vardag.invoices.commands import person as people

    found = settings.read(folder).desk
    may_listen(host, found)
    made = robot(folder)
    if not any(one.active for one in people.listed(made.store)):
        typer.echo(words("desk_nobody", folder=folder))
    typer.echo(words("desk_serves", url=f"http://{f'[{host}]' if ':' in host else host}:{port}/"))
    uvicorn.run(
        build(made, folder, found), host=host, port=port, log_config=None, access_log=False, server_header=False,
        proxy_headers=False,
    )  # fmt: skip


@person.command("add", help=words("help_invoices_person_add"), epilog=words("example_invoices_person_add"))
def add(
    name: Name,
    folder: Folder = HERE,
    *,
    role: Roles,
    language: Annotated[Literal["sv", "en"], typer.Option(help=words("opt_person_language"))] = "sv",
    no_password: Annotated[bool, typer.Option("--no-password", help=words("opt_no_password"))] = False,
    by: By = ME,
) -> None:
    """Let somebody in."""
    from vardag.app.robots import database
    from vardag.invoices.commands import person as people

    store, roles = database(folder), _roles(role)
    word = "" if no_password else _password()
    made = people.add(store, name, roles=roles, by=by, password=word, language=language)
    typer.echo(words("person_is", name=made.name, roles=", ".join(sorted(made.roles))))


@person.command("roles", help=words("help_invoices_person_roles"), epilog=words("example_invoices_person_roles"))
def roles(name: Name, folder: Folder = HERE, *, role: Roles, by: By = ME) -> None:
    """Give a person these roles and no others."""
    from vardag.app.robots import database
    from vardag.invoices.commands import person as people

    left = people.give_roles(database(folder), name, _roles(role), by=by)
    typer.echo(words("person_is", name=left.name, roles=", ".join(sorted(left.roles))))


@person.command(
    "password", help=words("help_invoices_person_password"), epilog=words("example_invoices_person_password")
)
def password(name: Name, folder: Folder = HERE, by: By = ME) -> None:
    """Give a person another password."""
    from vardag.app.robots import database
    from vardag.invoices.commands import person as people

    left = people.give_password(database(folder), name, _password(), by=by)
    typer.echo(words("person_password_set", name=left.name))


@person.command("remove", help=words("help_invoices_person_remove"), epilog=words("example_invoices_person_remove"))
def remove(name: Name, folder: Folder = HERE, by: By = ME) -> None:
    """Let a person in no more."""
    from vardag.app.robots import database
    from vardag.invoices.commands import person as people

    left = people.remove(database(folder), name, by=by)
    typer.echo(words("person_removed", name=left.name))


@person.command("list", help=words("help_invoices_person_list"), epilog=words("example_invoices_person_list"))
def list_(
    folder: Folder = HERE,
    as_json: Annotated[bool, typer.Option("--json", help=words("opt_json"))] = False,
) -> None:
    """Everybody who may sign in."""
    from vardag.app.robots import database
    from vardag.app.show import machine
    from vardag.invoices.commands import person as people

    found = people.listed(database(folder))
    if as_json:
        kept = ("name", "language", "active")
        machine([{name: getattr(one, name) for name in kept} | {"roles": sorted(one.roles)} for one in found])
        return
    for one in found:
        state = ", ".join(sorted(one.roles)) if one.active else words("person_gone")
        typer.echo(f"{one.name}: {state}")


def _roles(names: list[str]) -> "list[Role]":
    from vardag.core.errors import InputError
    from vardag.invoices.persons import Role

    unknown = [name for name in names if name not in set(Role)]
    if unknown:
        raise InputError(f"--role {unknown[0]}: no such role; there are {', '.join(Role)}.")
    return [Role(name) for name in names]


def _password() -> str:
    """The password, asked for twice at the prompt, or the first line of the standard input; never an argument."""
    if sys.stdin.isatty():
        return str(typer.prompt(words("ask_password"), hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")
