"""`vardag water scorecard`: lock a prediction, and later hold it against what happened."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl

from vardag.core import db
from vardag.core.config import DEFAULT_SEED
from vardag.core.errors import InputError, NotFoundError, RefusedError
from vardag.water import schema
from vardag.water.city import City
from vardag.water.commands.models import contenders
from vardag.water.commands.network import build_history, judge_breaks
from vardag.water.commands.predict import build_panel
from vardag.water.commands.publish import read_predictions
from vardag.water.commands.workspace import (
    OUT,
    SUMMARY,
    OnStep,
    Workspace,
    read_table,
    read_tables,
    workspace,
)
from vardag.water.panel import years_after
from vardag.water.sources.one_source import load_source
from vardag.water.validation import scorecard
from vardag.water.validation.outcome import Outcome, Years, pool
from vardag.water.validation.outcome import check as compare

LOCKS = "scorecard"
HISTORY = "scorecard.json"


def lock(folder: Path, *, years: int = 1, on_step: OnStep | None = None) -> Path:
    """Lock the last prediction for the years to come, with its challengers; returns the lock's path.

    Raises
    ------
    RefusedError
        When that date is locked already; a lock is never written over. When data have been loaded since the
        prediction, so that its challengers would know other things.
    NotFoundError
        When nothing has been predicted.
    """
    with workspace(folder, "water scorecard lock", on_step=on_step) as work:
        predictions = read_predictions(work)
        _refuse_other_data(work)
        rivals = challengers(work, predictions)
        with work.run.step("lock"):
            return scorecard.lock(
                predictions.join(rivals, on="pipe_key", how="left", maintain_order="left"),
                folder=folder / LOCKS,
                as_of=predictions["as_of"][0],
                horizon_years=years,
                model=predictions["model"][0],
                run_id=predictions["run_id"][0],
                city=work.city.name,
            )


def _refuse_other_data(work: Workspace) -> None:
    summary = json.loads((work.city.folder / OUT / SUMMARY).read_text(encoding="utf-8"))
    then, now = summary["run"]["inputs"], dict(work.run.inputs)
    changed = sorted(name for name in then.keys() | now.keys() if then.get(name) != now.get(name))
    if changed:
        raise RefusedError(
            f"prediction: {len(changed)} sources ({', '.join(changed[:3])}) have been loaded since it was made. "
            f"Make it again, vardag water predict {work.city.folder}, and lock that."
        )


def challengers(work: Workspace, predictions: pl.DataFrame) -> pl.DataFrame:
    """Rates of every other model, fitted on the same years: ``pipe_key`` and ``challenger_<model>``."""
    day, champion = predictions["as_of"][0], predictions["model"][0]
    network = build_history(work, read_tables(work)).network
    panel = build_panel(work, network, day)
    past, today = panel.filter(pl.col("as_of") < day), panel.filter(pl.col("as_of") == day)
    with work.run.step("challengers"):
        models = [model for model in contenders(seed=DEFAULT_SEED) if model.name != champion]
        rates = [pl.Series(f"{scorecard.CHALLENGER}{model.name}", model.fit(past).rate(today)) for model in models]
    return today.select("pipe_key").with_columns(rates)


def check(  # the six are the command's options
    folder: Path,
    *,
    breaks: Path | None = None,
    source: str | None = None,
    locked: Path | None = None,
    through: date | None = None,
    on_step: OnStep | None = None,
) -> Outcome:
    """Compare a lock with a later break log.

    Parameters
    ----------
    breaks
        File with the columns of the city's break source; the log that is loaded unless given.
    source
        Source whose mapping the file follows; needed where the city has several of breaks.
    locked
        JSON file of the lock; the newest unless given.
    through
        Last day that the log covers; the date of its latest break unless given.
    """
    with workspace(folder, "water scorecard check", on_step=on_step, writes=False) as work:
        log, links = _log_and_links(work, breaks, source)
        with work.run.step("compare"):
            return compare(locked or newest_lock(folder), breaks=log, links=links, through=through)


def years(
    folder: Path, *, breaks: Path | None = None, source: str | None = None, on_step: OnStep | None = None
) -> Years:
    """Compare every lock with the year after it, and all of them together; writes ``out/scorecard.json``.

    A year counts when the log reaches its last month. Parameters and errors as for `check`.
    """
    with workspace(folder, "water scorecard years", on_step=on_step, writes=False) as work:
        log, links = _log_and_links(work, breaks, source)
        last = log["break_date"].max()
        with work.run.step("compare"):
            outcomes = []
            for path in _locks(folder):
                end = years_after(scorecard.open_lock(path).as_of, 1)
                if isinstance(last, date) and last.replace(day=1) >= end.replace(day=1):
                    outcomes.append(compare(path, breaks=log, links=links, through=end))
            found = pool(outcomes)
    text = json.dumps(found.document(), indent=1, ensure_ascii=False)
    (folder / OUT).mkdir(exist_ok=True)
    (folder / OUT / HISTORY).write_text(text, encoding="utf-8")
    return found


def _log_and_links(work: Workspace, breaks: Path | None, source: str | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The label events of a later file, or of the log that is loaded, and the pipe of each."""
    with work.run.step("read"):
        tables = read_tables(work)
        log = tables.log if breaks is None else read_break_file(work.city, breaks, source)
    wanted = log.filter(pl.col("event").fill_null("break").is_in(work.city.events))
    with work.run.step("link"):
        return wanted, judge_breaks(work, replace(tables, breaks=wanted)).links


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
    return _locks(folder)[-1]


def _locks(folder: Path) -> list[Path]:
    locks = sorted((folder / LOCKS).glob("lock-*.json"))
    if not locks:
        raise NotFoundError(f"{folder / LOCKS}: no lock yet. Make one: vardag water scorecard lock {folder}")
    return locks
