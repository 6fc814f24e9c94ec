"""Calibration: the level of a model is set by what the latest years really gave.

Break rates of a city fall (renewal, pressure) or rise (a cold decade); a model fitted on all years predicts their
mean. The factor is (observed + 1) / (predicted + 1) over the latest label years, the gamma-Poisson mean with a
prior worth one break at the model's own level, so that no break at all does not give a rate of zero. It scales
every pipe alike and leaves the ranking as it was.

Trends differ between materials: one falls as it is renewed, another has come of age. With ``by_material`` each
material's own factor follows in the same way, with a prior worth more breaks, so that a material with few stays
near the common level. That may move materials past each other in the ranking.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

import numpy as np
import polars as pl

from vardag.water.lof.port import POLICY, Floats, Model, counts, km_years, usable


@dataclass(frozen=True)
class Record:
    """What the level rests on: the label years used, their breaks, what the model gave for them, the factor.

    ``materials`` has each material's own factor beside it, where it was asked for.
    """

    label_years: tuple[int, ...]
    observed: float
    predicted: float
    factor: float
    materials: dict[str, float] = field(default_factory=dict)

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
    by_material
        Let each material follow its own latest years too.
    """

    model: Model
    years: int = POLICY.value("calibration_years")
    by_material: bool = False
    record: Record = NOT_CALIBRATED

    @property
    def name(self) -> str:
        """Name of the model inside."""
        return self.model.name

    def fit(self, panel: pl.DataFrame) -> Self:
        """Fit the model on all rows, then set the level by the latest ones."""
        fitted = self.model.fit(panel)
        record = measure(fitted, panel, years=self.years, by_material=self.by_material)
        return replace(self, model=fitted, record=record)

    def rate(self, panel: pl.DataFrame) -> Floats:
        """Return the model's rate times the factor, and times the material's."""
        return self.record.factor * self.model.rate(panel) * material_factors(self.record, panel)


def material_factors(record: Record, panel: pl.DataFrame) -> Floats:
    """The material's own factor of each row; 1 where it has none."""
    if not record.materials:
        return np.ones(panel.height)
    name = _material().replace_strict(record.materials, default=1.0, return_dtype=pl.Float64)
    return panel.select(name).to_series().to_numpy()


def _material() -> pl.Expr:
    return pl.col("material").cast(pl.String).fill_null("UNKNOWN")


def measure(fitted: Model, panel: pl.DataFrame, *, years: int, by_material: bool = False) -> Record:
    """Compare a fitted model with the latest label years of its panel."""
    rows = usable(panel)
    latest = rows["as_of"].unique().sort().tail(years)
    recent = rows.filter(pl.col("as_of").is_in(latest.implode()))
    expected = fitted.rate(recent) * km_years(recent)
    observed, predicted = float(counts(recent).sum()), float(expected.sum())
    label_years = tuple(day.year + 1 for day in latest)
    factor = (observed + 1.0) / (predicted + 1.0)
    materials = _of_materials(recent, factor * expected) if by_material else {}
    return Record(label_years, observed, predicted, factor, materials)


def _of_materials(recent: pl.DataFrame, expected: Floats) -> dict[str, float]:
    weight: float = POLICY.value("calibration_material_prior")
    seen = recent.select(material=_material(), observed=pl.Series(counts(recent)), expected=pl.Series(expected))
    sums = seen.group_by("material", maintain_order=True).agg(pl.sum("observed", "expected")).sort("material")
    factors = (sums["observed"] + weight) / (sums["expected"] + weight)
    return dict(zip(sums["material"], factors, strict=True))


def calibrated(models: Sequence[Model], *, years: int = POLICY.value("calibration_years")) -> tuple[Model, ...]:
    """Set the level of every model the same way, so that none is favoured in a comparison."""
    return tuple(Calibrated(model, years) for model in models)
