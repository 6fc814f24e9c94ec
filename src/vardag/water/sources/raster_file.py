"""Heights of the ground along pipes, from a raster of any size and coordinate system."""

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import rasterio  # type: ignore[import-untyped]
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from rasterio.errors import RasterioError, RasterioIOError  # type: ignore[import-untyped]
from rasterio.windows import Window  # type: ignore[import-untyped]

from vardag.core.errors import InputError
from vardag.core.spatial import hilbert
from vardag.water.sources.chunk import LINE, Chunk, Progress, Rejected
from vardag.water.sources.notes import Note

COLUMNS = ("pipe_id", "elevation_m", "elevation_min_m", "elevation_max_m")
BATCH_PIPES = 5_000
TILE = 256
TILES_KEPT = 256  # 256 tiles of 256 x 256 numbers of 8 bytes are 134 MB
Floats = NDArray[np.float64]
Heights = tuple[str | None, Floats]


class RasterLayer:
    """A raster of heights, read along the pipes: one row for each.

    A height is that of the cell a point lies in. Points stand at every vertex, and at most `every_m` apart.

    Parameters
    ----------
    path
        GeoTIFF or ASCII grid; its first band is height in metres.
    pipes
        ``pipe_id`` and ``geom`` (WKB, None where there is no place).
    crs
        The pipes' coordinate system.
    stated_crs
        The raster's, where city.toml states it; else what the file says.
    every_m
        Longest distance between points along a pipe, m.

    Raises
    ------
    InputError
        When there are no pipes yet, the file is no raster, or its coordinate system is not known.
    """

    crs: str | None = None
    has_geometry = False
    columns: Sequence[str] = COLUMNS

    def __init__(
        self,
        path: Path,
        pipes: pl.DataFrame | None,
        *,
        crs: str,
        stated_crs: str | None = None,
        every_m: float = 10.0,
    ) -> None:
        if pipes is None or pipes.is_empty():
            raise InputError(
                f"{path.name}: there are no pipes to read heights along. Load the pipe register first."
            )
        self.path, self.pipes, self.every_m = path, pipes, every_m
        self.notes: list[Note] = []
        self.heights: list[Heights] | None = None
        try:
            with rasterio.open(path) as raster:
                own = raster.crs.to_wkt() if raster.crs else None
        except RasterioIOError as error:
            raise InputError(
                f"{path.name}: not a raster that can be read ({error}). Export it as GeoTIFF."
            ) from None
        if stated_crs is None and own is None:
            raise InputError(
                f"{path.name}: the raster does not say which coordinate system it is in. State it in city.toml "
                f'under the source: crs = "{crs}" or another code.'
            )
        system = CRS.from_user_input(stated_crs or own)
        self.transformer = Transformer.from_crs(crs, system, always_xy=True)

    def chunks(self, wanted: Sequence[str], *, progress: Progress | None = None) -> Iterator[Chunk]:
        """One row for each pipe, in the order given; ``__line`` is the pipe's number, from 1."""
        if self.heights is None:  # a layer is read twice, the raster once
            self.heights = self._read()
        for start in range(0, self.pipes.height, BATCH_PIPES):
            yield self._chunk(start, self.heights[start : start + BATCH_PIPES], wanted)
            if progress:
                progress(min((start + BATCH_PIPES) / self.pipes.height, 1.0))

    def _chunk(self, start: int, heights: Sequence[Heights], wanted: Sequence[str]) -> Chunk:
        ids = self.pipes["pipe_id"].slice(start, len(heights)).to_list()
        rows = [
            (start + number + 1, ids[number], *(f"{value:.2f}" for value in found))
            for number, (reason, found) in enumerate(heights)
            if reason is None
        ]
        rejected = [
            Rejected(start + number + 1, reason, f"pipe_id {ids[number]}", json.dumps({"pipe_id": ids[number]}))
            for number, (reason, _) in enumerate(heights)
            if reason is not None
        ]
        schema = {LINE: pl.Int64, **dict.fromkeys(COLUMNS, pl.String)}
        frame = pl.DataFrame(rows, schema=schema, orient="row")
        return Chunk(frame.select(LINE, *wanted), lambda row: json.dumps(frame.row(row, named=True)), rejected)

    def _read(self) -> list[Heights]:
        """Read the pipes in the order of a curve, so that neighbours find the tiles they share still in memory."""
        geoms = self.pipes["geom"].to_list()
        order = np.argsort(hilbert(geoms), kind="stable")
        found: list[Heights] = [("no_geometry", np.empty(0))] * len(geoms)
        try:
            with rasterio.open(self.path) as raster:
                tiles = Tiles(raster)
                for start in range(0, len(order), BATCH_PIPES):
                    rows = [int(row) for row in order[start : start + BATCH_PIPES] if geoms[row] is not None]
                    for row, heights in zip(rows, self._along([geoms[row] for row in rows], tiles), strict=True):
                        found[row] = heights
        except RasterioError as error:
            raise InputError(
                f"{self.path.name}: the raster breaks off ({error}). Copy or export it again."
            ) from None
        return found

    def _along(self, geoms: list[bytes], tiles: "Tiles") -> list[Heights]:
        """Mean, lowest and highest point of each line, or why there is none."""
        lines = shapely.segmentize(shapely.from_wkb(geoms), self.every_m)
        xy, owner = shapely.get_coordinates(lines, return_index=True)
        x, y = self.transformer.transform(xy[:, 0], xy[:, 1])
        inside, heights = tiles.at(np.asarray(x), np.asarray(y))
        starts = np.searchsorted(owner, np.arange(len(geoms) + 1))
        return [_summary(inside[a:b], heights[a:b]) for a, b in pairwise(starts)]


class Tiles:
    """Cells of a raster, read a tile at a time; those used last are kept."""

    def __init__(self, raster: rasterio.DatasetReader) -> None:
        self.raster = raster
        self.tile = lru_cache(maxsize=TILES_KEPT)(self._tile)

    def at(self, x: Floats, y: Floats) -> tuple[NDArray[np.bool_], Floats]:
        """Tell which points lie on the raster, and their heights, NaN where it has none."""
        back = ~self.raster.transform
        across, down = back.a * x + back.b * y + back.c, back.d * x + back.e * y + back.f
        inside = (across >= 0) & (across < self.raster.width) & (down >= 0) & (down < self.raster.height)
        heights = np.full(len(x), np.nan)
        points = np.flatnonzero(inside)
        rows, columns = down[points].astype(np.int64), across[points].astype(np.int64)
        tiles = (rows // TILE) * (self.raster.width // TILE + 1) + columns // TILE
        order = np.argsort(tiles, kind="stable")
        for group in np.split(order, np.flatnonzero(np.diff(tiles[order])) + 1):
            if group.size:
                top, left = int(rows[group[0]] // TILE), int(columns[group[0]] // TILE)
                cells = self.tile(top, left)
                heights[points[group]] = cells[rows[group] - top * TILE, columns[group] - left * TILE]
        return inside, heights

    def _tile(self, top: int, left: int) -> Floats:
        width = min(TILE, self.raster.width - left * TILE)
        height = min(TILE, self.raster.height - top * TILE)
        window = Window(left * TILE, top * TILE, width, height)
        cells = self.raster.read(1, window=window, masked=True).astype(np.float64)
        return np.asarray(cells.filled(np.nan))


def _summary(inside: NDArray[np.bool_], heights: Floats) -> Heights:
    known = heights[np.isfinite(heights)]
    if known.size:
        return None, np.array([known.mean(), known.min(), known.max()])
    return ("no_height" if inside.any() else "outside_raster"), np.empty(0)
