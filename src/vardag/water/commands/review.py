"""`vardag water review` and `vardag water links`: doubtful links settled by a person; how good links are."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from vardag.core import db
from vardag.core.errors import InputError, NotFoundError, RefusedError, first_ids
from vardag.water.commands.network import judge_breaks
from vardag.water.commands.sheet import read_sheet, write_sheet
from vardag.water.commands.workspace import OnStep, Tables, Workspace, read_table, read_tables, workspace
from vardag.water.linking import SETTLEMENT_SCHEMA, Judgement, marks, renumbered
from vardag.water.schema.facts import installed

NONE = "NONE"  # written in a sheet for a break of none of the register's pipes, see `settle`
BREAK_FIELDS = [
    "break_id",
    "break_date",
    "asset_id",
    "material",
    "diameter_mm",
    "install_year",
    "street",
    "road_id",
]
PIPE_FIELDS = ["material", "diameter_mm", "install_year", "street", "road_id", "length_m", "position", "status"]
RETURNED = "settled_"  # reasons of settlements that no longer hold begin with this
# Most valuable first: what a person settled and no longer holds, then what may become a label, then what is linked.
ORDER = {"none": 1, "rebuilt": 2, "position": 3}


@dataclass(frozen=True)
class Opened:
    """The city's breaks as they are judged now, and what has been settled."""

    work: Workspace
    tables: Tables
    judgement: Judgement
    settlements: pl.DataFrame


@dataclass(frozen=True)
class Decision:
    """What a person says of one break: the pipe, or None for none of the register's."""

    break_id: str
    pipe: str | None
    by: str
    reason: str
    where: str = ""


def links(folder: Path, *, on_step: OnStep | None = None) -> dict[str, Any]:
    """Link the breaks and tell how, and how often the position rule was right at each confidence."""
    with workspace(folder, "water links", on_step=on_step) as work:
        found = _judged(work)
    counted = found.judgement.links.group_by("method", "reason", maintain_order=True).agg(
        breaks=pl.len(), confidence=pl.col("confidence").mean()
    )
    return {
        "breaks": found.tables.breaks.height,
        "reasons": counted.sort("breaks", "reason", descending=[True, False]).to_dicts(),
        "quality": found.judgement.quality.to_dicts(),
        "queue": found.judgement.candidates["break_id"].n_unique(),
        "settled": found.settlements.height,
    }


def review(folder: Path, *, on_step: OnStep | None = None) -> dict[str, Any]:
    """List the queue, most valuable first, and the settlements whose break is gone."""
    with workspace(folder, "water review", on_step=on_step) as work:
        found = _judged(work)
    return {"queue": _listed(found).to_dicts(), "orphans": found.judgement.orphans.to_dicts()}


def show(folder: Path, break_id: str) -> dict[str, Any]:
    """Return a break beside its candidates: fields, distances, and what agrees.

    Raises
    ------
    NotFoundError
        When there is no such break among those that are linked.
    """
    with workspace(folder, "water review") as work:
        found = _judged(work)
        event = _break_of(found.tables, break_id)
    pipes = found.tables.pipes.select(pl.col("pipe_id").alias("pipe_key"), *PIPE_FIELDS)
    candidates = found.judgement.candidates.filter(pl.col("break_id") == break_id)
    return {
        "break": event.select(BREAK_FIELDS).to_dicts()[0],
        "link": found.judgement.links.filter(pl.col("break_id") == break_id).to_dicts()[0],
        "candidates": candidates.join(pipes, on="pipe_key", how="left", maintain_order="left").to_dicts(),
        "settlement": next(iter(found.settlements.filter(pl.col("break_id") == break_id).to_dicts()), None),
    }


def settle(folder: Path, break_id: str, *, pipe: str | None, by: str, reason: str) -> dict[str, Any]:
    """Settle which pipe a break belongs to; it outlives every reload.

    Parameters
    ----------
    pipe
        The pipe's key; None where it is none of the register's. Then no rule links the break to a pipe that the
        register has or had. If the break's id is lost, it stays with the pipe that is rebuilt from that id.

    Raises
    ------
    NotFoundError, RefusedError, InputError
        When there is no such break or pipe, the pipe was not in service on the day, or who or why is left out.
    """
    with workspace(folder, "water review settle") as work:
        tables = read_tables(work)
        return _write(work, tables, [Decision(break_id, pipe, by, reason)]).to_dicts()[0]


def undo(folder: Path, break_id: str) -> dict[str, Any]:
    """Take a settlement away; the rules decide again.

    Raises
    ------
    NotFoundError
        When the break is not settled.
    """
    with workspace(folder, "water review undo") as work:
        _renumber(work, read_tables(work))
        settled = read_table(work.connection, "settlement")
        mine = settled.filter(pl.col("break_id") == break_id)
        if mine.is_empty():
            raise NotFoundError(
                f"review: break {break_id!r} is not settled, {settled.height} others are "
                f"({first_ids(settled['break_id'])}). Nothing was undone."
            )
        with db.transaction(work.connection):
            work.connection.execute("DELETE FROM settlement WHERE break_id = ?", [break_id])
        return mine.to_dicts()[0]


def export(folder: Path, file: Path) -> int:
    """Write the queue as a sheet with three empty columns to fill in; returns the number of breaks."""
    with workspace(folder, "water review export") as work:
        found = _judged(work)
    listed = _listed(found)
    asked = found.tables.breaks.join(listed.select("break_id"), on="break_id", how="semi")
    marked = asked.select("break_id", *BREAK_FIELDS[1:]).with_columns(marks(asked).alias("break_mark"))
    rows = listed.select("break_id", "reason").join(marked, on="break_id", how="left", maintain_order="left")
    write_sheet(file, rows, found.judgement.candidates)
    return rows.height


def import_sheet(folder: Path, file: Path) -> int:
    """Settle what a sheet says, all or nothing; returns the number of breaks settled.

    Raises
    ------
    InputError
        With the line of each row that cannot be used; then nothing is settled.
    """
    with workspace(folder, "water review import") as work:
        tables = read_tables(work)
        told = read_sheet(file)
        log = dict(zip(tables.breaks["break_id"], marks(tables.breaks), strict=True)) if told else {}
        stale = [row for row in told if row["break_mark"] and log.get(row["break_id"], "") != row["break_mark"]]
        if stale:
            raise InputError(
                f"{file.name}: {len(stale)} of {len(told)} breaks have changed or gone since the sheet was written "
                f"({first_ids(row['break_id'] for row in stale)}, line {stale[0]['line']}). Export it again."
            )
        decisions = [
            Decision(
                row["break_id"],
                None if row["settle_pipe"].upper() == NONE else row["settle_pipe"],
                row["settled_by"],
                row["settled_reason"],
                f"{file.name} line {row['line']}: ",
            )
            for row in told
        ]
        return _write(work, tables, decisions).height


def _judged(work: Workspace) -> Opened:
    """Judge the breaks as the next prediction will, and keep the queue and the quality."""
    with work.run.step("read"):
        tables = read_tables(work)
    with work.run.step("link"):
        judgement = judge_breaks(work, tables)
    with db.transaction(work.connection):
        _renumber(work, tables)
        db.replace(work.connection, "link_candidate", judgement.candidates)
        db.replace(work.connection, "link_quality", judgement.quality)
    return Opened(work, tables, judgement, read_table(work.connection, "settlement"))


def _listed(found: Opened) -> pl.DataFrame:
    """The queue, one row a break, most valuable first and of like value the latest first."""
    doubtful = found.judgement.candidates
    best = doubtful.unique("break_id", keep="first", maintain_order=True).select(
        "break_id", "reason", best="pipe_key", best_confidence="confidence", best_distance_m="distance_m"
    )
    counts = doubtful.group_by("break_id").agg(candidates=pl.col("pipe_key").count())
    linked = found.judgement.links.select("break_id", "pipe_key", "method")
    log = found.tables.breaks.select("break_id", "break_date", "street")
    value = (
        pl.when(pl.col("reason").str.starts_with(RETURNED))
        .then(0)
        .otherwise(pl.col("method").replace_strict(ORDER, default=4, return_dtype=pl.Int32))
    )
    joined = best.join(counts, on="break_id").join(linked, on="break_id").join(log, on="break_id")
    ordered = joined.with_columns(value=value).sort(
        "value", "break_date", "break_id", descending=[False, True, False], nulls_last=True
    )
    return ordered.drop("value")


def _break_of(tables: Tables, break_id: str) -> pl.DataFrame:
    event = tables.breaks.filter(pl.col("break_id") == break_id)
    if event.is_empty():
        raise NotFoundError(
            f"review: no break {break_id!r} among the {tables.breaks.height:,} that are linked "
            f"({first_ids(tables.breaks['break_id'])}). The ids are listed by: vardag water review list FOLDER"
        )
    return event


def _write(work: Workspace, tables: Tables, decisions: list[Decision]) -> pl.DataFrame:
    """Check every decision, then write all of them in one transaction."""
    problems = [problem for decision in decisions for problem in _problems(tables, decision)]
    if problems:
        more = f" And {len(problems) - 3} more." if len(problems) > 3 else ""
        kind = type(problems[0]) if len(decisions) == 1 else InputError
        raise kind(" ".join(str(problem) for problem in problems[:3]) + more + " Nothing was settled.")
    chosen = pl.DataFrame({"break_id": [decision.break_id for decision in decisions]}, {"break_id": pl.String})
    events = tables.breaks.join(chosen, on="break_id", how="semi")
    marked = dict(zip(events["break_id"], marks(events), strict=True))
    rows = [(d.break_id, marked[d.break_id], d.pipe, d.by, datetime.now(UTC), d.reason) for d in decisions]
    table = pl.DataFrame(rows, schema=SETTLEMENT_SCHEMA, orient="row")
    with db.transaction(work.connection):
        _renumber(work, tables)
        for decision in decisions:
            work.connection.execute("DELETE FROM settlement WHERE break_id = ?", [decision.break_id])
        db.insert(work.connection, "settlement", table)
    return table


def _renumber(work: Workspace, tables: Tables) -> None:
    """Keep each settlement under its break's id of today, so that it is not taken for another break's."""
    before = read_table(work.connection, "settlement")
    now = renumbered(tables.breaks, before)
    if not now["break_id"].equals(before["break_id"]):
        db.replace(work.connection, "settlement", now)


def _problems(tables: Tables, decision: Decision) -> list[InputError | NotFoundError | RefusedError]:
    """What is wrong with a decision; nothing where it can be written."""
    at, break_id = decision.where, decision.break_id
    if not decision.by.strip() or not decision.reason.strip():
        return [InputError(f"{at}break {break_id!r}: say who settles it (by) and why (reason).")]
    event = tables.breaks.filter(pl.col("break_id") == break_id)
    if event.is_empty():
        return [NotFoundError(f"{at}no break {break_id!r} among the {tables.breaks.height:,} that are linked.")]
    if decision.pipe is None:
        return []
    pipe = tables.pipes.filter(pl.col("pipe_id") == decision.pipe).with_columns(laid=installed())
    if pipe.is_empty():
        return [NotFoundError(f"{at}no pipe {decision.pipe!r} in the register of {tables.pipes.height:,}.")]
    day, laid, retired = event["break_date"][0], pipe["laid"][0], pipe["retired_date"][0]
    planned = pipe["status"][0] == "planned"
    if planned or (laid and laid > day) or (retired and retired < day):
        lay = f"was in the ground from {laid or 'an unknown day'} to {retired or 'now'}"
        return [RefusedError(
            f"{at}pipe {decision.pipe!r} {'is only planned' if planned else lay}, break {break_id!r} is of {day}. "
            "Mend the register or choose another pipe."
        )]  # fmt: skip
    return []
