"""What the log and the register say of the same pipe: do they agree, differ, or not know."""

import numpy as np
import polars as pl
import shapely

from vardag.core.parameters import Parameters

UNSAID = ["UNKNOWN", "OTHER"]  # a material that two pipes can share without being alike


def known_id(column: str, parameters: Parameters) -> pl.Expr:
    """Id of a pipe or road, null where it is a placeholder such as 0 (parameter ``link_placeholder_ids``)."""
    written = pl.col(column).str.strip_chars()
    return pl.when(~written.is_in(parameters.value("link_placeholder_ids"))).then(written)


def differs(
    parameters: Parameters,
    *,
    material: tuple[str, str],
    diameter_mm: tuple[str, str],
    install_year: tuple[str, str],
) -> dict[str, pl.Expr]:
    """One expression a field: do log and register differ; null where either does not know.

    Diameters in centimetres, millimetres or inches of the same pipe agree, within a share of the larger; years
    agree within a number of years (parameters ``link_diameter_tolerance``, ``link_year_tolerance``).
    """
    left, right = (_said(name) for name in material)
    years = (pl.col(install_year[0]) - pl.col(install_year[1])).abs()
    tolerance = parameters.value("link_diameter_tolerance")
    return {
        "material": left != right,
        "diameter_mm": ~_same_size(*diameter_mm, tolerance),
        "install_year": years > parameters.value("link_year_tolerance"),
    }


def distances(left: pl.Series, right: pl.Series) -> pl.Series:
    """Distance in metres between two columns of WKB, row by row; null where either is missing.

    Each geometry of `right` is parsed once however many rows have it: a hundred thousand pipes, a million breaks.
    """
    rows = pl.DataFrame({"left": left, "right": right}).with_row_index("row").drop_nulls()
    if rows.is_empty():
        return pl.Series("distance_m", [None] * len(left), dtype=pl.Float64)
    unlike = rows.select("right").unique().with_row_index("number")
    number = rows.join(unlike, on="right", how="left", maintain_order="left")["number"].to_numpy()
    shapes = shapely.from_wkb(unlike["right"].to_numpy())
    measured = shapely.distance(shapely.from_wkb(rows["left"].to_numpy()), shapes[number])
    filled = np.full(len(left), np.nan)
    filled[rows["row"].to_numpy()] = measured
    return pl.Series("distance_m", filled, nan_to_null=True)


def _said(material: str) -> pl.Expr:
    return pl.when(~pl.col(material).is_in(UNSAID)).then(material)


def _same_size(log: str, register: str, tolerance: float) -> pl.Expr:
    written = pl.when(pl.col(log) > 0).then(log)
    known = pl.when(pl.col(register) > 0).then(register)
    tries = [(written * unit - known).abs() <= tolerance * known for unit in (1.0, 10.0, 0.1, 25.4)]
    return pl.any_horizontal(tries)
