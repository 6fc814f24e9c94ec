"""Checks of the pipe register."""

import polars as pl
import shapely

from vardag.water.checks.model import CheckData, Finding, check, found, held


@check("pipe, break", "error")
def duplicate_ids(data: CheckData) -> Finding:
    """Rows with an id that another row has too: those in quarantine for it, and any left in the tables."""
    refused = held(data, "duplicate_id")
    tables = ((data.pipes, "pipe_id"), (data.breaks, "break_id"))
    left = [frame.filter(~pl.col(name).is_first_distinct())[name].to_list() for frame, name in tables]
    return found([*refused, *left[0], *left[1]], data.pipes.height + data.breaks.height + len(refused))


@check("pipe", "warning")
def zero_lengths(data: CheckData) -> Finding:
    """Pipes without a length, or with one of zero or less: those in quarantine for it, and any left."""
    refused = held(data, "zero_length", "missing_length")
    left = data.pipes.filter(~(pl.col("length_m") > 0).fill_null(value=False))["pipe_id"].to_list()
    return found([*refused, *left], data.pipes.height + len(refused))


@check("pipe", "warning")
def length_differs_from_geometry(data: CheckData) -> Finding:
    """Pipes whose written length is not that of their surveyed line."""
    surveyed = data.pipes.filter((pl.col("position") == "surveyed") & pl.col("geom").is_not_null())
    drawn = pl.Series(shapely.length(shapely.from_wkb(surveyed["geom"].to_list())), dtype=pl.Float64)
    apart = (drawn - surveyed["length_m"]).abs()
    share, metres = (data.parameters.value(f"check_length_differs_{unit}") for unit in ("share", "m"))
    differs = (apart > metres) & (apart > share * drawn)
    return found(surveyed.filter(differs.fill_null(value=False))["pipe_id"], surveyed.height)


@check("pipe", "warning")
def missing_install_year(data: CheckData) -> Finding:
    """Pipes without an installation year."""
    return _pipes(data, pl.col("install_year").is_null())


@check("pipe", "error")
def impossible_install_year(data: CheckData) -> Finding:
    """Pipes laid before there were water mains, or after the last day the data tell of."""
    first = data.parameters.value("check_first_install_year")
    last = data.last_day.year + 1 if data.last_day else 9999
    return _pipes(data, ~pl.col("install_year").is_between(first, last), first_year=first, last_year=last)


@check("pipe", "note")
def pipes_without_material(data: CheckData) -> Finding:
    """Pipes without a material, or with one that nobody knows."""
    return _pipes(data, pl.col("material").is_null() | (pl.col("material") == "UNKNOWN"))


@check("pipe, break", "warning")
def unknown_materials(data: CheckData) -> Finding:
    """Material spellings that the vocabulary does not know, by number of rows."""
    parts = ((data.pipes, "pipe_id"), (data.breaks, "break_id"))
    written = pl.concat(
        [frame.select(pl.col(name).alias("id"), "material", "material_raw") for frame, name in parts]
    )
    spelled = pl.col("material_raw").str.strip_chars()
    unread = written.filter(pl.col("material").is_in(["OTHER", "UNKNOWN"]) & (spelled.fill_null("") != ""))
    counted = unread.group_by(spelled.alias("spelling")).len().sort("len", "spelling", descending=[True, False])
    spellings = ", ".join(f"{spelling} ({rows})" for spelling, rows in counted.head(10).rows())
    return found(unread["id"], written.height, spellings=spellings)


@check("pipe", "warning")
def material_impossible_for_year(data: CheckData) -> Finding:
    """Pipes of a material that was not made yet in their installation year."""
    first: dict[str, int] = data.parameters.value("check_first_year_of_material")
    made = pl.col("material").replace_strict(first, default=None, return_dtype=pl.Int32)
    return _pipes(data, pl.col("install_year") < made, materials=_listed(first))


@check("pipe", "warning")
def impossible_diameter(data: CheckData) -> Finding:
    """Pipes with a diameter that no pipe of their function has: centimetres or inches read as millimetres."""
    least, most = data.parameters.value("check_least_diameter_mm"), data.parameters.value("check_most_diameter_mm")
    low = pl.col("function").replace_strict(least, default=min(least.values()), return_dtype=pl.Float64)
    values = {"least_mm": least["main"], "most_mm": most}
    return _pipes(data, (pl.col("diameter_mm") < low) | (pl.col("diameter_mm") > most), **values)


@check("pipe", "warning")
def undated_status_retired(data: CheckData) -> Finding:
    """Pipes said to be retired, without the day: they cannot be placed in time and are never at risk."""
    return _pipes(data, (pl.col("status") == "retired") & pl.col("retired_date").is_null())


def _pipes(data: CheckData, wrong: pl.Expr, **values: object) -> Finding:
    return found(data.pipes.filter(wrong)["pipe_id"], data.pipes.height, **values)


def _listed(first: dict[str, int]) -> str:
    return ", ".join(f"{material} {year}" for material, year in sorted(first.items()))
