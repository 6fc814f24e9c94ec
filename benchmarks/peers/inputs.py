"""What the peers see: every column of the catalogue, as codes for trees or as a design for regressions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from vardag.water.features import CATALOGUE
from vardag.water.lof.encode import Kind, Term, category_codes
from vardag.water.lof.port import Floats, numbers

FEATURES = tuple(CATALOGUE)
AGE = "age_years"
UNKNOWN = "unknown"
HISTORY = {"own_history", "neighbours", "joined", "street", "cohort"}
SHAPES: Mapping[str, Kind] = {
    AGE: "hinge",
    "diameter_mm": "log",
    "aadt": "log1p",
    "own_years_since": "number",
    "own_observed_years": "number",
}


def terms(names: Sequence[str] = FEATURES) -> tuple[Term, ...]:
    """How each feature enters a regression: names as categories, counts and rates of breaks as log(1 + x)."""
    return tuple(Term(name, _shape(name)) for name in names if name != "install_year")  # era and age say it


def _shape(name: str) -> Kind:
    if CATALOGUE[name].category:
        return "category"
    return SHAPES.get(name, "log1p" if CATALOGUE[name].family in HISTORY else "number")


@dataclass(frozen=True)
class Coding:
    """Numbers for trees: the values of each category as learnt at fit. Missing and never seen are NaN."""

    features: tuple[str, ...]
    values: Mapping[str, tuple[str, ...]]

    @property
    def is_category(self) -> tuple[bool, ...]:
        """Whether each feature is a category, in the order of the columns."""
        return tuple(name in self.values for name in self.features)

    def matrix(self, panel: pl.DataFrame) -> Floats:
        """One column per feature."""
        columns = [
            category_codes(panel, name, self.values[name]) if name in self.values else numbers(panel, name)
            for name in self.features
        ]
        return np.column_stack(columns)


def learn_coding(panel: pl.DataFrame, features: Sequence[str] = FEATURES) -> Coding:
    """Learn the values of the text columns; features that the panel lacks or that never vary are left out."""
    held = [name for name in features if name in panel.columns and panel[name].n_unique() > 1]
    textual = [name for name in held if panel.schema[name] == pl.String]
    values = {name: tuple(sorted(panel[name].drop_nulls().unique().to_list())) for name in textual}
    return Coding(tuple(held), values)


def known_ages(panel: pl.DataFrame, typical: float) -> Floats:
    """Age in years; pipes of unknown age are placed at the typical one, so that no row is lost."""
    return np.maximum(numbers(panel, AGE, missing=typical), 0.0)


def typical_age(panel: pl.DataFrame) -> float:
    """Median of the known ages; zero where none is known."""
    ages = numbers(panel, AGE)
    return float(np.nanmedian(ages)) if np.isfinite(ages).any() else 0.0
