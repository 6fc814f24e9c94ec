"""The map that the robot follows, where work items stand on it, and how many went each way."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup
from starlette.responses import Response

from vardag.app.desk import words
from vardag.app.desk.rights import Right
from vardag.app.desk.visit import Page, Place, Visit
from vardag.invoices.commands.map import entries_of
from vardag.invoices.process import drawing, load_parameters, map_words
from vardag.invoices.process.drawing import Heat
from vardag.invoices.process.map import Map
from vardag.invoices.process.map_page import told
from vardag.invoices.process.map_words import TEXTS
from vardag.invoices.process.replay import Replayed, replay


def map_(visit: Visit) -> Response:
    """A routine's map, with what the log says of it."""
    routines, language = visit.desk.robot.routines, visit.language
    asked = visit.asked("routine")
    name = asked if asked in routines else next(iter(routines))
    found = routines[name].map
    replayed = replay(entries_of(visit.desk.robot.store, name), found)
    prefix = f"{name}/" if len(routines) > 1 else ""
    return visit.page(
        "map",
        name=name,
        titles={one: words.called(routine, language) for one, routine in routines.items()},
        map_version=found.version,
        picture=_picture(found, replayed, language),
        rows=_rows(found, replayed, language),
        told=told(found, replayed, language),
        limits=map_words.limits(replayed, found, load_parameters(), language),
        prefix=prefix,
        m=lambda key: TEXTS(key, language),
    )


def style(_visit: Visit) -> Response:
    """How the picture looks; a file, since the desk's pages may have no style of their own."""
    return Response(drawing.STYLE + drawing.DARK, media_type="text/css")


def _picture(found: Map, replayed: Replayed, language: str) -> Markup:
    """The map as it is drawn (what stands in it is escaped), with those that stand at each step.

    Empty where its file has no diagram.
    """
    standing = {step: count for step, count in replayed.standing.items() if step in found.steps}
    heat = Heat(standing, replayed.flows, TEXTS("unit_items", language))
    title = TEXTS("picture_alt", language, name=found.named(language))
    return Markup(drawing.svg(found, language, title=title, heat=heat, styled=False))


def _rows(found: Map, replayed: Replayed, language: str) -> list[Mapping[str, Any]]:
    """Every step, with those that stand there and came there, and each way on with how many took it."""
    return [
        row
        | {
            "standing": replayed.standing.get(row["id"], 0),
            "ways": [
                (then, replayed.flows.get(flow.id, 0))
                for then, flow in zip(row["then"], found.leaving[row["id"]], strict=True)
            ],
        }
        for row in map_words.rows(found, language, replayed)
    ]


MENU = (Place("map", "/map", Right.MAP),)
PAGES = (Page("/map", Right.MAP, map_), Page("/map/style.css", Right.MAP, style))
