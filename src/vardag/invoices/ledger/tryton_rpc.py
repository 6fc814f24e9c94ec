"""Tryton's JSON-RPC: one call is one transaction in the server.

Source: Tryton 8.2, ``trytond.protocols.jsonrpc`` (how dates and decimals are written) and
``trytond.protocols.dispatcher`` (``/<database>/rpc/``, sessions). The server answers an error in the body: a
``UserError`` or ``UserWarning`` rolled the transaction back, so nothing was done; any other error, and any answer
that is not one, leaves what happened in doubt.
"""

import base64
import json
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import httpx

from vardag.core.config import settings
from vardag.core.errors import RefusedError
from vardag.core.rest import LOOPBACK
from vardag.invoices.ledger.port import LedgerRefusedError
from vardag.invoices.model import ApplicationError

ROLLED_BACK = {"UserError", "UserWarning"}
EXPIRED = {401, 403}
MOST_BYTES = 16_000_000


class TrytonServer:
    """A session with a Tryton server, opened at the first call and opened again when it has run out.

    Parameters
    ----------
    url
        Address of the server, such as ``https://ekonomi.example.org``.
    database
        Name of its database.
    user, secret
        Login, and a function that gives its password when it is asked for.
    timeout_s
        Longest silence of the server.

    Raises
    ------
    RefusedError
        When the address is not https, but for this machine itself.
    """

    def __init__(
        self, url: str, database: str, user: str, secret: Callable[[], str], *, timeout_s: float = 60.0
    ) -> None:
        if urlsplit(url).scheme != "https" and urlsplit(url).hostname not in LOOPBACK:
            raise RefusedError(f"{url}: no password is sent without TLS. Use the server's https address.")
        self.url, self.database, self.user = url.rstrip("/"), database, user
        self._secret = secret
        self._http = httpx.Client(timeout=timeout_s, trust_env=False, follow_redirects=False)
        self._numbers = count(1)
        self._session = ""
        self._user_id = 0
        self._context: dict[str, Any] = {}

    @property
    def user_id(self) -> int:
        """Number of the user in Tryton."""
        if not self._session:
            self._log_in()
        return self._user_id

    def close(self) -> None:
        """Let the connection go."""
        self._http.close()

    def call(self, method: str, *arguments: Any, **context: Any) -> Any:
        """Call a method with the user's own context.

        Raises
        ------
        LedgerRefusedError
            When the server refused and rolled back; the message is the server's, in the user's language there.
        ApplicationError
            When it cannot be told whether something was done.
        """
        if not self._session:
            self._log_in()
        body, expired = self._post(method, [*arguments, self._context | context])
        if expired:  # nothing was run: the server looks at the session first
            self._log_in()
            body, expired = self._post(method, [*arguments, self._context | context])
        if expired:
            raise ApplicationError(f"{self.url}: {self.user} may not call {method}. Give the user the right to it.")
        return _result(body, self.url)

    def _log_in(self) -> None:
        self._session, self._context = "", {}
        body, refused = self._post("common.db.login", [self.user, {"password": self._secret()}])
        if refused:
            raise ApplicationError(f"{self.url}: {self.user} cannot log in. Check user, password and database.")
        self._user_id, token = _result(body, self.url)[:2]
        self._session = base64.b64encode(f"{self.user}:{self._user_id}:{token}".encode()).decode()
        body, _ = self._post("model.res.user.get_preferences", [True, {}])
        self._context = dict(_result(body, self.url))

    def _post(self, method: str, params: list[Any]) -> tuple[Any, bool]:
        """Body of the answer, and whether the server did not know the session."""
        if settings().offline:
            raise RefusedError(f"offline, so {self.url} is not called. Unset VARDAG_OFFLINE.")
        wanted: dict[str, Any] = {"id": next(self._numbers), "method": method, "params": params}
        headers = {"Content-Type": "application/json"}
        if self._session:
            headers["Authorization"] = f"Session {self._session}"
        try:
            answer = self._http.post(
                f"{self.url}/{self.database}/rpc/", content=json.dumps(wanted, default=_written), headers=headers
            )
        except httpx.HTTPError as error:
            raise ApplicationError(f"{self.url}: no answer to {method} ({type(error).__name__}).") from None
        if answer.status_code in EXPIRED:
            return None, True
        return _body(answer, self.url, method, wanted["id"]), False


def _body(answer: httpx.Response, url: str, method: str, number: int) -> dict[str, Any]:
    """The answer's JSON, when it is an answer to this very call."""
    told = f"{url}: {method} was answered with"
    if answer.status_code != httpx.codes.OK:
        raise ApplicationError(f"{told} HTTP {answer.status_code}.")
    if len(answer.content) > MOST_BYTES:
        raise ApplicationError(f"{told} {len(answer.content):,} bytes, more than {MOST_BYTES:,}.")
    try:
        body = json.loads(answer.content, object_hook=_read)
    except (ValueError, TypeError, InvalidOperation):
        kind = answer.headers.get("content-type", "no type")
        raise ApplicationError(
            f"{told} something that is not JSON ({kind}, {len(answer.content)} bytes)."
        ) from None
    if not isinstance(body, dict) or body.get("id") != number:
        raise ApplicationError(f"{told} the answer to another call.")
    return body


def _result(body: dict[str, Any], url: str) -> Any:
    """Result of a call; an error that rolled back is a refusal, any other is a fault."""
    if "error" not in body:
        if "result" not in body:
            raise ApplicationError(f"{url}: the answer holds neither result nor error.")
        return body["result"]
    kind, told = [*body["error"], "", ""][:2]
    if kind in ROLLED_BACK:
        words = told[1] if kind == "UserWarning" else told[0]
        raise LedgerRefusedError(str(words))
    first = str(kind).splitlines()[0] if str(kind) else "an error without words"
    raise ApplicationError(f"{url}: {first[:200]}")


def _written(value: Any) -> Any:
    if isinstance(value, Decimal):
        return {"__class__": "Decimal", "decimal": str(value)}
    if isinstance(value, date) and not isinstance(value, datetime):
        return {"__class__": "date", "year": value.year, "month": value.month, "day": value.day}
    raise TypeError(f"{type(value).__name__} is not sent to Tryton")


def _read(found: dict[str, Any]) -> Any:
    kind = found.get("__class__")
    if kind == "Decimal":
        return Decimal(found["decimal"])
    if kind == "date":
        return date(found["year"], found["month"], found["day"])
    return found
