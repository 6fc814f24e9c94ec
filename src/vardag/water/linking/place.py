"""An approximate position for pipes whose register has no geometry: the road they lie in."""

import polars as pl


def place(pipes: pl.DataFrame, roads: pl.DataFrame) -> pl.DataFrame:
    """Give pipes without geometry the line of the road with the same ``road_id``.

    The road's line is good to tens of metres, so such pipes get ``position`` = ``approximate``; a register that
    has geometry keeps it. Pipes with neither keep ``none``.
    """
    lines = roads.select("road_id", road_geom="geom").drop_nulls().unique("road_id", keep="first")
    placed = pipes.join(lines, on="road_id", how="left", maintain_order="left")
    from_road = pl.col("geom").is_null() & pl.col("road_geom").is_not_null()
    return placed.with_columns(
        geom=pl.coalesce("geom", "road_geom"),
        position=pl.when(from_road).then(pl.lit("approximate")).otherwise("position"),
    ).select(pipes.columns)
