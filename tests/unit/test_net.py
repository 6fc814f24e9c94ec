"""The one door to other machines: whom it calls, how long it waits, what it never says."""

import time
from pathlib import Path

import pytest

from servers.remote import city
from servers.web import Answer, Asked, serving
from vardag.core.address import redacted
from vardag.core.errors import ConfigError, InputError, RefusedError
from vardag.core.net import Client, Patience
from vardag.water.city import City
from vardag.water.sources.remote import secret_of

SECRET = "hemligt-9f3"
QUICK = Patience(tries=3, backoff_s=0.01, wait_limit_s=5)


def ok(_: Asked) -> Answer:
    return Answer(b'{"a": 1}')


@pytest.mark.parametrize("other", ["http://localhost:{port}/x", "https://127.0.0.1:{port}/x", "http://127.0.0.1:1/x",
                                   "file:///etc/hostname", "http://127.0.0.1:{port}@example.org/"])  # fmt: skip
def test_only_the_place_the_user_wrote_is_called(other: str) -> None:
    with serving(ok) as web, Client(web.url, about="pipes") as client:
        assert client.json(f"{web.url}/any/path") == {"a": 1}
        with pytest.raises(RefusedError, match=r"pipes: .*another host than city.toml names"):
            client.get(other.format(port=web.server.server_port))
        assert len(web.asked) == 1


def test_a_redirect_is_followed_on_the_same_host_only() -> None:
    def moved(asked: Asked) -> Answer:
        target = {"/a": "/b", "/far": f"{other.url}/b", "/round": "/round"}.get(asked.path)
        return Answer(b"", 302, headers={"Location": target}) if target else ok(asked)

    with serving(ok) as other, serving(moved) as web, Client(web.url, about="pipes", secret=SECRET) as client:
        assert client.json(f"{web.url}/a") == {"a": 1}
        with pytest.raises(RefusedError, match="another host"):
            client.get(f"{web.url}/far")
        with pytest.raises(InputError, match="redirects more than 5 times"):
            client.get(f"{web.url}/round")
        assert other.asked == []


@pytest.mark.parametrize(("asked_for", "paused"), [("3", 3.0), ("900", 5.0), ("", 0.01), ("soon", 0.01)])
def test_a_busy_machine_is_given_the_time_it_asks_for(
    monkeypatch: pytest.MonkeyPatch, asked_for: str, paused: float
) -> None:
    pauses: list[float] = []
    answers = [Answer(b"busy", 429, "text/plain", {"Retry-After": asked_for}), Answer(b"{}")]
    with (
        serving(lambda _: answers.pop(0)) as web,
        Client(web.url, about="pipes", patience=QUICK) as client,
        monkeypatch.context() as patch,
    ):
        patch.setattr(time, "sleep", pauses.append)
        assert client.json(web.url) == {}
    assert pauses == [paused]


def test_a_machine_that_stays_busy_is_told() -> None:
    with serving(lambda _: Answer(b"busy", 503, "text/plain")) as web:
        with (
            Client(web.url, about="pipes", patience=QUICK) as client,
            pytest.raises(InputError, match=r"503.*busy"),
        ):
            client.get(web.url)
        assert len(web.asked) == 3


def test_a_machine_that_is_not_there_is_told() -> None:
    with serving(ok) as web:
        url = web.url
    with (
        Client(url, about="pipes", patience=QUICK) as client,
        pytest.raises(InputError, match=r"pipes: http.* cannot be reached .*tried 3 times.*earlier load stays"),
    ):
        client.get(url)


@pytest.mark.parametrize("parameter", [None, "token"])
def test_a_secret_is_sent_and_stands_in_no_message(parameter: str | None) -> None:
    answers = [Answer(f"denied {SECRET}".encode(), status, "text/plain") for status in (403, 200)]
    with serving(lambda _: answers.pop(0)) as web:
        address = web.url.replace("http://", "http://anna:losen@")
        with Client(address, about="pipes", secret=SECRET, secret_parameter=parameter) as client:
            for call in (client.get, client.json):
                with pytest.raises(InputError) as failure:
                    call(f"{web.url}/x?key={SECRET}")
                assert SECRET not in str(failure.value)
                assert "[secret]" in str(failure.value)
        sent = web.asked[0]
    assert SECRET in (sent.query["token"] if parameter else sent.headers["Authorization"])
    assert redacted(f"http://anna:losen@a.example:8080/x?token={SECRET}") == "http://a.example:8080/x"


def test_a_token_that_is_not_set_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VARDAG_TOKEN_VA", raising=False)
    read = City.read(city(tmp_path, "http://127.0.0.1:1/x", "arcgis", 'token = "VARDAG_TOKEN_VA"'))
    with pytest.raises(ConfigError, match=r"pipes: the environment variable VARDAG_TOKEN_VA.*not set"):
        secret_of(read, "pipes")
    monkeypatch.setenv("VARDAG_TOKEN_VA", SECRET)
    assert secret_of(read, "pipes") == SECRET
