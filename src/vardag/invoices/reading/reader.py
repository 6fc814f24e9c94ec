"""Reading one mail, from its bytes to its requests, top to bottom."""

from collections.abc import Sequence

from vardag.invoices.model import CancellationRequest, MailKind, MailRead, Sender
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
        Requests in the order the numbers stand. What is unclear is a doubt (`DOUBTS`), for the mail or for a request.
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
            attached.append(place(name, _cut(text, patterns, doubts), patterns))
    quoted = [place("forwarded", _cut(forwarded, patterns, doubts), patterns)] if forwarded else []
    return Letter(
        [place("subject", parts.first("subject"), patterns), place("body", new, patterns)], quoted, attached
    )


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
    own = [hit.code for place in letter.new for hit in place.found(patterns.doubts)]
    anywhere = [hit.code for place in letter.every for hit in patterns.doubts.find(place.folded)]
    odd = any(place.of(Sort.LOOKALIKE) for place in letter.new)
    return [*own, *(code for code in anywhere if code in ANYWHERE), *["odd_characters"] * odd]


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
