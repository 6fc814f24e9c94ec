"""The corpus: mails written by hand in `tests/golden/mails`, built into bytes as a mail server hands them over.

::

    === id | label; label | how
    Header: value

    the letter
    --- pdf name          an attachment or another version, with its text below

Labels: ``cancel NUMBER REASON`` (what a careful person would cancel without asking, and why; ``-`` where no reason
is given), ``refer`` (somebody would have to look), ``ignore`` (nothing is asked). A number that begins ``ocr:`` is
a payment reference. ``like ID`` instead of labels takes another mail's words and labels, so that ``how`` alone
differs: ``html``, ``outlook``, ``gmail``, ``latin``, ``mislabelled``, ``base64``, ``both``, ``forwarded``,
``quoted``, ``noauth``, ``phone``, ``wrapped``.
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from .build import build

FOLDER = Path(__file__).parents[1] / "golden" / "mails"
SETS = ("tuning", "holdout", "adversarial")


@dataclass(frozen=True)
class Label:
    """What a careful person would do: ``cancel``, ``refer`` or ``ignore``; with which number, and why."""

    action: str
    number: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Mail:
    """A mail of the corpus."""

    id: str
    labels: tuple[Label, ...]
    how: tuple[str, ...]
    headers: tuple[tuple[str, str], ...]
    letter: str
    pieces: tuple[tuple[str, str], ...]

    @property
    def raw(self) -> bytes:
        """The mail as it would come."""
        return build(self)

    @property
    def to_cancel(self) -> dict[str, str]:
        """Numbers that a careful person would cancel, and the reason."""
        return {label.number: label.reason for label in self.labels if label.action == "cancel"}

    @property
    def clear(self) -> bool:
        """Whether a careful person would decide all of it without asking."""
        return bool(self.labels) and all(label.action == "cancel" for label in self.labels)


def load(name: str) -> list[Mail]:
    """All mails of a set: tuning, holdout or adversarial."""
    mails: dict[str, Mail] = {}
    for path in sorted(FOLDER.glob(f"{name}*.txt")):
        for entry in re.split(r"^=== ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
            mail = _mail(entry, mails)
            assert mail.id not in mails, f"{mail.id} is there twice"
            mails[mail.id] = mail
    return list(mails.values())


def _mail(entry: str, mails: dict[str, Mail]) -> Mail:
    first, _, rest = entry.partition("\n")
    name, labels, *how = [part.strip() for part in first.split("|")]
    ways = tuple(how[0].split()) if how else ()
    if labels.startswith("like "):
        return replace(mails[labels.split()[1]], id=name, how=ways)
    head, _, body = rest.partition("\n\n")
    headers = tuple(
        (line.partition(":")[0].strip(), line.partition(":")[2].strip()) for line in head.splitlines() if line
    )
    letter, *pieces = re.split(r"^--- (.+)\n", body, flags=re.MULTILINE)
    parts = tuple(zip(pieces[::2], (text.strip("\n") for text in pieces[1::2]), strict=True))
    return Mail(name, tuple(_label(one) for one in labels.split(";")), ways, headers, letter.strip("\n"), parts)


def _label(text: str) -> Label:
    action, *rest = text.split()
    assert action in {"cancel", "refer", "ignore"}, text
    return Label(action, *rest)
