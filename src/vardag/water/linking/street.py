"""The same street written in two ways: ``12 King St. E`` and ``KING STREET EAST``, ``Storg.`` and ``Storgatan``."""

import re
import unicodedata

import polars as pl

HOUSE_BEFORE = re.compile(r"^\d+\s?[a-z]?(\s?-\s?\d+\s?[a-z]?)?,?\s+(?=\D)")
HOUSE_AFTER = re.compile(r"[\s,]+\d+\s?[a-z]?(\s?-\s?\d+\s?[a-z]?)?$")
DIRECTIONS = {"n": "north", "s": "south", "e": "east", "w": "west"}
ENDINGS = {
    "st": "street", "str": "street", "ave": "avenue", "av": "avenue", "rd": "road", "dr": "drive", "ln": "lane",
    "cres": "crescent", "cr": "crescent", "crt": "court", "ct": "court", "pl": "place", "blvd": "boulevard",
    "pky": "parkway", "pkwy": "parkway", "hwy": "highway", "terr": "terrace", "sq": "square", "cir": "circle",
}  # fmt: skip
# Only with the full stop: Berg is a street of its own, Storg. is not.
SWEDISH = ((r"\s?g\.$", "gatan"), (r"\s?v\.$", "vägen"), (r"\s?gr\.$", " gränd"))
NUMBERED = {"väg", "riksväg", "länsväg", "europaväg", "rv", "highway", "route", "road", "street", "avenue", "line"}


def folded(names: pl.Series) -> pl.Series:
    """Street names in one spelling, null where there is none; each spelling is folded once."""
    spellings = names.unique().drop_nulls()
    if not len(spellings):
        return names.cast(pl.String)
    table = pl.DataFrame(
        {"name": spellings, "folded": [fold(name) for name in spellings]},
        schema={"name": pl.String, "folded": pl.String},
    )
    return names.alias("name").to_frame().join(table, on="name", how="left", maintain_order="left")["folded"]


def fold(name: str) -> str | None:
    """Fold one name: case, spaces, house numbers and abbreviations; letters with accents stay other letters.

    >>> fold("12 King St. E"), fold("STORG. 4 B"), fold("Väg 40")
    ('king street east', 'storgatan', 'väg 40')
    """
    text = " ".join(unicodedata.normalize("NFC", name).casefold().split())
    text = HOUSE_BEFORE.sub("", text)
    without = HOUSE_AFTER.sub("", text)
    text = text if without in NUMBERED else without
    for pattern, ending in SWEDISH:
        text = re.sub(pattern, ending, text)
    parts = text.replace(".", " ").replace(",", " ").split()
    if len(parts) > 1 and parts[-1] in DIRECTIONS:
        parts[-1] = DIRECTIONS[parts[-1]]
    last = -2 if len(parts) > 2 and parts[-1] in DIRECTIONS.values() else -1
    if len(parts) > 1:
        parts[last] = ENDINGS.get(parts[last], parts[last])
    return " ".join(parts) or None
