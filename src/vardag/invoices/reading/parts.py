"""A mail taken apart with the standard library: header, texts, forwarded letters, attachments."""

import email
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import EmailPolicy, default
from functools import lru_cache
from typing import Any

from vardag.invoices.reading.hypertext import to_text
from vardag.invoices.reading.patterns import Patterns

# What the standard library's parser is known to throw on a broken header or body.
BROKEN = (ValueError, LookupError, AttributeError, TypeError, RecursionError, AssertionError, MessageError)
IGNORED_TYPES = {"text/calendar", "text/vcard", "text/x-vcard", "text/directory", "application/pkcs7-signature",
                 "application/x-pkcs7-signature", "application/pgp-signature", "application/ics",
                 "message/delivery-status", "message/disposition-notification", "text/rfc822-headers"}  # fmt: skip
HEADER_END = re.compile(rb"\r?\n\r?\n")
TWICE = re.compile("Ã[\x80-\xbf¤¥¶„…–©¼]")


@dataclass(frozen=True)
class Attachment:
    """A file in a mail."""

    name: str
    type: str
    data: bytes


@dataclass
class Parts:
    """A mail in pieces.

    Attributes
    ----------
    header
        Name and value of every header line, from the top, as it stands but decoded.
    texts, forwarded
        What is shown as the letter, and letters that were enclosed whole.
    """

    message: EmailMessage
    header: list[tuple[str, str]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    forwarded: list[str] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    count: int = 0

    def first(self, name: str) -> str:
        """Value of the first header line with this name; empty where there is none."""
        return next((value for key, value in self.header if key == name), "")

    def has(self, *names: str) -> bool:
        """Tell whether any of the header lines is there."""
        return any(key in names for key, _ in self.header)


class _Policy(EmailPolicy):
    """Reads headers up to a length, with bytes that nobody declared as UTF-8 or else Western European."""

    longest = 2000

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        value = value[: self.longest]
        if not value.isascii():
            value = decode(value.encode("ascii", "surrogateescape"), "utf-8")
        return name, value

    def header_fetch_parse(self, name: str, value: str) -> Any:
        return _parsed(name, value)


@lru_cache(maxsize=64)
def _parsed(name: str, value: str) -> Any:
    """A header as an object; the standard library would take it apart anew each time that it is asked for."""
    return default.header_fetch_parse(name, value)


POLICY = _Policy()


def take_apart(raw: bytes, patterns: Patterns, *, header_only: bool) -> Parts:
    """Take a mail apart; whatever cannot be read becomes a doubt."""
    packed = not header_only and _is_packed(raw, patterns)
    if header_only or packed:
        end = HEADER_END.search(raw, 0, 300_000)
        raw = raw[: end.start() if end else 300_000]
    try:
        message = email.message_from_bytes(
            raw, policy=POLICY.clone(**{"longest": patterns.limit("longest_header")})
        )
    except BROKEN:
        return Parts(EmailMessage(), doubts=["broken"])
    if not isinstance(message, EmailMessage):
        return Parts(EmailMessage(), doubts=["broken"])
    parts = Parts(message)
    parts.header = [(str(name).lower(), one_line(header_text(message, name, value))) for name, value in
                    message.raw_items()]  # fmt: skip
    if packed:
        parts.doubts.append("too_large")
    elif not header_only:
        _walk(message, parts, patterns, depth=0, inside=False)
    return parts


def _is_packed(raw: bytes, patterns: Patterns) -> bool:
    """Tell whether a mail has more borders or header lines than any letter: taking it apart would cost minutes."""
    bordered = raw.count(b"\n--") > patterns.limit("most_borders")
    endless = len(raw) > 300_000 and HEADER_END.search(raw, 0, 300_000) is None
    return bordered or endless or raw.count(b":") > patterns.limit("most_colons")


def header_text(message: EmailMessage, name: str, value: object) -> str:
    """A header's value with its encoded words read; as it stands where it cannot be."""
    text = str(value)
    if "=?" not in text:
        return text
    try:
        return str(message.policy.header_fetch_parse(name, text))
    except BROKEN:
        return text


def one_line(text: str) -> str:
    """A text without line breaks."""
    return re.sub(r"[\r\n\t ]+", " ", text).strip()


def _walk(message: EmailMessage, parts: Parts, patterns: Patterns, *, depth: int, inside: bool) -> None:
    """Go through the parts of a message; `inside` is within a letter that was enclosed."""
    parts.count += 1
    if depth > patterns.limit("deepest_nesting") or parts.count > patterns.limit("most_parts"):
        parts.doubts.append("too_large")
        return
    kind = content_type(message)
    if kind in {"multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"}:
        parts.doubts.append("encrypted")
    elif kind == "multipart/alternative":
        _alternative(message, parts, patterns, depth=depth, inside=inside)
    elif kind == "message/rfc822":
        for child in children(message):
            parts.forwarded.append(_enclosed_header(child))
            _walk(child, parts, patterns, depth=depth + 1, inside=True)
    elif kind.startswith("multipart/") or (message.is_multipart() and kind not in IGNORED_TYPES):
        for child in children(message):
            _walk(child, parts, patterns, depth=depth + 1, inside=inside)
    else:
        _leaf(message, kind, parts, patterns, inside=inside)


def _alternative(message: EmailMessage, parts: Parts, patterns: Patterns, *, depth: int, inside: bool) -> None:
    """Of several versions of one letter, the one that a mail program shows; a doubt where their numbers differ."""
    shown: dict[str, str] = {}
    for child in children(message):
        kind = content_type(child)
        if kind in {"text/plain", "text/html"} and not file_name(child):
            shown[kind] = shown.get(kind, "") + _text(child, kind, parts, patterns)
        else:
            _walk(child, parts, patterns, depth=depth + 1, inside=inside)
    html, plain = shown.get("text/html", ""), shown.get("text/plain", "")
    if html.strip() and plain.strip() and long_numbers(html) != long_numbers(plain):
        parts.doubts.append("versions_differ")
    text = html if html.strip() else plain
    if text.strip():
        (parts.forwarded if inside else parts.texts).append(text)


def _leaf(message: EmailMessage, kind: str, parts: Parts, patterns: Patterns, *, inside: bool) -> None:
    name = file_name(message)
    attached = bool(name) or disposition(message) == "attachment"
    if kind in IGNORED_TYPES:
        return
    if kind in {"text/plain", "text/html"} and not attached:
        text = _text(message, kind, parts, patterns)
        if text.strip():
            (parts.forwarded if inside else parts.texts).append(text)
        return
    data = payload(message)
    if kind.startswith("image/") and (message.get("Content-ID") or len(data) < patterns.limit("smallest_image")):
        parts.doubts.append("image_seen")
        return
    if len(parts.attachments) >= patterns.limit("most_attachments"):
        parts.doubts.append("attachment_unreadable")
        return
    parts.attachments.append(Attachment(name or kind.replace("/", "."), kind, data))


def _text(message: EmailMessage, kind: str, parts: Parts, patterns: Patterns) -> str:
    data = payload(message)
    if kind == "text/html" and len(data) > patterns.limit("largest_html"):
        data = data[: patterns.limit("largest_html")]
        parts.doubts.append("too_large")
    text = decode(data, declared_charset(message))
    if kind == "text/html":
        text, hidden = to_text(text)
        parts.doubts.extend(["hidden_text"] * hidden)
    return text


def decode(data: bytes, declared: str) -> str:
    """Bytes as text: what is valid UTF-8 is UTF-8, whatever was declared, since nothing else looks like it.

    >>> decode("fråga".encode("latin-1"), "utf-8"), decode("fråga".encode(), "iso-8859-1")
    ('fråga', 'fråga')
    """
    wide = declared.lower().replace("_", "-").startswith(("utf-16", "utf-32", "utf-7", "iso-2022", "hz"))
    for charset in [declared] * wide + ["utf-8", declared, "cp1252"]:
        try:
            text = data.decode(charset or "utf-8")
        except (LookupError, UnicodeError, ValueError):
            continue
        return _once(text)
    return data.decode("latin-1")


def _once(text: str) -> str:
    """A text that was encoded twice on its way, put right."""
    if TWICE.search(text) is None:
        return text
    try:
        return text.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return text


def long_numbers(text: str) -> set[str]:
    """Numbers of five figures or more, outside of addresses."""
    bare = re.sub(r"(?:https?://|www\.|tel:|mailto:)\S{1,500}|\S{1,100}@\S{1,200}", " ", text)
    return set(re.findall(r"(?<!\d)\d{5,20}(?!\d)", bare))


def content_type(message: EmailMessage) -> str:
    """Content type, or text where the header cannot be read."""
    try:
        return message.get_content_type()
    except BROKEN:
        return "text/plain"


def disposition(message: EmailMessage) -> str:
    """Content disposition, or nothing."""
    try:
        return message.get_content_disposition() or ""
    except BROKEN:
        return ""


def declared_charset(message: EmailMessage) -> str:
    """The charset that the part says it has, or nothing."""
    try:
        return str(message.get_content_charset() or "")
    except BROKEN:
        return ""


def file_name(message: EmailMessage) -> str:
    """An attachment's name without folders and control characters, or nothing."""
    try:
        name = message.get_filename() or ""
    except BROKEN:
        name = "attachment"
    bare = re.split(r"[\\/]", str(name))[-1]
    return "".join(c for c in bare if c.isprintable() and not 0xD800 <= ord(c) < 0xE000)[:100].strip()


def payload(message: EmailMessage) -> bytes:
    """The bytes of a part, as well as they can be decoded."""
    try:
        data = message.get_payload(decode=True)
    except BROKEN:
        return b""
    return data if isinstance(data, bytes) else b""


def children(message: EmailMessage) -> Iterator[EmailMessage]:
    """Parts of a message."""
    inner = message.get_payload()
    if isinstance(inner, list):
        yield from (child for child in inner if isinstance(child, EmailMessage))


def _enclosed_header(message: EmailMessage) -> str:
    """Subject of an enclosed letter, as a line to read."""
    for name, value in message.raw_items():
        if str(name).lower() == "subject":
            return f"Subject: {one_line(header_text(message, str(name), value))}"
    return ""
