"""The register of obstacles: what stands in the way of the robot, who owns it, and what would remove it.

One YAML list in the robot's folder. Reading is strict, for a register that is misread lets the robot loose: an
unknown word, a missing owner or a removal without evidence is an error that names the entry.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import yaml

from vardag.core.errors import ConfigError, RefusedError
from vardag.core.texts import LANGUAGES

NAME = "obstacles.yaml"
ROUTINES = Path(__file__).parents[1] / "routines"
NEEDED = ("id", "kind", "what", "owner", "remedy", "status", "date", "blocking")
KNOWN = (*NEEDED, "evidence", "blocking_by")
CURE = (
    "Begin from the packaged example, which vardag invoices obstacles --example prints; go through it with the "
    "routine's owner, and note what is removed with its evidence."
)
Words = TypeVar("Words", bound=StrEnum)


class Kind(StrEnum):
    """The four kinds."""

    LEGAL = "legal"
    ECONOMIC = "economic"
    ORGANISATIONAL = "organisational"
    SYSTEM = "system"


class Status(StrEnum):
    """Whether it still stands in the way."""

    OPEN = "open"
    REMOVED = "removed"


@dataclass(frozen=True)
class Obstacle:
    """One entry of the register.

    Attributes
    ----------
    what, owner, remedy
        What stands in the way, who sees to it, and what would remove it.
    evidence
        What shows that it is removed; may be empty while it is open.
    date
        Day of the status: when it was noted, or removed.
    blocking, blocking_by
        Whether the robot may not work alone while it is open, and who says so.
    """

    id: str
    kind: Kind
    what: str
    owner: str
    remedy: str
    status: Status
    date: date
    blocking: bool
    blocking_by: str = ""
    evidence: str = ""

    @property
    def open(self) -> bool:
        """True while it is not removed."""
        return self.status is Status.OPEN

    @property
    def stops(self) -> bool:
        """True while the robot may not work alone because of it."""
        return self.open and self.blocking


def packaged(routine: str = "cancellation") -> Path:
    """The example of a routine: what usually stands in the way in a Swedish municipality, in both languages."""
    return ROUTINES / routine / NAME


def read_obstacles(path: Path, *, today: date, language: str = "sv") -> tuple[Obstacle, ...] | None:
    """Read a register, in its order; None where there is none.

    Parameters
    ----------
    today
        An entry that is dated later is refused.
    language
        Which text to take where an entry has both.

    Raises
    ------
    ConfigError
        When it cannot be used; the message names the file, the entry, what was found and what was expected.
    """
    if not path.exists():
        return None
    try:
        entries = yaml.load(path.read_text(encoding="utf-8"), Loader=_Strict) or []
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: cannot be read as YAML: {error}") from None
    if not isinstance(entries, list):
        raise ConfigError(f"{path}: expected a list of obstacles, each beginning with - id: NAME.")
    found = tuple(_obstacle(path, place, entry, language) for place, entry in enumerate(entries, start=1))
    _refuse_twice(path, found)
    if later := [one.id for one in found if one.date > today]:
        raise ConfigError(f"{path}: {', '.join(later)} is dated after today, {today}. Give the day it happened.")
    return found


def in_order(obstacles: Iterable[Obstacle]) -> list[Obstacle]:
    """What stops the robot first, then what else is open, then what is removed; else as in the register."""
    return sorted(obstacles, key=lambda one: (not one.stops, not one.open))


def not_looked_at(obstacles: Iterable[Obstacle]) -> list[Kind]:
    """Kinds that the register has no entry of."""
    there = {one.kind for one in obstacles}
    return [kind for kind in Kind if kind not in there]


def let_work_alone(obstacles: tuple[Obstacle, ...] | None, path: Path) -> None:
    """Refuse while somebody's obstacle blocks, or nobody has looked for any.

    Raises
    ------
    RefusedError
        The message names each blocking obstacle with its owner and remedy.
    """
    if not obstacles:
        what = "no register of obstacles" if obstacles is None else "the register of obstacles is empty"
        raise RefusedError(
            f"{path}: {what}, so nobody has looked, and the robot does not work unattended. {CURE} "
            "Until then: --mode attended."
        )
    if stopping := [one for one in obstacles if one.stops]:
        told = "\n".join(
            f"- {one.id} ({one.kind}): {one.what}\n  owner: {one.owner}\n  remedy: {one.remedy}\n"
            f"  blocking, says: {one.blocking_by}"
            for one in stopping
        )
        raise RefusedError(
            f"{path}: {len(stopping)} open {'obstacle blocks' if len(stopping) == 1 else 'obstacles block'} "
            f"unattended work.\n{told}\nSet status: removed with evidence when one is; or work with "
            "--mode attended meanwhile."
        )


class _Strict(yaml.SafeLoader):
    """YAML in which a key may not stand twice in an entry, of which the last would win in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Refuse a key that stands twice."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if twice := [key for place, key in enumerate(keys) if key in keys[:place]]:
            mark = node.start_mark
            raise yaml.constructor.ConstructorError(None, None, f"{twice[0]} stands twice in one entry", mark)
        return super().construct_mapping(node, deep)


def _obstacle(path: Path, place: int, entry: Any, language: str) -> Obstacle:
    """One entry, checked."""
    if not isinstance(entry, Mapping):
        raise ConfigError(f"{path}, entry {place}: found {entry!r}, expected {', '.join(NEEDED)}.")
    where = f"{path}, entry {place} ({entry.get('id', 'no id')})"
    if unknown := sorted(str(key) for key in entry if key not in KNOWN):
        raise ConfigError(f"{where}: unknown {', '.join(unknown)}. Known: {', '.join(KNOWN)}.")
    if missing := [name for name in NEEDED if entry.get(name) in (None, "")]:
        raise ConfigError(f"{where}: lacks {', '.join(missing)}. An obstacle has {', '.join(NEEDED)}.")
    text = {
        name: _text(where, name, entry[name], language)
        for name in ("id", "what", "owner", "remedy", "evidence", "blocking_by")
        if entry.get(name) is not None
    }
    made = Obstacle(
        **{"evidence": "", "blocking_by": "", **text},
        kind=_word(where, "kind", entry["kind"], Kind),
        status=_word(where, "status", entry["status"], Status),
        date=_day(where, entry["date"]),
        blocking=_yes_or_no(where, entry["blocking"]),
    )
    if not made.open and not made.evidence:
        raise ConfigError(f"{where}: removed without evidence. Say what shows it: a decision, a test, minutes.")
    if made.blocking and not made.blocking_by:
        raise ConfigError(f"{where}: blocking without blocking_by. Name the routine's owner who says so.")
    return made


def _text(where: str, name: str, value: Any, language: str) -> str:
    """A text, or the one in the language of a text in both."""
    if isinstance(value, Mapping) and name != "id" and set(value) == set(LANGUAGES):
        value = value[language]
    if not isinstance(value, str) or not value.strip():
        raise ConfigError(f"{where}: {name} is {value!r}, expected a text, or {{sv: a text, en: a text}}.")
    return value.strip()


def _word(where: str, name: str, value: Any, words: type[Words]) -> Words:
    if value not in list(words):
        raise ConfigError(f"{where}: {name} is {value!r}, expected one of {', '.join(words)}.")
    return words(value)


def _day(where: str, value: Any) -> date:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise ConfigError(f"{where}: date is {value!r}, expected a day such as 2026-11-26.")
    return value


def _yes_or_no(where: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"{where}: blocking is {value!r}, expected true or false.")
    return value


def _refuse_twice(path: Path, found: tuple[Obstacle, ...]) -> None:
    ids = [one.id for one in found]
    if twice := sorted({one for one in ids if ids.count(one) > 1}):
        raise ConfigError(f"{path}: id {', '.join(twice)} stands more than once. Give each obstacle its own.")
