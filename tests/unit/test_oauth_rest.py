"""The door to services that are written to: whom it calls, what it sends twice, what it makes of an answer."""

from collections.abc import Callable

import pytest

from servers.api import Api, Call, running
from servers.fortnox import refusal
from servers.web import Answer
from vardag.core.errors import RefusedError
from vardag.core.net import Patience
from vardag.core.rest import NoError, Pace, Rest, UnansweredError

QUICK = Patience(tries=3, backoff_s=0.01, timeout_s=0.6, wait_limit_s=0.05)


class Key:
    """One token."""

    def token(self) -> str:
        return "hemlig-nyckel"

    def renew(self, refused: str) -> str:
        return refused

    def scrub(self, text: str) -> str:
        return text.replace("hemlig-nyckel", "[secret]")


def answering(answer: Callable[[Call], Answer]) -> Api:
    return Api(answer, refusal)


def test_links_to_another_host_and_redirects_are_not_followed() -> None:
    def moved(call: Call) -> Answer:
        return (
            Answer(b"", 307, headers={"Location": "http://example.org/"})
            if call.path == "/moved"
            else Answer(b"{}")
        )

    with running(answering(moved)) as api, Rest(api.url, about="ledger", tokens=Key(), patience=QUICK) as rest:
        assert rest.json("GET", f"{api.url}/next?page=2") == {}
        assert api.calls[-1].query == {"page": "2"}
        for far in ("http://localhost:1/x", "https://127.0.0.1/x", f"{api.url}@example.org/x"):
            with pytest.raises(RefusedError, match="another host"):
                rest.call("GET", far)
        for method in ("GET", "POST"):
            with pytest.raises(UnansweredError, match="answers 307"):
                rest.call(method, "/moved")
    assert len(api.calls) == 3


@pytest.mark.parametrize(("method", "status", "sent"), [
    ("GET", 503, 3), ("PUT", 503, 1), ("POST", 502, 1), ("GET", 429, 3), ("PUT", 429, 3), ("GET", 500, 1),
])  # fmt: skip
def test_only_what_cannot_have_acted_is_sent_again(method: str, status: int, sent: int) -> None:
    with running(answering(lambda _: Answer(b"", status, headers={"Retry-After": "900"}))) as api:
        with (
            Rest(api.url, about="ledger", patience=QUICK) as rest,
            pytest.raises(UnansweredError, match=str(status)),
        ):
            rest.json(method, "/x")
        assert len(api.calls) == sent


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 412, 422])
def test_a_no_is_told_without_the_token(status: int) -> None:
    body = b'{"error": "hemlig-nyckel is no good"}'
    with running(answering(lambda _: Answer(body, status))) as api:
        with Rest(api.url, about="ledger", tokens=Key(), patience=QUICK) as rest, pytest.raises(NoError) as failure:
            rest.json("PUT", "/x", json={"a": 1})
        assert (failure.value.status, list(failure.value.body)) == (status, ["error"])
        assert "[secret] is no good" in str(failure.value) and "hemlig" not in str(failure.value)
        assert len(api.calls) == (2 if status == 401 else 1)
        assert api.calls[0].headers["authorization"] == "Bearer hemlig-nyckel"


def test_an_answer_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vardag.core.rest.MOST_BYTES", 1000)
    with (
        running(answering(lambda _: Answer(b"x" * 2000))) as api,
        Rest(api.url, about="ledger") as rest,
        pytest.raises(UnansweredError, match="too much or too slowly"),
    ):
        rest.json("GET", "/x")


def test_the_pace_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    now, slept = [0.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    monkeypatch.setattr("vardag.core.rest.time.monotonic", lambda: now[0])
    monkeypatch.setattr("vardag.core.rest.time.sleep", sleep)
    pace = Pace(2, 5.0)
    for at in (0.0, 1.0, 2.0, 2.0):
        now[0] = max(now[0], at)
        pace.wait()
    assert slept == [3.0, 1.0]
