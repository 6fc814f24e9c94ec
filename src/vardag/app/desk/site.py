"""The desk's application, put together from its rooms.

A room is a module with ``PAGES`` and, where it stands in the menu, ``MENU``. To add one, name it in `ROOMS`; every
page states the right that it takes (`rights`).
"""

from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from ipaddress import ip_address
from pathlib import Path
from types import ModuleType
from typing import Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles

from vardag.app.desk import (
    door,
    item_page,
    ladder_page,
    log_page,
    map_page,
    me_page,
    obstacles_page,
    people_page,
    queue_page,
    report_page,
    signing,
    suggestions_page,
)
from vardag.app.desk.books import Books
from vardag.app.desk.headers import Headers
from vardag.app.desk.visit import HERE, Desk, Page, Place
from vardag.core.errors import RefusedError
from vardag.invoices.robot import Robot
from vardag.invoices.settings import Desk as Settings

ROOMS: tuple[ModuleType, ...] = (
    queue_page,
    item_page,
    map_page,
    suggestions_page,
    ladder_page,
    obstacles_page,
    report_page,
    log_page,
    people_page,
    me_page,
    signing,
)
OWN = ("127.0.0.1", "localhost", "[::1]", "::1")


def build(
    robot: Robot, folder: Path, settings: Settings | None = None, *, rooms: Sequence[ModuleType] = ROOMS
) -> FastAPI:
    """Put the application together.

    Parameters
    ----------
    robot
        Whose database, reader and finance system the desk looks into; its mailbox is left alone.
    folder
        The robot's folder.
    rooms
        Modules with pages, in the order of the menu.
    """
    settings = settings or Settings()
    desk = Desk(robot, folder, settings, Books(robot.ledger))
    desk = replace(desk, menu=menu(rooms))
    app = FastAPI(
        title="Vardag",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=_closing(desk),
        exception_handlers={HTTPException: _problem(desk)},
    )
    for page in pages(rooms):
        app.router.routes.append(Route(page.path, door.Endpoint(desk, page).answer, methods=[page.method]))
    app.router.routes.extend(signing.routes(desk))
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*OWN, *settings.hosts], www_redirect=False)
    app.add_middleware(Headers, https=settings.https)
    return app


def pages(rooms: Sequence[ModuleType] = ROOMS) -> tuple[Page, ...]:
    """Every page and act of the rooms."""
    return tuple(page for room in rooms for page in room.PAGES)


def menu(rooms: Sequence[ModuleType] = ROOMS) -> tuple[Place, ...]:
    """Entries of the menu, in the order of the rooms."""
    return tuple(place for room in rooms for place in getattr(room, "MENU", ()))


def may_listen(host: str, settings: Settings) -> None:
    """Refuse to serve other machines without TLS: passwords and mails would go over the network in the clear.

    Raises
    ------
    RefusedError
        With the two settings that are needed.
    """
    try:
        own = ip_address(host.strip("[]")).is_loopback
    except ValueError:
        own = host == "localhost"
    if not own and not (settings.https and settings.hosts):
        raise RefusedError(
            f"{host}: other machines reach the desk through a reverse proxy that speaks TLS. Set desk.https = true "
            "and desk.hosts = ['name.of.the.desk'] in robot.toml, or leave out --host."
        )


def _closing(desk: Desk) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        desk.books.close()

    return lifespan


def _problem(desk: Desk) -> Callable[[Request, Any], Coroutine[Any, Any, Response]]:
    """An address that is none of ours gets a page too."""

    async def answer(request: Request, error: HTTPException) -> Response:
        status = HTTPStatus(error.status_code)
        key = "not_found" if status is HTTPStatus.NOT_FOUND else "form_refused"
        page = partial(door.message, status=status, key=key)
        return await run_in_threadpool(door.answered, desk, request, {}, page)

    return answer
