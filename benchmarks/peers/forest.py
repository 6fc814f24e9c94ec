"""A random survival forest, fitted by scikit-survival (GPL-3.0) on landmarks."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
from sksurv.ensemble import RandomSurvivalForest
from sksurv.util import Surv

from benchmarks.peers.inputs import FEATURES, Coding, learn_coding
from benchmarks.peers.survival import landmarks
from vardag.water.lof.encode import thin
from vardag.water.lof.port import Floats, counts, lengths_km, network_rate, usable


@dataclass(frozen=True)
class SurvivalForest:
    """Random survival forest: trees split by the log-rank statistic, cumulative hazards averaged.

    It knows neither delayed entry nor a second break, so its clock starts at a landmark (see
    `benchmarks.peers.survival`) and it sees the first break in each block of years. It gives the hazard of a pipe,
    not of a km: length is a feature, and the hazard is divided by it. Source: Ishwaran et al. (2008), Random
    survival forests, Annals of Applied Statistics 2.
    """

    name: ClassVar[str] = "survival_forest"
    features: tuple[str, ...] = FEATURES
    trees: int = 100
    smallest_leaf: int = 30
    block_years: int = 3
    row_limit: int = 6_000
    seed: int = 0
    coding: Coding | None = None
    forest: Any = None
    mean: float = 0.0

    def fit(self, panel: pl.DataFrame) -> Self:
        """Grow the forest on all blocks with a break and a weighted sample of those without."""
        rows = usable(panel)
        mean = network_rate(rows)
        if not counts(rows).sum():
            return replace(self, forest=None, mean=mean)
        blocks = landmarks(rows, years=self.block_years)
        kept, weights = thin(blocks["broke"].cast(pl.Float64).to_numpy(), limit=self.row_limit, seed=self.seed)
        blocks = blocks[kept]
        coding = learn_coding(blocks, self.features)
        time = Surv.from_arrays(blocks["broke"].to_numpy(), blocks["followed_years"].to_numpy())
        forest = RandomSurvivalForest(
            n_estimators=self.trees, min_samples_leaf=self.smallest_leaf, n_jobs=1, random_state=self.seed
        )
        return replace(
            self, coding=coding, forest=forest.fit(coding.matrix(blocks), time, sample_weight=weights), mean=mean
        )

    def rate(self, panel: pl.DataFrame) -> Floats:
        """Hazard over a block, per year of it and per km."""
        if self.coding is None or self.forest is None:
            return np.full(panel.height, self.mean)
        cumulative = self.forest.predict_cumulative_hazard_function(self.coding.matrix(panel), return_array=True)
        years = float(self.forest.unique_times_[-1])
        return np.asarray(cumulative[:, -1] / years / np.maximum(lengths_km(panel), 1e-6))
