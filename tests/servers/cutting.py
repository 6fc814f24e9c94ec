"""A wire between the robot and a server that can be cut: before the server has acted, after, or for a while.

Both are plain threads on loopback. The HTTP wire knows where a request ends, so a fault can be laid on the n-th call
of a kind; the line wire (SMTP, IMAP) lays it on a word of the client's.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

LOOPBACK = "127.0.0.1"


@dataclass
class Fault:
    """What happens to the n-th request that holds a word.

    ``before``: the wire is cut and the server never sees it; ``after``: the server acts, the answer is lost;
    ``half``: half the answer comes; ``html``: a page of words comes instead of it; ``slow``: the answer comes too
    late; ``twice``: the server gets the request twice; ``none``: nothing.
    """

    kind: str = "none"
    word: bytes = b""
    count: int = 1
    seconds: float = 0.0
    seen: int = field(default=0, compare=False)

    def strikes(self, request: bytes) -> bool:
        """Count a request; true for the one that is struck."""
        if self.kind == "none" or self.word not in request:
            return False
        self.seen += 1
        return self.seen == self.count


class Wire:
    """A listening wire to a server's port; `fault` may be changed at any time, `port` when the server moves."""

    def __init__(self, port: int) -> None:
        self.port, self.fault = port, Fault()
        self._listening = socket.create_server((LOOPBACK, 0))
        self.own_port: int = self._listening.getsockname()[1]

    def run(self, serve: Callable[[socket.socket], None]) -> None:
        """Serve every connection in a thread of its own, until closed."""
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=_quietly, args=(serve, client), daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._listening.close()

    def http(self, client: socket.socket) -> None:
        """Pass HTTP requests on, one after the other."""
        with client, socket.create_connection((LOOPBACK, self.port), timeout=120) as server:
            while request := _http_message(client):
                fault = self.fault if self.fault.strikes(request) else Fault()
                if fault.kind == "before":
                    return
                if fault.kind == "slow":
                    time.sleep(fault.seconds)
                server.sendall(request)
                answer = _http_message(server)
                if fault.kind == "twice":
                    with socket.create_connection((LOOPBACK, self.port), timeout=120) as again:
                        again.sendall(request)
                        _http_message(again)
                if fault.kind == "after":
                    return
                if fault.kind == "half":
                    client.sendall(answer[: len(answer) // 2])
                    return
                client.sendall(PAGE if fault.kind == "html" else answer)

    def lines(self, client: socket.socket) -> None:
        """Pass bytes on both ways, and cut before or after the word of the client's that is struck."""
        with client, socket.create_connection((LOOPBACK, self.port), timeout=120) as server:
            back = threading.Thread(target=_quietly, args=(_copy, server, client), daemon=True)
            back.start()
            while data := client.recv(65536):
                fault = self.fault if self.fault.strikes(data) else Fault()
                if fault.kind == "before":
                    return
                if fault.kind == "after":
                    client.shutdown(socket.SHUT_RDWR)  # nothing gets back to the client any more
                server.sendall(data)
                if fault.kind == "after":
                    time.sleep(0.2)  # let the server act
                    return


WORDS = "<html><body><h1>Underhåll pågår</h1></body></html>".encode()
PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(WORDS) + WORDS


@contextmanager
def wire(port: int, how: str) -> Iterator[Wire]:
    """A wire to a port; `how` is ``http`` or ``lines``."""
    made = Wire(port)
    threading.Thread(target=made.run, args=(getattr(made, how),), daemon=True).start()
    try:
        yield made
    finally:
        made.close()


def _quietly(work: Callable[..., None], *arguments: socket.socket) -> None:
    with suppress(OSError):
        work(*arguments)


def _copy(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    finally:
        with suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)


def _http_message(source: socket.socket) -> bytes:
    """One whole HTTP message: head, and as many bytes as it says."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = source.recv(65536)
        if not more:
            return b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), -1
    )
    while length < 0 or len(body) < length:
        more = source.recv(65536)
        if not more:
            break
        body += more
    return head + b"\r\n\r\n" + body
