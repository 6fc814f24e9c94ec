"""Every number in a text, and what it is: invoice number, payment reference, amount, date, telephone, or nothing known."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from stdnum import luhn
from stdnum.exceptions import ValidationError
from stdnum.se import orgnr, personnummer

from vardag.invoices.reading.characters import Clean
from vardag.invoices.reading.patterns import Hit, Patterns, fold

MONTHS = "jan|feb|mar|apr|maj|may|jun|jul|aug|sep|okt|oct|nov|dec"
CURRENCY = r"(?:kr|kronor|kronr|sek|eur|euro|nok|dkk|usd)(?![a-zA-ZåäöÅÄÖ])|€|\$"
SUM = r"\d{1,3}(?:[ .,]\d{3}){1,3}(?:[.,]\d{1,2})?|\d{1,9}(?:[.,]\d{1,2})?"
SCAN = re.compile(
    rf"""
    (?P<web>(?:https?://|www\.)\S{{1,500}}|(?:tel|mailto|cid):\S{{1,200}}|[\w.+-]{{1,64}}@[\w-][\w.-]{{0,200}})
  | (?P<date>(?<![\w.,-])(?:(?:19|20)\d\d([-./])(?:0?[1-9]|1[0-2])\3(?:3[01]|[12]\d|0?[1-9])
      | \d{{1,2}}([-./])\d{{1,2}}\4(?:19|20)?\d\d | \d{{1,2}}/\d{{1,2}}(?:\s(?:19|20)\d\d)?
      | \d{{1,2}}(?:st|nd|rd|th|:e|:a)?\s(?:{MONTHS})[a-z]{{0,9}}\.?(?:,?\s(?:19|20)\d\d)?
      | (?:{MONTHS})[a-z]{{0,9}}\.?\s(?:\d{{1,2}}(?:st|nd|rd|th)?,?\s)?(?:19|20)\d\d)(?![\w]|[.,-]\d))
  | (?P<amount>(?<![\w.,-])(?:(?:{CURRENCY})\.?[ ]?-?(?:{SUM})(?![\d])
      | -?(?:{SUM})[ ]?(?:(?:{CURRENCY})|:-|,-(?!\d))))
  | (?P<phone>(?<![\w.,-])(?:\+\d{{1,3}}[ ]?(?:\(0\)[ ]?)?\d[\d -]{{4,16}}\d | \(?0\d{{1,3}}\)?[ ]?[-/][ ]?\d[\d -]{{3,12}}\d
      | 0\d{{1,3}}(?:[ ]\d{{2,4}}){{2,4}} | 07\d{{8}})(?!\w))
  | (?P<vat>(?<!\w)SE[ ]?(?P<vatbody>\d{{6}}-?\d{{4}})[ ]?01(?!\w))
  | (?P<person>(?<![\w-])(?:(?:16|18|19|20)?\d{{6}}[-+]\d{{4}}|(?:19|20)\d{{10}})(?![\w-]))
  | (?P<bank>(?<![\w-])\d{{3,4}}-\d{{4}}(?![\w-]))
  | (?P<post>(?<![\w-])(?:SE?-)?\d{{3}}[ ]\d{{2}}[ ]{{1,2}}(?=[A-ZÅÄÖ]))
  | (?P<decimal>(?<![\w.,-])(?:{SUM})(?![\w-])(?<=[.,]\d\d))
  | (?P<run>(?<![A-Za-z0-9_])[A-Za-z]{{0,3}}-?\d+(?:-\d+)*(?:[ ]\d+)*(?![\w]))
  | (?P<mixed>(?<!\w)(?=[A-Za-z]{{0,3}}\d)[0-9A-Za-zА-Яа-яΑ-Ωα-ω]{{5,14}}(?!\w))
    """,
    re.VERBOSE | re.IGNORECASE,
)
LOOKALIKES = str.maketrans(
    {**dict.fromkeys("OoОоΟο", "0"), **dict.fromkeys("lIІ", "1"), **dict.fromkeys("Зз", "3")}
)
GLUED = re.compile(r"(?:nr|no|fnr)-?(?=\d)", re.IGNORECASE)
LIST_GAP, LABEL_GAP = 40, 45


class Sort(StrEnum):
    """What a number is."""

    INVOICE = "invoice"
    OCR = "ocr"
    AMOUNT = "amount"
    CUSTOMER = "customer"
    ORGANISATION = "organisation"
    OTHER = "other"
    LEFT_ALONE = "left_alone"
    UNKNOWN = "unknown"
    LOOKALIKE = "lookalike"


@dataclass(frozen=True)
class Figure:
    """A number in a text.

    Attributes
    ----------
    label
        Code of the label that governs it; empty where there is none.
    maybe
        What else it could be, such as a date or an organisation number.
    spaced
        Whether it was written in groups.
    """

    sort: Sort
    value: str
    start: int
    end: int
    label: str = ""
    maybe: str = ""
    spaced: bool = False


SORTS = {
    "invoice_number": Sort.INVOICE,
    "invoice": Sort.INVOICE,
    "ocr": Sort.OCR,
    "customer": Sort.CUSTOMER,
    "replaced_by": Sort.LEFT_ALONE,
    "duplicate_of": Sort.LEFT_ALONE,
    "keep": Sort.LEFT_ALONE,
}


def figures(text: Clean, patterns: Patterns) -> list[Figure]:
    """Every number in a text from left to right, each with the label that governs it."""
    folded = fold(text.text)
    hits = list(patterns.labels.find(folded))
    starts = [hit.start for hit in hits]
    columns = list(table_columns(text.text, patterns))
    found: list[Figure] = []
    for figure in _scan(text.text, patterns):
        column = next((hit for hit in columns if hit.start <= figure.start and figure.end <= hit.end), None)
        before = hits[: bisect_right(starts, figure.start)]
        label = column.code if column else _governing(folded, before, figure, found, patterns)
        found.append(_labelled(figure, label, patterns))
    return found


def normal_number(text: str) -> str:
    """An invoice number in its normal form: no spaces, capitals.

    >>> normal_number("f2600 0123")
    'F26000123'
    """
    return re.sub(r"\s", "", text).upper()


def normal_amount(text: str) -> str:
    """An amount as ``1250.50``; empty where it is none.

    >>> [normal_amount(text) for text in ("1 250,50 kr", "1.250,50", "SEK 1,250.50", "1250:-", "1.250 kr")]
    ['1250.50', '1250.50', '1250.50', '1250.00', '1250.00']
    """
    bare = re.sub(r"[^\d.,]", "", text).strip(".,")
    whole, mark, rest = re.sub(r"[.,](?=\d{3}(?:\D|$))", "", bare).rpartition(
        next((m for m in ",." if m in bare[-3:]), ",")
    )
    try:
        return f"{Decimal(f'{whole}.{rest}' if mark else rest):.2f}"
    except InvalidOperation:
        return ""


def normal_organisation(text: str) -> str:
    """An organisation or personal identity number as ``NNNNNN-NNNN``; empty where its check digit is wrong.

    >>> normal_organisation("SE556036079301"), normal_organisation("5560360794")
    ('556036-0793', '')
    """
    digits = re.sub(r"\D", "", text)
    if text.strip().upper().startswith("SE") and len(digits) == 12 and digits.endswith("01"):
        digits = digits[:-2]
    ten = digits[-10:]
    if len(digits) not in {10, 12} or not luhn.is_valid(ten):
        return ""
    return f"{ten[:6]}-{ten[6:]}"


def is_reference(digits: str) -> bool:
    """Tell whether a payment reference has its check digit (Bankgirot: modulus 10, 2 to 25 figures).

    The variant with a length digit has the length, its last figure, before the check digit; the check digit is
    computed over it, so a reference with a wrong one is wrong in either variant.

    >>> is_reference("12345674"), is_reference("12345675")
    (True, False)
    """
    return 2 <= len(digits) <= 25 and digits.isdigit() and luhn.is_valid(digits)


def has_length_digit(digits: str) -> bool:
    """Tell whether the figure before the check digit is the reference's length (Bankgirot's variant 3)."""
    return len(digits) > 2 and digits[-2] == str(len(digits) % 10)


def table_columns(text: str, patterns: Patterns) -> Iterator[Hit]:
    """Cells that stand under a heading which is a label, as places with the label's code."""
    headings: list[str] = []
    place = 0
    for line in text.split("\n"):
        cells = list(_cells(line))
        if len(cells) < 2:
            headings = headings if line.strip(" -|=+") == "" and headings else []
        elif any(character.isdigit() for character in line):
            if len(cells) == len(headings):
                yield from (
                    Hit(code, place + start, place + end)
                    for code, (start, end) in zip(headings, cells, strict=True) if code
                )  # fmt: skip
        else:
            headings = [patterns.labels.code(line[a:b].strip(" *:.")) or "other_number" for a, b in cells]
            headings = headings if {"invoice", "invoice_number", "ocr"} & set(headings) else []
        place += len(line) + 1


def _cells(line: str) -> Iterator[tuple[int, int]]:
    """Cells of a line that is parted by bars, semicolons, tabulators or wide spaces."""
    if len(line) > 400:
        return
    mark = next((mark for mark in (r"\|", ";", r"\t") if re.search(rf"\S\s*{mark}\s*\S", line)), r"[ ]{2,}")
    last = 0
    for match in re.finditer(rf"\s*{mark}\s*", line):
        if line[last : match.start()].strip():
            yield last, match.start()
        last = match.end()
    if line[last:].strip():
        yield last, len(line)


def _scan(text: str, patterns: Patterns) -> Iterator[Figure]:
    for match in SCAN.finditer(text):
        sort, words = match.lastgroup or "", match.group()
        start, end = match.span()
        if sort in {"run", "vatbody"} and match.group("run"):
            yield from _runs(match, patterns)
        elif sort == "amount" or sort == "decimal":
            yield Figure(Sort.AMOUNT, normal_amount(words), start, end)
        elif match.group("vat") or sort == "person":
            value = normal_organisation(words)
            yield Figure(Sort.ORGANISATION if value else Sort.OTHER, value, start, end, maybe="organisation")
        elif sort == "mixed":
            plain = words.translate(LOOKALIKES).upper()
            if plain != words.upper() and patterns.formats.fullmatch(plain):
                yield Figure(Sort.LOOKALIKE, plain, start, end)
        elif sort != "web":
            yield Figure(Sort.OTHER, words, start, end, maybe=sort)


def _runs(match: re.Match[str], patterns: Patterns) -> Iterator[Figure]:
    """Numbers in a run of figures and single spaces: one written in groups, or several."""
    words, offset = match.group("run"), match.start()
    groups = [(m.group(), offset + m.start(), offset + m.end()) for m in re.finditer(r"\S+", words)]
    joined = normal_number(words)
    year = re.fullmatch(r"(?:19|20)\d\d", groups[-1][0]) is not None
    short = all(len(group) <= 4 for group, *_ in groups[1:]) and len(groups[0][0]) <= 4
    if len(groups) > 1 and short and len(joined) >= 6 and not year and patterns.formats.fullmatch(joined):
        yield Figure(Sort.UNKNOWN, joined, match.start(), match.end(), spaced=True)
        return
    for group, start, end in groups:
        glued = GLUED.match(group)
        start += glued.end() if glued else 0
        value = normal_number(group[glued.end() if glued else 0 :])
        sort = Sort.UNKNOWN if patterns.formats.fullmatch(value) else Sort.OTHER
        yield Figure(sort, value, start, end, maybe=_maybe(value))


def _maybe(digits: str) -> str:
    """What a bare row of figures could be beside an invoice number."""
    if len(digits) == 8 and digits[:2] in {"19", "20"}:
        try:
            date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
        except ValueError:
            return ""
        return "date"
    if len(digits) == 10 and digits.isdigit():
        try:
            personnummer.validate(digits)
        except ValidationError:
            return "organisation" if digits[2] >= "2" and orgnr.is_valid(digits) else ""
        return "person"
    return ""


def _governing(folded: str, before: list[Hit], figure: Figure, found: list[Figure], patterns: Patterns) -> str:
    """Code of the label that stands directly before a number, or before the list that it is part of."""
    last = found[-1] if found else None
    label = before[-1] if before else None
    # A label may swallow what is part of the number, such as the first words of "inv" in "inv123".
    if label and label.end > figure.start:
        label = before[-2] if len(before) > 1 else None
    if label and (last is None or last.end <= label.start):
        gap = folded[label.end : figure.start]
        fits = len(gap) <= LABEL_GAP and _fills(gap, patterns.between)
        return _spared(folded, before, label, patterns) if fits else ""
    if last and last.label:
        gap = folded[last.end : figure.start]
        inner = folded[label.start : label.end] if label and label.start >= last.end else ""
        filled = len(gap) <= LIST_GAP and _fills(gap.replace(inner, " ") if inner else gap, patterns.lists)
        return last.label if filled and gap.strip() != "" else ""
    return ""


def _spared(folded: str, before: list[Hit], label: Hit, patterns: Patterns) -> str:
    """Code of a label, or of the one before it that spares the invoice: "ersätts av" in "ersätts av faktura"."""
    earlier = [hit for hit in before if hit.end <= label.start][-1:]
    if label.code not in {"invoice", "invoice_number"} or not earlier:
        return label.code
    gap = folded[earlier[0].end : label.start]
    spares = SORTS.get(earlier[0].code) is Sort.LEFT_ALONE and len(gap) <= LABEL_GAP
    return earlier[0].code if spares and _fills(gap, patterns.between) else label.code


def _fills(gap: str, filler: re.Pattern[str]) -> bool:
    return gap.count("\n") <= 2 and filler.fullmatch(gap) is not None


def _labelled(figure: Figure, label: str, patterns: Patterns) -> Figure:
    """A number with the sort that its label gives it."""
    sort, value = figure.sort, figure.value
    digits = re.sub(r"\D", "", value)
    if label == "ocr" and len(digits) >= 5 and figure.maybe != "date":
        sort, value = Sort.OCR, digits
    elif label == "organisation":
        value = normal_organisation(value)
        sort = Sort.ORGANISATION if value else Sort.OTHER
    elif label == "customer" and sort is not Sort.AMOUNT and figure.maybe not in {"date", "phone"}:
        sort = Sort.CUSTOMER
    elif label == "amount" and sort in {Sort.UNKNOWN, Sort.OTHER} and not figure.maybe:
        sort, value = Sort.AMOUNT, normal_amount(value)
    elif sort is Sort.UNKNOWN and label in SORTS:
        sort = SORTS[label]
    elif sort is Sort.UNKNOWN and (label or figure.spaced):
        sort = Sort.OTHER
    return Figure(sort, value, figure.start, figure.end, label, figure.maybe, figure.spaced)
