"""What a pipe is like where nobody wrote it down: its day of installation, its length."""

import polars as pl

from vardag.core.parameters import Parameters


def with_asset_name(pipes: pl.DataFrame) -> pl.DataFrame:
    """Pipes with the id that the log writes for them; without earlier deliveries it is their own."""
    return pipes if "asset_name" in pipes.columns else pipes.with_columns(asset_name="pipe_id")


def with_typical_length(frame: pl.DataFrame, pipes: pl.DataFrame, *, parameters: Parameters) -> pl.DataFrame:
    """Add ``typical_m``: the length that half of the metres of like pipes lie below.

    Breaks land on metres, not on records, so a pipe that broke is longer than the median pipe: the median is
    weighted by length. Like pipes have the same material and decade of installation; where there are too few
    (parameter ``life_few_pipes``) the same material, and then all. Only the register is used, not which pipes
    broke: that would be hindsight.
    """
    few = parameters.value("life_few_pipes")
    era = (pl.col("install_year") // 10).alias("_era")
    register = pipes.filter(pl.col("length_m") > 0).with_columns(era)
    out = frame.with_columns(era)
    for name, keys in (("_like", ["material", "_era"]), ("_material", ["material"])):
        known = _weighted_medians(register, keys).filter(pl.col("_pipes") >= few)
        out = out.join(known.select(*keys, pl.col("_m").alias(name)), on=keys, how="left", maintain_order="left")
    everything = _weighted_medians(register.with_columns(_all=pl.lit(1)), ["_all"])["_m"]
    overall = everything[0] if len(everything) else None
    typical = pl.coalesce("_like", "_material", pl.lit(overall, dtype=pl.Float64))
    return out.with_columns(typical_m=typical).drop("_era", "_like", "_material")


def _weighted_medians(register: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Length-weighted median of each group, and the number of pipes in it."""
    half = pl.col("length_m").cum_sum().over(keys) >= pl.col("length_m").sum().over(keys) / 2
    return (
        register.sort("length_m")
        .with_columns(half=half, _pipes=pl.len().over(keys))
        .filter("half")
        .group_by(keys)
        .agg(_m=pl.col("length_m").min(), _pipes=pl.col("_pipes").first())
    )
