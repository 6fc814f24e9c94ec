"""The robot at a web page: Tryton's own client in a real browser, held against what Tryton says over its API."""

import hashlib
import logging
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from servers import sao
from servers.tryton import require, town_books
from vardag.core.errors import NotFoundError
from vardag.demo.finance.books import Entry, Party
from vardag.demo.finance.server import ROBOT, Finance, Running, tryton
from vardag.invoices.ledger.browser import BrowserTryton
from vardag.invoices.ledger.browser.chromium import NAMES, browser_program
from vardag.invoices.ledger.browser.tryton_page import TrytonPage
from vardag.invoices.ledger.browser.words import ENGLISH
from vardag.invoices.ledger.port import LedgerRefusedError
from vardag.invoices.ledger.tryton import Tryton
from vardag.invoices.ledger.tryton_rpc import TrytonServer
from vardag.invoices.model import ApplicationError, Done, Effect, Invoice, InvoiceState

TODAY = date.today()
PARTIES = [
    Party("Eks Bygg AB", "ek@kund.example", organisation="5560360793", code="1001"),
    Party('Bo "Bosse" Ek', "bo@kund.example", code="1002"),
]
ENTRIES = {
    "reminded": Entry(0, "Vatten", Decimal(1000), TODAY - timedelta(days=90), reference="10017", reminders=2),
    "part_paid": Entry(0, "Avlopp", Decimal(500), TODAY - timedelta(days=40), state="part_paid", reference="10025"),
    "paid": Entry(1, "Skola", Decimal("700.40"), TODAY - timedelta(days=39), state="paid", reference="10033"),
    "credited": Entry(1, "Skola", Decimal(800), TODAY - timedelta(days=38), state="credited", reference="10041"),
    "draft": Entry(1, "Utkast", Decimal(900), TODAY - timedelta(days=37), state="draft", reference="U1"),
    "twin": Entry(0, "Tillsyn", Decimal(100), TODAY - timedelta(days=36), reference="10058"),
    "other twin": Entry(0, "Tillsyn", Decimal(100), TODAY - timedelta(days=36), reference="10058"),
    "wrong": Entry(1, "Tillsyn", Decimal(110), TODAY - timedelta(days=35), reference="10066"),
    "cut off": Entry(0, "Tillsyn", Decimal(120), TODAY - timedelta(days=34), reference="10074"),
    "left": Entry(0, "Tillsyn", Decimal(130), TODAY - timedelta(days=33), reference="10082"),
}


@dataclass
class Desk:
    """The ledger at the page, the ledger over the API, and the server behind both."""

    page: BrowserTryton
    api: Tryton
    running: Running
    finance: Finance
    numbers: dict[str, str]
    stack: ExitStack
    root: Path

    def invoice(self, name: str) -> Invoice:
        """An invoice as the API tells it."""
        (found,) = self.api.find(self.numbers[name])
        return found

    def end_server(self) -> None:
        """End the server."""
        self.running.process.kill()
        self.running.process.wait()

    def start_server(self) -> None:
        """Start it again at the same address."""
        port = int(self.running.url.rpartition(":")[2])
        self.running = self.stack.enter_context(tryton(self.finance, port=port, web=sao.require()))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    require()
    need_browser()
    web, folder = sao.require(), tmp_path_factory.mktemp("desk")
    finance, written = town_books(folder / "books", PARTIES, list(ENTRIES.values()), today=TODAY)
    numbers = dict(zip(ENTRIES, (entry.number for entry in written), strict=True))
    with ExitStack() as stack:
        running = stack.enter_context(tryton(finance, web=web))
        login = (running.url, finance.database, ROBOT, lambda: finance.password)
        page = stack.enter_context(BrowserTryton(*login, evidence=folder / "evidence", timeout_s=20.0))
        server = TrytonServer(*login)
        stack.callback(server.close)
        yield Desk(page, Tryton(server), running, finance, numbers, stack, folder)


def need_browser() -> None:
    """Playwright and Chromium; without them the test is skipped by name, in CI it fails."""
    try:
        browser_program(None)
    except NotFoundError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(f"browser: {error}")


def stopped_at(desk: Desk, error: BaseException) -> Path:
    """The screenshot that an error names, which must be there."""
    assert desk.page.folder is not None
    picture = desk.page.folder.parent / str(error).rpartition("See ")[2].rstrip(".")
    assert picture.is_file(), str(error)
    return picture


def credit_notes(desk: Desk, invoice: Invoice) -> list[str]:
    """Numbers of the credit notes that name an invoice, as the API tells them."""
    return [note["number"] for note in desk.api._notes(int(invoice.id))]


# What the page shows


@pytest.mark.parametrize("name", ["reminded", "part_paid", "paid", "credited", "draft"])
def test_the_page_tells_what_the_api_tells(desk: Desk, name: str) -> None:
    assert desk.page.find(desk.numbers[name]) == desk.api.find(desk.numbers[name])


def test_a_reference_that_two_invoices_carry_finds_both(desk: Desk) -> None:
    found = desk.page.find("10058")
    assert sorted(found, key=lambda one: one.id) == sorted(desk.api.find("10058"), key=lambda one: one.id)
    assert len(found) == 2


@pytest.mark.parametrize("number", ["F9900000", "1005", 'a"b', "%"])
def test_a_number_that_nobody_carries_finds_nothing(desk: Desk, number: str) -> None:
    assert desk.page.find(number) == []


def test_the_robots_user_can_work(desk: Desk) -> None:
    assert desk.page.check() == []


# What is done


def test_an_invoice_is_credited_once(desk: Desk) -> None:
    invoice = desk.invoice("twin")
    order: dict[str, Any] = {"key": "vardag-twin", "reason": "Vardag: fel mottagare", "on": TODAY}
    done = desk.page.do(Effect.CREDIT, invoice, **order)
    assert done.credit_note is not None
    assert done.credit_note.total.amount == -invoice.total.amount
    shots, folder = desk.page.evidence, desk.page.folder
    assert desk.page.do(Effect.CREDIT, invoice, **order) == done
    assert credit_notes(desk, invoice) == [done.credit_note.number]
    assert desk.invoice("twin").state is InvoiceState.CREDITED
    assert desk.api.done(invoice, key="vardag-twin") == done  # either adapter goes on where the other was
    assert folder is not None
    assert not [
        shot.name for shot in shots if "eks" in shot.name
    ]  # names go into the log: no customer's is in them
    assert [shot.name for shot in shots if "confirm-credit" in shot.name] == [
        next(shot.name for shot in shots if shot.name.endswith("-confirm-credit-before.png")),
        next(shot.name for shot in shots if shot.name.endswith("-confirm-credit-after.png")),
    ]
    for shot in shots:
        assert hashlib.sha256((folder / shot.name).read_bytes()).hexdigest() == shot.sha256
        assert f"{shot.sha256}  {shot.name}\n" in (folder / "SHA256SUMS").read_text()
    assert (folder.stat().st_mode | (folder / shots[0].name).stat().st_mode) & 0o077 == 0


def test_a_credit_note_that_a_person_made_is_not_ours(desk: Desk) -> None:
    assert desk.page.done(desk.invoice("credited"), key="vardag-credited") is None


def test_cut_off_before_the_key_was_written(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    class CutOffError(Exception):
        """The robot dies here."""

    def dies(*_: object) -> None:
        raise CutOffError

    invoice = desk.invoice("cut off")
    order: dict[str, Any] = {"key": "vardag-cut", "reason": "Vardag: dubbel", "on": TODAY}
    with monkeypatch.context() as patch:
        patch.setattr(TrytonPage, "credit", _then(TrytonPage.credit, dies))
        with pytest.raises(CutOffError):
            desk.page.do(Effect.CREDIT, invoice, **order)
    desk.page.close()  # the browser dies with it
    done = desk.page.do(Effect.CREDIT, invoice, **order)
    assert done.credit_note is not None
    assert credit_notes(desk, invoice) == [done.credit_note.number]


def test_a_draft_is_voided(desk: Desk) -> None:
    invoice = desk.invoice("draft")
    order: dict[str, Any] = {"key": "vardag-void", "reason": "Vardag: fel", "on": TODAY}
    wanted = Done(Effect.VOID, invoice.number)
    assert desk.page.do(Effect.VOID, invoice, **order) == wanted
    assert desk.page.do(Effect.VOID, invoice, **order) == wanted
    after = desk.invoice("draft")
    assert after.state is InvoiceState.VOID
    assert after.comment == "Vardag: fel [vardag-void]"


# What it stops on


def test_a_partly_paid_invoice_is_refused(desk: Desk) -> None:
    invoice = desk.invoice("part_paid")
    with pytest.raises(LedgerRefusedError, match="partly paid") as refusal:
        desk.page.do(Effect.CREDIT, invoice, key="vardag-part", reason="Vardag: fel", on=TODAY)
    stopped_at(desk, refusal.value)
    assert desk.invoice("part_paid") == invoice


def test_what_the_server_refuses_is_a_refusal(desk: Desk) -> None:
    invoice = desk.invoice("left")
    before = TODAY - timedelta(days=30)  # credit notes have been numbered after that day
    with pytest.raises(LedgerRefusedError, match="has already been used") as refusal:
        desk.page.do(Effect.CREDIT, invoice, key="vardag-left", reason="Vardag: fel", on=before)
    stopped_at(desk, refusal.value)
    assert desk.invoice("left") == invoice


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"number": "F9900000"}, "the form is of"), ({"id": "999999"}, "shows 0 invoices")],
)
def test_another_record_than_the_one_asked_for(desk: Desk, changed: dict[str, str], said: str) -> None:
    invoice = desk.invoice("wrong")
    with pytest.raises(ApplicationError, match=said) as error:
        desk.page.do(Effect.CREDIT, replace(invoice, **changed), key="vardag-x", reason="Vardag: fel", on=TODAY)
    stopped_at(desk, error.value)
    assert desk.invoice("wrong") == invoice


def test_a_dialog_that_nobody_foresaw(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    invoice = desk.invoice("wrong")

    def opens_a_dialog(page: TrytonPage, *_: object) -> None:
        page._from_menu(ENGLISH.logs)
        page.hands.settle()

    monkeypatch.setattr(TrytonPage, "open_row", _then(TrytonPage.open_row, opens_a_dialog))
    with pytest.raises(ApplicationError, match="a dialog that nobody foresaw says: Logs") as error:
        desk.page.do(Effect.CREDIT, invoice, key="vardag-x", reason="Vardag: fel", on=TODAY)
    stopped_at(desk, error.value)
    assert desk.invoice("wrong") == invoice


def test_a_session_that_is_lost(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    invoice = desk.invoice("wrong")

    def forgets(page: TrytonPage, *_: object) -> None:
        page.hands.page.context.clear_cookies()

    with monkeypatch.context() as patch:
        patch.setattr(TrytonPage, "go", _then(TrytonPage.go, forgets))
        with pytest.raises(ApplicationError) as error:
            desk.page.done(invoice, key="vardag-x")
    stopped_at(desk, error.value)
    assert desk.page.done(invoice, key="vardag-x") is None


def test_a_server_that_goes_away(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    invoice = desk.invoice("wrong")
    with monkeypatch.context() as patch:
        patch.setattr(TrytonPage, "go", _then(TrytonPage.go, lambda *_: desk.end_server()))
        with pytest.raises(ApplicationError) as error:
            desk.page.done(invoice, key="vardag-x")
    stopped_at(desk, error.value)
    with pytest.raises(ApplicationError, match=r"does not answer|Could not connect"):
        desk.page.done(invoice, key="vardag-x")
    desk.start_server()
    assert desk.page.done(invoice, key="vardag-x") is None


def test_a_page_in_another_language(desk: Desk, tmp_path: Path) -> None:
    words = replace(ENGLISH, menu=("Ekonomi", "Fakturor", "Kundfakturor"))
    login = (desk.running.url, desk.finance.database, ROBOT, lambda: desk.finance.password)
    with BrowserTryton(*login, evidence=tmp_path, words=words) as ledger:
        with pytest.raises(ApplicationError, match=r"no 'Ekonomi'.*another language"):
            ledger.find(desk.numbers["wrong"])
        (problem,) = ledger.check()
    assert "Ekonomi" in problem


def test_the_password_stays_out_of_everything(desk: Desk, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    secret = "correct-horse-battery"
    caplog.set_level(logging.DEBUG)
    login = (desk.running.url, desk.finance.database, ROBOT, lambda: secret)
    with (
        BrowserTryton(*login, evidence=tmp_path) as ledger,
        pytest.raises(ApplicationError, match="cannot log in") as error,
    ):
        ledger.find(desk.numbers["wrong"])
    kept = [path for root in (tmp_path, desk.root / "evidence") for path in root.rglob("*") if path.is_file()]
    assert len(kept) > 3
    for word in (secret, desk.finance.password):
        assert word not in str(error.value) + caplog.text + " ".join(map(str, kept))
        assert not [path for path in kept if word.encode() in path.read_bytes()]


# What it needs


def test_without_playwright_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    with pytest.raises(NotFoundError, match=r"pip install 'vardag\[browser\]'"):
        browser_program(None)


def test_without_a_browser_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("playwright")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(NotFoundError, match=rf"{NAMES[0]}.*apt-get install chromium"):
        browser_program(None)


def _then(method: Any, more: Any) -> Any:
    """The method, and something more after it."""

    def both(page: TrytonPage, *arguments: Any, **named: Any) -> Any:
        found = method(page, *arguments, **named)
        more(page)
        return found

    return both
