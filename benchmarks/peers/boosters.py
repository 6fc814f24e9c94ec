"""XGBoost and CatBoost for break counts, with log km-years as what the trees start from."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import polars as pl
import xgboost
from catboost import CatBoostRegressor, Pool

from benchmarks.peers.inputs import FEATURES, UNKNOWN, Coding, learn_coding
from benchmarks.peers.trees import SIZE, Size
from vardag.water.lof.port import Floats, counts, km_years, network_rate, numbers, usable


@dataclass(frozen=True)
class XGBoost:
    """XGBoost with ``count:poisson``; the base margin is log(km-years x network rate)."""

    name: ClassVar[str] = "xgboost"
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
        fitted = replace(self, coding=learn_coding(rows, self.features), mean=mean)
        data = fitted._data(rows, km_years(rows), label=counts(rows))
        return replace(fitted, booster=xgboost.train(self._parameters(), data, num_boost_round=self.size.rounds))

    def _parameters(self) -> dict[str, Any]:
        return {
            "objective": "count:poisson",
            "tree_method": "hist",
            "grow_policy": "lossguide",
            "max_leaves": self.size.leaves,
            "max_depth": 0,
            "eta": self.size.learning_rate,
            "lambda": self.size.l2,
            "min_child_weight": self.size.smallest_leaf_breaks,
            "subsample": self.size.row_share,
            "colsample_bytree": self.size.feature_share,
            "max_delta_step": 0.7,
            "nthread": 1,
            "seed": self.seed,
        }

    def _data(self, rows: pl.DataFrame, km: Floats, *, label: Floats | None = None) -> xgboost.DMatrix:
        if self.coding is None:
            raise ValueError("xgboost: not fitted. Call fit(panel) first.")
        return xgboost.DMatrix(
            self.coding.matrix(rows),
            label=label,
            base_margin=np.log(km * self.mean),
            feature_types=["c" if category else "q" for category in self.coding.is_category],
            enable_categorical=True,
            nthread=1,
        )

    def rate(self, panel: pl.DataFrame) -> Floats:
        """Expected breaks of one km-year."""
        if self.booster is None:
            return np.full(panel.height, self.mean)
        return np.asarray(self.booster.predict(self._data(panel, np.ones(panel.height))), dtype=np.float64)


@dataclass(frozen=True)
class CatBoost:
    """CatBoost with Poisson loss and its own way with categories; the baseline is log(km-years x network rate)."""

    name: ClassVar[str] = "catboost"
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
        fitted = replace(self, coding=learn_coding(rows, self.features), mean=mean)
        pool = Pool(
            fitted._frame(rows),
            label=counts(rows),
            baseline=np.log(km_years(rows) * mean),
            cat_features=list(fitted.coding.values if fitted.coding else ()),
            thread_count=1,
        )
        return replace(fitted, booster=self._recipe().fit(pool))

    def _recipe(self) -> CatBoostRegressor:
        return CatBoostRegressor(
            loss_function="Poisson",
            iterations=self.size.rounds,
            learning_rate=self.size.learning_rate,
            depth=self.size.depth,
            l2_leaf_reg=self.size.l2,
            rsm=self.size.feature_share,
            bootstrap_type="Bernoulli",
            subsample=self.size.row_share,
            boost_from_average=False,
            random_seed=self.seed,
            thread_count=1,
            allow_writing_files=False,
            logging_level="Silent",
        )

    def _frame(self, rows: pl.DataFrame) -> pd.DataFrame:
        coding = self.coding or Coding((), {})
        return pd.DataFrame(
            {
                name: rows[name].fill_null(UNKNOWN).to_list() if name in coding.values else numbers(rows, name)
                for name in coding.features
            }
        )

    def rate(self, panel: pl.DataFrame) -> Floats:
        """Network rate times the exponential of the trees."""
        if self.booster is None:
            return np.full(panel.height, self.mean)
        raw = self.booster.predict(self._frame(panel), prediction_type="RawFormulaVal", thread_count=1)
        return np.asarray(self.mean * np.exp(raw))
