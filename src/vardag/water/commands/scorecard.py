"""`vardag water scorecard`: lock a prediction, and later hold it against what happened."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl

from vardag.core import db
from vardag.core.errors import InputError, NotFoundError
from vardag.water import schema
from vardag.water.city import City
from vardag.water.commands.publish import read_predictions
from vardag.water.commands.workspace import OnStep, read_table, read_tables, workspace
from vardag.water.linking import link
from vardag.water.lof.port import POLICY
from vardag.water.sources.one_source import load_source
from vardag.water.validation import scorecard
from vardag.water.validation.outcome import Outcome
from vardag.water.validation.outcome import check as compare

LOCKS = "scorecard"


def lock(folder: Path, *, years: int = 1, on_step: OnStep | None = None) -> Path:
    """Lock the last prediction for the years to come; returns the lock's path.

    Raises
    ------
    RefusedError
        When that date is locked already; a lock is never written over.
    NotFoundError
        When nothing has been predicted.
    """
    with workspace(folder, "water scorecard lock", on_step=on_step) as work, work.run.step("lock"):
        predictions = read_predictions(work)
        return scorecard.lock(
            predictions,
            folder=folder / LOCKS,
            as_of=predictions["as_of"][0],
            horizon_years=years,
            model=predictions["model"][0],
            run_id=predictions["run_id"][0],
            city=work.city.name,
        )


def check(  # the six are the command's options
    folder: Path,
    *,
    breaks: Path,
    source: str | None = None,
    locked: Path | None = None,
    through: date | None = None,
    on_step: OnStep | None = None,
) -> Outcome:
    """Compare a lock with a later break file.

    Parameters
    ----------
    breaks
        File with the columns of the city's break source.
    source
        Source whose mapping the file follows; needed where the city has several of breaks.
    locked
        JSON file of the lock; the newest unless given.
    through
        Last day that the file covers; the date of its latest break unless given.
    """
    with workspace(folder, "water scorecard check", on_step=on_step) as work:
        with work.run.step("read"):
            tables = read_tables(work)
            log = read_break_file(work.city, breaks, source)
        wanted = log.filter(pl.col("event").fill_null("break").is_in(work.city.events))
        with work.run.step("link"):
            links = link(tables.pipes, wanted, parameters=POLICY)
        with work.run.step("compare"):
            return compare(locked or newest_lock(folder), breaks=wanted, links=links, through=through)


def read_break_file(city: City, file: Path, name: str | None) -> pl.DataFrame:
    """Read a file as the city's break source would be read, without touching the city's database."""
    known = [key for key, source in city.sources.items() if source.table == "break"]
    chosen = name or (known[0] if len(known) == 1 else None)
    if chosen not in known:
        raise InputError(
            f"source: {name!r} is no break source of city.toml, which has {', '.join(known) or 'none'}."
        )
    moved = city.sources[chosen].model_copy(update={"path": str(file.absolute())})
    later = replace(city, sources={chosen: moved})
    with db.connect(None) as connection:
        schema.migrate(connection)
        load_source(connection, later, chosen, run_id="scorecard")
        return read_table(connection, "break")


def newest_lock(folder: Path) -> Path:
    """Latest lock of a city."""
    locks = sorted((folder / LOCKS).glob("lock-*.json"))
    if not locks:
        raise NotFoundError(f"{folder / LOCKS}: no lock yet. Make one: vardag water scorecard lock {folder}")
    return locks[-1]
