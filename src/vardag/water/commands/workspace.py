"""What every command begins with: the city, its database, a run record, and the tables as frames."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import polars as pl

from vardag.core import db
from vardag.core.errors import ConfigError, InputError
from vardag.core.runs import Run, recorded
from vardag.water import schema
from vardag.water.city import City
from vardag.water.commands.database import opened
from vardag.water.linking import place

OnStep = Callable[[str, float], None]
OUT = "out"  # folder of what is published, beside city.toml
SUMMARY = "prediction.json"
DOCUMENT = "evaluation.json"
STABILITY = "stability.json"
EFFECTS = "effects.json"
MONTHS_OF_A_WHOLE_YEAR = 12


@dataclass(frozen=True)
class Tables:
    """The city's delivered tables as frames; geometry as WKB in ``geom``.

    `pipes` are the register's and those that left it, each with its own ``pipe_id`` and with ``asset_name``, the id
    as the log writes it; those without geometry have that of their road. `register` are the register's alone.
    `breaks` holds the label events of mains inside the record, `log` every row of the break table.
    """

    pipes: pl.DataFrame
    register: pl.DataFrame
    breaks: pl.DataFrame
    log: pl.DataFrame
    roads: pl.DataFrame
    soil: pl.DataFrame
    zones: pl.DataFrame
    weather: pl.DataFrame
    heights: pl.DataFrame
    readings: pl.DataFrame
    sources: pl.DataFrame
    quarantine: pl.DataFrame
    record_start: date
    record_end: date


@dataclass(frozen=True)
class Workspace:
    """A city with its open database and the run that is being recorded."""

    city: City
    connection: duckdb.DuckDBPyConnection
    run: Run


@contextmanager
def workspace(
    folder: Path, command: str, *, seed: int | None = None, on_step: OnStep | None = None, writes: bool = True
) -> Iterator[Workspace]:
    """Open a city's database, the folder's own or the server's, for a recorded run.

    A command with ``writes=False`` changes nothing but the record, and does not keep other programs out.

    Raises
    ------
    DatabaseError
        When the city has not been loaded (cure: ``vardag water load``) or the file is in use.
    """
    city = City.read(folder)
    with opened(city, command, writes=writes) as connection:
        inputs = dict(connection.execute("SELECT source, content_hash FROM source ORDER BY 1").fetchall())
        run = Run(command, seed=seed, configuration_hash=city.configuration_hash, inputs=inputs, on_step=on_step)
        with recorded(connection, run):
            yield Workspace(city, connection, run)


def read_tables(work: Workspace) -> Tables:
    """Read the delivered tables and choose the label events.

    Raises
    ------
    InputError
        When there are no pipes.
    """
    frames = {name: read_table(work.connection, name) for name in (*schema.DELIVERED, "source", "quarantine")}
    pipes = mains(frames["pipe"])
    if pipes.is_empty():
        raise InputError(
            f'pipe: {frames["pipe"].height:,} rows, none of them a main. Map a source with table = "pipe" in '
            "city.toml and load it again."
        )
    log = frames["break"]
    start, end = record_of(work.city, log)
    wanted = pl.col("event").fill_null("break").is_in(work.city.events)
    placed = place(pipes, frames["road"])
    former = place(mains(read_table(work.connection, "former_pipe")), frames["road"])
    return Tables(
        pipes=with_former(placed, former),
        register=placed,
        breaks=log.filter(wanted & pl.col("break_date").is_between(start, end)),
        log=log,
        roads=frames["road"],
        soil=frames["soil"],
        zones=frames["pressure_zone"],
        weather=frames["weather"],
        heights=frames["elevation"],
        readings=frames["pressure"],
        sources=frames["source"],
        quarantine=frames["quarantine"],
        record_start=start,
        record_end=end,
    )


def mains(pipes: pl.DataFrame) -> pl.DataFrame:
    """Pipes that are no services; where nothing is said it is a main."""
    return pipes.filter(pl.col("function").fill_null("main") != "service")


def with_former(pipes: pl.DataFrame, former: pl.DataFrame) -> pl.DataFrame:
    """The register's pipes, then those that left it by their keys; ``asset_name`` is the id as the log has it."""
    named = former.with_columns(asset_name="pipe_id", pipe_id="pipe_key")
    columns = [*pipes.columns, "asset_name"]
    return pl.concat([pipes.with_columns(asset_name="pipe_id"), named.sort("pipe_id").select(columns)])


def read_table(connection: duckdb.DuckDBPyConnection, name: str) -> pl.DataFrame:
    """Read a whole table of the schema in its stored order, geometry as WKB."""
    table = next(table for table in schema.TABLES if table.name == name)
    columns = ", ".join(
        "ST_AsWKB(geom)::BLOB AS geom" if column == "geom" else f'"{column}"' for column in table.names
    )
    return db.read(connection, f'SELECT {columns} FROM "{name}"')  # noqa: S608


def record_of(city: City, log: pl.DataFrame) -> tuple[date, date]:
    """First and last day that the break log covers: as city.toml says, else its first and last whole years.

    Raises
    ------
    ConfigError
        When city.toml does not say and the log is empty (cure: state both days in ``[city]``).
    """
    first, last = log["break_date"].min(), log["break_date"].max()
    if city.record_start and city.record_end:
        return city.record_start, city.record_end
    if not isinstance(first, date) or not isinstance(last, date):
        raise ConfigError(
            "city.toml: [city] does not say which days the break log covers, and the log is empty. State them: "
            "record_start = 2000-01-01, record_end = 2024-12-31 (pipes without a break were observed too)."
        )
    start = city.record_start or date(first.year, 1, 1)
    complete = last.year if last.month == MONTHS_OF_A_WHOLE_YEAR else last.year - 1
    return start, city.record_end or date(max(complete, start.year), 12, 31)
