"""Where a table begins in a file or sheet that has other lines above it."""

from collections.abc import Iterable, Sequence

from vardag.water.city import Source

# Lines looked at from the top; SMHI's files have about ten above the table, reports seldom more than twenty.
LOOK = 100


def expected_columns(source: Source) -> list[str]:
    """Columns of the file that the city's mapping names."""
    mapped = [mapping.column for mapping in source.columns.values() if mapping.column]
    places = source.geometry.columns.values() if source.geometry else []
    return [*mapped, *places, *source.where]


def find_header(rows: Iterable[Sequence[str]], expected: Iterable[str]) -> int:
    """Number, from 0, of the row that names most of the expected columns; the first such row, 0 where none does.

    >>> find_header([["Station", "Stockholm"], [], ["Datum", "Temp"], ["2004-05-06", "7"]], ["Temp"])
    2
    """
    wanted = set(expected)
    hits = [len(wanted.intersection(cell.strip() for cell in row)) for row in rows]
    return hits.index(max(hits)) if any(hits) else 0


def distinct(names: Iterable[str]) -> list[str]:
    """Names with a number after those that stand again, so that no cell is lost.

    >>> distinct(["a", "b", "a", "a"])
    ['a', 'b', 'a (2)', 'a (3)']
    """
    found: list[str] = []
    for name in names:
        new, number = name, 1
        while new and new in found:
            number += 1
            new = f"{name} ({number})"
        found.append(new)
    return found
