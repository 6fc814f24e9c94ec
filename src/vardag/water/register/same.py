"""Is it the same pipe? Two rows of one id, from an earlier and a later delivery, side by side.

A register is corrected all the time, so a field that differs is mostly a correction. An id means another pipe when

- the pipe of the later row was laid since the earlier delivery, which listed the id already (unless as planned), or
- it was laid later than the earlier row says *and* has another material or diameter, or
- it lies elsewhere *and* differs in material, diameter or installation.

Elsewhere alone is a move (a survey, another coordinate system); an earlier installation is a correction.
"""

from datetime import date

import numpy as np
import polars as pl
import shapely
from numpy.typing import NDArray

from vardag.core.parameters import Parameters
from vardag.water.schema.facts import installed

AFTER = "_after"
UNSAID = ["UNKNOWN", "OTHER"]  # a material that two pipes can share without being alike
DAYS_A_YEAR = 366  # the longest, so that the next year is never more than a year away

Floats = NDArray[np.float64]


def side_by_side(earlier: pl.DataFrame, later: pl.DataFrame) -> pl.DataFrame:
    """Rows of the same id beside each other, the later one's columns with ``_after``; in the order of `earlier`."""
    renamed = later.rename(lambda name: name if name == "pipe_id" else name + AFTER)
    return earlier.join(renamed, on="pipe_id", maintain_order="left")


def compared(pairs: pl.DataFrame, *, after_date: date, parameters: Parameters) -> pl.DataFrame:
    """Add what tells whether both rows are one pipe.

    Parameters
    ----------
    pairs
        What `side_by_side` gives, with ``last_seen`` (day that the earlier delivery describes).
    after_date
        Day that the later delivery describes; an installation after it is a slip of the pen.

    Returns
    -------
    `pairs` with ``moved_m`` (Hausdorff distance of the two lines) and ``apart_m`` (between their nearest points),
    null where either has no place; ``other`` (another pipe by the rules above) and ``alike`` (nothing known of
    the pipe itself differs).
    """
    moved, apart = _distances(pairs["geom"], pairs["geom" + AFTER])
    laid, laid_after = installed(), installed(suffix=AFTER)
    years = (laid_after - laid).dt.total_days() / DAYS_A_YEAR
    limit = parameters.value("register_replaced_years")
    detail = _differs(_said("material"), _said("material" + AFTER)) | _size_differs(
        parameters.value("register_same_size")
    )
    elsewhere = (pl.col("apart_m") > parameters.value("register_elsewhere_m")).fill_null(value=False)
    later, sooner = (years > limit).fill_null(value=False), (years < -limit).fill_null(value=False)
    since = ((laid_after > pl.col("last_seen")) & (laid_after <= after_date)).fill_null(value=False)
    since &= (laid != laid_after).fill_null(value=True)  # a day that both state is no replacement
    was_planned = (pl.col("status") == "planned").fill_null(value=False)
    unlike = detail | later | sooner
    return pairs.with_columns(moved, apart).with_columns(
        other=~was_planned & (since | (later & detail) | (elsewhere & unlike)), alike=~(unlike | elsewhere)
    )


def _said(column: str) -> pl.Expr:
    return pl.when(~pl.col(column).is_in(UNSAID)).then(column)


def _differs(left: pl.Expr, right: pl.Expr) -> pl.Expr:
    """Both known, and not the same."""
    return (left != right).fill_null(value=False)


def _size_differs(share: float) -> pl.Expr:
    before, after = (pl.when(pl.col(name) > 0).then(name) for name in ("diameter_mm", "diameter_mm" + AFTER))
    return ((before - after).abs() > share * pl.max_horizontal(before, after)).fill_null(value=False)


def _distances(before: pl.Series, after: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Hausdorff and shortest distance of the lines of each row; the same bytes are not measured."""
    same = ((before == after) & before.is_not_null()).fill_null(value=False).to_numpy()
    asked = (before.is_not_null() & after.is_not_null()).to_numpy() & ~same
    moved, apart = np.full(len(before), np.nan), np.full(len(before), np.nan)
    moved[same] = apart[same] = 0.0
    rows = np.flatnonzero(asked)
    if rows.size:
        left, right = (shapely.from_wkb(side.gather(rows).to_numpy()) for side in (before, after))
        moved[rows], apart[rows] = shapely.hausdorff_distance(left, right), shapely.distance(left, right)
    return _named("moved_m", moved), _named("apart_m", apart)


def _named(name: str, values: Floats) -> pl.Series:
    return pl.Series(name, values).fill_nan(None)
