"""Suggestions for a change, where those who do the work see the answer, and the process owner gives it."""

from typing import Any

from starlette.responses import Response

from vardag.app.desk.rights import Right
from vardag.app.desk.visit import Page, Place, Visit
from vardag.core.errors import RefusedError
from vardag.invoices.commands import suggest as acts
from vardag.invoices.commands.suggest import About, Fate


def suggestions(visit: Visit) -> Response:
    """Every suggestion, the unanswered first; the form begins as the link to it says, with a step of the map."""
    return _shown(visit, about=visit.asked("about"), target=visit.asked("target")[:100])


def suggest(visit: Visit) -> Response:
    """A suggestion that came up at no item in particular."""
    about, text = visit.said("about"), visit.said("text")
    if about not in set(About) or not text:
        return _shown(visit, 422, problem="text_missing", text=text, about=about, target=visit.said("target"))
    target = visit.said("target")[:100]
    acts.suggest(visit.desk.robot.store, by=visit.name, about=About(about), target=target, text=text)
    return visit.go("/suggestions", said="suggested")


def answer(visit: Visit, number: int) -> Response:
    """Take or decline a suggestion, with an answer."""
    fate, text = visit.said("fate"), visit.said("answer")
    if fate not in {Fate.TAKEN, Fate.DECLINED} or not text:
        return _shown(visit, 422, problem="answer_missing", answering=number, answer=text)
    try:
        acts.answer(visit.desk.robot.store, number, Fate(fate), by=visit.name, text=text)
    except RefusedError:
        return _shown(visit, 409, problem="answered_already", answering=number, answer=text)
    return visit.go("/suggestions", said="answered")


def _shown(visit: Visit, status: int = 200, **more: Any) -> Response:
    given = {"problem": "", "text": "", "about": "", "target": "", "answering": 0, "answer": "", **more}
    found = acts.listed(visit.desk.robot.store)
    return visit.page("suggestions", status, found=found, abouts=list(About), **given)


MENU = (Place("suggestions", "/suggestions", Right.SUGGESTIONS),)
PAGES = (
    Page("/suggestions", Right.SUGGESTIONS, suggestions),
    Page("/suggestions", Right.SUGGEST, suggest, "POST"),
    Page("/suggestions/{number:int}/answer", Right.ANSWER, answer, "POST"),
)
