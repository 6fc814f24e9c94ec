"""A difference in figures: pipes and kilometres of each kind, and which fields changed most."""

from typing import Any

import polars as pl

KINDS = ("new", "changed", "gone", "reused", "back", "unreadable")


def summary(changes: pl.DataFrame, lengths: pl.DataFrame, *, first: int = 5) -> list[dict[str, Any]]:
    """Pipes, kilometres and first ids of each kind of change.

    Parameters
    ----------
    changes
        pipe_id, change, field, before, after.
    lengths
        pipe_id, change, length_m: the pipe now, or as it was where it is gone.

    Returns
    -------
    One entry per kind of `KINDS`: change, pipes, km, first (ids).
    """
    pipes = changes.select("pipe_id", "change").unique(maintain_order=True)
    known = lengths.unique(["pipe_id", "change"], keep="first")
    told = pipes.join(known, on=["pipe_id", "change"], how="left", maintain_order="left")
    found = []
    for kind in KINDS:
        rows = told.filter(pl.col("change") == kind)
        km = float(rows["length_m"].sum() or 0.0) / 1000
        ids = rows["pipe_id"].head(first).to_list()
        found.append({"change": kind, "pipes": rows.height, "km": round(km, 3), "first": ids})
    return found


def moves(changes: pl.DataFrame, *, most: int = 20) -> list[dict[str, Any]]:
    """Which fields changed, most often first: field, pipes, and its most common step from before to after.

    Lengths, dates and places differ from pipe to pipe, so their steps say nothing and are left out.
    """
    fields = changes.filter(pl.col("field").is_not_null())
    counted = fields.group_by("field").agg(pipes=pl.len()).sort("pipes", "field", descending=[True, False])
    steps = fields.group_by("field", "before", "after").agg(pipes=pl.len()).filter(pl.col("pipes") > 1)
    steps = steps.sort("pipes", "before", "after", descending=[True, False, False])
    return [
        row | {"steps": steps.filter(pl.col("field") == row["field"]).drop("field").head(5).to_dicts()}
        for row in counted.head(most).to_dicts()
    ]
