"""Line numbers of the keys of a TOML file, which `tomllib` does not give.

A small scanner, not a parser: the file has already been accepted by `tomllib` when this is used, so it only has
to find headers and keys and to skip over values that span lines.
"""

import re

Loc = tuple[str, ...]

_PART = r"""(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)"""
_DOTTED = rf"{_PART}(?:\s*\.\s*{_PART})*"
_HEADER = re.compile(rf"^\s*\[\[?\s*({_DOTTED})\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(rf"^\s*({_DOTTED})\s*=(.*)$")
_STRINGS = re.compile(r'"(?:\\.|[^"\\])*"' + r"|'[^']*'")
_TRIPLE = re.compile(r'"""|' + r"'''")


def key_lines(text: str) -> dict[Loc, int]:
    """Line number (from 1) of every table header and key, by its full dotted path.

    >>> key_lines('[city]\\nname = "Ytterby"\\n')
    {('city',): 1, ('city', 'name'): 2}
    """
    lines: dict[Loc, int] = {}
    table: Loc = ()
    waiting = _Open()
    for number, line in enumerate(text.splitlines(), start=1):
        if waiting.swallows(line):
            continue
        if header := _HEADER.match(line):
            table = _parts(header[1])
            lines.setdefault(table, number)
        elif key := _KEY.match(line):
            lines.setdefault((*table, *_parts(key[1])), number)
            waiting.begin(key[2])
    return lines


def line_of(lines: dict[Loc, int], loc: Loc) -> int:
    """Line of a path, or of the nearest enclosing key or table that has one (1 where nothing does)."""
    for length in range(len(loc), 0, -1):
        if loc[:length] in lines:
            return lines[loc[:length]]
    inside = [number for path, number in lines.items() if path[: len(loc)] == loc]
    return min(inside, default=1)


class _Open:
    """A value that is still open at the end of its line: a triple-quoted string or an array."""

    def __init__(self) -> None:
        self.quote = ""
        self.depth = 0

    def begin(self, value: str) -> None:
        self._scan(value)

    def swallows(self, line: str) -> bool:
        if not self.quote and self.depth <= 0:
            return False
        self._scan(line)
        return True

    def _scan(self, text: str) -> None:
        while True:
            if self.quote:
                _, closed, text = text.partition(self.quote)
                if not closed:
                    return
                self.quote = ""
            opening = _TRIPLE.search(text)
            self._count(text[: opening.start()] if opening else text)
            if not opening:
                return
            self.quote, text = opening[0], text[opening.end() :]

    def _count(self, text: str) -> None:
        bare = _STRINGS.sub("", text).split("#")[0]
        self.depth += bare.count("[") + bare.count("{") - bare.count("]") - bare.count("}")


def _parts(dotted: str) -> Loc:
    return tuple(part.strip("\"'") for part in re.findall(_PART, dotted))
