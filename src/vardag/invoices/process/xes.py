"""XES event logs: the IEEE 1849 standard, and XES 1.0 before it."""

import gzip
from collections.abc import Iterator
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
    except (etree.LxmlError, EOFError, gzip.BadGzipFile, ValueError) as error:
        raise InputError(f"{path.name} is no well-formed XES: {error}. Export it again.") from error
    return pl.DataFrame(rows, schema=RAW, orient="row")


def _events(file: Any, name: str) -> Iterator[tuple[object, ...]]:
    steps = etree.iterparse(
        file, events=("start", "end"), resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False
    )
    number, case, traced = 0, None, False
    for index, (what, element) in enumerate(steps):
        if index == 0:
            _refuse_other(element, name)
        kind = _local(element)
        if kind == "trace":
            case, traced = (None, what == "start")
            if what == "end":
                element.clear()
        elif what == "end" and traced and kind == "string" and _local(element.getparent()) == "trace":
            case = element.get("value") if element.get("key") == "concept:name" else case
        elif what == "end" and kind == "event":
            number += 1
            yield _row(number, case or _trace_name(element), element)
            element.clear()


def _refuse_other(root: Any, name: str) -> None:
    info = root.getroottree().docinfo
    if info.internalDTD is not None or info.doctype:
        raise InputError(f"{name} declares a document type, which is refused. Export it as plain XES.")
    if _local(root) != "log":
        raise InputError(f"{name} is no XES: its outermost element is {_local(root)!r}, expected 'log'.")


def _trace_name(event: Any) -> str | None:
    """The trace's name, where it stands after some of its events."""
    trace = event.getparent()
    if _local(trace) != "trace":
        return None
    named = (child for child in trace if child.get("key") == "concept:name")
    return next((str(child.get("value")) for child in named), None)


def _row(number: int, case: str | None, event: Any) -> tuple[object, ...]:
    found: dict[str, str | None] = {}
    for child in event:
        name = KEYS.get(child.get("key") or "")
        if name and name not in found:
            found[name] = child.get("value")
    return tuple({"line": number, "case": case, **found}.get(name) for name in RAW)


def _local(element: Any) -> str:
    tag = None if element is None else element.tag
    return etree.QName(element).localname if isinstance(tag, str) else ""
