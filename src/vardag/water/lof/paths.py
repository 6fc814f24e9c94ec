"""What moves a rate, for a model that has no parts of its own to show.

From the typical pipe to the pipe itself, one family of features after another is put in place; what the rate is
multiplied by at each step is that family's part. The steps are taken in one order and in the opposite one, and the
mean of both is told, as the order would otherwise decide what two families do together. It is Shapley's value with
two orders instead of all (Strumbelj and Kononenko 2010, An efficient explanation of individual classifications
using game theory, Journal of Machine Learning Research 11); the parts multiply to the whole exactly.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import polars as pl

from vardag.water.lof.explain import SMALLEST_RATE
from vardag.water.lof.port import Floats


def typical_pipe(panel: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """One row: the median of each number and the commonest name; of equally common ones the first."""
    values = {name: _typical(panel[name]) for name in columns if name in panel.columns}
    return pl.DataFrame(values, schema={name: panel.schema[name] for name in values})


def _typical(column: pl.Series) -> list[object]:
    if column.dtype.is_numeric():
        return [column.cast(pl.Float64).fill_nan(None).median()]
    known = column.drop_nulls()
    return [known.mode().sort()[0] if known.len() else None]


def multipliers(
    rate: Callable[[pl.DataFrame], Floats],
    asked: pl.DataFrame,
    typical: pl.DataFrame,
    *,
    families: Mapping[str, str],
) -> pl.DataFrame:
    """Multipliers of the typical pipe's rate by family.

    Parameters
    ----------
    rate
        Rates of any rows.
    asked
        The pipes to explain.
    typical
        One row with the columns that the rate depends on, from `typical_pipe`.
    families
        Family of each of those columns; one without is its own family.

    Returns
    -------
    ``base``, the typical pipe's rate, and one column per family; a row's product is its rate.
    """
    groups: dict[str, list[str]] = {}
    for name in typical.columns:
        groups.setdefault(families.get(name, name), []).append(name)
    there = _steps(rate, asked, typical, list(groups.values()))
    back = _steps(rate, asked, typical, list(groups.values())[::-1])[::-1]
    parts = {family: np.exp((one + other) / 2) for family, one, other in zip(groups, there, back, strict=True)}
    total = np.sum(there, axis=0) if there else np.zeros(asked.height)
    return pl.DataFrame({"base": np.exp(_log(rate(asked)) - total)} | parts)


def _steps(
    rate: Callable[[pl.DataFrame], Floats], asked: pl.DataFrame, typical: pl.DataFrame, groups: Sequence[list[str]]
) -> list[Floats]:
    """Change of the log rate as each group of columns goes from the typical pipe's values to the pipe's own."""
    values = {name: pl.lit(typical[name][0], dtype=dtype) for name, dtype in typical.schema.items()}
    at = asked.with_columns(**values)
    before, changes = _log(rate(at)), []
    for columns in groups:
        at = at.with_columns(asked.select(columns))
        after = _log(rate(at))
        changes.append(after - before)
        before = after
    return changes


def _log(rate: Floats) -> Floats:
    return np.asarray(np.log(np.maximum(rate, SMALLEST_RATE)))
