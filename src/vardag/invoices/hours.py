"""Hours saved: what people would have needed, less what they still need, counted from the audit log.

Only settled work items count, each once, by its latest outcome. An item that a person has to look at still saves
what the robot prepared; a dead letter costs the minutes to find out what happened. Minutes are parameters with date
and source; until a city has measured its own, the account says that it rests on assumptions.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from vardag.core.errors import ConfigError
from vardag.core.parameters import Parameters, load
from vardag.invoices.audit import Entry

MINUTES = Path(__file__).with_name("minutes.yaml")
OUTCOMES = (
    "cancelled_alone",
    "cancelled_with_person",
    "rejected_alone",
    "rejected_with_person",
    "referred",
    "by_hand",
    "ignored",
    "dead",
)


@dataclass(frozen=True)
class Line:
    """One outcome: how many items, what they take by hand, what they took, and the difference."""

    outcome: str
    items: int
    baseline_minutes: float
    residual_minutes: float

    @property
    def saved_hours(self) -> float:
        """Hours saved; negative where the robot cost time."""
        return self.items * (self.baseline_minutes - self.residual_minutes) / 60


@dataclass(frozen=True)
class Account:
    """Hours saved in a span of time, outcome by outcome."""

    first: date | None
    last: date | None
    lines: tuple[Line, ...]
    measured: bool

    @property
    def saved_hours(self) -> float:
        """Sum over the outcomes."""
        return sum(line.saved_hours for line in self.lines)

    @property
    def items(self) -> int:
        """Items that were settled."""
        return sum(line.items for line in self.lines)


def minutes(own: Path | None = None) -> Parameters:
    """Minutes by outcome: the packaged assumptions, and a city's own measurements on top.

    Raises
    ------
    ConfigError
        When the city's file names an outcome that does not exist.
    """
    packaged = load(MINUTES)
    measured = load(own).entries if own is not None and own.exists() else {}
    if unknown := sorted(measured.keys() - packaged.entries.keys()):
        known = ", ".join(sorted(packaged.entries))
        raise ConfigError(f"{MINUTES.name}: unknown {', '.join(unknown)}. Known: {known}.")
    return Parameters(packaged.path, packaged.entries | measured)


def account(entries: Iterable[Entry], parameters: Parameters) -> Account:
    """Count the hours from audit entries, in order."""
    outcome, days = outcomes(entries)
    found = Counter(outcome.values())
    lines = tuple(
        Line(
            name,
            found[name],
            float(parameters.value(f"{name}_baseline")),
            float(parameters.value(f"{name}_residual")),
        )
        for name in OUTCOMES
    )
    measured = all("assum" not in entry.source for entry in parameters.entries.values())
    return Account(min(days, default=None), max(days, default=None), lines, measured)


def outcomes(entries: Iterable[Entry]) -> tuple[dict[int, str], list[date]]:
    """Latest outcome of each item, and the days on which items were settled; what was done in shadow counts not."""
    outcome: dict[int, str] = {}
    confirmed: set[int] = set()
    shadowed: set[int] = set()
    days: list[date] = []
    for entry in entries:
        if entry.item is None:
            continue
        found = _outcome(entry, confirmed=entry.item in confirmed)
        if entry.event == "approved":
            confirmed.add(entry.item)
        elif entry.event == "settled" and entry.body.get("mode") == "shadow":
            shadowed.add(entry.item)
        elif found and not (found == "by_hand" and entry.item in shadowed):
            shadowed.discard(entry.item)
            outcome[entry.item] = found
            days.append(datetime.fromisoformat(entry.at).date())
    return outcome, days


def _outcome(entry: Entry, *, confirmed: bool) -> str:
    """What an entry makes of its item; nothing where it settles nothing."""
    if entry.event == "closed by hand":
        return "by_hand"
    if entry.event == "fault" and entry.body.get("state") == "dead":
        return "dead"
    return _settled(entry, confirmed=confirmed) if entry.event == "settled" else ""


def _settled(entry: Entry, *, confirmed: bool) -> str:
    state = entry.body.get("state")
    if state == "waiting":
        return "referred"
    if state == "failed_business":
        return "rejected_with_person" if confirmed else "rejected_alone"
    if not entry.body.get("effect"):
        return "ignored"
    return "cancelled_with_person" if confirmed else "cancelled_alone"
