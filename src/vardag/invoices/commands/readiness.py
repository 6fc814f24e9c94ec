"""`vardag invoices readiness`: the numbers of robot, event log and register put together, and the verdict."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vardag import __version__
from vardag.core.parameters import Parameters
from vardag.invoices import audit
from vardag.invoices.commands.discover import Discovered, discover, sha256_of
from vardag.invoices.commands.evidence import (
    CANCELLATION,
    Missing,
    Seen,
    Worked,
    costs_of,
    counted,
    enough_decisions,
    minutes_of,
    see,
    with_stopwatch,
    work_of,
)
from vardag.invoices.hours import evidence
from vardag.invoices.process.assessment import Assessment, Behind
from vardag.invoices.process.flips import flips
from vardag.invoices.process.obstacles import NAME as OBSTACLES
from vardag.invoices.process.obstacles import Obstacle, in_order, read_obstacles
from vardag.invoices.process.policy import load_readiness
from vardag.invoices.process.readiness import Numbers, judge
from vardag.invoices.process.readiness_page import page
from vardag.invoices.store import Store

PAGE, NUMBERS, OWN = "readiness.html", "readiness.json", "readiness.yaml"


def readiness(
    folder: Path,
    store: Store,
    *,
    language: str,
    routine: str = CANCELLATION,
    log: Path | None = None,
    columns: str = "",
    object_type: str = "",
    now: datetime | None = None,
) -> Assessment:
    """Put the numbers together and judge them.

    Parameters
    ----------
    folder, store
        The robot's folder, with its register, minutes and own numbers; and its database, with the shadow run.
    routine
        Whose decisions are counted, where the robot follows several.
    log, columns, object_type
        An event log of how people do it; see `process.read_source`.
    """
    moment = now or datetime.now(UTC)
    parameters = load_readiness(folder / OWN)
    register = read_obstacles(folder / OBSTACLES, today=moment.astimezone().date(), language=language)
    with store.read() as tx:
        worked = work_of(audit.entries(tx), routine)
    found = discover(log, language=language, columns=columns, object_type=object_type, now=moment) if log else None
    seen = see(found, parameters) if found else None
    numbers = gather(folder, worked, seen, register, parameters)
    return Assessment(
        verdict=judge(numbers, parameters),
        numbers=numbers,
        flips=flips(numbers, parameters),
        obstacles=None if register is None else in_order(register),
        parameters=parameters,
        behind=behind(worked, found, log),
    )


def gather(
    folder: Path, worked: Worked, seen: Seen | None, register: tuple[Obstacle, ...] | None, parameters: Parameters
) -> Numbers:
    """All that is known, and why the rest is not."""
    missing: Missing = {} if seen else {"no_log": {}}
    volume, why = (seen.volume, seen.missing) if seen else counted(worked.came, parameters)
    too_few = enough_decisions(worked, parameters)
    # Without a log, requests that never came to the robot are told of once: as decisions that it has not made.
    missing |= why if seen or worked.came else {}
    missing |= too_few | ({} if register else {"no_register": {}})
    decided, faults = (None, None) if too_few else (worked.decided, worked.faults)
    return Numbers(
        volume=volume,
        usual=seen.usual if seen else None,
        drift=seen.drift if seen else None,
        decided=decided,
        faults=faults,
        minutes=minutes_of(with_stopwatch(evidence(folder)), decided, seen, parameters),
        costs=costs_of(parameters),
        errors_today=parameters.value("error_rate_today"),
        blocking=sum(one.stops for one in register) if register else None,
        missing=missing,
    )


def behind(worked: Worked, found: Discovered | None, log: Path | None) -> Behind:
    """Where the numbers come from."""
    robot = Behind(volume_from="robot", codes=worked.codes, rules=worked.rules, older=worked.older)
    if found is None or log is None:
        return robot
    return Behind(
        volume_from="log",
        ways=found.found.variants.height,
        rework=found.found.rework_cases / found.found.cases,
        codes=worked.codes,
        rules=worked.rules,
        older=worked.older,
        log_limits=found.limits,
        log_name=log.name,
        log_sha256=sha256_of(log),
    )


def facts(found: Assessment) -> dict[str, Any]:
    """Everything as numbers, for a machine."""
    verdict, numbers = found.verdict, found.numbers
    return {
        "verdict": verdict.kind,
        "missing": {why: dict(more) for why, more in numbers.missing.items()},
        "criteria": [
            {
                "name": one.name,
                **asdict(one.estimate),
                "limit": one.limit,
                "must": "at least" if one.at_least else "at most",
                "otherwise": one.otherwise,
                "state": one.state,
            }
            for one in verdict.criteria
        ],
        "flips": [asdict(flip) for flip in found.flips],
        "year": asdict(verdict.economy) if verdict.economy else None,
        "numbers": _numbers(found),
        "obstacles": None if found.obstacles is None else [asdict(one) for one in found.obstacles],
        "parameters": {name: vars(entry) for name, entry in found.parameters.entries.items()},
        "behind": asdict(found.behind),
        "version": __version__,
    }


def _numbers(found: Assessment) -> Mapping[str, Any]:
    """The numbers, without what stands elsewhere."""
    plain = asdict(found.numbers)
    plain["costs"]["assumed"] = sorted(plain["costs"]["assumed"])
    return {name: value for name, value in plain.items() if name != "missing"}


def write(found: Assessment, out: Path, language: str, *, now: datetime | None = None) -> tuple[Path, ...]:
    """Write the page and the numbers into a folder."""
    out.mkdir(parents=True, exist_ok=True)
    paths = out / PAGE, out / NUMBERS
    paths[0].write_text(page(found, language, version=__version__, now=now or datetime.now(UTC)), encoding="utf-8")
    text = json.dumps(facts(found), ensure_ascii=False, indent=1, default=str)
    paths[1].write_text(text + "\n", encoding="utf-8")
    return paths
