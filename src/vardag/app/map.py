"""`vardag invoices map`: parse, call the command, print what came of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vardag.app.show import machine, person
from vardag.app.words import words
from vardag.core.config import settings

if TYPE_CHECKING:
    from vardag.invoices.commands.map import Mapped
    from vardag.invoices.process.map_page import Viewer
    from vardag.invoices.process.replay import Replayed

# Where bpmn-js lies, if it was fetched when the program was set up.
VENDOR = Path(__file__).parent / "desk" / "static" / "vendor" / "bpmn-js"
MOST_DEVIATIONS = 10  # lines of the terminal; the page has all


def map_(
    target: Annotated[Path, typer.Argument(help=words("opt_map_target"))] = Path(),
    before: Annotated[bool, typer.Option("--before", help=words("opt_map_before"))] = False,
    replay: Annotated[bool, typer.Option("--replay", help=words("opt_map_replay"))] = False,
    routine: Annotated[str, typer.Option(help=words("opt_map_routine"))] = "cancellation",
    out: Annotated[Path | None, typer.Option(help=words("opt_map_out"), dir_okay=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help=words("opt_json"))] = False,
) -> None:
    """Check the map that the robot follows, and draw it."""
    from vardag.app.robots import database
    from vardag.invoices.commands import map as command

    done = command.look_at(
        target,
        language=settings().language,
        routine=routine,
        before=before,
        store=database(target) if replay else None,
        out=out,
        viewer=viewer(),
    )
    if as_json:
        return machine(command.facts(done, settings().language))
    return _show(done)


def viewer() -> "Viewer | None":
    """bpmn-js, where it was fetched; without it the page has the picture alone."""
    from vardag.invoices.process.map_page import Viewer

    script = VENDOR / "bpmn-navigated-viewer.min.js"
    if not script.is_file():
        return None
    styles = "\n".join(path.read_text(encoding="utf-8") for path in sorted(VENDOR.glob("*.css")))
    return Viewer(script.read_text(encoding="utf-8"), styles)


def _show(done: "Mapped") -> None:
    from rich.markup import escape
    from rich.table import Table

    from vardag.invoices.process import map_words
    from vardag.invoices.process.map import Kind

    out, language, found = person(), settings().language, done.map
    out.print(words("map_good", name=found.named(language), path=done.path, version=found.version), markup=False)
    heads = [words(f"map_{name}") for name in ("step", "whose", "role", "minutes", "then")]
    table = Table(*heads, box=None)
    for row in map_words.rows(found, language):
        if row["kind"] != "choice":
            cells = (row["name"], row["who"], row["role"], row["minutes"], " / ".join(row["then"]))
            table.add_row(*(escape(cell) for cell in cells))
    out.print(table)
    robot, by_hand = (
        map_words.minutes(map_words.total(found, kind), language) for kind in (Kind.ROBOT, Kind.PERSON)
    )
    out.print(words("map_sum", robot=robot, person=by_hand))
    if done.before is not None:
        minutes = map_words.minutes(map_words.total(done.before), language)
        out.print(words("map_mended", count=len(done.mended), minutes=minutes))
    if done.replayed is not None:
        _show_replay(done, done.replayed)
    out.print(words("map_written", path=done.written) if done.written else words("map_unwritten"), markup=False)


def _show_replay(done: "Mapped", replayed: "Replayed") -> None:
    from vardag.invoices.process import map_page, map_words

    out, language = person(), settings().language
    told = map_page.told(done.map, replayed, language)
    out.print(told["sum"], told["fitness"], sep="\n", markup=False)
    for step, count in told["standing"]:
        out.print(f"· {step}: {count}", markup=False)
    out.print(words("map_deviations" if replayed.deviations else "map_no_deviations"), style="bold")
    for one in map_words.deviations(done.map, replayed, language)[:MOST_DEVIATIONS]:
        line = f"· {one['after']} → {one['came']}: {one['why']} ({one['times']}; {one['items']})"
        out.print(line, markup=False)
    for limit in done.limits:
        out.print(f"! {limit}", markup=False)
