"""Boosted trees for break counts, with the pipe's km-years as an offset.

Breaks of pipe i in a year have the mean ``km_years x exp(base + trees(features))``. Length enters as an
offset (Poisson exposure) and not only as a feature, so the trees learn the rate per km and the ranking is per km.
LightGBM adds ``init_score`` in training and leaves it out in prediction; it is added back here.
Sources: Ke et al. (2017), LightGBM: a highly efficient gradient boosting decision tree; Lundberg et al. (2020),
From local explanations to global understanding with explainable AI for trees (the contributions).
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Self

import lightgbm as lgb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from vardag.core.config import settings as process
from vardag.water.lof.encode import category_codes, enough, thin
from vardag.water.lof.port import Floats, Model, counts, km_years, log_rate, network_rate, numbers, usable

Categories = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Settings:
    """Settings of the boosted trees, and how much old years count.

    Attributes
    ----------
    smallest_leaf_rows, smallest_leaf_breaks
        Pipe-years that a leaf must hold, and breaks that it must expect.
    objective, variance_power
        ``poisson``, or ``tweedie`` in which the variance goes as the mean to a power: a little above one, rows of
        which much is expected weigh less.
    extra
        Try one cut of each feature drawn by lot instead of the best: rougher trees that differ more and average
        better (Geurts, Ernst and Wehenkel 2006, Extremely randomized trees, Machine Learning 63).
    half_life_years
        Age at which a training year counts half; None counts all years alike.
    seeds
        One model is fitted per seed; the log rates are averaged.
    """

    objective: str = "tweedie"
    variance_power: float = 1.2
    extra: bool = True
    rounds: int = 300
    learning_rate: float = 0.05
    leaves: int = 5
    smallest_leaf_rows: int = 100
    smallest_leaf_breaks: float = 3.0
    l2: float = 10.0
    feature_share: float = 0.5
    row_share: float = 0.7
    largest_step: float = 0.7
    bins: int = 127
    half_life_years: float | None = None
    seeds: tuple[int, ...] = (1, 2, 3)

    def parameters(self, seed: int) -> dict[str, Any]:
        """LightGBM's names for these settings; the last four make the same rows give the same trees."""
        return self._objective() | {
            "learning_rate": self.learning_rate,
            "num_leaves": self.leaves,
            "min_data_in_leaf": self.smallest_leaf_rows,
            "min_sum_hessian_in_leaf": self.smallest_leaf_breaks,
            "lambda_l2": self.l2,
            "feature_fraction": self.feature_share,
            "bagging_fraction": self.row_share,
            "bagging_freq": 1,
            "extra_trees": self.extra,
            "max_bin": self.bins,
            "verbosity": -1,
            "seed": seed,
            "num_threads": 1,
            "deterministic": True,
            "force_row_wise": True,
        }

    def _objective(self) -> dict[str, Any]:
        if self.objective == "poisson":
            return {"objective": "poisson", "poisson_max_delta_step": self.largest_step}
        return {"objective": self.objective, "tweedie_variance_power": self.variance_power}

    def train(self, data: Any, seed: int) -> Any:
        """Train one booster. Seeds run beside one another, one thread each: faster than two threads on one."""
        return lgb.train(self.parameters(seed), data, num_boost_round=self.rounds)


@dataclass(frozen=True)
class Boosted:
    """LightGBM count regression with a log km-years offset; several seeds averaged.

    Parameters
    ----------
    features
        Names of the feature columns; text columns are taken as categories.
    settings
        Settings of the trees.
    base
        A model whose rate the trees start from (such as empirical Bayes); None starts from the network's rate.
    """

    features: tuple[str, ...]
    settings: Settings = Settings()
    base: Model | None = None
    categories: Categories = ()
    boosters: tuple[Any, ...] = ()
    mean: float = 0.0
    name: str = "trees"

    def fit(self, panel: pl.DataFrame) -> Self:
        """Fit one booster per seed on all breaks and, where there are many rows, a sample of the rows without."""
        rows = usable(panel)
        base = None if self.base is None else self.base.fit(rows)
        categories = _learn_categories(rows, self.features)
        fitted = replace(self, mean=network_rate(rows), base=base, categories=categories, boosters=())
        if not counts(rows).sum():
            return fitted
        with ThreadPoolExecutor(max_workers=process().threads) as pool:
            boosters = pool.map(lambda seed: fitted._train(rows, seed), self.settings.seeds)
            return replace(fitted, boosters=tuple(boosters))

    def _train(self, rows: pl.DataFrame, seed: int) -> Any:
        """Each booster draws its own sample of the rows without breaks, so that together they see more of them."""
        kept, weights = thin(counts(rows), limit=enough(counts(rows)), seed=seed)
        rows = rows[kept] if kept.size < rows.height else rows
        data = lgb.Dataset(
            self._inputs(rows),
            label=counts(rows),
            weight=weights * _age_weights(rows, self.settings.half_life_years),
            init_score=np.log(km_years(rows)) + self._start(rows),
            feature_name=list(self.features),
            categorical_feature=[name for name, _ in self.categories],
            params={"max_bin": self.settings.bins, "verbosity": -1, "num_threads": 1},
        )
        return self.settings.train(data.construct(), seed)

    def _start(self, panel: pl.DataFrame) -> Floats:
        """Log rate that the trees start from."""
        rate = np.full(panel.height, self.mean) if self.base is None else self.base.rate(panel)
        return log_rate(rate)

    def _inputs(self, panel: pl.DataFrame) -> NDArray[np.float32]:
        values, known = np.empty((panel.height, len(self.features)), dtype=np.float32), dict(self.categories)
        for place, name in enumerate(self.features):
            is_category = name in known
            values[:, place] = category_codes(panel, name, known[name]) if is_category else numbers(panel, name)
        return values

    def rate(self, panel: pl.DataFrame) -> Floats:
        """Return expected breaks per km and year: the start times the exponential of the averaged trees."""
        start = self._start(panel)
        if not self.boosters or not panel.height:
            return np.exp(start)
        inputs = self._inputs(panel)
        return np.exp(start + self._average(lambda booster: booster.predict(inputs, raw_score=True, num_threads=1)))

    def _average(self, of: Callable[[Any], Floats]) -> Floats:
        """Mean over the boosters, beside one another, one thread each; the order of summing is always the same."""
        with ThreadPoolExecutor(max_workers=process().threads) as pool:
            return np.asarray(np.mean(list(pool.map(of, self.boosters)), axis=0))

    def explain(
        self, panel: pl.DataFrame, rows: NDArray[np.int64] | Sequence[int], *, families: Mapping[str, str]
    ) -> pl.DataFrame:
        """Tell what moves each row's rate, as multipliers by family of features.

        Parameters
        ----------
        panel
            Pipe-years of one date.
        rows
            Row numbers to explain.
        families
            Family of each feature; a feature without one is its own family.

        Returns
        -------
        One row per row asked for, in that order: ``base``, the typical rate per km and year (the geometric mean
        over the training rows), and one column per family. Base times all multipliers is the row's rate.
        """
        asked = panel[np.asarray(rows, dtype=np.int64)]
        parts = self._contributions(asked)
        table: dict[str, Floats] = {"base": np.exp(parts[:, -1])}
        for family in dict.fromkeys(families.get(name, name) for name in self.features):
            places = [i for i, name in enumerate(self.features) if families.get(name, name) == family]
            table[family] = np.exp(parts[:, places].sum(axis=1))
        return pl.DataFrame(table)

    def _contributions(self, asked: pl.DataFrame) -> Floats:
        start = self._start(asked)
        if not self.boosters or not asked.height:
            return np.hstack([np.zeros((asked.height, len(self.features))), start[:, None]])
        inputs = self._inputs(asked)
        parts = self._average(lambda booster: booster.predict(inputs, pred_contrib=True, num_threads=1))
        parts[:, -1] += start
        return parts


def _learn_categories(panel: pl.DataFrame, features: Sequence[str]) -> Categories:
    """Values of each text column, sorted, so that a value has the same number in every panel."""
    textual = [name for name in features if name in panel.columns and panel.schema[name] in _TEXT]
    return tuple((name, tuple(_values(panel[name]))) for name in textual)


_TEXT = (pl.String, pl.Categorical, pl.Enum)


def _values(column: pl.Series) -> list[str]:
    return sorted(column.cast(pl.String).drop_nulls().unique().to_list())


def _age_weights(rows: pl.DataFrame, half_life_years: float | None) -> Floats:
    if half_life_years is None:
        return np.ones(rows.height)
    days = rows.select((pl.col("as_of").max() - pl.col("as_of")).dt.total_days()).to_series().to_numpy()
    return np.asarray(0.5 ** (days / 365.25 / half_life_years))
