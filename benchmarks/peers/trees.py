"""scikit-learn's histogram gradient boosting on breaks per km and year."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
from sklearn.ensemble import HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from benchmarks.peers.inputs import FEATURES, Coding, learn_coding
from vardag.water.lof.port import Floats, counts, km_years, network_rate, usable


@dataclass(frozen=True)
class Size:
    """How much a boosted model may learn: the same for the three, as near as their settings allow.

    Attributes
    ----------
    smallest_leaf_breaks
        Breaks that a leaf must expect, where the library can be told.
    """

    rounds: int = 240
    learning_rate: float = 0.05
    leaves: int = 5
    depth: int = 3
    l2: float = 10.0
    feature_share: float = 0.5
    row_share: float = 0.7
    smallest_leaf_rows: int = 100
    smallest_leaf_breaks: float = 3.0


SIZE = Size()


@dataclass(frozen=True)
class HistogramBoosting:
    """Poisson loss on the rate, weighted by km-years: the same gradients as an offset of log km-years."""

    name: ClassVar[str] = "histogram_boosting"
    features: tuple[str, ...] = FEATURES
    size: Size = SIZE
    seed: int = 0
    coding: Coding | None = None
    booster: Any = None
    mean: float = 0.0

    def fit(self, panel: pl.DataFrame) -> Self:
        """Fit on all usable rows with one thread."""
        rows = usable(panel)
        mean = network_rate(rows)
        if not counts(rows).sum():
            return replace(self, booster=None, mean=mean)
        coding, km = learn_coding(rows, self.features), km_years(rows)
        booster = HistGradientBoostingRegressor(
            loss="poisson",
            learning_rate=self.size.learning_rate,
            max_iter=self.size.rounds,
            max_leaf_nodes=self.size.leaves,
            min_samples_leaf=self.size.smallest_leaf_rows,
            l2_regularization=self.size.l2,
            max_features=self.size.feature_share,
            categorical_features=list(coding.is_category),
            early_stopping=False,
            random_state=self.seed,
        )
        with threadpool_limits(limits=1):
            booster.fit(coding.matrix(rows), counts(rows) / km, sample_weight=km / km.mean())
        return replace(self, coding=coding, booster=booster, mean=mean)

    def rate(self, panel: pl.DataFrame) -> Floats:
        """Rate per km and year."""
        if self.coding is None or self.booster is None:
            return np.full(panel.height, self.mean)
        with threadpool_limits(limits=1):
            return np.asarray(self.booster.predict(self.coding.matrix(panel)))
