"""What a hostile browser, mail or proxy's neighbour can send to the desk, and what is noted of those who look."""

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from desks import browser, serving, staffed
from offices import ADDRESS, ANNA, TRUSTED, invoice, mail, office
from servers.postgis import PostGIS
from vardag.app.desk.books import Books
from vardag.app.desk.words import shown
from vardag.invoices.commands import person as people
from vardag.invoices.ledger.memory import MemoryLedger
from vardag.invoices.model import ApplicationError, Invoice
from vardag.invoices.persons import Role
from vardag.invoices.settings import Desk as Settings
from vardag.invoices.store import Store

ASKED = "Hej! Makulera faktura 1234567. Fel mottagare.\nAnna"
PROXY = Settings(user_header="X-Remote-User", proxies=("127.0.0.1",))
RAW = (
    f"Authentication-Results: {TRUSTED}; dmarc=pass header.from=kommun.example\r\n"
    f"From: Ann\xe5 <{ANNA}>\r\nTo: {ADDRESS}\r\nMessage-ID: <1@kommun.example>\r\n"
    "Subject: Makul\xe9ra faktura 1234567 \xff\r\nMIME-Version: 1.0\r\n"
    'Content-Type: multipart/mixed; boundary="x"\r\n\r\n--x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n'
    "Makulera faktura 1234567. Fel mottagare \xff\xfe.\r\n"
    "--x\r\nContent-Type: appl\xffication/\xed\xa0\x80\r\n"
    'Content-Disposition: attachment; filename="\xff\xfe.p\xe5f"\r\n\r\n'
    "x\r\n--x\r\nContent-Type: image/\xed\xa0\x80\xff\r\n\r\ny\r\n--x--\r\n"
).encode("latin-1")


def test_two_names_in_the_proxys_header_are_nobodys(tmp_path: Path) -> None:
    """A proxy that adds its header, and does not take the browser's away, vouches for nobody."""
    found = staffed(office(tmp_path, []))
    with serving(found, tmp_path, PROXY) as url, browser(url) as one:
        headers = [("X-Remote-User", "adam"), ("X-Remote-User", "karin")]
        answer = one.http.get("/me", headers=headers)
        assert "adam" not in answer.text and answer.url.path == "/sign-in"


def test_the_last_station_before_the_proxy_is_counted_however_many_lines_it_takes(tmp_path: Path) -> None:
    found = staffed(office(tmp_path, []), "karin")
    with serving(found, tmp_path, PROXY) as url, browser(url) as one:
        for number in range(6):
            one.get("/sign-in")
            headers = [("X-Forwarded-For", f"10.9.9.{number}"), ("X-Forwarded-For", "192.0.2.7")]
            fields = {**one.hidden, "name": "nobody", "password": "fel", "next": "/"}
            status = one.http.post("/sign-in", data=fields, headers=headers).status_code
        assert status == 429


def test_a_vouched_person_has_one_session_however_the_proxy_spells_the_name(tmp_path: Path) -> None:
    found = office(tmp_path, [])
    people.add(found.robot.store, "åsa", roles=[Role.CASEWORKER], by="test")
    with serving(found, tmp_path, PROXY) as url, browser(url) as one:
        for path in ("/nothing/here", "/me", "/", "/me"):
            answer = one.http.get(path, headers=[(b"X-Remote-User", "Ａ\u030aSA".encode())])
        assert answer.status_code == 200 and "åsa" in answer.text
    assert [entry.event for entry in found.log].count("signed in") == 1


def test_bytes_that_are_no_text_break_no_page(tmp_path: Path) -> None:
    found = staffed(office(tmp_path, [invoice("1234567")], [RAW]))
    found.work()
    with serving(found, tmp_path) as url, browser(url) as karin:
        karin.enter(found, "karin")
        assert karin.get("/").status == 200
        assert karin.get("/item/1").status == 200
        assert [karin.http.get(f"/item/1/file/{place}").status_code for place in range(3)] == [200, 200, 404]


def test_who_takes_a_file_without_opening_the_page_is_noted_too(tmp_path: Path) -> None:
    found = staffed(office(tmp_path, [invoice("1234567")], [RAW]))
    found.work()
    with serving(found, tmp_path) as url, browser(url) as rut:
        rut.enter(found, "rut").http.get("/item/1/file/0")
    assert found.events(1).count("looked") == 1


@pytest.mark.parametrize("server", [False, True])
def test_a_character_that_no_database_keeps_is_no_fault_of_ours(
    tmp_path: Path, postgis: PostGIS, server: bool
) -> None:
    found = office(tmp_path, [invoice("1234567", paid=10)], [mail(ASKED)])
    if server:
        found.robot = replace(found.robot, store=Store(postgis.fresh()))
    staffed(found)
    found.work()
    with serving(found, tmp_path) as url, browser(url) as petra:
        petra.enter(found, "petra")
        assert petra.get("/?search=1%00").status == 200
        assert petra.post("/suggestions", about="rule", target="a\x00b", text="c\x00d").status == 200
        assert petra.post("/pause", reason="e\x00f").status == 200
    found.robot.store.close()


@pytest.mark.parametrize("code", ["200b", "061c", "2060", "feff", "e0041", "2028", "180e"])
def test_what_shows_nothing_is_made_visible(code: str) -> None:
    assert shown(f"a{chr(int(code, 16))}b") == "a\ufffdb"


def test_a_finance_system_that_hangs_is_waited_for_once() -> None:
    class Hangs(MemoryLedger):
        def find(self, target: str) -> Sequence[Invoice]:
            gate.wait(10)
            return ()

    gate = threading.Event()
    books = Books(Hangs([]), patience_s=0.4)
    try:
        with pytest.raises(ApplicationError):
            books.find("1")
        began = time.monotonic()
        with pytest.raises(ApplicationError, match="still has not answered"):
            books.find("2")
        assert time.monotonic() - began < 0.3
        gate.set()
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            try:
                assert books.find("3") == ()
                break
            except ApplicationError:
                time.sleep(0.05)
        else:
            pytest.fail("asks no more, though the finance system answers again")
    finally:
        gate.set()
        books.close()
