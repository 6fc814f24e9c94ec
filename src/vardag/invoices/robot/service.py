"""Rounds of work: once, or as a service that waits for mail."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

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
            with _heartbeat(robot) as hand:
                while not (stop and stop.is_set()) and (item := _reserve(robot)):
                    hand.item = item.id
                    held_back = work(robot, item) or held_back
                    hand.item = None
                    worked += 1
        except PausedError as error:
            return Tally(taken_in, worked, str(error))
    return Tally(taken_in, worked, held_back)


def serve(
    robot: Robot, stop: threading.Event, *, poll_s: float = 60.0, may_work: Callable[[], None] = lambda: None
) -> None:
    """Work until told to stop; wait for mail between rounds, and longer after a fault.

    Parameters
    ----------
    may_work
        Called before each round; ends the service with its error where the robot may not work any more.
    """
    while not stop.is_set():
        may_work()
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


@dataclass
class _Hand:
    """The work item that a robot has in hand."""

    item: int | None = None


@contextmanager
def _heartbeat(robot: Robot) -> Iterator[_Hand]:
    """Renew the lease of the item in hand, however long the finance system takes."""
    hand, done = _Hand(), threading.Event()

    def beat() -> None:
        while not done.wait(robot.lease.total_seconds() / 3):
            if number := hand.item:
                _renew(robot, number)

    thread = threading.Thread(target=beat, name=f"heartbeat of {robot.name}", daemon=True)
    thread.start()
    try:
        yield hand
    finally:
        done.set()
        thread.join()


def _renew(robot: Robot, number: int) -> None:
    try:
        with robot.store.begin() as tx:
            robot.hold(tx, number)
    except LeaseLostError:
        pass  # it was settled just now, or another robot has it: whoever works on it finds out before it acts
    except sa.exc.DBAPIError as error:
        LOG.warning("the lease of work item %s was not renewed: %s", number, error.orig)  # the next beat may do it
