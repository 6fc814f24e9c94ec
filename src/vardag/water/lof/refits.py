"""The model fitted again and again, to see how far its results rest on which breaks happened to happen.

Pipes are drawn with replacement and keep all their years together, since the years of a pipe are not independent
(cluster bootstrap: Davison and Hinkley 1997, Bootstrap methods and their application, ch. 3.8). Each refit has a
seed of its own besides, so that what the algorithm draws by lot is in it too.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import t

from vardag.water.lof.port import POLICY, Floats, Model, lengths_km
from vardag.water.lof.top import membership

STABILITY_LEVELS = (0.01, 0.05, 0.1)


def resample(panel: pl.DataFrame, *, seed: int) -> pl.DataFrame:
    """Draw as many pipes as there are, with replacement, each with all its rows.

    A pipe that is drawn again is another pipe: its key gets a number.

    Parameters
    ----------
    panel
        Pipe-years with ``pipe_key``.
    seed
        Seed of the draw.
    """
    code = panel["pipe_key"].rank("dense").cast(pl.Int64).to_numpy() - 1
    pipes = int(code.max()) + 1 if code.size else 0
    drawn = np.bincount(np.random.default_rng(seed).integers(0, max(pipes, 1), pipes), minlength=pipes)
    times = drawn[code]
    rows = np.repeat(np.arange(code.size), times)
    copy = np.arange(rows.size) - np.repeat(np.cumsum(times) - times, times)
    again = pl.Series(copy)
    key = pl.when(again > 0).then(pl.format("{}#{}", "pipe_key", again)).otherwise("pipe_key")
    return panel[rows].with_columns(pipe_key=key)


def refits(panel: pl.DataFrame, *, make: Callable[[int], Model], count: int, seed: int) -> Iterator[Model]:
    """Fit anew on resampled pipes, `count` times, each with its own seed.

    Parameters
    ----------
    panel
        Pipe-years whose label windows have all ended.
    make
        Gives the recipe for a seed.
    count, seed
        How many fits, and the seed from which their seeds are drawn.
    """
    for number in np.random.default_rng(seed).integers(1, 2**31 - 1, count).tolist():
        yield make(number).fit(resample(panel, seed=number))


def stability(
    year: pl.DataFrame, rate: Floats, again: Sequence[Floats], *, levels: Sequence[float] = STABILITY_LEVELS
) -> list[dict[str, Any]]:
    """How much of the top of the list stays when the model is fitted again.

    Parameters
    ----------
    year
        The risk set, with ``length_m``.
    rate
        Rates of the list that is published.
    again
        Rates of each refit, rows alike.
    levels
        Shares of length that count as the top.

    Returns
    -------
    For each level ``mean``, ``low`` and ``high`` (over the refits) of the share of the top's length that is in the
    refit's top too; a list without any order would keep the level itself. ``always`` is the share of the top's
    length that is in the top of every refit.
    """
    return [_kept(lengths_km(year), rate, again, level) for level in levels]


def _kept(lengths: Floats, rate: Floats, again: Sequence[Floats], level: float) -> dict[str, Any]:
    first = membership(rate, lengths, level)
    others = [membership(other, lengths, level) for other in again]
    total = float((first * lengths).sum())
    shares = [float((np.minimum(first, other) * lengths).sum()) / total for other in others]
    always = np.minimum.reduce([first, *others])
    return {
        "level": level,
        "mean": float(np.mean(shares)),
        "low": min(shares),
        "high": max(shares),
        "always": float((always * lengths).sum()) / total,
    }


def spread(values: Floats, *, level: float = POLICY.value("effect_interval_level")) -> Floats:
    """Half the width of the interval that refits give, one per column.

    The standard deviation over the refits, times Student's t: percentiles would need hundreds of refits.

    Parameters
    ----------
    values
        One row per refit; with fewer than two the width is not known (NaN).
    """
    count = len(values)
    if count < 2:
        return np.full(values.shape[1:], np.nan)
    reach: Floats = t.ppf(0.5 + level / 2.0, count - 1) * np.std(values, axis=0, ddof=1)
    return reach
