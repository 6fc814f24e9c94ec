"""`vardag water check`: what is wrong with the data, and how much of the break log can be used."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vardag.core import db
from vardag.water.checks import CheckData, CheckResult, results_frame, run_checks
from vardag.water.commands.network import build_history
from vardag.water.commands.workspace import OnStep, Tables, Workspace, read_table, read_tables, workspace
from vardag.water.lof.port import POLICY
from vardag.water.schema import DELIVERED


@dataclass(frozen=True)
class Checked:
    """The checks' results in the city's language, and the survivorship of the log."""

    checks: list[CheckResult]
    survivorship: dict[str, Any]


def check(folder: Path, *, on_step: OnStep | None = None) -> Checked:
    """Check the loaded data of a city.

    Returns
    -------
    One result per named check, those without findings included; and per year how many breaks were logged, can be
    used on the register's pipes, and with the rebuilt retired pipes.
    """
    with workspace(folder, "water check", on_step=on_step) as work:
        with work.run.step("read"):
            tables = read_tables(work)
        results = check_tables(work, tables)
        history = build_history(work, tables)
    return Checked(results, history.survivorship)


def check_tables(work: Workspace, tables: Tables, *, language: str | None = None) -> list[CheckResult]:
    """Run the named checks and store their results, in the city's language unless another is given."""
    with work.run.step("check") as step:
        data = check_data(work, tables)
        results = run_checks(data, language=language or work.city.language)
        step.rows(rows_in=tables.pipes.height + tables.log.height)
    with db.transaction(work.connection):
        db.replace(work.connection, "check_result", results_frame(results))
    return results


def check_data(work: Workspace, tables: Tables) -> CheckData:
    """Gather what the checks look at: the pipes, the log, the quarantine and every other layer."""
    layers = {name: read_table(work.connection, name) for name in DELIVERED if name not in {"pipe", "break"}}
    return CheckData(
        pipes=tables.register,
        breaks=tables.log,
        quarantine=tables.quarantine,
        parameters=POLICY,
        record_start=tables.record_start,
        record_end=tables.record_end,
        layers=layers,
    )
