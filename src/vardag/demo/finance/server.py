"""Tryton on a loopback port: its books made once and copied, its server started by us and ended by process id."""

import hashlib
import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date
from decimal import Decimal
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from vardag.core.errors import NotFoundError, VardagError
from vardag.demo.finance.books import MODULES, Entry, Party
from vardag.demo.post.ports import LOOPBACK, await_port, free_port

DATABASE = "vardag"
ROBOT = "vardag"
START_S = 60.0
RECIPE = Path(__file__).with_name("books.py")
CONFIGURATION = """
[database]
uri = {uri}
path = {folder}
[web]
listen = {host}:{port}
root = {web}
[session]
authentications = password
max_attempt = 100000
"""


@dataclass(frozen=True)
class Finance:
    """Books of a town on disk, and the robot's password to them."""

    folder: Path
    password: str
    uri: str = "sqlite://"
    database: str = DATABASE

    def copy(self, folder: Path) -> "Finance":
        """The same books elsewhere."""
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy2(self.folder / f"{self.database}.sqlite", folder)
        return replace(self, folder=folder)


@dataclass(frozen=True)
class Running:
    """A running server."""

    url: str
    finance: Finance
    process: subprocess.Popen[bytes]


def require_tryton() -> str:
    """Version of the installed Tryton.

    Raises
    ------
    NotFoundError
        When it is not installed; it is GPL, so it comes with an extra.
    """
    try:
        return version("trytond-account-invoice")
    except PackageNotFoundError:
        raise NotFoundError("Tryton is not installed. Install it with: pip install 'vardag[demo]'") from None


def books(cache: Path, *, today: date, uri: str = "sqlite://", database: str = DATABASE) -> Finance:
    """Empty books of a town, made once and kept in the cache folder: SQLite's are a file to copy."""
    recipe = hashlib.sha256(RECIPE.read_bytes()).hexdigest()[:8]
    made = cache / f"tryton-{require_tryton()}-{today.year}-{recipe}"
    words = made / "password"
    finance = Finance(made, words.read_text() if words.exists() else secrets.token_urlsafe(24), uri, database)
    if words.exists() and uri.startswith("sqlite"):
        return finance
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    configuration = _configured(finance, free_port())
    if uri.startswith("sqlite"):
        (made / f"{database}.sqlite").touch()
    _admin(configuration, database)
    _ask(finance, configuration, task="make", today=today.isoformat())
    words.write_text(finance.password)
    words.chmod(0o600)
    return finance


def fill(finance: Finance, parties: Sequence[Party], entries: Sequence[Entry]) -> list[Entry]:
    """Write customers and invoices into books that no server has open; gives the invoices back, with numbers."""
    told = _ask(
        finance,
        _configured(finance, free_port()),
        task="write",
        parties=[asdict(party) for party in parties],
        entries=[asdict(entry) for entry in entries],
    )
    return [entry_of(row) for row in json.loads(told)]


def entry_of(row: Mapping[str, Any]) -> Entry:
    """An invoice from its JSON."""
    return Entry(**{**row, "net": Decimal(row["net"]), "issued": date.fromisoformat(row["issued"])})


@contextmanager
def tryton(finance: Finance, *, port: int | None = None, web: Path | None = None) -> Iterator[Running]:
    """Start the server and end it; with the folder of Tryton's web client it serves that too."""
    port = port or free_port()
    configuration = _configured(finance, port, web)
    with (finance.folder / "trytond.log").open("ab") as log:
        process = subprocess.Popen(
            [_program("trytond"), "-c", str(configuration), "-d", finance.database], stdout=log, stderr=log
        )
    try:
        await_port(port, f"Tryton (see {finance.folder / 'trytond.log'})", seconds=START_S)
        yield Running(f"http://{LOOPBACK}:{port}", finance, process)
    finally:
        process.terminate()
        process.wait(timeout=START_S)


def _configured(finance: Finance, port: int, web: Path | None = None) -> Path:
    path = finance.folder / f"trytond-{port}.conf"
    told = {"uri": finance.uri, "folder": finance.folder, "host": LOOPBACK, "port": port, "web": web or ""}
    path.write_text(CONFIGURATION.format(**told))
    return path


def _admin(configuration: Path, database: str) -> None:
    """Make the tables and activate the modules; nobody knows the administrator's password afterwards."""
    words = configuration.with_name("administrator")
    words.write_text(secrets.token_urlsafe(24))
    command = [_program("trytond-admin"), "-c", str(configuration), "-d", database, "--activate-dependencies"]
    _run(
        [*command, "-u", *MODULES, "--email", "admin@ytterby.example"],
        env={**os.environ, "TRYTONPASSFILE": str(words)},
        what="Tryton's tables",
    )
    words.unlink()


def _ask(finance: Finance, configuration: Path, **order: Any) -> str:
    told = {"database": finance.database, "configuration": str(configuration), **order}
    env = {**os.environ, "VARDAG_DEMO_PASSWORD": finance.password}
    command = [sys.executable, "-m", "vardag.demo.finance.books"]
    found = _run(command, env=env, what="Tryton's books", text=json.dumps(told, default=str))
    configuration.unlink()
    return found


def _run(command: list[str], *, env: Mapping[str, str], what: str, text: str = "") -> str:
    done = subprocess.run(command, env=dict(env), input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise VardagError(f"{what} could not be made: {last}")
    return done.stdout


def _program(name: str) -> str:
    """A program of the environment that runs us."""
    return str(Path(sys.executable).with_name(name))
