"""A real PostgreSQL with PostGIS, started by the tests on loopback and ended by its process id."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg
import pytest

BINARIES = Path("/usr/lib/postgresql")
UNSAFE_AND_FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "timezone": "America/St_Johns",  # far from the cities', so that a clock that is not UTC shows
}
_numbers = count(1)


@dataclass(frozen=True)
class PostGIS:
    """A running server; ``superuser`` may log in from loopback without a password, others need theirs."""

    port: int
    pid: int
    template: str = "template_vardag"

    def url(self, database: str, user: str = "postgres") -> str:
        """Address of a database, for a user."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def fresh(self) -> str:
        """Make a database with PostGIS and return its address."""
        name = f"vardag_{os.getpid()}_{next(_numbers)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE {self.template}')
        return self.url(name)


def binaries() -> Path | None:
    """Folder of initdb and postgres; None where PostgreSQL or PostGIS is not installed."""
    found = sorted(BINARIES.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).resolve().parent if on_path else None


def require() -> Path:
    """Folder of the server's programs; without it the test is skipped by name, in CI it fails."""
    folder = binaries()
    if folder is not None:
        return folder
    message = "postgis: PostgreSQL with PostGIS is not installed (apt-get install postgresql postgis)"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


@contextmanager
def running(programs: Path) -> Iterator[PostGIS]:
    """Start a server in a temporary folder and end it."""
    folder = Path(tempfile.mkdtemp(prefix="vardag-postgis-"))
    as_server = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if as_server:
        shutil.chown(folder, "postgres")
    data = folder / "data"
    _run([*as_server, str(programs / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8",
          "--locale=C.UTF-8", "-N"], cwd=folder)  # fmt: skip
    _let_in(data)
    port = _free_port()
    settings = [f"--{name}={value}" for name, value in UNSAFE_AND_FAST.items()]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [*as_server, str(programs / "postgres"), "-D", str(data), "-p", str(port), "-k", str(folder),
             "-c", "listen_addresses=127.0.0.1", *settings],
            cwd=folder, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            yield _ready(server, port, folder)
        finally:
            _end(server, data)
            shutil.rmtree(folder, ignore_errors=True)


def _let_in(data: Path) -> None:
    """The superuser is trusted on loopback; everybody else shows a password."""
    rules = "host all postgres 127.0.0.1/32 trust\nlocal all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
    (data / "pg_hba.conf").write_text(rules)


def _ready(server: "subprocess.Popen[bytes]", port: int, folder: Path) -> PostGIS:
    """Wait until the server answers, and make the template with PostGIS once."""
    postgis = PostGIS(port, server.pid)
    until = time.monotonic() + 30
    while True:
        try:
            with psycopg.connect(postgis.url("postgres"), autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {postgis.template}")
            break
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > until:
                raise RuntimeError((folder / "log").read_text()[-2000:]) from None
            time.sleep(0.05)
    with psycopg.connect(postgis.url(postgis.template), autocommit=True) as connection:
        connection.execute("CREATE EXTENSION postgis")
    return postgis


def _end(server: "subprocess.Popen[bytes]", data: Path) -> None:
    """A fast shutdown, by the pid that the server itself wrote (runuser stands between)."""
    pid_file = data / "postmaster.pid"
    if pid_file.exists():
        os.kill(int(pid_file.read_text().split()[0]), 2)
    server.wait(timeout=30)


def _run(command: list[str], *, cwd: Path) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stderr.decode()[-2000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
