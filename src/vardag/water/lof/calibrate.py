"""Calibration: the level of a model is set by what the latest years really gave.

Break rates of a city fall (renewal, pressure) or rise (a cold decade); a model fitted on all years predicts their
mean. The factor is (observed + 1) / (predicted + 1) over the latest label years, the gamma-Poisson mean with a
prior worth one break at the model's own level, so that no break at all does not give a rate of zero. It scales
every pipe alike and leaves the ranking as it was.

Trends differ between materials: one falls as it is renewed, another has come of age. With ``by_material`` each
material's own factor follows in the same way, with a prior worth more breaks, so that a material with few stays
near the common level. That may move materials past each other in the ranking.

A run of mild winters gives few breaks and says nothing of the next. Where the panel has the winters of enough label
years, the factor is set to what the latest years would have given in the record's average winter (`winter_effect`).
That scales every pipe alike: materials keep the factors that they have without it, and the ranking stays.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

import numpy as np
import polars as pl

from vardag.water.lof.port import POLICY, Floats, Model, counts, km_years, usable
from vardag.water.lof.winter_effect import Winters, enough, winter_effect, winters_of


@dataclass(frozen=True)
class Record:
    """What the level rests on: the label years used, their breaks, what the model gave for them, the factor.

    ``materials`` has each material's own factor beside it, where it was asked for. ``winters`` tells what the
    winters of the record did, where they are known; the factor then counts on an average one.
    """

    label_years: tuple[int, ...]
    observed: float
    predicted: float
    factor: float
    materials: dict[str, float] = field(default_factory=dict)
    winters: Winters | None = None

    def document(self) -> dict[str, Any]:
        """Return plain values for the run record and the report."""
        told = asdict(self) | {"label_years": list(self.label_years)}
        return {name: value for name, value in told.items() if name != "winters" or value is not None}


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
    record = Record(label_years, observed, predicted, factor, materials)
    return _in_an_average_winter(record, fitted, rows, recent.select("as_of", expected=pl.Series(expected)))


def _in_an_average_winter(record: Record, fitted: Model, rows: pl.DataFrame, recent: pl.DataFrame) -> Record:
    """Count on the record's average winter in the place of the latest years' own; as it was where few are known."""
    known = winters_of(rows)
    if not enough(known):
        return record
    seen = rows.filter(pl.col("as_of").is_in(known["as_of"].implode()))
    told = seen.select("as_of", observed=counts(seen), predicted=fitted.rate(seen) * km_years(seen))
    sums = told.group_by("as_of", maintain_order=True).agg(pl.sum("observed", "predicted"))
    winters = winter_effect(known.join(sums, on="as_of", maintain_order="left"))
    levelled = float((recent["expected"].to_numpy() * winters.of(recent["as_of"])).sum())
    winters = replace(winters, latest=levelled / record.predicted if record.predicted else 1.0)
    return replace(record, factor=(record.observed + 1.0) / (levelled + 1.0), winters=winters)


def _of_materials(recent: pl.DataFrame, expected: Floats) -> dict[str, float]:
    weight: float = POLICY.value("calibration_material_prior")
    seen = recent.select(material=_material(), observed=pl.Series(counts(recent)), expected=pl.Series(expected))
    sums = seen.group_by("material", maintain_order=True).agg(pl.sum("observed", "expected")).sort("material")
    factors = (sums["observed"] + weight) / (sums["expected"] + weight)
    return dict(zip(sums["material"], factors, strict=True))


def calibrated(models: Sequence[Model], *, years: int = POLICY.value("calibration_years")) -> tuple[Model, ...]:
    """Set the level of every model the same way, so that none is favoured in a comparison."""
    return tuple(Calibrated(model, years) for model in models)
