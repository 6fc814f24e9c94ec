"""Tryton for real, over its JSON-RPC as the robot's user: what it finds, credits, voids and refuses."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from servers.cutting import Fault, wire
from servers.postgis import PostGIS
from servers.tryton import require, town_books
from vardag.core.errors import RefusedError
from vardag.demo.finance.books import Entry, Party
from vardag.demo.finance.server import ROBOT, Finance, Running, books, fill, tryton
from vardag.invoices.ledger.port import LedgerRefusedError
from vardag.invoices.ledger.tryton import Tryton
from vardag.invoices.ledger.tryton_rpc import TrytonServer
from vardag.invoices.model import ApplicationError, Effect, Invoice, InvoiceState, Money

TODAY = date.today()
PARTIES = [Party("Eks Bygg AB", "Ek@Kund.example", "5560360793", "10001"), Party("Maja Lund", "maja@kund.example")]
STATES = ("posted", "paid", "part_paid", "credited", "draft", "reminded", "collection")
SETTLE_S = 6.0  # as the robot does: a call under way may still arrive
SPARE = 9  # posted invoices for the tests that credit


def entry(place: int, kind: str) -> Entry:
    state = "posted" if kind in {"reminded", "collection"} else kind
    reminders = {"reminded": 1, "collection": 3}.get(kind, 0)
    issued = TODAY - timedelta(days=40 - place)
    reference = f"U{place}" if state == "draft" else ""
    return Entry(place % 2, f"Hyra {place}", Decimal(1000 + place), issued, state, reference, reminders)


@dataclass(frozen=True)
class House:
    """A running finance system and the numbers in it, by kind."""

    running: Running
    numbers: dict[str, str]

    def ledger(self, url: str = "", *, timeout_s: float = 60.0) -> Tryton:
        finance = self.running.finance
        server = TrytonServer(
            url or self.running.url, finance.database, ROBOT, lambda: finance.password, timeout_s=timeout_s
        )
        return Tryton(server)

    def one(self, kind: str) -> Invoice:
        (found,) = self.ledger().find(self.numbers[kind])
        return found


def kinds() -> list[str]:
    return [*STATES, *(f"spare{place}" for place in range(SPARE)), "spare draft"]


def entries() -> list[Entry]:
    as_state = {"spare draft": "draft", **{f"spare{place}": "posted" for place in range(SPARE)}}
    return [entry(place, as_state.get(kind, kind)) for place, kind in enumerate(kinds())]


@contextmanager
def opened(finance: Finance, written: list[Entry]) -> Iterator[House]:
    with tryton(finance) as running:
        yield House(running, dict(zip(kinds(), (one.number for one in written), strict=True)))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    require()
    folder = tmp_path_factory.mktemp("finance")
    if request.param == "sqlite":
        finance, written = town_books(folder, PARTIES, entries(), today=TODAY)
        with opened(finance, written) as made:
            yield made
        return
    server: PostGIS = request.getfixturevalue("postgis")
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE tryton TEMPLATE template0")
    finance = books(folder, today=TODAY, uri=server.url("").rstrip("/") + "/", database="tryton")
    with opened(finance, fill(finance, PARTIES, entries())) as made:
        yield made


def test_every_state_is_told(house: House) -> None:
    states = {kind: house.one(kind).state for kind in STATES}
    assert states == {
        "posted": InvoiceState.POSTED,
        "paid": InvoiceState.PAID,
        "part_paid": InvoiceState.POSTED,
        "credited": InvoiceState.CREDITED,
        "draft": InvoiceState.DRAFT,
        "reminded": InvoiceState.POSTED,
        "collection": InvoiceState.POSTED,
    }


def test_what_the_rules_need_is_told(house: House) -> None:
    posted, half = house.one("posted"), house.one("part_paid")
    assert posted.customer.number == "10001"
    assert posted.customer.organisation.replace("-", "") == "5560360793"
    assert posted.customer.addresses == ("ek@kund.example",)
    assert posted.total == Money(Decimal("1250.00"))
    assert posted.due == posted.issued + timedelta(days=30)
    assert (posted.paid, half.paid) == (Decimal(0), half.total.amount / 2)
    assert (house.one("reminded").reminders, house.one("reminded").collection) == (1, False)
    assert (house.one("collection").reminders, house.one("collection").collection) == (3, True)
    assert len(house.one("credited").credited_by) == 1
    assert posted.period_open


def test_a_credit_note_is_told_as_one(house: House) -> None:
    (note,) = house.ledger().find(house.one("credited").credited_by[0])
    assert note.is_credit_note
    assert note.total.amount < 0


def test_an_unknown_number_is_not_found(house: House) -> None:
    assert house.ledger().find("F99999999") == []


def test_crediting_is_done_once_under_a_key(house: House) -> None:
    invoice, ledger = house.one("spare0"), house.ledger()
    assert ledger.done(invoice, key="vardag-a") is None
    done = ledger.do(Effect.CREDIT, invoice, key="vardag-a", reason="Fel mottagare", on=TODAY)
    assert ledger.do(Effect.CREDIT, invoice, key="vardag-a", reason="Fel mottagare", on=TODAY) == done
    assert ledger.done(invoice, key="vardag-a") == done
    assert ledger.done(invoice, key="vardag-b") is None
    after = house.one("spare0")
    assert done.credit_note
    assert (after.state, after.credited_by) == (InvoiceState.CREDITED, (done.credit_note.number,))
    assert done.credit_note.total.amount == -invoice.total.amount
    with pytest.raises(LedgerRefusedError, match=r"has got a credit note meanwhile"):
        ledger.do(Effect.CREDIT, invoice, key="vardag-b", reason="igen", on=TODAY)


def test_the_credit_note_names_the_key_and_the_reason(house: House) -> None:
    invoice, ledger = house.one("spare1"), house.ledger()
    done = ledger.do(Effect.CREDIT, invoice, key="vardag-c", reason="Fel period", on=TODAY)
    assert done.credit_note
    clause = [("invoice.number", "=", done.credit_note.number)]
    (line,) = ledger.server.call("model.account.invoice.line.search_read", clause, 0, 1, None, ["note"])
    assert line["note"] == "Fel period [vardag-c]"


def test_a_credit_note_without_its_label_is_known_as_ours_and_labelled(house: House) -> None:
    """The robot was killed between the two calls."""
    invoice, ledger = house.one("spare2"), house.ledger()
    ledger._credit(invoice, TODAY)
    assert ledger.done(invoice, key="vardag-d")
    ledger.do(Effect.CREDIT, invoice, key="vardag-d", reason="Fel", on=TODAY)
    assert ledger.done(invoice, key="vardag-x") is None


def test_a_draft_is_voided_once_under_a_key(house: House) -> None:
    draft, ledger = house.one("spare draft"), house.ledger()
    done = ledger.do(Effect.VOID, draft, key="vardag-v", reason="Fel kund", on=TODAY)
    assert ledger.do(Effect.VOID, draft, key="vardag-v", reason="Fel kund", on=TODAY) == done
    assert house.one("spare draft").state is InvoiceState.VOID
    assert house.one("spare draft").comment == "Fel kund [vardag-v]"
    assert ledger.done(draft, key="vardag-w") is None


@pytest.mark.parametrize("kind", ["paid", "part_paid"])
def test_what_is_paid_is_not_credited_in_full(house: House, kind: str) -> None:
    with pytest.raises(LedgerRefusedError, match=r"cannot be credited in full"):
        house.ledger().do(Effect.CREDIT, house.one(kind), key="vardag-p", reason="Fel", on=TODAY)
    assert house.one(kind).credited_by == ()


def test_a_posted_invoice_is_not_voided(house: House) -> None:
    with pytest.raises(LedgerRefusedError, match=r"is posted, no draft any more"):
        house.ledger().do(Effect.VOID, house.one("posted"), key="vardag-q", reason="Fel", on=TODAY)


def test_the_robots_user_may_not_do_more(house: House) -> None:
    server, number = house.ledger().server, int(house.one("posted").id)
    for method, arguments in (
        ("model.account.invoice.delete", ([number],)),
        ("model.account.invoice.create", ([{"type": "out"}],)),
        ("model.party.party.write", ([1], {"name": "x"})),
        ("model.account.move.delete", ([1],)),
        ("model.account.invoice.draft", ([number],)),
    ):
        with pytest.raises(LedgerRefusedError):
            server.call(method, *arguments)
    assert house.ledger().check() == []


@pytest.mark.parametrize("kind", ["before", "after", "half", "html", "slow", "twice"])
def test_a_broken_wire_leaves_one_credit_note(house: House, kind: str) -> None:
    spare = {"before": 3, "after": 4, "half": 5, "html": 6, "slow": 7, "twice": 8}[kind]
    invoice = house.one(f"spare{spare}")
    port = int(house.running.url.rpartition(":")[2])
    with wire(port, "http") as broken:
        broken.fault = Fault(kind, b"credit.execute", 2, seconds=8.0)
        ledger = house.ledger(f"http://127.0.0.1:{broken.own_port}", timeout_s=5.0 if kind == "slow" else 60.0)
        for _ in range(5):
            try:
                done = ledger.do(Effect.CREDIT, invoice, key=f"vardag-{spare}", reason="Fel", on=TODAY)
                break
            except ApplicationError:
                time.sleep(SETTLE_S)
    assert done.credit_note
    assert house.one(f"spare{spare}").credited_by == (done.credit_note.number,)


def test_a_wrong_password_is_said_without_the_password(house: House) -> None:
    finance = house.running.finance
    server = TrytonServer(house.running.url, finance.database, ROBOT, lambda: "hemligt-ord")
    with pytest.raises(ApplicationError, match=r"vardag cannot log in") as error:
        server.call("model.account.invoice.search", [], 0, 1, None)
    assert "hemligt" not in str(error.value)


def test_a_server_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    server = TrytonServer("http://127.0.0.1:9", "vardag", ROBOT, lambda: "x")
    with pytest.raises(ApplicationError, match=r"no answer to common\.db\.login"):
        server.call("model.account.invoice.search", [], 0, 1, None)


def test_no_password_goes_out_without_tls() -> None:
    with pytest.raises(RefusedError, match=r"no password is sent without TLS"):
        TrytonServer("http://ekonomi.kommun.example", "vardag", ROBOT, lambda: "x")
