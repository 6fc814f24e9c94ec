"""Numbers as a reader of the language expects them."""

from math import isnan

THIN = "\u202f"
NO_BREAK = "\u00a0"
NONE = "–"
JOIN = "\u2060"


def number(value: float | None, language: str, digits: int = 0) -> str:
    """Write a number: decimal comma and narrow space in Swedish, point and comma in English; a dash for none.

    >>> number(1234.5, "en", 1)
    '1,234.5'
    """
    if value is None or isnan(value):
        return NONE
    text = f"{value:,.{digits}f}"
    return text.replace(",", THIN).replace(".", ",") if language == "sv" else text


def percent(share: float | None, language: str, digits: int = 1) -> str:
    """Write a share as per cent, with the space that each language puts before the sign."""
    if share is None or isnan(share):
        return NONE
    return number(100.0 * share, language, digits) + (f"{NO_BREAK}%" if language == "sv" else "%")


def level(share: float, language: str) -> str:
    """Write a level such as 0.0025 or 0.05 without needless decimals: 0.25%, 5%."""
    digits = 2 if share < 0.01 else 0
    return percent(share, language, digits)


def rate(value: float | None, language: str) -> str:
    """Write a rate (breaks per km and year) with about two significant digits."""
    if value is None or isnan(value):
        return NONE
    digits = 1 if value >= 9.95 else 2 if value >= 0.0995 else 3
    return number(value, language, digits)


def whole(text: str) -> str:
    """Keep a date on one line: word joiners (seen by no one) around its hyphens."""
    return text.replace("-", f"{JOIN}-{JOIN}")
