"""`vardag invoices ...` as a person calls it: the folder, its errors, and the demo from end to end."""

import json
import os
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from servers.tryton import CACHE, require
from vardag.app.robots import database, robot
from vardag.core.errors import ConfigError, NotFoundError, RefusedError
from vardag.core.secret import secret
from vardag.demo.office import MAILS
from vardag.invoices import settings, workitems
from vardag.invoices.commands.init import FILES, init

VARDAG = Path(sys.executable).with_name("vardag")


def vardag(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the program."""
    env = {**os.environ, "VARDAG_LANGUAGE": "en", **environment}
    return subprocess.run([VARDAG, *arguments], capture_output=True, text=True, check=False, env=env)


@pytest.fixture(params=["sv", "en"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    init(tmp_path / "robot", language=request.param)
    return tmp_path / "robot"


def test_a_new_folder_can_be_read_and_is_in_shadow(folder: Path) -> None:
    found = settings.read(folder)
    assert (found.robot.mode, found.mailbox.kind, found.ledger.kind) == ("shadow", "imap", "tryton")
    made = robot(folder)
    assert made.mode == "shadow"
    assert made.allow_list == ()
    made.store.close()


def test_two_robots_alike_have_names_of_their_own(folder: Path) -> None:
    """Containers may share host name and process number; a name that two have would let both hold an item."""
    both = [robot(folder), robot(folder)]
    assert len({one.name for one in both}) == 2
    for one in both:
        one.store.close()


def test_init_keeps_what_is_there(folder: Path) -> None:
    with pytest.raises(RefusedError, match=r"holds robot\.toml, .* already\. Write them anew with --replace"):
        init(folder)
    assert len(init(folder, replace=True)) == len(FILES) + 2


def test_without_a_folder_the_cure_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"Write one with: vardag invoices init"):
        settings.read(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            'mode = "shadow"',
            'mode = "alone"',
            r"robot\.mode: .*'shadow', 'attended' or 'unattended'.*found 'alone'",
        ),
        ("port = 993", "port = 99300", r"mailbox\.imap\.port: .*less than or equal to 65535.*found 99300"),
        ("per_hour = 60", "per_hour = -1", r"brakes\.per_hour: .*found -1"),
        ("[brakes]", "[breaks]", r"breaks: Extra inputs are not permitted"),
        ("[brakes]", "[brakes", r"robot\.toml: "),
    ],
)
def test_a_wrong_setting_is_named_with_what_was_expected(tmp_path: Path, old: str, new: str, says: str) -> None:
    init(tmp_path)
    path = tmp_path / "robot.toml"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ConfigError, match=says):
        settings.read(tmp_path)


def test_a_password_written_as_a_setting_is_refused_and_not_repeated(tmp_path: Path) -> None:
    init(tmp_path)
    path = tmp_path / "robot.toml"
    path.write_text(path.read_text().replace("env:VARDAG_MAIL_PASSWORD", "hemligt123"))
    with pytest.raises(ConfigError, match=r"mailbox\.imap\.secret: ") as error:
        settings.read(tmp_path)
    assert "hemligt123" not in str(error.value)


def test_secrets_come_from_the_environment_and_from_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VARDAG_TEST_WORD", "ett")
    assert secret("env:VARDAG_TEST_WORD")() == "ett"
    path = tmp_path / "word"
    path.write_text("två\n")
    path.chmod(stat.S_IRUSR | stat.S_IWUSR)
    assert secret("file:word", folder=tmp_path)() == "två"
    path.chmod(0o644)
    with pytest.raises(ConfigError, match=r"others may read this secret\. Mend it with: chmod 600"):
        secret("file:word", folder=tmp_path)()
    with pytest.raises(NotFoundError, match=r"the environment has no VARDAG_NOT_SET"):
        secret("env:VARDAG_NOT_SET")()
    with pytest.raises(NotFoundError, match=r"cannot be read"):
        secret("file:nowhere", folder=tmp_path)()
    with pytest.raises(ConfigError, match=r"it is never the secret itself"):
        secret("hemligt123")


def test_the_keyring_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    import keyring  # noqa: PLC0415
    from keyring.backend import KeyringBackend  # noqa: PLC0415

    class InMemory(KeyringBackend):
        priority = 1  # type: ignore[assignment]

        def get_password(self, service: str, username: str) -> str | None:
            return {("vardag", "robot"): "tre"}.get((service, username))

        def set_password(self, service: str, username: str, password: str) -> None:
            raise NotImplementedError

    monkeypatch.setattr("keyring.core._keyring_backend", InMemory())
    assert keyring.get_keyring().__class__ is InMemory
    assert secret("keyring:vardag/robot")() == "tre"
    with pytest.raises(NotFoundError, match=r"the keyring has nothing for anna at vardag"):
        secret("keyring:vardag/anna")()


def test_people_pause_and_resume_on_the_command_line(folder: Path) -> None:
    assert "Paused" in vardag("invoices", "pause", str(folder), "--reason", "new rules", "--by", "anna").stdout
    assert json.loads(vardag("invoices", "status", str(folder), "--json").stdout)["paused"]["by"] == "anna"
    assert vardag("invoices", "resume", str(folder)).returncode == 0
    assert json.loads(vardag("invoices", "status", str(folder), "--json").stdout)["paused"] is None
    assert "The log holds: 2 entries" in vardag("invoices", "verify", str(folder)).stdout


def test_check_names_what_is_missing(folder: Path) -> None:
    done = vardag(
        "invoices", "check", str(folder), VARDAG_MAIL_PASSWORD="x", VARDAG_LEDGER_PASSWORD="x", VARDAG_OFFLINE="1"
    )
    assert done.returncode == 1
    assert "nobody may ask for anything" in done.stdout
    assert "ledger" in done.stdout


def test_minutes_of_an_outcome_that_does_not_exist_are_refused(folder: Path) -> None:
    wrong = 'cancelled_alon_baseline: {value: 9, unit: min, date: 2026-11-26, source: "measured"}'
    (folder / "minutes.yaml").write_text(wrong)
    done = vardag("invoices", "report", str(folder))
    assert done.returncode == ConfigError.exit_code
    assert "unknown cancelled_alon_baseline. Known: answer_hours_before" in " ".join(done.stderr.split())


def test_mails_are_deleted_on_the_command_line(folder: Path) -> None:
    done = vardag("invoices", "delete-mails", str(folder), "--before", "2026-01-01", "--by", "anna")
    assert done.stdout == "0 mails deleted.\n"


def test_an_unknown_item_ends_with_its_exit_code(folder: Path) -> None:
    done = vardag("invoices", "show", "99", str(folder))
    assert done.returncode == NotFoundError.exit_code
    assert "no work item 99" in done.stderr


def test_the_demo_from_end_to_end(tmp_path: Path) -> None:
    require()
    made = tmp_path / "demo"
    made.mkdir()
    CACHE.mkdir(exist_ok=True)
    (made / "cache").symlink_to(CACHE)
    done = vardag("invoices", "demo", "--folder", str(made), "--json")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts["mails"] == MAILS.read_text(encoding="utf-8").count("[[mail]]") == 60
    assert facts["failed"] == 0
    assert facts["holds"]
    assert facts["cancelled"] + facts["rejected"] + facts["waiting"] + facts["ignored"] == facts["items"]
    assert facts["hours"] > 0
    credited, wrong = _credited(made)
    assert credited == facts["cancelled"] >= 20
    assert wrong == []
    for words in (("report",), ("status",), ("verify",), ("show", "1")):
        shown = vardag("invoices", *words, str(made / "robot"))
        assert shown.returncode == 0, shown.stderr
    assert "Sparade timmar" in vardag("invoices", "report", str(made / "robot"), VARDAG_LANGUAGE="sv").stdout
    assert len(list((made / "post").glob("*/Maildir/new/*"))) > facts["cancelled"]


def _credited(made: Path) -> tuple[int, list[str]]:
    """Items that were cancelled, and those among them that no careful person would have cancelled."""
    rows = tomllib.loads(MAILS.read_text(encoding="utf-8"))["mail"]
    store = database(made / "robot")
    with store.read() as tx:
        items = workitems.listed(tx, workitems.State.DONE)
    store.close()
    done = [item for item in items if item.decision and item.decision["action"] == "cancel"]
    return len(done), [item.key for item in done if rows[int(item.mail[:3]) - 1]["expect"] != "cancel"]
