"""The life cycle of pipes: those of the register, and those replaced since, rebuilt from the break log.

::

    links = rebuilt_links(pipes, breaks, links, parameters=parameters)
    table = lives(pipes, breaks, links, record_start=city.record_start, parameters=parameters)
    report = survivorship(breaks, links, table)

Judging the past by the survivors alone flatters old pipes: the worst have been replaced. A rebuilt pipe mends
that, but it is known *only because it broke*, so it may be in the risk set from the day after its first recorded
break and no earlier (immortal time; Suissa, 2008). Everything said of it comes from that first break and from the
register, never from a later break: the risk set of any day is the same whatever the log says of later days.
"""

from datetime import date

import polars as pl

from vardag.core.parameters import Parameters
from vardag.water.life.rebuilt import rebuilt_links, rebuilt_lives
from vardag.water.life.survivorship import survivorship
from vardag.water.life.typical import with_asset_name, with_typical_length
from vardag.water.schema.facts import installed

__all__ = ["LIFE_SCHEMA", "lives", "rebuilt_links", "survivorship"]

LIFE_SCHEMA = pl.Schema(
    {
        "pipe_key": pl.String,
        "pipe_id": pl.String,
        "origin": pl.String,
        "known_from": pl.Date,
        "length_m": pl.Float64,
        "length_source": pl.String,
        "material": pl.String,
        "diameter_mm": pl.Float64,
        "install_date": pl.Date,
        "install_year": pl.Int32,
        "retired_date": pl.Date,
        "lined_date": pl.Date,
        "cleaned_date": pl.Date,
        "pressure_zone": pl.String,
        "street": pl.String,
        "road_id": pl.String,
        "function": pl.String,
        "geom": pl.Binary,
        "position": pl.String,
    }
)


def lives(
    pipes: pl.DataFrame, breaks: pl.DataFrame, links: pl.DataFrame, *, record_start: date, parameters: Parameters
) -> pl.DataFrame:
    """One row per pipe life: the register's pipes in its order, those that left it, then the rebuilt ones by key.

    Parameters
    ----------
    pipes, breaks
        The tables as frames; `vardag.water.linking.place` has placed pipes without geometry. `pipes` may hold
        those that left the register too, retired, with a ``pipe_id`` of their own and the id as the log has it in
        ``asset_name``; theirs are lives of the register, for a delivery told of them and not a break.
    links
        What `vardag.water.linking.link` gave, before or after `rebuilt_links`.
    record_start
        First day of the break record: nothing is under observation before it.

    Returns
    -------
    The columns of `LIFE_SCHEMA`. A life may be in the risk set of ``as_of`` when
    ``known_from <= as_of < retired_date`` (null = in service). A pipe retired on an unknown day has
    ``retired_date = known_from``: it is listed and never at risk.
    """
    parts = [
        _register_lives(pipes, record_start, parameters),
        rebuilt_lives(pipes, breaks, links, record_start=record_start, parameters=parameters),
    ]
    return pl.concat([part.select(LIFE_SCHEMA.names()).cast(LIFE_SCHEMA) for part in parts])


def _register_lives(pipes: pl.DataFrame, record_start: date, parameters: Parameters) -> pl.DataFrame:
    """Pipes of the register, under observation from the record's start or their installation."""
    undated = (pl.col("status") == "retired") & pl.col("retired_date").is_null()
    measured = (pl.col("length_m") > 0).fill_null(value=False)
    laid = pipes.filter(pl.col("status").fill_null("unknown") != "planned")
    return (
        with_typical_length(with_asset_name(laid), pipes, parameters=parameters)
        .with_columns(
            pipe_key="pipe_id",
            pipe_id="asset_name",
            origin=pl.lit("register"),
            install_date=installed(),
            known_from=pl.max_horizontal(pl.lit(record_start), installed()),
            length_m=pl.when(measured).then("length_m").otherwise("typical_m"),
            length_source=pl.when(measured).then(pl.lit("register")).otherwise(pl.lit("typical")),
        )
        .with_columns(retired_date=pl.when(undated).then("known_from").otherwise("retired_date"))
    )
