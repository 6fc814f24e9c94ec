"""Rounds of work: once, or as a service that waits for mail."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from vardag.invoices import brakes, workitems
from vardag.invoices.brakes import PausedError
from vardag.invoices.model import ApplicationError
from vardag.invoices.robot.desk import Robot
from vardag.invoices.robot.filing import file_settled
from vardag.invoices.robot.intake import take_in
from vardag.invoices.robot.work import work
from vardag.invoices.workitems import Item, LeaseLostError

LOG = logging.getLogger(__name__)
AFTER_FAULT_S = 30.0


@dataclass(frozen=True)
class Tally:
    """What a round did: items taken in, items worked on, and why some were held back."""

    taken_in: int
    worked: int
    held_back: str = ""


def run_once(robot: Robot, stop: threading.Event | None = None) -> Tally:
    """Take in what has come and work until nothing is due, again until nothing new has come meanwhile.

    Raises
    ------
    ApplicationError
        When the mailbox cannot be reached; what was taken in before is kept.
    """
    taken_in, worked, held_back, new = 0, 0, "", 1
    file_settled(robot)
    while new and not (stop and stop.is_set()):
        new = take_in(robot)
        taken_in += new
        try:
            while not (stop and stop.is_set()) and (item := _reserve(robot)):
                with _heartbeat(robot, item):
                    held_back = work(robot, item) or held_back
                worked += 1
        except PausedError as error:
            return Tally(taken_in, worked, str(error))
    return Tally(taken_in, worked, held_back)


def serve(robot: Robot, stop: threading.Event, *, poll_s: float = 60.0) -> None:
    """Work until told to stop; wait for mail between rounds, and longer after a fault."""
    while not stop.is_set():
        try:
            tally = run_once(robot, stop)
            if tally.held_back:
                LOG.warning("%s", tally.held_back)
                stop.wait(poll_s)
            else:
                robot.mailbox.wait(poll_s)
        except ApplicationError as error:
            LOG.warning("%s", error)
            stop.wait(AFTER_FAULT_S)


def _reserve(robot: Robot) -> Item | None:
    """Take the next item that is due, unless the brakes are on."""
    robot.at_step("reserve")
    with robot.store.begin() as tx:
        brakes.let_pass(tx)
        item = workitems.reserve(tx, robot=robot.name, now=robot.now(), lease=robot.lease)
        if item is not None:
            robot.note(tx, "reserved", item.id, tries=item.tries)
    return item


@contextmanager
def _heartbeat(robot: Robot, item: Item) -> Iterator[None]:
    """Renew the lease while the item is worked on, however long the finance system takes."""
    done = threading.Event()

    def beat() -> None:
        while not done.wait(robot.lease.total_seconds() / 3):
            try:
                with robot.store.begin() as tx:
                    robot.hold(tx, item.id)
            except LeaseLostError:
                return

    thread = threading.Thread(target=beat, name=f"heartbeat of work item {item.id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
