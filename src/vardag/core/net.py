"""The one door to other machines: a client that calls the address it was made for, and no other.

Redirects and links to another host are refused, nothing is sent that was not asked for, and a secret stands in no
message and no log line.
"""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from vardag.core.address import redacted
from vardag.core.config import settings
from vardag.core.errors import InputError, RefusedError

BUSY = {429, 502, 503, 504}
MOVED = {301, 302, 303, 307, 308}
MOST_REDIRECTS = 5
LATER = "The earlier load stays in force; the next try goes on where this one ended."

# httpx writes whole addresses, with their query, at level INFO.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


@dataclass(frozen=True)
class Patience:
    """How long to wait for a machine that is slow or busy.

    Attributes
    ----------
    tries
        Times a request is sent before giving up on a busy machine or a broken connection.
    backoff_s
        Pause after the first failed try; doubled after each.
    timeout_s
        Longest silence while an answer is read.
    wait_limit_s
        Longest pause that a ``Retry-After`` header may ask for.
    """

    tries: int = 4
    backoff_s: float = 0.5
    timeout_s: float = 60.0
    wait_limit_s: float = 60.0


class Client:
    """An HTTP client for one address.

    Parameters
    ----------
    address
        What the user wrote; only its scheme, host and port are ever called.
    about
        Who asks, for messages, such as the source's name.
    offline
        Refuse every call; also where ``VARDAG_OFFLINE`` is set.
    secret
        Token to send as ``Authorization: Bearer``, or as the parameter named by `secret_parameter`.

    Examples
    --------
    >>> with Client("https://gis.example.org/wfs", about="pipes", offline=True) as client:  # doctest: +ELLIPSIS
    ...     client.json("https://gis.example.org/wfs")
    Traceback (most recent call last):
    ...
    vardag.core.errors.RefusedError: pipes: offline, so https://gis.example.org/wfs is not called. ...
    """

    def __init__(
        self,
        address: str,
        *,
        about: str,
        offline: bool = False,
        secret: str | None = None,
        secret_parameter: str | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.address = address
        self.about = about
        self.offline = offline or settings().offline
        self.secret = secret
        self.patience = patience or Patience()
        self.parameters = {secret_parameter: secret} if secret and secret_parameter else {}
        headers = {"User-Agent": f"vardag/{version('vardag')}"}
        if secret and not secret_parameter:
            headers["Authorization"] = f"Bearer {secret}"
        # A machine of one's own is reached directly, whatever proxy the environment names.
        local = urlsplit(address).hostname in {"localhost", "127.0.0.1", "::1"}
        self._http = httpx.Client(
            headers=headers, timeout=httpx.Timeout(self.patience.timeout_s, connect=10.0), trust_env=not local
        )

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(
        self, url: str, *, params: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Fetch a whole answer.

        Raises
        ------
        InputError
            When the machine cannot be reached, or answers with an error.
        RefusedError
            When the address, or one it redirects to, is on another host than the user wrote; or when offline.
        """
        with self.stream(url, params=params, headers=headers) as response:
            self._read(response)
        return response

    def json(
        self, url: str, *, params: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        """Fetch an answer in JSON."""
        response = self.get(url, params=params, headers=headers)
        try:
            return response.json()
        except ValueError:
            kind = response.headers.get("content-type", "no stated type").split(";")[0]
            raise InputError(
                f"{self.about}: {redacted(url)} answers with {kind}, expected JSON. It begins: "
                f"{self.without_secret(response.text[:80])!r}. Open the address in a browser: it may want a "
                "log-in (token), or be the page about the service rather than the service."
            ) from None

    @contextmanager
    def stream(
        self, url: str, *, params: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> Iterator[httpx.Response]:
        """Open an answer and read it bit by bit; raises as `get` does."""
        merged = {key: value for key, value in {**(params or {}), **self.parameters}.items() if value is not None}
        response = self._follow(httpx.URL(url).copy_merge_params(merged), headers)
        try:
            if response.status_code >= 400:
                self._read(response)
                raise InputError(
                    f"{self.about}: {redacted(url)} answers {response.status_code} {response.reason_phrase}"
                    f"{self._reason(response)}. {_cure(response.status_code)}"
                )
            yield response
        finally:
            response.close()

    def allowed(self, url: str) -> None:
        """Refuse an address on another host than the user wrote, and every address when offline."""
        if self.offline:
            raise offline_refusal(self.about, url)
        if _place(url) != _place(self.address):
            raise RefusedError(
                f"{self.about}: {redacted(self.address)} points to {redacted(url)}, which is another host than "
                "city.toml names; it is not called. If it is right, write that address as the source's url."
            )

    def without_secret(self, text: str) -> str:
        """Take the secret out of a text that a machine sent."""
        return text.replace(self.secret, "[secret]") if self.secret else text

    def _follow(self, url: httpx.URL, headers: Mapping[str, str] | None) -> httpx.Response:
        for _ in range(MOST_REDIRECTS):
            self.allowed(str(url))
            response = self._send(url, headers)
            if response.status_code not in MOVED:
                return response
            response.close()
            url = httpx.URL(urljoin(str(url), response.headers.get("location", "")))
        raise InputError(
            f"{self.about}: {redacted(self.address)} redirects more than {MOST_REDIRECTS} times. Mend its url."
        )

    def _send(self, url: httpx.URL, headers: Mapping[str, str] | None) -> httpx.Response:
        """Send once, and again while the machine is busy or the connection breaks."""
        for attempt in range(1, self.patience.tries + 1):
            last = attempt == self.patience.tries
            pause = self.patience.backoff_s * 2 ** (attempt - 1)
            try:
                response = self._http.send(self._http.build_request("GET", url, headers=headers), stream=True)
            except httpx.TransportError as error:
                if last:
                    raise self.unreachable(str(url), error) from None
            else:
                if response.status_code not in BUSY or last:
                    return response
                response.close()
                pause = self._asked_pause(response, pause)
            time.sleep(pause)
        raise AssertionError("unreachable: the last try returns or raises")

    def unreachable(self, url: str, error: Exception) -> InputError:
        """Say that a machine did not answer to the end."""
        reason = self.without_secret(str(error)) or type(error).__name__
        return InputError(
            f"{self.about}: {redacted(url)} cannot be reached ({reason}; tried {self.patience.tries} times). Check "
            f"the address and the network. {LATER}"
        )

    def _asked_pause(self, response: httpx.Response, pause: float) -> float:
        """Pause that a busy machine asks for in seconds, up to the limit."""
        asked = response.headers.get("retry-after", "")
        return min(float(asked), self.patience.wait_limit_s) if asked.isdigit() else pause

    def _read(self, response: httpx.Response) -> None:
        try:
            response.read()
        except httpx.TransportError as error:
            raise self.unreachable(str(response.url), error) from None

    def _reason(self, response: httpx.Response) -> str:
        plain = "html" not in response.headers.get("content-type", "html")
        text = " ".join(self.without_secret(response.text).split())[:200] if plain else ""
        return f" ({text})" if text else ""


def offline_refusal(about: str, url: str) -> RefusedError:
    """The error of whoever would call an address when offline."""
    return RefusedError(
        f"{about}: offline, so {redacted(url)} is not called. Load without --offline (and without "
        "VARDAG_OFFLINE), or only what lies in the folder: --only NAME."
    )


def _place(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _cure(status: int) -> str:
    if status in {401, 403}:
        return 'It wants a log-in: name the environment variable that holds its token, token = "VARDAG_TOKEN_...".'
    if status in {404, 410}:
        return "Look up the address and mend url in city.toml."
    return f"{LATER} If it persists, ask the service's owner, or ask for fewer rows at a time (page_rows)."
