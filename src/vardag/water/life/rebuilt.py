"""Pipes that are no longer in the register, rebuilt from the breaks they left in the log.

Two reasons of the links tell of such a pipe: ``id_reused_after_replacement`` (the break is older than the pipe
that carries the id today) and ``id_gone`` (the register has no such id). Breaks of one id are one pipe, unless
material and installation year both change: then the id was reused within the log. A pipe that an earlier delivery
of the register had is among `pipes` and linked by id; only what is older than all of those is rebuilt.
"""

from datetime import date

import polars as pl

from vardag.core.parameters import Parameters
from vardag.water.life.successor import successors
from vardag.water.life.typical import with_asset_name, with_typical_length
from vardag.water.schema.facts import installed

REUSED, GONE = "id_reused_after_replacement", "id_gone"


def rebuilt_links(
    pipes: pl.DataFrame, breaks: pl.DataFrame, links: pl.DataFrame, *, parameters: Parameters
) -> pl.DataFrame:
    """Point the breaks of replaced pipes to their rebuilt lives; all other rows stay as they are.

    Such a row gets pipe_key ``id@year`` (year of installation as the log says, or ``unknown``), method
    ``rebuilt``, the confidence of its reason (parameter ``life_rebuilt_confidence``) and keeps its reason.
    """
    keys = _histories(pipes, breaks, links, parameters).select("row", rebuilt_key="pipe_key")
    confidence: dict[str, float] = parameters.value("life_rebuilt_confidence")
    found = pl.col("rebuilt_key").is_not_null()
    sure = pl.col("reason").replace_strict(confidence, default=None, return_dtype=pl.Float64)
    return (
        links.with_row_index("row")
        .join(keys, on="row", how="left", maintain_order="left")
        .with_columns(
            pipe_key=pl.coalesce("rebuilt_key", "pipe_key"),
            method=pl.when(found).then(pl.lit("rebuilt")).otherwise("method"),
            confidence=pl.when(found).then(sure).otherwise("confidence"),
        )
        .select(links.columns)
    )


def rebuilt_lives(
    pipes: pl.DataFrame,
    breaks: pl.DataFrame,
    links: pl.DataFrame,
    *,
    record_start: date,
    parameters: Parameters,
) -> pl.DataFrame:
    """One life per rebuilt pipe, as known from its first recorded break and the register."""
    history = _histories(pipes, breaks, links, parameters)
    first = history.unique("pipe_key", keep="first", maintain_order=True)
    next_first = pl.col("break_date").shift(-1).over("pipe_id")
    known = first.with_columns(
        next_first.alias("next_first"),
        known_from=pl.max_horizontal(pl.col("break_date") + pl.duration(days=1), pl.lit(record_start)),
        material=pl.col("own_material").fill_null("UNKNOWN"),
        install_year="own_year",
        diameter_mm="own_diameter",
    )
    succeeded = known.join(successors(pipes, known, parameters=parameters), on="pipe_key", how="left")
    return _finished(with_typical_length(succeeded, pipes, parameters=parameters)).sort("pipe_key")


def _finished(succeeded: pl.DataFrame) -> pl.DataFrame:
    """Retirement, length and place; where the retirement is unknown the life ends as it becomes known."""
    retired = pl.min_horizontal("successor_date", "next_first").fill_null(pl.col("known_from"))
    reused = (pl.col("reason") == REUSED) & (pl.col("successor_length_m") > 0)
    placed = pl.col("successor_geom").is_not_null()
    exact = placed & (pl.col("reason") == REUSED)
    return succeeded.with_columns(
        origin=pl.lit("rebuilt"),
        install_date=pl.date(pl.col("install_year"), 1, 1),
        retired_date=pl.max_horizontal(retired, "known_from"),
        length_m=pl.when(reused).then("successor_length_m").otherwise("typical_m"),
        length_source=pl.when(reused).then(pl.lit("successor")).otherwise(pl.lit("typical")),
        lined_date=pl.lit(None, dtype=pl.Date),
        cleaned_date=pl.lit(None, dtype=pl.Date),
        pressure_zone="successor_pressure_zone",
        street=pl.coalesce("street", "successor_street"),
        road_id=pl.coalesce("road_id", "successor_road_id"),
        function=pl.col("successor_function").fill_null("main"),
        position=pl.when(exact)
        .then("successor_position")
        .when(placed | pl.col("geom").is_not_null())
        .then(pl.lit("approximate"))
        .otherwise(pl.lit("none")),
        geom=pl.coalesce("successor_geom", "geom"),
    )


def _histories(
    pipes: pl.DataFrame, breaks: pl.DataFrame, links: pl.DataFrame, parameters: Parameters
) -> pl.DataFrame:
    """Breaks of replaced pipes in time order, each with the key of its pipe and what the log says of it.

    A key that a pipe of an earlier delivery has already gets ``-log``.
    """
    known = (
        with_asset_name(pipes)
        .group_by(pipe_id="asset_name")
        .agg(later_materials=pl.col("material").drop_nulls(), later_years=installed().dt.year().drop_nulls())
    )
    log = breaks.with_row_index("row").with_columns(links.select("method", "reason"))
    return (
        log.filter(pl.col("method").is_in(["none", "rebuilt"]) & pl.col("reason").is_in([REUSED, GONE]))
        .with_columns(pipe_id=pl.col("asset_id").str.strip_chars())
        .join(known, on="pipe_id", how="left")
        .with_columns(_own_fields())
        .sort("pipe_id", "break_date", "break_id", "row")
        .with_columns(_generation(parameters.value("link_year_tolerance")))
        .with_columns(pipe_key=_key())
        .with_columns(pipe_key=_unlike(pipes["pipe_id"]))
    )


def _own_fields() -> list[pl.Expr]:
    """Fields of the pipe that broke; null where the log was filled in from the pipe that replaced it.

    A log that joins today's register to yesterday's breaks says that a pipe broke before it was laid
    (Kitchener: 326 of the 327 breaks on reused ids carry the material, size and year of the successor).
    """
    year = pl.col("install_year")
    later = (year > pl.col("break_date").dt.year()).fill_null(value=False)
    same_year = year.is_not_null() & pl.col("later_years").list.contains(year).fill_null(value=False)
    material = pl.col("material")
    twin = material.is_not_null() & pl.col("later_materials").list.contains(material).fill_null(value=False)
    undated_twin = year.is_null() & twin
    own = ~(later | ((pl.col("reason") == REUSED) & (same_year | undated_twin)))
    said = own & ~pl.col("material").is_in(["UNKNOWN", "OTHER"])
    return [
        pl.when(said).then("material").alias("own_material"),
        pl.when(own).then("install_year").alias("own_year"),
        pl.when(own).then("diameter_mm").alias("own_diameter"),
    ]


def _generation(year_tolerance: int) -> pl.Expr:
    """Number of the pipe on this id: it goes up where material and year both change from the last ones known."""
    material = pl.col("own_material").forward_fill().shift(1).over("pipe_id")
    year = pl.col("own_year").forward_fill().shift(1).over("pipe_id")
    changed = (pl.col("own_material") != material) & ((pl.col("own_year") - year).abs() > year_tolerance)
    return changed.fill_null(value=False).cast(pl.Int32).cum_sum().over("pipe_id").alias("generation")


def _unlike(taken: pl.Series) -> pl.Expr:
    held = pl.col("pipe_key").is_in(taken.implode())
    return pl.when(held).then(pl.format("{}-log", "pipe_key")).otherwise("pipe_key")


def _key() -> pl.Expr:
    """``id@year``, the year of the generation's first break so that a later break never renames the pipe."""
    year = pl.col("own_year").first().over("pipe_id", "generation").cast(pl.String).fill_null("unknown")
    return pl.format("{}@{}", "pipe_id", year)
