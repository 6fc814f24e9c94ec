"""The text of a mail as places to read in: sentences, the numbers in them, and the phrases that say what is wanted."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from vardag.invoices.model import Read
from vardag.invoices.reading.characters import Clean, clean
from vardag.invoices.reading.figures import Figure, Sort, figures
from vardag.invoices.reading.patterns import Hit, Patterns, Phrases, fold
from vardag.invoices.reading.threads import signature

# A sentence ends at a mark followed by a new one, at an empty line, and at a line that is an item or a row.
ABBREVIATIONS = ("nr", "Nr", "no", "No", "tel", "org", "inv", "fakt", "kl", "st", "bl", "dvs", "Mr", "Mrs", "Ms")
BREAK = re.compile(
    "".join(rf"(?<!\b{word})" for word in ABBREVIATIONS)
    + r"""[.!?](?=\s+["'(]?[A-ZÅÄÖ0-9])|\n[ \t]{0,40}\n|\n(?=[ \t]{0,40}(?:[-*•–+]|\d{1,2}[.)])\s)"""
    r"|\n(?=[^\n]{0,300}\|)|\n(?=[^\n:]{1,40}:)|\n(?=[A-Z]?[\d ]{5,12}\b)|(?<=:)\n|\n(?=[A-ZÅÄÖ])",
)
QUOTE = 30


@dataclass(frozen=True)
class Unit:
    """A sentence, a list item or a row of a table."""

    start: int
    end: int


@dataclass(frozen=True)
class Place:
    """A text that was read, with all that was found in it.

    Attributes
    ----------
    where
        ``subject``, ``body``, ``forwarded`` or the attachment's file name.
    signature
        Places where the signature begins and ends.
    """

    where: str
    text: Clean
    folded: str
    figures: list[Figure]
    units: list[Unit]
    signature: tuple[int, int]
    asks: list[Hit] = field(default_factory=list)

    def unit_of(self, start: int) -> Unit:
        """The sentence around a place."""
        return next((unit for unit in self.units if unit.start <= start < unit.end), Unit(0, len(self.folded)))

    def in_letter(self, start: int) -> bool:
        """Tell whether a place is in the letter itself and not in its signature."""
        return not self.signature[0] <= start < self.signature[1]

    def of(self, sort: Sort) -> list[Figure]:
        """The numbers of a sort."""
        return [figure for figure in self.figures if figure.sort is sort]

    def found(self, phrases: Phrases, unit: Unit | None = None) -> list[Hit]:
        """Phrases in a sentence or in the whole letter, its signature left out."""
        start, end = (unit.start, unit.end) if unit else (0, len(self.folded))
        return [hit for hit in phrases.find(self.folded, start, end) if self.in_letter(hit.start)]

    def read(self, value: str, start: int, end: int, sure: float) -> Read:
        """A thing read here, with the words around it."""
        text = self.text.text
        quote = " ".join(text[max(0, start - QUOTE) : end + QUOTE].split())
        return Read(value, self.where, quote, sure, start, end)


def place(where: str, text: str, patterns: Patterns) -> Place:
    """Read a text into a place."""
    cleaned = clean(text)
    folded = fold(cleaned.text)
    parted = list(_units(cleaned.text))
    found = Place(where, cleaned, folded, figures(cleaned, patterns), parted, signature(cleaned.text, patterns))
    found.asks.extend(found.found(patterns.cancel))
    return found


def _units(text: str) -> Iterator[Unit]:
    start = 0
    for match in BREAK.finditer(text):
        if match.end() > start and text[start : match.end()].strip():
            yield Unit(start, match.end())
            start = match.end()
    if start < len(text):
        yield Unit(start, len(text))


def language_of(text: str, patterns: Patterns) -> str:
    """Language of a text by its common words; Swedish where it is even."""
    words = re.findall(r"[^\W\d]+", text[:5000].lower())
    counts = {name: sum(word in known for word in words) for name, known in patterns.language.items()}
    return max(sorted(counts, key=lambda name: name != "sv"), key=lambda name: counts[name])
