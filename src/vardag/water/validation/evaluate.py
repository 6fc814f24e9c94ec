"""Evaluation: every model, from every origin, on the same rows; then the tables."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from itertools import count
from typing import Any

import polars as pl

from vardag.water.lof.port import Model
from vardag.water.validation import streets
from vardag.water.validation.metrics import LEVELS
from vardag.water.validation.splits import Origin, origins, split
from vardag.water.validation.tables import Row, Trial, believed, calibration, curves, headline
from vardag.water.winters import WINTER

IDENTITY = (
    "pipe_key",
    "origin",
    "as_of",
    "length_m",
    "exposure_years",
    "breaks",
    "breaks_3y",
    "material",
    "street_block",
    "own_breaks",
)
LABELS = ("breaks", "breaks_3y", "exposure_years", *WINTER)
REGISTER, REBUILT = "register", "with_rebuilt"

Progress = Callable[[str, int, int], None]


def evaluate(
    panel: pl.DataFrame,
    *,
    models: Sequence[Model],
    test_years: Iterable[int],
    horizons: Sequence[int] = (1, 3),
    seed: int = 0,
    city: str = "",
    subject: str | None = None,
    progress: Progress | None = None,
    replicates: int | None = None,
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Train and predict from rolling origins, and make the tables of ``evaluation.json``.

    Parameters
    ----------
    panel
        Pipe-years, all origins; lives rebuilt from the break log have ``origin`` other than ``register``.
    models
        Recipes; each is fitted anew from every origin.
    test_years
        Years to predict; each from 31 December of the year before.
    horizons
        Years ahead, 1 or 3. Three years ahead takes the same rates, and the origins whose three years are wholly
        inside the record.
    seed
        Seed of the bootstrap.
    subject
        Model that the others are compared with; the first of `models` unless given.
    progress
        Called with what is being done, how many fits are done, and how many there are.
    replicates
        Bootstrap replicates; the policy's unless given.

    Returns
    -------
    The scores (a row per population, pipe life and origin, with ``population`` and one column of rates per model),
    and the document, ready for JSON.
    """
    days = origins(panel, test_years)
    names = [model.name for model in models]
    scores = score(panel, models=models, days=days, progress=progress)
    tables = {
        str(population): {
            str(years): tabulate(_trial(part, names, subject or names[0], years), seed=seed, replicates=replicates)
            for years in horizons
        }
        for (population,), part in scores.partition_by("population", as_dict=True).items()
    }
    return scores, {"city": city, "populations": tables, "models": names, "levels": list(LEVELS), "seed": seed}


def score(
    panel: pl.DataFrame, *, models: Sequence[Model], days: Sequence[date], progress: Progress | None = None
) -> pl.DataFrame:
    """Out-of-sample rates of every model from every origin, for the register's pipes and with the rebuilt ones.

    Where no life was rebuilt both populations are the same rows, and the first is used for both.
    """
    register = panel.filter(pl.col("origin") == "register")
    populations = {REGISTER: register} | ({REBUILT: panel} if register.height < panel.height else {})
    tell = _teller(progress, len(populations) * len(days) * len(models))
    parts = [
        score_origin(split(rows, day), models, tell=tell).with_columns(population=pl.lit(population))
        for population, rows in populations.items()
        for day in days
    ]
    scores = pl.concat(parts)
    same = scores.with_columns(population=pl.lit(REBUILT))
    return scores if REBUILT in populations else pl.concat([scores, same])


def _teller(progress: Progress | None, total: int) -> Callable[[str], None]:
    numbers = count()
    return lambda what: progress(what, next(numbers), total) if progress else None


def score_origin(
    origin: Origin, models: Sequence[Model], *, tell: Callable[[str], None] = lambda _: None
) -> pl.DataFrame:
    """Identity columns and rates of one origin. The models are shown the risk set without its labels."""
    shown = origin.test.drop(LABELS, strict=False)
    rates = []
    for model in models:
        tell(f"{model.name}, {origin.as_of.year + 1}")
        rates.append(pl.Series(model.name, model.fit(origin.train).rate(shown)))
    absent = [pl.lit(None, dtype=pl.String).alias(name) for name in IDENTITY if name not in origin.test.columns]
    return origin.test.with_columns(absent).select(IDENTITY).with_columns(rates)


def _trial(scores: pl.DataFrame, names: Sequence[str], subject: str, years: int) -> Trial:
    whole = scores if years == 1 else scores.filter(pl.col(f"breaks_{years}y").is_not_null())
    return Trial(whole, names, subject, years)


def tabulate(trial: Trial, *, seed: int, replicates: int | None = None) -> Row | None:
    """Make the tables of one population and horizon; None where no origin reaches that far."""
    if not trial.scores.height:
        return None
    days = trial.scores["as_of"].unique().sort()
    return {
        "origins": [day.isoformat() for day in days],
        "breaks": int(trial.breaks.sum()),
        "pipe_years": trial.scores.height,
        "km_years": round(float(trial.km_years.sum()), 3),
        "headline": headline(trial, seed=seed, replicates=replicates),
        "believed": believed(trial),
        "curve": curves(trial),
        "calibration": calibration(trial),
        "no_history": headline(trial.subset(pl.col("own_breaks") == 0), seed=seed, replicates=replicates),
        "streets": streets.precision(trial) if streets.applicable(trial) else None,
    }
