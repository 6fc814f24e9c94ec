"""How good the position rule is, measured on breaks whose id is known to be right."""

import polars as pl

from vardag.core.parameters import Parameters
from vardag.water.linking.by_position import FIELDS, posterior

BANDS = [0.0, 0.25, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95]


def position_quality(
    pipes: pl.DataFrame,
    breaks: pl.DataFrame,
    links: pl.DataFrame,
    *,
    parameters: Parameters,
    use_fields: bool = True,
) -> pl.DataFrame:
    """Precision and recall of the position rule on breaks linked by id, by confidence.

    The ids are hidden and each break is linked as one without id. With ``use_fields=False`` the log's material,
    diameter and year are hidden too: a log whose fields were filled in from the register makes the rule look
    better than it is on a break whose id is lost.

    Returns
    -------
    One row per lower bound of confidence: at_least, breaks (with at least that), right, precision, recall
    (right of all breaks linked by id).
    """
    known = links.with_row_index("row").filter(pl.col("method") == "id")
    hidden = [] if use_fields else [pl.lit(None, dtype=breaks.schema[name]).alias(name) for name in FIELDS]
    asked = known.select("row", reason=pl.lit("no_id"))
    found = posterior(pipes, breaks.with_columns(hidden), asked, parameters=parameters).join(
        known.select("row", "pipe_key"), on="row"
    )
    right = (found["pipe_id"] == found["pipe_key"]).to_numpy()
    confidence = found["confidence"].to_numpy()
    counts = [(int((confidence >= band).sum()), int(right[confidence >= band].sum())) for band in BANDS]
    return pl.DataFrame(
        {
            "at_least": BANDS,
            "breaks": [n for n, _ in counts],
            "right": [n for _, n in counts],
            "precision": [hit / n if n else None for n, hit in counts],
            "recall": [hit / known.height if known.height else None for _, hit in counts],
        }
    )
