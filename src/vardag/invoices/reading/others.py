"""Reads the requests of other routines than cancelling, by the words and fields that their files declare."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from vardag.invoices.model import CancellationRequest, MailKind, MailRead, Read
from vardag.invoices.reading.candidates import candidates, labelled
from vardag.invoices.reading.details import Details
from vardag.invoices.reading.letters import Place, place
from vardag.invoices.reading.patterns import Patterns, Phrases

MARKS = r"[\s:=\"'’“”«»(]{1,6}"  # what stands between a label and its value


@dataclass(frozen=True)
class Wanted:
    """What makes a mail a request of a routine, and what is read in it.

    Attributes
    ----------
    asks
        Phrases of which one at least stands in the subject or the letter.
    fields
        By name: the phrases that stand before the value, and what it looks like.
    """

    asks: Phrases
    fields: Mapping[str, tuple[Phrases, re.Pattern[str]]]


def looks_for(mail: MailRead, wanted: Wanted, patterns: Patterns) -> bool:
    """Tell whether a mail asks for what a routine is for."""
    return mail.kind in {MailKind.OTHER, MailKind.REQUEST} and any(
        one.found(wanted.asks) for one in _own(mail, patterns)
    )


def read_other(mail: MailRead, wanted: Wanted, patterns: Patterns) -> MailRead:
    """The mail with one request for every invoice that it names, or one without a number where it names none.

    A field that is there with two values is left out, with the doubt ``several_values``; a denial anywhere is the
    doubt ``negated_otherwise``.
    """
    own = _own(mail, patterns)
    numbers = candidates(own, patterns) or labelled(_attached(mail, patterns), patterns)
    details = Details(own, [], [], patterns, alone=len(numbers) <= 1)
    fields, doubts = _fields(own, wanted, {one.value for one in numbers})
    if any(one.found(patterns.denials) for one in own):
        doubts = (*doubts, "negated_otherwise")
    few = numbers[: patterns.limit("most_requests")]
    doubts += ("too_many",) * (len(numbers) > len(few))
    requests = [details.request(one) for one in few] or [CancellationRequest()]
    return replace(
        mail,
        kind=MailKind.REQUEST,
        requests=tuple(replace(one, fields=fields) for one in requests),
        doubts=(*mail.doubts, *doubts),
    )


def with_two_errands(mail: MailRead) -> MailRead:
    """The mail with the doubt that it asks for two things."""
    return replace(mail, doubts=(*mail.doubts, "two_errands"))


def _own(mail: MailRead, patterns: Patterns) -> list[Place]:
    """What the writer says: the subject and the letter."""
    return [place(where, mail.texts.get(where, ""), patterns) for where in ("subject", "body")]


def _attached(mail: MailRead, patterns: Patterns) -> Iterator[Place]:
    for where, text in mail.texts.items():
        if where not in {"subject", "body", "forwarded"}:
            yield place(where, text, patterns)


def _fields(own: list[Place], wanted: Wanted, numbers: set[str]) -> tuple[dict[str, Read], tuple[str, ...]]:
    """Each field's value where it is one; an invoice number is nobody's value."""
    found: dict[str, Read] = {}
    several = False
    for name, (labels, form) in wanted.fields.items():
        reads = {one.value: one for one in _values(own, labels, form) if one.value not in numbers}
        several = several or len(reads) > 1
        if len(reads) == 1:
            found[name] = next(iter(reads.values()))
    return found, ("several_values",) * several


def _values(own: list[Place], labels: Phrases, form: re.Pattern[str]) -> Iterator[Read]:
    for one in own:
        for hit in one.found(labels):
            match = re.compile(rf"{MARKS}(?P<value>{form.pattern})").match(one.text.text, hit.end)
            if match:
                yield one.read(match["value"], match.start("value"), match.end("value"), 1.0)
