"""The text of a mail as places to read in: sentences, the numbers in them, and what was found where."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from vardag.invoices.model import Read
from vardag.invoices.reading.characters import Clean, clean
from vardag.invoices.reading.figures import Figure, Sort, figures
from vardag.invoices.reading.patterns import Hit, Patterns, Phrases, fold
from vardag.invoices.reading.threads import signature

# A sentence ends at a mark followed by a new one, at an empty line, and at a line that is an item or a row.
ABBREVIATIONS = ("nr", "Nr", "no", "No", "tel", "org", "inv", "fakt", "kl", "st", "bl", "dvs", "Mr", "Mrs", "Ms")
BREAK = re.compile(
    r"(?<=[^\W_]{5})[.!?](?=\s+[a-zåäö])|"
    + r"(?<!\n[0-9])(?<!\n[0-9][0-9])"
    + "".join(rf"(?<!\b{word})" for word in ABBREVIATIONS)
    + r"""[.!?](?=\s+["'(]?[A-ZÅÄÖ0-9])|\n[ \t]{0,40}\n|\n(?=[ \t]{0,40}(?:[-*•–+]|\d{1,2}[.)])\s)"""
    r"|\n(?=[^\n]{0,300}\|)|\n(?=[^\n:]{1,40}:)|\n(?=[A-Z]?[\d ]{5,12}\b)|(?<=:)\n|\n(?=[A-ZÅÄÖ])",
)
QUOTE = 30
LONGEST_SENTENCE = 1500


@dataclass(frozen=True)
class Unit:
    """A sentence, a list item or a row of a table."""

    start: int
    end: int


@dataclass(frozen=True)
class Ask:
    """A word that asks, and how far around it every word is known.

    Attributes
    ----------
    clear
        Whether all of its clause is known, and nothing in its sentence makes it depend on something.
    """

    code: str
    start: int
    end: int
    clear: bool
    first: int
    last: int


@dataclass(frozen=True)
class Place:
    """A text that was read, with all that was found in it.

    Attributes
    ----------
    where
        ``subject``, ``body``, ``forwarded`` or the attachment's file name.
    signature
        Places where the signature begins and ends.
    overfull
        Whether there were more numbers or asking words than are read, or a sentence longer than any is.
    asks, elsewhere
        Words that ask clearly for an invoice to be cancelled, and such words that may mean something else.
    seen
        What was looked for already (`hits`).
    """

    where: str
    text: Clean
    folded: str
    figures: list[Figure]
    units: list[Unit]
    signature: tuple[int, int]
    asks: list[Ask] = field(default_factory=list)
    elsewhere: list[Ask] = field(default_factory=list)
    overfull: bool = False
    seen: dict[Phrases, list[Hit]] = field(default_factory=dict, compare=False, repr=False)

    def unit_of(self, start: int) -> Unit:
        """The sentence around a place."""
        index = bisect_right(self.units, start, key=lambda unit: unit.start) - 1
        return self.units[index] if index >= 0 else Unit(0, len(self.folded))

    def in_letter(self, start: int) -> bool:
        """Tell whether a place is in the letter itself and not in its signature."""
        return not self.signature[0] <= start < self.signature[1]

    def of(self, sort: Sort) -> list[Figure]:
        """The numbers of a sort."""
        return [figure for figure in self.figures if figure.sort is sort]

    def found(self, phrases: Phrases, unit: Unit | None = None) -> list[Hit]:
        """Phrases in a sentence or in the whole letter, its signature left out."""
        hits = phrases.find(self.folded, unit.start, unit.end) if unit else self.hits(phrases)
        return [hit for hit in hits if self.in_letter(hit.start)]

    def hits(self, phrases: Phrases) -> list[Hit]:
        """Phrases in all of the text; looked for once, since many ask."""
        if phrases not in self.seen:
            self.seen[phrases] = list(phrases.find(self.folded))
        return self.seen[phrases]

    def read(self, value: str, start: int, end: int, sure: float) -> Read:
        """A thing read here, with the words around it."""
        text = self.text.text
        quote = " ".join(text[max(0, start - QUOTE) : end + QUOTE].split())
        return Read(value, self.where, quote, sure, start, end)


def place(where: str, text: str, patterns: Patterns) -> Place:
    """Read a text into a place."""
    cleaned = clean(text)
    folded = fold(cleaned.text)
    numbers, parted = figures(cleaned, patterns), list(_units(cleaned.text))
    asking = sum(1 for _ in islice(patterns.cancel.find(folded), patterns.limit("most_asks")))
    return Place(
        where,
        cleaned,
        folded,
        numbers,
        parted,
        signature(cleaned.text, patterns),
        overfull=len(numbers) >= patterns.limit("most_numbers")
        or asking >= patterns.limit("most_asks")
        or any(unit.end - unit.start >= LONGEST_SENTENCE for unit in parted),
    )


def _units(text: str) -> Iterator[Unit]:
    start = 0
    for match in BREAK.finditer(text):
        if match.end() > start and text[start : match.end()].strip():
            yield from _bounded(start, match.end())
            start = match.end()
    yield from _bounded(start, len(text))


def _bounded(start: int, end: int) -> Iterator[Unit]:
    """A sentence, in pieces where it is longer than any is: looking through it for each word must stay cheap."""
    for first in range(start, max(end, start + 1), LONGEST_SENTENCE):
        yield Unit(first, min(end, first + LONGEST_SENTENCE))


def language_of(text: str, patterns: Patterns) -> str:
    """Language of a text by its common words; Swedish where it is even."""
    words = re.findall(r"[^\W\d]+", text[:5000].lower())
    counts = {name: sum(word in known for word in words) for name, known in patterns.language.items()}
    return max(sorted(counts, key=lambda name: name != "sv"), key=lambda name: counts[name])
