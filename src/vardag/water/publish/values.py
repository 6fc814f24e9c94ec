"""From a panel and a model's multipliers to the reasons of each pipe, in the machine-readable form of `reasons`."""

import polars as pl

from vardag.water.lof.port import POLICY

REASON = pl.Struct({"family": pl.String, "value": pl.String, "multiplier": pl.Float64})
QUIET = 0.05
"""A reason within 5 per cent of none is not told."""
DIGITS = 4
"""Digits of a multiplier: more would double the size of a table of 100,000 pipes and tell nothing."""


def _text(name: str, digits: int | None = None) -> pl.Expr:
    column = pl.col(name)
    if digits is not None:
        column = column.cast(pl.Float64).round(digits)
        column = column.cast(pl.Int64) if digits == 0 else column
    return column.cast(pl.String).fill_null("").str.replace_all("|", "/", literal=True)


def _fields(*fields: pl.Expr) -> pl.Expr:
    return pl.concat_str(fields, separator="|")


def _since(years: int) -> pl.Expr:
    """First year of the latest ones."""
    return pl.col("as_of").dt.offset_by(f"-{years}y").dt.offset_by("1d").dt.year().cast(pl.String)


_NEARBY = (_text("nearby_150m_5y", 0), pl.lit("150"), pl.lit("5"))
_JOINED = (_text("joined_breaks_10y", 0), pl.lit("10"))

_YEARS: int = POLICY.value("pressure_recent_years")
_ZONE = _fields(_text("pressure_zone"), _text("pressure_m", 0))
_MEASURED = ("measured_pressure_m", "pressure_change_m", "pressure_swing_m")
_PRESSURE = (
    pl.when(pl.any_horizontal(pl.col(name).is_not_null() for name in _MEASURED))
    .then(_fields(_ZONE, *(_text(name, 0) for name in _MEASURED), _since(_YEARS)))
    .otherwise(_ZONE)
)

_HEIGHT = pl.col("elevation_m")
_LOW_THIRD, _HIGH_THIRD = (_HEIGHT.quantile(part / 3, interpolation="linear") for part in (1, 2))
_GROUND = (
    pl.when(_HEIGHT.lt(_LOW_THIRD)).then(pl.lit("low")).when(_HEIGHT.gt(_HIGH_THIRD)).then(pl.lit("high"))
).otherwise(pl.lit(""))

VALUES: dict[str, tuple[tuple[tuple[str, ...], pl.Expr], ...]] = {
    "material": ((("material", "era"), _fields(_text("material"), _text("era"))),),
    "age": ((("age_years", "install_year"), _fields(_text("age_years", 0), _text("install_year", 0))),),
    "diameter": ((("diameter_mm",), _text("diameter_mm", 0)),),
    "length": ((("length_m",), _text("length_m", 0)),),
    "lining": ((("lined_years",), _text("lined_years", 0)),),
    "cleaning": ((("cleaned_years",), _text("cleaned_years", 0)),),
    "pressure": (
        (("pressure_zone", "pressure_m", *_MEASURED, "as_of"), _PRESSURE),
        (("pressure_zone", "pressure_m"), _ZONE),
    ),
    "elevation": (
        (
            ("elevation_m", "elevation_span_m"),
            _fields(_text("elevation_m", 0), _GROUND, _text("elevation_span_m", 0)),
        ),
    ),
    "function": ((("function",), _text("function")),),
    "own_history": (
        (
            ("own_breaks", "own_observed_years", "own_years_since"),
            _fields(_text("own_breaks", 0), _text("own_observed_years", 0), _text("own_years_since", 0)),
        ),
    ),
    "neighbours": (
        (("nearby_150m_5y", "nearby_300m", "as_of"), _fields(*_NEARBY, _since(5), _text("nearby_300m", 0))),
        (("nearby_150m_5y", "as_of"), _fields(*_NEARBY, _since(5))),
        (("nearby_150m_5y",), _fields(*_NEARBY)),
    ),
    "joined": (
        (("joined_breaks_10y", "as_of"), _fields(*_JOINED, _since(10))),
        (("joined_breaks_10y",), _fields(*_JOINED)),
    ),
    "street": ((("street_rate",), _text("street_rate", 2)),),
    "cohort": (
        (("cohort_rate", "material", "era"), _fields(_text("cohort_rate", 2), _text("material"), _text("era"))),
    ),
    "traffic": ((("road_class", "aadt"), _fields(_text("road_class"), _text("aadt", 0))),),
    "soil": ((("soil_class",), _text("soil_class")),),
}
"""For each family: the columns of the panel that its value needs, and the value; the first whose columns are there.

The formats are in the table of `reasons`."""


def reason_values(panel: pl.DataFrame) -> pl.DataFrame:
    """Write the value of each family for each row of a panel.

    Parameters
    ----------
    panel
        Feature columns as in the catalogue; families whose columns are missing are left out.

    Returns
    -------
    One String column per family, rows as in the panel.
    """
    there = set(panel.columns)
    wanted = {
        family: next((value for columns, value in ways if there.issuperset(columns)), None)
        for family, ways in VALUES.items()
    }
    return panel.select(**{family: value for family, value in wanted.items() if value is not None})


def strongest(multipliers: pl.DataFrame, values: pl.DataFrame, *, count: int | None = 3) -> pl.Series:
    """Choose the families that move each row's rate most, up or down.

    Parameters
    ----------
    multipliers
        One Float column per family: how many times the typical rate that family alone gives. A column ``base`` is
        not a family.
    values
        One String column per family, rows alike; a family without one gets an empty value.
    count
        How many to keep, None for all; weaker than 5 per cent either way is never kept.

    Returns
    -------
    ``reasons``: list of family, value and multiplier, strongest first.
    """
    families = [name for name in multipliers.columns if name != "base"]
    kept = len(families) if count is None else count
    frame = multipliers.select(
        pl.struct(
            pl.lit(family).alias("family"),
            (pl.lit(values[family]) if family in values.columns else pl.lit("")).alias("value"),
            pl.col(family).cast(pl.Float64).round_sig_figs(DIGITS).alias("multiplier"),
        ).alias(family)
        for family in families
    )
    chosen = (
        frame.select(pl.concat_list(families).alias("reason"))
        .with_row_index("row")
        .explode("reason")
        .unnest("reason")
        .with_columns(strength=pl.col("multiplier").log().abs())
        .filter(pl.col("strength") > QUIET)
        .sort("row", "strength", "family", descending=[False, True, False])
        .group_by("row", maintain_order=True)
        .agg(pl.struct("family", "value", "multiplier").head(kept).alias("reasons"))
    )
    rows = pl.DataFrame({"row": pl.arange(multipliers.height, eager=True, dtype=pl.UInt32)})
    joined = rows.join(chosen, on="row", how="left", maintain_order="left")
    return joined["reasons"].cast(pl.List(REASON)).fill_null(pl.lit([], dtype=pl.List(REASON)))
