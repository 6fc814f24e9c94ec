"""Which of the numbers in a mail are the invoices that it speaks of, and how sure that is."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from vardag.invoices.reading.figures import Figure, Sort
from vardag.invoices.reading.letters import Place, Unit
from vardag.invoices.reading.patterns import Patterns

INVOICE_LABELS = {"invoice", "invoice_number"}
BARE_NUMBER = re.compile(
    r"(?:^|(?P<before>[^\W\d]{1,20}(?: [^\W\d]{1,20})?)?(?P<mark>[\s,(:.-]{1,4}))(?:nr|nummer|no|number)[\s.:]{0,3}$"
)


@dataclass(frozen=True)
class Candidate:
    """A number that may be the invoice of a request."""

    value: str
    place: Place
    figure: Figure
    sure: float
    doubts: tuple[str, ...] = ()

    @property
    def unit(self) -> Unit:
        """The sentence that it stands in."""
        return self.place.unit_of(self.figure.start)


def candidates(places: Sequence[Place], patterns: Patterns) -> list[Candidate]:
    """The invoice numbers of some places in the order they stand, each value once, by its surest mention."""
    best: dict[str, Candidate] = {}
    for place in places:
        for figure in place.figures:
            found = _assess(figure, place, patterns)
            if found and (found.value not in best or _rank(found) > _rank(best[found.value])):
                best[found.value] = found
    spared = {figure.value for place in places for figure in place.of(Sort.LEFT_ALONE)}
    return [
        replace(one, doubts=(*one.doubts, "several_unclear")) if one.value in spared else one
        for one in best.values()
    ]


def labelled(places: Iterable[Place], patterns: Patterns) -> list[Candidate]:
    """The invoice numbers that carry a label, in what others wrote: quoted letters and attachments."""
    best: dict[str, Candidate] = {}
    for place in places:
        for figure in place.of(Sort.INVOICE):
            found = _assess(figure, place, patterns)
            if found:
                best.setdefault(found.value, found)
    return list(best.values())


def mentioned(candidate: Candidate, places: Iterable[Place]) -> Iterator[tuple[Place, Unit]]:
    """Every sentence that names a number."""
    for place in places:
        for figure in place.figures:
            if figure.value == candidate.value and figure.sort in {Sort.INVOICE, Sort.UNKNOWN}:
                yield place, place.unit_of(figure.start)


def _rank(candidate: Candidate) -> tuple[bool, bool, float]:
    return not candidate.doubts, candidate.place.where == "body", candidate.sure


def _assess(figure: Figure, place: Place, patterns: Patterns) -> Candidate | None:
    """How sure a number is an invoice's, or None where it is something else."""
    doubts: list[str] = []
    if figure.sort is Sort.INVOICE:
        sure = patterns.limit("sure_spaced" if figure.spaced else "sure_labelled")
        if figure.label == "invoice" and figure.maybe == "date":
            doubts.append("number_may_be_other")
    elif figure.sort is Sort.UNKNOWN and not figure.spaced:
        if _is_governed(figure, place, patterns):
            sure = patterns.limit("sure_governed")
        elif _is_near(figure, place, patterns):
            sure = patterns.limit("sure_near")
        elif place.in_letter(figure.start):
            sure = patterns.limit("sure_unlabelled")
            doubts.append("number_unlabelled")
        else:
            return None
        doubts.extend(["number_may_be_other"] * bool(figure.maybe))
    else:
        return None
    if place.text.is_odd(figure.start, figure.end):
        doubts.append("odd_characters")
    return Candidate(figure.value, place, figure, sure, tuple(doubts))


def _is_governed(figure: Figure, place: Place, patterns: Patterns) -> bool:
    """Tell whether a number stands directly at the word that asks: "makulera 1234567", "1234567 ska krediteras"."""
    for ask in place.asks:
        before, after = place.folded[ask.end : figure.start], place.folded[figure.end : ask.start]
        if ask.end <= figure.start and len(before) <= 30 and patterns.between.fullmatch(before):
            return before.count("\n") <= 2
        if figure.end <= ask.start and len(after) <= 20 and patterns.asked_after.fullmatch(after):
            return after.count("\n") == 0
    return False


def _is_near(figure: Figure, place: Place, patterns: Patterns) -> bool:
    """Tell whether a number stands after the bare word for number, in a sentence that speaks of an invoice."""
    unit = place.unit_of(figure.start)
    before = place.folded[max(unit.start, figure.start - 60) : figure.start]
    bare = BARE_NUMBER.search(before)
    if bare is None:
        return False
    connected = "," in (bare["mark"] or "") or "(" in (bare["mark"] or "")
    word = (bare["before"] or "").split()
    connected = connected or not word or word[-1] in patterns.before_bare_number
    labels = list(patterns.labels.find(place.folded, unit.start, figure.start))
    return connected and bool(labels) and labels[-1].code in INVOICE_LABELS
