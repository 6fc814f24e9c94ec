"""The queue: what waits, what failed, what is under way and what is settled; and the brakes."""

from math import ceil

from starlette.responses import Response

from vardag.app.desk.rights import Right
from vardag.app.desk.visit import Page, Place, Visit
from vardag.invoices.commands import desk as acts
from vardag.invoices.commands.desk import SHOWN, Tab
from vardag.invoices.robot import people


def queue(visit: Visit) -> Response:
    """A part of the queue."""
    tab = Tab(visit.asked("tab")) if visit.asked("tab") in set(Tab) else Tab.WAITING
    asked = visit.asked("page")
    page = max(int(asked), 1) if asked.isascii() and asked.isdigit() and len(asked) < 7 else 1
    search = visit.asked("search")[:100]
    found = acts.queue(visit.desk.robot.store, tab, search=search, page=page, sitting=visit.desk.sitting)
    last = max(ceil(found.total / SHOWN), 1)
    return visit.page("queue", found=found, tab=tab.value, search=search, page=page, last=last, problem="")


def pause(visit: Visit) -> Response:
    """Pull the brake; a reason is needed."""
    why = visit.said("reason")
    if not why:
        found = acts.queue(visit.desk.robot.store, Tab.WAITING, sitting=visit.desk.sitting)
        shown = {"tab": Tab.WAITING.value, "search": "", "page": 1, "last": max(ceil(found.total / SHOWN), 1)}
        return visit.page("queue", 422, found=found, problem="reason_missing", **shown)
    people.pause(visit.desk.robot.store, by=visit.name, why=why)
    return visit.go("/", said="paused")


def resume(visit: Visit) -> Response:
    """Let the robots go on."""
    people.resume(visit.desk.robot.store, by=visit.name)
    return visit.go("/", said="resumed")


MENU = (Place("queue", "/", Right.QUEUE),)
PAGES = (
    Page("/", Right.SIGNED_IN, lambda visit: queue(visit) if visit.may(Right.QUEUE) else first(visit)),
    Page("/pause", Right.PAUSE, pause, "POST"),
    Page("/resume", Right.PAUSE, resume, "POST"),
)


def first(visit: Visit) -> Response:
    """The first page of somebody who does not see the queue: the first entry of their menu."""
    mine = next((place for place in visit.desk.menu if visit.may(place.right)), None)
    return visit.go(mine.path if mine else "/me")
