"""Street blocks: how many of the blocks ranked highest had a break within three years."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from vardag.water.lof.port import POLICY
from vardag.water.validation.metrics import caught, length_intervals, origin_codes
from vardag.water.validation.tables import Trial

HORIZON_YEARS = 3


def blocks(trial: Trial) -> pl.DataFrame:
    """Street blocks of each origin: ``km``, ``hit`` (1 with at least one break) and each model's rate per km."""
    expected = [(pl.col(model) * pl.col("length_m")).sum() / pl.sum("length_m") for model in trial.models]
    return (
        trial.scores.with_columns(seen=pl.Series(trial.breaks))
        .filter(pl.col("street_block").is_not_null() & (pl.col("length_m") > 0))
        .group_by("as_of", "street_block")
        .agg(*expected, km=pl.sum("length_m") / 1000, hit=(pl.sum("seen") > 0).cast(pl.Float64))
        .sort("as_of", "street_block")
    )


def precision(trial: Trial) -> dict[str, Any]:
    """Share of the top blocks, ranked by rate per km, that had a break; the base rate is the share of all blocks.

    Blocks count alike whatever their length. Where blocks tie at the border, each counts for the part of it that
    would be taken.
    """
    level = float(POLICY.value("street_top_share"))
    table = blocks(trial)
    rows = [_row(table, model, level) for model in trial.models] if table.height else []
    return {"level": level, "horizon_years": HORIZON_YEARS, "rows": rows}


def _row(table: pl.DataFrame, model: str, level: float) -> dict[str, Any]:
    each = pl.repeat(1.0, table.height, dtype=pl.Float64, eager=True).to_numpy()
    a, b = length_intervals(table[model].to_numpy(), each, origin_codes(table))
    taken = caught(a, b, [level])[:, 0]
    hits, size = float(taken @ table["hit"].to_numpy()), float(taken.sum())
    base = float(str(table["hit"].mean()))
    return {
        "model": model,
        "blocks": round(size, 2),
        "hits": round(hits, 2),
        "precision": round(hits / size, 4),
        "base_rate": round(base, 4),
    }


def applicable(trial: Trial) -> bool:
    """Tell whether street blocks can be judged: three years ahead, and blocks are known."""
    return trial.horizon_years == HORIZON_YEARS and _has_blocks(trial.scores.columns, trial.scores)


def _has_blocks(columns: Sequence[str], scores: pl.DataFrame) -> bool:
    return "street_block" in columns and scores["street_block"].null_count() < scores.height
