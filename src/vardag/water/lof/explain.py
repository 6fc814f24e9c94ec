"""What moves each pipe's rate, as multipliers by family of features, whatever the model."""

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vardag.water.lof.calibrate import Calibrated, material_factors
from vardag.water.lof.port import SMALLEST_RATE, Explaining, Model


def explain(
    model: Model, year: pl.DataFrame, rows: NDArray[np.int64], *, families: Mapping[str, str]
) -> pl.DataFrame:
    """Multipliers of the typical rate, one row per row asked for.

    A model that cannot tell its reasons has its whole rate told as the base. Where the level follows each
    material's latest years, that is part of what is told of the material; the common level is not in the product.

    Returns
    -------
    ``base`` and one column per family, see `Explaining.explain`.
    """
    if isinstance(model, Calibrated):
        told = explain(model.model, year, rows, families=families)
        return told.with_columns(_material(told) * pl.Series(material_factors(model.record, year)[rows]))
    if isinstance(model, Explaining):
        return model.explain(year, rows, families=families)
    return pl.DataFrame({"base": np.maximum(model.rate(year)[rows], SMALLEST_RATE)})


def _material(told: pl.DataFrame) -> pl.Expr:
    return pl.col("material") if "material" in told.columns else pl.lit(1.0).alias("material")
