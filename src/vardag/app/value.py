"""`vardag invoices report` and `time`: parse, call the room, print what came of it."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vardag.app.show import machine, person
from vardag.app.words import words
from vardag.core.config import DEFAULT_SEED, settings
from vardag.core.errors import InputError

if TYPE_CHECKING:
    from rich.table import Table

    from vardag.invoices.commands.look import Report
    from vardag.invoices.hours.sheets import Sheet
    from vardag.invoices.rules import Rule

HERE = Path()
Folder = Annotated[Path, typer.Argument(help=words("opt_robot_folder"), file_okay=False)]


def report(
    folder: Folder = HERE,
    csv: Annotated[Path | None, typer.Option("--csv", help=words("opt_report_csv"), dir_okay=False)] = None,
    html: Annotated[Path | None, typer.Option("--html", help=words("opt_report_html"), dir_okay=False)] = None,
    seed: Annotated[int, typer.Option(help=words("opt_seed"))] = DEFAULT_SEED,
    as_json: Annotated[bool, typer.Option("--json", help=words("opt_json"))] = False,
) -> None:
    """What the robot did, and the hours saved."""
    from vardag.app.robots import database
    from vardag.invoices.commands import look
    from vardag.invoices.hours import evidence
    from vardag.invoices.routines import every_rule

    language = settings().language
    found = look.report(database(folder), evidence(folder), seed=seed)
    written = look.write(found, language, csv=csv, html=html, name=folder.resolve().name)
    if as_json:
        machine(look.facts(found, language) | {"written": written})
        return
    _show(found, language, every_rule(folder / "routines"))
    for path in written:
        person().print(f"  {path}", markup=False)


def time(
    folder: Folder,
    kind: Annotated[str, typer.Argument(help=words("opt_time_kind"))],
    minutes: Annotated[str, typer.Argument(help=words("opt_time_minutes"))],
    day: Annotated[
        datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help=words("opt_time_date"))
    ] = None,
    role: Annotated[str, typer.Option(help=words("opt_time_role"))] = "",
) -> None:
    """Note an observation of the stopwatch."""
    from vardag.invoices import settings as robot_settings
    from vardag.invoices.hours import evidence, timings

    robot_settings.read(folder)  # so that no file is made where there is no robot
    known = evidence(folder)
    longest = known.number("longest_observation")
    told = {"kind": kind, "minutes": minutes, "date": str(day.date() if day else date.today()), "role": role}
    try:
        noted = timings.observed(told, longest=longest)
    except ValueError as error:
        raise InputError(f"{error}. Nothing was noted.") from None
    path = folder / timings.NAME
    count = timings.append(path, noted, longest=longest)
    few = f"{known.number('few_observations'):g}"
    said = words("time_noted", path=path, kind=kind, minutes=f"{noted.minutes:g}", count=count, few=few)
    person().print(said, markup=False)


def _show(found: "Report", language: str, rules: "Mapping[str, Rule]") -> None:
    """The account, the reasons, what is not known, and the head of the log."""
    from vardag.invoices.hours import limits, sheets

    out, account = person(), found.account
    out.print(_table(sheets.outcomes(account.total, language)))
    if len(account.months) > 1:
        out.print(_table(sheets.months(account, language)))
    first, *more = _worth(found, language)
    out.print(first, markup=False, style="bold")
    for line in more:
        out.print(line, markup=False)
    out.print(_reasons(found.codes, rules))
    out.print(words("value_limits"), style="bold")
    for limit in limits(account, found.evidence, language):
        out.print(f"· {limit}", markup=False)
    out.print(words("log_head", entries=found.entries, head=found.head), markup=False)


def _worth(found: "Report", language: str) -> Iterator[str]:
    """Hours, money, wrong decisions, waiting and freed time, each in a line."""
    from vardag.invoices.hours import page

    for value, what, more in page.facts(found.account.total, found.evidence, language):
        yield f"{what}: {value}" + (f" ({more})" if more else "")
    worth = found.account.total.worth
    if worth.freed:
        from vardag.invoices.process.page import number

        told, rest = (number(hours, language) for hours in (worth.freed_hours, worth.unexplained_hours))
        yield words("value_freed", told=told, rest=rest)


def _table(sheet: "Sheet") -> "Table":
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None)
    for place, head in enumerate(sheet.heads):
        table.add_column(head, justify="left" if place < sheet.texts else "right")
    for row in sheet.rows:
        table.add_row(*map(escape, row), style="bold" if sheet.summed and row is sheet.rows[-1] else None)
    return table


def _reasons(codes: dict[str, int], rules: "Mapping[str, Rule]") -> "Table":
    """Why: each rule that settled a decision, how often, and what it says."""
    from rich.table import Table

    table = Table(words("col_rule"), words("col_items"), words("col_says"), box=None)
    for code, count in codes.items():
        table.add_row(code, str(count), rules[code].when() if code in rules else "")
    return table
