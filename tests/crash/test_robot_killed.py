"""The robot, the wire and the servers fail at every step; each invoice gets one credit note and one answer.

Every run is one invoice of its own in a real Tryton, one mail in a real mailbox, and one fault drawn by lot. Then the
robot is left to work in peace, and the books and the mail folders are counted. ``VARDAG_CRASH_RUNS`` sets how many;
`make crash` runs five hundred and prints the count by fault.
"""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from email import message_from_bytes
from pathlib import Path

import pytest

from robot_runs import LEASE, Runs, runs
from servers.cutting import Fault, Wire, wire
from servers.tryton import require, town_books
from vardag.app.robots import database
from vardag.demo.finance.books import Entry, Party
from vardag.demo.finance.server import ROBOT, Finance, Running, tryton
from vardag.demo.office import DOMAIN, ROBOT_ADDRESS, TRUSTED_SERVER
from vardag.demo.post.dovecot import dovecot, dovecot_program
from vardag.demo.post.ports import free_port
from vardag.demo.post.servers import Post, post
from vardag.demo.robot import robot_folder
from vardag.invoices import workitems
from vardag.invoices.commands import look
from vardag.invoices.ledger.tryton import Tryton
from vardag.invoices.ledger.tryton_rpc import TrytonServer
from vardag.invoices.model import InvoiceState
from vardag.invoices.workitems import State

RUNS = int(os.environ.get("VARDAG_CRASH_RUNS", "40"))
STEPS = (
    "fetch", "take in", "taken in", "reserve", "look up", "decide", "intend to cancel", "cancel",
    "note the cancellation", "intend to answer", "answer", "note the answer", "settle", "file",
)  # fmt: skip
CALLS = (b"account.invoice.search_read", b"credit.create", b"credit.execute", b"invoice.line.write")
TRIES = 40
MAIL = """Authentication-Results: {server}; dmarc=pass header.from={domain}
From: Anna <{who}>
To: {robot}
Subject: Makulera faktura {number}
Message-ID: <{place}@{domain}>
Content-Type: text/plain; charset="utf-8"

Hej! Makulera faktura {number}. Fel mottagare.
Anna
"""


@dataclass
class Office:
    """Everything a run works with; `faults` counts what was done."""

    folder: Path
    runs: Runs
    post: Post
    finance: Finance
    running: Running
    books: Wire
    letters: Wire
    numbers: list[str]
    stack: ExitStack
    faults: Counter[str] = field(default_factory=Counter)

    def ledger(self) -> Tryton:
        """The finance system, past the wire."""
        return Tryton(TrytonServer(self.running.url, self.finance.database, ROBOT, lambda: self.finance.password))

    def deliver(self, place: int) -> None:
        """The mail about an invoice."""
        text = MAIL.format(
            server=TRUSTED_SERVER, domain=DOMAIN, robot=ROBOT_ADDRESS, who=self.who(place),
            number=self.numbers[place], place=place,
        )  # fmt: skip
        self.post.deliver(text.encode())

    def who(self, place: int) -> str:
        """Who asks: an address of its own for every run, so that its answers can be counted."""
        return f"anna{place}@{DOMAIN}"

    def restart_finance(self) -> None:
        """Kill the finance system and start it again on the same books."""
        self.running.process.kill()
        self.running.process.wait()
        self.running = self.stack.enter_context(tryton(self.finance))
        self.books.port = int(self.running.url.rpartition(":")[2])


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    require()
    folder, today = tmp_path_factory.mktemp("office"), date.today()
    issued = today - timedelta(days=10)
    entries = [Entry(0, f"Tillsyn {place}", Decimal(100 + place), issued) for place in range(RUNS)]
    finance, written = town_books(folder / "books", [Party("Eks Bygg AB", "ek@kund.example")], entries, today=today)
    with ExitStack() as stack:
        mailbox = stack.enter_context(post(folder / "post", ROBOT_ADDRESS))
        running = stack.enter_context(tryton(finance))
        books = stack.enter_context(wire(int(running.url.rpartition(":")[2]), "http"))
        letters = stack.enter_context(wire(mailbox.smtp_port, "lines"))
        forks = stack.enter_context(runs())
        robot = robot_folder(folder / "robot", mailbox, running)
        text = (robot / "robot.toml").read_text()
        text = text.replace(running.url, f"http://127.0.0.1:{books.own_port}")
        text = text.replace(f"smtp_port = {mailbox.smtp_port}", f"smtp_port = {letters.own_port}")
        brakes = "[brakes]\nper_hour = 100000\nper_day = 100000\namount_per_hour = 1e9\namount_per_day = 1e9\n"
        (robot / "robot.toml").write_text(text + brakes)
        numbers = [entry.number for entry in written]
        yield Office(robot, forks, mailbox, finance, running, books, letters, numbers, stack)


def killed_at_a_step(office: Office, lots: random.Random) -> str:
    step = lots.choice(STEPS)
    office.runs.end(office.runs.begin(office.folder, stop_at=step))
    return f"killed: {step}"


def killed_in_a_call(office: Office, lots: random.Random) -> str:
    office.runs.end(office.runs.begin(office.folder, kill_after_s=lots.uniform(0.0, 1.5)))
    return "killed in a call"


def wire_to_the_books(office: Office, lots: random.Random) -> str:
    kind = lots.choice(("before", "after", "half", "html", "slow", "twice"))
    office.books.fault = Fault(kind, lots.choice(CALLS), lots.randint(1, 2), seconds=4.5)
    office.runs.end(office.runs.begin(office.folder))
    office.books.fault = Fault()
    return f"books: {kind}"


def wire_to_the_post(office: Office, lots: random.Random) -> str:
    """The lines are encrypted: the n-th piece that the client sends is struck, whatever stands in it."""
    kind = lots.choice(("before", "after"))
    office.letters.fault = Fault(kind, b"", lots.randint(1, 14))
    office.runs.end(office.runs.begin(office.folder))
    office.letters.fault = Fault()
    return f"post: {kind}"


def two_robots(office: Office, lots: random.Random) -> str:
    pids = [office.runs.begin(office.folder) for _ in range(2)]
    for pid in pids:
        office.runs.end(pid)
    return "two robots"


def stopped_robot_wakes_up(office: Office, lots: random.Random) -> str:
    step = lots.choice(("cancel", "answer", "settle", "intend to cancel", "note the cancellation"))
    first = office.runs.begin(office.folder, stop_at=step, signal="SIGSTOP")
    time.sleep(LEASE.total_seconds() + 1.5)
    second = office.runs.begin(office.folder)
    office.runs.end(second)
    os.kill(first, signal.SIGCONT)
    office.runs.end(first)
    return "stopped, and woken after another took over"


def finance_restarted(office: Office, lots: random.Random) -> str:
    pid = office.runs.begin(office.folder)
    time.sleep(lots.uniform(0.0, 1.5))
    office.restart_finance()
    office.runs.end(pid)
    return "finance system killed and restarted"


def mail_comes_twice(office: Office, lots: random.Random) -> str:
    place = len(office.numbers) - 1
    pid = office.runs.begin(office.folder)
    time.sleep(lots.uniform(0.0, 1.0))
    office.deliver(office.place)  # type: ignore[attr-defined]
    office.runs.end(pid)
    return f"mail came twice{'' if place else ''}"


FAULTS = (
    killed_at_a_step, killed_at_a_step, killed_at_a_step, killed_in_a_call, wire_to_the_books, wire_to_the_books,
    wire_to_the_post, two_robots, stopped_robot_wakes_up, finance_restarted, mail_comes_twice,
)  # fmt: skip


def settle(office: Office, place: int) -> None:
    """Let the robot work in peace until the item is settled."""
    store = database(office.folder)
    for _ in range(TRIES):
        with store.read() as tx:
            items = workitems.listed(tx, target=office.numbers[place])
        if items and all(item.state in workitems.SETTLED for item in items):
            break
        office.runs.end(office.runs.begin(office.folder))
        time.sleep(0.2)
    store.close()


@pytest.mark.parametrize("place", range(RUNS))
def test_one_credit_note_and_one_answer_whatever_fails(office: Office, place: int) -> None:
    lots = random.Random(7_000 + place)
    office.place = place  # type: ignore[attr-defined]
    office.deliver(place)
    fault = lots.choice(FAULTS)(office, lots)
    office.faults[fault] += 1
    settle(office, place)

    (invoice,) = office.ledger().find(office.numbers[place])
    assert invoice.state is InvoiceState.CREDITED, fault
    assert len(invoice.credited_by) == 1, fault
    answers = [message_from_bytes(raw) for raw in office.post.received(office.who(place))]
    assert len(answers) == 1, fault
    store = database(office.folder)
    with store.read() as tx:
        (item,) = workitems.listed(tx, target=office.numbers[place])
    assert item.state is State.DONE, (fault, item.told)
    store.close()


def test_the_books_balance_and_the_log_holds(office: Office) -> None:
    server = office.ledger().server
    lines = server.call("model.account.move.line.search_read", [], 0, None, None, ["debit", "credit", "move"])
    assert sum(line["debit"] for line in lines) == sum(line["credit"] for line in lines)
    notes = server.call("model.account.invoice.search_read", [("total_amount", "<", 0)], 0, None, None, ["number", "lines"])
    assert len(notes) == RUNS
    store = database(office.folder)
    proof = look.verify(store)
    assert proof.holds, proof.broken
    store.close()
    print(f"\n{RUNS} runs, {len(notes)} credit notes, one answer each; faults:")
    for fault, count in sorted(office.faults.items()):
        print(f"  {count:4d}  {fault}")
