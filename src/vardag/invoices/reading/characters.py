"""Characters made plain: one form of each letter, space and dash, and a note of where something unusual was put right.

Places in a cleaned text are places in what is shown to a person.
"""

import unicodedata
from dataclasses import dataclass

INVISIBLE = set("\u200b\u200c\u200d\u200e\u2060\ufeff\u00ad\u034f\u180e")
TURNING = set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u200f\u061c")
CLOSING = set("\u202c\u2069")
DASHES = set("‐‑‒–—−﹣－")
LINES = set("\r\u2028\u2029\u0085\x0b\x0c")


@dataclass(frozen=True)
class Clean:
    """A text in plain characters.

    Attributes
    ----------
    odd
        Places whose character was something else (a digit of another script, full width), or before which something
        that cannot be seen was taken away.
    """

    text: str
    odd: frozenset[int] = frozenset()

    def is_odd(self, start: int, end: int) -> bool:
        """Tell whether anything between two places was not what it seemed."""
        return bool(self.odd) and any(place in self.odd for place in range(start, end))


def clean(text: str) -> Clean:
    """Put a text into plain characters.

    >>> clean("faktura １２３\\u200b45").text
    'faktura 12345'
    """
    text = text.replace("\r\n", "\n")
    if text.isascii() and text.isprintable():
        return Clean(text)
    out: list[str] = []
    odd: set[int] = set()
    turned = hidden = False
    for character in unicodedata.normalize("NFC", text):
        if character in INVISIBLE:
            hidden = bool(out) and out[-1].isalnum()
            continue
        if character in TURNING or character in CLOSING:
            turned = turned or character in TURNING
            continue
        plain, changed = _plain(character)
        if changed or (turned and plain.isdigit()) or (hidden and plain.isalnum()):
            odd.update(range(len(out), len(out) + len(plain)))
        out.extend(plain)
        hidden = False
        turned = turned and plain != "\n"
    return Clean("".join(out), frozenset(odd))


def _plain(character: str) -> tuple[str, bool]:
    """A character in its plain form, and whether a number that holds it is to be doubted."""
    if character < "\x7f" and (character >= " " or character in "\n\t"):
        return character, False
    if character in DASHES:
        return "-", False
    if character in LINES:
        return "\n", False
    digit = unicodedata.digit(character, None)
    if digit is not None:
        return str(digit), True
    if unicodedata.category(character) in {"Cc", "Cs", "Cn", "Co", "Cf"}:
        return "", False
    plain = unicodedata.normalize("NFKC", character)
    return plain, any(letter.isascii() and letter.isalnum() for letter in plain)
