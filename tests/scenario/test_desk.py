"""The caseworkers' desk as a server: who may do what, what hostile mails can do to it, and stories of decisions."""

import json
import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from email.message import EmailMessage
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from desks import COOKIE, NAMES, PASSWORD, browser, serving, staffed
from offices import ADDRESS, ANNA, TRUSTED, Office, invoice, mail, office
from servers.postgis import PostGIS
from vardag.app.desk import site
from vardag.app.desk.books import Books
from vardag.app.desk.headers import ALWAYS
from vardag.app.desk.rights import MATRIX, Right
from vardag.app.desk.words import TEXTS
from vardag.invoices import store as stored
from vardag.invoices.commands import look
from vardag.invoices.commands import person as people
from vardag.invoices.ledger.memory import MemoryLedger
from vardag.invoices.model import ApplicationError, Invoice, InvoiceState, Money
from vardag.invoices.persons import Role, sessions
from vardag.invoices.robot import Mode
from vardag.invoices.robot.people import delete_mails
from vardag.invoices.routines import load_routine
from vardag.invoices.settings import Desk as Settings
from vardag.invoices.store import Store
from vardag.invoices.workitems import Retries, State

ASKED = "Hej! Makulera faktura 1234567. Fel mottagare.\nAnna"
LARGE = Money(Decimal(15_000))
SOME = (Role.CASEWORKER, Role.OWNER, Role.CONTROLLER, Role.AUDITOR, Role.ADMINISTRATOR)
C, O, K, A, X = SOME  # noqa: E741 - a table of letters
# Every page and act, and who may use it. Held against the desk's own table, so that neither changes alone.
EXPECTED = {
    "GET /": {C, O, K, A, X},
    "POST /pause": {O, X},
    "POST /resume": {O, X},
    "GET /item/{number:int}": {C, O, A, X},
    "GET /item/{number:int}/invoice": {C, O, A},
    "GET /item/{number:int}/file/{place:int}": {C, O, A},
    "POST /item/{number:int}/decide": {C},
    "POST /item/{number:int}/retry": {X},
    "POST /item/{number:int}/object": {C},
    "POST /item/{number:int}/suggest": {C, O},
    "GET /map": {C, O, K, A},
    "GET /map/style.css": {C, O, K, A},
    "GET /ladder": {C, O, K, A},
    "POST /ladder": {O},
    "GET /obstacles": {C, O, K, A, X},
    "GET /suggestions": {C, O, A},
    "POST /suggestions": {C, O},
    "POST /suggestions/{number:int}/answer": {O},
    "GET /report": {O, K, A},
    "GET /log": {K, A},
    "POST /log/export": {K, A},
    "GET /people": {A, X},
    "POST /people": {X},
    "POST /people/change": {X},
    "GET /me": set(SOME),
    "POST /me/language": set(SOME),
    "POST /me/password": set(SOME),
    "POST /sign-out": set(SOME),
}


@dataclass
class Place:
    """A desk that is served, and the office behind it."""

    office: Office
    url: str
    folder: Path

    @property
    def state(self) -> State:
        return self.office.item.state


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """One large invoice that needs four eyes, and everybody at the desk."""
    found = staffed(office(tmp_path, [invoice("1234567", total=LARGE)], [mail(ASKED)]))
    found.work()
    with serving(found, tmp_path) as url:
        yield Place(found, url, tmp_path)


def log_of(found: Office) -> list[tuple[str, str]]:
    return [(entry.event, str(entry.body["actor"])) for entry in found.log]


# Who may do what


def test_every_page_is_in_the_table_and_nothing_is_served_beside_it(place: Place) -> None:
    assert {f"{page.method} {page.path}" for page in site.pages()} == set(EXPECTED)
    app = site.build(place.office.robot, place.folder)
    paths = {getattr(route, "path", "") for route in app.routes}
    assert paths == {key.partition(" ")[2] for key in EXPECTED} | {"/sign-in", "/static"}
    assert {page.right for page in site.pages()} | {Right.QUEUE} == set(MATRIX)


@pytest.mark.parametrize("name", [*NAMES, "nobody"])
def test_each_role_may_do_what_the_table_says_and_no_more(place: Place, name: str) -> None:
    refused, granted = set(), set()
    for key in [key for key in EXPECTED if key != "POST /sign-out"] + ["POST /sign-out"]:
        method, _, path = key.partition(" ")
        where = path.replace("{number:int}", "1").replace("{place:int}", "0")
        with browser(place.url) as one:
            one.http.follow_redirects = False
            if name in NAMES:
                one.enter(place.office, name)
            one.get(where) if method == "GET" else one.post(where, nothing="")
            away = one.status == 401 or (one.status == 303 and name == "nobody")
            (refused if one.status == 403 or away else granted).add(key)
    mine = {key for key, roles in EXPECTED.items() if NAMES.get(name) in roles}
    assert (granted, refused) == (mine, set(EXPECTED) - mine)


def test_an_administrator_sees_the_item_and_its_log_but_not_the_mail(place: Place) -> None:
    with browser(place.url) as adam:
        adam.enter(place.office, "adam").get("/item/1")
        assert adam.status == 200
        assert "Your role does not see mails" in adam.text
        assert "Fel mottagare" not in adam.text and ANNA not in adam.text
        assert not [event for event, actor in log_of(place.office) if actor == "adam" and event != "signed in"]


def test_a_person_without_a_role_sees_their_own_page_alone(place: Place) -> None:
    people.give_roles(place.office.robot.store, "olle", [], by="test")
    with browser(place.url) as olle:
        olle.enter(place.office, "olle").get("/")
        assert olle.status == 200 and "none; ask the administrator" in olle.text


# Forms that others send


def test_no_form_is_taken_without_the_token_of_its_session(place: Place) -> None:
    with browser(place.url) as karin, browser(place.url) as petra:
        karin.enter(place.office, "karin")
        petra.enter(place.office, "petra")
        before = log_of(place.office)
        for token in ("", "x", petra.hidden["csrf"]):
            for key in EXPECTED:
                if key.startswith("POST"):
                    where = key[5:].replace("{number:int}", "1")
                    karin.post(where, csrf=token, choice="done", reason="nej", act="remove", name="olle")
                    assert karin.status == 403, key
        assert log_of(place.office) == before
        assert place.state is State.WAITING


def test_a_form_that_the_browser_says_another_site_sent_is_refused(place: Place) -> None:
    with browser(place.url) as petra:
        petra.enter(place.office, "petra")
        petra.http.headers["Sec-Fetch-Site"] = "cross-site"
        assert petra.post("/pause", reason="x").status == 403
        petra.http.headers["Sec-Fetch-Site"] = "same-origin"
        assert petra.post("/pause", reason="x").status == 200


def test_a_link_from_elsewhere_leads_on_once_the_browser_hands_the_cookie_over(place: Place) -> None:
    with browser(place.url) as karin:
        karin.http.headers["Sec-Fetch-Site"] = "cross-site"
        karin.get("/item/1?invoice=1")
        assert 'http-equiv="refresh" content="0; url=/item/1?invoice=1"' in karin.page


def test_forms_that_are_too_large_or_of_another_kind_are_refused(place: Place) -> None:
    with browser(place.url) as karin:
        karin.enter(place.office, "karin")
        assert karin.post("/item/1/suggest", about="rule", text="x" * 300_000).status == 400
        assert karin.post("/item/1/suggest", **{f"f{number}": "x" for number in range(200)}).status == 400
        answer = karin.http.post("/item/1/suggest", files={"text": b"x"}, data=karin.hidden)
        assert answer.status_code == 400


def test_what_was_written_is_handed_back_to_whoever_was_signed_out_meanwhile(place: Place) -> None:
    with browser(place.url) as karin:
        karin.enter(place.office, "karin").get("/item/1")
        people.remove(place.office.robot.store, "karin", by="test")
        karin.post("/item/1/decide", choice="confirm", reason="kunden <har> ringt")
        assert karin.status == 401
        assert "kunden &lt;har&gt; ringt" in karin.page
        assert place.state is State.WAITING


# Signing in


def test_signing_in_and_out(place: Place) -> None:
    with browser(place.url) as karin:
        karin.get("/item/1")
        assert "Logga in" in karin.text and 'value="/item/1"' in karin.page
        karin.post("/sign-in", name="Karin ", password=PASSWORD, next="/item/1")
        assert karin.status == 200 and "Item 1" in karin.text
        kept = {name: value for name, value in karin.http.cookies.items() if name == COOKIE}
        karin.post("/sign-out")
        karin.http.cookies.update(kept)  # the session has ended, not only the browser's memory of it
        assert "Logga in" not in karin.get("/sign-in?language=en").text
        assert "Sign in" in karin.get("/").text or "Logga in" in karin.text
    assert ("signed in", "karin") in log_of(place.office)


def test_the_cookie_is_for_this_site_alone_and_no_script_sees_it(place: Place) -> None:
    with httpx.Client(base_url=place.url, trust_env=False) as http:
        page = http.get("/sign-in")
        token = re.search(r'name="csrf" value="([^"]+)"', page.text)
        assert token is not None
        fields = {"csrf": token[1], "name": "karin", "password": PASSWORD}
        done = http.post("/sign-in", data=fields)
        assert done.status_code == 303
        (session,) = [one for one in done.headers.get_list("set-cookie") if one.startswith(COOKIE + "=")]
        assert "httponly" in session.lower() and "samesite=strict" in session.lower()
        assert "max-age" not in session.lower() and "expires" not in session.lower()
        with place.office.robot.store.read() as tx:
            names = tx.execute(sa.select(stored.setting.c.name)).scalars().all()
        secret = session.partition("=")[2].partition(";")[0]
        assert any(name.startswith(sessions.PREFIX) for name in names)
        assert not any(secret in name for name in names)  # who reads the database can take no session over


def test_over_tls_the_cookie_is_secure_and_bound_to_the_host(tmp_path: Path) -> None:
    found = staffed(office(tmp_path, []), "karin")
    with serving(found, tmp_path, Settings(https=True)) as url, httpx.Client(base_url=url, trust_env=False) as http:
        page = http.get("/sign-in")
        assert "max-age=" in page.headers["strict-transport-security"]
        form = page.headers["set-cookie"].partition(";")[0]
        token = re.search(r'name="csrf" value="([^"]+)"', page.text)
        assert token is not None and "secure" in page.headers["set-cookie"].lower()
        fields = {"csrf": token[1], "name": "karin", "password": PASSWORD}
        done = http.post("/sign-in", data=fields, headers={"Cookie": form})
        (session,) = [one for one in done.headers.get_list("set-cookie") if one.startswith("__Host-vardag-desk=")]
        assert "secure" in session.lower() and "path=/" in session.lower() and "domain" not in session.lower()


@pytest.mark.parametrize("name", ["karin", "nobody", "' OR 1=1 --", ""])
def test_a_wrong_password_tells_nothing_and_is_not_tried_for_long(place: Place, name: str) -> None:
    with browser(place.url) as thief:
        for _ in range(5):
            thief.sign_in(name, "fel lösenord 123")
            assert thief.status == 422
            assert "Användarnamnet eller lösenordet är fel" in thief.text
        thief.sign_in(name, PASSWORD)
        assert thief.status == 429
        assert "Vänta en kvart" in thief.text
    with browser(place.url) as other:
        assert other.sign_in("olle").status == 200  # a colleague at the same address is not locked out


def test_a_session_ends_when_nobody_sits_there(place: Place) -> None:
    with browser(place.url) as karin:
        karin.enter(place.office, "karin")
        age(place.office.robot.store, "seen", "2026-01-01T00:00:00+00:00")
        assert "Logga in" in karin.get("/").text
        karin.enter(place.office, "karin")
        age(place.office.robot.store, "since", "2026-01-01T00:00:00+00:00")
        assert "Logga in" in karin.get("/").text


def age(store: Store, name: str, moment: str) -> None:
    """Make every session old."""
    with store.begin() as tx:
        query = sa.select(stored.setting).where(stored.setting.c.name.startswith(sessions.PREFIX))
        for row in tx.execute(query).all():
            stored.put(tx, row.name, {**row.value, name: moment})


def test_a_new_password_ends_the_other_sessions_and_a_removed_person_is_out_at_once(place: Place) -> None:
    with browser(place.url) as here, browser(place.url) as there:
        here.enter(place.office, "karin")
        there.enter(place.office, "karin")
        assert here.post("/me/password", old="fel", new="ett helt nytt ord").status == 422
        assert here.post("/me/password", old=PASSWORD, new="kort").status == 422
        assert here.post("/me/password", old=PASSWORD, new="ett helt nytt ord").status == 200
        assert "Your password is changed" in here.text
        assert "Logga in" in there.get("/me").text
        assert there.sign_in("karin", "ett helt nytt ord").status == 200
        people.remove(place.office.robot.store, "karin", by="test")
        assert "Logga in" in here.get("/me").text
        assert there.sign_in("karin", "ett helt nytt ord").status == 422


def test_nobody_is_led_to_another_site_after_signing_in(place: Place) -> None:
    for onward in ("https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "javascript:1"):
        with httpx.Client(base_url=place.url, trust_env=False) as http:
            token = re.search(r'name="csrf" value="([^"]+)"', http.get("/sign-in").text)
            assert token is not None
            fields = {"csrf": token[1], "name": "karin", "password": PASSWORD, "next": onward}
            assert http.post("/sign-in", data=fields).headers["location"] == "/"


# The city's own sign-in


def vouched(folder: Path, settings: Settings, **headers: str) -> tuple[int, str]:
    found = staffed(office(folder, []), "karin")
    with serving(found, folder, settings) as url, browser(url) as one:
        one.http.headers.update(headers)
        one.get("/me")
        return one.status, one.text


def test_the_proxys_header_signs_in_where_it_is_set_up(tmp_path: Path) -> None:
    settings = Settings(user_header="X-Remote-User", proxies=("127.0.0.0/8",))
    status, text = vouched(tmp_path, settings, **{"X-Remote-User": "Karin"})
    assert status == 200 and "karin" in text and "Sign out" not in text


def test_the_proxys_header_is_not_believed_from_elsewhere_or_unless_set_up(tmp_path: Path) -> None:
    elsewhere = Settings(user_header="X-Remote-User", proxies=("10.0.0.5",))
    for number, settings in enumerate((elsewhere, Settings())):
        folder = tmp_path / str(number)
        folder.mkdir()
        headers = {"X-Remote-User": "karin", "X-Forwarded-For": "10.0.0.5"}
        status, text = vouched(folder, settings, **headers)
        assert status == 200 and "Logga in" in text


def test_somebody_whom_the_city_knows_and_the_desk_does_not_is_told_so(tmp_path: Path) -> None:
    settings = Settings(user_header="X-Remote-User", proxies=("127.0.0.1",))
    status, text = vouched(tmp_path, settings, **{"X-Remote-User": "stranger"})
    assert status == 403 and "inte inlagd" in text


def test_another_name_in_the_header_is_another_session(tmp_path: Path) -> None:
    found = staffed(office(tmp_path, []))
    settings = Settings(user_header="X-Remote-User", proxies=("127.0.0.1",))
    with serving(found, tmp_path, settings) as url, browser(url) as one:
        one.http.headers["X-Remote-User"] = "karin"
        assert "caseworker" in one.get("/me").text
        one.http.headers["X-Remote-User"] = "adam"
        assert one.post("/me/language", language="sv").status == 403  # karin's form
        assert "administrator" in one.get("/me").text


# What every answer says


def test_every_answer_forbids_what_the_desk_does_not_need(place: Place) -> None:
    with browser(place.url) as rut:
        rut.enter(place.office, "rut")
        for path in ("/", "/item/1", "/log", "/nowhere", "/sign-in", "/static/desk.css", "/item/77"):
            answer = rut.http.get(path)
            assert {name: answer.headers[name] for name in ALWAYS} == ALWAYS, path
            assert answer.headers["cache-control"] == ("no-cache" if "static" in path else "no-store")
    assert "unsafe" not in ALWAYS["Content-Security-Policy"] and "http" not in ALWAYS["Content-Security-Policy"]


def test_no_page_names_another_machine(place: Place) -> None:
    with browser(place.url) as rut:
        rut.enter(place.office, "rut")
        for path in (
            "/", "/item/1?invoice=1", "/map", "/ladder", "/obstacles", "/log?item=1", "/report", "/people",
            "/suggestions", "/me",
        ):  # fmt: skip
            rut.get(path)
            assert not re.search(r'(?:src|href|action)="(?:https?:)?//', rut.page), path
    style = (site.HERE / "static" / "desk.css").read_text(encoding="utf-8")
    assert "url(" not in style and "@import" not in style


def test_a_host_that_is_not_the_desks_is_refused(place: Place) -> None:
    with httpx.Client(base_url=place.url, trust_env=False) as http:
        assert http.get("/sign-in", headers={"Host": "rebound.example"}).status_code == 400


@pytest.mark.parametrize("path", ["/item/0", "/item/99", "/item/99999999999999999999", "/item/x", "/item/1/file/9"])
def test_what_is_not_there_is_a_page_that_says_so(place: Place, path: str) -> None:
    with browser(place.url) as karin:
        karin.enter(place.office, "karin").get(path)
        assert karin.status == 404 and "There is nothing here" in karin.text


# Hostile mails


class Tags(HTMLParser):
    """Collects what a browser would make of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.scripts: list[str | None] = []
        self.handlers: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "iframe", "object", "embed", "img", "svg", "style", "base"}:
            self.scripts.append(dict(attrs).get("src") or tag)
        self.handlers += [name for name, value in attrs if name.startswith("on") or "javascript:" in (value or "")]


HOSTILE = '<img src=x onerror=alert(1)><script>alert("1")</script>"\'><svg/onload=alert(1)>{{7*7}}{% raw %}'


def hostile() -> bytes:
    message = EmailMessage()
    message["Authentication-Results"] = f"{TRUSTED}; dmarc=pass header.from=kommun.example"
    message["From"] = f'"{HOSTILE[:28].replace(chr(34), "")}" <{ANNA}>'
    message["To"], message["Message-ID"] = ADDRESS, "<1@kommun.example>"
    message["Subject"] = f"Makulera {HOSTILE} \u202egnp.exe"
    message.set_content(f"Makulera faktura 1234567. {HOSTILE}\n\u202eomvänt\u202c\x07 javascript:alert(1)")
    message.add_alternative(f"<p>Makulera faktura 1234567.</p>{HOSTILE}<style>*{{display:none}}</style>", "html")
    message.add_attachment(
        HOSTILE.encode(), maintype="text", subtype="html", filename='"><script>alert(2)</script>å.html'
    )
    return message.as_bytes()


@pytest.mark.parametrize("name", ["karin", "rut", "adam"])
def test_a_hostile_mail_is_text(tmp_path: Path, name: str) -> None:
    evil = invoice("1234567", comment=HOSTILE, customer=replace(invoice("1").customer, name=HOSTILE))
    found = staffed(office(tmp_path, [evil], [hostile()]))
    found.work()
    with serving(found, tmp_path) as url, browser(url) as one:
        one.enter(found, name)
        for path in ("/", "/item/1", "/item/1?invoice=1", "/item/1/invoice", "/?tab=all&search=" + HOSTILE):
            one.get(path)
            tags = Tags(one.page)
            assert set(tags.scripts) <= {"/static/vendor/htmx.min.js"}, path
            assert tags.handlers == []
            assert "\u202e" not in one.page and "\x07" not in one.page
        if name != "adam":
            one.get("/item/1")
            assert '<script>alert("1")</script>' in unescape(one.page)  # as it was written


def test_a_file_of_a_mail_is_only_ever_saved(tmp_path: Path) -> None:
    found = staffed(office(tmp_path, [invoice("1234567")], [hostile()]))
    found.work()
    with serving(found, tmp_path) as url, browser(url) as karin:
        karin.enter(found, "karin")
        answer = karin.http.get("/item/1/file/0")
        assert answer.content == HOSTILE.encode()
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''")
        assert answer.headers["content-disposition"].endswith("script%3E%C3%A5.html")
        assert "\n" not in answer.headers["content-disposition"]
        assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_what_people_write_is_text_too(place: Place) -> None:
    with browser(place.url) as karin, browser(place.url) as petra:
        karin.enter(place.office, "karin").get("/item/1")
        karin.post("/item/1/suggest", about="rule", text=HOSTILE)
        karin.get("/item/1")
        karin.post("/item/1/decide", choice="refuse", reason=HOSTILE)
        petra.enter(place.office, "petra")
        for path in ("/suggestions", "/item/1", "/"):
            tags = Tags(petra.get(path).page)
            assert set(tags.scripts) <= {"/static/vendor/htmx.min.js"} and tags.handlers == []


# Languages


def test_a_person_has_their_own_language_and_can_change_it(place: Place) -> None:
    with browser(place.url) as karin:
        karin.get("/sign-in?language=en")
        assert '<html lang="en">' in karin.page and "User name" in karin.text
        karin.enter(place.office, "karin").get("/item/1")
        assert '<html lang="en">' in karin.page and "Why it waits" in karin.text
        karin.post("/me/language", language="sv", onward="/item/1")
        assert '<html lang="sv">' in karin.page and "Varför det väntar" in karin.text
        assert "Beloppet är över 10000.00" in karin.text  # the rules speak it too
        assert karin.post("/me/language", language="xx").status == 422


def test_every_text_that_a_page_names_is_there() -> None:
    pages = [page.read_text(encoding="utf-8") for page in (site.HERE / "templates").glob("*.j2")]
    said = {key for page in pages for key in re.findall(r'\bt\("([a-z_]+)"[,)]', page)}
    assert len(said) > 100
    assert [key for key in sorted(said) if not TEXTS.has(key)] == []


# Decisions


def test_four_eyes(place: Place) -> None:
    with browser(place.url) as karin, browser(place.url) as olle:
        karin.enter(place.office, "karin").get("/item/1")
        assert "Four eyes: 2 persons have to confirm" in karin.text and "Still needed: 2" in karin.text
        assert "cancels it when another person has confirmed too" in karin.text
        karin.post("/item/1/decide", choice="confirm", reason="rätt faktura, kunden har ringt")
        assert "Confirmed. The robot asks the rules again" in karin.text
        place.office.work()
        assert place.state is State.WAITING
        karin.get("/item/1")
        assert "Confirmed by: karin" in karin.text and "Still needed: 1" in karin.text
        assert "You have confirmed already" in karin.text and "disabled" in karin.page
        karin.post("/item/1/decide", choice="confirm", reason="en gång till")
        assert (
            karin.status == 409 and "Another person has to confirm" in karin.text and "en gång till" in karin.text
        )
        olle.enter(place.office, "olle").get("/item/1")
        olle.post("/item/1/decide", choice="confirm", reason="stämmer")
        place.office.work()
    assert place.state is State.DONE
    assert [note.invoice for note in place.office.ledger.notes] == ["1234567"]
    assert [one for one in log_of(place.office) if one[0] == "approved"] == [
        ("approved", "karin"),
        ("approved", "olle"),
    ]


def test_who_asked_cannot_confirm(tmp_path: Path) -> None:
    found = office(tmp_path, [invoice("1234567", total=LARGE)], [mail(ASKED)])
    found.work()
    people.add(found.robot.store, "anna.berg", roles=[Role.CASEWORKER], by="test", language="en")
    with serving(found, tmp_path) as url, browser(url) as anna:
        anna.enter(found, "anna.berg").get("/item/1")
        assert "You asked for this yourself" in anna.text
        anna.post("/item/1/decide", choice="confirm", reason="jag vill")
        assert anna.status == 409 and found.item.state is State.WAITING


@pytest.mark.parametrize(
    ("choice", "state"), [("done", State.DONE), ("refuse", State.FAILED_BUSINESS), ("confirm", State.NEW)]
)
def test_a_decision_needs_a_choice_and_a_reason(place: Place, choice: str, state: State) -> None:
    with browser(place.url) as karin:
        karin.enter(place.office, "karin").get("/item/1")
        karin.post("/item/1/decide", choice=choice, reason="  ")
        assert karin.status == 422 and "Write a reason" in karin.text and f'value="{choice}"' in karin.page
        karin.post("/item/1/decide", reason="en orsak")
        assert karin.status == 422 and "Choose what you decide" in karin.text and "en orsak" in karin.page
        assert place.state is State.WAITING
        karin.post("/item/1/decide", choice=choice, reason="en orsak")
        assert karin.status == 200 and place.state is state
        assert place.office.log[-1].body["reason"] == "en orsak"
        assert place.office.log[-1].body["actor"] == "karin"


def test_two_at_one_item_the_second_loses_nothing_but_the_decision(place: Place) -> None:
    with browser(place.url) as karin, browser(place.url) as olle:
        karin.enter(place.office, "karin").get("/item/1")
        olle.enter(place.office, "olle").get("/item/1")
        karin.post("/item/1/decide", choice="refuse", reason="dubbelt")
        olle.post("/item/1/decide", choice="done", reason="jag har krediterat den för hand")
        assert olle.status == 409
        assert "changed the item since you opened it" in olle.text
        assert "jag har krediterat den för hand" in olle.text
        assert "dubbelt" in olle.text  # what the other decided is on the same page
    assert place.state is State.FAILED_BUSINESS
    assert [actor for event, actor in log_of(place.office) if event == "closed by hand"] == ["karin"]


def test_a_page_that_was_opened_before_the_robot_came_back_is_old(place: Place) -> None:
    with browser(place.url) as karin, browser(place.url) as olle:
        karin.enter(place.office, "karin").get("/item/1")
        olle.enter(place.office, "olle").get("/item/1")
        karin.post("/item/1/decide", choice="confirm", reason="ett")
        place.office.work()
        assert place.state is State.WAITING
        olle.post("/item/1/decide", choice="done", reason="två")
        assert olle.status == 409 and place.state is State.WAITING and "två" in olle.page
        olle.post("/item/1/decide", choice="done", reason="två")  # the page that says so can be sent again
        assert olle.status == 200 and place.state is State.DONE


def test_opening_is_noted_once_a_sitting_and_again_after_a_decision(place: Place) -> None:
    with browser(place.url) as karin, browser(place.url) as rut:
        karin.enter(place.office, "karin").get("/item/1").get("/item/1").get("/item/1?invoice=1")
        rut.enter(place.office, "rut").get("/item/1").get("/item/1")
        assert [one for one in log_of(place.office) if one[0] in {"opened", "looked"}] == [
            ("opened", "karin"),
            ("looked", "rut"),
        ]
        karin.get("/item/1").post("/item/1/decide", choice="confirm", reason="ja")
        place.office.work()
        karin.get("/item/1")
        assert [one for one in log_of(place.office) if one[0] == "opened"] == [("opened", "karin")] * 2
        assert "Opened by karin" in rut.get("/").text


def test_in_shadow_a_person_is_told_what_a_confirmation_does_not_do(tmp_path: Path) -> None:
    found = staffed(office(tmp_path, [invoice("1234567")], [mail(ASKED)], mode=Mode.SHADOW), "karin")
    found.work()
    with serving(found, tmp_path) as url, browser(url) as karin:
        assert "Shadow: they decide, and write nothing" in karin.enter(found, "karin").get("/").text
        assert "changes nothing in the finance system" in karin.get("/item/1").text


def test_attended_a_confirmation_lets_the_robot_act(tmp_path: Path) -> None:
    found = staffed(office(tmp_path, [invoice("1234567")], [mail(ASKED)], mode=Mode.ATTENDED), "karin")
    found.work()
    with serving(found, tmp_path) as url, browser(url) as karin:
        karin.enter(found, "karin").get("/item/1")
        assert "The robot cancels the invoice and answers the sender" in karin.text
        karin.post("/item/1/decide", choice="confirm", reason="ja")
    found.work()
    assert found.item.state is State.DONE and len(found.ledger.notes) == 1


def test_a_rule_that_no_confirmation_overrules_says_so(tmp_path: Path) -> None:
    found = staffed(office(tmp_path, [invoice("1234567")], [mail(ASKED)], allow_list=()), "karin")
    found.work()
    with serving(found, tmp_path) as url, browser(url) as karin:
        assert "cannot be overruled by a confirmation" in karin.enter(found, "karin").get("/item/1").text


class Broken(MemoryLedger):
    """A finance system that does not answer."""

    def find(self, target: str) -> Sequence[Invoice]:
        raise ApplicationError("https://ekonomi.example: no answer.")


def test_another_routine_is_shown_and_decided_like_the_first(tmp_path: Path) -> None:
    both = {name: load_routine(name) for name in ("cancellation", "reference")}
    text = "Hej! Kan ni ändra vår referens på faktura 1234567 till 4711-ABC?\nAnna"
    books = [invoice("1234567", state=InvoiceState.DRAFT)]
    found = staffed(office(tmp_path, books, [mail(text, subject="Ärende")], routines=both), "karin")
    found.work()
    assert (found.item.routine, found.item.state) == ("reference", State.WAITING)
    with serving(found, tmp_path) as url, browser(url) as karin:
        karin.enter(found, "karin").get("/item/1")
        assert karin.status == 200 and "In order: do it. It stands at the step:" in karin.text
        assert "4711-ABC" in "".join(re.findall(r"<mark>([^<]+)<span", karin.page))
        offered = re.findall(r'name="choice" value="([a-z]+)"', karin.page)
        assert offered == [one for one in ("confirm", "done", "refuse") if WAYS[one] in (found.item.exits or {})]
        karin.post("/item/1/decide", choice="done", reason="ändrat i ekonomisystemet")
        assert karin.status == 200
    found.work()
    assert found.item.state is State.DONE


WAYS = {"confirm": "confirmed", "done": "done", "refuse": "refused"}


def test_a_dead_letter_is_tried_again_by_the_administrator(tmp_path: Path) -> None:
    found = staffed(office(tmp_path, [], [mail(ASKED)], retries=Retries(1, 0.0)))
    found.work(ledger=Broken([]))
    assert found.item.state is State.DEAD
    with serving(found, tmp_path) as url, browser(url) as adam:
        adam.enter(found, "adam").get("/?tab=dead")
        assert "no answer" in adam.text
        adam.get("/item/1").post("/item/1/retry")
        assert adam.status == 200 and found.item.state is State.NEW
        assert adam.post("/item/1/retry").status == 409


def test_a_mail_that_was_deleted_leaves_the_item(place: Place) -> None:
    with browser(place.url) as karin, browser(place.url) as rut:
        karin.enter(place.office, "karin").get("/item/1").post("/item/1/decide", choice="refuse", reason="nej")
        later = place.office.item.changed_at.replace(year=2100)
        assert delete_mails(place.office.robot.store, before=later, by="test") == 1
        rut.enter(place.office, "rut").get("/item/1")
        assert rut.status == 200 and "it has been deleted" in rut.text
        assert rut.get("/item/1/file/0").status == 404


# The mail and the invoice


def test_what_was_read_is_marked_where_it_stands(place: Place) -> None:
    with browser(place.url) as karin:
        karin.enter(place.office, "karin").get("/item/1")
        marked = re.findall(r"<mark>([^<]+)<span", karin.page)
        assert marked == ["1234567", "Fel mottagare"]


def test_a_mail_that_reads_otherwise_today_is_shown_without_marks(place: Place) -> None:
    with place.office.robot.store.begin() as tx:
        row = tx.execute(sa.select(stored.mail)).one()
        read = json.loads(json.dumps(row.read))
        read["requests"][0]["number"]["start"] += 3
        tx.execute(sa.update(stored.mail).values(read=read))
    with browser(place.url) as karin:
        karin.enter(place.office, "karin").get("/item/1")
        assert "reads otherwise today" in karin.text and "<mark" not in karin.page and ASKED[:20] in karin.page


def test_the_invoice_is_fetched_only_when_asked_for(tmp_path: Path) -> None:
    found = staffed(office(tmp_path, [invoice("1234567", total=LARGE)], [mail(ASKED)]), "karin")
    found.work()
    found.robot = replace(found.robot, ledger=Broken([]))
    with serving(found, tmp_path) as url, browser(url) as karin:
        karin.enter(found, "karin").get("/item/1")
        assert karin.status == 200 and "Fetch it from the finance system" in karin.text
        karin.get("/item/1?invoice=1")
        assert karin.status == 200 and "The finance system cannot be reached" in karin.text
        assert "ekonomi.example: no answer" in karin.text
        assert "cannot be reached" in karin.get("/item/1/invoice").text


def test_the_invoice_stands_beside_the_mail(place: Place) -> None:
    with browser(place.url) as karin:
        karin.enter(place.office, "karin").get("/item/1?invoice=1")
        assert "Eks Bygg AB" in karin.text and "15,000.00\xa0SEK" in karin.text.replace(" SEK", "\xa0SEK")


def test_a_slow_finance_system_is_not_waited_for_without_end() -> None:
    class Slow(MemoryLedger):
        def find(self, target: str) -> Sequence[Invoice]:
            gate.wait(10)
            return ()

    gate, books = threading.Event(), None
    try:
        books = Books(Slow([]), patience_s=0.05)
        with pytest.raises(ApplicationError, match=r"no answer within 0\.05 s"):
            books.find("1")
    finally:
        gate.set()
        assert books is not None
        books.close()


def test_earlier_requests_about_the_invoice_are_linked(tmp_path: Path) -> None:
    mails = [mail(ASKED), mail(ASKED + " igen", number=2)]
    found = staffed(office(tmp_path, [invoice("1234567", total=LARGE)], mails), "karin")
    found.work()
    with serving(found, tmp_path) as url, browser(url) as karin:
        karin.enter(found, "karin").get("/item/2")
        assert "Other requests about the same invoice Item 1" in karin.text


# Queue, brakes, suggestions, report, log, people


def test_the_queue_is_filtered_searched_and_paged(tmp_path: Path) -> None:
    numbers = [str(1_000_000 + 7 * place) for place in range(60)]
    mails = [
        mail(f"Makulera faktura {number}. Fel mottagare.", number=place) for place, number in enumerate(numbers)
    ]
    found = staffed(office(tmp_path, [invoice(number) for number in numbers], mails, allow_list=()), "karin")
    found.work(limits=replace(found.robot.limits, exceptions_in_a_row=1000))
    with serving(found, tmp_path) as url, browser(url) as karin:
        karin.enter(found, "karin").get("/")
        assert "50 of 60" in karin.text and "Page 1 of 2" in karin.text
        assert "10 of 60" in karin.get("/?page=2").text
        assert "Nothing here" in karin.get("/?page=999999").text
        assert "1 of 1" in karin.get(f"/?search={numbers[3]}").text
        assert "Nothing here" in karin.get("/?search=%25").text  # no wildcard
        assert "Nothing here" in karin.get("/?tab=settled").text
        assert karin.get("/?tab=nonsense&page=-4").status == 200


def test_the_brakes(place: Place) -> None:
    with browser(place.url) as petra, browser(place.url) as karin:
        petra.enter(place.office, "petra").get("/")
        assert petra.post("/pause", reason=" ").status == 422
        petra.post("/pause", reason="fel i mallen")
        karin.enter(place.office, "karin").get("/")
        assert "The robots are paused. By petra since" in karin.text and "fel i mallen" in karin.text
        assert "/resume" not in karin.page
        petra.post("/resume")
        assert "The robots may work" in karin.get("/").text
    assert [one for one in log_of(place.office) if one[0] in {"paused", "resumed"}] == [
        ("paused", "petra"),
        ("resumed", "petra"),
    ]


def test_a_suggestion_is_answered_once(place: Place) -> None:
    with browser(place.url) as karin, browser(place.url) as petra:
        karin.enter(place.office, "karin").get("/item/1")
        assert karin.post("/item/1/suggest", about="rule", text=" ").status == 422
        assert karin.post("/item/1/suggest", about="nonsense", text="x").status == 422
        karin.post("/item/1/suggest", about="rule", text="höj gränsen till 20 000")
        assert "Thank you" in karin.text
        petra.enter(place.office, "petra").get("/suggestions")
        assert "The rule: four_eyes" in petra.text and "höj gränsen" in petra.text
        assert petra.post("/suggestions/1/answer", fate="taken", answer="").status == 422
        assert petra.post("/suggestions/1/answer", fate="new", answer="x").status == 422
        assert petra.post("/suggestions/77/answer", fate="taken", answer="x").status == 404
        petra.post("/suggestions/1/answer", fate="declined", answer="nämnden har bestämt 10 000")
        assert petra.status == 200
        petra.post("/suggestions/1/answer", fate="taken", answer="jo")
        assert petra.status == 409 and "jo" in petra.text
        karin.get("/suggestions")
        assert "Declined" in karin.text and "nämnden har bestämt" in karin.text
        karin.post("/suggestions", about="map", target="ask", text="fråga avsändaren först")
        assert karin.status == 200 and "fråga avsändaren först" in karin.text
    assert "höj gränsen" not in json.dumps([entry.body for entry in place.office.log])


def test_the_report_and_the_proof_of_the_log(place: Place) -> None:
    with browser(place.url) as rut:
        rut.enter(place.office, "rut").get("/report")
        assert "Hours saved, net" in rut.text and "What this account does not know" in rut.text
        assert "four_eyes" in rut.text
        rut.get("/log?item=1")
        assert "The log holds" in rut.text and "Rules asked" in rut.text
        head = look.verify(place.office.robot.store).head
        assert "The log holds" in rut.get(f"/log?noted={head}").text
        assert "does not hold" in rut.get(f"/log?noted={'0' * 64}").text
        assert "nothing about this item" in rut.get("/log?item=77").text
        assert "not a number of an item" in rut.get("/log?item=x").text
        export = rut.http.post("/log/export", data=rut.hidden)
        lines = [json.loads(line) for line in export.text.splitlines()]
        assert lines[-1]["event"] == "log exported" and lines[-1]["body"]["actor"] == "rut"
        assert len(lines) == len(place.office.log)
        assert export.headers["content-disposition"] == 'attachment; filename="vardag-log.jsonl"'


def test_a_log_that_was_changed_shows(place: Place) -> None:
    with place.office.robot.store.begin() as tx:
        tx.execute(sa.text("DROP TRIGGER audit_no_UPDATE"))
        tx.execute(sa.text("UPDATE audit SET event = 'looked' WHERE seq = 2"))
    with browser(place.url) as rut:
        rut.enter(place.office, "rut").get("/log")
        assert "The log does not hold" in rut.text and "2: was changed after it was written" in rut.text


def test_the_administrator_lets_people_in_and_out(place: Place) -> None:
    with browser(place.url) as adam, browser(place.url) as new:
        adam.enter(place.office, "adam").get("/people")
        assert adam.post("/people", name="nils", password="kort", role="caseworker").status == 422
        assert adam.post("/people", name="nils nilsson!", password=PASSWORD, role="caseworker").status == 422
        assert adam.post("/people", name="nils", password="").status == 422
        assert adam.post("/people", name="nils", password=PASSWORD, role=["caseworker", "king"]).status == 200
        assert adam.post("/people", name="NILS", password=PASSWORD, role="owner").status == 422
        assert new.sign_in("nils").status == 200 and new.get("/item/1").status == 200
        adam.post("/people/change", act="roles", name="nils", role="controller")
        assert new.get("/item/1").status == 403 and new.get("/report").status == 200
        adam.post("/people/change", act="password", name="nils", password="ett annat lösenord")
        assert "Logga in" in new.get("/report").text
        adam.post("/people/change", act="remove", name="nils")
        assert new.sign_in("nils", "ett annat lösenord").status == 422
        assert adam.post("/people/change", act="remove", name="adam").status == 409  # the last administrator
        assert adam.post("/people/change", act="roles", name="adam", role="auditor").status == 409
        assert adam.post("/people/change", act="nonsense", name="nils").status == 422
        assert adam.post("/people/change", act="remove", name="nemo").status == 404
    secrets = [entry for entry in place.office.log if PASSWORD in json.dumps(entry.body)]
    assert secrets == [] and ("person removed", "adam") in log_of(place.office)


def test_the_desk_over_postgresql(tmp_path: Path, postgis: PostGIS) -> None:
    """The same story, where several robots share a server."""
    found = office(tmp_path, [invoice("1234567", total=LARGE)], [mail(ASKED)])
    found.robot = replace(found.robot, store=Store(postgis.fresh()))
    staffed(found)
    found.work()
    with serving(found, tmp_path) as url, browser(url) as karin, browser(url) as petra, browser(url) as rut:
        assert karin.sign_in("karin", "fel lösenord 123").status == 422
        assert "1 of 1" in karin.sign_in("karin").get("/?search=345").text
        karin.get("/item/1?invoice=1").post("/item/1/suggest", about="rule", text="höj gränsen")
        karin.get("/item/1").post("/item/1/decide", choice="refuse", reason="dubbelt")
        assert karin.status == 200 and found.item.state is State.FAILED_BUSINESS
        petra.enter(found, "petra").post("/suggestions/1/answer", fate="taken", answer="ja")
        assert "Taken" in petra.text
        assert "The log holds" in rut.enter(found, "rut").get("/log?item=1").text
        assert "Opened" in rut.text and "dubbelt" in rut.text
        people.remove(found.robot.store, "karin", by="test")
        assert "Logga in" in karin.get("/").text
    found.robot.store.close()


def test_a_part_of_a_page_asks_for_the_whole_when_the_session_has_ended(place: Place) -> None:
    with browser(place.url) as karin:
        answer = karin.http.get("/item/1/invoice", headers={"HX-Request": "true"})
        assert (answer.headers["hx-refresh"], answer.text) == ("true", "")
