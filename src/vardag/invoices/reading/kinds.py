"""Which sort of mail it is, before anything in it is read as a request."""

import re

from vardag.invoices.model import MailKind
from vardag.invoices.reading.parts import Parts, content_type
from vardag.invoices.reading.patterns import Patterns, fold
from vardag.invoices.reading.threads import reply_depth

OWN_ID = r"<?vardag\.[^@\s<>]{1,100}@"


def is_own(parts: Parts, address: str, *, own_address: str) -> bool:
    """Tell whether the robot wrote it: its address, its header or its kind of message id."""
    own = own_address.lower()
    own_id = re.match(OWN_ID + re.escape(own.partition("@")[2]) + ">?", parts.first("message-id").lower())
    return address == own or own_id is not None or any(name.startswith("x-vardag") for name, _ in parts.header)


def answers_own(parts: Parts, *, own_address: str) -> bool:
    """Tell whether it answers something that the robot wrote."""
    thread = f"{parts.first('in-reply-to')} {parts.first('references')}".lower()
    return re.search(OWN_ID + re.escape(own_address.lower().partition("@")[2]), thread) is not None


def machine_kind(parts: Parts, address: str, patterns: Patterns) -> tuple[MailKind | None, list[str]]:
    """Kind of a mail that no person wrote as a letter, and the doubt it leaves; None where a person may have."""
    subject = fold(parts.first("subject"))
    if _is_bounce(parts, address, subject, patterns):
        return MailKind.BOUNCE, []
    submitted = parts.first("auto-submitted").lower().strip()
    replied = submitted.startswith(("auto-replied", "auto-notified")) or parts.has("x-autoreply", "x-autorespond")
    precedence = parts.first("precedence").lower().strip()
    named = any(hit.start < 4 for hit in patterns.kinds["auto_reply_subjects"].find(subject))
    if replied or precedence in {"auto_reply", "auto-reply"} or named:
        return MailKind.AUTO_REPLY, []
    if parts.has("list-id") or precedence in {"list", "bulk", "junk"}:
        return MailKind.OTHER, ["mailing_list"]
    made = submitted not in {"", "no"} or parts.has("x-auto-response-suppress")
    return None, ["automatic_mail"] * made


def loop_doubts(parts: Parts, patterns: Patterns) -> list[str]:
    """A doubt where a subject has been answered so often that two machines may be talking."""
    return ["reply_loop"] * (reply_depth(parts.first("subject")) > patterns.limit("most_replies"))


def _is_bounce(parts: Parts, address: str, subject: str, patterns: Patterns) -> bool:
    sender = fold(address.partition("@")[0])
    return (
        parts.first("return-path").strip() == "<>" and parts.first("auto-submitted").lower() != "auto-replied"
        or content_type(parts.message) == "multipart/report"
        or parts.has("x-failed-recipients")
        or any(hit.start == 0 for hit in patterns.kinds["bounce_senders"].find(sender))
        or any(hit.start < 4 for hit in patterns.kinds["bounce_subjects"].find(subject))
    )  # fmt: skip
