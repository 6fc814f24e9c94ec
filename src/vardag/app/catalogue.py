"""`vardag water catalogue`: parses, calls the command and prints the sources as a table."""

from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Table

from vardag.app.words import words
from vardag.core.config import settings

if TYPE_CHECKING:
    from vardag.water.commands.catalogue import Catalogued

COLUMNS = ("source", "owner", "loaded", "rows", "checks", "features", "prediction")
WIDTHS = {"loaded": 10, "prediction": 10}  # a date and a word stay whole
FIGURES = {"rows", "checks", "features"}


def catalogue(
    folder: Annotated[Path, typer.Argument(help=words("opt_folder"), file_okay=False)],
    language: Annotated[Literal["sv", "en"] | None, typer.Option(help=words("opt_language"))] = None,
    day: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help=words("opt_catalogue_day"))] = None,
    dcat: Annotated[bool, typer.Option("--dcat", help=words("opt_catalogue_dcat"))] = False,
    as_json: Annotated[bool, typer.Option("--json", help=words("opt_json"))] = False,
) -> None:
    """Show and write the catalogue of sources."""
    from vardag.water.commands.catalogue import catalogue as catalogue_city

    asked = day.date() if day else date.today()
    _show(catalogue_city(folder, day=asked, language=language, public=dcat), as_json=as_json)


def _show(found: "Catalogued", *, as_json: bool) -> None:
    from vardag.app.show import machine, person

    if as_json:
        return machine(asdict(found))
    out = person()
    out.print(_table(found))
    if found.public is None:
        out.print(words("catalogue_no_public"), markup=False)
    else:
        out.print(words("catalogue_public", language=None, **found.public), markup=False)
        if not found.public["datasets"]:
            out.print(words("catalogue_empty"), markup=False)
    for path in found.paths:
        out.print(f"  {path}", markup=False)
    return None


def _table(found: "Catalogued") -> Table:
    from rich.markup import escape

    from vardag.water.publish.catalogue import rows

    table = Table(show_lines=True)
    for name in COLUMNS:
        table.add_column(
            words(f"catalogue_col_{name}"),
            justify="right" if name in FIGURES else "left",
            overflow="fold",
            min_width=WIDTHS.get(name),
        )
    for entry, row in zip(found.entries, rows(found.entries, settings().language), strict=True):
        cells = (
            f"{row['source']}\n→ {row['table']}",
            f"{row['owner']}\n{row['secrecy']}",
            f"{entry.loaded.isoformat()}\n{row['due'] or row['interval']}",
            f"{row['kept']}\n/ {row['rows_in']}",
            f"{len(entry.passed)} / {len(entry.passed) + len(entry.failed)}" if row["checked"] else "–",
            str(len(entry.features)),
            row["use_words"],
        )
        table.add_row(*(escape(cell) for cell in cells))
    return table
