"""Parquet and GeoParquet files, in batches, with the coordinate system that GeoParquet states."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from pyproj import CRS
from pyproj.exceptions import CRSError

from vardag.core.errors import InputError
from vardag.water.sources.chunk import LINE, WKB, Chunk, Progress
from vardag.water.sources.notes import Note
from vardag.water.sources.vector_file import BATCH_ROWS, as_text, row_json

# What columns with WKB are called where no metadata says which it is.
PLAIN_NAMES = ("geometry", "geom", "wkb", "wkb_geometry", "shape")
# GeoParquet 1.1: a geometry column that states no crs is in longitude and latitude.
DEFAULT_CRS = "OGC:CRS84"


class ParquetLayer:
    """A Parquet file; its geometry is a column of WKB.

    The geometry column and its coordinate system come from the file's GeoParquet metadata (version 1.0 or 1.1).
    Where there is none, a binary column with a usual name is taken as WKB, of a system that is not known.

    Raises
    ------
    InputError
        When the file is not whole or no Parquet, or its geometry is not WKB.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notes: list[Note] = []
        with self._opened() as file:
            schema = file.schema_arrow
            self.rows = file.metadata.num_rows
        self.geometry, self.crs = self._geometry(schema)
        self.has_geometry = self.geometry is not None
        self.columns: Sequence[str] = [name for name in schema.names if name != self.geometry]

    def chunks(self, wanted: Sequence[str], *, progress: Progress | None = None) -> Iterator[Chunk]:
        """Read the file in batches; ``__line`` is the number of the row, from 1."""
        done = 0
        with self._opened() as file:
            for batch in file.iter_batches(batch_size=BATCH_ROWS):
                yield self._chunk(self._frame(batch), wanted, first=done + 1)
                done += batch.num_rows
                if progress:
                    progress(min(done / max(self.rows, 1), 1.0))

    def _chunk(self, frame: pl.DataFrame, wanted: Sequence[str], *, first: int) -> Chunk:
        lines = pl.int_range(first, first + frame.height, dtype=pl.Int64, eager=True).alias(LINE)
        columns = [as_text(frame[name]).alias(name) for name in wanted]
        geometry = [frame[WKB]] if self.has_geometry else []
        return Chunk(pl.DataFrame([lines, *columns, *geometry]), lambda row: row_json(frame, row))

    def _frame(self, batch: pa.RecordBatch) -> pl.DataFrame:
        arrays = {
            WKB if name == self.geometry else name: _storage(array)
            for name, array in zip(batch.schema.names, batch.columns, strict=True)
        }
        return pl.DataFrame(pl.from_arrow(pa.table(arrays)))

    def _geometry(self, schema: pa.Schema) -> tuple[str | None, str | None]:
        """The geometry column and its coordinate system, None where there is none."""
        stated = (schema.metadata or {}).get(b"geo")
        if stated is not None:
            return self._stated(stated)
        names = {name.lower(): name for name in schema.names if _is_binary(schema.field(name).type)}
        return next((names[name] for name in PLAIN_NAMES if name in names), None), None

    def _stated(self, metadata: bytes) -> tuple[str, str | None]:
        try:
            geo = json.loads(metadata)
            name = geo["primary_column"]
            column = geo["columns"][name]
            encoding = column["encoding"]
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{self.path.name}: its GeoParquet metadata cannot be understood ({error!r}), expected "
                "primary_column and columns. Export it again, as GeoParquet 1.1 or GeoPackage."
            ) from None
        if encoding != "WKB":
            raise InputError(
                f"{self.path.name}: column {name!r} holds geometry as {encoding!r}, expected WKB. "
                "Export it with the encoding WKB, or as GeoPackage."
            )
        return name, self._crs(column["crs"]) if "crs" in column else DEFAULT_CRS

    def _crs(self, projjson: Any) -> str | None:
        if projjson is None:  # GeoParquet: null means that nobody knows
            return None
        try:
            crs = CRS.from_user_input(projjson)
        except CRSError:
            raise InputError(
                f"{self.path.name}: its GeoParquet metadata states a coordinate system that is none. "
                'State the right one in city.toml: crs = "EPSG:..."'
            ) from None
        code = crs.to_authority(min_confidence=100)
        return ":".join(code) if code else crs.to_wkt()

    @contextmanager
    def _opened(self) -> Iterator[pq.ParquetFile]:
        """Open the file; whatever Arrow finds wrong with it, then or later, becomes one clear error."""
        try:
            # a buffered stream reads a column page by page, however large its row group is
            with pq.ParquetFile(self.path, buffer_size=1 << 20) as file:
                yield file
        except (pa.ArrowException, OSError) as error:
            raise InputError(
                f"{self.path.name}: not a whole Parquet file ({str(error).splitlines()[0]}). "
                "Copy or export it again."
            ) from None


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _storage(array: pa.Array) -> pa.Array:
    """Values of an extension type as those of the type it is kept in."""
    return array.storage if isinstance(array.type, pa.ExtensionType) else array
