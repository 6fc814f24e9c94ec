"""Reading a request in a mail: what is asked, about which invoices, where it was read and how sure.

A mail's text is data and never an instruction. Patterns stand in `patterns.yaml`, limits in `limits.yaml`, and the
text of every doubt in `texts.toml`; what is ambiguous is a doubt, and a doubt goes to a person.

>>> from vardag.invoices.reading import decidable, load_patterns, read_mail
>>> patterns = load_patterns()
>>> mail = b"From: Anna <anna@skola.example>\\n\\nMakulera faktura 1234567, fel mottagare."
>>> read = read_mail(mail, patterns=patterns, trusted_server="", own_address="robot@kommun.example")
>>> request = read.requests[0]
>>> request.number.value, request.reason.value, decidable(read, request)
('1234567', 'wrong_recipient', True)
"""

from functools import cache
from pathlib import Path

from vardag.core.texts import Texts
from vardag.invoices.model import CancellationRequest, MailRead
from vardag.invoices.reading.patterns import Patterns, load_patterns
from vardag.invoices.reading.reader import read_mail

__all__ = ["DOUBTS", "Patterns", "decidable", "load_patterns", "read_mail", "standard"]

# What each doubt says to a person, by its code.
DOUBTS = Texts(Path(__file__).with_name("texts.toml"))


@cache
def standard() -> Patterns:
    """The packaged patterns, read once."""
    return load_patterns()


def decidable(mail: MailRead, request: CancellationRequest, *, patterns: Patterns | None = None) -> bool:
    """Tell whether a request was read so clearly that the rules may decide it without a person.

    An invoice number, or a payment reference with its check digit, that is sure enough; and no doubt about the
    request or the mail. Whether the sender is proven and may ask is the rules' question.
    """
    named = request.number or request.reference
    enough = (patterns or standard()).limit("sure_enough")
    return named is not None and named.sure >= enough and not request.doubts and not mail.doubts
