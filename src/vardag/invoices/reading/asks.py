"""Where a letter asks for an invoice to be cancelled: in words that are all known, or else it goes to a person.

People find endless ways to mean the opposite with the same verb ("it would be wrong to cancel", "I was told you
would cancel", "cancel only if"). No list of them is ever whole. So it is the other way round: in the clause that
asks, each word must be one that is known to leave the meaning as it is.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator

from vardag.invoices.reading.letters import Ask, Place, Unit
from vardag.invoices.reading.patterns import Hit, Patterns

FORWARDED = re.compile(r"\s*(?:re|sv|vb|vs|fw|fwd|ang|aw|wg)\s?(?:\[\d\])?:")
TOKEN = re.compile(r"[\w'’]{1,60}|[^\w\s]")
# Marks and words at which a clause ends.
BORDERS = {
    ".",
    "!",
    "?",
    ";",
    ":",
    ",",
    "(",
    ")",
    "men",
    "but",
    "och",
    "and",
    "samt",
    "sa",
    "so",
    "&",
    "eftersom",
    "da",
    "because",
    "since",
    "enligt",
}
LIST_MARKS = {",", "och", "and", "&", "samt", "+", "/"}
INVOICE_LABELS = {"invoice", "invoice_number", "ocr"}
CONJUNCTIONS = {"och", "and", "men", "but", "samt"}
QUOTES = set('"”“„«»‟')
REACH = 400
# Letters of unknown words that a sentence after the asking one may have: a name, a word of thanks.
SMALL_TALK = 9


def mark_asks(place: Place, patterns: Patterns) -> Place:
    """Note in a place where it asks clearly, and where it may ask.

    The subject of an answer is somebody else's: what it asks for, the writer has not said.
    """
    if place.where == "subject" and FORWARDED.match(place.folded):
        return place
    hits = [*place.found(patterns.cancel), *place.found(patterns.cancelled)]
    for hit in place.found(patterns.cancel_nouns)[: patterns.limit("most_asks")]:
        if place.where == "subject" or place.found(patterns.wishes, place.unit_of(hit.start)):
            hits.append(hit)
    clauses = _Clauses(place, patterns)
    for hit in sorted(hits, key=lambda hit: hit.start)[: patterns.limit("most_asks")]:
        ask = clauses.ask(hit)
        (place.asks if ask.clear else place.elsewhere).append(ask)
    return place


class _Clauses:
    """Looks from a word that asks to both sides, as far as every word is known."""

    def __init__(self, place: Place, patterns: Patterns) -> None:
        self.place = place
        self.patterns = patterns
        self.covered = bytearray(len(place.folded))
        asking = (patterns.cancel, patterns.cancelled, patterns.cancel_nouns, patterns.wishes, patterns.polite)
        known = (*asking, patterns.known_phrases, patterns.reasons, patterns.replacements)
        labels = [hit for hit in place.hits(patterns.labels) if hit.code in {*INVOICE_LABELS, "amount", "customer"}]
        hits = [*labels, *(hit for phrases in known for hit in place.hits(phrases))]
        for start, end in [(one.start, one.end) for one in hits] + [(one.start, one.end) for one in place.figures]:
            self.covered[start:end] = b"1" * (end - start)
        self.opening = {hit.start for hit in place.hits(patterns.openers)}

    def ask(self, hit: Hit) -> Ask:
        unit = self.place.unit_of(hit.start)
        first, last = max(unit.start, hit.start - REACH), min(unit.end, hit.end + REACH)
        before = [match.span() for match in TOKEN.finditer(self.place.folded, first, hit.start)][::-1]
        after = [match.span() for match in TOKEN.finditer(self.place.folded, hit.end, last)]
        left, clear_left = self._look(before, hit.start)
        clear_left = clear_left or any(start in self.opening for start, _ in left)
        right, clear_right = self._look(after, hit.start)
        start = left[-1][0] if left else hit.start
        end = right[-1][1] if right else hit.end
        clear = (
            clear_left and clear_right and not self._depends(unit.start, unit.end) and not self._own_doing(before)
        )
        clear = clear and not self._quoted(unit.start, hit.start)
        clear = clear and not (hit.code == "cancel" and self._somebody_else_wants(before))
        return Ask(hit.code, hit.start, hit.end, clear, start, end)

    def _look(self, tokens: list[tuple[int, int]], hit_start: int) -> tuple[list[tuple[int, int]], bool]:
        """Tokens that are known, outwards, and whether a border of the clause was reached before an unknown one."""
        seen: list[tuple[int, int]] = []
        clear = False
        for start, end in tokens:
            word = self.place.folded[start:end]
            known = (
                self.covered[start]
                or word in self.patterns.known_around
                or word in LIST_MARKS
                or not word[0].isalnum()
            )
            if word in BORDERS and not self.covered[start]:
                # What stands before a colon may be "Läs detta högt:"; it is no border towards the left.
                clear = clear or word != ":" or start > hit_start or self._is_field(start)
                if word not in LIST_MARKS and clear:
                    return seen, True
            elif not known:
                return seen, clear
            seen.append((start, end))
        return seen, True

    def _is_field(self, colon: int) -> bool:
        """Tell whether a colon ends the one or two words that name a field of a form: "Åtgärd: makulera"."""
        words = re.split(r"[.!?]\s|\n", self.place.folded[max(0, colon - 60) : colon])[-1]
        return len(words.split()) <= 2

    def _depends(self, start: int, end: int) -> bool:
        """Tell whether the sentence makes the wish depend on something: "om", "innan", "only"."""
        return any(
            not self.covered[hit.start] for hit in self.patterns.conditions.find(self.place.folded, start, end)
        )

    def unknown_letters(self, start: int, end: int) -> int:
        """Letters of the words in a stretch that are not known."""
        words = [match.span() for match in TOKEN.finditer(self.place.folded, start, end)]
        return sum(
            b - a for a, b in words
            if not self.covered[a] and self.place.folded[a].isalpha()
            and self.place.folded[a:b] not in self.patterns.known_around
        )  # fmt: skip

    def _somebody_else_wants(self, before: list[tuple[int, int]]) -> bool:
        """Tell whether the wish has its subject in the clause before: "någon utger sig för mig och vill ..."."""
        words: list[str] = []
        for start, end in before:
            word = self.place.folded[start:end]
            if word in CONJUNCTIONS:
                return bool(words) and not self.patterns.subjects.intersection(words)
            if word in BORDERS:
                return False
            words.append(word)
        return False

    def _quoted(self, start: int, end: int) -> bool:
        """Tell whether a word stands within quotation marks: somebody else's words."""
        return sum(character in QUOTES for character in self.place.text.text[start:end]) % 2 == 1

    def _own_doing(self, before: list[tuple[int, int]]) -> bool:
        """Tell whether the writer speaks of what he himself does: "vi kan kreditera"."""
        words: list[str] = []
        for start, end in before:
            word = self.place.folded[start:end]
            if word in BORDERS and not self.covered[start]:
                break
            words.append(word)
        selves = self.patterns.selves.intersection(words)
        others = {"ni", "du", "er", "you"}.intersection(words)
        return bool(selves) and not others and not self.patterns.asking.intersection(words)


def denied(place: Place, patterns: Patterns) -> Iterator[Hit]:
    """Denials in a clause that asks, but for those that belong to a reason ("inte till oss") or are harmless."""
    denials = place.found(patterns.denials)
    if not denials:
        return
    covered = bytearray(len(place.folded))
    for phrases in (patterns.reasons, patterns.harmless, patterns.replacements, patterns.labels):
        for hit in place.found(phrases):
            covered[hit.start : hit.end] = b"1" * (hit.end - hit.start)
    ends = [match.end() for match in TOKEN.finditer(place.folded) if match.group() in BORDERS]
    borders = sorted([0, *ends, *(hit.start for hit in place.hits(patterns.openers)), len(place.folded) + 1])
    clauses = {bisect_right(borders, ask.start) for ask in [*place.asks, *place.elsewhere]}
    yield from (hit for hit in denials if bisect_right(borders, hit.start) in clauses and not covered[hit.start])


def questioned(place: Place, patterns: Patterns) -> Iterator[Hit]:
    """Words that ask in a sentence that is a question and no polite request: "Ska faktura 1234567 krediteras?"."""
    for ask in place.asks:
        unit = place.unit_of(ask.start)
        if "?" in place.folded[unit.start : unit.end] and not place.found(patterns.polite, unit):
            yield Hit(ask.code, ask.start, ask.end)


def unexplained(place: Place, patterns: Patterns) -> Iterator[Hit]:
    """What is said after the last request and is not understood: it may take it all back.

    Each sentence, and what is left of the sentence that asks, must hold a reason, what is to come, a courtesy, or
    only known words.
    """
    if not place.asks:
        return
    clauses = _Clauses(place, patterns)
    last = place.unit_of(place.asks[-1].start)
    rest = [Unit(max(place.asks[-1].last, place.asks[-1].end), last.end)]
    for unit in [*rest, *(unit for unit in place.units if unit.start >= last.end)]:
        words = place.text.text[unit.start : unit.end]
        first = unit.start + len(words) - len(words.lstrip())
        if not place.in_letter(first) or (unit not in rest and _is_name(words)):
            continue
        fits = any(
            place.found(phrases, unit) for phrases in (patterns.reasons, patterns.replacements, patterns.courtesies)
        )
        name = re.search(r"\s//?\s?[A-Za-zÅÄÖåäö]", words)
        end = unit.start + name.start() if name else unit.end
        if not fits and clauses.unknown_letters(unit.start, end) > SMALL_TALK:
            yield Hit("unexplained", unit.start, unit.end)


def _is_name(text: str) -> bool:
    """Tell whether a line is the writer's name or firm: few words, most with a capital, no end of a sentence."""
    words = re.findall(r"[^\W\d_]+", text)
    return (
        len(words) <= 6
        and 2 * sum(word[0].isupper() for word in words) > len(words)
        and not re.search(r"[.!?]\s*$", text)
    )
