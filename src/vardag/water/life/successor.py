"""The pipe that took a replaced pipe's place, and so the day the replaced one was retired.

The same id in the register, where the id was reused. Where it is gone: the longest pipe laid after the first
recorded break in the same road, or else near that break. On Kitchener's reused ids, where the day is known, this
rule (without looking at the id) finds a pipe for 168 of 182, laid within a year of the right day for 143.
Later breaks of the pipe are not asked: that would keep it at risk because it broke again.
"""

import polars as pl

from vardag.core.parameters import Parameters
from vardag.core.spatial import pairs_within
from vardag.water.life.typical import with_asset_name
from vardag.water.schema.facts import installed

CARRIED = ["length_m", "pressure_zone", "street", "road_id", "function", "geom", "position"]


def successors(pipes: pl.DataFrame, first: pl.DataFrame, *, parameters: Parameters) -> pl.DataFrame:
    """Successor of each rebuilt pipe that has one.

    Parameters
    ----------
    first
        First recorded break of each rebuilt pipe: pipe_key, pipe_id, break_date, road_id, geom, reason.

    Returns
    -------
    pipe_key, successor_date and the successor's details, at most one row per pipe_key.
    """
    laid = pipes.with_columns(laid=installed()).filter(
        pl.col("laid").is_not_null() & (pl.col("status").fill_null("unknown") != "planned")
    )
    asked = first.select("pipe_key", "pipe_id", "break_date", "road_id", "geom")
    placeholders = parameters.value("link_placeholder_ids")
    on_road = asked.filter(~pl.col("road_id").is_in(placeholders))
    found = [_same_id(laid, asked), _same_road(laid, on_road), _near(laid, asked, parameters)]
    ranked = pl.concat([pairs.with_columns(rule=pl.lit(rule)) for rule, pairs in enumerate(found)])
    best = (
        ranked.filter(pl.col("laid") > pl.col("break_date"))
        .sort("pipe_key", "rule", "length", "successor", descending=[False, False, True, False])
        .unique("pipe_key", keep="first", maintain_order=True)
    )
    carried = [pl.col(name).alias(f"successor_{name}") for name in CARRIED]
    details = laid.select(pl.col("pipe_id").alias("successor"), *carried)
    return (
        best.join(details.unique("successor", keep="first"), on="successor", how="left")
        .rename({"laid": "successor_date"})
        .drop("successor", "break_date", "rule", "length")
    )


def _same_id(laid: pl.DataFrame, asked: pl.DataFrame) -> pl.DataFrame:
    """The next pipe of the id, where the register's deliveries know several."""
    named = with_asset_name(laid).select("laid", "length_m", successor="pipe_id", pipe_id="asset_name")
    later = asked.join(named, on="pipe_id").filter(pl.col("laid") > pl.col("break_date"))
    return _pairs(later.sort("pipe_key", "laid", "successor").unique("pipe_key", keep="first", maintain_order=True))


def _same_road(laid: pl.DataFrame, asked: pl.DataFrame) -> pl.DataFrame:
    return _pairs(asked.join(laid.select("road_id", "laid", "length_m", successor="pipe_id"), on="road_id"))


def _near(laid: pl.DataFrame, asked: pl.DataFrame, parameters: Parameters) -> pl.DataFrame:
    surveyed = laid.filter(pl.col("position") == "surveyed")
    near = pairs_within(asked["geom"], surveyed["geom"], distance_m=parameters.value("life_successor_radius_m"))
    left = asked.select("pipe_key", "break_date")[near["left"]]
    right = surveyed.select("laid", "length_m", successor="pipe_id")[near["right"]]
    return _pairs(pl.concat([left, right], how="horizontal"))


def _pairs(joined: pl.DataFrame) -> pl.DataFrame:
    return joined.select("pipe_key", "break_date", "laid", "successor", length=pl.col("length_m").fill_null(0.0))
