"""Tokens: fetched once, renewed before they end, replaced as they are used; secrets stay secret."""

from collections.abc import Iterator

import pytest

from servers.api import Api, Fault, running
from servers.fortnox import refusal
from servers.tokens import BASIC_SCOPE, CLIENT, SCOPE, SECRET, TENANT, TokenEndpoint
from vardag.core.errors import ConfigError, RefusedError
from vardag.core.net import Patience
from vardag.core.oauth import ClientCredentials, LoginError, RefreshToken
from vardag.core.rest import UnansweredError

QUICK = Patience(tries=2, backoff_s=0.01, timeout_s=0.6, wait_limit_s=1)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def endpoint() -> TokenEndpoint:
    return TokenEndpoint()


@pytest.fixture
def api(endpoint: TokenEndpoint) -> Iterator[Api]:
    with running(Api(endpoint.answer, refusal)) as running_api:
        yield running_api


def credentials(api: Api, **others: object) -> ClientCredentials:
    options = {"basic": True, "headers": {"TenantId": TENANT}, "scope": BASIC_SCOPE, "patience": QUICK} | others
    return ClientCredentials(f"{api.url}/token", client_id=CLIENT, secret=lambda: SECRET, **options)


def refreshing(api: Api, stored: list[str], **others: object) -> RefreshToken:
    options = {"store": stored.append, "basic": True, "patience": QUICK} | others
    return RefreshToken(
        f"{api.url}/token", client_id=CLIENT, secret=lambda: SECRET, refresh=lambda: stored[-1], **options
    )  # type: ignore[misc]


def test_a_token_is_fetched_once_and_again_before_it_ends(api: Api) -> None:
    clock = Clock()
    keys = credentials(api, clock=clock)
    first = keys.token()
    clock.now = 3600 - 61
    assert keys.token() == first
    clock.now = 3600 - 59
    assert keys.token() != first and len(api.calls) == 2


def test_a_token_that_lives_shortly_is_still_used_for_half_its_life(api: Api, endpoint: TokenEndpoint) -> None:
    endpoint.lasts_s = 10
    clock = Clock()
    keys = credentials(api, clock=clock)
    keys.token()
    clock.now = 4
    keys.token()
    assert len(api.calls) == 1


def test_a_refused_token_is_renewed_once_for_all_who_had_it(api: Api) -> None:
    keys = credentials(api)
    first = keys.token()
    second = keys.renew(first)
    assert second != first and keys.renew(first) == second == keys.token() and len(api.calls) == 2


def test_id_and_secret_may_stand_in_the_form(api: Api, endpoint: TokenEndpoint) -> None:
    endpoint.basic = False
    assert credentials(api, basic=False, headers={}, scope=SCOPE).token()
    assert "authorization" not in api.calls[0].headers


def test_a_refresh_token_is_stored_before_the_token_is_used(api: Api, endpoint: TokenEndpoint) -> None:
    stored = [endpoint.refresh]
    keys = refreshing(api, stored)
    for _ in range(3):
        keys.renew(keys.token())
    assert len(stored) == 5 and stored[-1] == endpoint.refresh


def test_another_process_may_have_used_the_refresh_token_a_moment_ago(api: Api, endpoint: TokenEndpoint) -> None:
    stored = [endpoint.refresh]
    reads = iter(["used by the other", endpoint.refresh])
    keys = RefreshToken(
        f"{api.url}/token",
        client_id=CLIENT,
        secret=lambda: SECRET,
        refresh=lambda: next(reads),
        store=stored.append,
        basic=True,
    )
    assert keys.token() and stored[-1] == endpoint.refresh


def test_a_new_refresh_token_that_could_not_be_stored_is_not_lost(api: Api, endpoint: TokenEndpoint) -> None:
    stored, full = [endpoint.refresh], [True]

    def store(value: str) -> None:
        if full.pop():
            full.append(False)
            raise OSError("no space left")
        stored.append(value)

    keys = refreshing(api, stored, store=store)
    with pytest.raises(OSError, match="no space"):
        keys.token()
    assert keys.token() and stored[-1] == endpoint.refresh


def test_a_refusal_is_told_in_its_own_words_without_secrets(api: Api, endpoint: TokenEndpoint) -> None:
    endpoint.basic = False
    wrong = ClientCredentials(f"{api.url}/token", client_id=CLIENT, secret=lambda: "fel-hemlighet", patience=QUICK)
    with pytest.raises(
        LoginError, match=r"log-in at 127.0.0.1: invalid_client. wrong secret \[secret\]"
    ) as failure:
        wrong.token()
    assert failure.value.__cause__ is None
    endpoint.basic = True
    with pytest.raises(LoginError, match=r"invalid_grant. used or unknown: \[secret\]"):
        refreshing(api, ["gammal"]).token()
    assert "hemlig" not in f"{wrong!r} {refreshing(api, ['x'])!r}"


@pytest.mark.parametrize("kind", ["html", "cut", "slow", "gone", "down", "error"])
def test_no_usable_answer_is_no_refusal(api: Api, kind: str) -> None:
    api.faults.append(Fault(kind, method="POST"))
    keys = credentials(api)
    with pytest.raises(UnansweredError, match=r"log-in at 127\.0\.0\.1"):
        keys.token()
    assert keys.token()


def test_an_answer_without_a_token_is_told(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = credentials(api)
    monkeypatch.setattr(keys._rest, "json", lambda *_, **__: {"token_type": "bearer"})
    with pytest.raises(UnansweredError, match="holds no access_token"):
        keys.token()


def test_a_secret_is_not_sent_in_the_open_nor_offline(api: Api) -> None:
    with pytest.raises(ConfigError, match="is not https"):
        ClientCredentials("http://login.example.org/token", client_id=CLIENT, secret=lambda: SECRET)
    with pytest.raises(RefusedError, match="offline"):
        credentials(api, offline=True).token()
    assert api.calls == []
