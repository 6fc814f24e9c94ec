"""The parts that a model card is made of, and the card as Markdown."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "list", "table", "title"]
# Characters of names from data that Markdown or HTML in it would take for more than themselves.
SPECIAL = re.compile(r"([\\`*_\[\]<>|#])")


@dataclass(frozen=True)
class Block:
    """A paragraph, a list, a small title or a table, of finished text; the first column of a table is words.

    ``strong`` sets the first sentence of each item off from the rest; ``figures`` are tables of numbers.
    """

    kind: Kind
    text: str = ""
    items: Sequence[str] = ()
    heads: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    strong: bool = False
    figures: bool = False

    @property
    def empty(self) -> bool:
        """True where there is nothing to show."""
        return not (self.text or self.items or self.rows)

    @property
    def sentences(self) -> list[tuple[str, str]]:
        """Each item as what is set off, with its full stop, and the rest."""
        if not self.strong:
            return [("", item) for item in self.items]
        return [(first + stop, rest) for first, stop, rest in (item.partition(". ") for item in self.items)]


@dataclass(frozen=True)
class Section:
    """A section with its stable key and its title."""

    key: str
    title: str
    blocks: Sequence[Block]


def text(words: str) -> Block:
    """Make a paragraph."""
    return Block("text", text=words)


def title(words: str) -> Block:
    """Make a small title inside a section."""
    return Block("title", text=words)


def points(items: Sequence[str], *, strong: bool = False) -> Block:
    """Make a list."""
    return Block("list", items=[item for item in items if item], strong=strong)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, figures: bool = False) -> Block:
    """Make a table."""
    return Block("table", heads=heads, rows=rows, figures=figures)


def markdown(heading: str, lead: str, sections: Sequence[Section]) -> str:
    """Write the card as Markdown; names from data are escaped."""
    parts = [f"# {escaped(heading)}", escaped(lead)]
    for section in sections:
        parts.append(f"## {escaped(section.title)}")
        parts += [_markdown(block) for block in section.blocks if not block.empty]
    return "\n\n".join(parts) + "\n"


def escaped(words: str) -> str:
    """Make a text that Markdown shows as it is, on one line."""
    return SPECIAL.sub(r"\\\1", " ".join(words.split()))


def _markdown(block: Block) -> str:
    if block.kind == "table":
        lines = [block.heads, ["---"] * len(block.heads)]
        return (
            "\n".join(_line(line) for line in lines)
            + "\n"
            + "\n".join(_line([escaped(cell) for cell in row]) for row in block.rows)
        )
    if block.kind == "list":
        parts = [(escaped(first), escaped(rest)) for first, rest in block.sentences]
        return "\n".join(f"- **{first}** {rest}" if first else f"- {rest}" for first, rest in parts)
    return f"### {escaped(block.text)}" if block.kind == "title" else escaped(block.text)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
