"""A chunk of raw rows, as every reader gives them, and the port that readers stand behind."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import polars as pl

from vardag.water.sources.notes import Note

LINE = "__line"
WKB = "__wkb"
REJECTED = {"line": pl.Int64, "reason": pl.String, "detail": pl.String, "row_json": pl.String}


@dataclass(frozen=True)
class Rejected:
    """A row that cannot be used: where it stands, a stable reason code, what was found, and the whole row."""

    line: int
    reason: str
    detail: str
    row_json: str


@dataclass(frozen=True)
class Chunk:
    """Some rows of a file as raw text.

    Attributes
    ----------
    frame
        ``__line`` (Int64), one String column for each wanted column of the file, and ``__wkb`` (Binary) where
        the file has a geometry of its own.
    row_json
        Writes one row of the frame, with all the file's columns, as JSON.
    rejected
        Rows that could not even be split into columns.
    """

    frame: pl.DataFrame
    row_json: Callable[[int], str]
    rejected: list[Rejected] = field(default_factory=list)

    @property
    def rows_in(self) -> int:
        """Rows read from the file."""
        return self.frame.height + len(self.rejected)


# Called with the share of the file that has been read, 0 to 1.
Progress = Callable[[float], None]


class Layer(Protocol):
    """A file that can be read in chunks; what a reader must offer.

    ``columns`` are the file's own names, ``crs`` its own coordinate system as text (None where it says nothing),
    ``has_geometry`` whether rows carry one, ``notes`` what had to be assumed to read it.
    """

    columns: Sequence[str]
    crs: str | None
    has_geometry: bool
    notes: list[Note]

    def chunks(self, wanted: Sequence[str], *, progress: Progress | None = None) -> Iterator[Chunk]:
        """Read the file from the start, in chunks of bounded size."""
        ...


def rejected_frame(rows: Sequence[Rejected]) -> pl.DataFrame:
    """Rows left out, as a frame with line, reason, detail and row_json."""
    return pl.DataFrame([vars(row) for row in rows], schema=REJECTED)
