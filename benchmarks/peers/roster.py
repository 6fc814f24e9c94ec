"""Who takes part, in the order of the table; only the environment of ``make bench-peers`` can import this."""

from benchmarks.peers.boosters import CatBoost, XGBoost
from benchmarks.peers.forest import SurvivalForest
from benchmarks.peers.hazards import Cox, Weibull
from benchmarks.peers.regression import GlumRegression
from benchmarks.peers.table import NAMES
from benchmarks.peers.trees import HistogramBoosting
from vardag.water.commands.models import contenders
from vardag.water.lof.calibrate import calibrated
from vardag.water.lof.port import Model


def peers(*, seed: int) -> tuple[Model, ...]:
    """Every model of `NAMES`, ours first, each with its level set by the latest years in the same way."""
    others = calibrated(
        (
            Cox(seed=seed),
            Weibull(seed=seed),
            SurvivalForest(seed=seed),
            CatBoost(seed=seed),
            XGBoost(seed=seed),
            HistogramBoosting(seed=seed),
            GlumRegression(),
        )
    )
    by_name = {model.name: model for model in (*contenders(seed=seed), *others)}
    return tuple(by_name[name] for name in NAMES)
