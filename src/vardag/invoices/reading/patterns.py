"""The phrases and limits that the process owner keeps in `patterns.yaml` and `limits.yaml`, made ready to search with."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from vardag.core.errors import ConfigError
from vardag.core.parameters import Parameters
from vardag.core.parameters import load as load_parameters

HERE = Path(__file__).parent
PATTERNS, LIMITS = HERE / "patterns.yaml", HERE / "limits.yaml"
TWINS = str.maketrans("åäáàâãöóòôéèêëüúíïñçø", "aaaaaaooooeeeeuuiinco")
# What may stand between two words of a phrase: a wrapped line, a quotation mark, a star of a mail program's bold.
GAP = r"[\s\"'’*,_]{1,4}"
SKIPPED = r"(?:[\s\"'’*,_-]{1,4}\w{1,30}){0,4}"


def fold(text: str) -> str:
    """Lower case without dots and rings, character by character, so that places stay where they are.

    >>> fold("Räkning ÅÄÖ")
    'rakning aao'
    """
    lowered = text.lower()
    if len(lowered) != len(text):
        lowered = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    return lowered.translate(TWINS)


@dataclass(frozen=True)
class Hit:
    """A phrase found: its code and its place."""

    code: str
    start: int
    end: int


class Phrases:
    """Phrases of one sort, each under a code; the code first in the file wins where two begin at one place.

    >>> [hit.code for hit in Phrases({"wrong": ["fel belopp*"]}).find(fold("Det är fel beloppet."))]
    ['wrong']
    """

    def __init__(self, by_code: Mapping[str, Sequence[str]]) -> None:
        self.codes = list(by_code)
        groups = [
            f"(?P<c{index}>{'|'.join(_expression(p) for p in sorted(set(phrases), key=len, reverse=True))})"
            for index, phrases in enumerate(by_code.values())
        ]
        self._search = re.compile(rf"(?<!\w)(?:{'|'.join(groups)})(?!\w)")

    def find(self, folded: str, start: int = 0, end: int | None = None) -> Iterator[Hit]:
        """Every place of a phrase in folded text, from left to right."""
        for match in self._search.finditer(folded, start, len(folded) if end is None else end):
            yield Hit(self.codes[int((match.lastgroup or "c0")[1:])], *match.span())

    def code(self, text: str) -> str | None:
        """Code of a text that is one whole phrase."""
        match = self._search.fullmatch(fold(text))
        return self.codes[int((match.lastgroup or "c0")[1:])] if match else None


def _expression(phrase: str) -> str:
    """Regular expression of a phrase; every repetition in it has a small upper bound, so that time stays linear."""
    written, joined = "", False
    for word in fold(phrase).split():
        if word == "...":
            written, joined = written + SKIPPED, True
            continue
        written += (GAP if written else "") + re.escape(word).replace(r"\*", r"\w{0,25}")
        joined = False
    if joined or not written:
        raise ConfigError(f"patterns.yaml: {phrase!r} must end with a word.")
    return written


@dataclass(frozen=True)
class Patterns:
    """All that the reader looks for.

    Attributes
    ----------
    formats
        What an invoice number may look like, as one expression.
    labels
        Words that tell what the number after them is.
    between, lists, asked_after
        Words that may stand between a label and its number, between the numbers of a list, and between a number and
        the word that asks.
    cancel, part, plural, kept
        Words that ask for cancellation, for a part of it, for several, and for an invoice to be left alone.
    limits
        How much is read, and how sure each way of reading is.
    """

    formats: re.Pattern[str]
    labels: Phrases
    between: re.Pattern[str]
    lists: re.Pattern[str]
    asked_after: re.Pattern[str]
    before_bare_number: frozenset[str]
    cancel: Phrases
    doubts: Phrases
    part: Phrases
    reasons: Phrases
    replacements: Phrases
    plural: Phrases
    kept: Phrases
    kinds: Mapping[str, Phrases]
    threads: Mapping[str, Phrases]
    language: Mapping[str, frozenset[str]]
    limits: Parameters

    def limit(self, name: str) -> Any:
        """Value of a limit."""
        return self.limits.value(name)

    def with_formats(self, formats: Sequence[str]) -> "Patterns":
        """The same patterns for a city whose invoice numbers look otherwise."""
        return replace(self, formats=_formats(formats))


def load_patterns(path: Path = PATTERNS, *, limits: Path = LIMITS) -> Patterns:
    """Read the pattern file.

    Raises
    ------
    ConfigError
        When a section is missing, a phrase ends with ``...`` or an invoice number's format is no expression.
    """
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    try:
        threads, kinds = raw["threads"], raw["kinds"]
        return Patterns(
            formats=_formats(raw["number_formats"]),
            labels=Phrases(raw["labels"]),
            between=_filler(raw["between"], r"[\s:#.()=\-\"'’*|>,;/]"),
            lists=_filler(raw["lists"], r"[\s,;&/+()\-•*.|]"),
            asked_after=_filler(raw["asked_after"], r"[\s:()\"'’*>,-]"),
            before_bare_number=frozenset(fold(word) for word in raw["before_bare_number"]),
            doubts=Phrases(raw["doubts"]),
            reasons=Phrases(raw["reasons"]),
            replacements=Phrases(raw["replacements"]),
            **{name: Phrases({name: raw[name]}) for name in ("cancel", "part", "plural", "kept")},
            kinds={name: Phrases({name: phrases}) for name, phrases in kinds.items()},
            threads={name: Phrases({name: phrases}) for name, phrases in threads.items()},
            language={name: frozenset(words) for name, words in raw["language"].items()},
            limits=load_parameters(limits),
        )
    except KeyError as error:
        raise ConfigError(f"{path.name}: the section {error} is missing.") from error


def _formats(formats: Sequence[str]) -> re.Pattern[str]:
    try:
        return re.compile("|".join(f"(?:{re.compile(one).pattern})" for one in formats))
    except re.error as error:
        raise ConfigError(f"number_formats: {error.pattern!r} is no expression: {error}.") from error


def _filler(words: Sequence[str], marks: str) -> re.Pattern[str]:
    """What may fill a gap whole: marks, and these words."""
    known = "|".join(re.escape(fold(word)) for word in sorted(words, key=len, reverse=True))
    return re.compile(rf"(?:{marks}|(?<!\w)(?:{known})(?!\w))*")
