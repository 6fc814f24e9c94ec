"""`vardag invoices obstacles`: the register of a robot's folder, and the refusal to work alone while one blocks."""

import hashlib
from datetime import date
from pathlib import Path

import yaml

from vardag.core.errors import NotFoundError
from vardag.core.texts import Texts
from vardag.invoices import audit, store
from vardag.invoices.process.obstacles import (
    CURE,
    NAME,
    Obstacle,
    in_order,
    let_work_alone,
    packaged,
    read_obstacles,
)
from vardag.invoices.robot.desk import ACTOR, Mode
from vardag.invoices.store import Store

HEAD = Texts(Path(__file__).with_name("init.toml"))
NOTED = "obstacles_sha256"  # the register under which the robot worked alone last


def obstacles(folder: Path, *, language: str, today: date | None = None) -> list[Obstacle]:
    """The folder's register, what stops the robot first.

    Raises
    ------
    NotFoundError
        When there is none.
    """
    path = folder / NAME
    found = read_obstacles(path, today=today or date.today(), language=language)
    if found is None:
        raise NotFoundError(f"{path}: no register of obstacles, so nobody has looked. {CURE}")
    return in_order(found)


def ready_for(mode: Mode, folder: Path, *, language: str, found: Store | None = None) -> None:
    """Pass when the robot may work in this mode; what it passed by is noted in the audit log when it has changed.

    Raises
    ------
    RefusedError
        Unattended, while an obstacle blocks or there is no register.
    """
    if mode is not Mode.UNATTENDED:
        return
    path = folder / NAME
    register = read_obstacles(path, today=date.today(), language=language)
    let_work_alone(register, path)
    if found is not None and register:
        _note(found, register, hashlib.sha256(path.read_bytes()).hexdigest())


def _note(found: Store, register: tuple[Obstacle, ...], sha256: str) -> None:
    """Once for each register: its hash, and what was left open in it."""
    with found.begin() as tx:
        if store.get(tx, NOTED) == sha256:
            return
        store.put(tx, NOTED, sha256)
        left_open = [one.id for one in register if one.open]
        audit.append(tx, "obstacles passed", actor=ACTOR, register=sha256, of=len(register), left_open=left_open)


def example(language: str, *, today: date | None = None, path: Path | None = None) -> str:
    """A packaged register in one language, as a folder's own begins: a head of comments, and entries of today."""
    entries = yaml.safe_load((path or packaged()).read_text(encoding="utf-8"))
    plain = [
        {name: value[language] if isinstance(value, dict) else value for name, value in entry.items()}
        | {"date": today or date.today()}
        for entry in entries
    ]
    parts = [yaml.safe_dump([one], allow_unicode=True, sort_keys=False, width=110) for one in plain]
    return "\n".join([HEAD("obstacles", language).strip() + "\n", *parts])
