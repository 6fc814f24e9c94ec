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
import traceback
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

    def end(self, pid: int) -> None:
        """Wait until a robot has ended."""
        self._wait(pid, stopped=False)

    def stops(self, pid: int) -> bool:
        """Wait until a robot has stopped itself; False when it has ended instead."""
        return self._wait(pid, stopped=True) is None

    def _wait(self, pid: int, *, stopped: bool) -> int | None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps({"wait": pid, "stopped": stopped}) + "\n")
        self.process.stdin.flush()
        code: int | None = json.loads(self.process.stdout.readline())["code"]
        return code


@contextmanager
def runs() -> Iterator[Runs]:
    """Start the forking process and end it."""
    command = [sys.executable, "-W", "ignore", __file__]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Runs(process)
    finally:
        process.communicate(timeout=30)


def _serve() -> None:
    import vardag.invoices.ledger.tryton  # noqa: PLC0415
    import vardag.invoices.mailbox.imap  # noqa: F401, PLC0415
    from vardag.app import robots  # noqa: PLC0415 - imported once, for all children

    patterns = robots.load_patterns()  # read once too; the folder's are a copy of these
    robots.load_patterns = lambda *_: patterns  # type: ignore[assignment]
    for line in sys.stdin:
        order = json.loads(line)
        if "wait" in order:
            _, status = os.waitpid(order["wait"], os.WUNTRACED if order["stopped"] else 0)
            code = None if os.WIFSTOPPED(status) else os.waitstatus_to_exitcode(status)
            print(json.dumps({"code": code}), flush=True)
            continue
        pid = os.fork()
        if pid == 0:
            code = 70
            try:
                code = _child(order)
            except BaseException:  # noqa: BLE001 - a child must never go on as the parent
                traceback.print_exc()
            finally:
                os._exit(code)
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
    except ApplicationError as error:
        print(error, file=sys.stderr)
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
