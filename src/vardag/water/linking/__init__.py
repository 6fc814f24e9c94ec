"""Which pipe broke: one row per break, with method, confidence and a stable reason.

::

    links = link(pipes, breaks, parameters=parameters)          # pipes placed by `place` where they lack geometry
    bands = position_quality(pipes, breaks, links, parameters=parameters)

By id where the id still means the pipe that broke (`by_id`), otherwise by position (`by_position`). A break that
cannot be linked stays in the table with its reason. Each break is judged alone, so a later break never changes
the link of an earlier one.
"""

import polars as pl

from vardag.core.parameters import Parameters
from vardag.water.linking.by_id import NEEDS_POSITION, judge_ids
from vardag.water.linking.by_position import posterior
from vardag.water.linking.place import place
from vardag.water.linking.quality import position_quality

__all__ = ["LINK_SCHEMA", "link", "place", "position_quality"]

LINK_SCHEMA = pl.Schema(
    {
        "break_id": pl.String,
        "pipe_key": pl.String,
        "method": pl.String,
        "confidence": pl.Float64,
        "reason": pl.String,
        "distance_m": pl.Float64,
    }
)


def link(pipes: pl.DataFrame, breaks: pl.DataFrame, *, parameters: Parameters) -> pl.DataFrame:
    """Link every break to a pipe of the register, or say why not.

    Parameters
    ----------
    pipes, breaks
        The pipe and break tables as frames; `place` has given pipes without geometry that of their road.
    parameters
        Policy numbers whose names begin with ``link_``.

    Returns
    -------
    One row per row of `breaks`, in the same order: break_id, pipe_key (null = unlinked), method (``id``,
    ``position`` or ``none``), confidence 0 to 1 (higher is surer; for an unlinked break that of the best
    candidate), reason, distance_m (break point to pipe geometry, null where either is unknown).
    """
    judged = judge_ids(pipes, breaks, parameters=parameters)
    asked = judged.filter(pl.col("reason").is_in(NEEDS_POSITION))
    found = posterior(pipes, breaks, asked.select("row", "reason"), parameters=parameters)
    links = _decide(judged, found, threshold=parameters.value("link_position_threshold"))
    return links.sort("row").select(LINK_SCHEMA.names()).cast(LINK_SCHEMA)


def _decide(judged: pl.DataFrame, found: pl.DataFrame, *, threshold: float) -> pl.DataFrame:
    """Take the best candidate where it is sure enough; otherwise keep the id's reason, or that it is ambiguous."""
    best = found.rename({"pipe_id": "candidate", "confidence": "posterior", "distance_m": "candidate_m"})
    both = judged.join(best, on="row", how="left")
    by_id = pl.col("method") == "id"
    sure = ~by_id & (pl.col("posterior") >= threshold).fill_null(value=False)
    ambiguous = ~by_id & ~sure & pl.col("candidate").is_not_null() & (pl.col("reason") == "no_id")
    nothing = ~by_id & pl.col("candidate").is_null() & (pl.col("reason") == "no_id")
    return both.with_columns(
        pipe_key=pl.when(by_id).then("pipe_key").when(sure).then("candidate"),
        method=pl.when(by_id).then(pl.lit("id")).when(sure).then(pl.lit("position")).otherwise(pl.lit("none")),
        confidence=pl.when(by_id).then("confidence").otherwise(pl.col("posterior").fill_null(0.0)),
        distance_m=pl.when(by_id).then("distance_m").when(sure).then("candidate_m"),
        reason=pl.when(sure)
        .then(pl.lit("position_agrees"))
        .when(ambiguous)
        .then(pl.lit("position_ambiguous"))
        .when(nothing)
        .then(pl.lit("nothing_near"))
        .otherwise("reason"),
    )
