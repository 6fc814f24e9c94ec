"""``vardag water diff``: what two deliveries of the register differ in, in words and on a map."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl

from vardag.core import db
from vardag.core.errors import InputError, NotFoundError
from vardag.water.commands.register import unreadable_ids
from vardag.water.commands.workspace import OUT, OnStep, Workspace, read_table, workspace
from vardag.water.lof.port import POLICY
from vardag.water.publish.diff import DiffContext, lines_of_text, write_diff
from vardag.water.register import difference, moves, shrinks_too_much, summary
from vardag.water.sources.delivery import Delivery
from vardag.water.sources.one_source import stage_source
from vardag.water.sources.staging import SeenIds, Staging

LAST = """
    SELECT * FROM pipe_change
    WHERE run_id = (SELECT run_id FROM pipe_change JOIN run USING (run_id) ORDER BY started_at DESC LIMIT 1)
"""


@dataclass(frozen=True)
class Deliveries:
    """Two deliveries of the register and what they differ in.

    Attributes
    ----------
    changes
        pipe_id, change, field, before, after.
    pipes, left
        The pipes of the later delivery, and those of the earlier one that left.
    suspicious
        True where a load would refuse the later one because too many pipes left.
    """

    changes: pl.DataFrame
    pipes: pl.DataFrame
    left: pl.DataFrame
    before_date: date
    after_date: date
    suspicious: bool = False


@dataclass(frozen=True)
class Diffed:
    """What came of it: dates, kinds (change, pipes, km, first), fields (field, pipes, steps), words and files."""

    city: str
    language: str
    before_date: date
    after_date: date
    pipes: int
    suspicious: bool
    kinds: list[dict[str, Any]]
    fields: list[dict[str, Any]]
    words: list[str]
    paths: list[str]


def diff(
    folder: Path,
    *,
    against: Path | None = None,
    source: str | None = None,
    language: str | None = None,
    on_step: OnStep | None = None,
) -> Diffed:
    """Compare the last two deliveries of the register, or a new file with the register that is loaded.

    Parameters
    ----------
    against
        A file as the pipe source delivers it; it is read with the city's mapping and not loaded.
    source
        Which pipe source the file is of, where city.toml has several.
    language
        ``sv`` or ``en``; the city's unless given.

    Raises
    ------
    NotFoundError
        When no two deliveries have been loaded (cure: load a second one, or name a file), or no such source.
    InputError
        When the file cannot be read, as `stage_source` says.
    """
    with workspace(folder, "water diff", on_step=on_step, writes=False) as work:
        with work.run.step("compare"):
            found = last_two(work) if against is None else with_file(work, against, source)
            shapes = _shapes(found)
            kinds, fields = summary(found.changes, shapes), moves(found.changes)
        with work.run.step("publish"):
            context = DiffContext(
                city=work.city.name, crs=work.city.crs, secrecy=work.city.secrecy, synthetic=work.city.synthetic,
                before_date=found.before_date, after_date=found.after_date, kinds=kinds, fields=fields,
                suspicious=found.suspicious,
            )  # fmt: skip
            words = language or work.city.language
            paths = write_diff(
                folder / OUT,
                changes=found.changes,
                shapes=shapes,
                pipes=found.pipes,
                context=context,
                language=words,
            )
    return Diffed(
        work.city.name, words, found.before_date, found.after_date, found.pipes.height, found.suspicious,
        kinds, fields, lines_of_text(context, words), [str(path) for path in paths],
    )  # fmt: skip


def last_two(work: Workspace) -> Deliveries:
    """What the last delivery of the register that changed anything did to the one before."""
    rows = db.read(work.connection, LAST)
    if rows.is_empty():
        raise NotFoundError(
            f"pipe_change: no two deliveries of the register that differ have been loaded. Load the next one "
            f"(vardag water load {work.city.folder}), or compare a file with the register: "
            f"vardag water diff {work.city.folder} --with FILE"
        )
    former = read_table(work.connection, "former_pipe")
    left = former.filter(pl.col("pipe_key").is_in(rows["before"].drop_nulls().implode()))
    changes = rows.select("pipe_id", "change", "field", "before", "after")
    return Deliveries(
        changes, read_table(work.connection, "pipe"), left, rows["before_date"][0], rows["after_date"][0]
    )


def with_file(work: Workspace, path: Path, source: str | None) -> Deliveries:
    """What a file would change; the database stays as it is."""
    name = _pipe_source(work, source)
    before = read_table(work.connection, "pipe")
    seen, today = _last_seen(work, name), datetime.now(UTC).date()
    after, unreadable = _staged(work, name, path, before)
    found = difference(
        before,
        after,
        last_seen={name: seen},
        after_date=max(today, seen),
        parameters=POLICY,
        former=read_table(work.connection, "former_pipe"),
        unreadable=unreadable,
    )
    suspicious = shrinks_too_much(found, parameters=POLICY)
    return Deliveries(found.changes, after, found.left, seen, max(today, seen), suspicious)


def _pipe_source(work: Workspace, source: str | None) -> str:
    names = [name for name, one in work.city.sources.items() if one.table == "pipe"]
    if source is None and len(names) == 1:
        return names[0]
    if source not in names:
        listed = ", ".join(names) or "none"
        raise NotFoundError(f"city.toml: pipe sources are {listed}. Say which one the file is of: --source NAME")
    return source


def _last_seen(work: Workspace, name: str) -> date:
    sql = "SELECT coalesce(source_date, loaded_at::DATE) FROM source WHERE source = ?"
    row = work.connection.execute(sql, [name]).fetchone()
    if row is None:
        raise NotFoundError(f"{name}: not loaded yet. Load it first: vardag water load {work.city.folder}")
    day: date = row[0]
    return day


def _staged(work: Workspace, name: str, path: Path, before: pl.DataFrame) -> tuple[pl.DataFrame, set[str]]:
    """The pipe table as it would be, and the ids of rows that cannot be used."""
    if not path.is_file():
        raise InputError(f"{path}: no such file. Give the path of the new delivery.")
    with TemporaryDirectory() as folder:
        staging, _ = stage_source(
            work.city, name, Delivery(path, path.name), Path(folder), seen=SeenIds("pipe_id"), near=np.empty((0, 2))
        )
        mine = _kept(staging, before)
        unreadable = unreadable_ids(work.city, [staging])
    others = before.filter(pl.col("source") != name).join(mine, on="pipe_id", how="anti")
    return pl.concat([mine, others]), unreadable


def _kept(staging: Staging, before: pl.DataFrame) -> pl.DataFrame:
    if not staging.kept_files:
        return before.clear()
    staged = pl.read_parquet(staging.kept_files, glob=False)
    return staged.select(before.columns).cast(before.schema)


def _shapes(found: Deliveries) -> pl.DataFrame:
    """Place and length of each changed pipe: as it is now, or as it was where it is gone."""
    told = found.changes.select("pipe_id", "change").unique(maintain_order=True)
    now, was = told.filter(pl.col("change") != "gone"), told.filter(pl.col("change") == "gone")
    details = ["pipe_id", "length_m", "material", "diameter_mm", "install_year", "street", "geom"]
    later = now.join(found.pipes.select(details), on="pipe_id", how="left", maintain_order="left")
    return pl.concat([later, was.join(found.left.select(details), on="pipe_id", how="left", maintain_order="left")])
