"""What a person settled: it wins over every rule, as long as it is still about the same break and the same pipe.

A settlement is kept by the break's id together with a mark, a hash of what was known of the break on that day. It
is found again by id and mark; where the log gives its rows new numbers, by the mark alone. A settled pipe that has
left the register since is followed to the key that it is kept under. When the break has changed, or no such pipe
was in the ground on its day, nothing is applied silently: the break comes back to the queue with the reason.
"""

import hashlib
from dataclasses import dataclass

import polars as pl
import shapely

from vardag.water.linking.by_id import with_asset_name
from vardag.water.linking.by_position import in_service
from vardag.water.schema.facts import installed

CHANGED, GONE, NOT_THERE = "settled_break_changed", "settled_pipe_gone", "settled_pipe_not_in_service"
# What the id said where it tells of a pipe that is gone: its rebuilt life is none of the register's pipes.
LOST = ("id_gone", "id_reused_after_replacement")
DETAILS = ("break_date", "asset_id", "material", "diameter_mm", "install_year", "street", "road_id")
SCHEMA = pl.Schema(
    [
        *((name, pl.String()) for name in ("break_id", "break_mark", "pipe_key", "settled_by")),
        ("settled_at", pl.Datetime("us", "UTC")),
        ("reason", pl.String()),
    ]
)


@dataclass(frozen=True)
class Settled:
    """Settlements held against the breaks as they are now.

    Attributes
    ----------
    applied
        ``row`` (of the breaks), ``break_id`` and ``pipe_key`` as they are now (no key: none of the register's).
    returned
        ``row``, ``break_id`` and ``reason`` of settlements that no longer hold.
    orphans
        Settlements whose break is not in the log any more; kept, in case it comes back.
    """

    applied: pl.DataFrame
    returned: pl.DataFrame
    orphans: pl.DataFrame


def marks(breaks: pl.DataFrame) -> pl.Series:
    """Mark of each break: a hash of its day, its place to a decimetre and its details.

    Cause and kind of event are not part of it: they are often corrected, and say nothing of which pipe broke.
    """
    points = shapely.get_coordinates(shapely.centroid(shapely.from_wkb(breaks["geom"].to_list())))
    placed = breaks["geom"].is_not_null().to_numpy().nonzero()[0]
    places = dict(zip(placed.tolist(), points.round(1).tolist(), strict=True)) if len(points) == len(placed) else {}
    details = breaks.select(pl.col(name).cast(pl.String) for name in DETAILS).rows()
    texts = (repr((row, places.get(number))) for number, row in enumerate(details))
    return pl.Series("mark", [hashlib.sha256(text.encode()).hexdigest()[:16] for text in texts], dtype=pl.String)


def hold(pipes: pl.DataFrame, breaks: pl.DataFrame, settlements: pl.DataFrame) -> Settled:
    """Find the break and the pipe of each settlement again."""
    log = breaks.select("break_id", "break_date").with_row_index("row")
    if settlements.is_empty():
        nothing = log.clear()
        returned = nothing.select("row", "break_id", reason=pl.lit("", dtype=pl.String))
        keys = pl.lit(None, dtype=pl.String).alias("pipe_key")
        return Settled(nothing.select("row", "break_id", keys), returned, settlements)
    found = _found(log.with_columns(marks(breaks)), settlements)
    meant = _meant(found, pipes)
    judged = found.join(meant, on="settlement", how="left", maintain_order="left").with_columns(problem=_problem())
    placed = judged.filter(pl.col("row").is_not_null())
    return Settled(
        applied=placed.filter(pl.col("problem").is_null()).select("row", "break_id", pipe_key="key"),
        returned=placed.drop_nulls("problem").select("row", "break_id", reason="problem"),
        orphans=judged.filter(pl.col("row").is_null()).select(
            pl.col("settled_id").alias("break_id"), *[name for name in SCHEMA if name != "break_id"]
        ),
    )


def renumbered(breaks: pl.DataFrame, settlements: pl.DataFrame) -> pl.DataFrame:
    """Settlements under the ids that their breaks have now: a log without ids gives its rows new numbers."""
    if settlements.is_empty():
        return settlements
    log = breaks.select("break_id", "break_date").with_row_index("row").with_columns(marks(breaks))
    now = pl.coalesce("break_id", "settled_id").alias("break_id")
    return _found(log, settlements).select(now, *SCHEMA.names()[1:]).cast(SCHEMA)


def _found(log: pl.DataFrame, settlements: pl.DataFrame) -> pl.DataFrame:
    """Row of each settlement's break: the same id and mark, else the same mark, else the same id (changed).

    In the order of the settlements.
    """
    asked = settlements.rename({"break_id": "settled_id"}).with_row_index("settlement")
    exact = asked.join(log, left_on=["settled_id", "break_mark"], right_on=["break_id", "mark"], how="inner")
    rest = asked.join(exact.select("settled_id"), on="settled_id", how="anti")
    free = log.join(exact.select("row"), on="row", how="anti")
    moved = _numbered(rest, "break_mark", "settled_id").join(
        _numbered(free, "mark", "row"), left_on=["break_mark", "number"], right_on=["mark", "number"], how="inner"
    )
    rest = rest.join(moved.select("settled_id"), on="settled_id", how="anti")
    free = free.join(moved.select("row"), on="row", how="anti")
    changed = rest.join(free, left_on="settled_id", right_on="break_id", how="left")
    found = [
        exact.with_columns(break_id="settled_id", changed=pl.lit(value=False)),
        moved.with_columns(changed=pl.lit(value=False)),
        changed.with_columns(break_id="settled_id", changed=pl.col("row").is_not_null()),
    ]
    return pl.concat(found, how="diagonal").sort("settlement")


def _numbered(frame: pl.DataFrame, mark: str, order: str) -> pl.DataFrame:
    """Number rows with the same mark: breaks that are alike in everything are interchangeable."""
    return frame.sort(order).with_columns(number=pl.int_range(pl.len()).over(mark))


def _meant(found: pl.DataFrame, pipes: pl.DataFrame) -> pl.DataFrame:
    """The pipe that each settlement means: ``key``, its key of today, and ``there``, in the ground on the day.

    Asked are the pipe that has the settled key and the pipes that left the register under that id. One that was in
    the ground on the day goes first; of those the one that still had the id when it was settled, then the one that
    has it now.
    """
    register = with_asset_name(pipes).select(
        "status", "retired_date", "asset_name", key="pipe_id", installed=installed(), former=pl.lit(value=False)
    )
    former = register.filter(pl.col("key") != pl.col("asset_name"))
    named = [
        register.with_columns(pipe_key="key"),
        former.with_columns(pipe_key="asset_name", former=pl.lit(value=True)),
    ]
    asked = found.select("settlement", "pipe_key", "break_date", settled="settled_at")
    had_it = pl.col("former") & (pl.col("settled").dt.date() < pl.col("retired_date")).fill_null(value=True)
    return (
        asked.join(pl.concat(named), on="pipe_key", maintain_order="left_right")
        .with_columns(there=in_service())
        .sort("settlement", ~pl.col("there"), ~had_it, "former", "retired_date", maintain_order=True)
        .unique("settlement", keep="first", maintain_order=True)
        .select("settlement", "key", "there")
    )


def _problem() -> pl.Expr:
    settled_on_pipe = pl.col("pipe_key").is_not_null()
    return (
        pl.when("changed")
        .then(pl.lit(CHANGED))
        .when(settled_on_pipe & pl.col("key").is_null())
        .then(pl.lit(GONE))
        .when(settled_on_pipe & ~pl.col("there"))
        .then(pl.lit(NOT_THERE))
    )


def settle(links: pl.DataFrame, settled: Settled, *, said: pl.Series) -> pl.DataFrame:
    """Put the settled pipes in the place of what the rules found.

    A break of none of the register's pipes is left to what its lost id tells of, where it has one: it has no pipe
    here, and gets a rebuilt life as if no rule had found any.

    Parameters
    ----------
    links, said
        What the rules found, and the reason that the id gave, in the breaks' order.
    """
    told = settled.applied.select("row", settled_key="pipe_key", settled=pl.lit(value=True))
    rows = links.with_row_index("row").with_columns(said=said)
    rows = rows.join(told, on="row", how="left", maintain_order="left")
    by_person = pl.col("settled").fill_null(value=False)
    lost = by_person & pl.col("settled_key").is_null() & pl.col("said").is_in(LOST)
    person = by_person & ~lost
    return rows.select(
        "break_id",
        pipe_key=pl.when(by_person).then("settled_key").otherwise("pipe_key"),
        method=pl.when(person).then(pl.lit("person")).when(lost).then(pl.lit("none")).otherwise("method"),
        confidence=pl.when(person).then(1.0).otherwise("confidence"),
        reason=pl.when(person).then(pl.lit("settled_by_person")).when(lost).then("said").otherwise("reason"),
        distance_m=pl.when(by_person & (pl.col("settled_key") != pl.col("pipe_key")).fill_null(value=True))
        .then(pl.lit(None, dtype=pl.Float64))
        .otherwise("distance_m"),
    )
