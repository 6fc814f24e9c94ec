"""The robot, the wires and the servers fail at every step; each invoice gets one credit note and one answer.

Every run is one invoice of its own in a real Tryton, one mail in a real Dovecot, and one fault drawn by lot. Then
the robot is left to work in peace, and the books and the mail folders are counted. ``VARDAG_CRASH_RUNS`` sets how
many, ``VARDAG_CRASH_SEED`` the first run's lot; `make crash` takes five hundred and prints the count by fault.
"""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from email import message_from_bytes
from pathlib import Path
from subprocess import Popen
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from robot_runs import LEASE, Runs, runs
from servers import mail as mail_servers
from servers import tryton as tryton_servers
from servers.cutting import Fault, Wire, wire
from vardag.app.robots import database
from vardag.demo.finance.books import Entry, Party
from vardag.demo.finance.server import ROBOT, Running, tryton
from vardag.demo.office import DOMAIN, ROBOT_ADDRESS, TRUSTED_SERVER
from vardag.demo.post.certificate import certificate
from vardag.demo.post.dovecot import dovecot
from vardag.demo.post.ports import free_port
from vardag.demo.post.servers import Post
from vardag.demo.post.smtp import smtp_server
from vardag.demo.robot import robot_folder
from vardag.invoices import audit, workitems
from vardag.invoices.commands import look
from vardag.invoices.ledger.tryton import Tryton
from vardag.invoices.ledger.tryton_rpc import TrytonServer
from vardag.invoices.model import InvoiceState
from vardag.invoices.workitems import State

RUNS = int(os.environ.get("VARDAG_CRASH_RUNS", "50"))
SEED = int(os.environ.get("VARDAG_CRASH_SEED", "7000"))
STEPS = (
    "fetch", "take in", "taken in", "reserve", "look up", "decide", "intend to cancel", "cancel",
    "note the cancellation", "intend to answer", "answer", "note the answer", "settle", "file",
)  # fmt: skip
CALLS = (b"account.invoice.search_read", b"credit.create", b"credit.execute", b"invoice.line.write")
TRIES = 40
BRAKES = "[brakes]\nper_hour = 100000\nper_day = 100000\namount_per_hour = 1e9\namount_per_day = 1e9\n"
PASSWORD = "only-for-this-test"  # of servers that live as long as the test, on loopback
MAIL = """Authentication-Results: {server}; dmarc=pass header.from={domain}
From: Anna <{who}>
To: {robot}
Subject: Makulera faktura {number}
Message-ID: <{place}@{domain}>
Content-Type: text/plain; charset="utf-8"

Hej! Makulera faktura {number}. Fel mottagare.
Anna
"""


class Restartable:
    """A server that can be killed and started again on the same port and the same data."""

    def __init__(self, stack: ExitStack, start: Callable[[], Any]) -> None:
        self.stack, self.start = stack, start
        self.process: Popen[bytes] = stack.enter_context(start())

    def restart(self) -> None:
        """Kill it, with its children where it leads a session (they hold the port), and start it again."""
        leads = os.getsid(self.process.pid) == self.process.pid
        if leads:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        if leads:
            await_end_of_group(self.process.pid)
        self.process = self.stack.enter_context(self.start())


def await_end_of_group(leader: int) -> None:
    """Wait until none of a session's processes is left; a child that is still ending holds the port."""
    with suppress(ProcessLookupError):
        for _ in range(200):
            os.killpg(leader, 0)
            time.sleep(0.05)


@dataclass
class Office:
    """Everything a run works with; `faults` counts what was done."""

    folder: Path
    runs: Runs
    post: Post
    running: Running
    servers: dict[str, Restartable]
    wires: dict[str, Wire]
    numbers: list[str]
    faults: Counter[str] = field(default_factory=Counter)

    def ledger(self) -> Tryton:
        """The finance system, past the wire."""
        finance = self.running.finance
        return Tryton(TrytonServer(self.running.url, finance.database, ROBOT, lambda: finance.password))

    def deliver(self, place: int) -> None:
        """The mail about an invoice."""
        text = MAIL.format(
            server=TRUSTED_SERVER, domain=DOMAIN, robot=ROBOT_ADDRESS, who=who(place),
            number=self.numbers[place], place=place,
        )  # fmt: skip
        self.post.deliver(text.encode())

    def work(self, **order: Any) -> None:
        """One robot, one round."""
        self.runs.end(self.runs.begin(self.folder, **order))

    def items(self, place: int) -> tuple[list[workitems.Item], list[str]]:
        """A run's items, and their log in words."""
        store = database(self.folder)
        with store.read() as tx:
            items = workitems.about(tx, self.numbers[place])
            log = [f"{one.event} {one.body}" for item in items for one in audit.entries(tx, item=item.id)]
        store.close()
        return items, log


def who(place: int) -> str:
    """Who asks: an address of its own for every run, so that its answers can be counted."""
    return f"anna{place}@{DOMAIN}"


@contextmanager
def started_tryton(running: Running, port: int) -> Iterator[Popen[bytes]]:
    with tryton(running.finance, port=port) as again:
        yield again.process


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    tryton_servers.require()
    program = mail_servers.require_dovecot()
    folder, issued = tmp_path_factory.mktemp("office"), date.today() - timedelta(days=10)
    entries = [Entry(0, f"Tillsyn {place}", Decimal(100 + place), issued) for place in range(RUNS)]
    parties = [Party("Eks Bygg AB", "ek@kund.example")]
    finance, written = tryton_servers.town_books(folder / "books", parties, entries, today=date.today())
    with TemporaryDirectory(prefix="vardag-crash-") as made, ExitStack() as stack:
        place = Path(made)
        place.chmod(0o755)
        mail, pem, imap, smtp, books = place / "mail", certificate(place), free_port(), free_port(), free_port()
        users = {ROBOT_ADDRESS: PASSWORD}
        running = Running(f"http://127.0.0.1:{books}", finance, None)  # type: ignore[arg-type]
        starts = {
            "finance system": lambda: started_tryton(running, books),
            "imap server": lambda: dovecot(program, place, mail, imap, users, certificate=pem),
            "smtp server": lambda: smtp_server(smtp, mail, ROBOT_ADDRESS, PASSWORD, certificate=pem),
        }
        servers = {name: Restartable(stack, start) for name, start in starts.items()}
        wires = {
            "books": stack.enter_context(wire(books, "http")),
            "imap": stack.enter_context(wire(imap, "lines")),
            "smtp": stack.enter_context(wire(smtp, "lines")),
        }
        through = Post(
            ROBOT_ADDRESS, PASSWORD, wires["imap"].own_port, wires["smtp"].own_port, mail, pem, "dovecot"
        )
        asked = Running(f"http://127.0.0.1:{wires['books'].own_port}", finance, None)  # type: ignore[arg-type]
        robot = robot_folder(folder / "robot", through, asked)
        (robot / "robot.toml").write_text((robot / "robot.toml").read_text() + BRAKES)
        forks, numbers = stack.enter_context(runs()), [entry.number for entry in written]
        yield Office(robot, forks, through, running, servers, wires, numbers)


def killed_at_a_step(office: Office, lots: random.Random, _place: int) -> str:
    step = lots.choice(STEPS)
    office.work(stop_at=step)
    return f"robot killed at: {step}"


def killed_in_a_call(office: Office, lots: random.Random, _place: int) -> str:
    office.work(kill_after_s=lots.uniform(0.0, 1.5))
    return "robot killed while the finance system worked"


def wire_to_the_books(office: Office, lots: random.Random, _place: int) -> str:
    kind = lots.choice(("before", "after", "half", "html", "slow", "twice"))
    office.wires["books"].fault = Fault(kind, lots.choice(CALLS), lots.randint(1, 2), seconds=4.5)
    office.work()
    office.wires["books"].fault = Fault()
    return f"finance system, request or answer: {kind}"


def wire_to_the_post(office: Office, lots: random.Random, _place: int) -> str:
    """The lines are encrypted: the n-th piece that the client sends is struck, whatever stands in it."""
    kind, name = lots.choice(("before", "after")), lots.choice(("imap", "smtp"))
    office.wires[name].fault = Fault(kind, b"", lots.randint(1, 30 if name == "imap" else 14))
    office.work()
    office.wires[name].fault = Fault()
    return f"{name}, connection cut: {kind}"


def two_robots(office: Office, _lots: random.Random, _place: int) -> str:
    for pid in [office.runs.begin(office.folder) for _ in range(2)]:
        office.runs.end(pid)
    return "two robots at once"


def stopped_robot_wakes_up(office: Office, lots: random.Random, _place: int) -> str:
    step = lots.choice(("intend to cancel", "cancel", "note the cancellation", "answer", "settle"))
    first = office.runs.begin(office.folder, stop_at=step, signal="SIGSTOP")
    if office.runs.stops(first):
        time.sleep(LEASE.total_seconds() + 0.5)
        office.work()
        os.kill(first, signal.SIGCONT)
        office.runs.end(first)
    return "robot stopped, another took over, the first woke up"


def server_restarted(office: Office, lots: random.Random, _place: int) -> str:
    name = lots.choice(sorted(office.servers))
    pid = office.runs.begin(office.folder)
    time.sleep(lots.uniform(0.0, 1.5))
    office.servers[name].restart()
    office.runs.end(pid)
    return f"{name} killed and restarted"


def mail_comes_twice(office: Office, lots: random.Random, place: int) -> str:
    pid = office.runs.begin(office.folder)
    time.sleep(lots.uniform(0.0, 1.0))
    office.deliver(place)
    office.runs.end(pid)
    return "the same mail twice"


FAULTS = (
    killed_at_a_step, killed_at_a_step, killed_at_a_step, killed_in_a_call, wire_to_the_books, wire_to_the_books,
    wire_to_the_post, two_robots, stopped_robot_wakes_up, server_restarted, mail_comes_twice,
)  # fmt: skip


def work_in_peace(office: Office, place: int) -> None:
    """Let the robot work until the item is settled."""
    for _ in range(TRIES):
        office.work()
        items, _log = office.items(place)
        if items and all(item.state in workitems.SETTLED for item in items):
            return
        time.sleep(0.2)


def wrong(office: Office, place: int) -> str:
    """What is wrong after a run; nothing when there is one credit note, one answer and one item that is done."""
    (invoice,) = office.ledger().find(office.numbers[place])
    answers = [message_from_bytes(raw)["Message-ID"] for raw in office.post.received(who(place))]
    items, log = office.items(place)
    states = [item.state for item in items]
    if (invoice.state, len(invoice.credited_by), len(answers), states) == (
        InvoiceState.CREDITED,
        1,
        1,
        [State.DONE],
    ):
        return ""
    return f"{invoice.state}, {invoice.credited_by}, {answers}, {states}: " + "; ".join(log)


def test_one_credit_note_and_one_answer_whatever_fails(office: Office) -> None:
    failures = []
    for place in range(RUNS):
        lots = random.Random(SEED + place)
        office.deliver(place)
        fault = lots.choice(FAULTS)(office, lots, place)
        office.faults[fault] += 1
        work_in_peace(office, place)
        if said := wrong(office, place):
            failures.append(f"run {place}, {fault}: {said}")
    server = office.ledger().server
    lines = server.call("model.account.move.line.search_read", [], 0, None, None, ["debit", "credit"])
    notes = server.call("model.account.invoice.search_count", [("total_amount", "<", 0)])
    store = database(office.folder)
    proof = look.verify(store)
    store.close()
    print(f"\n{RUNS} runs, {notes} credit notes, {RUNS - len(failures)} runs with one credit note and one answer:")
    for fault, count in sorted(office.faults.items()):
        print(f"{count:5d}  {fault}")
    assert not failures, "\n".join(failures)
    assert notes == RUNS
    assert sum(line["debit"] for line in lines) == sum(line["credit"] for line in lines)
    assert proof.holds, proof.broken
