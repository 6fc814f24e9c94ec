"""From the numbers and phrases of a mail to one cancellation request for each invoice, with what is unclear about it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from vardag.invoices.model import CancellationRequest
from vardag.invoices.reading.candidates import Candidate, candidates, labelled, mentioned
from vardag.invoices.reading.details import Details
from vardag.invoices.reading.figures import Figure, Sort
from vardag.invoices.reading.letters import Place, Unit
from vardag.invoices.reading.patterns import Patterns

# A number's own sentence may say more than a list's row does; a row is what is left when this little is.
ROW = 30


@dataclass(frozen=True)
class Letter:
    """All places of a mail: what the writer wrote now, what is quoted, what is attached."""

    new: Sequence[Place]
    forwarded: Sequence[Place]
    attached: Sequence[Place]

    @property
    def every(self) -> list[Place]:
        """Every place, the writer's own first."""
        return [*self.new, *self.forwarded, *self.attached]


def read_requests(letter: Letter, patterns: Patterns) -> tuple[list[CancellationRequest], list[str]]:
    """One request for each invoice, and the doubts that hold for all of them.

    Empty where the mail asks for nothing about an invoice.
    """
    asked = any(place.asks for place in letter.new)
    numbers, doubts = _numbers(letter, patterns)
    if not asked and not _complains(letter, numbers, patterns):
        return [], []
    if not numbers and not _speaks_of_invoices(letter, patterns):
        return [], []
    doubts += _not_asked(letter) if not asked else []
    details = Details(letter.new, letter.forwarded, letter.attached, patterns, alone=len(numbers) <= 1)
    requests = [details.request(number) for number in numbers[: patterns.limit("most_requests")]]
    if len(numbers) > patterns.limit("most_requests"):
        doubts.append("too_many")
    if not requests:
        requests = [_by_reference(details.request(None))]
    return [_with_part(request, letter, patterns) for request in requests], doubts


def _by_reference(request: CancellationRequest) -> CancellationRequest:
    """A request that names no invoice number; its payment reference will do where its check digit is right."""
    return request if request.reference else replace(request, doubts=(*request.doubts, "no_number"))


def _numbers(letter: Letter, patterns: Patterns) -> tuple[list[Candidate], list[str]]:
    """The invoices that the mail is about, and what is unclear about them."""
    own = candidates(letter.new, patterns)
    quoted, attached = labelled(letter.forwarded, patterns), labelled(letter.attached, patterns)
    if not own:
        has_reference = any(place.of(Sort.OCR) for place in letter.new)
        return ([], []) if has_reference else _others(quoted, attached, letter, patterns)
    doubts = _disagreements(own, quoted, attached)
    if any("number_unlabelled" in one.doubts for one in own):
        doubts.append("number_unlabelled")
    if len(own) > 1:
        own = [_in_company(one, own, letter, patterns) for one in own]
    return own, doubts


def _others(
    quoted: list[Candidate], attached: list[Candidate], letter: Letter, patterns: Patterns
) -> tuple[list[Candidate], list[str]]:
    """Numbers that only stand in what others wrote: one is clear, several are when each is an attached invoice."""
    values = dict.fromkeys(one.value for one in [*attached, *quoted])
    found = [next(one for one in [*attached, *quoted] if one.value == value) for value in values]
    if attached and quoted and {one.value for one in attached} != {one.value for one in quoted}:
        return found, ["numbers_disagree"]
    plural = any(place.found(patterns.plural) for place in letter.new)
    each = len({one.place.where for one in attached}) == len(values)
    return found, [] if len(found) <= 1 or (plural and each and not quoted) else ["several_numbers"]


def _disagreements(own: list[Candidate], quoted: list[Candidate], attached: list[Candidate]) -> list[str]:
    """A doubt where the number in the letter is not the one in the subject, the quoted letter or the attachment."""
    values = {one.value for one in own}
    in_subject = {one.value for one in own if one.place.where == "subject"}
    other_way = bool(in_subject) and bool(values - in_subject)
    from_quoted, from_attached = {one.value for one in quoted}, {one.value for one in attached}
    astray = (bool(from_quoted) and not values <= from_quoted) or bool(from_attached - values)
    return ["numbers_disagree"] * (other_way or astray)


def _in_company(one: Candidate, own: list[Candidate], letter: Letter, patterns: Patterns) -> Candidate:
    """One of several numbers: it must be asked for where it stands, or be an item of a list that is."""
    doubts: list[str] = []
    if not any(_asked_here(place, unit, patterns) for place, unit in mentioned(one, letter.new)):
        doubts.append("not_asked_here")
    for place, unit in mentioned(one, letter.new):
        if place.found(patterns.kept, unit):
            doubts.append("several_unclear")
    return replace(one, doubts=tuple(dict.fromkeys((*one.doubts, *doubts))))


def _asked_here(place: Place, unit: Unit, patterns: Patterns) -> bool:
    if any(unit.start <= ask.start < unit.end for ask in place.asks):
        return True
    return bool(place.asks) and _is_row(place, unit, patterns)


def _is_row(place: Place, unit: Unit, patterns: Patterns) -> bool:
    """Tell whether a sentence is no more than a number and what belongs to it: an item of a list, a row of a table."""
    text = list(place.folded[unit.start : unit.end])
    taken = [*place.found(patterns.labels, unit), *place.found(patterns.reasons, unit),
             *(figure for figure in place.figures if unit.start <= figure.start < unit.end)]  # fmt: skip
    for found in taken:
        text[found.start - unit.start : found.end - unit.start] = " " * (found.end - found.start)
    return len(re.sub(r"[\W\d_]", "", "".join(text))) <= ROW or "|" in text


def _complains(letter: Letter, numbers: list[Candidate], patterns: Patterns) -> bool:
    """Tell whether a mail without the word that asks still says that an invoice is wrong."""
    asked_below = any(place.asks for place in letter.forwarded)
    named = bool(numbers) or any(place.of(Sort.OCR) for place in letter.new)
    reasons = any(place.found(patterns.reasons) for place in letter.new)
    return named and (asked_below or reasons)


def _speaks_of_invoices(letter: Letter, patterns: Patterns) -> bool:
    words = {hit.code for place in letter.new for hit in place.found(patterns.labels)}
    return bool(words & {"invoice", "invoice_number", "ocr"}) or bool(letter.attached)


def _not_asked(letter: Letter) -> list[str]:
    return ["asked_in_forwarded" if any(place.asks for place in letter.forwarded) else "not_asked"]


def _with_part(request: CancellationRequest, letter: Letter, patterns: Patterns) -> CancellationRequest:
    """A request with the words that ask for a part of the invoice alone, and the doubt they leave."""
    for place in letter.new:
        for hit in [*place.found(patterns.part), *_sums_asked_for(place)]:
            part = place.read("part", hit.start, hit.end, 0.9)
            return replace(request, part=part, doubts=(*request.doubts, "part"))
    return request


def _sums_asked_for(place: Place) -> Iterable[Figure]:
    """Amounts directly after the word that asks: "kreditera oss 500 kr"."""
    between = re.compile(r"[\s:]*(?:(?:oss|mig|med|bort|ca|cirka|us|me|by|for|with|minus|totalt)\s+){0,3}")
    for ask in place.asks:
        for figure in place.of(Sort.AMOUNT):
            gap = place.folded[ask.end : figure.start]
            if ask.end <= figure.start and len(gap) < 25 and between.fullmatch(gap):
                yield figure
