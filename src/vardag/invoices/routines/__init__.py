"""The routines: each a folder with its map; a city's own lie in its robot's folder and go before the packaged ones.

::

    cancellation/   before.bpmn (as people did it), after.bpmn (what the robot follows), mended.toml (what was
                    mended between them)
    reference/      a routine without code of its own: after.bpmn, routine.yaml, templates/
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from vardag.core.errors import NotFoundError
from vardag.invoices.process.bpmn import read_map
from vardag.invoices.routines.routine import Routine, claimed, read_declared
from vardag.invoices.rules import Rule

__all__ = [
    "BEFORE",
    "CANCELLATION",
    "MAP",
    "OUTCOMES",
    "PACKAGED",
    "Routine",
    "claimed",
    "every_rule",
    "find_map",
    "load_routine",
    "packaged",
]

PACKAGED = Path(__file__).parent
CANCELLATION = "cancellation"
MAP, BEFORE = "after.bpmn", "before.bpmn"
# The steps that the robot has code for (`robot.steps`), each with what it may come to.
OUTCOMES: Mapping[str, frozenset[str]] = {
    "read": frozenset({"request", "nothing"}),
    "look_up": frozenset({"done"}),
    "decide": frozenset({"accept", "cancel", "refer", "reject"}),
    "allow": frozenset({"alone", "person"}),
    "cancel": frozenset({"done", "refused"}),
    "answer": frozenset({"done"}),
}


def load_routine(name: str, own: Path | None = None) -> Routine:
    """Read a routine: from the city's own folder of routines where it has one by this name, else as packaged.

    Raises
    ------
    NotFoundError
        When there is no such routine; names those that there are.
    """
    path = find_map(name, own)
    drawn = read_map(path, OUTCOMES)
    return Routine(name, drawn) if name == CANCELLATION else read_declared(path.parent, drawn)


def find_map(name: str, own: Path | None = None) -> Path:
    """The file of a routine's map; errors as in `load_routine`."""
    for folder in (own, PACKAGED):
        path = folder / name / MAP if folder else None
        if path is not None and path.is_file():
            return path
    known = sorted(path.parent.name for path in PACKAGED.glob(f"*/{MAP}"))
    raise NotFoundError(f"no routine {name}: {MAP} is in no folder of that name. Packaged: {', '.join(known)}.")


def every_rule(own: Path | None = None) -> Mapping[str, Rule]:
    """The rules of every routine that there is, by code: for showing what was decided."""
    folders = [folder for folder in (PACKAGED, own) if folder is not None and folder.is_dir()]
    names = sorted({path.parent.name for folder in folders for path in folder.glob(f"*/{MAP}")})
    return {code: rule for name in names for code, rule in load_routine(name, own).by_code.items()}


@cache
def packaged() -> Mapping[str, Routine]:
    """The routines that come with Vardag, by name."""
    return {CANCELLATION: load_routine(CANCELLATION)}
