"""Finds the routine as it is really done, in an event log or in the robot's own audit log."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from vardag import __version__
from vardag.core.errors import InputError
from vardag.core.parameters import Parameters
from vardag.invoices import audit, process
from vardag.invoices.audit import Entry
from vardag.invoices.commands.map import entries_of
from vardag.invoices.process import map_words
from vardag.invoices.process.conformance import Conformed, conform
from vardag.invoices.process.map import Map
from vardag.invoices.process.map_page import conformance
from vardag.invoices.process.page import About
from vardag.invoices.process.replay import Replayed, replay
from vardag.invoices.store import Store

PAGE, NUMBERS = "discovery.html", "discovery.json"


@dataclass(frozen=True)
class Discovered:
    """What was found, what it cannot say, and the files that were written."""

    log: process.EventLog
    found: process.Found
    limits: tuple[str, ...]
    columns: Mapping[str, str]
    written: tuple[Path, ...]
    on_map: "OnMap | None" = None


@dataclass(frozen=True)
class OnMap:
    """What the log comes to on a map; `conformed` is None for the robot's own log, which says every step itself."""

    map: Map
    conformed: Conformed | None
    replayed: Replayed | None
    limits: tuple[str, ...]


def discover(
    path: Path,
    *,
    language: str,
    store: Store | None = None,
    columns: str = "",
    groups: Path | None = None,
    object_type: str = "",
    map_: Map | None = None,
    out: Path | None = None,
    now: datetime | None = None,
) -> Discovered:
    """Read, count, and write page and numbers.

    Parameters
    ----------
    path, store
        The log's file; or the robot's folder and its database.
    columns, groups, object_type
        See `process.read_source` and `process.read_groups`.
    map_
        A map to replay the log on; None replays nothing.
    out
        Folder for the page and the numbers; None writes nothing.
    """
    parameters = process.load_parameters()
    largest = float(parameters.value("largest_file_mb"))
    source = (
        from_audit(store)
        if store is not None
        else process.read_source(path, columns=columns, object_type=object_type, largest_mb=largest)
    )
    raw = process.with_groups(source.raw, process.read_groups(groups)) if groups else source.raw
    slack = timedelta(minutes=float(parameters.value("future_slack_minutes")))
    log = process.tidy(raw, zone=str(parameters.value("zone")), now=now or datetime.now(UTC), slack=slack)
    log = process.EventLog(log.events, log.quarantined, log.rows_in, log.zone, {**log.signs, **source.signs})
    found = process.discover(log, parameters)
    told = tuple(process.limits(log, found, parameters, language))
    about = About(path.resolve().name, source.kind, sha256_of(path), __version__, source.columns)
    on_map = _on_map(map_, log, store, parameters, language) if map_ else None
    done = Discovered(log, found, told, source.columns, (), on_map)
    if out is None:
        return done
    text = _page(done, parameters, about, language)
    written = _write(out, text, facts(done) | {"file": about.name, "sha256": about.sha256, "version": __version__})
    return replace(done, written=written)


def _on_map(found: Map, log: process.EventLog, store: Store | None, parameters: Parameters, language: str) -> OnMap:
    """Replay the log on the map; the robot's own log holds every step, another's activities are matched."""
    if store is not None:
        replayed = replay(entries_of(store), found)
        return OnMap(found, None, replayed, tuple(map_words.limits(replayed, found, parameters, language)))
    done = conform(log.events, found)
    told = map_words.limits_of_log(done, found, parameters, log.events.height, language)
    return OnMap(found, done, done.replayed, tuple(told))


def _page(done: Discovered, parameters: Parameters, about: About, language: str) -> str:
    on_map = done.on_map
    told = conformance(on_map.map, on_map.conformed, on_map.replayed, language) if on_map else None
    limits = on_map.limits if on_map else ()
    return process.page(
        done.log, done.found, parameters, about, language, conformance=told, more_limits=limits
    )  # fmt: skip


def from_audit(store: Store) -> process.Source:
    """The robot's audit log: a work item is a case; who acted is a program or a person.

    Entries that belong to no work item (a pause, mails that were deleted) are about the robot, and part of no case.
    """
    with store.read() as tx:
        rows = [_row(entry) for entry in audit.entries(tx) if entry.item is not None]
    if not rows:
        raise InputError("The robot's audit log holds no work item yet. Let it work first: vardag invoices run.")
    return process.Source(pl.DataFrame(rows, schema=process.RAW), "audit")


def _row(entry: Entry) -> dict[str, Any]:
    """An entry as a raw row; how an item was settled is part of the step's name."""
    state = entry.body.get("state") if entry.event in {"settled", "closed by hand"} else None
    return dict.fromkeys(process.RAW) | {
        "line": entry.seq,
        "case": str(entry.item),
        "activity": f"{entry.event}: {state}" if state else entry.event,
        "time": entry.at,
        "resource": entry.body.get("actor"),
    }


def facts(done: Discovered) -> dict[str, Any]:
    """All numbers, for a machine; no resource and no case id is among them."""
    found, log = done.found, done.log
    return {
        "cases": found.cases,
        "events": found.events,
        "rows": {"in": log.rows_in, "used": log.rows_used, "quarantined": log.quarantined.height},
        "quarantine": [
            {"reason": name, "rows": count, "first": first} for name, (count, first) in log.reasons().items()
        ],
        "signs": dict(log.signs),
        "zone": log.zone,
        "columns": dict(done.columns),
        "limits": list(done.limits),
        "throughput_h": asdict(found.throughput),
        "rework_cases": found.rework_cases,
        "variants": found.variants.to_dicts(),
        "follows": found.follows.to_dicts(),
        "activities": found.activities.to_dicts(),
        "hands": asdict(found.hands) if found.hands else None,
        "handovers": None if found.handovers is None else found.handovers.to_dicts(),
        "handovers_hidden": found.handovers_hidden,
        "map": _map_facts(done.on_map) if done.on_map else None,
    }


def _map_facts(on_map: OnMap) -> dict[str, Any]:
    conformed = on_map.conformed
    return {
        "name": on_map.map.name,
        "version": on_map.map.version,
        "matched": dict(conformed.matched) if conformed else None,
        "unmatched": dict(conformed.unmatched) if conformed else None,
        "unseen": list(conformed.unseen) if conformed else None,
        "replay": map_words.numbers(on_map.replayed, items=False),
        "limits": list(on_map.limits),
    }


def _write(out: Path, text: str, numbers: Mapping[str, Any]) -> tuple[Path, ...]:
    out.mkdir(parents=True, exist_ok=True)
    paths = out / PAGE, out / NUMBERS
    paths[0].write_text(text, encoding="utf-8")
    paths[1].write_text(json.dumps(numbers, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return paths


def sha256_of(path: Path) -> str:
    """Hash of the log's file; empty for a folder."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
