"""What a city's spellings mean: material, status, event, function, position, kinds of buildings and tracks, yes/no.

The words are in ``vocabulary.yaml``; a city adds its own in ``city.toml``. A spelling that is not known is never
guessed: it becomes the vocabulary's word for "something else" and is counted, and the raw text is kept.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from vardag.water.schema import DELIVERED, Column

WORDS = Path(__file__).with_name("vocabulary.yaml")

# For each kind: the meaning of an unknown spelling, and of an empty cell in a mapped column.
FALLBACKS = {
    "material": ("OTHER", "UNKNOWN"),
    "status": ("unknown", "unknown"),
    "event": ("other", "other"),
    "function": (None, None),
    "position": ("approximate", None),
    "building_kind": ("other", "other"),
    "rail_kind": ("other", "other"),
    "report_status": ("unknown", "unknown"),
    "boolean": (None, None),
}

# Columns whose words are of another kind than their name says: a report is open or closed, not in service.
KINDS = {DELIVERED["report"].column("status"): "report_status"}


@dataclass(frozen=True)
class Vocabulary:
    """The spellings of one kind of column.

    Attributes
    ----------
    values
        The meanings, such as CI and DI.
    spellings
        Folded spelling to meaning.
    other, empty
        Meaning of an unknown spelling and of an empty cell; None leaves the cell empty.
    """

    kind: str
    values: tuple[str, ...]
    spellings: Mapping[str, str]
    other: str | None
    empty: str | None

    def meaning(self, text: str) -> str | None:
        """Meaning of a spelling; None where it is not known.

        A material may carry a grade or a size beside its name (``PE100 SDR11``, ``Segjärn K9``): where exactly
        one meaning is found among the words, that is it.
        """
        if (whole := self.spellings.get(fold(text))) is not None or self.kind != "material":
            return whole
        words = [fold(word) for word in re.split(r"[^\w]+", text) if len(word) > 1]
        found = {self.spellings[word] for word in words if word in self.spellings}
        return found.pop() if len(found) == 1 else None

    def extended(self, entries: Mapping[str, str | bool]) -> "Vocabulary":
        """Return this vocabulary with a city's own spellings, which win over the built-in ones."""
        by_lower = {value.lower(): value for value in self.values}
        own = {fold(spelling): by_lower[str(meaning).lower()] for spelling, meaning in entries.items()}
        return Vocabulary(self.kind, self.values, {**self.spellings, **own}, self.other, self.empty)


def fold(text: str) -> str:
    """Fold a spelling: compatibility form, no case, no spaces, no punctuation.

    >>> fold(" PVC-U ") == fold("pvcu")
    True
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[\W_]+", "", plain) or plain.strip()


def vocabulary_for(column: Column) -> Vocabulary | None:
    """Vocabulary of a column of the schema; None where its text is taken as it is."""
    if column.type == "BOOLEAN":
        return builtin("boolean")
    kind = KINDS.get(column, column.name)
    return builtin(kind) if kind in FALLBACKS else None


@cache
def builtin(kind: str) -> Vocabulary:
    """Return the built-in vocabulary of a kind."""
    words = _words()[kind]
    spellings = {fold(spelling): meaning for meaning, listed in words.items() for spelling in listed}
    other, empty = FALLBACKS[kind]
    return Vocabulary(kind, tuple(words), spellings, other, empty)


@cache
def missing_words() -> frozenset[str]:
    """Cell contents that mean "nothing here", in lower case."""
    return frozenset(_words()["missing"])


@cache
def unlined_words() -> frozenset[str]:
    """Folded words in a lining column that mean that the pipe has no lining."""
    return frozenset(fold(word) for word in _words()["unlined"])


@cache
def _words() -> dict[str, Any]:
    words: dict[str, Any] = yaml.safe_load(WORDS.read_text(encoding="utf-8"))
    return words
