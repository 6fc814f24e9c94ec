"""What a page is given: who is there, in which language, what the form said, and how to render an answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from vardag import __version__
from vardag.app.desk import words
from vardag.app.desk.books import Books
from vardag.app.desk.rights import Right, allowed
from vardag.core.pages import environment
from vardag.core.texts import LANGUAGES
from vardag.invoices.persons import Person, parameters, sessions
from vardag.invoices.robot import Robot
from vardag.invoices.rules import Rule
from vardag.invoices.settings import Desk as Settings

HERE = Path(__file__).parent
VENDOR = HERE / "static" / "vendor"
PAGES = environment(HERE / "templates")


@dataclass(frozen=True)
class Place:
    """An entry of the menu: its text's key, its address, and the right that it takes."""

    name: str
    path: str
    right: Right


@dataclass(frozen=True)
class Desk:
    """What the desk works with.

    Attributes
    ----------
    folder
        The robot's folder, for the city's own minutes.
    menu
        Entries of every room, in order.
    """

    robot: Robot
    folder: Path
    settings: Settings
    books: Books
    menu: tuple[Place, ...] = ()

    @cached_property
    def rules(self) -> Mapping[str, Rule]:
        """The rules of every routine that the robot follows, by code."""
        return {code: rule for one in self.robot.routines.values() for code, rule in one.by_code.items()}

    @property
    def sitting(self) -> timedelta:
        """How long an opened item is the same sitting."""
        return timedelta(minutes=float(parameters().value("sitting_minutes")))


@dataclass(frozen=True)
class Visit:
    """One request of somebody who is let in.

    Attributes
    ----------
    person
        None before signing in.
    token
        The session's; forms carry what is made from it.
    vouched
        Whether the city's own sign-in vouches for the person.
    """

    desk: Desk
    request: Request
    person: Person | None
    token: str
    language: str
    form: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    vouched: bool = False

    @property
    def name(self) -> str:
        """User name; the log knows the person by it."""
        return self.person.name if self.person else ""

    def may(self, right: Right) -> bool:
        """Tell whether the person has a right."""
        return self.person is not None and allowed(self.person.roles, right)

    def said(self, name: str) -> str:
        """A field of the form, trimmed; empty where it is missing."""
        return _kept((self.form.get(name) or ("",))[0])

    def asked(self, name: str) -> str:
        """A parameter of the address, trimmed; empty where it is missing."""
        return _kept(self.request.query_params.get(name, ""))

    def t(self, key: str, **values: object) -> str:
        """A text in the person's language."""
        return words.TEXTS(key, self.language, **values)

    def page(self, name: str, status: int = 200, /, **values: Any) -> Response:
        """Render a page."""
        return HTMLResponse(PAGES.get_template(f"{name}.html.j2").render(**self._given(), **values), status)

    def go(self, path: str, **query: object) -> Response:
        """Send the browser on to another page of the desk."""
        address = f"{path}?{urlencode(query)}" if query else path
        return RedirectResponse(address, 303)

    def with_language(self, language: str) -> "Visit":
        """The same visit in another language."""
        return replace(self, language=language if language in LANGUAGES else self.language)

    def _given(self) -> dict[str, Any]:
        """What every page is given."""
        say: Mapping[str, Callable[..., str]] = words.helpers(self.language, self.desk.rules)
        return {
            **say,
            "visit": self,
            "t": self.t,
            "may": lambda right: self.may(Right(right)),
            "menu": [place for place in self.desk.menu if self.may(place.right)],
            "here": self.request.url.path,
            "csrf": sessions.form_token(self.token),
            "organisation": self.desk.robot.sender.organisation,
            "mode": self.desk.robot.mode.value,
            "languages": LANGUAGES,
            "version": __version__,
            "htmx": (VENDOR / "htmx.min.js").is_file(),
            "said": self.asked("said"),
            "about_item": self.asked("about") if self.asked("about").isdecimal() else "",
        }


def _kept(text: str) -> str:
    """What is kept of a text that came in: PostgreSQL keeps no NUL."""
    return text.replace("\0", "").strip()


@dataclass(frozen=True)
class Page:
    """A page or an act of the desk: its address, the right it takes, and the function that answers."""

    path: str
    right: Right
    answer: Callable[..., Response]
    method: str = "GET"
