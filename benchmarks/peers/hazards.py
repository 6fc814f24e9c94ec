"""Cox's proportional hazards and the Weibull model, fitted by lifelines on the pipe's age with delayed entry."""

import warnings
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import polars as pl
from lifelines import CoxPHFitter, WeibullAFTFitter
from lifelines.exceptions import ConvergenceError, ConvergenceWarning, StatisticalWarning

from benchmarks.peers.inputs import AGE, FEATURES, known_ages, terms, typical_age
from benchmarks.peers.survival import Baseline, Pieces, baseline, pieces
from vardag.water.lof.encode import Fitted, learn, matrix, thin
from vardag.water.lof.port import Floats, counts, lengths_km, network_rate, usable

SAFE_FACTOR = 1e3
COLUMNS = {"duration_col": "stop", "event_col": "event", "entry_col": "entry", "weights_col": "weight"}
LARGEST_RIDGE = 1.0


@dataclass(frozen=True)
class _AgeHazard:
    """What both share: pieces of age, a design without age (it is the clock), and a rate per km.

    The hazard is the pipe's; the logarithm of its length is a covariate with a coefficient of its own, and the
    expected breaks of the next year are divided by the length. Above `row_limit` pipe-years without a break are
    sampled and weighted.
    """

    features: tuple[str, ...] = FEATURES
    name: ClassVar[str]
    ridge: float = 1e-3
    row_limit: int = 20_000
    seed: int = 0
    encoding: tuple[Fitted, ...] = ()
    hazard: Any = None
    typical: float = 0.0
    mean: float = 0.0

    def fit(self, panel: pl.DataFrame) -> Self:
        """Fit on the observed pieces of age; a panel without breaks gives the network's rate."""
        rows = usable(panel)
        mean = network_rate(rows)
        if not counts(rows).sum():
            return replace(self, encoding=(), hazard=None, mean=mean)
        kept, weights = thin(counts(rows), limit=self.row_limit, seed=self.seed)
        rows, typical = rows[kept], typical_age(rows)
        encoding = learn(rows, terms(tuple(name for name in self.features if name != AGE)))
        observed = pieces(rows, typical=typical)
        hazard = self._converged(matrix(rows, encoding)[observed.row], observed, weights[observed.row])
        return replace(self, encoding=encoding, hazard=hazard, typical=typical, mean=mean)

    def rate(self, panel: pl.DataFrame) -> Floats:
        """Expected breaks in the next year per km, kept within a thousand times the network's rate."""
        if self.hazard is None:
            return np.full(panel.height, self.mean)
        ages = known_ages(panel, self.typical)
        expected = self._expected(matrix(panel, self.encoding), ages)
        return np.asarray(expected / np.maximum(lengths_km(panel), 1e-6)).clip(0.0, SAFE_FACTOR * self.mean)

    def _converged(self, design: Floats, observed: Pieces, weight: Floats) -> Any:
        """Fit; where Newton's steps do not converge, again with ten times the ridge."""
        ridge = self.ridge
        while ridge <= LARGEST_RIDGE:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", StatisticalWarning)  # weights of a sample are no whole numbers
                    warnings.simplefilter("error", ConvergenceWarning)
                    return self._hazard(design, observed, weight, ridge)
            except (ConvergenceError, ConvergenceWarning):
                ridge *= 10.0
        raise ConvergenceError(f"{self.name}: no fit converged with a ridge of up to {LARGEST_RIDGE:g}.")

    def _hazard(self, design: Floats, observed: Pieces, weight: Floats, ridge: float) -> Any:
        raise NotImplementedError

    def _expected(self, design: Floats, ages: Floats) -> Floats:
        raise NotImplementedError


@dataclass(frozen=True)
class CoxHazard:
    """Coefficients and the baseline by age."""

    coefficients: Floats
    baseline: Baseline


@dataclass(frozen=True)
class Cox(_AgeHazard):
    """Cox's proportional hazards: any course of the hazard with age, the same for all pipes but for a factor."""

    name: ClassVar[str] = "cox"
    half_width: int = 5

    def _hazard(self, design: Floats, observed: Pieces, weight: Floats, ridge: float) -> CoxHazard:
        frame = _frame(design, observed, weight)
        fitted = CoxPHFitter(penalizer=ridge).fit(frame, **COLUMNS, fit_options={"step_size": 0.5})
        coefficients = fitted.params_.to_numpy()
        risk = np.exp(design @ coefficients)
        return CoxHazard(coefficients, baseline(observed, risk, weight, half_width=self.half_width))

    def _expected(self, design: Floats, ages: Floats) -> Floats:
        return np.asarray(self.hazard.baseline.at(ages) * np.exp(design @ self.hazard.coefficients))


@dataclass(frozen=True)
class Weibull(_AgeHazard):
    """The Weibull accelerated failure time model: the hazard is a power of age, the covariates stretch time."""

    name: ClassVar[str] = "weibull_aft"

    def _hazard(self, design: Floats, observed: Pieces, weight: Floats, ridge: float) -> WeibullAFTFitter:
        frame = _frame(design, observed, weight)
        return WeibullAFTFitter(penalizer=ridge).fit(frame, **COLUMNS, fit_options={"maxiter": 1000, "ftol": 1e-8})

    def _expected(self, design: Floats, ages: Floats) -> Floats:
        covariates = pd.DataFrame(design, columns=_names(design))
        ahead = self.hazard.predict_cumulative_hazard(covariates, times=[1.0], conditional_after=ages)
        return np.asarray(ahead.to_numpy()[0])


def _frame(design: Floats, observed: Pieces, weight: Floats) -> pd.DataFrame:
    ends = {"entry": observed.entry, "stop": observed.stop, "event": observed.event, "weight": weight}
    return pd.DataFrame(design, columns=_names(design)).assign(**ends)


def _names(design: Floats) -> list[str]:
    return [f"x{place}" for place in range(design.shape[1])]
