"""A small server in a thread: a function from path and query to an answer, and a log of what was asked."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qsl, urlsplit

Query = dict[str, str]


@dataclass
class Answer:
    """What a server sends; ``cut`` sends only so many bytes and hangs up."""

    body: bytes
    status: int = 200
    kind: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None


@dataclass
class Asked:
    path: str
    query: Query
    headers: dict[str, str]


class Web:
    """A running server."""

    def __init__(self, answer: Callable[[Asked], Answer]) -> None:
        self.asked: list[Asked] = []
        self.answer = answer
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                asked = Asked(parts.path, dict(parse_qsl(parts.query, keep_blank_values=True)), dict(self.headers))
                web.asked.append(asked)
                answer = web.answer(asked)
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.kind)
                self.send_header("Content-Length", str(len(answer.body)))
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.body[: answer.cut])
                self.close_connection = True

            def log_message(self, *_: object) -> None: ...

        return Handler


@contextmanager
def serving(answer: Callable[[Asked], Answer]) -> Iterator[Web]:
    web = Web(answer)
    with in_a_thread(web.server):
        yield web


@contextmanager
def in_a_thread(server: ThreadingHTTPServer) -> Iterator[None]:
    """Serve until the end of the block."""
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
