"""How good the position rule is, measured on breaks whose pipe is known."""

import math

import polars as pl

from vardag.core.parameters import Parameters
from vardag.water.linking.learning import Learned, calibrated

BANDS = [0.0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9]
Z95 = 1.959963984540054
QUALITY_SCHEMA = pl.Schema(
    {
        "variant": pl.String,
        "position": pl.String,
        "at_least": pl.Float64,
        "below": pl.Float64,
        "breaks": pl.Int64,
        "confidence": pl.Float64,
        "gone": pl.Int64,
        "right": pl.Int64,
        "precision": pl.Float64,
        "lower": pl.Float64,
        "upper": pl.Float64,
    }
)


def link_quality(learned: Learned, *, parameters: Parameters) -> pl.DataFrame:
    """Precision of the stated confidence, by band of confidence: rows of the table ``link_quality``.

    The ids are hidden and each break is linked as one without id, with what the years before it had taught.
    ``without_details`` hides the log's material, diameter and year too: a log whose fields were filled in from the
    register makes the rule look better than it is on a break whose id is lost.

    Returns
    -------
    One row per variant, kind of position and band that has breaks: their number, the mean stated confidence, how
    many are of pipes that are gone (any link is wrong), how many were linked to the right pipe, and the precision
    with its 95 % interval (Wilson, 1927).
    """
    stated = learned.hidden.with_columns(calibrated(learned.hidden, learned, parameters=parameters))
    lower = pl.max_horizontal(
        pl.when(pl.col("confidence") >= edge).then(pl.lit(edge)).otherwise(0.0) for edge in BANDS
    )
    counted = (
        stated.group_by("variant", "position", at_least=lower, maintain_order=True)
        .agg(pl.len().alias("breaks"), pl.col("confidence").mean(), pl.col("gone", "right").sum())
        .sort("variant", "position", "at_least")
    )
    ends = dict(zip(BANDS, [*BANDS[1:], 1.0], strict=True))
    intervals = [wilson(right, total) for right, total in counted.select("right", "breaks").iter_rows()]
    return (
        counted.with_columns(
            below=pl.col("at_least").replace_strict(ends, return_dtype=pl.Float64),
            precision=pl.col("right") / pl.col("breaks"),
            lower=pl.Series([low for low, _ in intervals], dtype=pl.Float64),
            upper=pl.Series([high for _, high in intervals], dtype=pl.Float64),
        )
        .select(QUALITY_SCHEMA.names())
        .cast(QUALITY_SCHEMA)
    )


def wilson(right: int, total: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson, 1927, J. Am. Stat. Assoc. 22, p. 209).

    >>> [round(end, 3) for end in wilson(9, 10)]
    [0.596, 0.982]
    """
    share, squared = right / total, Z95**2 / total
    middle = (share + squared / 2) / (1 + squared)
    half = Z95 * math.sqrt(share * (1 - share) / total + squared / (4 * total)) / (1 + squared)
    return max(0.0, middle - half), min(1.0, middle + half)
