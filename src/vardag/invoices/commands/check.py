"""`vardag invoices check`: what is missing before the robot can work, each with its cure."""

from dataclasses import dataclass
from pathlib import Path

from vardag.core.errors import VardagError
from vardag.invoices.answers import check_templates
from vardag.invoices.commands.look import verify
from vardag.invoices.commands.obstacles import ready_for
from vardag.invoices.process.obstacles import NAME as OBSTACLES
from vardag.invoices.robot import Mode, Robot


@dataclass(frozen=True)
class Finding:
    """Something that is missing or wrong, and where."""

    where: str
    says: str


def check(robot: Robot, folder: Path | None = None, *, language: str = "en") -> list[Finding]:
    """Ask mailbox and finance system, read the templates and prove the log; of a folder, the obstacles too."""
    found = [Finding("templates", f"{one.file}: {one.says}") for one in check_templates(robot.templates)]
    for where, ask in (("mailbox", robot.mailbox.check), ("ledger", robot.ledger.check)):
        try:
            found += [Finding(where, said) for said in ask()]
        except VardagError as error:
            found.append(Finding(where, str(error)))
    if not robot.allow_list and not robot.policy.customers_may_ask:
        found.append(Finding("allow-list", "nobody may ask for anything. Add a line to allow-list.yaml."))
    if not robot.sender.mail and robot.mode is not Mode.SHADOW:
        found.append(Finding("robot.toml", "answers name no way to reach a person. Set robot.mail."))
    if folder is not None:
        try:
            ready_for(robot.mode, folder, language=language)
        except VardagError as error:
            found.append(Finding(OBSTACLES, str(error)))
    proof = verify(robot.store)
    return found + [Finding("audit", f"entry {one.seq} {one.why}") for one in proof.broken]
