"""The door: every request goes through it, so that no page can forget to ask who is there and what they may do."""

import hmac
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from vardag.app.desk.visit import Desk, Page, Visit
from vardag.core.errors import InputError, NotFoundError, RefusedError, VardagError
from vardag.core.texts import LANGUAGES
from vardag.invoices.commands import sign_in
from vardag.invoices.persons import register, sessions

LOG = logging.getLogger(__name__)
MOST_BYTES, MOST_FIELDS = 200_000, 100
MOST_NUMBER = 2**31 - 1  # what a column of the database holds
Form = Mapping[str, tuple[str, ...]]


class Endpoint:
    """One page as the server calls it: the door in front of the page's function."""

    def __init__(self, desk: Desk, page: Page) -> None:
        self.desk, self.page = desk, page

    async def answer(self, request: Request) -> Response:
        """Answer a request."""
        form = await read_form(request) if self.page.method == "POST" else {}
        return await run_in_threadpool(self._answer, request, form)

    def _answer(self, request: Request, form: Form | None) -> Response:
        return answered(self.desk, request, form or {}, lambda visit: self._let_in(visit, request, form))

    def _let_in(self, visit: Visit, request: Request, form: Form | None) -> Response:
        if form is None or from_elsewhere(request):
            return message(visit, HTTPStatus.BAD_REQUEST if form is None else HTTPStatus.FORBIDDEN, "form_refused")
        if visit.person is None:
            return self._ask_in(visit, request)
        if self.page.method == "POST" and not carries_token(visit):
            return message(visit, HTTPStatus.FORBIDDEN, "form_refused")
        if not visit.may(self.page.right):
            return message(visit, HTTPStatus.FORBIDDEN, "no_right")
        if any(isinstance(value, int) and value > MOST_NUMBER for value in request.path_params.values()):
            return message(visit, HTTPStatus.NOT_FOUND, "not_found")
        return self.page.answer(visit, **request.path_params)

    def _ask_in(self, visit: Visit, request: Request) -> Response:
        """Ask for a sign-in; what was written in a form is handed back, so that it is not lost."""
        if visit.vouched:
            return message(visit, HTTPStatus.FORBIDDEN, "not_registered")
        if request.headers.get("hx-request"):  # a part of a page: the whole page has to ask
            return Response(headers={"HX-Refresh": "true"})
        if self.page.method == "GET":
            where = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            if request.headers.get("sec-fetch-site") == "cross-site":  # a link in a mail: the cookie stays at home
                return visit.page("onward", onward=where)
            return visit.go("/sign-in", next=where)
        return message(visit, HTTPStatus.UNAUTHORIZED, "signed_out_meanwhile")


def answered(desk: Desk, request: Request, form: Form, answer: Callable[[Visit], Response]) -> Response:
    """A page for whoever is there; a session that was begun for them goes along, whatever the answer."""
    visit, fresh = arrive(desk, request, form)
    response = safely(visit, lambda: answer(visit))
    if fresh:
        set_session(desk, response, visit.token)
    return response


def arrive(desk: Desk, request: Request, form: Form) -> tuple[Visit, bool]:
    """Who is there, and whether a session was begun for them just now, since the proxy vouches for them."""
    token = request.cookies.get(cookie(desk), "")
    person = sign_in.who(desk.robot.store, token) if token else None
    name = vouched_name(desk, request)
    visit = Visit(desk, request, person, token, _language(desk, request), form, vouched=bool(name))
    if name and (person is None or person.name != register.spelled(name)):
        begun = sign_in.vouched(desk.robot.store, name)
        visit = replace(visit, person=begun.person if begun else None, token=begun.token if begun else "")
        return _in_own_language(visit), begun is not None
    return _in_own_language(visit), False


def _in_own_language(visit: Visit) -> Visit:
    return visit.with_language(visit.person.language) if visit.person else visit


def _language(desk: Desk, request: Request) -> str:
    """Language of somebody who has not signed in: as asked for, else the robot's own."""
    asked = request.query_params.get("language", "")
    return asked if asked in LANGUAGES else desk.robot.sender.language


def vouched_name(desk: Desk, request: Request) -> str:
    """User name in the proxy's header; empty unless it is set up, and the request comes from the proxy.

    Where the header is there twice, one of them can be the browser's own, and neither is believed.
    """
    header = desk.settings.user_header
    names = request.headers.getlist(header) if header and from_proxy(desk, request) else []
    if len(names) > 1:
        LOG.warning("the proxy's header with the user's name came %d times; the proxy must replace it", len(names))
    return _as_utf8(names[0]).strip() if len(names) == 1 else ""


def _as_utf8(value: str) -> str:
    """A header's text, where the proxy writes å, ä and ö as UTF-8."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeDecodeError:
        return value


def from_proxy(desk: Desk, request: Request) -> bool:
    """Tell whether a request comes from one of the stated proxies."""
    try:
        peer = ip_address(request.client.host if request.client else "")
    except ValueError:
        return False
    return any(peer in network for network in desk.settings.proxies)


def address(desk: Desk, request: Request) -> str:
    """Where the person sits: the last station before the proxy, where one is stated."""
    stations = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
    if from_proxy(desk, request) and stations[-1].strip():
        return stations[-1].strip()
    return request.client.host if request.client else ""


async def read_form(request: Request) -> Form | None:
    """A form's fields; None where it is too large, of another kind, or broken off. The desk takes no files."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        return None
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_BYTES:
                return None
        found = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except (ClientDisconnect, ValueError):
        return None
    return {name: tuple(values) for name, values in found.items()}


def from_elsewhere(request: Request) -> bool:
    """Tell whether the browser says that another site's page sent this form."""
    return request.method == "POST" and request.headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}


def carries_token(visit: Visit) -> bool:
    """Tell whether a form was made for this session."""
    return hmac.compare_digest(visit.said("csrf").encode(), sessions.form_token(visit.token).encode())


def cookie(desk: Desk) -> str:
    """Name of the session's cookie; over TLS one that no other host can set."""
    return "__Host-vardag-desk" if desk.settings.https else "vardag-desk"


def set_session(desk: Desk, response: Response, token: str) -> None:
    """Hand the session's token to the browser, which forgets it when it is closed."""
    response.set_cookie(cookie(desk), token, path="/", secure=desk.settings.https, httponly=True, samesite="strict")


def safely(visit: Visit, answer: Callable[[], Response]) -> Response:
    """An answer, where an error of a room becomes a page that says so."""
    try:
        return answer()
    except NotFoundError:
        return message(visit, HTTPStatus.NOT_FOUND, "not_found")
    except RefusedError as error:
        return message(visit, HTTPStatus.CONFLICT, "refused", details=str(error))
    except InputError as error:
        return message(visit, HTTPStatus.UNPROCESSABLE_ENTITY, "unusable", details=str(error))
    except VardagError as error:
        return message(visit, HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", details=str(error))
    except Exception:
        LOG.exception("a page of the desk failed")
        return message(visit, HTTPStatus.INTERNAL_SERVER_ERROR, "fault")


def message(visit: Visit, status: HTTPStatus, key: str, *, details: str = "") -> Response:
    """A page with a message, and with what was written in the form, so that it is not lost."""
    kept = next((text for name in ("reason", "text", "answer") if (text := visit.said(name))), "")
    return visit.page("message", status.value, key=key, details=details, kept=kept)
