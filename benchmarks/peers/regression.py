"""Poisson regression fitted by glum, with log km-years as an offset."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
from glum import GeneralizedLinearRegressor
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from benchmarks.peers.inputs import FEATURES, terms
from vardag.water.lof.encode import Fitted, learn, matrix
from vardag.water.lof.port import Floats, counts, km_years, network_rate, usable

SAFE_FACTOR = 1e3


@dataclass(frozen=True)
class GlumRegression:
    """Poisson regression on every feature, on all pipe-years, by iteratively reweighted least squares."""

    name: ClassVar[str] = "glum"
    features: tuple[str, ...] = FEATURES
    ridge: float = 1e-3
    encoding: tuple[Fitted, ...] = ()
    regression: Any = None
    mean: float = 0.0

    def fit(self, panel: pl.DataFrame) -> Self:
        """Fit; a panel without breaks gives the network's rate."""
        rows = usable(panel)
        mean = network_rate(rows)
        if not counts(rows).sum():
            return replace(self, encoding=(), regression=None, mean=mean)
        encoding = learn(rows, terms(self.features))
        regression = GeneralizedLinearRegressor(family="poisson", alpha=self.ridge, solver="irls-ls", max_iter=100)
        with threadpool_limits(limits=1):
            regression.fit(matrix(rows, encoding), counts(rows), offset=np.log(km_years(rows)))
        return replace(self, encoding=encoding, regression=regression, mean=mean)

    def rate(self, panel: pl.DataFrame) -> Floats:
        """Expected breaks of one km-year, kept within a thousand times the network's rate."""
        if self.regression is None:
            return np.full(panel.height, self.mean)
        rate: Floats = self.regression.predict(matrix(panel, self.encoding))
        return rate.clip(0.0, SAFE_FACTOR * self.mean)
