"""Where a letter asks for an invoice to be cancelled, and where the same words are about something else or denied."""

import re
from collections.abc import Iterator

from vardag.invoices.reading.figures import Sort
from vardag.invoices.reading.letters import Place
from vardag.invoices.reading.patterns import Hit, Patterns

FORWARDED = re.compile(r"\s*(?:re|sv|vb|vs|fw|fwd|ang|aw|wg)\s?(?:\[\d\])?:")
INVOICES = {"invoice", "invoice_number", "ocr"}
NAMED = {Sort.INVOICE, Sort.UNKNOWN, Sort.OCR, Sort.LOOKALIKE}
TOKEN = re.compile(r"[\w'’-]{1,40}|[^\w\s]|\n")
CLAUSE = re.compile(r"[.!?;:,()]|\s-\s|\n\s*\n|(?<!\w)(?:men|but|och|and|sa|so)(?!\w)")


def mark_asks(place: Place, patterns: Patterns) -> Place:
    """Note in a place where it asks.

    The subject of an answer is somebody else's: what it asks for, the writer has not said.
    """
    if place.where == "subject" and FORWARDED.match(place.folded):
        return place
    labels = {hit.start for hit in patterns.labels.find(place.folded) if hit.code in INVOICES}
    named = labels | {figure.start for figure in place.figures if figure.sort in NAMED}
    for hit in place.found(patterns.cancel):
        (place.asks if _has_object(place.folded, hit, named, patterns) else place.elsewhere).append(hit)
    place.asks.extend(place.found(patterns.cancelled))
    for hit in place.found(patterns.cancel_nouns):
        if place.where == "subject" or place.found(patterns.wishes, place.unit_of(hit.start)):
            place.asks.append(hit)
    place.asks.sort(key=lambda hit: hit.start)
    return place


def denied(place: Place, patterns: Patterns) -> Iterator[Hit]:
    """Denials in a clause that asks, but for those that belong to a reason ("inte till oss") or are harmless."""
    covered = [hit for phrases in (patterns.reasons, patterns.harmless, patterns.replacements, patterns.labels)
               for hit in place.found(phrases)]  # fmt: skip
    denials = place.found(patterns.denials)
    if not denials:
        return
    borders = [0, *(match.end() for match in CLAUSE.finditer(place.folded)), len(place.folded)]
    for ask in [*place.asks, *place.elsewhere]:
        start = max(border for border in borders if border <= ask.start)
        end = min((border for border in borders if border >= ask.end), default=len(place.folded))
        for hit in denials:
            if start <= hit.start < end and not any(one.start <= hit.start < one.end for one in covered):
                yield hit


def questioned(place: Place, patterns: Patterns) -> Iterator[Hit]:
    """Words that ask in a sentence that is a question and no polite request: "Ska faktura 1234567 krediteras?"."""
    for ask in place.asks:
        unit = place.unit_of(ask.start)
        if "?" in place.folded[unit.start : unit.end] and not place.found(patterns.polite, unit):
            yield ask


def _has_object(folded: str, hit: Hit, named: set[int], patterns: Patterns) -> bool:
    """Tell whether a word that asks is followed by an invoice, by a word that means one, or by nothing more."""
    for token in TOKEN.finditer(folded, hit.end, min(len(folded), hit.end + 150)):
        word = token.group()
        if token.start() in named or word in patterns.cancel_objects:
            return True
        if not word[0].isalnum():
            if word not in "\"'*(\n":
                return True
        elif word not in patterns.cancel_passing:
            return False
    return True
