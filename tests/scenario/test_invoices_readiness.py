"""`vardag invoices readiness` as a person calls it: from a log, a shadow run and a register to a verdict."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from offices import invoice, mail, office
from readiness_numbers import folder, log_file, shadow
from scenario.test_invoices_commands import vardag
from vardag.invoices.commands.evidence import work_of
from vardag.invoices.process.evidence import Decided, Share
from vardag.invoices.robot import Mode

COSTS = "run_other_per_year: {value: 0, unit: SEK, date: 2026-11-26, source: the city's own server}\n"


def judged(robot: Path, *arguments: str, **environment: str) -> dict[str, Any]:
    done = vardag("invoices", "readiness", str(robot), *arguments, "--json", **environment)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def states(found: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["state"] for one in found["criteria"]}


def test_a_verdict_with_page_and_numbers(tmp_path: Path) -> None:
    robot = folder(tmp_path / "robot")
    (robot / "readiness.yaml").write_text(COSTS, encoding="utf-8")
    shadow(robot, cancel=60, reject=20, refer=20)
    log = log_file(tmp_path / "log.csv", cases=600, days=60, ways=("abc", "abd"))
    found = judged(robot, "--log", str(log), "--out", str(tmp_path / "out"))
    assert found["verdict"] == "automate" and set(states(found).values()) == {"met"}
    assert found["numbers"]["minutes"]["origin"] == "clock"
    assert found["numbers"]["volume"]["cases"] == 600
    assert {flip["name"] for flip in found["flips"]} >= {"volume", "clear", "blocking", "errors_today"}
    page = (tmp_path / "out" / "readiness.html").read_text(encoding="utf-8")
    assert "Automate" in page and "What would change the verdict" in page and 'lang="en"' in page
    assert not re.search(r"(?:src|href)=|<script|https?://", page), "the page asks for nothing"
    assert json.loads((tmp_path / "out" / "readiness.json").read_text("utf-8"))["verdict"] == "automate"
    few = judged(robot, "--log", str(log_file(log, cases=36, days=60, ways=("abc", "abd"))))
    assert (few["verdict"], states(few)["worth"]) == ("leave", "fails")


def test_an_open_obstacle_that_blocks_is_mended_first(tmp_path: Path) -> None:
    robot = folder(tmp_path / "robot", cleared=False)
    shadow(robot, cancel=60, reject=20, refer=20)
    log = log_file(tmp_path / "log.csv", cases=600, ways=("abc", "abd"))
    found = judged(robot, "--log", str(log))
    assert found["verdict"] == "mend"
    assert [flip for flip in found["flips"] if flip["name"] == "blocking"] == [
        {"name": "blocking", "now": 8, "at": 0.0, "becomes": "automate"}
    ]
    shown = vardag("invoices", "readiness", str(robot), "--log", str(log), VARDAG_LANGUAGE="sv").stdout
    assert shown.startswith("Laga först.") and "Öppna hinder blockerar: legal-delegation" in shown
    assert "öppna hinder som blockerar 8: 0 eller mindre → automatisera" in shown


def test_a_routine_that_changes_while_it_is_looked_at_is_mended_first(tmp_path: Path) -> None:
    robot = folder(tmp_path / "robot")
    shadow(robot, cancel=60, reject=20, refer=20)
    log = log_file(tmp_path / "log.csv", cases=600, ways=("abc", "abd"), changes=True)
    found = judged(robot, "--log", str(log))
    assert (found["verdict"], states(found)["drift"]) == ("mend", "fails")


def test_from_nothing_comes_no_verdict(tmp_path: Path) -> None:
    robot = folder(tmp_path / "robot")
    (robot / "obstacles.yaml").unlink()
    found = judged(robot)
    assert found["verdict"] == "unknown" and found["criteria"] == [] and found["flips"] == []
    assert list(found["missing"]) == ["no_log", "no_decisions", "no_register"]
    shown = vardag("invoices", "readiness", str(robot)).stdout
    for words in ("Cannot be said", "Give one with --log", "Run it in shadow", "obstacles --example"):
        assert words in shown


@pytest.mark.parametrize(
    ("log", "why"),
    [
        ({"cases": 1}, "single_case"),
        ({"cases": 12}, "few_cases"),
        ({"cases": 60, "days": 10}, "short"),
        ({"cases": 60, "ways": ("a",)}, "one_step"),
    ],
)
def test_from_too_little_comes_none_either(tmp_path: Path, log: dict[str, Any], why: str) -> None:
    robot = folder(tmp_path / "robot")
    shadow(robot, cancel=60, reject=20, refer=20)
    found = judged(robot, "--log", str(log_file(tmp_path / "log.csv", **log)))
    assert found["verdict"] == "unknown" and list(found["missing"]) == [why]


def test_few_decisions_and_those_of_earlier_rules_are_too_little(tmp_path: Path) -> None:
    robot = folder(tmp_path / "robot")
    shadow(robot, cancel=60, reject=20, refer=20, rules="2026.1-old")
    shadow(robot, cancel=10, rules="2026.1-new")
    found = judged(robot, "--log", str(log_file(tmp_path / "log.csv")))
    assert found["missing"] == {"few_decisions": {"decisions": 10, "few": 40}}
    assert found["behind"]["older"] == 100 and found["year"] is None


def test_clocks_that_disagree_give_no_verdict(tmp_path: Path) -> None:
    """Every third case stands with its last step first in the file."""
    robot = folder(tmp_path / "robot")
    shadow(robot, cancel=60, reject=20, refer=20)
    log = log_file(tmp_path / "log.csv", cases=90)
    head, *rows = log.read_text(encoding="utf-8").splitlines()
    mixed = [row for case in range(0, len(rows), 3) for row in _turned(rows[case : case + 3], case)]
    log.write_text("\n".join([head, *mixed]) + "\n", encoding="utf-8")
    found = judged(robot, "--log", str(log))
    assert found["verdict"] == "unknown"
    assert found["missing"]["doubtful"] == {"share": pytest.approx(1 / 3), "most": 0.1}
    assert (
        "33.3 % of the log is set aside, or its clocks disagree"
        in vardag("invoices", "readiness", str(robot), "--log", str(log)).stdout
    )


def _turned(rows: list[str], case: int) -> list[str]:
    return rows if case % 9 else [rows[2], rows[0], rows[1]]


@pytest.mark.parametrize("mode", [Mode.SHADOW, Mode.UNATTENDED])
def test_a_real_run_is_counted_as_it_was_decided(tmp_path: Path, mode: Mode) -> None:
    """One that is settled, one rejected, one for a person, and an automatic reply, which is no request."""
    mails = [
        mail("Hej! Makulera faktura 1234567. Fel mottagare.", number=1),
        mail("Hej! Makulera faktura 9999999. Fel mottagare.", number=2),
        mail("Hej! Makulera kanske faktura 1234568, om det går?", number=3),
        mail("Jag är på semester.", subject="Autosvar", number=4, Auto_Submitted="auto-replied"),
    ]
    made = office(tmp_path, [invoice("1234567"), invoice("1234568")], mails, mode=mode)
    made.work()
    found = work_of(made.log)
    assert found.decided == Decided(1, 1, 1), found.codes
    assert found.faults == Share(0, 3) and len(found.came) == 3 and found.older == 0
    assert work_of(made.log, "another").decided == Decided(0, 0, 0)


def test_what_cannot_be_read_ends_with_what_was_found(tmp_path: Path) -> None:
    nowhere = vardag("invoices", "readiness", str(tmp_path / "none"))
    assert nowhere.returncode == 5 and "vardag invoices init" in nowhere.stderr
    robot = folder(tmp_path / "robot")
    gone = vardag("invoices", "readiness", str(robot), "--log", str(tmp_path / "gone.csv"))
    assert gone.returncode == 2 and "is no file" in gone.stderr
    (robot / "readiness.yaml").write_text("hourly_cost: {value: much, unit: SEK, date: 2026-11-26, source: us}\n")
    wrong = vardag("invoices", "readiness", str(robot))
    assert wrong.returncode == 3 and "hourly_cost is 'much', expected a number of 0 or more" in wrong.stderr
