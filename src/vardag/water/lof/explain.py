"""What moves each pipe's rate, as multipliers by family of features, whatever the model."""

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vardag.water.lof.boosting import Boosted
from vardag.water.lof.calibrate import Calibrated, material_factors
from vardag.water.lof.port import Model


def explain(
    model: Model, year: pl.DataFrame, rows: NDArray[np.int64], *, families: Mapping[str, str]
) -> pl.DataFrame:
    """Multipliers of the typical rate, one row per row asked for.

    Boosted trees tell each family's part (`Boosted.explain`). A model of cohort rates knows one thing about a
    pipe, its material and era, so the whole of its difference from the network's mean is told as that. Where the
    level follows each material's latest years, that is part of what is told of the material.
    """
    inside = model.model if isinstance(model, Calibrated) else model
    own = material_factors(model.record, year)[rows] if isinstance(model, Calibrated) else np.ones(rows.size)
    if isinstance(inside, Boosted):
        told = inside.explain(year, rows, families=families)
        return told.with_columns(pl.col("material") * pl.Series(own)) if "material" in told.columns else told
    rate = np.maximum(inside.rate(year), 1e-12)
    mean = float(np.average(rate, weights=year["length_m"].to_numpy()))
    return pl.DataFrame({"base": np.full(rows.size, mean), "material": rate[rows] / mean * own})
