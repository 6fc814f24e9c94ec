"""A process that forks robots on demand, so that one can be killed, stopped or left alone without a fresh start.

It imports the robot once and has no threads of its own when it forks. Orders come as JSON lines on standard input
and are answered with the child's process id; the child ends by itself, or by the signal it was told to give itself.
"""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

LEASE, SETTLE, PATIENCE_S = timedelta(seconds=1.5), timedelta(seconds=0.6), 4.0


@dataclass(frozen=True)
class Runs:
    """The forking process."""

    process: subprocess.Popen[str]

    def begin(self, folder: Path, **order: Any) -> int:
        """Start a robot on a folder; returns its process id.

        ``stop_at`` and ``signal`` say at which step it signals itself, ``kill_after_s`` when after its step
        ``cancel`` it is killed in the middle of a call.
        """
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps({"folder": str(folder), **order}) + "\n")
        self.process.stdin.flush()
        return int(json.loads(self.process.stdout.readline())["pid"])

    def end(self, pid: int) -> int:
        """Wait until a robot has ended; returns what `os.waitstatus_to_exitcode` makes of it."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps({"wait": pid}) + "\n")
        self.process.stdin.flush()
        return int(json.loads(self.process.stdout.readline())["code"])


@contextmanager
def runs() -> Iterator[Runs]:
    """Start the forking process and end it."""
    command = [sys.executable, "-W", "ignore", __file__]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Runs(process)
    finally:
        assert process.stdin
        process.stdin.close()
        process.wait(timeout=30)


def _serve() -> None:
    import vardag.app.robots  # noqa: F401, PLC0415 - imported once, for all children
    import vardag.invoices.ledger.tryton  # noqa: F401, PLC0415
    import vardag.invoices.mailbox.imap  # noqa: F401, PLC0415

    for line in sys.stdin:
        order = json.loads(line)
        if "wait" in order:
            _, status = os.waitpid(order["wait"], os.WUNTRACED if order.get("stopped") else 0)
            print(json.dumps({"code": os.waitstatus_to_exitcode(status)}), flush=True)
            continue
        pid = os.fork()
        if pid == 0:
            os._exit(_child(order))
        print(json.dumps({"pid": pid}), flush=True)


def _child(order: dict[str, Any]) -> int:
    """One robot, one round."""
    from vardag.app.robots import robot  # noqa: PLC0415
    from vardag.invoices.ledger.tryton import Tryton  # noqa: PLC0415
    from vardag.invoices.model import ApplicationError  # noqa: PLC0415
    from vardag.invoices.robot import run_once  # noqa: PLC0415
    from vardag.invoices.workitems import Retries  # noqa: PLC0415

    sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - the parent's answers go there
    found = robot(Path(order["folder"]))
    assert isinstance(found.ledger, Tryton)
    found.ledger.server._http.timeout = PATIENCE_S
    found = replace(
        found,
        lease=LEASE,
        settle=SETTLE,
        retries=Retries(tries=30, first_s=0.05, factor=1.2, most_s=0.4),
        at_step=lambda step: _at(order, step),
    )
    try:
        run_once(found)
    except ApplicationError:
        return 3
    return 0


def _at(order: dict[str, Any], step: str) -> None:
    if order.get("stop_at") == step:
        os.kill(os.getpid(), getattr(signal, order.get("signal", "SIGKILL")))
    if order.get("kill_after_s") is not None and step == "cancel":
        threading.Thread(target=_killed, args=(order["kill_after_s"],), daemon=True).start()


def _killed(seconds: float) -> None:
    time.sleep(seconds)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    random.seed(0)
    _serve()
