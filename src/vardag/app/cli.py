"""The command line: parses, calls a command of a room, prints what came of it.

Every command has ``--json`` for machines. An error that a user can cause ends without a traceback, with the exit
code of its class (`vardag.core.errors`); a fault of Vardag's own is written to ``vardag-error.txt``.
"""

import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from vardag import __version__
from vardag.app import database, invoices, water
from vardag.app.demo import demo
from vardag.app.words import words
from vardag.core import log
from vardag.core.errors import VardagError

app = typer.Typer(
    name="vardag",
    help=words("help_vardag"),
    epilog=words("example_vardag"),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.add_typer(water.app, name="water")
app.add_typer(invoices.app, name="invoices")
app.add_typer(database.app, name="db")
app.command(help=words("help_demo"), epilog=words("example_demo"))(demo)


@app.command(help=words("help_docs"), epilog=words("example_docs"), hidden=True)
def docs(
    folder: Annotated[Path, typer.Option(help=words("opt_reference_folder"))] = Path("docs/reference"),
) -> None:
    """Write the generated reference pages."""
    from vardag.app.reference import write_pages

    for path in write_pages(folder):
        typer.echo(path)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"vardag {__version__}")
        raise typer.Exit


@app.callback()
def start(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help=words("opt_version")),
    verbose: bool = typer.Option(False, "--verbose", "-v", help=words("opt_verbose")),
) -> None:
    """Set up logging; the help text is in texts.toml."""
    log.setup(verbose=verbose)


def main() -> None:
    """Run the command line; the entry point ``vardag``."""
    console = Console(stderr=True, soft_wrap=True)
    try:
        app()
    except VardagError as error:
        console.print(f"[bold red]{words('error')}[/] ", end="")
        console.print(str(error), markup=False, highlight=False)
        sys.exit(error.exit_code)
    except Exception as error:  # noqa: BLE001 - the last resort: a user must never meet a traceback
        trace = Path("vardag-error.txt").absolute()
        trace.write_text(log.redact(traceback.format_exc()), encoding="utf-8")
        console.print(words("fault", kind=type(error).__name__, trace=trace), markup=False)
        sys.exit(70)
