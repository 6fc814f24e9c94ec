"""OCEL 2.0 in JSON: events of several kinds of objects, of which one is taken for the case."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl

from vardag.core.errors import InputError
from vardag.invoices.process.log import RAW

RESOURCES = {"resource", "org:resource", "user", "resurs"}
GROUPS = {"group", "org:group", "role", "org:role"}


def read_ocel(path: Path, object_type: str = "") -> tuple[pl.DataFrame, dict[str, int]]:
    """Events flattened on one kind of object: an event of two such objects is a row in both cases, one of none has
    no case.

    Returns
    -------
    The raw frame, and how many rows there are above the number of events.
    """
    document = _document(path)
    kinds = {one["id"]: one["type"] for one in document["objects"]}
    chosen = _chosen(sorted(set(kinds.values())), object_type, path.name)
    rows: list[tuple[object, ...]] = []
    for number, event in enumerate(document["events"], start=1):
        related = (str(one.get("objectId")) for one in _records(event.get("relationships")))
        cases = dict.fromkeys(one for one in related if kinds.get(one) == chosen)
        rows.extend(_row(number, case, event) for case in cases or [None])
    multiplied = len(rows) - len(document["events"])
    return pl.DataFrame(rows, schema=RAW, orient="row"), {"multiplied": multiplied} if multiplied else {}


def _document(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
        json.dumps(found, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path.name} is no JSON in UTF-8: {error}.") from error
    wanted = {"events": ("type",), "objects": ("id", "type")}
    for name, fields in wanted.items():
        rows = found.get(name) if isinstance(found, dict) else None
        if not isinstance(rows, list) or not all(isinstance(one, dict) for one in rows):
            raise InputError(f"{path.name} is no OCEL 2.0: it has no list {name!r}.")
        lacking = Counter(field for one in rows for field in fields if not isinstance(one.get(field), str))
        if lacking:
            raise InputError(f"{path.name} is no OCEL 2.0: {name} lack {dict(lacking)}.")
    return dict(found)


def _chosen(kinds: list[str], asked: str, name: str) -> str:
    """The kind of object that is a case."""
    if asked in kinds:
        return asked
    if not asked and len(kinds) == 1:
        return kinds[0]
    told = f"no kind of object {asked!r}" if asked else f"{len(kinds)} kinds of objects"
    raise InputError(f"{name}: {told}. Say which is the case with --object-type, of: {', '.join(kinds) or 'none'}.")


def _records(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _row(number: int, case: str | None, event: dict[str, Any]) -> tuple[object, ...]:
    attributes = _records(event.get("attributes"))
    named = {str(one.get("name")).casefold(): str(one.get("value")) for one in attributes}
    found = {
        "line": number,
        "case": case,
        "activity": event.get("type"),
        "time": None if event.get("time") is None else str(event["time"]),
        "resource": next((value for name, value in named.items() if name in RESOURCES), None),
        "group": next((value for name, value in named.items() if name in GROUPS), None),
    }
    return tuple(found.get(name) for name in RAW)
