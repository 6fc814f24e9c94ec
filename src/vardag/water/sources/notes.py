"""What a load has to say about a source: notes on values, and reasons for rows left out."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from vardag.core.texts import Texts

TEXTS = Texts(Path(__file__).with_name("texts.toml"))


@dataclass(frozen=True)
class Note:
    """Something a person should know about a source; rows were kept.

    Attributes
    ----------
    code
        Stable code; its sentence is in ``texts.toml``.
    column
        Column of the table it is about, empty where it is about the file.
    rows
        How many rows, or cells, it is about.
    detail
        What was found, such as the first values.
    """

    code: str
    column: str
    rows: int
    detail: str = ""

    def text(self, language: str) -> str:
        """The note as a sentence in Swedish or English."""
        return TEXTS(f"note_{self.code}", language, column=self.column, rows=self.rows, detail=self.detail)


def reason_text(reason: str, language: str) -> str:
    """A quarantine reason as a sentence in Swedish or English."""
    return TEXTS(f"reason_{reason}", language)


def columns_note(before: Sequence[str] | None, now: Sequence[str]) -> list["Note"]:
    """What a delivery's columns are that the earlier one's were not; nothing where they are the same."""
    if before is None or set(before) == set(now):
        return []
    came, went = [name for name in now if name not in before], [name for name in before if name not in now]
    detail = ", ".join([*(f"+{name}" for name in came), *(f"-{name}" for name in went)])
    return [Note("columns_changed", "", len(came) + len(went), detail)]


class Notebook:
    """Gathers counts and first examples over the chunks of a file."""

    def __init__(self, *, show: int = 5) -> None:
        self.show = show
        self.rows: Counter[tuple[str, str]] = Counter()
        self.examples: dict[tuple[str, str], Counter[str]] = {}

    def add(self, code: str, column: str, values: Iterable[str]) -> None:
        """Count cells under a code and a column, with what stood in them."""
        found = Counter(values)
        if found:
            self.rows[code, column] += found.total()
            examples = self.examples.setdefault((code, column), Counter())
            examples.update(found)
            if len(examples) > 1000:
                self.examples[code, column] = Counter(dict(examples.most_common(500)))

    def count(self, code: str, column: str, rows: int) -> None:
        """Count rows under a code and a column, without examples."""
        if rows:
            self.rows[code, column] += rows

    def notes(self) -> list[Note]:
        """The notes, in the order they were first met."""
        return [Note(code, column, rows, self._detail(code, column)) for (code, column), rows in self.rows.items()]

    def _detail(self, code: str, column: str) -> str:
        common = self.examples.get((code, column), Counter()).most_common(self.show)
        return ", ".join(f"{value} ({count})" if count > 1 else value for value, count in common)
