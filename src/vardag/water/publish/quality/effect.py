"""What doubtful rows do to the predictions: fit with them and without them, predict the same pipes, compare.

*With* is everything as loaded. *Without* a group means: its breaks are taken out of the history (features) and of
what is learned from (labels of earlier years); its pipes teach nothing. What is predicted is never touched: the
same risk set, ranked by its lengths, and the same breaks that followed, doubtful ones included. So a difference
comes from the data learned from alone. The pairs share their bootstrap draws.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from vardag.water.features import panel_of
from vardag.water.lof.port import Model
from vardag.water.panel import Network
from vardag.water.publish.quality.doubtful import Doubt
from vardag.water.validation.evaluate import LABELS
from vardag.water.validation.metrics import LEVELS
from vardag.water.validation.splits import split
from vardag.water.validation.tables import Trial, calibration, headline

WITH, AGAIN = "with", "another_seed"
SHOWN_LEVELS = (0.01, 0.05, 0.1, 0.2)
KEPT = ("pipe_key", "as_of", "length_m", "exposure_years", "breaks", "material")

Tell = Callable[[int, int], None]


def validation_years(label_years: Sequence[int], *, tested: int, training: int, wanted: int) -> range:
    """Years to measure on: the last `wanted` before the test years, else the first that can be predicted.

    Parameters
    ----------
    label_years
        Years that have labels, ascending.
    tested
        How many years at the end are kept for `vardag water evaluate`; they are not looked at where others remain.
    training
        Label years that a predicted year must have before it.
    """
    able = [year for year in label_years if year - training >= label_years[0]]
    before = [year for year in able if year <= label_years[-1] - tested]
    chosen = before[-wanted:] or able[:wanted] or list(label_years[-1:])
    return range(chosen[0], chosen[-1] + 1)


def measure(
    network: Network,
    panel: pl.DataFrame,
    groups: Sequence[Doubt],
    *,
    models: Sequence[Model],
    again: Sequence[Model],
    years: range,
    seed: int,
    progress: Tell | None = None,
) -> dict[str, Any]:
    """Capture and level with and without each group of doubtful rows.

    Parameters
    ----------
    network, panel
        The city with everything, and its pipe-years up to the last of `years`.
    groups
        Groups of doubtful rows.
    models
        Light recipes; each is fitted for every group from every origin.
    again
        The same recipes with another seed, on all rows: how much a fit differs by chance alone.
    years
        Years predicted, each from 31 December before.

    Returns
    -------
    Plain values: ``years``, ``breaks``, ``levels`` and ``models``; per model a row for everything and one a group,
    with ``capture`` by level, ``difference`` (without minus with: above zero means that the rows do harm) with its
    95 % interval ``low`` and ``high``, and ``predicted`` over ``observed`` as ``ratio``.
    """
    days = [date(year - 1, 12, 31) for year in years]
    scores = [panel.filter(pl.col("as_of") == day).select(KEPT) for day in days]
    rounds = [(Doubt(WITH), models), (Doubt(AGAIN), again), *((group, models) for group in groups)]
    for place, (group, recipes) in enumerate(rounds):
        taught = _without(network, panel, group)
        for at, day in enumerate(days):
            if progress:
                progress(place * len(days) + at, len(rounds) * len(days))
            scores[at] = scores[at].with_columns(_rates(taught, day, group, recipes))
    whole, names = pl.concat(scores), [group.name for group, _ in rounds]
    return {
        "years": list(years),
        "breaks": int(whole["breaks"].sum()),
        "levels": list(SHOWN_LEVELS),
        "models": {model.name: _rows(whole, model.name, names, seed) for model in models},
    }


def _without(network: Network, panel: pl.DataFrame, group: Doubt) -> pl.DataFrame:
    """The panel as it is without a group's breaks; the lives, and so the rows, are the same."""
    if not group.breaks:
        return panel
    return panel_of(forget(network, group.breaks), panel["as_of"].unique().sort().to_list())


def forget(network: Network, break_ids: frozenset[str]) -> Network:
    """The network without some breaks; every pipe stays."""
    keep = ~network.breaks["break_id"].is_in(list(break_ids))
    moved = pl.DataFrame({"break": np.flatnonzero(keep.to_numpy()), "now": np.arange(int(keep.sum()))})
    kind = network.near.schema["break"]
    near = network.near.join(
        moved.cast({"break": kind, "now": kind}), on="break", how="inner", maintain_order="left"
    )
    near = near.with_columns(pl.col("now").alias("break")).select(network.near.columns)
    return replace(network, breaks=network.breaks.filter(keep), near=near)


def _rates(taught: pl.DataFrame, day: date, group: Doubt, models: Sequence[Model]) -> list[pl.Series]:
    origin = split(taught, day)
    train = origin.train.filter(~pl.col("pipe_key").is_in(list(group.pipes))) if group.pipes else origin.train
    shown = origin.test.drop(LABELS, strict=False)
    return [pl.Series(_column(model.name, group.name), model.fit(train).rate(shown)) for model in models]


def _column(model: str, group: str) -> str:
    return f"{model}|{group}"


def _rows(scores: pl.DataFrame, model: str, groups: list[str], seed: int) -> list[dict[str, Any]]:
    base = _column(model, WITH)
    columns = [_column(model, group) for group in groups]
    places = [LEVELS.index(level) for level in SHOWN_LEVELS]
    told = headline(Trial(scores, columns, base, 1), seed=seed)
    return [
        {"group": row["model"].split("|")[1]} | _figures(row, places) | _level(scores, row["model"]) for row in told
    ]


def _figures(row: dict[str, Any], places: list[int]) -> dict[str, Any]:
    """Figures at the levels shown. The table's lead is *with* minus the row: turned round, ends changed over."""
    turned = {"difference": "difference", "low": "difference_high", "high": "difference_low"}
    figures: dict[str, Any] = {"capture": [row["capture"][place] for place in places]}
    return figures | {name: [_minus(row[of][place]) for place in places] for name, of in turned.items()}


def _minus(value: float | None) -> float | None:
    return None if value is None else 0.0 - value


def _level(scores: pl.DataFrame, column: str) -> dict[str, Any]:
    pooled = calibration(Trial(scores, [column], column, 1))["pooled"]
    return {name: pooled[name] for name in ("predicted", "observed", "ratio")}


def verdict(row: Mapping[str, Any], place: int) -> str:
    """What a row says at a level: ``harm`` (better without), ``help`` (worse without) or ``nothing``."""
    low, high = row["low"][place], row["high"][place]
    if low is None or high is None or low <= 0 <= high:
        return "nothing"
    return "harm" if low > 0 else "help"
