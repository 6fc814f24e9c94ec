"""What a data check takes and gives, and the register of checks."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Literal

import polars as pl

from vardag.core.parameters import Parameters

Severity = Literal["error", "warning", "note"]
SHOWN_IDS = 3


@dataclass(frozen=True, kw_only=True)
class CheckData:
    """What the checks look at: the loaded tables as frames, and the record's first and last day if known.

    `layers` holds the other delivered tables by name, such as ``valve``; one that is not there is not looked at.
    Dates after `today` are in the future.
    """

    pipes: pl.DataFrame
    breaks: pl.DataFrame
    quarantine: pl.DataFrame
    parameters: Parameters
    record_start: date | None = None
    record_end: date | None = None
    layers: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    today: date = field(default_factory=lambda: datetime.now(UTC).date())

    @property
    def last_day(self) -> date | None:
        """Last day that the data tell of: the record's end or the last break, whichever is later."""
        days = [day for day in (self.record_end, self.breaks["break_date"].max()) if isinstance(day, date)]
        return max(days, default=None)


@dataclass(frozen=True)
class Finding:
    """What one check found: `rows` of `total` looked at, the ids of all of them, and values for its text."""

    rows: int
    total: int
    ids: tuple[str, ...] = ()
    values: dict[str, object] = field(default_factory=dict)

    @property
    def first(self) -> tuple[str, ...]:
        """The first ids, for the message."""
        return self.ids[:SHOWN_IDS]


@dataclass(frozen=True)
class CheckResult:
    """A finding in words. `message` says what was found, `cure` what to do (empty when nothing was found)."""

    name: str
    table: str
    severity: Severity
    rows: int
    total: int
    first_ids: str
    message: str
    cure: str


@dataclass(frozen=True)
class Check:
    """One named check: a pure function from the data to a finding."""

    name: str
    table: str
    severity: Severity
    function: Callable[[CheckData], Finding]


CHECKS: dict[str, Check] = {}


def check(
    table: str, severity: Severity
) -> Callable[[Callable[[CheckData], Finding]], Callable[[CheckData], Finding]]:
    """Register a check under its function's name."""

    def register(function: Callable[[CheckData], Finding]) -> Callable[[CheckData], Finding]:
        CHECKS[function.__name__] = Check(function.__name__, table, severity, function)
        return function

    return register


def found(ids: pl.Series | Iterable[object], total: int, **values: object) -> Finding:
    """Finding from the ids of the rows found, in the order of the table."""
    shown = ids.to_list() if isinstance(ids, pl.Series) else list(ids)
    return Finding(len(shown), total, tuple(str(value) for value in shown), values)


def held(data: CheckData, *reasons: str) -> list[str]:
    """Rows in quarantine for one of these reasons, as ``source line n``: no table has them, but they count."""
    rows = data.quarantine.filter(pl.col("reason").is_in(reasons))
    return rows.select(pl.format("{} line {}", "source", "line")).to_series().to_list()
