"""From panel columns to numbers that a linear model, a network or trees can take, the same way at fit and predict.

Everything learnt (categories, means, spreads) is kept from the fit; a category never seen then is treated as
missing. Columns that a city lacks are missing throughout and drop out of the matrix.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vardag.water.lof.port import POLICY, Floats, numbers

Kind = Literal["number", "log", "log1p", "hinge", "category"]

RARE_ROWS = 50
HINGES_YEARS = (20.0, 40.0, 60.0, 80.0)


@dataclass(frozen=True)
class Term:
    """One input: a column and how it enters. ``hinge`` is a line that may bend at 20, 40, 60 and 80."""

    column: str
    kind: Kind = "number"


@dataclass(frozen=True)
class Fitted:
    """A term with what was learnt about it: categories, or mean, spread and whether any was missing."""

    term: Term
    categories: tuple[str, ...] = ()
    means: tuple[float, ...] = ()
    spreads: tuple[float, ...] = ()
    has_missing: bool = False


def learn(panel: pl.DataFrame, terms: Sequence[Term]) -> tuple[Fitted, ...]:
    """Learn the encoding of each term; terms with nothing to tell apart are left out."""
    learnt = [_learn_category(panel, t) if t.kind == "category" else _learn_number(panel, t) for t in terms]
    return tuple(fitted for fitted in learnt if fitted is not None)


def matrix(panel: pl.DataFrame, encoding: Sequence[Fitted]) -> Floats:
    """Encode a panel: standardised numbers with a column for missing, and one column for each category."""
    blocks = [_categories(panel, f) if f.term.kind == "category" else _standardised(panel, f) for f in encoding]
    return np.hstack(blocks) if blocks else np.zeros((panel.height, 0))


def widths(encoding: Sequence[Fitted]) -> list[int]:
    """How many columns of the matrix each term takes, in their order."""
    return [len(fitted.categories) or len(fitted.means) + fitted.has_missing for fitted in encoding]


def _learn_category(panel: pl.DataFrame, term: Term) -> Fitted | None:
    if term.column not in panel.columns:
        return None
    column = panel[term.column].cast(pl.String).drop_nulls()
    common = column.value_counts().filter(pl.col("count") >= min(RARE_ROWS, max(panel.height // 100, 1)))
    values = tuple(sorted(common[term.column].to_list()))
    return Fitted(term, categories=values) if len(values) > 1 else None


def _categories(panel: pl.DataFrame, fitted: Fitted) -> Floats:
    codes = category_codes(panel, fitted.term.column, fitted.categories)
    return np.asarray(codes[:, None] == np.arange(len(fitted.categories))[None, :], dtype=np.float64)


def category_codes(panel: pl.DataFrame, column: str, categories: Sequence[str]) -> Floats:
    """Number of each value in the categories learnt at fit; NaN where missing or never seen."""
    if column not in panel.columns:
        return np.full(panel.height, np.nan)
    numbers_of = pl.DataFrame(
        {column: list(categories), "code": np.arange(len(categories), dtype=np.float64)},
        schema={column: pl.String, "code": pl.Float64},
    )
    codes = panel.select(pl.col(column).cast(pl.String)).join(
        numbers_of, on=column, how="left", maintain_order="left"
    )["code"]
    return codes.fill_null(float("nan")).to_numpy()


def _learn_number(panel: pl.DataFrame, term: Term) -> Fitted | None:
    values = _columns(panel, term)
    known = ~np.isnan(values[:, 0])
    if not known.any():
        return None
    means, spreads = values[known].mean(axis=0), values[known].std(axis=0)
    missing = bool((~known).any())
    if spreads[0] < 1e-12 and not missing:
        return None
    safe = np.where(spreads < 1e-12, 1.0, spreads)
    return Fitted(term, means=tuple(means.tolist()), spreads=tuple(safe.tolist()), has_missing=missing)


def _standardised(panel: pl.DataFrame, fitted: Fitted) -> Floats:
    values = _columns(panel, fitted.term)
    missing = np.isnan(values[:, 0])
    scaled = (values - np.array(fitted.means)) / np.array(fitted.spreads)
    scaled[missing] = 0.0
    return np.hstack([scaled, missing[:, None].astype(float)]) if fitted.has_missing else scaled


def _columns(panel: pl.DataFrame, term: Term) -> Floats:
    values = numbers(panel, term.column)
    if term.kind == "log":
        return np.log(np.maximum(values, 1e-3))[:, None]
    if term.kind == "log1p":
        return np.log1p(np.maximum(values, 0.0))[:, None]
    if term.kind == "hinge":
        bends = [np.maximum(values - bend, 0.0) for bend in HINGES_YEARS]
        return np.column_stack([values, *bends])
    return values[:, None]


def enough(breaks: Floats) -> int:
    """Rows to fit on, for `thin`: the more with breaks, the more without, within the policy's limits."""
    rows, broken = POLICY.value("fit_rows"), int((breaks > 0).sum())
    return max(int(np.clip(rows["per_break"] * broken, rows["least"], rows["most"])), 2 * broken)


def thin(breaks: Floats, *, limit: int, seed: int) -> tuple[NDArray[np.int64], Floats]:
    """Choose the rows to fit on: all with breaks, and a sample of those without, weighted for those left out.

    Parameters
    ----------
    breaks
        Breaks of each row, in the fixed order of `vardag.water.lof.port.usable`.
    limit
        Rows to keep at most, as long as the rows with breaks fit; below it all are kept with weight one.
    seed
        Seed of the sample.

    Returns
    -------
    Row numbers, ascending, and their weights; the weights of the rows without breaks sum to how many there were.
    """
    rows = np.arange(breaks.size, dtype=np.int64)
    if breaks.size <= limit:
        return rows, np.ones(breaks.size)
    broken, whole = rows[breaks > 0], rows[breaks == 0]
    wanted = max(limit - broken.size, 1)
    if wanted >= whole.size:
        return rows, np.ones(breaks.size)
    sample = np.random.default_rng(seed).choice(whole, size=wanted, replace=False)
    kept = np.sort(np.concatenate([broken, sample]))
    return kept, np.where(breaks[kept] > 0, 1.0, whole.size / wanted)
