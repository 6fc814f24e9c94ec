"""What became of each work item, as the audit log tells it: once each, by its last settlement.

Events that are read: `received`, `decided` (the level that the item's rule stands at), `answered`, `settled`,
`fault` (its state `dead`), `approved`, `closed by hand`, `retried`, and `objected` (a person marks a settled item
as wrong). Those of other names are passed over.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from vardag.invoices.audit import Entry
from vardag.invoices.model import Effect

OUTCOMES = (
    "cancelled_alone",
    "cancelled_with_person",
    "rejected_alone",
    "rejected_with_person",
    "done_alone",
    "done_with_person",
    "ignored",
    "by_hand",
    "waiting",
    "dead",
)
OPEN = (
    "waiting",
    "dead",
)  # outcomes in which nothing is saved: a person has it still to do, or did it without help
WITH_PERSON = tuple(name for name in OUTCOMES if name.endswith("_with_person") or name == "by_hand")
BY_ROBOT = tuple(name for name in OUTCOMES if name not in {"by_hand", *OPEN})  # what may turn out to be wrong
IGNORED = "ignored"
OBJECTED = "objected"


@dataclass(frozen=True)
class Handled:
    """One work item.

    Attributes
    ----------
    outcome
        One of `OUTCOMES`.
    at
        When it was last settled, which says in which month it counts.
    failures
        How often a person had to see to a technical fault.
    objected
        Whether a person has marked it as wrong.
    """

    item: int
    outcome: str
    at: datetime
    received: datetime | None = None
    answered: datetime | None = None
    failures: int = 0
    objected: bool = False


@dataclass
class _Story:
    """An item while its entries are read."""

    outcome: str = ""
    at: datetime | None = None
    received: datetime | None = None
    answered: datetime | None = None
    failures: int = 0
    confirmed: bool = False
    by_hand: bool = False
    level: str = ""
    shadow: bool = False
    dead: bool = False
    events: list[str] = field(default_factory=list)

    def end(self, outcome: str, entry: Entry) -> None:
        self.outcome, self.at, self.shadow = outcome, moment(entry), False


def histories(entries: Iterable[Entry]) -> tuple[dict[int, Handled], int]:
    """Every item that was settled outside shadow, by number, and how many were settled in shadow alone.

    The entries may come in any order; their numbers tell which was first.
    """
    by_item: dict[int, list[Entry]] = defaultdict(list)
    for entry in sorted(entries, key=lambda entry: entry.seq):
        if entry.item is not None:
            by_item[entry.item].append(entry)
    stories = {item: _read(of_item) for item, of_item in by_item.items()}
    found = {item: _handled(item, story) for item, story in stories.items()}
    shadow = sum(story.shadow and not story.outcome for story in stories.values())
    return {item: one for item, one in found.items() if one is not None}, shadow


def moment(entry: Entry) -> datetime:
    """When an entry was written."""
    return datetime.fromisoformat(entry.at)


def _handled(item: int, story: _Story) -> Handled | None:
    if story.at is None:
        return None
    objected = OBJECTED in story.events
    return Handled(item, story.outcome, story.at, story.received, story.answered, story.failures, objected)


def _read(entries: Sequence[Entry]) -> _Story:
    story = _Story()
    for entry in entries:
        _tell(story, entry)
    return story


def _tell(story: _Story, entry: Entry) -> None:
    """Go on with an item's story by one entry."""
    story.events.append(entry.event)
    if entry.event in {"settled", "fault"} and "shadow" in {entry.body.get("mode"), story.level}:
        story.shadow = True  # the robot only watched: in its own mode, or at the level of the item's rule
        return
    match entry.event:
        case "received":
            story.received = story.received or moment(entry)
        case "decided":
            story.level = str(entry.body.get("level", ""))
        case "answered":
            story.answered = story.answered or moment(entry)
        case "approved":
            story.confirmed = True
        case "settled":
            story.dead = False
            story.end(_settled(entry, story), entry)
        case "fault" if entry.body.get("state") == "dead":
            story.dead, story.failures = True, story.failures + 1
            story.end("dead", entry)
        case "retried":
            story.failures += not story.dead and not story.shadow
            story.dead = False
        case "closed by hand" if not story.shadow:
            _close(story, entry)


def _close(story: _Story, entry: Entry) -> None:
    """A person ends an item; or has done what was asked, and the map lets the robot go on from there."""
    if entry.body.get("state") == "new":
        story.by_hand = True
    else:
        story.end("dead" if story.dead else "by_hand", entry)


def _settled(entry: Entry, story: _Story) -> str:
    state = entry.body.get("state")
    if state == "waiting":
        return "waiting"
    if story.by_hand:
        return "by_hand"
    with_whom = "with_person" if story.confirmed else "alone"
    if state == "failed_business":
        return f"rejected_{with_whom}"
    if entry.body.get("effect") in set(Effect):
        return f"cancelled_{with_whom}"
    nothing = entry.body.get("code") == IGNORED or "decided" not in story.events
    return IGNORED if nothing else f"done_{with_whom}"
