"""`vardag invoices person` and `vardag invoices desk` as a person calls them."""

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from vardag.app.robots import database
from vardag.core.errors import ConfigError
from vardag.invoices import audit, settings
from vardag.invoices.commands.init import init
from vardag.invoices.persons import fits, hashed, register

PROGRAM = (sys.executable, "-c", "from vardag.app.cli import main; main()", "invoices")
WORD = "ett långt lösenord"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    init(tmp_path / "robot")
    return tmp_path / "robot"


def vardag(*arguments: str, said: str = "") -> subprocess.CompletedProcess[str]:
    """Run the program; `said` comes on its standard input."""
    return subprocess.run(
        [*PROGRAM, *arguments], capture_output=True, text=True, check=False, input=said, encoding="utf-8"
    )


def test_people_are_added_changed_listed_and_removed(folder: Path) -> None:
    name, robot = "Anna.Berg", str(folder)
    added = vardag("person", "add", name, robot, "--role", "caseworker", "--role", "owner", said=WORD + "\n")
    assert (added.returncode, added.stdout) == (0, "anna.berg: caseworker, owner\n")
    again = vardag("person", "add", name, robot, "--role", "owner", said=WORD)
    assert again.returncode == 6 and "is there already" in again.stderr
    assert vardag("person", "roles", name, robot, "--role", "auditor").stdout == "anna.berg: auditor\n"
    assert vardag("person", "password", name, robot, said="kort\n").returncode == 2
    assert vardag("person", "password", name, robot, said="ett annat lösenord\n").returncode == 0
    with database(folder).read() as tx:
        assert fits("ett annat lösenord", register.get(tx, "anna.berg").secret)
        told = json.dumps([entry.body for entry in audit.entries(tx)])
    assert "lösenord" not in told and '"person": "anna.berg"' in told
    assert vardag("person", "remove", name, robot).returncode == 0
    assert vardag("person", "list", robot).stdout == "anna.berg: removed\n"
    (listed,) = json.loads(vardag("person", "list", robot, "--json").stdout)
    assert listed == {"name": "anna.berg", "language": "sv", "active": False, "roles": []}
    assert vardag("person", "remove", "nobody", robot).returncode == 5
    assert vardag("person", "add", "bo", robot, "--role", "king", said=WORD).returncode == 2


def test_a_person_whom_the_citys_sign_in_vouches_for_has_no_password(folder: Path) -> None:
    assert vardag("person", "add", "bo", str(folder), "--role", "auditor", "--no-password").returncode == 0
    with database(folder).read() as tx:
        secret = register.get(tx, "bo").secret
    assert secret == "" and not fits("", secret) and not fits("x", secret)


def test_two_hashes_of_one_password_differ_and_both_fit() -> None:
    one, two = hashed(WORD), hashed(WORD)
    assert one != two and fits(WORD, one) and fits(WORD, two) and not fits(WORD + " ", one)
    assert not fits(WORD, "plain$" + WORD)


def test_the_desk_serves_until_it_is_told_to_stop(folder: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [*PROGRAM, "desk", str(folder), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        try:
            answer = asked(f"http://127.0.0.1:{port}/", running)
            assert answer.status_code == 200 and "Logga in" in answer.text
            assert "server" not in answer.headers
        finally:
            running.send_signal(signal.SIGINT)
            said, errors = running.communicate(timeout=30)
    assert f"The desk is at http://127.0.0.1:{port}/" in said and "vardag invoices person add" in said
    assert "Traceback" not in errors


def asked(url: str, running: subprocess.Popen[str]) -> httpx.Response:
    """Ask until the desk is there."""
    for _ in range(300):
        try:
            return httpx.get(url, follow_redirects=True, trust_env=False)
        except httpx.ConnectError:
            assert running.poll() is None
            time.sleep(0.1)
    raise AssertionError("the desk did not come up")


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.1", "desk.kommun.example", "::"])
def test_other_machines_are_not_served_in_the_clear(folder: Path, host: str) -> None:
    done = vardag("desk", str(folder), "--host", host)
    assert done.returncode == 6
    assert "Set desk.https = true and desk.hosts" in done.stderr


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('user_header = "X-Remote-User"', "user_header is believed from stated proxies only"),
        ('user_header = "X Remote"\nproxies = ["10.0.0.5"]', r"desk\.user_header: "),
        ('proxies = ["proxy.example"]', r"desk\.proxies\.0: "),
        ("port = 80", r"desk\.port: Extra inputs"),
    ],
)
def test_a_wrong_setting_of_the_desk_is_named(folder: Path, text: str, says: str) -> None:
    path = folder / "robot.toml"
    path.write_text(path.read_text(encoding="utf-8") + f"\n[desk]\n{text}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=says):
        settings.read(folder)
