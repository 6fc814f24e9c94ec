"""What the log and the register say of the same pipe: do they agree, differ, or not know."""

import polars as pl
import shapely

from vardag.core.parameters import Parameters

UNSAID = ["UNKNOWN", "OTHER"]  # a material that two pipes can share without being alike


def known_id(column: str, parameters: Parameters) -> pl.Expr:
    """Id of a pipe or road, null where it is a placeholder such as 0 (parameter ``link_placeholder_ids``)."""
    written = pl.col(column).str.strip_chars()
    return pl.when(~written.is_in(parameters.value("link_placeholder_ids"))).then(written)


def installed(prefix: str = "") -> pl.Expr:
    """Day from which a pipe was in the ground; 1 January where only the year is known, null where nothing is."""
    return pl.coalesce(f"{prefix}install_date", pl.date(pl.col(f"{prefix}install_year"), 1, 1))


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
    """Distance in metres between two columns of WKB, row by row; null where either is missing."""
    both = (left.is_not_null() & right.is_not_null()).to_numpy()
    rows = left.to_frame("left").with_columns(right=right).filter(pl.Series(both, dtype=pl.Boolean))
    measured = shapely.distance(shapely.from_wkb(rows["left"].to_list()), shapely.from_wkb(rows["right"].to_list()))
    filled = pl.Series("distance_m", [None] * len(left), dtype=pl.Float64)
    return filled.scatter(both.nonzero()[0], measured) if rows.height else filled


def _said(material: str) -> pl.Expr:
    return pl.when(~pl.col(material).is_in(UNSAID)).then(material)


def _same_size(log: str, register: str, tolerance: float) -> pl.Expr:
    written = pl.when(pl.col(log) > 0).then(log)
    known = pl.when(pl.col(register) > 0).then(register)
    tries = [(written * unit - known).abs() <= tolerance * known for unit in (1.0, 10.0, 0.1, 25.4)]
    return pl.any_horizontal(tries)
