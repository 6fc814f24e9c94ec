"""When there are few breaks, or none: published rates, weighed against what the city has seen.

The rate of a cohort (material x era) is built in three steps, each a gamma-Poisson mean with a prior that weighs
as much as ``a`` breaks, so each works with no break at all::

    published rate of the material          r_m                     (Folkman 2018, per 100 miles and year)
    the city's level      f  = (breaks + a) / (km-years x r_m summed + a)
    the material's        g  = (breaks of it + b) / (expected at f r_m + b)
    the cohort's          h  = (breaks of it + b) / (expected at f g r_m + b)
    rate                  r_m f g h

Source of the shrinkage: Hauer (1997), ch. 11. Which part is prior and which is data is said in words by `choose`.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import polars as pl

from vardag.core.texts import Texts
from vardag.water.lof.port import POLICY, Floats, Model, counts, km_years, look_up, usable

TEXTS = Texts(Path(__file__).with_name("texts.toml"))
COHORT = ["material", "era"]
MATERIAL = ["material"]
KM_PER_MILE = 1.609344  # international mile (1959), exact


def published_rates() -> dict[str, float]:
    """Published breaks per km and year by material, from the policy's breaks per 100 miles."""
    per_100_miles = POLICY.value("prior_breaks_per_100_miles")
    return {material: value / 100.0 / KM_PER_MILE for material, value in per_100_miles.items()}


@dataclass(frozen=True)
class CohortPrior:
    """Cohort rates with a published prior; works with few breaks and with none."""

    level: float = 1.0
    expected_breaks: float = 0.0
    materials: pl.DataFrame | None = None
    cohorts: pl.DataFrame | None = None
    name: str = "cohort_prior"

    def fit(self, panel: pl.DataFrame) -> Self:
        """Set the city's level, then each material's and each cohort's."""
        rows = usable(panel)
        expected = prior_rate(rows) * km_years(rows)
        level = _factor(float(counts(rows).sum()), float(expected.sum()), POLICY.value("prior_breaks_level"))
        table = _named(rows).with_columns(expected=pl.Series(level * expected), seen=pl.Series(counts(rows)))
        materials = _group_factors(table, MATERIAL)
        above = look_up(table, MATERIAL, materials, "factor")
        cohorts = _group_factors(table.with_columns(pl.col("expected") * above), COHORT)
        total = float(expected.sum())
        return replace(self, level=level, expected_breaks=total, materials=materials, cohorts=cohorts)

    def rate(self, panel: pl.DataFrame) -> Floats:
        """Published rate times the city's level, the material's factor and the cohort's."""
        if self.materials is None or self.cohorts is None:
            raise ValueError("cohort_prior: not fitted. Call fit(panel) first.")
        rows = _named(panel)
        material = look_up(rows, MATERIAL, self.materials, "factor").fill_null(1.0).to_numpy()
        cohort = look_up(rows, COHORT, self.cohorts, "factor").fill_null(1.0).to_numpy()
        return np.asarray(prior_rate(panel) * self.level * material * cohort)


def prior_rate(panel: pl.DataFrame) -> Floats:
    """Published rate of each row's material; materials without one take the overall rate."""
    published = published_rates()
    material = pl.col("material").cast(pl.String)
    return (
        panel.select(material.replace_strict(published, default=published["OTHER"], return_dtype=pl.Float64))
        .to_series()
        .fill_null(published["OTHER"])
        .to_numpy()
    )


def _factor(observed: float, expected: float, weight: float) -> float:
    return (observed + weight) / (expected + weight)


def _group_factors(table: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    weight = POLICY.value("prior_breaks_group")
    sums = table.group_by(keys, maintain_order=True).agg(pl.sum("expected", "seen")).sort(keys)
    return sums.with_columns(factor=(pl.col("seen") + weight) / (pl.col("expected") + weight))


def _named(panel: pl.DataFrame) -> pl.DataFrame:
    return panel.with_columns(
        pl.col("material").cast(pl.String).fill_null("UNKNOWN"), pl.col("era").cast(pl.String).fill_null("unknown")
    )


@dataclass(frozen=True)
class Choice:
    """The model to use and why: a stable reason (``enough``, ``few_some``, ``few_zero``) and its figures."""

    model: Model
    reason: str
    values: dict[str, Any]

    def words(self, language: str) -> str:
        """Say it in Swedish or English: what is prior and what is data."""
        return TEXTS(self.reason, language, **self.values)


def choose(panel: pl.DataFrame, *, model: Model, fallback: Model | None = None) -> Choice:
    """Choose between a trained model and cohort rates with a published prior, by how many breaks there are.

    Parameters
    ----------
    panel
        Pipe-years whose label windows have all ended.
    model
        What to use where there are enough breaks; not fitted here.
    fallback
        What to use else; `CohortPrior` unless given.
    """
    rows = usable(panel)
    breaks, limit = int(counts(rows).sum()), int(POLICY.value("few_breaks"))
    values: dict[str, Any] = {"breaks": breaks, "km_years": round(float(km_years(rows).sum())), "limit": limit}
    if breaks >= limit:
        return Choice(model, "enough", values)
    values |= _shares(rows)
    return Choice(fallback or CohortPrior(), "few_some" if breaks else "few_zero", values)


def _shares(rows: pl.DataFrame) -> dict[str, int]:
    """Per cent of weight that the city's own data carry: in the level, and in the largest cohort."""
    fitted = CohortPrior().fit(rows)
    level, group = POLICY.value("prior_breaks_level"), POLICY.value("prior_breaks_group")
    largest = [] if fitted.cohorts is None else fitted.cohorts["expected"].to_list()
    expected = max(largest, default=0.0)
    return {
        "data_share": round(100 * fitted.expected_breaks / (fitted.expected_breaks + level)),
        "group_share": round(100 * expected / (expected + group)),
    }
