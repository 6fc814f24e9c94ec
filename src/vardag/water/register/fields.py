"""Which fields of a pipe changed, from what to what: noise of numbers and of spelling is no change."""

from collections.abc import Iterable

import polars as pl

from vardag.core.parameters import Parameters
from vardag.water.register.same import AFTER
from vardag.water.schema import PIPE

# The place is told as a move; the material as the city spells it, and what follows from the place, are no news.
UNCOMPARED = {"pipe_id", "geom", "material_raw", "position", "source", "line"}
FIELDS = [column.name for column in PIPE.columns if column.name not in UNCOMPARED]
TOLERANCES = {"length_m": "register_length_noise_m", "diameter_mm": "register_size_noise_mm"}
CHANGES = pl.Schema(
    {"pipe_id": pl.String, "change": pl.String, "field": pl.String, "before": pl.String, "after": pl.String}
)


def changed_fields(pairs: pl.DataFrame, *, parameters: Parameters) -> pl.DataFrame:
    """One row per pipe and field that changed, in the order of the fields.

    Parameters
    ----------
    pairs
        What `vardag.water.register.same.compared` gives, of the same pipes.

    Returns
    -------
    The columns of `CHANGES`. Field ``geom`` tells a move: before ``line`` or ``none``; after ``line``, ``none`` or
    how far the line moved, such as ``3.4 m``. An installation year that follows from its date is told once.
    """
    told = [_field(pairs, name, parameters) for name in FIELDS]
    told.append(_geometry(pairs, parameters.value("register_moved_noise_m")))
    rows = pl.concat(told)
    dated = rows.filter(pl.col("field") == "install_date")["pipe_id"].implode()
    follows = (pl.col("field") == "install_year") & pl.col("pipe_id").is_in(dated)
    return rows.filter(~follows)


def changes_of(
    ids: Iterable[str | None], change: str, *, before: Iterable[str | None] | None = None
) -> pl.DataFrame:
    """Rows that tell what happened to whole pipes; `before` is the key of the former pipe."""
    frame = pl.DataFrame({"pipe_id": list(ids)}, schema={"pipe_id": pl.String})
    keys = pl.lit(None, dtype=pl.String) if before is None else pl.Series(list(before), dtype=pl.String)
    nothing = pl.lit(None, dtype=pl.String)
    return frame.with_columns(change=pl.lit(change), field=nothing, before=keys, after=nothing)


def _field(pairs: pl.DataFrame, name: str, parameters: Parameters) -> pl.DataFrame:
    before, after = pl.col(name), pl.col(name + AFTER)
    differs = before.ne_missing(after)
    if name in TOLERANCES:
        near = (before - after).abs() <= parameters.value(TOLERANCES[name])
        differs &= ~near.fill_null(value=False)
    return pairs.filter(differs).select(
        "pipe_id",
        change=pl.lit("changed"),
        field=pl.lit(name),
        before=_text(before, pairs.schema[name]),
        after=_text(after, pairs.schema[name]),
    )


def _text(value: pl.Expr, kind: pl.DataType) -> pl.Expr:
    """Value as text: numbers to hundredths, whole ones without decimals."""
    return value.round(2).cast(pl.String).str.strip_suffix(".0") if kind.is_float() else value.cast(pl.String)


def _geometry(pairs: pl.DataFrame, noise_m: float) -> pl.DataFrame:
    gone, came = pl.col("geom" + AFTER).is_null(), pl.col("geom").is_null()
    moved = (pl.col("moved_m") > noise_m).fill_null(value=False)
    far = pl.format("{} m", pl.col("moved_m").round(1))
    return pairs.filter(moved | (gone != came)).select(
        "pipe_id",
        change=pl.lit("changed"),
        field=pl.lit("geom"),
        before=pl.when(came).then(pl.lit("none")).otherwise(pl.lit("line")),
        after=pl.when(gone).then(pl.lit("none")).when(came).then(pl.lit("line")).otherwise(far),
    )
