"""The queue of doubtful links: breaks that a person can settle better than a rule, each with its candidates."""

import json

import polars as pl

from vardag.core.parameters import Parameters
from vardag.water.linking.by_position import FIELDS, STREET

MOST = 5  # candidates kept of each break
EVIDENCE = [*FIELDS, STREET]
WORDS = {True: "agrees", False: "differs", None: "unknown"}
CANDIDATE_SCHEMA = pl.Schema(
    {
        "break_id": pl.String,
        "pipe_key": pl.String,
        "place": pl.Int32,
        "confidence": pl.Float64,
        "distance_m": pl.Float64,
        "evidence": pl.String,
        "reason": pl.String,
    }
)


def queue(
    links: pl.DataFrame,
    candidates: pl.DataFrame,
    judged: pl.DataFrame,
    *,
    returned: pl.DataFrame,
    settled: pl.DataFrame,
    parameters: Parameters,
) -> pl.DataFrame:
    """Rows of the table ``link_candidate``.

    Parameters
    ----------
    links, judged
        What `link` found, and what the id said (row, reason), in the breaks' order.
    candidates
        What `posterior` found, up to `MOST` a break.
    returned, settled
        Settlements that no longer hold (row, reason), and those that do (row): they are not in the queue.

    Returns
    -------
    A break is doubtful when its settlement no longer holds, when its id is contradicted, when its best candidate's
    confidence lies between ``link_review_from`` and ``link_review_to``, or when the second is nearly as likely
    (``link_review_near``). A break without a candidate has one row without a pipe.
    """
    doubtful = _doubtful(candidates, judged, parameters)
    rows = pl.concat([returned.select("row", "reason"), doubtful]).unique("row", keep="first", maintain_order=True)
    rows = rows.join(settled.select("row"), on="row", how="anti").sort("row")
    ids = links.select("break_id").with_row_index("row")
    told = rows.join(ids, on="row", maintain_order="left").join(
        candidates, on="row", how="left", maintain_order="left_right"
    )
    return told.select(
        "break_id",
        pl.col("pipe_id").alias("pipe_key"),
        "place",
        "confidence",
        "distance_m",
        _evidence(told),
        "reason",
    ).cast(CANDIDATE_SCHEMA)


def _doubtful(candidates: pl.DataFrame, judged: pl.DataFrame, parameters: Parameters) -> pl.DataFrame:
    first, last, near = (parameters.value(f"link_review_{name}") for name in ("from", "to", "near"))
    best = candidates.filter(pl.col("place") == 1).select("row", best="confidence")
    second = candidates.filter(pl.col("place") == 2).select("row", second="confidence")
    seen = judged.select("row", said="reason").join(best, on="row", how="left").join(second, on="row", how="left")
    between = pl.col("best").is_between(first, last)
    alike = between & (pl.col("second") >= near * pl.col("best"))
    reason = (
        pl.when(pl.col("said") == "id_contradicted")
        .then(pl.lit("id_contradicted"))
        .when(alike)
        .then(pl.lit("near_equal"))
        .when(between)
        .then(pl.lit("doubtful"))
    )
    return seen.select("row", reason=reason).drop_nulls("reason")


def _evidence(told: pl.DataFrame) -> pl.Series:
    texts = [
        json.dumps({name: WORDS[value] for name, value in row.items()})
        for row in told.select(EVIDENCE).iter_rows(named=True)
    ]
    return pl.Series("evidence", texts, dtype=pl.String)
