"""Calibration: the level of a model is set by what the latest years really gave.

Break rates of a city fall (renewal, pressure) or rise (a cold decade); a model fitted on all years predicts their
mean. The factor is (observed + 1) / (predicted + 1) over the latest label years, the gamma-Poisson mean with a
prior worth one break at the model's own level, so that no break at all does not give a rate of zero. It scales
every pipe alike and leaves the ranking as it was.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import polars as pl

from vardag.water.lof.port import POLICY, Floats, Model, counts, km_years, usable


@dataclass(frozen=True)
class Record:
    """What the level rests on: the label years used, their breaks, what the model gave for them, the factor."""

    label_years: tuple[int, ...]
    observed: float
    predicted: float
    factor: float

    def document(self) -> dict[str, Any]:
        """Return plain values for the run record and the report."""
        return asdict(self) | {"label_years": list(self.label_years)}


NOT_CALIBRATED = Record((), 0.0, 0.0, 1.0)


@dataclass(frozen=True)
class Calibrated:
    """A model whose level is set by the latest label years.

    Parameters
    ----------
    model
        The model to scale; its name is kept.
    years
        Latest label years to use; the policy's ``calibration_years`` unless given.
    """

    model: Model
    years: int = POLICY.value("calibration_years")
    record: Record = NOT_CALIBRATED

    @property
    def name(self) -> str:
        """Name of the model inside."""
        return self.model.name

    def fit(self, panel: pl.DataFrame) -> Self:
        """Fit the model on all rows, then set the level by the latest ones."""
        fitted = self.model.fit(panel)
        return replace(self, model=fitted, record=measure(fitted, panel, years=self.years))

    def rate(self, panel: pl.DataFrame) -> Floats:
        """Return the model's rate times the factor."""
        return self.record.factor * self.model.rate(panel)


def measure(fitted: Model, panel: pl.DataFrame, *, years: int) -> Record:
    """Compare a fitted model with the latest label years of its panel."""
    rows = usable(panel)
    latest = rows["as_of"].unique().sort().tail(years)
    recent = rows.filter(pl.col("as_of").is_in(latest.implode()))
    observed = float(counts(recent).sum())
    predicted = float((fitted.rate(recent) * km_years(recent)).sum())
    label_years = tuple(day.year + 1 for day in latest)
    return Record(label_years, observed, predicted, (observed + 1.0) / (predicted + 1.0))


def calibrated(models: Sequence[Model], *, years: int = POLICY.value("calibration_years")) -> tuple[Model, ...]:
    """Set the level of every model the same way, so that none is favoured in a comparison."""
    return tuple(Calibrated(model, years) for model in models)
