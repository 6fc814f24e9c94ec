"""The utility at work: each year it renews some streets, most often those that broke."""

from datetime import date, timedelta

import numpy as np
import polars as pl

from vardag.demo import constants, rates, register
from vardag.demo.fields import Bools, Ints

DIGGING_FROM, DIGGING_DAYS = 100, 210  # works run from April to November


def first_lives(
    rng: np.random.Generator, places: pl.DataFrame, hidden: rates.Hidden, *, start: int
) -> pl.DataFrame:
    """Pipes in the ground or to come when the simulation starts: one life per place.

    Returns
    -------
    polars.DataFrame
        ``place``, ``number`` (of the pipe's id), ``material``, ``diameter_mm``, ``install_year``, ``install_date``,
        ``retired_date`` (null), ``lasting`` (relative rate), ``own`` (the part of it that is the pipe's own),
        ``same_id`` (took over the id of the pipe before).
    """
    built = places["built"].to_numpy()
    runs = places["run"].to_numpy()
    earlier = np.maximum(1972, built + 25)
    window = np.maximum(0, start - earlier)
    chance = np.where(built < 1970, 1 - (1 - constants.EARLIER_RENEWAL_SHARE) ** window, 0.0)
    drawn, when = (rng.random(int(runs.max()) + 1)[runs] for _ in range(2))
    year = np.where(drawn < chance, earlier + np.floor(when * window), built).astype(np.int64)
    number = 100_001 + rng.permutation(len(places))
    day = rng.integers(DIGGING_FROM, DIGGING_FROM + DIGGING_DAYS, int(runs.max()) + 1)[runs]
    return _lives(rng, places, hidden, number=number, year=year, day=day, same_id=np.zeros(len(places), dtype=bool))


def _lives(
    rng: np.random.Generator,
    places: pl.DataFrame,
    hidden: rates.Hidden,
    *,
    number: Ints,
    year: Ints,
    day: Ints,
    same_id: Bools,
) -> pl.DataFrame:
    laid = places.hstack(register.lay(rng, places, year)).with_columns(install_year=pl.Series(year))
    new_year = (year - 1970).astype("datetime64[Y]").astype("datetime64[D]")
    lasting, own = rates.lasting(rng, laid, hidden)
    return laid.select("place", "run", "length_m", "material", "diameter_mm", "install_year").with_columns(
        number=pl.Series(number),
        install_date=pl.Series(new_year + day),
        retired_date=pl.lit(None, dtype=pl.Date),
        lasting=pl.Series(lasting),
        own=pl.Series(own),
        same_id=pl.Series(same_id),
    )


def renew(
    rng: np.random.Generator,
    lives: pl.DataFrame,
    places: pl.DataFrame,
    hidden: rates.Hidden,
    *,
    recent: Ints,
    year: int,
) -> pl.DataFrame:
    """Replace about half a percent of the length in one year; the old pipes retire, new lives are added last.

    Parameters
    ----------
    recent
        Breaks of each life in the years the utility remembers.
    """
    alive = lives["retired_date"].is_null().to_numpy() & (lives["install_year"] < year).to_numpy()
    runs, count = lives["run"].to_numpy(), int(places["run"].max()) + 1  # type: ignore[arg-type]
    chosen = _choose(rng, lives, alive=alive, recent=recent, count=count, year=year)
    day = rng.integers(DIGGING_FROM, DIGGING_FROM + DIGGING_DAYS, count)
    same = rng.random(count) < constants.SAME_ID_SHARE
    old = np.flatnonzero(alive & chosen[runs])
    retired = lives["retired_date"].to_numpy().astype("datetime64[D]")
    retired[old] = np.datetime64(date(year, 1, 1)) + day[runs[old]]
    fresh = int(lives["number"].max()) + 1 + np.arange(len(old))  # type: ignore[arg-type]
    same_id = same[runs[old]]
    number = np.where(same_id, lives["number"].to_numpy()[old], fresh)
    ground = places[lives["place"].to_numpy()[old]]
    years, days = np.full(len(old), year), day[runs[old]]
    added = _lives(rng, ground, hidden, number=number, year=years, day=days, same_id=same_id)
    return pl.concat([lives.with_columns(retired_date=pl.Series(retired)), added])


def _choose(
    rng: np.random.Generator, lives: pl.DataFrame, *, alive: Bools, recent: Ints, count: int, year: int
) -> Bools:
    """Choose runs until the year's length is reached, drawn with weights (Gumbel trick), worst first."""
    runs, length = lives["run"].to_numpy(), np.where(alive, lives["length_m"].to_numpy(), 0.0)
    old_iron = np.where(np.isin(lives["material"].to_numpy(), ("CI", "AC", "ST", "DI")), length, 0.0)
    young = np.bincount(runs, alive & (lives["install_year"] > year - 15).to_numpy(), count) > 0
    worst = np.bincount(runs, recent * alive, count) * ~young
    other = np.bincount(runs, old_iron, count) * ~young
    share = constants.WORST_FIRST_SHARE
    weight = share * worst / max(worst.sum(), 1) + (1 - share) * other / max(other.sum(), 1)
    key = np.log(np.maximum(weight, 1e-30)) + rng.gumbel(size=count)
    order = np.argsort(-key, kind="stable")
    run_length = np.bincount(runs, length, count)
    before = np.cumsum(run_length[order]) - run_length[order] / 2
    chosen = np.zeros(count, dtype=bool)
    chosen[order] = before < constants.RENEWAL_SHARE * length.sum()
    return np.asarray(chosen & (weight > 0))


def pipe_ids(lives: pl.DataFrame, *, kept: bool) -> pl.Series:
    """Write the ids of all lives: V100001, ...; where the register keeps retired pipes theirs is told apart."""
    number, gone = pl.format("V{}", "number"), pl.col("retired_date").is_not_null()
    apart = pl.format("{}-{}", number, pl.int_range(pl.len()))
    return lives.select(pipe_id=pl.when(gone & kept).then(apart).otherwise(number))["pipe_id"]


def in_ground(lives: pl.DataFrame, end: date) -> Ints:
    """Rows of the lives that are in the ground at the end of a day."""
    after = end + timedelta(days=1)
    alive = (lives["install_date"] < after) & (lives["retired_date"].is_null() | (lives["retired_date"] >= after))
    return np.flatnonzero(alive.to_numpy())
