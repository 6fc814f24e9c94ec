"""The run: every model from every origin on the same rows, with the processor time of each fit."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import polars as pl
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from vardag.water.lof.port import Floats, Model
from vardag.water.validation.evaluate import score_origin
from vardag.water.validation.splits import origins, split


@dataclass(frozen=True)
class Timed:
    """A model that notes the processor seconds of its fits, its copies on the same list."""

    model: Model
    fits: list[float] = field(default_factory=list, compare=False)

    @property
    def name(self) -> str:
        """Name of the model inside."""
        return self.model.name

    def fit(self, panel: pl.DataFrame) -> Self:
        """Fit the model inside and note how long it took, with the setting of its level."""
        started = time.process_time()
        fitted = self.model.fit(panel)
        self.fits.append(time.process_time() - started)
        return replace(self, model=fitted)

    def rate(self, panel: pl.DataFrame) -> Floats:
        """Return the rate of the model inside."""
        return self.model.rate(panel)


@dataclass(frozen=True)
class Comparison:
    """Out-of-sample rates of every model, and the processor seconds of a fit.

    Attributes
    ----------
    scores
        A row per pipe and origin: identity columns, labels, and one column of rates per model.
    models
        Names of the models; the others are compared with the first.
    seconds
        Mean processor seconds of a fit, by model.
    """

    scores: pl.DataFrame
    models: tuple[str, ...]
    seconds: Mapping[str, float]


def compare(
    panel: pl.DataFrame,
    *,
    models: Sequence[Model],
    years: Sequence[int],
    tell: Callable[[str], None] = lambda _: None,
) -> Comparison:
    """Fit every model on the years before each test year, and score that year's risk set.

    Parameters
    ----------
    panel
        Pipe-years; only pipes of the register take part.
    models
        Recipes, the one that the others are compared with first.
    years
        Test years, each predicted from 31 December of the year before.
    """
    register = panel.filter(pl.col("origin") == "register")
    timed = [Timed(model) for model in models]
    with threadpool_limits(limits=1):  # what a library cannot be told itself
        parts = [score_origin(split(register, day), timed, tell=tell) for day in origins(register, years)]
    seconds = {model.name: sum(model.fits) / len(model.fits) for model in timed}
    return Comparison(pl.concat(parts), tuple(seconds), seconds)
