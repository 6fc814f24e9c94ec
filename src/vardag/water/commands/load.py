"""``vardag water load``: read the city's files into its database."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from shutil import rmtree

import duckdb
import numpy as np
import polars as pl

from vardag.core.db import transaction
from vardag.core.errors import NotFoundError
from vardag.core.runs import Run, recorded
from vardag.water.city import SUFFIXES, City, did_you_mean
from vardag.water.commands.database import opened
from vardag.water.commands.register import over_time
from vardag.water.commands.workspace import read_table
from vardag.water.schema import DELIVERED
from vardag.water.sources.area import Points
from vardag.water.sources.delivery import Delivery, deliver
from vardag.water.sources.notes import columns_note
from vardag.water.sources.one_source import SourceReport, stage_source
from vardag.water.sources.staging import SeenIds, Staging
from vardag.water.sources.store import (
    Fingerprint,
    columns_before,
    fingerprint,
    forget,
    loaded_before,
    quarantined,
    replace_rows,
    sample_of,
)

STAGING_FOLDER = ".vardag-load"
# Called with the source's name and the share of its work that is done, 0 to 1.
Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class LoadReport:
    """What a load did, source by source in the order of city.toml."""

    city: str
    run_id: str
    sources: tuple[SourceReport, ...]


def load(
    folder: Path,
    *,
    only: Sequence[str] | None = None,
    offline: bool = False,
    accept_shrinking: bool = False,
    progress: Progress | None = None,
) -> LoadReport:
    """Bring the database up to date with the city's files.

    Parameters
    ----------
    folder
        City folder with ``city.toml``.
    only
        Names of sources to load; None loads all and removes those that are no longer in city.toml.
    offline
        Refuse to fetch anything; also where ``VARDAG_OFFLINE`` is set.
    accept_shrinking
        Load a register that lost an unlikely share of its pipes; otherwise it is taken for a file cut short.
    progress
        Called as each source is read.

    Notes
    -----
    All sources of one table are replaced in one transaction, because the first row with an id wins over those of
    later sources. A table whose files and mapping have not changed is left alone, so loading twice changes nothing.
    When a source fails, its table and everything that comes after are as they were.

    Raises
    ------
    ConfigError, InputError
        As `City.read` and `stage_source` say.
    NotFoundError
        When `only` names a source that city.toml has not.
    RefusedError
        When a delivery of the register lost an unlikely share of its pipes (cure: `accept_shrinking`).
    """
    city = City.read(folder)
    tables = _tables_to_load(city, only)
    run = Run("water load", configuration_hash=city.configuration_hash)
    with (
        opened(city, "water load", loads=True) as connection,
        _staging_folder(city) as staging,
        recorded(connection, run),
    ):
        deliveries = {name: deliver(city, name, offline=offline) for names in tables for name in names}
        job = _Job(connection, city, run, staging, progress, deliveries, accept_shrinking=accept_shrinking)
        job.compare()
        removed = [] if only else list(_remove_strangers(connection, city))
        reports = [report for names in tables for report in _load_table(job, names)]
    return LoadReport(city.name, run.run_id, (*reports, *removed))


@dataclass
class _Job:
    """What every step of a load needs.

    ``deliveries`` has the file of each source that is to be loaded, ``marks`` its fingerprint, ``fresh`` the
    sources whose rows in the database are those of their files, ``places`` a sample of where rows that stay lie.
    """

    connection: duckdb.DuckDBPyConnection
    city: City
    run: Run
    staging: Path
    progress: Progress | None
    deliveries: dict[str, Delivery]
    marks: dict[str, Fingerprint] = field(default_factory=dict)
    fresh: set[str] = field(default_factory=set)
    accept_shrinking: bool = False
    places: list[Points] = field(default_factory=list)

    def compare(self) -> None:
        """Find out which sources have changed; a changed source's old rows say nothing about where others lie."""
        before = {name: loaded_before(self.connection, name) for name in self.city.sources}
        marks = {name: fingerprint(self.city, name, found) for name, found in self.deliveries.items()}
        register = [marks.get(name, before[name]) for name in sources_of(self.city, "pipe")]
        self.marks = {name: mark.along(register) if self.is_raster(name) else mark for name, mark in marks.items()}
        self.run.inputs = {name: mark.content for name, mark in self.marks.items()}
        self.fresh = {name for name, mark in self.marks.items() if before[name] == mark}
        stay = [name for name in before if name in self.fresh or (before[name] and name not in self.marks)]
        self.places = [np.empty((0, 2)), *(sample_of(self.connection, self.city, name) for name in sorted(stay))]

    def is_raster(self, name: str) -> bool:
        """Tell whether a source is a raster, which is read along the pipes of the register."""
        return self.deliveries[name].path.suffix.lower() in SUFFIXES["raster"]

    def pipes_for(self, name: str) -> pl.DataFrame | None:
        """The loaded pipes, where the source is read along them."""
        return read_table(self.connection, "pipe").select("pipe_id", "geom") if self.is_raster(name) else None


def sources_of(city: City, table: str) -> list[str]:
    """Names of the sources that fill a table, in the order of city.toml."""
    return [name for name, source in city.sources.items() if source.table == table]


@contextmanager
def _staging_folder(city: City) -> Iterator[Path]:
    """A folder beside the database, where there is room; empty at the start, gone at the end."""
    folder = city.folder / STAGING_FOLDER
    rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        rmtree(folder, ignore_errors=True)


def _tables_to_load(city: City, only: Sequence[str] | None) -> list[list[str]]:
    """Names of sources, gathered by the table they fill; a table is loaded whole."""
    unknown = [name for name in only or () if name not in city.sources]
    if unknown:
        known = ", ".join(city.sources)
        raise NotFoundError(
            f"no source {unknown[0]!r} in city.toml, it has {known}.{did_you_mean(unknown[0], city.sources)}"
        )
    order = dict.fromkeys(["pipe", *(source.table for source in city.sources.values())])  # rasters need the pipes
    tables = [sources_of(city, table) for table in order]
    return [names for names in tables if names and (only is None or set(names) & set(only))]


def _load_table(job: _Job, names: list[str]) -> list[SourceReport]:
    """Load the sources of one table, or none where nothing has changed."""
    if job.fresh.issuperset(names):
        return [_unchanged(job.connection, job.city, name) for name in names]
    seen = SeenIds(DELIVERED[job.city.sources[names[0]].table].key)
    staged = [_stage(job, name, seen) for name in names]
    stagings = [staging for staging, _ in staged]
    keeping = over_time(
        job.connection,
        job.city,
        stagings,
        job.marks,
        run_id=job.run.run_id,
        accept_shrinking=job.accept_shrinking,
    )
    with job.run.step(f"write {stagings[0].table.name}"), transaction(job.connection), keeping:
        for staging in stagings:
            replace_rows(job.connection, job.city, staging, job.marks[staging.name], run_id=job.run.run_id)
    return [report for _, report in staged]


def _stage(job: _Job, name: str, seen: SeenIds) -> tuple[Staging, SourceReport]:
    """Read one source into files."""
    share = partial(job.progress, name) if job.progress else None
    near = np.concatenate(job.places)
    with job.run.step(f"read {name}") as step:
        staging, report = stage_source(
            job.city,
            name,
            job.deliveries[name],
            job.staging,
            seen=seen,
            near=near,
            pipes=job.pipes_for(name),
            share=share,
        )
        step.rows(rows_in=report.rows_in, rows_out=report.kept)
    job.places.append(staging.places)
    changed = columns_note(columns_before(job.connection, name), staging.columns)
    return staging, replace(report, notes=[*changed, *report.notes])


def _unchanged(connection: duckdb.DuckDBPyConnection, city: City, name: str) -> SourceReport:
    row = connection.execute("SELECT rows_in, rows_kept FROM source WHERE source = ?", [name]).fetchone()
    rows_in, kept = row or (0, 0)
    source, left_out = city.sources[name], quarantined(connection, name)
    return SourceReport(name, source.table, source.origin, "unchanged", rows_in, kept, left_out)


def _remove_strangers(connection: duckdb.DuckDBPyConnection, city: City) -> Iterator[SourceReport]:
    """Remove what sources delivered that are no longer in city.toml."""
    rows = connection.execute("SELECT source, table_name, path FROM source ORDER BY 1").fetchall()
    for name, table, path in rows:
        if name not in city.sources:
            with transaction(connection):
                forget(connection, name)
            yield SourceReport(name, table, path, "removed")
