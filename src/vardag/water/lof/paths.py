"""What moves a rate, for a model that has no parts of its own to show.

From the typical pipe to the pipe itself, one family of features after another is put in place; what the rate is
multiplied by at each step is that family's part. The steps are taken in one order and in the opposite one, and the
mean of both is told, as the order would otherwise decide what two families do together. It is Shapley's value with
two orders instead of all (Strumbelj and Kononenko 2010, An efficient explanation of individual classifications
using game theory, Journal of Machine Learning Research 11); the parts multiply to the whole exactly.
"""

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vardag.water.lof.encode import Fitted, widths
from vardag.water.lof.port import Floats, log_rate

Places = NDArray[np.int64]


def typical(inputs: Floats, encoding: Sequence[Fitted]) -> Floats:
    """One encoded row: the median of each number, and the commonest category (none, where most have none)."""
    ends = np.cumsum(widths(encoding)).tolist()
    starts = [0, *ends[:-1]]
    blocks = [
        _commonest(inputs[:, start:end])
        if fitted.term.kind == "category"
        else np.median(inputs[:, start:end], axis=0)
        for fitted, start, end in zip(encoding, starts, ends, strict=True)
    ]
    return np.concatenate(blocks) if blocks else np.zeros(0)


def _middle(numbers: Floats) -> Floats:
    return np.asarray(np.median(numbers, axis=0))


def _commonest(categories: Floats) -> Floats:
    having = categories.sum(axis=0)
    without = len(categories) - float(having.sum())
    found = np.zeros(having.size)
    if having.max(initial=0.0) >= without:
        found[int(having.argmax())] = 1.0
    return found


def multipliers(
    rate: Callable[[Floats], Floats], inputs: Floats, typical: Floats, *, families: Sequence[str]
) -> pl.DataFrame:
    """Multipliers of the typical pipe's rate by family.

    Parameters
    ----------
    rate
        Rates of encoded rows.
    inputs
        Encoded rows of the pipes to explain; shape (pipes, inputs).
    typical
        The typical pipe, encoded, from `typical`.
    families
        Family of each input.

    Returns
    -------
    ``base``, the typical pipe's rate, and one column per family; a row's product is its rate.
    """
    named = list(dict.fromkeys(families))
    groups = [np.flatnonzero(np.array(families) == family) for family in named]
    there = _steps(rate, inputs, typical, groups)
    back = _steps(rate, inputs, typical, groups[::-1])[::-1]
    parts = {family: np.exp((one + other) / 2) for family, one, other in zip(named, there, back, strict=True)}
    base = log_rate(rate(typical[None, :]))[0]
    return pl.DataFrame({"base": np.full(len(inputs), np.exp(base))} | parts)


def _steps(
    rate: Callable[[Floats], Floats], inputs: Floats, typical: Floats, groups: Sequence[Places]
) -> list[Floats]:
    """Change of the log rate as each group of inputs goes from the typical pipe's values to the pipe's own."""
    at = np.tile(typical, (len(inputs), 1))
    before, changes = log_rate(rate(at)), []
    for places in groups:
        at[:, places] = inputs[:, places]
        after = log_rate(rate(at))
        changes.append(after - before)
        before = after
    return changes
