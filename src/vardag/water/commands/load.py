"""``vardag water load``: read the city's files into its database."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import duckdb

from vardag.core.db import connect, transaction
from vardag.core.errors import NotFoundError
from vardag.core.runs import Run, recorded
from vardag.water.city import City, did_you_mean
from vardag.water.schema import migrate
from vardag.water.sources.one_source import SourceReport, load_source
from vardag.water.sources.store import fingerprint, forget, loaded_before, quarantined

# Called with the source's name and the share of its work that is done, 0 to 1.
Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class LoadReport:
    """What a load did, source by source in the order of city.toml."""

    city: str
    run_id: str
    sources: tuple[SourceReport, ...]


def load(folder: Path, *, only: Sequence[str] | None = None, progress: Progress | None = None) -> LoadReport:
    """Bring the database up to date with the city's files.

    Parameters
    ----------
    folder
        City folder with ``city.toml``.
    only
        Names of sources to load; None loads all and removes those that are no longer in city.toml.
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
        As `City.read` and `load_source` say.
    NotFoundError
        When `only` names a source that city.toml has not.
    """
    city = City.read(folder)
    tables = _tables_to_load(city, only)
    run = Run("water load", configuration_hash=city.configuration_hash)
    with connect(city.database) as connection:
        migrate(connection)
        with recorded(connection, run):
            removed = [] if only else list(_remove_strangers(connection, city))
            reports = [report for names in tables for report in _load_table(connection, city, names, run, progress)]
    return LoadReport(city.name, run.run_id, (*reports, *removed))


def _tables_to_load(city: City, only: Sequence[str] | None) -> list[list[str]]:
    """Names of sources, gathered by the table they fill; a table is loaded whole."""
    unknown = [name for name in only or () if name not in city.sources]
    if unknown:
        known = ", ".join(city.sources)
        raise NotFoundError(
            f"no source {unknown[0]!r} in city.toml, it has {known}.{did_you_mean(unknown[0], city.sources)}"
        )
    tables: dict[str, list[str]] = {}
    for name, source in city.sources.items():
        tables.setdefault(source.table, []).append(name)
    return [names for names in tables.values() if only is None or set(names) & set(only)]


def _load_table(
    connection: duckdb.DuckDBPyConnection, city: City, names: list[str], run: Run, progress: Progress | None
) -> Iterator[SourceReport]:
    """Load the sources of one table in one transaction, or none where nothing has changed."""
    marks = {name: fingerprint(city, name) for name in names}
    if all(loaded_before(connection, name) == mark for name, mark in marks.items()):
        yield from (_unchanged(connection, city, name) for name in names)
        return
    reports = []
    with transaction(connection):
        for name in names:
            forget(connection, name)
        for name, mark in marks.items():
            share = partial(progress, name) if progress else None
            with run.step(f"load {name}") as step:
                report = load_source(connection, city, name, mark, run_id=run.run_id, share=share)
                step.rows(rows_in=report.rows_in, rows_out=report.kept)
            reports.append(report)
    yield from reports


def _unchanged(connection: duckdb.DuckDBPyConnection, city: City, name: str) -> SourceReport:
    row = connection.execute("SELECT rows_in, rows_kept FROM source WHERE source = ?", [name]).fetchone()
    rows_in, kept = row or (0, 0)
    source = city.sources[name]
    return SourceReport(name, source.table, source.path, "unchanged", rows_in, kept, quarantined(connection, name))


def _remove_strangers(connection: duckdb.DuckDBPyConnection, city: City) -> Iterator[SourceReport]:
    """Remove what sources delivered that are no longer in city.toml."""
    rows = connection.execute("SELECT source, table_name, path FROM source ORDER BY 1").fetchall()
    for name, table, path in rows:
        if name not in city.sources:
            with transaction(connection):
                forget(connection, name)
            yield SourceReport(name, table, path, "removed")
