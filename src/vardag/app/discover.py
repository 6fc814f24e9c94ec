"""`vardag invoices discover`: parse, call the command, print what came of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vardag.app.show import machine, person
from vardag.app.words import words
from vardag.core.config import settings

if TYPE_CHECKING:
    from vardag.invoices.commands.discover import Discovered, OnMap

MOST_WAYS = 5  # lines of the terminal; the page has more


def discover(
    log: Annotated[Path, typer.Argument(help=words("opt_log"))],
    columns: Annotated[str, typer.Option(help=words("opt_columns"))] = "",
    groups: Annotated[Path | None, typer.Option(help=words("opt_groups"), exists=True, dir_okay=False)] = None,
    object_type: Annotated[str, typer.Option(help=words("opt_object_type"))] = "",
    map_: Annotated[str, typer.Option("--map", help=words("opt_discover_map"))] = "",
    out: Annotated[Path | None, typer.Option(help=words("opt_discover_out"), file_okay=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help=words("opt_json"))] = False,
) -> None:
    """Find the routine as it is really done."""
    from vardag.app.robots import database
    from vardag.invoices.commands import discover as command
    from vardag.invoices.commands.map import map_called

    done = command.discover(
        log,
        language=settings().language,
        store=database(log) if log.is_dir() else None,
        columns=columns,
        groups=groups,
        object_type=object_type,
        map_=map_called(map_, log if log.is_dir() else None) if map_ else None,
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
    if done.on_map is not None:
        _show_map(done.on_map)
    for path in done.written[:1]:
        out.print(words("discovered_written", path=path), markup=False)
    if not done.written:
        out.print(words("discovered_unwritten"))


def _show_map(on_map: "OnMap") -> None:
    from vardag.invoices.process import map_words

    out, language = person(), settings().language
    out.print(words("discovered_map", name=on_map.map.named(language)), style="bold")
    out.print(map_words.fitness(on_map.replayed, language), markup=False)
    rows = map_words.deviations(on_map.map, on_map.replayed, language) if on_map.replayed else []
    for one in rows[:MOST_WAYS]:
        out.print(f"· {one['after']} → {one['came']}: {one['why']} ({one['times']})", markup=False)
    for limit in on_map.limits:
        out.print(f"! {limit}", markup=False)
