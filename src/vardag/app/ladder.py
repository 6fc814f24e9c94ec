"""`vardag invoices ladder`, `step`, `object` and `compare`: parse, call a room, print what came of it."""

import getpass
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from vardag.app.show import machine, person
from vardag.app.words import words
from vardag.core.config import settings

if TYPE_CHECKING:
    from vardag.invoices.ladder import Demands, Rung, Stand

HERE = Path()
ME = getpass.getuser()
Folder = Annotated[Path, typer.Argument(help=words("opt_robot_folder"), file_okay=False)]
AsJson = Annotated[bool, typer.Option("--json", help=words("opt_json"))]
By = Annotated[str, typer.Option("--by", help=words("opt_by"))]
Why = Annotated[str, typer.Option("--reason", help=words("opt_reason"))]
Levels = Literal["shadow", "attended", "unattended"]


def ladder(folder: Folder = HERE, as_json: AsJson = False) -> None:
    """Show how far the robot may go with each rule, and why."""
    from vardag.app import robots
    from vardag.invoices.robot import signing

    demands, mode = robots.demands(folder), robots.mode(folder)
    places = signing.on_the_ladder(robots.routines(folder), robots.policy(folder))
    found = signing.state(robots.database(folder), places, demands=demands)
    if as_json:
        rules = [asdict(one) for one in found]
        return machine({"mode": mode, "demands": demands.model_dump(), "rules": rules})
    return _show(found, demands, mode)


def step(
    folder: Folder,
    rule: Annotated[str, typer.Argument(help=words("opt_rule"))],
    level: Annotated[Levels, typer.Argument(help=words("opt_level"))],
    *,
    routine: Annotated[str | None, typer.Option(help=words("opt_routine"))] = None,
    reason: Why,
    by: By = ME,
) -> None:
    """Sign a step on the ladder."""
    from vardag.app import robots
    from vardag.invoices.ladder import Level
    from vardag.invoices.robot import signing

    known = signing.on_the_ladder(robots.routines(folder), robots.policy(folder))
    places = signing.meant(rule, [place for place in known if routine in {None, place[0]}])
    demands = robots.demands(folder)
    taken, refused = signing.step(
        robots.database(folder), places, Level(level), by=by, reason=reason, demands=demands
    )
    for one in taken:
        typer.echo(words("stepped", rule=called(one), level=words(f"level_{one.level}"), by=one.by))
    for why in refused.values():
        typer.echo(words("not_stepped", why=why))


def object_to(
    number: Annotated[int, typer.Argument(help=words("opt_item"))],
    folder: Folder = HERE,
    *,
    reason: Why,
    by: By = ME,
) -> None:
    """Say that what the robot did was wrong."""
    from vardag.app.robots import database, demands
    from vardag.invoices import ladder as room
    from vardag.invoices.robot import people

    store = database(folder)
    people.object_to(store, number, by=by, reason=reason, demands=demands(folder))
    typer.echo(words("objected", number=number))
    with store.read() as tx:
        fell(room.fallen(tx))


def compare(folder: Folder = HERE, by: By = ME, as_json: AsJson = False) -> None:
    """Hold what was decided in shadow against what people did in the finance system."""
    from vardag.app.robots import robot
    from vardag.invoices.commands.compare import compare as command

    found = command(robot(folder), by=by)
    if as_json:
        return machine(asdict(found))
    counts: dict[str, Any] = {name: len(numbers) for name, numbers in asdict(found).items()}
    return typer.echo(words("compared", **counts))


def called(one: "Rung | Stand") -> str:
    """A rule by its code; that of another routine than cancelling by the routine's name too."""
    from vardag.invoices.ladder import CANCELLATION

    return one.rule if one.routine == CANCELLATION else f"{one.routine}/{one.rule}"


def fell(found: Sequence["Rung"]) -> None:
    """Say which rules went back by themselves."""
    for one in found:
        facts = {"rule": called(one), "day": f"{one.at.date()}", **one.evidence}
        wrong = one.evidence["volume"] - one.evidence["agreed"]
        person().print(words("rule_fell", disagreed=wrong, **facts), style="bold red", markup=False)


def _show(found: Sequence["Stand"], demands: "Demands", mode: str) -> None:
    from rich.table import Table

    out = person()
    out.print(words("ladder_ceiling", mode=words(f"level_{mode}")), markup=False)
    names = ("col_rule", "col_level", "col_judged", "col_agreed", "col_next")
    table = Table(*map(words, names), box=None, pad_edge=False)
    table.columns[0].no_wrap = True
    for one in found:
        table.add_row(called(one), words(f"level_{one.level}"), *_counts(one), _next(one))
    out.print(table)
    for line, rules in _signed(found).items():
        out.print(f"{', '.join(rules)}: {line}", markup=False)
    facts: dict[str, Any] = demands.model_dump(exclude={"sources"})
    for name in ("unattended_agreement", "confidence", "control_share"):
        facts[name] = f"{100 * facts[name]:g} %"
    out.print(words("ladder_demands", **facts), markup=False)
    fell([one.last for one in found if one.last and one.last.fell])


def _counts(one: "Stand") -> tuple[str, str]:
    """How many were judged, and the share that agreed with its interval."""
    found = one.found
    if not found.volume:
        return "0", "–"
    share = f"{100 * found.agreed / found.volume:.1f} % ({100 * found.lower:.1f}–{100 * found.upper:.1f})"
    return str(found.volume), share.replace(".", ",") if settings().language == "sv" else share


def _next(one: "Stand") -> str:
    """What is missing to the next step."""
    if one.above is None:
        return "–"
    above = words(f"level_{one.above}")
    return (
        words("next_missing", level=above, missing=one.missing) if one.missing else words("next_ready", level=above)
    )


def _signed(found: Sequence["Stand"]) -> dict[str, list[str]]:
    """Who put which rules where, when and why; what the program did itself is told apart."""
    lines: dict[str, list[str]] = {}
    for one in found:
        if (last := one.last) and not last.fell:
            facts = {"level": words(f"level_{last.level}"), "by": last.by, "reason": last.reason}
            lines.setdefault(words("signed", day=last.at.astimezone().date(), **facts), []).append(called(one))
    return lines
