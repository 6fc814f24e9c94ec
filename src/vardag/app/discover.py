"""`vardag invoices discover`: parse, call the command, print what came of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vardag.app.show import machine, person
from vardag.app.words import words
from vardag.core.config import settings

if TYPE_CHECKING:
    from vardag.invoices.commands.discover import Discovered

MOST_WAYS = 5  # lines of the terminal; the page has more


def discover(
    log: Annotated[Path, typer.Argument(help=words("opt_log"))],
    columns: Annotated[str, typer.Option(help=words("opt_columns"))] = "",
    groups: Annotated[Path | None, typer.Option(help=words("opt_groups"), exists=True, dir_okay=False)] = None,
    object_type: Annotated[str, typer.Option(help=words("opt_object_type"))] = "",
    out: Annotated[Path | None, typer.Option(help=words("opt_discover_out"), file_okay=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help=words("opt_json"))] = False,
) -> None:
    """Find the routine as it is really done."""
    from vardag.app.robots import database
    from vardag.invoices.commands import discover as command

    done = command.discover(
        log,
        language=settings().language,
        store=database(log) if log.is_dir() else None,
        columns=columns,
        groups=groups,
        object_type=object_type,
        out=out,
    )
    if as_json:
        machine(command.facts(done) | {"written": done.written})
        return
    _show(done)


def _show(done: "Discovered") -> None:
    from rich.markup import escape
    from rich.table import Table

    from vardag.invoices.process.page import span

    out, found, rows = person(), done.found, done.log
    counts: dict[str, Any] = {"rows": rows.rows_in, "used": rows.rows_used, "quarantined": rows.quarantined.height}
    out.print(words("discovered", cases=found.cases, events=found.events, variants=found.variants.height, **counts))
    time = span(found.throughput.median, settings().language)
    out.print(words("discovered_rework", rework=found.rework_cases, cases=found.cases, time=time))
    table = Table(words("col_cases"), words("col_way"), box=None)
    for row in found.variants.head(MOST_WAYS).iter_rows(named=True):
        table.add_row(str(row["cases"]), escape(" → ".join(row["variant"])))
    out.print(table)
    out.print(words("discovered_limits"), style="bold")
    for limit in done.limits:
        out.print(f"· {limit}", markup=False)
    for path in done.written[:1]:
        out.print(words("discovered_written", path=path), markup=False)
    if not done.written:
        out.print(words("discovered_unwritten"))
