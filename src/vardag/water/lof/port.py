"""The port: what every likelihood model can do, and the few sums over a panel that all of them need.

A model is an immutable recipe; `fit` returns a fitted copy, so the same recipe serves every origin. `rate` gives
expected breaks per km and year. Rows are pipe-years; their order never matters.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
import polars as pl
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from vardag.core import parameters

Floats = NDArray[np.float64]

SMALLEST_RATE = 1e-12  # per km and year

POLICY = parameters.load(Path(__file__).parents[1] / "parameters.yaml")


class Model(Protocol):
    """A likelihood model.

    Attributes
    ----------
    name
        Stable name, used in tables.
    """

    @property
    def name(self) -> str:
        """Stable name, used in tables."""
        ...

    def fit(self, panel: pl.DataFrame) -> Self:
        """Return a copy fitted on pipe-years whose label windows have all ended."""
        ...

    def rate(self, panel: pl.DataFrame) -> Floats:
        """Return expected breaks per km and year, one per row, finite and not negative."""
        ...


@runtime_checkable
class Explaining(Protocol):
    """A fitted model that tells what moves its rates."""

    def explain(
        self, panel: pl.DataFrame, rows: NDArray[np.int64] | Sequence[int], *, families: Mapping[str, str]
    ) -> pl.DataFrame:
        """Return ``base`` and a multiplier per family for the rows asked for; their product is the rate."""
        ...


def fit_all(models: Iterable[Model], panel: pl.DataFrame) -> dict[str, Model]:
    """Fit every model on the same panel; returns the fitted ones by name."""
    return {model.name: model.fit(panel) for model in models}


def usable(panel: pl.DataFrame) -> pl.DataFrame:
    """Pipe-years that can teach something (observed, with a length), in one fixed order: by date, then pipe.

    A panel that is so already is returned as it is: a nation's panel is a gigabyte, and each model asks for this.
    """
    teaches = ((pl.col("exposure_years") > 0) & (pl.col("length_m") > 0)).fill_null(value=False)
    day, pipe = pl.col("as_of"), pl.col("pipe_key")
    in_order = (day > day.shift()) | ((day == day.shift()) & (pipe >= pipe.shift()))
    if panel.select(teaches.all() & in_order.fill_null(value=True).all()).item():
        return panel
    return panel.filter(teaches).sort("as_of", "pipe_key")


def lengths_km(panel: pl.DataFrame) -> Floats:
    """Pipe lengths in km."""
    return panel["length_m"].cast(pl.Float64).to_numpy() / 1000.0


def km_years(panel: pl.DataFrame) -> Floats:
    """Observed km-years of each row: length times the share of the label window under observation."""
    return np.asarray(lengths_km(panel) * panel["exposure_years"].cast(pl.Float64).to_numpy())


def counts(panel: pl.DataFrame) -> Floats:
    """Breaks in each row's one-year label window."""
    return panel["breaks"].cast(pl.Float64).to_numpy()


def network_rate(panel: pl.DataFrame) -> float:
    """Breaks per km and year of the whole panel; half a break is counted where there is none."""
    total = float(km_years(panel).sum())
    return max(float(counts(panel).sum()), 0.5) / total if total > 0 else 0.0


def numbers(panel: pl.DataFrame, name: str, *, missing: float = float("nan")) -> Floats:
    """Return a column as floats, with nulls and NaN as `missing`; all missing where the panel lacks the column."""
    if name not in panel.columns:
        return np.full(panel.height, missing)
    return panel[name].cast(pl.Float64).fill_nan(None).fill_null(missing).to_numpy()


def group_sums(panel: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Sum observed km-years and breaks by key; the result is sorted by key."""
    return (
        panel.select(*keys, km=pl.Series(km_years(panel)), breaks=pl.Series(counts(panel)))
        .group_by(keys, maintain_order=True)
        .agg(pl.sum("km", "breaks"))
        .sort(keys)
    )


def look_up(panel: pl.DataFrame, keys: list[str], table: pl.DataFrame, column: str) -> pl.Series:
    """Look up a column of a table by key for each row; null where the table has no such key."""
    return panel.select(keys).join(
        table.select(*keys, column), on=keys, how="left", nulls_equal=True, maintain_order="left"
    )[column]


def log_rate(rate: Floats) -> Floats:
    """Logarithm of rates; one of nought counts as the smallest."""
    return np.asarray(np.log(np.maximum(rate, SMALLEST_RATE)))


def one_thread() -> Any:
    """Context in which matrix products take one thread.

    The products of the regression and the network are small: on two shared cores a second thread waits more than
    it works (measured: 2 s of processor time against 21 s), and sums no longer depend on how many cores there are.
    """
    return threadpool_limits(limits=1, user_api="blas")
