"""The routines: each a folder with its map; a city's own lie in its robot's folder and go before the packaged ones.

::

    cancellation/   before.bpmn (as people did it), after.bpmn (what the robot follows), mended.toml (what was
                    mended between them)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from vardag.core.errors import NotFoundError
from vardag.invoices.process.bpmn import read_map
from vardag.invoices.process.map import Map

PACKAGED = Path(__file__).parent
CANCELLATION = "cancellation"
MAP, BEFORE = "after.bpmn", "before.bpmn"
# The steps that the robot has code for (`robot.steps`), each with what it may come to.
OUTCOMES: Mapping[str, frozenset[str]] = {
    "read": frozenset({"request", "nothing"}),
    "look_up": frozenset({"done"}),
    "decide": frozenset({"cancel", "refer", "reject"}),
    "allow": frozenset({"alone", "person"}),
    "cancel": frozenset({"done", "refused"}),
    "answer": frozenset({"done"}),
}


@dataclass(frozen=True)
class Routine:
    """A routine that the robot follows: its name, and its map."""

    name: str
    map: Map


def load_routine(name: str, own: Path | None = None) -> Routine:
    """Read a routine: from the city's own folder of routines where it has one by this name, else as packaged.

    Raises
    ------
    NotFoundError
        When there is no such routine; names those that there are.
    """
    return Routine(name, read_map(find_map(name, own), OUTCOMES))


def find_map(name: str, own: Path | None = None) -> Path:
    """The file of a routine's map; errors as in `load_routine`."""
    for folder in (own, PACKAGED):
        path = folder / name / MAP if folder else None
        if path is not None and path.is_file():
            return path
    known = sorted(path.parent.name for path in PACKAGED.glob(f"*/{MAP}"))
    raise NotFoundError(f"no routine {name}: {MAP} is in no folder of that name. Packaged: {', '.join(known)}.")


@cache
def packaged() -> Mapping[str, Routine]:
    """The routines that come with Vardag, by name."""
    return {CANCELLATION: load_routine(CANCELLATION)}
