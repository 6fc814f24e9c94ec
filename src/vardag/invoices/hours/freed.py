"""Where the freed time went, as people say it: `freed.yaml` in the robot's folder.

::

    - {month: 2026-11, hours: 12, to: "calls to customers before the reminder goes out", said_by: "head of unit"}

What is said is set beside what was saved, month by month; it is nobody's calculation.
"""

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from vardag.core.errors import ConfigError

NAME = "freed.yaml"
FIELDS = {"month", "hours", "to", "said_by"}
MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


@dataclass(frozen=True)
class Freed:
    """Hours of a month (``2026-11``), what they were used for, and who says so."""

    month: str
    hours: float
    to: str
    said_by: str


def read(path: Path) -> tuple[Freed, ...]:
    """What has been said; nothing where there is no file.

    Raises
    ------
    ConfigError
        When an entry cannot be used; names it, what was found and what was expected.
    """
    if not path.exists():
        return ()
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8")) or []
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path.name}: {error}") from None
    if not isinstance(found, list):
        raise ConfigError(f"{path.name}: expected a list, one entry a line, each with {', '.join(sorted(FIELDS))}.")
    return tuple(_entry(f"{path.name}: entry {number}", one) for number, one in enumerate(found, start=1))


def _entry(where: str, found: Any) -> Freed:
    if not isinstance(found, dict) or set(found) != FIELDS:
        told = ", ".join(map(str, found)) if isinstance(found, dict) else repr(found)
        raise ConfigError(f"{where} has {told}, expected {', '.join(sorted(FIELDS))}.")
    month, hours = _month(found["month"]), found["hours"]
    if not MONTH.fullmatch(month):
        raise ConfigError(f"{where}: month is {month!r}, expected year and month as 2026-11.")
    if isinstance(hours, bool) or not isinstance(hours, int | float) or not 0 < hours < float("inf"):
        raise ConfigError(f"{where}: hours is {hours!r}, expected a number above 0.")
    to, said_by = (str(found[name] or "").strip() for name in ("to", "said_by"))
    if not to or not said_by:
        raise ConfigError(f"{where}: `to` and `said_by` must say something; hours without either explain nothing.")
    return Freed(month, float(hours), to, said_by)


def _month(found: object) -> str:
    return f"{found:%Y-%m}" if isinstance(found, date) else str(found)
