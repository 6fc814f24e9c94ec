"""The break process, year by year: renew, break, remember."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from vardag.demo import constants, rates, renewal
from vardag.demo.fields import Floats, Ints

BURN_IN_YEARS = 6  # before the record, so that it starts in a town with a past
TRUTH_YEARS = 10


@dataclass(frozen=True)
class History:
    """What really happened.

    Attributes
    ----------
    lives
        Every pipe that ever lay in the ground, see ``renewal.first_lives``.
    breaks
        ``life`` (row of lives) and ``break_date``, in order of date, burn-in included.
    truth
        ``as_of``, ``life`` and ``expected_breaks_per_km_year`` of the year after ``as_of``, in an average winter.
    expected
        Breaks expected over the record, given what had happened before each year.
    """

    lives: pl.DataFrame
    breaks: pl.DataFrame
    truth: pl.DataFrame
    expected: float


def simulate(
    seed: np.random.SeedSequence, places: pl.DataFrame, *, first_year: int, last_year: int, target: float
) -> History:
    """Simulate so that about ``target`` breaks fall in the record; a first run sets the level."""
    start = 1e-4
    pilot = _run(seed, places, first_year=first_year, last_year=last_year, level=start)
    level = start * target / pilot.expected
    second = _run(seed, places, first_year=first_year, last_year=last_year, level=level)
    # Breaks feed back on later breaks and on renewal, so the level from a town almost without breaks is too high.
    return _run(seed, places, first_year=first_year, last_year=last_year, level=level * target / second.expected)


def _run(
    seed: np.random.SeedSequence, places: pl.DataFrame, *, first_year: int, last_year: int, level: float
) -> History:
    rng = np.random.default_rng(seed)
    hidden = rates.draw_hidden(rng, runs=int(places["run"].max()) + 1)  # type: ignore[arg-type]
    start = first_year - BURN_IN_YEARS
    winters = rng.normal(0, 1, last_year - start + 1)
    lives = renewal.first_lives(rng, places, hidden, start=start)
    counts = np.zeros((len(lives), renewal_memory() + len(winters)), dtype=np.int64)
    happened, truths, expected = [], [], 0.0
    for column, year in enumerate(range(start, last_year + 1), start=renewal_memory()):
        if year > last_year - TRUTH_YEARS:
            truths.append(_truth(lives, counts[:, column - 3 : column], year, first_year, level))
        remembered = counts[:, column - renewal_memory() : column].sum(axis=1)
        lives = renewal.renew(rng, lives, places, hidden, recent=remembered, year=year)
        counts = np.pad(counts, ((0, len(lives) - len(counts)), (0, 0)))
        recent = counts[:, column - 3 : column][:, ::-1]
        rate = level * rates.in_year(lives, recent, year=year, since=first_year, winter=winters[year - start])
        mean = rate * lives["length_m"].to_numpy() / 1000
        expected += float((mean * _share_of_year(lives, year)).sum()) * (year >= first_year)
        new = _draw(rng, lives, mean, year)
        counts[:, column] = np.bincount(new["life"].to_numpy(), minlength=len(lives))
        happened.append(new)
    truths.append(_truth(lives, counts[:, -3:], last_year + 1, first_year, level))
    return History(lives, pl.concat(happened), pl.concat(truths), expected)


def renewal_memory() -> int:
    """Years of own breaks to keep ahead of the first year."""
    return max(constants.RENEWAL_MEMORY_YEARS, len(constants.FEEDBACK))


def _truth(lives: pl.DataFrame, before: Ints, year: int, since: int, level: float) -> pl.DataFrame:
    """True rate in ``year`` of the pipes alive when it begins; ``before`` has the oldest year first."""
    as_of = date(year - 1, 12, 31)
    rows = renewal.in_ground(lives, as_of)
    rate = level * rates.in_year(lives[rows], before[rows][:, ::-1], year=year, since=since)
    return pl.DataFrame({"as_of": [as_of] * len(rows), "life": rows, "expected_breaks_per_km_year": rate})


def _share_of_year(lives: pl.DataFrame, year: int) -> Floats:
    first, after = np.datetime64(date(year, 1, 1)), np.datetime64(date(year + 1, 1, 1))
    from_day = np.maximum(lives["install_date"].to_numpy().astype("datetime64[D]"), first)
    to_day = lives["retired_date"].fill_null(date(9999, 1, 1)).to_numpy().astype("datetime64[D]")
    days = (np.minimum(to_day, after) - from_day).astype(np.int64)
    return np.asarray(np.maximum(0, days) / 365.25)


def _draw(rng: np.random.Generator, lives: pl.DataFrame, mean: Floats, year: int) -> pl.DataFrame:
    """Breaks of one year by date; those outside a pipe's life did not happen."""
    life = np.repeat(np.arange(len(lives)), rng.poisson(mean))
    days = np.arange(np.datetime64(date(year, 1, 1)), np.datetime64(date(year + 1, 1, 1)))
    weight = np.array(constants.MONTHS)[days.astype("datetime64[M]").astype(np.int64) % 12]
    steps = np.cumsum(weight / weight.sum())
    when = days[np.minimum(np.searchsorted(steps, rng.random(len(life))), len(days) - 1)]
    span = lives[life].select("install_date", "retired_date")
    drawn = pl.DataFrame({"life": life, "break_date": when}).hstack(span)
    in_ground = (pl.col("break_date") >= pl.col("install_date")) & (
        pl.col("retired_date").is_null() | (pl.col("break_date") < pl.col("retired_date"))
    )
    return drawn.filter(in_ground).select("life", "break_date").sort("break_date", "life")
