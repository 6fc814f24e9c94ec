"""Poisson regression: log rate is a sum of terms.

    log(rate per km and year) = a + material + era + f(age) + log diameter + log length + log(1 + own rate)
                                + log(1 + breaks nearby) ...

fitted by maximum likelihood with a small ridge, the rate weighted by km-years (the same as an offset of log
km-years in the count). ``f`` is a line that may bend at 20, 40, 60 and 80 years.
Sources: McCullagh and Nelder (1989), Generalized linear models, ch. 6; on water mains Kleiner and Rajani (2001),
Comprehensive review of structural deterioration of water mains: statistical models, Urban Water 3.
"""

import warnings
from dataclasses import dataclass, replace
from typing import Any, Self

import polars as pl
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import PoissonRegressor

from vardag.water.lof.encode import Fitted, Term, enough, learn, matrix, thin
from vardag.water.lof.port import (
    Floats,
    counts,
    km_years,
    lengths_km,
    network_rate,
    numbers,
    one_thread,
    usable,
)

RIDGE = 1e-4
OWN_SHRINK_KM_YEARS = 1.0
SAFE_FACTOR = 1e3

TERMS = (
    Term("material", "category"),
    Term("era", "category"),
    Term("age_years", "hinge"),
    Term("diameter_mm", "log"),
    Term("length_m", "log"),
    Term("own_past_rate", "log1p"),
)


def with_past_rate(panel: pl.DataFrame) -> pl.DataFrame:
    """Add ``own_past_rate``: own breaks per km-year, with one km-year added so that short pipes stay sensible."""
    observed = lengths_km(panel) * numbers(panel, "own_observed_years", missing=0.0)
    rate = numbers(panel, "own_breaks", missing=0.0) / (observed + OWN_SHRINK_KM_YEARS)
    return panel.with_columns(own_past_rate=pl.Series(rate))


@dataclass(frozen=True)
class PoissonGlm:
    """Poisson regression on the pipe, its own past and the breaks around it.

    Parameters
    ----------
    neighbours
        Columns of breaks or rates around the pipe; each enters as log(1 + x).
    """

    neighbours: tuple[str, ...] = ()
    seed: int = 0
    encoding: tuple[Fitted, ...] = ()
    regression: Any = None
    mean: float = 0.0
    name: str = "poisson_glm"

    def fit(self, panel: pl.DataFrame) -> Self:
        """Fit by Newton steps; a panel without breaks gives the network's rate."""
        rows = usable(panel)
        mean = network_rate(rows)
        if not counts(rows).sum():
            return replace(self, encoding=(), regression=None, mean=mean)
        kept, weights = thin(counts(rows), limit=enough(counts(rows)), seed=self.seed)
        rows = with_past_rate(rows[kept])
        encoding = learn(rows, TERMS + tuple(Term(name, "log1p") for name in self.neighbours))
        size = km_years(rows)
        regression = PoissonRegressor(alpha=RIDGE, solver="newton-cholesky", max_iter=100)
        with one_thread(), warnings.catch_warnings():
            # Newton's last steps may not reach the tolerance on nearly empty cells; the ridge bounds them.
            warnings.simplefilter("ignore", ConvergenceWarning)
            regression.fit(matrix(rows, encoding), counts(rows) / size, sample_weight=size * weights)
        return replace(self, encoding=encoding, regression=regression, mean=mean)

    def rate(self, panel: pl.DataFrame) -> Floats:
        """Return the fitted rate, kept within a thousand times the network's."""
        if self.regression is None:
            return pl.repeat(self.mean, panel.height, dtype=pl.Float64, eager=True).to_numpy()
        with one_thread():
            rate: Floats = self.regression.predict(matrix(with_past_rate(panel), self.encoding))
        return rate.clip(0.0, SAFE_FACTOR * self.mean)
