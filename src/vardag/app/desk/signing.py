"""Signing in and out. The form carries a token of its own, so that nobody is signed in unawares."""

import secrets
from http import HTTPStatus

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vardag.app.desk import door
from vardag.app.desk.rights import Right
from vardag.app.desk.visit import Desk, Page, Visit
from vardag.invoices.commands import sign_in
from vardag.invoices.commands.sign_in import SignedIn, Wait

FORM_COOKIE = "vardag-desk-form"


def routes(desk: Desk) -> list[Route]:
    """The two pages that are open to those who have not signed in."""

    async def show(request: Request) -> Response:
        return await run_in_threadpool(_show, desk, request)

    async def take(request: Request) -> Response:
        form = await door.read_form(request)
        return await run_in_threadpool(_take, desk, request, form or {})

    return [Route("/sign-in", show, methods=["GET"]), Route("/sign-in", take, methods=["POST"])]


def _show(desk: Desk, request: Request) -> Response:
    visit, fresh = door.arrive(desk, request, {})
    if visit.person is not None:
        response = visit.go(onwards(visit.asked("next")))
        if fresh:
            door.set_session(desk, response, visit.token)
        return response
    return _form(visit, HTTPStatus.OK, onward=onwards(visit.asked("next")))


def _take(desk: Desk, request: Request, form: door.Form) -> Response:
    token = request.cookies.get(FORM_COOKIE, "")
    visit = Visit(desk, request, None, token, desk.robot.sender.language, form)
    visit = visit.with_language(visit.said("language"))
    onward = onwards(visit.said("next"))
    if not token or not door.carries_token(visit) or door.from_elsewhere(request):
        return _form(visit, HTTPStatus.FORBIDDEN, onward=onward, problem="sign_in_again")
    password = (form.get("password") or ("",))[0]
    where = door.address(desk, request)
    done = sign_in.sign_in(desk.robot.store, visit.said("name"), password, address=where)
    if isinstance(done, SignedIn):
        response = visit.go(onward)
        door.set_session(desk, response, done.token)
        response.delete_cookie(FORM_COOKIE)
        return response
    if isinstance(done, Wait):
        return _form(visit, HTTPStatus.TOO_MANY_REQUESTS, onward=onward, problem="sign_in_wait")
    return _form(visit, HTTPStatus.UNPROCESSABLE_ENTITY, onward=onward, problem="sign_in_wrong")


def _form(visit: Visit, status: HTTPStatus, *, onward: str, problem: str = "") -> Response:
    token = secrets.token_urlsafe(32)
    fresh = Visit(visit.desk, visit.request, None, token, visit.language, visit.form)
    response = fresh.page("sign_in", status.value, onward=onward, problem=problem, name=visit.said("name"))
    secure = visit.desk.settings.https
    response.set_cookie(FORM_COOKIE, token, secure=secure, httponly=True, samesite="strict")
    return response


def sign_out(visit: Visit) -> Response:
    """End the session."""
    sign_in.sign_out(visit.desk.robot.store, visit.token)
    response = visit.go("/sign-in", language=visit.language)
    response.delete_cookie(door.cookie(visit.desk), secure=visit.desk.settings.https, httponly=True)
    return response


def onwards(path: str) -> str:
    """Where to go after signing in: a page of the desk, and never another site.

    >>> onwards("/item/3"), onwards("//elsewhere.example"), onwards("https://elsewhere.example")
    ('/item/3', '/', '/')
    """
    own = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if own else "/"


PAGES = (Page("/sign-out", Right.SIGNED_IN, sign_out, "POST"),)
