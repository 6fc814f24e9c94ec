"""Access tokens by OAuth 2.0 (RFC 6749): client credentials, or a refresh token that is replaced as it is used.

Secrets come from callables that the caller hands over, are asked for when they are needed, and stand in no message,
log line or `repr`.
"""

import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from vardag.core.errors import VardagError
from vardag.core.net import Patience
from vardag.core.rest import NoError, Rest, UnansweredError

EARLY_S = 60.0  # a token is renewed before it ends, so that it holds for the call it is fetched for
HIDDEN = "[secret]"

Secret = Callable[[], str]


class LoginError(VardagError):
    """The token endpoint refused: a wrong secret, a consent withdrawn, a refresh token already used."""


class _Endpoint:
    """A token endpoint, and the token it gave last.

    Parameters
    ----------
    url, client_id, secret
        Address of the token endpoint, and what the application proves itself with.
    basic
        Send id and secret as HTTP Basic instead of in the form (RFC 6749 2.3.1).
    headers
        Sent along, such as a tenant's number.
    clock
        Seconds, for tests.
    """

    def __init__(
        self,
        url: str,
        *,
        client_id: str,
        secret: Secret,
        basic: bool = False,
        headers: Mapping[str, str] | None = None,
        offline: bool = False,
        patience: Patience | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.url, self.client_id = url, client_id
        self._secret, self._basic, self._clock = secret, basic, clock
        self._host = urlsplit(url).hostname or ""
        self._rest = Rest(url, about=f"log-in at {self._host}", headers=headers, offline=offline, patience=patience)
        self._token, self._until = "", 0.0
        self._known: set[str] = set()
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.client_id} at {self._host}>"

    def token(self) -> str:
        """A token that holds now.

        Raises
        ------
        LoginError
            When the endpoint says no; the message is its own words.
        UnansweredError
            When it gives no usable answer.
        """
        with self._lock:
            if self._clock() >= self._until:
                self._fetch()
            return self._token

    def renew(self, refused: str) -> str:
        """Another token than the one that was refused; where somebody renewed it meanwhile, theirs."""
        with self._lock:
            if self._token in {"", refused}:
                self._fetch()
            return self._token

    def scrub(self, text: str) -> str:
        """The text without the secret and without any token that was seen."""
        for value in sorted(self._known - {""}, key=len, reverse=True):
            text = text.replace(value, HIDDEN)
        return text

    def _grant(self) -> dict[str, str]:
        raise NotImplementedError

    def _fetch(self) -> None:
        answer = self._ask(self._grant())
        self._keep(answer)

    def _ask(self, form: Mapping[str, str]) -> Mapping[str, Any]:
        """Post the form; what comes back is a token or an error."""
        secret = self._secret()
        basic = b64encode(f"{self.client_id}:{secret}".encode()).decode()
        self._known |= {secret, basic, form.get("refresh_token", secret)}
        asked: dict[str, Any] = (
            {"data": dict(form), "headers": {"Authorization": f"Basic {basic}"}}
            if self._basic
            else {"data": {**form, "client_id": self.client_id, "client_secret": secret}}
        )
        try:
            answer = self._rest.json("POST", "", **asked)
        except NoError as error:
            body = error.body if isinstance(error.body, dict) else {}
            code = self.scrub(str(body.get("error", error.status)))
            words = self.scrub(str(body.get("error_description", "")))[:200]
            raise LoginError(f"log-in at {self._host}: {code}. {words}".strip()) from None
        if not isinstance(answer, dict) or not isinstance(answer.get("access_token"), str):
            raise UnansweredError(f"log-in at {self._host}: the answer holds no access_token.")
        return answer

    def _keep(self, answer: Mapping[str, Any]) -> None:
        lasts = answer.get("expires_in", 3600)
        lasts = float(lasts) if str(lasts).replace(".", "", 1).isdigit() else 3600.0
        self._token = answer["access_token"]
        self._known.add(self._token)
        self._until = self._clock() + max(lasts - EARLY_S, lasts / 2)


class ClientCredentials(_Endpoint):
    """Tokens for an application that works in its own name (RFC 6749 4.4).

    Parameters
    ----------
    scope
        Scopes, separated by spaces; empty sends none.
    """

    def __init__(self, url: str, *, scope: str = "", **others: Any) -> None:
        super().__init__(url, **others)
        self._scope = scope

    def _grant(self) -> dict[str, str]:
        return {"grant_type": "client_credentials", **({"scope": self._scope} if self._scope else {})}


class RefreshToken(_Endpoint):
    """Tokens from a refresh token that a person's consent gave; each use gives a new one (RFC 6749 6).

    Parameters
    ----------
    refresh
        Gives the refresh token as it is stored now.
    store
        Called with the new refresh token, before the access token that came with it is used.

    Notes
    -----
    Where the answer is lost on its way, so is the new refresh token, and a person has to consent again. Client
    credentials have no such weak point.
    """

    def __init__(self, url: str, *, refresh: Secret, store: Callable[[str], None], **others: Any) -> None:
        super().__init__(url, **others)
        self._refresh, self._store = refresh, store
        self._unstored = ""  # a token that the callback failed to keep; the stored one is used up

    def _grant(self) -> dict[str, str]:
        return {"grant_type": "refresh_token", "refresh_token": self._unstored or self._refresh()}

    def _fetch(self) -> None:
        form = self._grant()
        try:
            answer = self._ask(form)
        except LoginError:
            # Another process may have used it a moment ago, and stored the next one.
            again = self._grant()
            if again == form:
                raise
            form, answer = again, self._ask(again)
        following = answer.get("refresh_token")
        if isinstance(following, str) and following and following != form["refresh_token"]:
            self._known.add(following)
            self._unstored = following
            self._store(following)
            self._unstored = ""
        self._keep(answer)
