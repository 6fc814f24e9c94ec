"""`vardag invoices demo`: a town's finance system and mailbox on loopback, sixty mails, and the robot at work."""

import shutil
import time
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vardag.app.progress import progress
from vardag.app.words import words
from vardag.core.config import DEFAULT_SEED

if TYPE_CHECKING:
    from vardag.app.show_invoices import DemoRun
    from vardag.invoices.robot import Robot


def demo(
    folder: Annotated[Path, typer.Option(help=words("opt_invoices_demo_folder"))] = Path("demo-invoices"),
    seed: Annotated[int, typer.Option(help=words("opt_seed"))] = DEFAULT_SEED,
    as_json: Annotated[bool, typer.Option("--json", help=words("opt_json"))] = False,
    stay: Annotated[bool, typer.Option("--stay", help=words("opt_stay"))] = False,
) -> None:
    """Make the town, start its servers, let the robot work, and show what it did."""
    from vardag.app import show_invoices as show
    from vardag.app.robots import may_work, robot
    from vardag.demo.finance.server import tryton
    from vardag.demo.history import NAME as HISTORY
    from vardag.demo.history import history
    from vardag.demo.office import ROBOT_ADDRESS
    from vardag.demo.post.servers import post
    from vardag.demo.robot import robot_folder, town

    for part in ("finance", "post", "robot"):
        shutil.rmtree(folder / part, ignore_errors=True)
    with progress(quiet=as_json) as on_step:
        on_step("books", 0.0)
        made = town(folder / "finance", folder / "cache", seed=seed, today=date.today())
        history(folder / HISTORY, seed=seed, today=date.today())
        on_step("books", 1.0)
        with post(ROBOT_ADDRESS) as mailbox, tryton(made.finance) as finance:
            for mail in made.mails:
                mailbox.deliver(mail.raw)
            on_step("robot", 0.0)
            made_robot = robot(robot_folder(folder / "robot", mailbox, finance))
            may_work(made_robot, folder / "robot")
            run = _worked(made_robot, len(made.mails))
            on_step("robot", 1.0)
            shutil.copytree(mailbox.mail, folder / "post")
            show.demo(run, folder, as_json=as_json)
            if stay:
                show.staying(finance.url, mailbox.imap_port, folder / "robot")
                _until_stopped()


def _worked(found: "Robot", mails: int) -> "DemoRun":
    """Let the robot work, and look at what it did."""
    from vardag.app.show_invoices import DemoRun
    from vardag.invoices.commands import look
    from vardag.invoices.hours import evidence
    from vardag.invoices.robot import run_once

    begun = time.perf_counter()
    run_once(found)
    seconds = time.perf_counter() - begun
    store = found.store
    return DemoRun(look.report(store, evidence()), look.status(store), look.verify(store), mails, seconds)


def _until_stopped() -> None:
    try:
        while True:
            time.sleep(60)
    except KeyboardInterrupt:
        return
