"""`vardag water links` and `vardag water review ...`: parse, call the command, print what came of it."""

from pathlib import Path
from typing import Annotated, Any

import typer

from vardag.app.progress import progress
from vardag.app.show import machine, person
from vardag.app.words import words

review = typer.Typer(help=words("help_review"), epilog=words("example_review"), no_args_is_help=True)
Folder = Annotated[Path, typer.Argument(help=words("opt_folder"), file_okay=False)]
BreakId = Annotated[str, typer.Argument(help=words("review_opt_break"))]
AsJson = Annotated[bool, typer.Option("--json", help=words("opt_json"))]


def links(folder: Folder, as_json: AsJson = False) -> None:
    """How breaks are linked, and how good the links are."""
    from vardag.water.commands import review as command

    with progress(quiet=as_json) as on_step:
        found = command.links(folder, on_step=on_step)
    if as_json:
        return machine(found)
    _table(found["reasons"], "method", "reason", "breaks", "confidence")
    person().print(words("review_quality"))
    bands = [row | {"band": f"{row['at_least']:.1f}–{row['below']:.1f}"} for row in found["quality"]]
    for variant, position in dict.fromkeys((row["variant"], row["position"]) for row in bands):
        person().print("\n" + words(f"review_{variant}", position=words(f"review_{position}")))
        rows = [row for row in bands if (row["variant"], row["position"]) == (variant, position)]
        _table(rows, "band", "breaks", "confidence", "gone", "right", "precision", "lower", "upper")
    return person().print(words("review_queue_is", queue=found["queue"], settled=found["settled"]))


@review.command("list", help=words("help_review_list"), epilog=words("example_review_list"))
def list_queue(folder: Folder, as_json: AsJson = False) -> None:
    """List the queue."""
    from vardag.water.commands import review as command

    with progress(quiet=as_json) as on_step:
        found = command.review(folder, on_step=on_step)
    if as_json:
        return machine(found)
    columns = ("break_id", "break_date", "street", "reason", "method", "candidates", "best", "best_confidence")
    _table([row | {"reason": words(f"review_{row['reason']}")} for row in found["queue"]], *columns)
    if found["orphans"]:
        person().print(words("review_orphans", orphans=len(found["orphans"])))
        _table(found["orphans"], "break_id", "pipe_key", "settled_by", "settled_at")
    return person().print(words("review_count", queue=len(found["queue"])))


@review.command("show", help=words("help_review_show"), epilog=words("example_review_show"))
def show_break(folder: Folder, break_id: BreakId, as_json: AsJson = False) -> None:
    """Show a break beside its candidates."""
    from vardag.water.commands import review as command

    found = command.show(folder, break_id)
    if as_json:
        return machine(found)
    logged = found["break"] | {"pipe_key": words("review_the_log"), "confidence": None, "distance_m": None}
    fields = (
        "pipe_key",
        "confidence",
        "distance_m",
        "material",
        "diameter_mm",
        "install_year",
        "street",
        "road_id",
    )
    columns = [logged, *(row for row in found["candidates"] if row["pipe_key"])]
    sideways = [{"field": name, **{str(n): row[name] for n, row in enumerate(columns)}} for name in fields]
    person().print(f"{break_id}  {found['break']['break_date']}  {found['link']['reason']}", markup=False)
    _table(sideways, "field", *(str(number) for number in range(len(columns))))
    if found["settlement"]:
        person().print(words("review_settled_by", **_with_pipe(found["settlement"])), markup=False)
    return None


@review.command("settle", help=words("help_review_settle"), epilog=words("example_review_settle"))
def settle_break(
    folder: Folder,
    break_id: BreakId,
    by: Annotated[str, typer.Option(help=words("review_opt_by"))],
    reason: Annotated[str, typer.Option(help=words("review_opt_reason"))],
    pipe: Annotated[str | None, typer.Option(help=words("review_opt_pipe"))] = None,
    none: Annotated[bool, typer.Option("--none", help=words("review_opt_none"))] = False,
    as_json: AsJson = False,
) -> None:
    """Settle one break."""
    from vardag.water.commands import review as command

    if (pipe is None) != none:
        raise typer.BadParameter(words("review_one_of"))
    _told(command.settle(folder, break_id, pipe=pipe, by=by, reason=reason), "review_settled", as_json)


@review.command("undo", help=words("help_review_undo"), epilog=words("example_review_undo"))
def undo_break(folder: Folder, break_id: BreakId, as_json: AsJson = False) -> None:
    """Take a settlement away."""
    from vardag.water.commands import review as command

    _told(command.undo(folder, break_id), "review_undone", as_json)


@review.command("export", help=words("help_review_export"), epilog=words("example_review_export"))
def export_queue(
    folder: Folder, file: Annotated[Path, typer.Argument(help=words("review_opt_file"))], as_json: AsJson = False
) -> None:
    """Write the queue as a sheet."""
    from vardag.water.commands import review as command

    _told({"breaks": command.export(folder, file), "file": file}, "review_exported", as_json)


@review.command("import", help=words("help_review_import"), epilog=words("example_review_import"))
def import_queue(
    folder: Folder, file: Annotated[Path, typer.Argument(help=words("review_opt_file"))], as_json: AsJson = False
) -> None:
    """Settle what a sheet says."""
    from vardag.water.commands import review as command

    _told({"breaks": command.import_sheet(folder, file), "file": file}, "review_imported", as_json)


def _told(found: dict[str, Any], text: str, as_json: bool) -> None:
    if as_json:
        machine(found)
    else:
        person().print(words(text, **_with_pipe(found)), markup=False)


def _with_pipe(found: dict[str, Any]) -> dict[str, Any]:
    """Say the pipe of a settlement, or that it is none, in words."""
    if "pipe_key" not in found:
        return found
    return found | {"pipe": words("review_pipe" if found["pipe_key"] else "review_no_pipe", **found)}


def _table(rows: list[dict[str, Any]], *columns: str) -> None:
    from rich.table import Table

    table = Table()
    for name in columns:
        head = name if name.isdigit() else words(f"review_col_{name}")
        table.add_column(head, no_wrap=name in {"break_id", "best", "band", "break_date"})
    for row in rows:
        table.add_row(*[_shown(row.get(name)) for name in columns])
    person().print(table)


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.2f}"
    return "–" if value is None else str(value)
