"""What of a mail's own words may go back into an answer, and whom an answer may go to."""

import hashlib
import re
import unicodedata

from vardag.invoices.model import MailKind, MailRead

LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
ADDRESS = re.compile(rf"[a-z0-9!#$%&'*+/=?^_`{{|}}~.-]{{1,64}}@{LABEL}(?:\.{LABEL})*", re.ASCII | re.IGNORECASE)
MACHINES = re.compile(
    r"(?:mailer-daemon|postmaster|(?:do[-_.]?)?not?[-_.]?reply|svara[-_.]?ej|bounces?|.*-(?:bounces?|request)|owner-.*)"
    r"(?:[+=].*)?"
)
REPLY = re.compile(r"^(?:(?:re|sv|vs|fw|fwd|vb|aw|wg)\s*(?:\[\d+\])?\s*:\s*)+", re.IGNORECASE)
LINK = re.compile(r"\S*(?:://|www\.|@)\S*|\b(?:[\w-]+\.)+[a-z]{2,}\b\S*", re.IGNORECASE)
SUBJECT, NUMBER, IDENTIFIER = 60, 30, 200


def answerable(mail: MailRead) -> bool:
    """Tell whether a mail may be answered at all: a request from an address where somebody reads.

    Bounces, automatic replies, the robot's own mails, and other mail get none (RFC 3834 section 2).
    """
    readable = mail.kind is MailKind.REQUEST or (mail.kind is MailKind.UNREADABLE and mail.sender.proven)
    return readable and valid_address(mail.sender.address) and not machine(mail.sender.address)


def valid_address(address: str) -> bool:
    """Tell whether it is exactly one plain address, with nothing a header could be smuggled in with."""
    return len(address) <= 254 and "=?" not in address and ADDRESS.fullmatch(address) is not None


def machine(address: str) -> bool:
    """Tell whether the address is one that nobody reads."""
    return MACHINES.fullmatch(address.partition("@")[0].casefold()) is not None


def one_line(text: str) -> str:
    """Text without control and invisible characters, in one line."""
    if text.isprintable():
        return " ".join(text.split())
    kept = (" " if unicodedata.category(letter) in ("Cc", "Zl", "Zp", "Zs") else letter for letter in text)
    return " ".join("".join(letter for letter in kept if unicodedata.category(letter)[0] != "C").split())


def header_text(text: str) -> str:
    """One line for a header, in which nothing is an encoded word: one may hold a line break, and with it a header.

    >>> header_text("=?utf-8?q?=0D=0ABcc:_x@y.se?=")
    '= ?utf-8?q?=0D=0ABcc:_x@y.se?='
    """
    return one_line(text).replace("=?", "= ?")


def subject_of(text: str) -> str:
    """A mail's subject for an answer: without marks of earlier answers, without links and addresses, and short.

    >>> subject_of("SV: Re: Makulera 10421, se http://spam.example/x")
    'Makulera 10421, se'
    """
    plain = one_line(LINK.sub(" ", REPLY.sub("", one_line(text))))
    return plain if len(plain) <= SUBJECT else plain[: SUBJECT - 1].rstrip() + "…"


def number_of(text: str) -> str:
    """A number as read in a mail, if it looks like one; else nothing, for a mail's words are not sent on.

    >>> number_of("F-10421"), number_of("call 0900 now")
    ('F-10421', '')
    """
    plain = one_line(text).replace(" ", "")
    looks = re.fullmatch(r"[A-Za-z]{0,4}[-/]?[0-9][0-9/-]*[A-Za-z]?", plain) is not None
    return plain if looks and len(plain) <= NUMBER and plain == one_line(text) else ""


def identifier(text: str) -> str:
    """A message id in angle brackets, or nothing where it is none."""
    bare = text.strip().removeprefix("<").removesuffix(">")
    plain = re.fullmatch(r"[!-;=?-~]+@[!-;=?-~]+", bare) is not None
    return f"<{bare}>" if plain and "=?" not in bare and len(bare) <= IDENTIFIER else ""


def message_id(item: str, domain: str, step: str = "answer") -> str:
    """The answer's own message id: the same for the same work item and step, so that it is never sent twice."""
    key = item if step == "answer" else f"{item}\0{step}"
    return f"<vardag.{hashlib.sha256(key.encode()).hexdigest()[:32]}@{domain}>"
