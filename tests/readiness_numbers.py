"""Numbers of a routine that is ready, to be changed one at a time; and logs, folders and shadow runs to judge."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from vardag.app.robots import database
from vardag.invoices import audit
from vardag.invoices.commands.init import init
from vardag.invoices.process.economy import Costs
from vardag.invoices.process.evidence import Decided, Drift, Minutes, Share, Spent, Volume
from vardag.invoices.process.readiness import Numbers

BEGAN = datetime(2026, 3, 2, 8)
MINUTES = Minutes(
    Spent(12, 0), Spent(6, 0), Spent(15, 14), Spent(12, 27), origin="measured", times=1, low=0.85, high=1.15
)
READY = Numbers(
    volume=Volume(250, 700, 1400, 180),
    usual=Share(1250, 1400),
    drift=Drift(0.03, (0.03, 0.01, 0.05)),
    decided=Decided(120, 40, 40),
    faults=Share(1, 200),
    minutes=MINUTES,
    costs=Costs(375, 160, 0, 4, 12_000, frozenset({"build_hours"})),
    errors_today=0.03,
    blocking=0,
)


def ready(**changed: Any) -> Numbers:
    return replace(READY, **changed)


def log_file(path: Path, *, cases: int = 80, days: int = 60, ways: tuple[str, ...] = ("abc",), **more: Any) -> Path:
    """A table: cases spread over the days, taking the ways in turn; a step takes three minutes, an hour apart."""
    lines = ["case;activity;start;time"]
    for number in range(cases):
        way = ways[number % len(ways)] if not more.get("changes") else ways[number * len(ways) // cases]
        for place, step in enumerate(way):
            begins = BEGAN + timedelta(days=number * days / cases, hours=place)
            ends = begins + timedelta(minutes=3)
            lines.append(f"{number};{step};{begins:%Y-%m-%d %H:%M:%S};{ends:%Y-%m-%d %H:%M:%S}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def folder(path: Path, *, cleared: bool = True) -> Path:
    """A robot's folder, with every obstacle removed unless said otherwise."""
    init(path, language="en")
    if cleared:
        register = path / "obstacles.yaml"
        entries = yaml.safe_load(register.read_text(encoding="utf-8"))
        done = [entry | {"status": "removed", "evidence": "decision 14 §"} for entry in entries]
        register.write_text(yaml.safe_dump(done), encoding="utf-8")
    return path


def shadow(path: Path, *, cancel: int = 0, reject: int = 0, refer: int = 0, rules: str = "2026.1-a") -> None:
    """What a shadow run leaves in the audit log."""
    store = database(path)
    actions = ["cancel"] * cancel + ["reject"] * reject + ["refer"] * refer
    with store.begin() as tx:
        first = sum(entry.event == "received" for entry in audit.entries(tx)) + 1
        for number, action in enumerate(actions, start=first):
            audit.append(tx, "received", actor="vardag", item=number)
            audit.append(
                tx, "decided", actor="vardag", item=number, action=action, code=action, rules=rules, approved_by=0
            )
            audit.append(tx, "settled", actor="vardag", item=number, mode="shadow", state="waiting")
    store.close()
