"""A server in a thread that is written to: every method, bodies, and faults before or after it acts."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from urllib.parse import parse_qsl, urlsplit

from servers.web import Answer, in_a_thread

HTML = b"<html><body>Logga in</body></html>"


@dataclass(frozen=True)
class Call:
    """What was asked."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class Fault:
    """What goes wrong with the next calls of a kind.

    ``html`` and ``proxy`` answer a page, ``cut`` half an answer, ``slow`` too late, ``gone`` nothing at all,
    ``busy`` 429, ``down`` 503, ``error`` 500, ``foreign`` a no that nobody has heard of; `after` lets the call act
    first. ``late`` is given up on, and acts when the same is asked again: before that, or `after`.
    """

    kind: str
    method: str = "PUT"
    ends: str = ""
    after: bool = False
    times: int = 1

    def meets(self, call: Call) -> bool:
        return self.times > 0 and call.method == self.method and call.path.endswith(self.ends)


class Api:
    """A running server; `answer` acts, `refusal` writes an error in the service's own form."""

    def __init__(self, answer: Callable[[Call], Answer], refusal: Callable[[int, str], Answer]) -> None:
        self.calls: list[Call] = []
        self.faults: list[Fault] = []
        self.late: tuple[Call, bool] | None = None
        self.slow_s = 0.9
        self._answer, self._refusal, self._lock = answer, refusal, Lock()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def respond(self, call: Call) -> Answer | None:
        """The answer, spoiled where a fault wants it; None hangs up."""
        with self._lock:  # one call at a time, as in a database
            self.calls.append(call)
            fault = next((fault for fault in self.faults if fault.meets(call)), None)
            if fault is None:
                return self._with_late(call)
            fault.times -= 1
            if fault.kind == "late":
                self.late = (call, fault.after)
                return None
            acted = self._answer(call) if fault.after else None
        if fault.kind == "slow":
            time.sleep(self.slow_s)
        return self._spoiled(fault.kind, acted)

    def _with_late(self, call: Call) -> Answer:
        """The answer, with the call that comes late before or after it."""
        late, after = self.late or (None, False)
        if late is None or (late.method, late.path) != (call.method, call.path):
            return self._answer(call)
        self.late = None
        if not after:
            self._answer(late)
        answer = self._answer(call)
        if after:
            self._answer(late)
        return answer

    def _spoiled(self, kind: str, acted: Answer | None) -> Answer | None:
        whole = acted or Answer(b'{"Invoice": {"DocumentNumber": "1"}}')
        simple = {
            "html": Answer(HTML, 200, "text/html"),
            "proxy": Answer(HTML, 403, "text/html"),
            "cut": replace(whole, cut=len(whole.body) // 2),
            "slow": whole,
            "busy": Answer(b"", 429, headers={"Retry-After": "0"}),
            "down": Answer(b"", 503),
            "error": self._refusal(500, "System exception"),
            "foreign": self._refusal(400, "Das Dokument ist gesperrt"),
        }
        return simple.get(kind)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        api = self

        class Handler(BaseHTTPRequestHandler):
            def _any(self) -> None:
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                query = dict(parse_qsl(parts.query, keep_blank_values=True))
                headers = {name.lower(): value for name, value in self.headers.items()}
                answer = api.respond(Call(self.command, parts.path, query, headers, body))
                self.close_connection = True
                if answer is not None:
                    self._send(answer)

            def _send(self, answer: Answer) -> None:
                try:
                    self.send_response(answer.status)
                    self.send_header("Content-Type", answer.kind)
                    self.send_header("Content-Length", str(len(answer.body)))
                    for name, value in answer.headers.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(answer.body[: answer.cut])
                except ConnectionError:  # the client did not wait
                    pass

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any  # noqa: N815

            def log_message(self, *_: object) -> None: ...

        return Handler


@contextmanager
def running(api: Api) -> Iterator[Api]:
    with in_a_thread(api.server):
        yield api
