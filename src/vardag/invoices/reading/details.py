"""What else a mail says about an invoice: payment reference, amount, customer, organisation, reason, what is to come."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vardag.invoices.model import CancellationRequest, Read
from vardag.invoices.reading.candidates import Candidate, mentioned
from vardag.invoices.reading.figures import Figure, Sort, has_length_digit, is_reference
from vardag.invoices.reading.letters import Place, Unit
from vardag.invoices.reading.patterns import Hit, Patterns, Phrases

Found = tuple[Place, Figure]


@dataclass(frozen=True)
class Details:
    """Looks up the details of one number at a time.

    Attributes
    ----------
    alone
        Whether the mail is about one invoice; then what is said anywhere in it is about that one.
    """

    new: Sequence[Place]
    forwarded: Sequence[Place]
    attached: Sequence[Place]
    patterns: Patterns
    alone: bool

    def request(self, number: Candidate | None) -> CancellationRequest:
        """The request for a number, or for a mail that names none."""
        units = list(mentioned(number, self.new)) if number else []
        doubts = list(number.doubts) if number else []
        return CancellationRequest(
            number=_number(number),
            reference=self._reference(units, doubts),
            amount=self._figure(Sort.AMOUNT, units, number),
            customer=self._figure(Sort.CUSTOMER, units, number),
            organisation=self._figure(Sort.ORGANISATION, units, number),
            reason=self._phrase(self.patterns.reasons, units),
            replacement=self._phrase(self.patterns.replacements, units),
            doubts=tuple(doubts),
        )

    def _reference(self, units: list[tuple[Place, Unit]], doubts: list[str]) -> Read | None:
        """The payment reference; a doubt where its check digit is wrong or there are several."""
        found = self._nearest(Sort.OCR, units)
        values = {figure.value for _, figure in found}
        if len(values) > 1 and self.alone:
            doubts.append("several_references")
        if len(values) != 1:
            return None
        place, figure = found[0]
        if not is_reference(figure.value):
            doubts.append("ocr_check_digit")
        if place.text.is_odd(figure.start, figure.end):
            doubts.append("odd_characters")
        sure = 0.99 if has_length_digit(figure.value) else 0.97
        return place.read(figure.value, figure.start, figure.end, sure if is_reference(figure.value) else 0.3)

    def _figure(self, sort: Sort, units: list[tuple[Place, Unit]], number: Candidate | None) -> Read | None:
        """The one value of a sort: in the number's own sentences, else in the letter, else where the number stands."""
        found = self._nearest(sort, units)
        if not found and number and (self.alone or number.place in self.attached):
            others = [place for place in (*self.attached, *self.forwarded) if number.value in _values(place)]
            found = [(place, figure) for place in others for figure in place.of(sort) if figure.label]
        if len({figure.value for _, figure in found}) != 1:
            return None
        place, figure = found[0]
        return place.read(figure.value, figure.start, figure.end, 0.95 if figure.label else 0.8)

    def _nearest(self, sort: Sort, units: list[tuple[Place, Unit]]) -> list[Found]:
        """Numbers of a sort in a number's own sentences; else in the letter, where they can only mean this one."""
        inside = [
            (place, figure) for place, unit in units for figure in place.of(sort)
            if unit.start <= figure.start < unit.end and figure.value
        ]  # fmt: skip
        if inside:
            return inside
        anywhere = [(place, figure) for place in self.new for figure in place.of(sort) if figure.value]
        shared = self.alone or sort in {Sort.CUSTOMER, Sort.ORGANISATION}
        return anywhere if shared else []

    def _phrase(self, phrases: Phrases, units: list[tuple[Place, Unit]]) -> Read | None:
        """The code that comes first in the file, of the number's own sentences or else of the letter."""
        inside = [(place, hit) for place, unit in units for hit in place.found(phrases, unit)]
        anywhere = [(place, hit) for place in self.new for hit in place.found(phrases)]
        quoted = [(place, hit) for place in self.forwarded for hit in place.found(phrases)]
        found = inside if inside and not self.alone else anywhere or quoted
        if not found:
            return None
        place, hit = min(found, key=lambda pair: phrases.codes.index(pair[1].code))
        several = len({hit.code for _, hit in found}) > 1
        return _read_phrase(place, hit, 0.6 if several else 0.9)


def _number(number: Candidate | None) -> Read | None:
    if number is None:
        return None
    return number.place.read(number.value, number.figure.start, number.figure.end, number.sure)


def _read_phrase(place: Place, hit: Hit, sure: float) -> Read:
    return place.read(hit.code, hit.start, hit.end, sure)


def _values(place: Place) -> Iterator[str]:
    return (figure.value for figure in place.of(Sort.INVOICE))
