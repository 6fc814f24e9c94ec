"""What the writer wrote now, apart from what stands below it from earlier mails."""

import re
from collections.abc import Sequence

from vardag.invoices.reading.patterns import Patterns, fold

QUOTED = re.compile(r"[ \t]{0,3}[>|][ \t>|]*")


def split_thread(text: str, patterns: Patterns) -> tuple[str, str]:
    """Split a text into what is new and what is quoted or forwarded."""
    lines = text.split("\n")
    folded = [fold(line[:400]) for line in lines]
    new: list[str] = []
    old: list[str] = []
    index = 0
    while index < len(lines):
        if QUOTED.match(lines[index]) and not _is_table(lines[index]):
            old.append(QUOTED.sub("", lines[index], count=1))
        elif _is_border(folded, index, patterns):
            old.extend(_unquoted(lines[index:]))
            break
        elif taken := _attribution(folded, index, patterns):
            if not _quote_follows(lines, index + taken):
                old.extend(_unquoted(lines[index:]))
                break
            index += taken
            continue
        else:
            new.append(lines[index])
        index += 1
    return "\n".join(new).strip("\n"), "\n".join(old).strip("\n")


def signature(text: str, patterns: Patterns) -> tuple[int, int]:
    """Where the signature begins and ends; a postscript belongs to the letter again."""
    begin, place = -1, 0
    for number, line in enumerate(text.split("\n")):
        start = fold(line[:70]).strip(" *_")
        if begin < 0 and number and start and _closes(start, patterns):
            begin = place
        elif begin >= 0 and re.match(r"p\.? ?s\b", start):
            return begin, place
        place += len(line) + 1
    return (begin, len(text)) if begin >= 0 else (len(text), len(text))


def reply_depth(subject: str) -> int:
    """How many times a subject says that it is an answer.

    >>> reply_depth("Sv: Re: RE: Faktura")
    3
    """
    return len(re.findall(r"\b(?:re|sv|ang|aw)\s?(?:\[\d\])?:", subject[:500].lower()))


def _closes(start: str, patterns: Patterns) -> bool:
    """Tell whether a line is a farewell: its words, perhaps a name, and nothing that asks for anything."""
    if start in {"--", "/", "//"} or re.match(r"//?\s?[a-z]", start):
        return True
    if (
        len(start) > 45
        or any(character.isdigit() for character in start)
        or any(True for _ in patterns.cancel.find(start))
    ):
        return False
    hit = next((hit for hit in patterns.threads["closings"].find(start) if hit.start == 0), None)
    return (
        hit is not None
        and (len(start) - hit.end <= 30)
        and (start[: hit.end] != "vanligen" or hit.end >= len(start) - 1)
    )


def _unquoted(lines: Sequence[str]) -> list[str]:
    return [line if _is_table(line) else QUOTED.sub("", line, count=1) for line in lines]


def _is_table(line: str) -> bool:
    """A row drawn with bars is no quotation."""
    return line.lstrip().startswith("|") and line.count("|") > 2


def _is_border(folded: Sequence[str], index: int, patterns: Patterns) -> bool:
    line = folded[index].strip()
    marks = sum(line.count(mark) for mark in "-_*")
    if (marks >= 4 or line.endswith(":")) and any(True for _ in patterns.threads["separators"].find(line)):
        return True
    return (
        _header(line, patterns, "from")
        and sum(_header(other.strip(), patterns, "headers") for other in folded[index + 1 : index + 8]) >= 2
    )


def _header(line: str, patterns: Patterns, sort: str) -> bool:
    name, colon, _ = line.lstrip("*> ").partition(":")
    return bool(colon) and patterns.threads[sort].code(name.strip("* ")) is not None


def _attribution(folded: Sequence[str], index: int, patterns: Patterns) -> int:
    """Number of lines of "On Monday Anna wrote:", which may be wrapped; 0 where there is none."""
    first = folded[index].strip()
    if not re.match(r"(?:den|on|am|pa|man|tis|ons|tors|fre|lor|son|\d|\S+ \S* ?<|.{1,80}@)", first):
        return 0
    for taken in (1, 2, 3):
        whole = " ".join(line.strip() for line in folded[index : index + taken])
        if whole.endswith(":") and (re.search(r"\d{1,2}[:.]\d\d|\d{4}|@", whole)):
            found = list(patterns.threads["wrote"].find(whole))
            if found and found[-1].start > 0:
                return min(taken, len(folded) - index)
    return 0


def _quote_follows(lines: Sequence[str], index: int) -> bool:
    following = [line for line in lines[index : index + 4] if line.strip()]
    return bool(following) and QUOTED.match(following[0]) is not None
