"""`vardag invoices obstacles`, and a robot that does not work alone while one blocks, as a person meets them."""

import json
import threading
from pathlib import Path

import pytest
import yaml

from offices import invoice, mail, office
from scenario.test_invoices_commands import vardag
from vardag.app.robots import database
from vardag.core.errors import RefusedError
from vardag.invoices import audit
from vardag.invoices.commands.init import init
from vardag.invoices.commands.obstacles import NAME, ready_for
from vardag.invoices.robot import Mode, serve

PASSWORDS = {"VARDAG_MAIL_PASSWORD": "x", "VARDAG_LEDGER_PASSWORD": "x", "VARDAG_OFFLINE": "1"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    init(tmp_path / "robot", language="en")
    return tmp_path / "robot"


def clear(folder: Path) -> None:
    """Mark every obstacle as removed."""
    entries = yaml.safe_load((folder / NAME).read_text(encoding="utf-8"))
    done = [entry | {"status": "removed", "evidence": "decision 14 §"} for entry in entries]
    (folder / NAME).write_text(yaml.safe_dump(done, allow_unicode=True), encoding="utf-8")


def test_the_register_is_listed(folder: Path) -> None:
    shown = vardag("invoices", "obstacles", str(folder))
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith("14 obstacles: 14 open, 8 of them blocking unattended work.")
    assert shown.stdout.index("BLOCKING") < shown.stdout.index("legal-documents")
    rows = json.loads(vardag("invoices", "obstacles", str(folder), "--json").stdout)
    assert [row["blocking"] for row in rows] == [True] * 8 + [False] * 6
    swedish = vardag("invoices", "obstacles", str(folder), VARDAG_LANGUAGE="sv").stdout
    assert "BLOCKERAR  juridiskt  legal-delegation" in swedish


def test_the_example_is_printed_to_begin_from(folder: Path) -> None:
    printed = vardag("invoices", "obstacles", "--example", VARDAG_LANGUAGE="sv").stdout
    (folder / NAME).write_text(printed, encoding="utf-8")
    assert vardag("invoices", "obstacles", str(folder)).returncode == 0
    (folder / NAME).unlink()
    gone = vardag("invoices", "obstacles", str(folder))
    assert gone.returncode == 5 and "nobody has looked" in gone.stderr


def test_unattended_is_refused_by_option_and_by_setting(folder: Path) -> None:
    asked = vardag("invoices", "run", str(folder), "--mode", "unattended", "--once", **PASSWORDS)
    assert asked.returncode == RefusedError.exit_code
    assert "8 open obstacles block unattended work" in asked.stderr
    assert "owner: Municipal lawyer" in asked.stderr and "remedy: A written opinion" in asked.stderr
    path = folder / "robot.toml"
    path.write_text(path.read_text("utf-8").replace('mode = "shadow"', 'mode = "unattended"'), encoding="utf-8")
    assert vardag("invoices", "run", str(folder), "--once", **PASSWORDS).returncode == RefusedError.exit_code
    assert "8 open obstacles block" in vardag("invoices", "check", str(folder), **PASSWORDS).stdout
    (folder / NAME).unlink()
    none = vardag("invoices", "run", str(folder), "--once", **PASSWORDS)
    assert none.returncode == RefusedError.exit_code and "nobody has looked" in none.stderr


def test_nothing_is_refused_in_shadow_or_once_all_is_removed(folder: Path) -> None:
    """The mailbox does not exist, so a run that is let through ends there (exit code 8)."""
    (folder / NAME).unlink()
    assert vardag("invoices", "run", str(folder), "--mode", "shadow", "--once", **PASSWORDS).returncode == 8
    init(folder, language="en", replace=True)
    clear(folder)
    for _ in range(2):
        passed = vardag("invoices", "run", str(folder), "--mode", "unattended", "--once", **PASSWORDS)
        assert passed.returncode == 8, passed.stderr
    store = database(folder)
    with store.read() as tx:
        noted = [entry for entry in audit.entries(tx) if entry.event == "obstacles passed"]
    store.close()
    assert [(entry.body["of"], entry.body["left_open"]) for entry in noted] == [(14, [])]


def test_an_obstacle_noted_while_it_works_ends_the_service(folder: Path, tmp_path: Path) -> None:
    clear(folder)
    made = office(tmp_path, [invoice("1234567")], [mail("Hej! Makulera faktura 1234567. Fel mottagare.")])

    def may_work() -> None:
        ready_for(Mode.UNATTENDED, folder, language="en", found=made.robot.store)
        if made.mailbox.sent:
            init(folder, language="en", replace=True)
            ready_for(Mode.UNATTENDED, folder, language="en", found=made.robot.store)

    with pytest.raises(RefusedError, match="8 open obstacles"):
        serve(made.robot, threading.Event(), poll_s=0.0, may_work=may_work)
    assert len(made.mailbox.sent) == 1
