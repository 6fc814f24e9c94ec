"""The verdict on each row of a chunk: fine, or left out for the first reason found."""

from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray


class Verdict:
    """Reasons by row; the first one counts."""

    def __init__(self, rows: int) -> None:
        self.reasons: NDArray[np.object_] = np.full(rows, None, dtype=object)
        self.details: NDArray[np.object_] = np.full(rows, "", dtype=object)
        self.fine: NDArray[np.bool_] = np.ones(rows, dtype=bool)

    def refuse(
        self, mask: NDArray[np.bool_], reason: str, details: pl.Series | None = None, *, prefix: str = ""
    ) -> None:
        """Leave out the rows of a mask that are still fine, with what was found in each."""
        rows = np.flatnonzero(np.asarray(mask, dtype=bool) & self.fine)
        if rows.size == 0:
            return
        self.reasons[rows] = reason
        if details is not None:
            self.details[rows] = [f"{prefix}{value}" for value in details.gather(rows).to_list()]
        self.fine[rows] = False

    def refused(self) -> Iterator[tuple[int, str, str]]:
        """Row, reason and detail of each row left out."""
        for row in np.flatnonzero(~self.fine):
            yield int(row), self.reasons[row], self.details[row]
