"""Minutes of people at the desk, from the audit log: from opening an item to what was done with it.

The desk writes an entry `opened` (item, and the person as actor) when a caseworker opens an item; every act of that
person on an item (`approved`, `closed by hand`, and any other entry in a person's name) ends the time. The time
between two entries of a person belongs to one item alone: to the item of the act that ends it, where the person had
opened it; or, where the person only went on and opened another, to the item that was left. So a person with several
items open at once is not counted twice, and the sum is never more than the clock's.

A time longer than the longest plausible sitting is a pause of unknown work. It is counted, never guessed.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from vardag.invoices.audit import Entry
from vardag.invoices.hours.history import moment

OPENED = "opened"
DECISIONS = ("approved", "closed by hand")


@dataclass(frozen=True)
class Sitting:
    """Time of one person at one item.

    Attributes
    ----------
    minutes
        None where they are not known: too long for one sitting, not opened at the desk, or not ended yet.
    at
        When it ended.
    decided
        Whether it ended with a decision.
    """

    item: int
    minutes: float | None
    at: datetime
    decided: bool


def sittings(entries: Iterable[Entry], *, longest: float) -> list[Sitting]:
    """All sittings, person by person.

    Parameters
    ----------
    longest
        Minutes of the longest plausible sitting.
    """
    of_person: dict[str, list[Entry]] = defaultdict(list)
    for entry in sorted(entries, key=lambda entry: entry.seq):
        if entry.item is not None and "robot" not in entry.body:  # an entry of the program names its robot
            of_person[str(entry.body.get("actor"))].append(entry)
    return [one for acts in of_person.values() for one in _of_one(acts, longest)]


def _of_one(acts: Sequence[Entry], longest: float) -> Iterable[Sitting]:
    """Sittings of one person, whose acts come in order."""
    opened: set[int] = set()
    before: Entry | None = None
    for act in acts:
        assert act.item is not None
        if act.event == OPENED:
            if before is not None and before.event == OPENED:
                yield _sitting(before, before, act, longest)
            opened.add(act.item)
        elif act.item in opened and before is not None:
            yield _sitting(act, before, act, longest)
            opened.discard(act.item)
        elif act.event in DECISIONS:
            assert act.item is not None
            yield Sitting(act.item, None, moment(act), decided=True)
        before = act
    if before is not None and before.event == OPENED:
        assert before.item is not None
        yield Sitting(before.item, None, moment(before), decided=False)


def _sitting(of: Entry, begin: Entry, end: Entry, longest: float) -> Sitting:
    """The time between two entries of a person, given to the item of one of them."""
    assert of.item is not None
    minutes = (moment(end) - moment(begin)).total_seconds() / 60
    known = minutes if 0 <= minutes <= longest else None
    return Sitting(of.item, known, moment(end), decided=of.event in DECISIONS)
