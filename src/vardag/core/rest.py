"""The door to a service that is written to: JSON over HTTP, with a bearer token, to one host and no other.

`core.net` reads and may ask again as often as it likes. Here a call may act, so an answer is one of three: what
was asked for, a definite no (`NoError`), or nobody knows (`UnansweredError`). A call that may have acted is never
sent a second time by itself. Redirects are not followed, and no token stands in a message.
"""

import json
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from importlib.metadata import version
from typing import Any, Protocol

import httpx

from vardag.core.address import redacted
from vardag.core.config import settings
from vardag.core.errors import ConfigError, RefusedError, VardagError
from vardag.core.net import BUSY, Patience

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
MOST_BYTES = 32_000_000  # of an answer held in memory

# httpx writes whole addresses, with their query, at level INFO.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class UnansweredError(VardagError):
    """Nobody knows whether the call did anything: no answer, half an answer, or one that cannot be read."""


class NoError(VardagError):
    """The service answered no (4xx), and did nothing.

    Attributes
    ----------
    status, body
        What it answered; the body is None where it is not JSON, as from a proxy in between.
    """

    def __init__(self, message: str, status: int, body: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = body


class Tokens(Protocol):
    """Where access tokens come from (`core.oauth`)."""

    def token(self) -> str:
        """A token that holds now."""
        ...

    def renew(self, refused: str) -> str:
        """Another token than the one that was refused."""
        ...

    def scrub(self, text: str) -> str:
        """The text without any secret or token."""
        ...


class Pace:
    """No more than `calls` in any `seconds`: the caller waits instead of being refused."""

    def __init__(self, calls: int, seconds: float) -> None:
        self.calls, self.seconds = calls, seconds
        self._made: deque[float] = deque()

    def wait(self) -> None:
        """Sleep until one more call fits."""
        now = time.monotonic()
        while self._made and now - self._made[0] >= self.seconds:
            self._made.popleft()
        if len(self._made) >= self.calls:
            time.sleep(self.seconds - (now - self._made[0]))
            self._made.popleft()
        self._made.append(time.monotonic())


def _is_401(status: int, _: bytes) -> bool:
    return status == 401


class Rest:
    """A client of one service.

    Parameters
    ----------
    address
        Where its paths begin; https, but for this machine itself.
    about
        Whose call it is, for messages.
    tokens
        Where the bearer token comes from; None sends none.
    headers
        Sent with every call.
    pace
        The service's rate limit, kept without being told.
    expired
        Tells from status and body that the token does not hold; it is renewed and the call sent again, once.

    Examples
    --------
    >>> with Rest("https://api.example.org/3", about="ledger", offline=True) as rest:
    ...     rest.json("GET", "/invoices/1")
    Traceback (most recent call last):
    ...
    vardag.core.errors.RefusedError: ledger: offline, so https://api.example.org/3/invoices/1 is not called.
    """

    def __init__(
        self,
        address: str,
        *,
        about: str,
        tokens: Tokens | None = None,
        headers: Mapping[str, str] | None = None,
        offline: bool = False,
        patience: Patience | None = None,
        pace: Pace | None = None,
        expired: Callable[[int, bytes], bool] = _is_401,
    ) -> None:
        self.address = httpx.URL(address.rstrip("/"))
        self.about = about
        self.offline = offline or settings().offline
        self.patience = patience or Patience()
        self.pace = pace
        self._tokens, self._expired = tokens, expired
        local = self.address.host in LOOPBACK
        if self.address.scheme != "https" and not local:
            raise ConfigError(f"{about}: {redacted(address)} is not https; a token is not sent in the open.")
        self._http = httpx.Client(
            headers={"User-Agent": f"vardag/{version('vardag')}", "Accept": "application/json", **(headers or {})},
            timeout=httpx.Timeout(self.patience.timeout_s, connect=min(10.0, self.patience.timeout_s)),
            trust_env=not local,  # a machine of one's own is reached directly, whatever proxy is named
        )

    def __enter__(self) -> "Rest":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Rest {self.about} {redacted(str(self.address))}>"

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()

    def json(self, method: str, path: str, **asked: Any) -> Any:
        """Call, and read the answer as JSON; amounts come as `Decimal`.

        Raises
        ------
        NoError
            The service refused, and did nothing.
        UnansweredError
            Nobody knows.
        """
        with self.stream(method, path, **asked) as response:
            content = self._body(response)
        try:
            return json.loads(content, parse_float=Decimal)
        except ValueError:
            raise self._unanswered(response.url, f"answers with {_kind(response)}, expected JSON") from None

    def call(self, method: str, path: str, **asked: Any) -> bytes:
        """Call and read the whole answer; `asked` is what httpx takes: params, json, content, data, headers."""
        with self.stream(method, path, **asked) as response:
            return self._body(response)

    @contextmanager
    def stream(self, method: str, path: str, **asked: Any) -> Iterator[httpx.Response]:
        """Call and read the answer bit by bit; a connection that breaks meanwhile is an `UnansweredError`."""
        response = self._answer(method, self._place(path), asked)
        try:
            yield response
        except httpx.HTTPError as error:
            raise self._broken(response.url, error) from None
        finally:
            response.close()

    def _place(self, path: str) -> httpx.URL:
        """Whole address of a path, or of a link that the service gave; never on another host."""
        url = httpx.URL(path if "://" in path else f"{self.address}{path}")
        if self.offline:
            raise RefusedError(f"{self.about}: offline, so {redacted(str(url))} is not called.")
        if (url.scheme, url.host, url.port) != (self.address.scheme, self.address.host, self.address.port):
            raise RefusedError(
                f"{self.about}: {redacted(str(self.address))} points to {redacted(str(url))}, which is another "
                "host; it is not called."
            )
        return url

    def _answer(self, method: str, url: httpx.URL, asked: Mapping[str, Any]) -> httpx.Response:
        """The service's answer, after waiting while it is busy and renewing the token once."""
        renewed = False
        for attempt in range(self.patience.tries + 1):  # one more than the tries, for a renewed token
            last = attempt >= self.patience.tries - 1
            pause = self.patience.backoff_s * 2**attempt
            token = self._tokens.token() if self._tokens else ""
            try:
                response = self._send(method, url, token, asked)
            except httpx.TransportError as error:
                if method != "GET" or last:
                    raise self._broken(url, error) from None
                time.sleep(pause)
                continue
            if response.is_success:
                return response
            body = self._body(response)
            if self._tokens and not renewed and self._expired(response.status_code, body):
                self._tokens.renew(token)
                renewed = True
            elif not last and _may_ask_again(method, response.status_code):
                time.sleep(self._asked_pause(response, pause))
            else:
                break
        raise self._error(response, body)

    def _send(self, method: str, url: httpx.URL, token: str, asked: Mapping[str, Any]) -> httpx.Response:
        if self.pace:
            self.pace.wait()
        headers = {**asked.get("headers", {}), **({"Authorization": f"Bearer {token}"} if token else {})}
        request = self._http.build_request(method, url, **{**asked, "headers": headers})
        return self._http.send(request, stream=True)

    def _asked_pause(self, response: httpx.Response, pause: float) -> float:
        asked = response.headers.get("retry-after", "")
        return min(float(asked), self.patience.wait_limit_s) if asked.isdigit() else pause

    def _body(self, response: httpx.Response) -> bytes:
        """The whole body, within the time and size that an answer may take."""
        until = time.monotonic() + self.patience.timeout_s
        parts, size = [], 0
        try:
            for part in response.iter_bytes():
                parts.append(part)
                size += len(part)
                if size > MOST_BYTES or time.monotonic() > until:
                    raise self._unanswered(response.url, f"answers too much or too slowly ({size} bytes read)")
        except httpx.HTTPError as error:
            raise self._broken(response.url, error) from None
        finally:
            response.close()
        return b"".join(parts)

    def _error(self, response: httpx.Response, content: bytes) -> VardagError:
        """What an answer without success means: a definite no, or that nobody knows."""
        status = response.status_code
        if not 400 <= status < 500 or status in {408, 429}:
            return self._unanswered(response.url, f"answers {status} {response.reason_phrase}")
        try:
            body = json.loads(content, parse_float=Decimal)
        except ValueError:
            body = None
        text = " ".join(content.decode("utf-8", "replace").split())[:200]
        said = f"with {_kind(response)}" if body is None else self._scrub(text)
        return NoError(f"{self.about}: {redacted(str(response.url))} answers {status} {said}", status, body)

    def _scrub(self, text: str) -> str:
        return self._tokens.scrub(text) if self._tokens else text

    def _unanswered(self, url: httpx.URL, what: str) -> UnansweredError:
        return UnansweredError(f"{self.about}: {redacted(str(url))} {what}.")

    def _broken(self, url: httpx.URL, error: Exception) -> UnansweredError:
        reason = self._scrub(str(error)) or type(error).__name__
        return self._unanswered(url, f"did not answer to the end ({reason})")


def _may_ask_again(method: str, status: int) -> bool:
    """429 says that nothing was done; after the other signs of a busy machine only reading is safe."""
    return status == 429 or (method == "GET" and status in BUSY)


def _kind(response: httpx.Response) -> str:
    return str(response.headers.get("content-type", "no stated type")).split(";")[0]
