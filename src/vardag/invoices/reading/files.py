"""The files of a mail as a person gets them: every one, also those that the robot does not read."""

import email
from collections.abc import Iterator
from email.message import EmailMessage

from vardag.invoices.reading.parts import (
    BROKEN,
    POLICY,
    Attachment,
    children,
    content_type,
    disposition,
    file_name,
    payload,
)

MOST_FILES, DEEPEST = 200, 20


def files(raw: bytes) -> tuple[Attachment, ...]:
    """Attachments in the order they stand, those of enclosed letters too; none where the mail cannot be read.

    >>> [file.name for file in files(b"Content-Disposition: attachment; filename=a.pdf\\n\\nx")]
    ['a.pdf']
    """
    try:
        message = email.message_from_bytes(raw, policy=POLICY)
    except BROKEN:
        return ()
    found: list[Attachment] = []
    if isinstance(message, EmailMessage):
        for file in _walk(message, 0):
            found.append(file)
            if len(found) == MOST_FILES:
                break
    return tuple(found)


def _walk(message: EmailMessage, depth: int) -> Iterator[Attachment]:
    inner = list(children(message)) if depth < DEEPEST else []
    if inner:
        for child in inner:
            yield from _walk(child, depth + 1)
        return
    kind, name = content_type(message), file_name(message)
    if name or disposition(message) == "attachment" or not kind.startswith(("text/", "multipart/")):
        yield Attachment(name or kind.replace("/", "."), kind, payload(message))
