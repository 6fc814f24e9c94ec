"""Vector files through GDAL: GeoPackage, Shapefile, GeoJSON, GML, FlatGeobuf, in batches."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError
from pyogrio.raw import open_arrow

from vardag.core.errors import InputError
from vardag.water.city import did_you_mean
from vardag.water.sources.chunk import LINE, WKB, Chunk, Progress
from vardag.water.sources.notes import Note

BATCH_ROWS = 50_000
# How a file is opened: nothing is written beside it, and text stays the text it is.
OPTIONS = {".gml": {"WRITE_GFS": "NO"}} | {
    suffix: {"DATE_AS_STRING": "YES"} for suffix in (".geojson", ".geojsonl", ".json")
}
# A file may name an address as its schema; nobody asked for that to be called.
pyogrio.set_gdal_config_options({"GML_DOWNLOAD_SCHEMA": "NO"})


class VectorLayer:
    """One layer of a vector file.

    Raises
    ------
    InputError
        When the file cannot be opened, has several layers and none is named, or the named one is not there.
    """

    def __init__(self, path: Path, *, layer: str | None = None, encoding: str | None = None) -> None:
        self.path = path
        self.notes: list[Note] = []
        self.encoding = encoding
        self.options = OPTIONS.get(path.suffix.lower(), {})
        self.layer = self._choose(layer)
        info = self._call(pyogrio.read_info, layer=self.layer, force_feature_count=True)
        self.columns: Sequence[str] = [str(name) for name in info["fields"]]
        self.crs = info["crs"]
        self.features = int(info["features"])
        self.has_geometry = info["geometry_type"] is not None

    def chunks(self, wanted: Sequence[str], *, progress: Progress | None = None) -> Iterator[Chunk]:
        """Read the layer in batches; ``__line`` is the number of the feature, from 1."""
        done = 0
        opened = self._call(
            open_arrow, layer=self.layer, batch_size=BATCH_ROWS, use_pyarrow=True, datetime_as_string=True
        )
        with opened as (meta, reader):
            name = meta["geometry_name"] or "wkb_geometry"
            for batch in reader:
                frame = _frame(batch, name)
                yield self._chunk(frame, wanted, first=done + 1)
                done += frame.height
                if progress:
                    progress(min(done / max(self.features, 1), 1.0))

    def _chunk(self, frame: pl.DataFrame, wanted: Sequence[str], *, first: int) -> Chunk:
        lines = pl.int_range(first, first + frame.height, dtype=pl.Int64, eager=True).alias(LINE)
        columns = [as_text(frame[name]).alias(name) for name in wanted]
        geometry = [frame[WKB]] if self.has_geometry else []
        return Chunk(pl.DataFrame([lines, *columns, *geometry]), lambda row: row_json(frame, row))

    def _choose(self, layer: str | None) -> str:
        names = [str(name) for name in self._call(pyogrio.list_layers)[:, 0]]
        if layer is None and len(names) == 1:
            return names[0]
        if layer in names:
            return str(layer)
        listed = ", ".join(names) or "none"
        if layer is None:
            raise InputError(
                f"{self.path.name}: the file has {len(names)} layers ({listed}), expected one. "
                'Name one in city.toml: layer = "..."'
            )
        raise InputError(
            f"{self.path.name}: no layer {layer!r}; the file has {listed}.{did_you_mean(layer, names)}"
        )

    def _call(self, function: Any, **arguments: Any) -> Any:
        lists = function is pyogrio.list_layers
        if self.encoding and not lists:
            arguments["encoding"] = self.encoding
        options = {} if lists else self.options
        try:
            return function(self.path, **arguments, **options)
        except (DataSourceError, DataLayerError) as error:
            raise InputError(
                f"{self.path.name}: cannot be read ({str(error).splitlines()[0]}). "
                "Open it in QGIS and export it again, as GeoPackage."
            ) from None


def as_text(column: pl.Series) -> pl.Series:
    """Write a typed column as the text a person would: whole numbers without a fraction, ISO dates."""
    if column.dtype.is_float():
        whole = column.is_not_null() & (column == column.floor()) & (column.abs() < 1e15)
        integers = column.set(~whole, None).cast(pl.Int64).cast(pl.String)
        return integers.zip_with(whole, column.fill_nan(None).cast(pl.String))
    if column.dtype == pl.Date:
        return column.dt.strftime("%Y-%m-%d")
    if isinstance(column.dtype, pl.Datetime):
        return column.dt.strftime("%Y-%m-%d %H:%M:%S%z" if column.dtype.time_zone else "%Y-%m-%d %H:%M:%S")
    if column.dtype.is_nested() or column.dtype == pl.Binary:
        return pl.Series(column.name, [None if v is None else str(v) for v in column.to_list()], dtype=pl.String)
    return column.cast(pl.String)


def _frame(batch: pa.RecordBatch, geometry: str) -> pl.DataFrame:
    """Arrow batch to frame, the geometry column last and under its internal name."""
    table = pa.Table.from_batches([batch])
    plain = [name for name in table.column_names if name != geometry]
    frame = pl.DataFrame(pl.from_arrow(table.select(plain))) if plain else pl.DataFrame()
    if geometry not in table.column_names:
        return frame
    values = table.column(geometry)
    storage = values.cast(pa.binary()) if not isinstance(values.type, pa.ExtensionType) else values
    wkb = pl.Series(WKB, storage.to_pylist(), dtype=pl.Binary)
    return frame.with_columns(wkb) if plain else wkb.to_frame()


def row_json(frame: pl.DataFrame, row: int) -> str:
    """Write one row of a frame as JSON, its geometry left out."""
    values = {name: value for name, value in frame.row(row, named=True).items() if name != WKB}
    return json.dumps(values, ensure_ascii=False, default=str)
