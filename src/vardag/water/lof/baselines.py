"""Baselines: what a better model has to beat on the same rows.

Random, oldest first and past breaks per km are rankings; each is scaled so that its total agrees with what was
seen in the training years. Material x age is a table of rates. Empirical Bayes is in `vardag.water.lof.bayes`.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import polars as pl

from vardag.water.lof.port import (
    Floats,
    counts,
    group_sums,
    km_years,
    lengths_km,
    look_up,
    network_rate,
    numbers,
    usable,
)

AGE_BAND_YEARS = 10
UNKNOWN_BAND = -1


def _scale(raw: Floats, panel: pl.DataFrame) -> float:
    expected = float((raw * km_years(panel)).sum())
    return max(float(counts(panel).sum()), 0.5) / expected if expected > 0 else 0.0


@dataclass(frozen=True)
class Random:
    """A ranking by lot, drawn anew for each year; the same seed gives the same ranking."""

    seed: int = 0
    mean: float = 0.0
    name: str = "random"

    def fit(self, panel: pl.DataFrame) -> Self:
        """Learn the network's mean rate."""
        return replace(self, mean=network_rate(usable(panel)))

    def rate(self, panel: pl.DataFrame) -> Floats:
        """Return the mean rate times a number drawn evenly from 0 to 2, pipes taken in the order of their keys."""
        drawn = [self._draw(year) for year in panel.with_row_index("row").partition_by("as_of")]
        rows = np.concatenate([part[0] for part in drawn]) if drawn else np.empty(0, dtype=np.int64)
        result = np.empty(panel.height)
        result[rows] = np.concatenate([part[1] for part in drawn]) if drawn else np.empty(0)
        return 2.0 * self.mean * result

    def _draw(self, year: pl.DataFrame) -> tuple[Floats, Floats]:
        ordered = year.sort("pipe_key")
        generator = np.random.default_rng([self.seed, ordered["as_of"][0].toordinal()])
        return ordered["row"].to_numpy(), generator.random(ordered.height)


@dataclass(frozen=True)
class OldestFirst:
    """The rate grows in proportion to age; pipes of unknown age come last."""

    per_year: float = 0.0
    name: str = "oldest_first"

    def fit(self, panel: pl.DataFrame) -> Self:
        """Set the growth per year of age so that the total agrees."""
        rows = usable(panel)
        return replace(self, per_year=_scale(_ages(rows), rows))

    def rate(self, panel: pl.DataFrame) -> Floats:
        """Return age times the growth per year."""
        return self.per_year * _ages(panel)


def _ages(panel: pl.DataFrame) -> Floats:
    return np.maximum(numbers(panel, "age_years", missing=0.0), 0.0)


@dataclass(frozen=True)
class PastBreaksPerKm:
    """Recorded breaks per km and observed year: what a city without a model looks at. A ranking value."""

    scale: float = 0.0
    name: str = "past_breaks_per_km"

    def fit(self, panel: pl.DataFrame) -> Self:
        """Scale the ranking value so that the total agrees."""
        rows = usable(panel)
        return replace(self, scale=_scale(_past_rate(rows), rows))

    def rate(self, panel: pl.DataFrame) -> Floats:
        """Return the scaled past rate; zero where nothing has broken yet."""
        return self.scale * _past_rate(panel)


def _past_rate(panel: pl.DataFrame) -> Floats:
    observed = lengths_km(panel) * numbers(panel, "own_observed_years", missing=0.0)
    breaks = numbers(panel, "own_breaks", missing=0.0)
    return np.divide(breaks, observed, out=np.zeros(panel.height), where=observed > 0)


@dataclass(frozen=True)
class MaterialAge:
    """Break rate by material and ten-year band of age.

    A cell's rate is (breaks + 1) / (km-years + 1 / material rate): the gamma-Poisson mean with a prior worth one
    break at the material's own rate, so that thin cells fall back on their material; a material on the network.
    """

    table: pl.DataFrame | None = None
    materials: pl.DataFrame | None = None
    mean: float = 0.0
    name: str = "material_age"

    def fit(self, panel: pl.DataFrame) -> Self:
        """Count breaks and km-years in each cell."""
        rows = _banded(usable(panel))
        mean = network_rate(rows)
        materials = group_sums(rows, ["material"]).with_columns(rate=_shrunk(pl.lit(mean)))
        cells = group_sums(rows, ["material", "band"])
        above = look_up(cells, ["material"], materials, "rate")
        table = cells.with_columns(above=above).with_columns(rate=_shrunk(pl.col("above")))
        return replace(self, table=table, materials=materials, mean=mean)

    def rate(self, panel: pl.DataFrame) -> Floats:
        """Look up the cell's rate, else its material's, else the network's."""
        if self.table is None or self.materials is None:
            raise ValueError("material_age: not fitted. Call fit(panel) first.")
        rows = _banded(panel)
        cell = look_up(rows, ["material", "band"], self.table, "rate")
        material = look_up(rows, ["material"], self.materials, "rate")
        return pl.select(pl.coalesce(cell, material, self.mean)).to_series().to_numpy()


def _shrunk(above: pl.Expr) -> pl.Expr:
    return (pl.col("breaks") + 1.0) / (pl.col("km") + 1.0 / above)


def _banded(panel: pl.DataFrame) -> pl.DataFrame:
    ages = numbers(panel, "age_years")
    band = np.where(np.isnan(ages), UNKNOWN_BAND, np.floor(np.maximum(np.nan_to_num(ages), 0) / AGE_BAND_YEARS))
    return panel.with_columns(pl.col("material").fill_null("UNKNOWN"), band=pl.Series(band.astype(np.int32)))
