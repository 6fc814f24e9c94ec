"""Which pipe broke: one row per break, with method, confidence and a stable reason.

::

    judgement = judge(pipes, breaks, settlements=settlements, parameters=parameters)   # pipes placed by `place`
    judgement.links, judgement.candidates, judgement.quality

By id where the id still means the pipe that broke (`by_id`), otherwise by position (`by_position`), and before both
as a person settled it (`settled`). A break that cannot be linked stays in the table with its reason. A break is
judged by itself and by what the years before it taught (`learning`), so a later break never changes the link of an
earlier one.
"""

from dataclasses import dataclass

import polars as pl

from vardag.core.parameters import Parameters
from vardag.water.linking.by_id import NEEDS_POSITION, judge_ids
from vardag.water.linking.by_position import posterior
from vardag.water.linking.learning import Learned, band, calibrated, learn, variant
from vardag.water.linking.place import place
from vardag.water.linking.quality import link_quality
from vardag.water.linking.queue import MOST, queue
from vardag.water.linking.settled import SCHEMA as SETTLEMENT_SCHEMA
from vardag.water.linking.settled import hold, marks, renumbered, settle

__all__ = ["LINK_SCHEMA", "SETTLEMENT_SCHEMA", "Judgement", "judge", "link", "marks", "place", "renumbered"]

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


@dataclass(frozen=True)
class Judgement:
    """The links with what they rest on.

    Attributes
    ----------
    links
        One row per break, see `link`.
    candidates
        The queue of doubtful breaks with their candidates: the table ``link_candidate``.
    quality
        How often the position rule was right at each confidence: the table ``link_quality``.
    orphans
        Settlements whose break is not in the log.
    """

    links: pl.DataFrame
    candidates: pl.DataFrame
    quality: pl.DataFrame
    orphans: pl.DataFrame


def link(
    pipes: pl.DataFrame,
    breaks: pl.DataFrame,
    *,
    parameters: Parameters,
    settlements: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Link every break to a pipe of the register, or say why not.

    Parameters
    ----------
    pipes, breaks
        The pipe and break tables as frames; `place` has given pipes without geometry that of their road.
    parameters
        Policy numbers whose names begin with ``link_``.
    settlements
        The table ``settlement``: what a person settled.

    Returns
    -------
    One row per row of `breaks`, in the same order: break_id, pipe_key (null = unlinked), method (``person``,
    ``id``, ``position`` or ``none``), confidence 0 to 1 (higher is surer; for an unlinked break that of the best
    candidate), reason, distance_m (break point to pipe geometry, null where either is unknown).
    """
    return judge(pipes, breaks, parameters=parameters, settlements=settlements).links


def judge(
    pipes: pl.DataFrame,
    breaks: pl.DataFrame,
    *,
    parameters: Parameters,
    settlements: pl.DataFrame | None = None,
) -> Judgement:
    """Link every break as `link` does, and tell what is doubtful and how good the links are."""
    judged = judge_ids(pipes, breaks, parameters=parameters)
    learned = learn(pipes, breaks, judged, parameters=parameters)
    asked = judged.filter(pl.col("reason").is_in(NEEDS_POSITION)).select("row", "reason")
    found = posterior(pipes, breaks, asked, parameters=parameters, most=MOST, chance=learned.chance)
    stated = _stated(found, breaks, judged, learned, parameters)
    threshold = parameters.value("link_position_threshold")
    links = _decide(judged, stated.filter(pl.col("place") == 1), threshold=threshold).sort("row")
    links = links.select(LINK_SCHEMA.names()).cast(LINK_SCHEMA)
    held = hold(pipes, breaks, pl.DataFrame(schema=SETTLEMENT_SCHEMA) if settlements is None else settlements)
    doubtful = queue(links, stated, judged, returned=held.returned, settled=held.applied, parameters=parameters)
    return Judgement(
        settle(links, held, said=judged["reason"]),
        doubtful,
        link_quality(learned, parameters=parameters),
        held.orphans,
    )


def _stated(
    found: pl.DataFrame, breaks: pl.DataFrame, judged: pl.DataFrame, learned: Learned, parameters: Parameters
) -> pl.DataFrame:
    """Calibrate the posterior of breaks without id; the other candidates of a break move with its best.

    Where the id says that the pipe is gone or another one, the posterior stands: its prior is another one.
    """
    if found.is_empty():
        return found
    best = found.filter(pl.col("place") == 1).with_columns(variant(), band())
    best = best.with_columns(year=breaks["break_date"].gather(best["row"]).dt.year())
    best = best.with_columns(stated=calibrated(best, learned, parameters=parameters), before="confidence")
    plain = judged.filter(pl.col("reason") == "no_id").select("row")
    moved = best.join(plain, on="row").select("row", "before", "stated")
    first = pl.col("stated").is_not_null() & (pl.col("place") == 1)
    other = pl.col("confidence") * pl.min_horizontal(
        1.0, (1 - pl.col("stated")) / (1 - pl.col("before")), pl.col("stated") / pl.col("before")
    )
    rest = pl.when(pl.col("stated").is_not_null() & (pl.col("before") < 1)).then(other.fill_nan(0.0))
    return (
        found.join(moved, on="row", how="left", maintain_order="left")
        .with_columns(confidence=pl.when(first).then("stated").otherwise(pl.coalesce(rest, "confidence")))
        .select(found.columns)
    )


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
