"""Rows on their way into a table, in files beside the database until the whole source has been read.

A file may be larger than memory, and DuckDB keeps what an open transaction has written in memory. So chunks go to
Parquet files first; the transaction that replaces a source's rows is short and streams from them.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
import shapely
from numpy.typing import NDArray

from vardag.core.spatial import hilbert
from vardag.water.schema import Table
from vardag.water.sources.area import Points, corners
from vardag.water.sources.delivery import Delivery

SAMPLE = 1000


class SeenIds:
    """Ids already taken by rows of a table, over all its sources.

    Only a hash of 8 bytes is kept for each; a hash met before is looked up in the staged files, so the answer is
    exact.
    """

    def __init__(self, key: str) -> None:
        self.key = key
        self.runs: list[NDArray[np.uint64]] = []
        self.files: list[Path] = []

    def known(self, ids: pl.Series) -> NDArray[np.bool_]:
        """Tell which ids have been met; null never has."""
        hashes = _hashes(ids)
        maybe = np.zeros(len(ids), dtype=bool)
        for run in self.runs:
            place = np.minimum(np.searchsorted(run, hashes), run.size - 1)
            maybe |= run[place] == hashes
        maybe &= ids.is_not_null().to_numpy()
        return maybe & self._staged(ids, maybe) if maybe.any() else maybe

    def add(self, ids: pl.Series, file: Path) -> None:
        """Remember the ids of a staged file; sorted runs of like size are merged, so there are never many."""
        self.files.append(file)
        self.runs.append(np.sort(_hashes(ids)))
        while len(self.runs) > 1 and self.runs[-2].size <= 2 * self.runs[-1].size:
            last, before = self.runs.pop(), self.runs.pop()
            self.runs.append(np.sort(np.concatenate([before, last]), kind="stable"))

    def _staged(self, ids: pl.Series, maybe: NDArray[np.bool_]) -> NDArray[np.bool_]:
        asked = ids.filter(pl.Series(maybe)).unique().implode()
        staged = pl.scan_parquet(self.files, glob=False).select(self.key).filter(pl.col(self.key).is_in(asked))
        return ids.is_in(staged.collect().to_series().implode()).fill_null(False).to_numpy()


def _hashes(ids: pl.Series) -> NDArray[np.uint64]:
    return ids.hash(seed=0).to_numpy()


@dataclass
class Staging:
    """Staged rows of one source.

    Attributes
    ----------
    kept_files, rejected_files
        Parquet files: rows of the table with their place on the Hilbert curve as ``hilbert``, and rows for
        quarantine.
    rows_in, kept, reasons
        Rows read, rows staged, and rows left out by reason.
    places
        Centres of up to 1000 geometries, in the city's system.
    """

    folder: Path
    name: str
    table: Table
    crs: str
    seen: SeenIds
    delivery: Delivery
    columns: Sequence[str] = ()
    kept_files: list[Path] = field(default_factory=list)
    rejected_files: list[Path] = field(default_factory=list)
    rows_in: int = 0
    kept: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    places: Points = field(default_factory=lambda: np.empty((0, 2)))

    def __post_init__(self) -> None:
        self.corners = [shapely.to_wkb(shapely.Point(x, y)) for x, y in corners(self.crs)]
        self.stem = f"{len(self.seen.files)}-{self.table.name}"

    def add(self, kept: pl.DataFrame, rejected: pl.DataFrame) -> None:
        """Stage the rows of a chunk and those left out."""
        self.rows_in += kept.height + rejected.height
        self.kept += kept.height
        self.reasons.update(rejected["reason"])
        if kept.height:
            file = self._write(kept.with_columns(pl.Series("hilbert", self._order(kept["geom"]))), self.kept_files)
            self.seen.add(kept[self.table.key], file)
            self._sample(kept["geom"])
        if rejected.height:
            self._write(rejected.with_columns(pl.lit(self.name).alias("source")), self.rejected_files)

    def _write(self, frame: pl.DataFrame, files: list[Path]) -> Path:
        kind = "kept" if files is self.kept_files else "rejected"
        path = self.folder / f"{self.stem}-{kind}-{len(files)}.parquet"
        frame.write_parquet(path, compression="lz4")
        files.append(path)
        return path

    def _order(self, geoms: pl.Series) -> NDArray[np.uint32]:
        """Place on the curve; the area's two corners make the curve the same for every chunk."""
        return hilbert([*self.corners, *geoms.to_list()])[2:]

    def _sample(self, geoms: pl.Series) -> None:
        wanted = SAMPLE - len(self.places)
        if wanted > 0:
            self.places = np.concatenate([self.places, centres_of(geoms.drop_nulls().head(wanted).to_list())])


def centres_of(wkb: Sequence[bytes]) -> Points:
    """Middle of the bounds of each geometry."""
    bounds = shapely.bounds(shapely.from_wkb(np.array(wkb, dtype=object))).reshape(-1, 4)
    return np.column_stack([(bounds[:, 0] + bounds[:, 2]) / 2, (bounds[:, 1] + bounds[:, 3]) / 2])
