"""A token endpoint (RFC 6749): client credentials, refresh tokens that are used once, tokens that end."""

import json
from base64 import b64decode
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import parse_qsl

from servers.api import Call
from servers.web import Answer

CLIENT, SECRET, TENANT = "robot-1", "klientens-hemlighet-7c", "424242"
SCOPE, BASIC_SCOPE = "https://graph.microsoft.com/.default", "invoice customer settings"


@dataclass
class TokenEndpoint:
    """What was given out; `calls` is how many calls a token is good for."""

    calls: int = 1000
    lasts_s: int = 3600
    basic: bool = True
    refresh: str = "uppdatering-0"
    given: dict[str, int] = field(default_factory=dict)
    grants: list[str] = field(default_factory=list)
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    def answer(self, call: Call) -> Answer:
        form = dict(parse_qsl(call.body.decode()))
        if call.method != "POST" or call.headers.get("content-type") != "application/x-www-form-urlencoded":
            return _no("invalid_request", "POST a form")
        if self._proof(call, form) != (CLIENT, SECRET):
            return _no("invalid_client", f"wrong secret {form.get('client_secret', '')}", 401)
        grant = form.get("grant_type", "")
        self.grants.append(grant)
        if grant == "client_credentials":
            scoped = form.get("scope") == (BASIC_SCOPE if self.basic else SCOPE)
            named = not self.basic or call.headers.get("tenantid") == TENANT
            return self._give() if scoped and named else _no("invalid_request", "tenant or scope")
        if grant != "refresh_token":
            return _no("unsupported_grant_type", grant)
        if form.get("refresh_token") != self.refresh:
            return _no("invalid_grant", f"used or unknown: {form.get('refresh_token')}")
        self.refresh = f"uppdatering-{next(self.numbers)}"
        return self._give(refresh_token=self.refresh)

    def allows(self, call: Call) -> bool:
        """Whether the call carries a token that still holds."""
        token = call.headers.get("authorization", "").removeprefix("Bearer ")
        self.given[token] = self.given.get(token, 0) - 1
        return self.given[token] >= 0

    def _give(self, **more: str) -> Answer:
        token = f"nyckel-{next(self.numbers)}-åtkomst".encode().hex()
        self.given[token] = self.calls
        said = {"access_token": token, "expires_in": self.lasts_s, "token_type": "bearer", **more}
        return Answer(json.dumps(said).encode())

    def _proof(self, call: Call, form: dict[str, str]) -> tuple[str, str]:
        if not self.basic:
            return form.get("client_id", ""), form.get("client_secret", "")
        user, _, secret = (
            b64decode(call.headers.get("authorization", "").removeprefix("Basic ")).decode().partition(":")
        )
        return user, secret


def _no(error: str, description: str, status: int = 400) -> Answer:
    return Answer(json.dumps({"error": error, "error_description": description}).encode(), status)
