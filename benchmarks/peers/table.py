"""One Markdown table: what each model caught, what its fit took, and how far ours lies ahead."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score

from benchmarks.peers.comparison import Comparison
from vardag.water.lof.port import lengths_km
from vardag.water.validation.metrics import LEVELS
from vardag.water.validation.tables import Trial, headline

NAMES: Mapping[str, str] = {
    "vardag": "**Vardag**",
    "ann": "neural network, Stockholm's kind",
    "cox": "Cox proportional hazards (lifelines)",
    "weibull_aft": "Weibull AFT (lifelines)",
    "survival_forest": "random survival forest (scikit-survival)",
    "catboost": "CatBoost, Poisson",
    "xgboost": "XGBoost, Poisson",
    "histogram_boosting": "histogram boosting, Poisson (scikit-learn)",
    "glum": "Poisson regression (glum)",
    "empirical_bayes": "empirical Bayes",
    "past_breaks_per_km": "past breaks per km",
    "material_age": "material x age rate",
    "oldest_first": "oldest first",
    "random": "random",
}
SHOWN = (0.01, 0.05, 0.1, 0.2)
LEADS = (0.05, 0.1)
NONE = "–"


def markdown(comparison: Comparison, *, city: str, seed: int, replicates: int | None = None) -> str:
    """Make the table, with one line that says what it was made on.

    Parameters
    ----------
    city
        Name of the city, for the line.
    seed
        Seed of the bootstrap.
    replicates
        Bootstrap replicates; the policy's unless given.
    """
    trial = Trial(comparison.scores, comparison.models, comparison.models[0], 1)
    heads = ["ranked by", *(f"{level:.0%}".replace("%", " %") for level in SHOWN), "PR-AUC", "fit, s"]
    heads += [f"ahead at {level:.0%}".replace("%", " %") for level in LEADS]
    lines = [heads, ["---", *["---:" for _ in heads[1:]]], *_rows(trial, comparison.seconds, seed, replicates)]
    return f"{_caption(trial, city, seed)}\n\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _caption(trial: Trial, city: str, seed: int) -> str:
    years = trial.scores["as_of"].dt.year().unique().sort() + 1
    return (
        f"{city}, test years {years[0]} to {years[-1]}: {trial.scores.height:,} pipe-years, "
        f"{trial.breaks.sum():.0f} breaks, seed {seed}. Share of breaks (%) in the top share of length; Vardag's "
        "share minus the peer's with a 95 % interval, by bootstrap over pipes, paired."
    )


def _rows(trial: Trial, seconds: Mapping[str, float], seed: int, replicates: int | None) -> Iterator[list[str]]:
    for row in headline(trial, seed=seed, replicates=replicates):
        name = row["model"]
        captured = [_percent(row["capture"][LEVELS.index(level)]) for level in SHOWN]
        ahead = ["" if name == trial.subject else _lead(row, LEVELS.index(level)) for level in LEADS]
        yield [NAMES.get(name, name), *captured, f"{pr_auc(trial, name):.4f}", f"{seconds[name]:.1f}", *ahead]


def pr_auc(trial: Trial, model: str) -> float:
    """Average precision of the expected breaks of a pipe, rate times length, against whether it broke that year."""
    broke = trial.breaks > 0
    expected = np.asarray(trial.scores[model].to_numpy() * lengths_km(trial.scores))
    return float(average_precision_score(broke, expected)) if broke.any() else float("nan")


def _lead(row: Mapping[str, Any], place: int) -> str:
    value, low, high = (row[key][place] for key in ("difference", "difference_low", "difference_high"))
    return NONE if value is None else f"{_percent(value, '+')} ({_percent(low, '+')} to {_percent(high, '+')})"


def _percent(share: float | None, sign: str = "") -> str:
    return NONE if share is None else f"{100 * share:{sign}.1f}"
