"""From the numbers and phrases of a mail to one request for each invoice, with what is unclear about it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from vardag.invoices.model import CancellationRequest
from vardag.invoices.reading.candidates import Candidate, candidates, labelled, mentioned
from vardag.invoices.reading.details import Details
from vardag.invoices.reading.figures import Figure, Sort
from vardag.invoices.reading.letters import Place, Unit
from vardag.invoices.reading.patterns import Hit, Patterns

# A number's own sentence may say more than a list's row does; a row is what is left when this little is.
ROW = 30
BARE_SUM = re.compile(r"(?<!\w)(?:med|by|with|minus)\s(?:kr|sek)?\s?\d{1,6}(?![\d\w-])")


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
    subject, body = letter.new
    elsewhere = bool(subject.elsewhere or body.elsewhere)
    # What the subject asks for counts unless the letter speaks of it in words that may mean something else.
    asked = bool(body.asks) or (bool(subject.asks) and not body.elsewhere)
    numbers, doubts = _numbers(letter, patterns)
    if not asked and not elsewhere and not _complains(letter, numbers, patterns):
        return [], []
    if not numbers and not _speaks_of_invoices(letter, patterns):
        return [], []
    if not asked:
        doubts += ["asked_unclearly"] if elsewhere else _not_asked(letter)
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
    spared = any(figure.label == "keep" for place in letter.new for figure in place.of(Sort.LEFT_ALONE))
    doubts += ["several_unclear"] * spared
    if any("number_unlabelled" in one.doubts for one in own):
        doubts.append("number_unlabelled")
    if len(own) == 1:
        own = [_left_alone(own[0], letter, patterns)]
    else:
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
    """One of several numbers: the words that ask must reach it, or it must be in a list that they speak of."""
    units = list(mentioned(one, letter.new))
    if any(_reached(place, start) and not place.found(patterns.kept, unit) for place, unit, start in units):
        return one
    asked = any(
        bool(place.asks) and (_is_row(place, unit, patterns) or _asked_beside(place, unit, patterns))
        for place, unit, _ in units
    )
    doubts = ["not_asked_here"] * (not asked)
    doubts += ["several_unclear"] * any(place.found(patterns.kept, unit) for place, unit, _ in units)
    return replace(one, doubts=(*one.doubts, *doubts))


def _left_alone(one: Candidate, letter: Letter, patterns: Patterns) -> Candidate:
    """The only number: a doubt where its sentences say that it is in order, and none of them asks."""
    units = list(mentioned(one, letter.new))
    reached = any(_reached(place, start) for place, _, start in units)
    kept = any(place.found(patterns.settled, unit) for place, unit, _ in units)
    return replace(one, doubts=(*one.doubts, "several_unclear")) if kept and not reached else one


def _reached(place: Place, start: int) -> bool:
    return any(ask.first <= start < ask.last for ask in place.asks)


def _asked_beside(place: Place, unit: Unit, patterns: Patterns) -> bool:
    """Tell whether the sentence before or after asks about several: "Kan ni annullera dem båda?"."""
    beside = [other for other in place.units if unit.start in {other.end} or other.start in {unit.end}]
    return any(
        other.start <= ask.start < other.end and place.found(patterns.plural, other)
        for other in beside for ask in place.asks
    )  # fmt: skip


def _is_row(place: Place, unit: Unit, patterns: Patterns) -> bool:
    """Tell whether a sentence is no more than a number and what belongs to it: an item of a list, a table's row."""
    before, after = place.folded[: unit.start].rstrip(" \t"), place.folded[unit.end :].lstrip(" \t")
    begins = before == "" or before.endswith("\n") or place.folded[unit.start] == "\n"
    if not begins or not (after == "" or "\n" in place.folded[unit.end - 1 : unit.end + 1]):
        return False
    inside = [
        f for f in place.figures if unit.start <= f.start < unit.end and f.sort in {Sort.INVOICE, Sort.UNKNOWN}
    ]
    if len({figure.value for figure in inside}) != 1:
        return False
    text = list(place.folded[unit.start : unit.end])
    known = [
        (hit.start, hit.end)
        for phrases in (patterns.labels, patterns.reasons)
        for hit in place.found(phrases, unit)
    ]
    known += [(figure.start, figure.end) for figure in place.figures if unit.start <= figure.start < unit.end]
    for start, end in known:
        text[start - unit.start : end - unit.start] = " " * (end - start)
    left = "".join(text)
    ahead = re.sub(r"[\W\d_]", "", left[: inside[0].start - unit.start])
    return "|" in left or (len(ahead) <= 3 and len(re.sub(r"[\W\d_]", "", left)) <= ROW)


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


def _sums_asked_for(place: Place) -> Iterable[Figure | Hit]:
    """Amounts that are asked for: "kreditera oss 500 kr", "kreditera faktura 1234567 med 500"."""
    between = re.compile(r"[\s:]*(?:(?:oss|mig|med|bort|ca|cirka|us|me|by|for|with|minus|totalt)\s+){0,3}")
    for ask in [*place.asks, *place.elsewhere]:
        for figure in place.of(Sort.AMOUNT):
            gap = place.folded[ask.end : figure.start]
            if ask.end <= figure.start and len(gap) < 25 and between.fullmatch(gap):
                yield figure
        for match in BARE_SUM.finditer(place.folded, ask.end, place.unit_of(ask.start).end):
            yield Hit("part", *match.span())
