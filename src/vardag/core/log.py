"""Logging in which personal data and secrets never reach a line.

`setup` puts a filter on the root handler that masks what looks like a personal identity number, an e-mail
address, a bearer token, or a password in an address.
"""

import logging
import re

MASKS = (
    (re.compile(r"\b(?:19|20)?\d{6}[-+]?\d{4}\b"), "[personal number]"),
    (re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.-]+\b"), "[e-mail]"),
    (re.compile(r"(?i)\b(bearer|token|password|passwd|secret)(\s*[=:]\s*|\s+)\S+"), r"\1\2[secret]"),
    (re.compile(r"(\w+://[^\s:/@]+):[^\s@]+@"), r"\1:[secret]@"),
)


def redact(text: str) -> str:
    """Mask what must not be logged.

    >>> redact("anna.berg@example.org called, password: hunter2")
    '[e-mail] called, password: [secret]'
    """
    for pattern, mask in MASKS:
        text = pattern.sub(mask, text)
    return text


class Redaction(logging.Filter):
    """Logging filter that masks the finished message."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Replace the record's message by its masked form; never drops a record."""
        record.msg, record.args = redact(record.getMessage()), ()
        return True


def setup(*, verbose: bool = False) -> None:
    """Send log lines to stderr through the redaction filter."""
    handler = logging.StreamHandler()
    handler.addFilter(Redaction())
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.DEBUG if verbose else logging.WARNING, handlers=[handler], force=True)
