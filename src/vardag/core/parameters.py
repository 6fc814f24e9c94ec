"""Dated policy numbers (costs, thresholds, rates) in YAML, each with unit, date and source; never literals in code.

::

    few_breaks: {value: 30, unit: breaks, date: 2026-11-24, source: "own choice: below this a boosted model ..."}
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from vardag.core.errors import ConfigError, NotFoundError

FIELDS = {"value", "unit", "date", "source"}


@dataclass(frozen=True)
class Parameter:
    """One policy number: its value, unit, the date it was set and where it comes from."""

    value: Any
    unit: str
    date: date
    source: str


class Parameters:
    """The policy numbers of one room, by name."""

    def __init__(self, path: Path, entries: dict[str, Parameter]) -> None:
        self.path = path
        self.entries = entries

    def __getitem__(self, name: str) -> Parameter:
        if name not in self.entries:
            raise NotFoundError(
                f"{self.path.name}: no parameter {name!r}. Add it with value, unit, date and source."
            )
        return self.entries[name]

    def value(self, name: str) -> Any:
        """Return the bare value of a parameter."""
        return self[name].value


def load(path: Path) -> Parameters:
    """Read a parameter file.

    Raises
    ------
    ConfigError
        When an entry lacks or has other fields than value, unit, date and source.
    """
    raw = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    for name, entry in raw.items():
        if not isinstance(entry, dict) or set(entry) != FIELDS:
            raise ConfigError(f"{path.name}: {name} has {sorted(entry)}, expected {sorted(FIELDS)}.")
    return Parameters(path, {name: Parameter(**entry) for name, entry in raw.items()})
