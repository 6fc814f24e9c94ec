"""How fast the robot works, and how much of the time it only waits: `python -m benchmarks.robot`.

Two measurements. In memory: work items through memory adapters, with the real reader, rules, answers and a SQLite
database that is on disk after every step; it shows what the robot itself costs. For real: the demo's town, with
Tryton and an IMAP server on this machine; it shows the share of the time that the robot spends waiting for the
finance system and the mailbox. Both are wall clock on the machine that runs them.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from vardag.app.robots import robot
from vardag.core.config import DEFAULT_SEED
from vardag.demo.finance.server import tryton
from vardag.demo.office import DOMAIN, ROBOT_ADDRESS, TRUSTED_SERVER
from vardag.demo.post.servers import post
from vardag.demo.robot import LADDER, robot_folder, signed, town
from vardag.invoices.answers import From
from vardag.invoices.brakes import Limits
from vardag.invoices.ladder import load_demands
from vardag.invoices.ledger.memory import MemoryLedger
from vardag.invoices.mailbox.memory import MemoryMailbox
from vardag.invoices.model import Customer, Invoice, InvoiceState, MailRead, Money
from vardag.invoices.reading import load_patterns, read_mail
from vardag.invoices.robot import Mode, Robot, run_once
from vardag.invoices.rules import Allowed, load_policy
from vardag.invoices.store import Store

NO_LIMITS = Limits(10**9, 10**9, Decimal(10**12), Decimal(10**12), 10**9)
MAIL = """Authentication-Results: {server}; dmarc=pass header.from={domain}
From: Anna Berg <anna.berg@{domain}>
To: {robot}
Subject: Makulera faktura {number}
Message-ID: <{place}@{domain}>
Content-Type: text/plain; charset="utf-8"

Hej!

Kan ni makulera faktura {number}? Den har gått till fel mottagare.

Med vänlig hälsning
Anna Berg
"""


class Waiting:
    """Seconds spent in calls of the adapters, by adapter; what an adapter calls of its own is counted once."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._within = False

    def watch(self, name: str, adapter: Any, methods: tuple[str, ...]) -> None:
        """Time every call of these methods."""
        for method in methods:
            setattr(adapter, method, self._timed(name, getattr(adapter, method)))

    def _timed(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **more: Any) -> Any:
            if self._within:
                return call(*arguments, **more)
            begun, self._within = time.perf_counter(), True
            try:
                answer = call(*arguments, **more)
                return iter(list(answer)) if isinstance(answer, Iterator) else answer
            finally:
                self._within = False
                self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - begun

        return timed


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=10_000, help="work items through the memory adapters")
    parser.add_argument("--cache", type=Path, default=Path(".vardag-cache"), help="where Tryton's empty books lie")
    asked = parser.parse_args()
    print("| work items | seconds | items a minute | robot's own share |\n|---|---:|---:|---:|")
    print(in_memory(asked.items), flush=True)
    print(for_real(asked.cache.absolute()), flush=True)


def in_memory(count: int) -> str:
    """The robot's own speed."""
    with tempfile.TemporaryDirectory() as folder:
        found = memory_robot(Path(folder), count)
        begun = time.perf_counter()
        tally = run_once(found)
        seconds = time.perf_counter() - begun
        found.store.close()
    assert tally.worked == count
    assert isinstance(found.ledger, MemoryLedger)
    assert len(found.ledger.notes) == count
    return f"| {count:,} in memory | {seconds:.1f} | {60 * count / seconds:,.0f} | 100 % |"


def memory_robot(folder: Path, count: int) -> Robot:
    """A robot with as many invoices, and a mail about each."""
    numbers = [str(1_000_000 + place) for place in range(count)]
    mails = (
        MAIL.format(server=TRUSTED_SERVER, domain=DOMAIN, robot=ROBOT_ADDRESS, number=number, place=place).encode()
        for place, number in enumerate(numbers)
    )
    patterns, demands, base = load_patterns(), folder / "ladder.yaml", folder / "robot.sqlite"
    demands.write_text(LADDER, encoding="utf-8")
    signed(Store(base), demands)

    def read(raw: bytes, truncated: bool) -> MailRead:
        return read_mail(
            raw, patterns=patterns, trusted_server=TRUSTED_SERVER, own_address=ROBOT_ADDRESS, truncated=truncated
        )

    return Robot(
        name="bench",
        store=Store(base),
        mailbox=MemoryMailbox(ROBOT_ADDRESS, mails),
        ledger=MemoryLedger(map(invoice, numbers)),
        read=read,
        policy=load_policy(),
        allow_list=(Allowed(f"@{DOMAIN}"),),
        sender=From(ROBOT_ADDRESS, "Ytterby kommun", "Kundfakturor", f"kundfakturor@{DOMAIN}"),
        mode=Mode.UNATTENDED,
        limits=NO_LIMITS,
        demands=load_demands(demands),
    )


def invoice(number: str) -> Invoice:
    """A posted invoice of ten days ago."""
    today = datetime.now(UTC).date()
    customer = Customer("1001", "Eks Bygg AB")
    issued, due = today - timedelta(days=10), today + timedelta(days=20)
    return Invoice(number, number, InvoiceState.POSTED, customer, issued, due, Money(Decimal(1250)))


def for_real(cache: Path) -> str:
    """The demo's mails with Tryton and an IMAP server."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        with _town(folder, cache) as found:
            waiting = Waiting()
            waiting.watch("finance system", found.ledger, ("find", "do", "done"))
            waiting.watch("mailbox", found.mailbox, ("waiting", "fetch", "file", "send", "has"))
            begun = time.perf_counter()
            tally = run_once(replace(found, limits=NO_LIMITS))
            seconds = time.perf_counter() - begun
            found.store.close()
    spent = waiting.seconds
    own = seconds - sum(spent.values())
    shares = ", ".join(f"{name} {100 * part / seconds:.0f} %" for name, part in spent.items())
    per_minute, own_share = 60 * tally.worked / seconds, 100 * own / seconds
    return f"| {tally.worked} with Tryton ({shares}) | {seconds:.1f} | {per_minute:.0f} | {own_share:.1f} % |"


@contextmanager
def _town(folder: Path, cache: Path) -> Iterator[Robot]:
    made = town(folder / "finance", cache, seed=DEFAULT_SEED, today=date.today())
    with post(ROBOT_ADDRESS) as mailbox, tryton(made.finance) as finance:
        for mail in made.mails:
            mailbox.deliver(mail.raw)
        yield robot(robot_folder(folder / "robot", mailbox, finance))


if __name__ == "__main__":
    main()
