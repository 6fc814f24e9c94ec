"""Figures of a fit that only its model card tells: settings, how full the columns are, where the log is thin."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import polars as pl

Plain = dict[str, Any]
PLAIN = (bool, int, float, str, type(None))
SMALLEST_ZONE_KM = 1.0  # a few pipes say nothing about how breaks are reported
LONGEST = 10  # settings that are longer lists are learned, not set


def settings_of(recipe: object, fitted: object) -> Plain:
    """Settings of a model by name, those of what it is made of with a dot.

    Parameters
    ----------
    recipe
        A dataclass, not fitted.
    fitted
        The same after its fit: what differs was learned, and is no setting.
    """
    before, after = _plain(recipe), _plain(fitted)
    return {name: value for name, value in before.items() if name != "name" and after.get(name, ...) == value}


def _plain(model: object, prefix: str = "") -> Plain:
    found: Plain = {}
    for one in fields(model) if is_dataclass(model) else ():
        value, name = getattr(model, one.name), prefix + one.name
        if is_dataclass(value):
            found |= _plain(value, f"{name}.")
        elif isinstance(value, PLAIN):
            found[name] = value
        elif isinstance(value, tuple) and len(value) <= LONGEST:
            found |= _several(value, name)
    return found


def _several(values: tuple[object, ...], name: str) -> Plain:
    """A short list of plain values, or the settings of each of several models."""
    if all(isinstance(value, PLAIN) for value in values):
        return {name: list(values)}
    parts = (_plain(value, f"{name}.{place}.") for place, value in enumerate(values, start=1))
    return {key: value for part in parts for key, value in part.items()}


def filled(today: pl.DataFrame, features: Mapping[str, str]) -> dict[str, float]:
    """Share of today's pipes that have a value, for each feature."""
    names = [name for name in features if name in today.columns]
    return {name: 1.0 - today[name].null_count() / max(today.height, 1) for name in names}


def thin(today: pl.DataFrame, rate: pl.Series) -> Plain:
    """Where the log says little: streets without a recorded break, and pressure zones by what is recorded in them.

    Parameters
    ----------
    today
        The risk set, with ``street_block``, ``own_breaks``, ``own_observed_years`` and ``length_m``.
    rate
        Predicted breaks per km and year, rows alike.

    Returns
    -------
    Shares of the length, and of the breaks that are expected, in streets without a recorded break (``quiet``);
    of the length of pipes whose material or year is unknown; the median of the observed years; and per pressure
    zone km, recorded breaks per km and year, and the predicted rate, least recorded first.
    """
    rows = today.with_columns(
        km=pl.col("length_m") / 1000,
        expected=pl.col("length_m") / 1000 * rate,
        quiet=pl.col("own_breaks").fill_null(0).sum().over("street_block") == 0,
    )
    quiet = rows.filter("quiet")
    return {
        "quiet": {name: _share(quiet[name], rows[name]) for name in ("km", "expected")},
        "unknown": {name: _share(_without(rows, name)["km"], rows["km"]) for name in ("material", "install_year")},
        "observed_years": rows["own_observed_years"].median() if "own_observed_years" in rows.columns else None,
        "zones": _zones(rows),
    }


def _share(part: pl.Series, whole: pl.Series) -> float:
    total = float(whole.sum())
    return float(part.sum()) / total if total else 0.0


def _without(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    if name not in rows.columns:
        return rows
    value = pl.col(name)
    unknown = value.is_null() | (value == "UNKNOWN") if rows.schema[name] == pl.String else value.is_null()
    return rows.filter(unknown)


def _zones(rows: pl.DataFrame) -> list[Plain]:
    if "pressure_zone" not in rows.columns or "own_observed_years" not in rows.columns:
        return []
    sums = (
        rows.filter(pl.col("pressure_zone").is_not_null())
        .group_by("pressure_zone")
        .agg(
            pl.sum("km", "expected"),
            breaks=pl.sum("own_breaks"),
            km_years=(pl.col("km") * pl.col("own_observed_years")).sum(),
        )
        .filter((pl.col("km") >= SMALLEST_ZONE_KM) & (pl.col("km_years") > 0))
        .with_columns(recorded=pl.col("breaks") / pl.col("km_years"), predicted=pl.col("expected") / pl.col("km"))
        .sort("recorded", "pressure_zone")
    )
    return sums.select("pressure_zone", "km", "breaks", "recorded", "predicted").to_dicts()
