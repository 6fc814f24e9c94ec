"""Reading one mail, from its bytes to its requests, top to bottom."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from vardag.invoices.model import CancellationRequest, MailKind, MailRead, Sender
from vardag.invoices.reading.asks import denied, mark_asks, questioned, unexplained
from vardag.invoices.reading.attachments import read_attachment
from vardag.invoices.reading.figures import Sort
from vardag.invoices.reading.kinds import answers_own, is_own, loop_doubts, machine_kind
from vardag.invoices.reading.letters import Place, language_of, place
from vardag.invoices.reading.parts import Parts, take_apart
from vardag.invoices.reading.patterns import Patterns
from vardag.invoices.reading.requests import Letter, read_requests
from vardag.invoices.reading.sender import read_sender
from vardag.invoices.reading.threads import split_thread

# Doubts that count wherever they stand: in the signature, in what is quoted, in what is attached.
ANYWHERE = {"instruction_like"}
# Marks that people do not write to each other, but that steer machines: tags, braces, headings in brackets.
CODED = re.compile(
    r"</?[a-z_]{2,20}>|[{}]|\[/?(?:inst|admin|system|assistant|user)[^\]\n]{0,40}\]|<\||\|>|```|#{3}"
)
NAMES = {"subject", "body", "forwarded"}


def read_mail(
    raw: bytes,
    *,
    patterns: Patterns,
    trusted_server: str,
    own_address: str,
    truncated: bool = False,
    number_formats: Sequence[str] = (),
) -> MailRead:
    """Read a mail; whatever its bytes are, something is returned and nothing in it is obeyed.

    Parameters
    ----------
    raw
        The mail as it came (RFC 5322).
    patterns
        Phrases and limits, from `load_patterns`.
    trusted_server
        Name by which the city's own mail server signs its Authentication-Results; empty where it writes none.
    own_address
        The robot's own address.
    truncated
        True where only the header was fetched, since the mail is too large.
    number_formats
        What the city's invoice numbers look like, as regular expressions, instead of those in the pattern file.

    Returns
    -------
    MailRead
        Requests in the order the numbers stand. What is unclear is a doubt (`DOUBTS`), of the mail or a request.
    """
    if number_formats:
        patterns = patterns.with_formats(number_formats)
    header_only = truncated or len(raw) > patterns.limit("largest_mail")
    parts = take_apart(raw, patterns, header_only=header_only)
    sender, doubts = read_sender(parts, trusted_server=trusted_server)
    doubts += parts.doubts + ["too_large"] * header_only
    letter = _letter(parts, patterns, doubts)
    subject = letter.new[0].text.text
    language = language_of(" ".join(place.text.text for place in (*letter.new, *letter.forwarded)), patterns)
    kind, more = _kind(parts, sender, letter, patterns, own_address=own_address)
    requests: list[CancellationRequest] = []
    if kind is None:
        requests, unclear = read_requests(letter, patterns)
        kind = MailKind.REQUEST if requests else MailKind.OTHER
        more += unclear + _spoken_doubts(letter, patterns)
    elif kind is MailKind.OTHER:
        more += _spoken_doubts(letter, patterns)
    return MailRead(
        kind=kind,
        sender=sender,
        subject=subject,
        language=language,
        requests=tuple(requests),
        texts={place.where: place.text.text for place in letter.every},
        doubts=tuple(dict.fromkeys(code for code in (*doubts, *more) if code != "image_seen")),
        message_id=parts.first("message-id").strip().removeprefix("<").removesuffix(">"),
    )


def _letter(parts: Parts, patterns: Patterns, doubts: list[str]) -> Letter:
    """The mail's texts as places: subject, what is new, what is quoted, what is attached."""
    new, old = split_thread(_cut("\n\n".join(parts.texts), patterns, doubts), patterns)
    forwarded = "\n\n".join(text for text in (old, *parts.forwarded) if text.strip())
    attached: list[Place] = []
    names = set(NAMES)
    for file in parts.attachments:
        text, unclear = read_attachment(file, patterns)
        doubts += unclear
        name = _unused(file.name, names)
        if text.strip():
            attached.append(_place(name, _cut(text, patterns, doubts), patterns))
    quoted = [_place("forwarded", _cut(forwarded, patterns, doubts), patterns)] if forwarded else []
    return Letter(
        [_place("subject", parts.first("subject"), patterns), _place("body", new, patterns)], quoted, attached
    )


def _place(where: str, text: str, patterns: Patterns) -> Place:
    return mark_asks(place(where, text, patterns), patterns)


def _kind(
    parts: Parts, sender: Sender, letter: Letter, patterns: Patterns, *, own_address: str
) -> tuple[MailKind | None, list[str]]:
    """Kind of the mail where that is known without reading its letter, and the doubts it leaves."""
    if is_own(parts, sender.address, own_address=own_address):
        return MailKind.OWN, []
    kind, doubts = machine_kind(parts, sender.address, patterns)
    if kind is not None:
        return kind, doubts
    doubts += loop_doubts(parts, patterns)
    said = any(character.isalnum() for character in letter.new[1].text.text)
    if answers_own(parts, own_address=own_address) and not said:
        return MailKind.OWN, [*doubts, "reply_loop"]
    nothing = not said and not letter.forwarded and not letter.attached
    if nothing and ("image_seen" in parts.doubts or parts.attachments):
        return _by_subject(letter), [*doubts, "attachment_unreadable"]
    if nothing and not parts.doubts and not letter.new[0].asks:
        return MailKind.UNREADABLE, [*doubts, "empty"]
    return (None if not nothing else _by_subject(letter)), doubts


def _by_subject(letter: Letter) -> MailKind | None:
    """A mail whose letter cannot be read is read by its subject, where that asks for something."""
    return None if letter.new[0].asks else MailKind.UNREADABLE


def _spoken_doubts(letter: Letter, patterns: Patterns) -> list[str]:
    """Doubts that the mail's own words raise."""
    own = [code for place in letter.new for code in _worrying(place, patterns)]
    anywhere = [hit.code for place in letter.every for hit in place.hits(patterns.doubts)]
    odd = any(place.of(Sort.LOOKALIKE) for place in letter.new)
    own += ["too_many"] * any(place.overfull for place in letter.every)
    coded = any(CODED.search(place.folded) for place in letter.every)
    anywhere += ["instruction_like"] * coded
    return [*own, *(code for code in anywhere if code in ANYWHERE), *["odd_characters"] * odd]


def _worrying(place: Place, patterns: Patterns) -> Iterator[str]:
    """Doubts in a letter, but for those inside a phrase that is known to be harmless."""
    harmless = place.found(patterns.harmless)[: patterns.limit("most_asks")]
    for hit in islice(place.found(patterns.doubts), patterns.limit("most_asks")):
        if not any(safe.start < hit.end and hit.start < safe.end for safe in harmless):
            yield hit.code
    yield from ("negated" for _ in denied(place, patterns))
    yield from ("unexplained" for _ in unexplained(place, patterns))
    yield from ("question" for _ in questioned(place, patterns))


def _cut(text: str, patterns: Patterns, doubts: list[str]) -> str:
    if len(text) > patterns.limit("longest_text"):
        doubts.append("too_large")
    return text[: patterns.limit("longest_text")]


def _unused(name: str, names: set[str]) -> str:
    """A file's name that no other place has."""
    unused, count = name, 1
    while unused in names:
        count += 1
        unused = f"{name} ({count})"
    names.add(unused)
    return unused
