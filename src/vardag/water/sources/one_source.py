"""Read one source, from opening its file to rows that are ready for the database."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import numpy as np
import polars as pl

from vardag.core.db import transaction
from vardag.core.errors import InputError
from vardag.water.city import City, Source, did_you_mean
from vardag.water.city.semantics import SUFFIXES
from vardag.water.schema import DELIVERED, Table
from vardag.water.sources.area import WORLD, Area, Points, extent_text, gap
from vardag.water.sources.chunk import Layer
from vardag.water.sources.csv_file import CsvLayer
from vardag.water.sources.delivery import Delivery, deliver
from vardag.water.sources.epanet_file import EpanetLayer
from vardag.water.sources.excel_file import ExcelLayer
from vardag.water.sources.fields import Field, fields_of
from vardag.water.sources.geometry import Placer
from vardag.water.sources.mapping import Plan, map_chunk
from vardag.water.sources.notes import Note, Notebook
from vardag.water.sources.parquet_file import ParquetLayer
from vardag.water.sources.raster_file import RasterLayer
from vardag.water.sources.staging import SeenIds, Staging
from vardag.water.sources.store import fingerprint, replace_rows
from vardag.water.sources.survey import survey
from vardag.water.sources.text_table import expected_columns
from vardag.water.sources.vector_file import VectorLayer

# Sources of one city overlap; farther apart than this, one of them is in another coordinate system.
FARTHEST_M = 50_000.0
# Called with the share of a source's work that is done, 0 to 1; a file is read twice.
Share = Callable[[float], None]


@dataclass(frozen=True)
class SourceReport:
    """What happened to one source.

    Attributes
    ----------
    status
        ``loaded``, ``unchanged`` (same file and mapping as last time) or ``removed`` (no longer in city.toml).
    rows_in, kept
        Rows read, and rows in the table.
    quarantined
        Rows left out, by reason; ``rows_in == kept + sum(quarantined.values())``.
    notes
        What was assumed or could not be read in rows that were kept.
    """

    name: str
    table: str
    path: str
    status: str
    rows_in: int = 0
    kept: int = 0
    quarantined: dict[str, int] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)


def stage_source(
    city: City,
    name: str,
    delivery: Delivery,
    folder: Path,
    *,
    seen: SeenIds,
    near: Points,
    share: Share | None = None,
    pipes: pl.DataFrame | None = None,
) -> tuple[Staging, SourceReport]:
    """Read a source into staged files; the database is not touched.

    Parameters
    ----------
    delivery
        The file to read.
    folder
        Where to put the files.
    seen
        Ids that rows of the table have already.
    near
        Places of the city's other sources, in the city's system, to tell a wrong coordinate system by.
    pipes
        The pipes loaded, as ``pipe_id`` and ``geom`` (WKB), along which a raster is read.

    Raises
    ------
    InputError
        When the file cannot be read, lacks a mapped column, has no rows, most of its coordinates lie outside the
        area of the city's coordinate system, or all of it lies far from the other sources.
    """
    source, table = city.sources[name], DELIVERED[city.sources[name].table]
    where = f"{name} ({delivery.origin})"
    layer = open_layer(delivery.path, source, pipes=pipes, crs=city.crs)
    fields = fields_of(source, table, timezone=city.timezone)
    _require_columns(layer, fields, source, where)
    notations, notes = survey(layer, fields, source=source, where=where, progress=_half(share, 0.0))
    crs = source.crs or delivery.crs or (city.crs if source.geometry else layer.crs)
    placer = _placer(layer, source, table, crs=crs, city_crs=city.crs, where=where)
    staging = Staging(folder, name, table, city.crs, seen, delivery, layer.columns)
    plan = Plan(name, source, table, fields, notations, placer, seen.known, Notebook())
    _fill(layer, plan, staging, near, where=where, share=_half(share, 0.5))
    left_out = dict(sorted(staging.reasons.items(), key=lambda item: (-item[1], item[0])))
    said = [*layer.notes, *notes, *plan.notebook.notes()]
    return staging, SourceReport(
        name, table.name, delivery.origin, "loaded", staging.rows_in, staging.kept, left_out, said
    )


def load_source(connection: duckdb.DuckDBPyConnection, city: City, name: str, *, run_id: str) -> SourceReport:
    """Replace one source's rows by what its file holds now, as the only source of its table."""
    with TemporaryDirectory() as folder:
        seen = SeenIds(DELIVERED[city.sources[name].table].key)
        delivery = deliver(city, name)
        staging, report = stage_source(city, name, delivery, Path(folder), seen=seen, near=np.empty((0, 2)))
        with transaction(connection):
            replace_rows(connection, city, staging, fingerprint(city, name, delivery), run_id=run_id)
    return report


def open_layer(path: Path, source: Source, *, pipes: pl.DataFrame | None = None, crs: str = "") -> Layer:
    """Open a file with the reader for its kind; a raster is read along `pipes`, which lie in the system `crs`."""
    suffix = path.suffix.lower()
    if suffix in SUFFIXES["csv"]:
        expected = expected_columns(source)
        return CsvLayer(path, encoding=source.encoding, delimiter=source.delimiter, expected=expected)
    if suffix in SUFFIXES["sheet"]:
        return ExcelLayer(path, layer=source.layer, expected=expected_columns(source))
    if suffix in SUFFIXES["raster"]:
        return RasterLayer(path, pipes, crs=crs, stated_crs=source.crs)
    if suffix in SUFFIXES["network"]:
        return EpanetLayer(path, layer=source.layer)
    if suffix == ".parquet":
        return ParquetLayer(path)
    return VectorLayer(path, layer=source.layer, encoding=source.encoding)


def _fill(layer: Layer, plan: Plan, staging: Staging, near: Points, *, where: str, share: Share | None) -> None:
    """Map and stage every chunk; count rows and watch for coordinates that lie."""
    rows_in = placed = 0
    outside: list[Points] = []
    for chunk in layer.chunks(plan.wanted, progress=share):
        mapped = map_chunk(chunk, plan)
        staging.add(mapped.kept, mapped.rejected)
        rows_in += chunk.rows_in
        placed += mapped.placed
        outside.append(mapped.outside)
    assert rows_in == staging.rows_in == staging.kept + staging.reasons.total(), f"{where}: rows were lost"
    if plan.placer is not None:
        _refuse_outside(plan.placer.area, np.concatenate(outside), near, placed=placed, where=where)
        _refuse_distant(staging.places, near, where=where, crs=plan.placer.area.source.to_string())


def _refuse_outside(area: Area, outside: Points, near: Points, *, placed: int, where: str) -> None:
    """Refuse a source whose places mostly lie outside the area; a few such rows are in quarantine."""
    if len(outside) * 2 <= placed:
        return
    west, south, east, north = area.city.area_of_use.bounds if area.city.area_of_use else WORLD
    cures = area.cures(outside[:1000], near=near)
    raise InputError(
        f"{where}: {len(outside):,} of {placed:,} places lie outside the area of {area.city.to_string()} "
        f"({area.city.name}). Found {extent_text(outside)}, read as {area.source.to_string()}; expected longitude "
        f"{west:.5g} to {east:.5g}, latitude {south:.5g} to {north:.5g}. "
        + (
            f"Likely cure in city.toml: {', or '.join(cures)}."
            if cures
            else "Look up the file's coordinate system."
        )
    )


def _refuse_distant(mine: Points, near: Points, *, where: str, crs: str) -> None:
    """Refuse a source that lies in another part of the country than the city's other sources."""
    if len(mine) == 0 or len(near) == 0 or (away := gap(mine, near)) <= FARTHEST_M:
        return
    raise InputError(
        f"{where}: its places lie {away / 1000:,.0f} km from those of the city's other sources, expected under "
        f"{FARTHEST_M / 1000:.0f} km. Found {extent_text(mine)}; the others have {extent_text(near)}. One of the "
        f"two has the wrong coordinate system: this one was read as {crs}."
    )


def _placer(
    layer: Layer, source: Source, table: Table, *, crs: str | None, city_crs: str, where: str
) -> Placer | None:
    """Prepare to place the source's shapes; coordinates in columns are the city's system unless stated."""
    if source.geometry is None and not layer.has_geometry:
        return None
    if crs is None:
        raise InputError(
            f"{where}: the file does not say which coordinate system it is in. State it in city.toml under the "
            f'source: crs = "{city_crs}" or another code.'
        )
    return Placer.make(table.geometry, source_crs=crs, city_crs=city_crs, where=where)


def _require_columns(layer: Layer, fields: Iterable[Field], source: Source, where: str) -> None:
    wanted = {field.column: field.target for field in fields if field.column}
    wanted |= {column: "where" for column in source.where if column not in wanted}
    missing = [column for column in wanted if column not in layer.columns]
    if missing:
        listed = ", ".join(layer.columns[:40]) or "none"
        raise InputError(
            "\n".join(
                f"{where}: no column {column!r} (for {wanted[column]}).{did_you_mean(column, layer.columns)}"
                for column in missing
            )
            + f"\nThe file has: {listed}."
        )


def _half(share: Share | None, start: float) -> Share | None:
    return None if share is None else lambda done: share(start + done / 2)
