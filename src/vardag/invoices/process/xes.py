"""XES event logs: the IEEE 1849 standard, and XES 1.0 before it."""

import gzip
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl
from lxml import etree

from vardag.core.errors import InputError
from vardag.invoices.process.log import RAW

KEYS = {
    "concept:name": "activity",
    "time:timestamp": "time",
    "org:resource": "resource",
    "org:group": "group",
    "org:role": "group",
    "lifecycle:transition": "transition",
}


def read_xes(path: Path) -> pl.DataFrame:
    """Events as a raw frame; one outside every trace has no case.

    Nothing is fetched and no entity is expanded; a file that declares a document type is refused.
    """
    try:
        with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as file:
            rows = list(_events(file, path.name))
    except (etree.LxmlError, EOFError, gzip.BadGzipFile, zlib.error, ValueError) as error:
        raise InputError(f"{path.name} is no well-formed XES: {error}. Export it again.") from error
    return pl.DataFrame(rows, schema=RAW, orient="row")


def _events(file: Any, name: str) -> Iterator[tuple[object, ...]]:
    steps = etree.iterparse(
        file, events=("start", "end"), resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False
    )
    number, traces, traced, called = 0, 0, False, None
    rows: list[dict[str, object]] = []
    for index, (what, element) in enumerate(steps):
        if index == 0:
            _refuse_other(element, name)
        kind = _local(element)
        if kind == "trace" and what == "start":
            traced, called, rows, traces = True, None, [], traces + 1
        elif kind == "trace":
            # A trace is a case, whether it has a name or not.
            yield from (_row({**row, "case": called or f"#{traces}"}) for row in rows)
            traced = False
            element.clear()
        elif what == "end" and kind == "string" and traced and _local(element.getparent()) == "trace":
            called = element.get("value") if element.get("key") == "concept:name" else called
        elif what == "end" and kind == "event":
            number += 1
            found: dict[str, object] = {"line": number, **_fields(element)}
            element.clear()
            if traced:
                rows.append(found)
            else:
                yield _row(found)


def _refuse_other(root: Any, name: str) -> None:
    info = root.getroottree().docinfo
    if info.internalDTD is not None or info.doctype:
        raise InputError(f"{name} declares a document type, which is refused. Export it as plain XES.")
    if _local(root) != "log":
        raise InputError(f"{name} is no XES: its outermost element is {_local(root)!r}, expected 'log'.")


def _fields(event: Any) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for child in event:
        name = KEYS.get(child.get("key") or "")
        if name:
            found.setdefault(name, child.get("value"))
    return found


def _row(found: Mapping[str, object]) -> tuple[object, ...]:
    return tuple(found.get(name) for name in RAW)


def _local(element: Any) -> str:
    tag = None if element is None else element.tag
    return etree.QName(element).localname if isinstance(tag, str) else ""
