"""Numbers as registers write them: decimal commas, thousands in groups, a unit or DN beside the digits."""

from dataclasses import dataclass

import polars as pl

from vardag.core.units import TO_METRES, factor

UNIT_WORDS = {
    "mm": "mm", "millimeter": "mm", "cm": "cm", "dm": "dm", "m": "m", "meter": "m", "metres": "m", "metre": "m",
    "km": "km", "in": "inch", "inch": "inch", "inches": "inch", "tum": "inch", '"': "inch", "''": "inch",
    "ft": "ft", "feet": "ft", "fot": "ft",
}  # fmt: skip

_CELL = r"^(?:DN|dn|Dn|Ø|ø)?\s*([-+]?[\d.,]*\d[.,]?(?:[eE][-+]?\d+)?)\s*([A-Za-z\"']*)\.?$"
_SPACES = r"(\d)[\s\u00a0\u202f\u2009'’](\d{3})"
_POINT = r"^[-+]?(?:\d+|\d{1,3}(?:,\d{3})+)?(?:\.\d*)?(?:[eE][-+]?\d+)?$"
_COMMA = r"^[-+]?(?:\d+|\d{1,3}(?:\.\d{3})+)?(?:,\d*)?(?:[eE][-+]?\d+)?$"
_PLAIN_POINT = r"^[-+]?\d+\.\d+(?:[eE][-+]?\d+)?$"

# What proves how a column writes decimals. A lone comma or point before exactly three digits proves nothing.
PROOFS = {
    ",": r"^[-+]?(?:\d*,(?:\d{1,2}|\d{4,})|0\d*,\d+|\d{4,},\d+|\d{1,3}(?:\.\d{3})+,\d*|\d{1,3}(?:\.\d{3}){2,})$",
    ".": r"^[-+]?(?:\d*\.(?:\d{1,2}|\d{4,})|0\d*\.\d+|\d{4,}\.\d+|\d{1,3}(?:,\d{3})+\.\d*|\d{1,3}(?:,\d{3}){2,})$",
}
UNDECIDED = r"^[-+]?[1-9]\d{0,2},\d{3}$"


@dataclass(frozen=True)
class Cells:
    """The digits and the unit of each cell, still as text."""

    digits: pl.Series
    unit: pl.Series


def split(text: pl.Series) -> Cells:
    """Take a cell apart into digits and unit; both null where the cell is no number."""
    joined = text.str.replace_all("−", "-", literal=True).str.strip_chars()
    for _ in range(2):  # twice, because matches of neighbouring groups overlap
        joined = joined.str.replace_all(_SPACES, "$1$2")
    groups = joined.str.extract_groups(_CELL).struct.unnest()
    digits, unit = groups.to_series(0), groups.to_series(1).str.to_lowercase()
    known = unit.is_in(list(UNIT_WORDS)) | (unit == "")
    return Cells(digits.set(~known.fill_null(False), None), unit)


def parse_numbers(text: pl.Series, *, decimal: str, unit: str | None = None, to: str = "") -> pl.Series:
    """Read a column of numbers in the table's unit; null where a cell is no number.

    Parameters
    ----------
    decimal
        ``"."`` or ``","``: what stands before the fraction; the other one may group thousands.
    unit, to
        Unit in the file (None: the table's own) and unit of the table. A unit written in the cell wins.
    """
    scale = factor(unit or to, to=to) if to in TO_METRES else 1.0
    plain = plain_floats(text if decimal == "." else text.set(text.str.contains(".", literal=True), None)) * scale
    rest = plain.is_null() & text.is_not_null()
    if not rest.any():
        return plain
    odd = text.filter(rest)
    return plain.scatter(rest.arg_true(), _with_signs(odd, decimal=decimal, unit=unit, to=to))


def plain_floats(text: pl.Series) -> pl.Series:
    """Read cells of digits and at most one point; null for everything else."""
    floats = text.cast(pl.Float64, strict=False)
    return floats.set(~floats.is_finite(), None)


def _with_signs(text: pl.Series, *, decimal: str, unit: str | None, to: str) -> pl.Series:
    """Read cells that have commas, groups, units or a DN beside the digits."""
    cells = split(text)
    values = _to_float(cells.digits, decimal)
    if to not in TO_METRES:
        return values
    words = {word: factor(name, to=to) for word, name in UNIT_WORDS.items()}
    factors = cells.unit.replace_strict(
        {**words, "": factor(unit or to, to=to)}, default=None, return_dtype=pl.Float64
    )
    return values * factors


def _to_float(digits: pl.Series, decimal: str) -> pl.Series:
    pattern, other = (_POINT, ",") if decimal == "." else (_COMMA, ".")
    written = digits.set(~digits.str.contains(pattern).fill_null(False), None)
    values = written.str.replace_all(other, "", literal=True).str.replace(decimal, ".", literal=True)
    floats = values.cast(pl.Float64, strict=False)
    if decimal == ",":  # a plain 12.5 among decimal commas can only be a decimal point
        plain = digits.set(~digits.str.contains(_PLAIN_POINT).fill_null(False), None).cast(pl.Float64)
        floats = floats.fill_null(plain)
    return floats
