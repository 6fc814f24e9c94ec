"""The register over time, as a load sees it: what leaves the table is kept, what changed is written down.

Not a delivery, and so no pipe is retired by it: the first load of a source, the same file read with another
mapping, and a source that is taken out of city.toml.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime

import duckdb
import polars as pl

from vardag.core import db
from vardag.water.city import City
from vardag.water.commands.workspace import read_table
from vardag.water.lof.port import POLICY
from vardag.water.register import Difference, difference, refuse_shrinking, retired, with_keys
from vardag.water.sources.staging import Staging
from vardag.water.sources.store import Fingerprint

LEFT_OUT = ["filtered", "duplicate_id"]  # rows that could be read, and are not wanted


@dataclass(frozen=True)
class Days:
    """Day that the earlier delivery of each source describes, and the day of the later one."""

    last_seen: Mapping[str, date]
    after: date


@contextmanager
def over_time(
    connection: duckdb.DuckDBPyConnection,
    city: City,
    staged: Sequence[Staging],
    marks: Mapping[str, Fingerprint],
    *,
    run_id: str,
    accept_shrinking: bool = False,
) -> Iterator[None]:
    """Keep what the pipe table loses while its rows are replaced; run it inside the load's transaction.

    Raises
    ------
    RefusedError
        When the delivery lost an unlikely share of the register, unless `accept_shrinking`.
    """
    if staged[0].table.name != "pipe":
        yield
        return
    days = days_of(connection, city, {staging.name: marks[staging.name].content for staging in staged})
    before, former = read_table(connection, "pipe"), read_table(connection, "former_pipe")
    yield
    after = read_table(connection, "pipe")
    found = difference(
        before,
        after,
        last_seen=days.last_seen,
        after_date=days.after,
        parameters=POLICY,
        former=former,
        unreadable=unreadable_ids(city, staged),
    )
    if not accept_shrinking:
        where = ", ".join(staging.name for staging in staged)
        refuse_shrinking(found, where=where, folder=city.folder, parameters=POLICY)
    taken = pl.concat([former["pipe_key"], after["pipe_id"]])
    _keep(connection, found, days, taken=taken, rows=after, run_id=run_id)


def days_of(connection: duckdb.DuckDBPyConnection, city: City, contents: Mapping[str, str]) -> Days:
    """When the deliveries were: as their sources state, else the day of the load.

    Only sources that were loaded before, and whose content is another now, deliver again. A ``date`` in city.toml
    that is no later than that of the delivery before was left standing; then the day of the load is taken.
    """
    loaded = db.read(connection, "SELECT source, content_hash, source_date, loaded_at::DATE AS day FROM source")
    last_seen, after = {}, []
    for name, content, stated, day in loaded.iter_rows():
        if contents.get(name, content) != content:
            last_seen[name] = stated or day
            new = city.sources[name].date
            after.append(new if new and new > last_seen[name] else datetime.now(UTC).date())
    return Days(last_seen, max([*after, *last_seen.values()], default=datetime.now(UTC).date()))


def unreadable_ids(city: City, staged: Sequence[Staging]) -> set[str]:
    """Ids in rows that could not be used: those pipes are still there, only their rows are not."""
    ids: set[str] = set()
    for staging in staged:
        column = city.sources[staging.name].columns["pipe_id"].column
        for file in staging.rejected_files:
            left_out = pl.read_parquet(file, columns=["reason", "row_json"], glob=False)
            rows = left_out.filter(~pl.col("reason").is_in(LEFT_OUT))["row_json"]
            named = (row for row in (json.loads(text) for text in rows.drop_nulls()) if isinstance(row, dict))
            ids |= {str(row.get(column) or "").strip().removesuffix(".0") for row in named}
    return ids - {""}


def _keep(
    connection: duckdb.DuckDBPyConnection,
    found: Difference,
    days: Days,
    *,
    taken: pl.Series,
    rows: pl.DataFrame,
    run_id: str,
) -> None:
    """Write the former pipes and the changes; a pipe that came back is no longer a former one."""
    left = retired(found.left, first_missed=days.after, taken=taken)
    for key in found.back:
        connection.execute("DELETE FROM former_pipe WHERE pipe_key = ?", [key])
    if left.height:
        db.insert(connection, "former_pipe", left)
    if found.changes.height:
        sources = pl.concat([found.left.select("pipe_id", "source"), rows.select("pipe_id", "source")])
        dates = {"before_date": min(days.last_seen.values(), default=days.after), "after_date": days.after}
        told = with_keys(found.changes, left).join(
            sources.unique("pipe_id", keep="first"), on="pipe_id", how="left", maintain_order="left"
        )
        stamps = {name: pl.lit(day, dtype=pl.Date) for name, day in dates.items()}
        db.insert(connection, "pipe_change", told.with_columns(run_id=pl.lit(run_id), **stamps))
