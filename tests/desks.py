"""The desk as a real server on this machine, over an office in memory, and a client that fills in its forms."""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from html import unescape
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import uvicorn

from offices import Office
from vardag.app.desk import build
from vardag.invoices.commands import sign_in
from vardag.invoices.persons import Role, hashed, register
from vardag.invoices.settings import Desk as Settings

PASSWORD = "tolv tecken minst"
NAMES = {
    "karin": Role.CASEWORKER,
    "olle": Role.CASEWORKER,
    "petra": Role.OWNER,
    "conny": Role.CONTROLLER,
    "rut": Role.AUDITOR,
    "adam": Role.ADMINISTRATOR,
}
COOKIE = "vardag-desk"
HIDDEN = re.compile(r'name="(csrf|stamp)" value="([^"]*)"')


@contextmanager
def serving(office: Office, folder: Path, settings: Settings | None = None) -> Iterator[str]:
    """Serve the desk; yields its address."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    sock.listen()  # who asks before the server has started waits for it
    config = uvicorn.Config(
        build(office.robot, folder, settings), log_config=None, server_header=False, proxy_headers=False
    )
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, kwargs={"sockets": [sock]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        sock.close()


def staffed(office: Office, *names: str, language: str = "en") -> Office:
    """The office with these people (all, where none is named), who all have the same password."""
    with office.robot.store.begin() as tx:
        for name in names or NAMES:
            register.add(tx, name, roles=[NAMES[name]], secret=secret(), language=language)
    return office


@cache
def secret() -> str:
    """Hash of everybody's password, made once, for it is slow on purpose."""
    return hashed(PASSWORD)


@dataclass
class Browser:
    """A client that keeps its cookies and sends a page's hidden fields along, as a browser does."""

    http: httpx.Client
    page: str = ""
    status: int = 0

    def get(self, path: str) -> "Browser":
        """Open a page."""
        return self._took(self.http.get(path))

    def post(self, path: str, **fields: Any) -> "Browser":
        """Send a form of the page that is open."""
        return self._took(self.http.post(path, data={**self.hidden, **fields}))

    def sign_in(self, name: str, password: str = PASSWORD) -> "Browser":
        """Sign in."""
        self.get("/sign-in")
        return self.post("/sign-in", name=name, password=password, next="/")

    def enter(self, office: Office, name: str) -> "Browser":
        """Be signed in, without the slow comparison of passwords."""
        begun = sign_in.vouched(office.robot.store, name)
        assert begun is not None
        self.http.cookies.set(COOKIE, begun.token)
        return self.get("/me")

    @property
    def hidden(self) -> dict[str, str]:
        """Form token and stamp of the page that is open."""
        return {name: unescape(value) for name, value in HIDDEN.findall(self.page)}

    @property
    def text(self) -> str:
        """What a person reads, without tags."""
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", self.page)).split())

    def _took(self, answer: httpx.Response) -> "Browser":
        self.page, self.status = answer.text, answer.status_code
        return self


@contextmanager
def browser(url: str) -> Iterator[Browser]:
    """A client that follows redirects."""
    with httpx.Client(base_url=url, follow_redirects=True, trust_env=False, timeout=30) as http:
        yield Browser(http)
