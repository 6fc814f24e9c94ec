"""What the position rule learns from the city's own log: how alike neighbours are, and how often it is right.

The ids of earlier breaks are hidden and each is linked by its position. A break of a year is judged by what the
years before it had taught, never by its own year or a later one: so nothing that happens later changes an earlier
link, and the stated confidence is tested out of time. A break whose pipe has left the register counts as wrong
whatever it is linked to, because a break without id may be of such a pipe too.

Learned are *u*, the share of unlike pipes nearby that agree with the log by chance, and the calibration of the
posterior in bands. *m*, the share of right pipes that agree, is not: an id is trusted partly because its details
agree, and a log that was filled in from the register makes it look like certainty.
"""

from dataclasses import dataclass

import polars as pl

from vardag.core.parameters import Parameters
from vardag.water.linking.by_position import FIELDS, STREET, posterior
from vardag.water.linking.settled import LOST

NAMES = [*FIELDS, STREET]
WITH, WITHOUT = "with_details", "without_details"
EDGES = [0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
CELL = ["variant", "position", "band"]


@dataclass(frozen=True)
class Learned:
    """What each year may use.

    Attributes
    ----------
    chance
        ``year`` and for each field the share of other pipes nearby that agree with the log.
    cells
        ``year``, ``variant``, ``position``, ``band``, and of the earlier years' breaks there ``breaks``, ``right``.
    hidden
        One row per known break and variant: ``row``, ``year``, ``confidence`` (before calibration), ``position``,
        ``variant``, ``band``, ``gone``, ``right``.
    """

    chance: pl.DataFrame
    cells: pl.DataFrame
    hidden: pl.DataFrame


def learn(pipes: pl.DataFrame, breaks: pl.DataFrame, judged: pl.DataFrame, *, parameters: Parameters) -> Learned:
    """Hide the ids of the breaks whose pipe is known, or known to be gone, and link them by position.

    Parameters
    ----------
    judged
        What `judge_ids` said of each break.
    """
    day = pl.col("break_date")
    known = (
        judged.with_columns(breaks["break_date"])
        .filter((pl.col("method") == "id") | pl.col("reason").is_in(LOST))
        .sort("break_date", "row")
        .with_columns(year=day.dt.year(), number=pl.int_range(pl.len()).over(day.dt.year()))
        .filter(pl.col("number") < parameters.value("link_learn_a_year"))
        .select("row", "year", true="pipe_key")
    )
    years = breaks.select(year=day.dt.year()).unique().drop_nulls().sort("year")
    asked = known.select("row", reason=pl.lit("no_id"))
    chance = _chance(pipes, breaks, known, years, parameters)
    nothing = [pl.lit(None, dtype=breaks.schema[name]).alias(name) for name in FIELDS]
    bare = breaks.with_columns(nothing)
    found = [posterior(pipes, log, asked, parameters=parameters, chance=chance) for log in (breaks, bare)]
    both = pl.concat([found[0].filter(_detailed()), found[1]])
    hidden = both.join(known, on="row", maintain_order="left").select(
        "row",
        "year",
        "confidence",
        "position",
        variant(),
        band(),
        gone=pl.col("true").is_null(),
        right=(pl.col("pipe_id") == pl.col("true")).fill_null(value=False),
    )
    return Learned(chance, _before(hidden, years), hidden)


def _detailed() -> pl.Expr:
    return pl.any_horizontal(pl.col(name).is_not_null() for name in FIELDS)


def variant() -> pl.Expr:
    """Does the log know any detail of the pipe that the register knows too."""
    return pl.when(_detailed()).then(pl.lit(WITH)).otherwise(pl.lit(WITHOUT)).alias("variant")


def band() -> pl.Expr:
    """Number of the band that the posterior lies in."""
    return pl.sum_horizontal((pl.col("confidence") >= edge).cast(pl.Int32) for edge in EDGES).alias("band")


def _chance(
    pipes: pl.DataFrame, breaks: pl.DataFrame, known: pl.DataFrame, years: pl.DataFrame, parameters: Parameters
) -> pl.DataFrame:
    """For each year, how often the earlier years' other candidates agreed; each break weighs the same.

    Shares are summed in the order of breaks and years, so that the sums are the same to the last bit in every run.
    """
    right = known.drop_nulls("true")
    asked = right.select("row", reason=pl.lit("no_id"))
    every = posterior(pipes, breaks, asked, parameters=parameters, most=pipes.height).join(
        right, on="row", maintain_order="left"
    )
    others = every.filter(pl.col("pipe_id") != pl.col("true"))
    shares = others.group_by("row", "year", maintain_order=True).agg(pl.col(name).mean() for name in NAMES)
    sums = [pl.col(name).sum().alias(f"{name}_sum") for name in NAMES]
    counts = [pl.col(name).count().alias(f"{name}_count") for name in NAMES]
    by_year = shares.group_by("year", maintain_order=True).agg(*sums, *counts).sort("year")
    so_far = by_year.with_columns(pl.exclude("year").cum_sum())
    total = years.join_asof(so_far, on="year", strategy="backward", allow_exact_matches=False)
    return total.select("year", *[_shrunk(name, parameters) for name in NAMES])


def _shrunk(name: str, parameters: Parameters) -> pl.Expr:
    weight = parameters.value("link_learn_prior")["agreement"]
    policy: float = parameters.value("link_agree_if_other")[name]
    total, count = pl.col(f"{name}_sum").fill_null(0.0), pl.col(f"{name}_count").fill_null(0)
    most = 0.98 * parameters.value("link_agree_if_same")[name]  # agreement never speaks against a pipe
    share: pl.Expr = (total + weight * policy) / (count + weight)
    return share.clip(0.01, most).alias(name)


def _before(hidden: pl.DataFrame, years: pl.DataFrame) -> pl.DataFrame:
    counted = hidden.group_by("year", *CELL).agg(breaks=pl.len(), right=pl.col("right").sum())
    pairs = years.join(counted.rename({"year": "earlier"}), how="cross")
    earlier = pairs.filter(pl.col("earlier") < pl.col("year"))
    return earlier.group_by("year", *CELL).agg(pl.col("breaks", "right").sum())


def calibrated(found: pl.DataFrame, learned: Learned, *, parameters: Parameters) -> pl.Series:
    """Confidence as the earlier years bear it out: the share that was right in its band, shrunk to the posterior.

    Parameters
    ----------
    found
        ``year``, ``confidence``, ``variant``, ``position``, ``band``.
    """
    weight = parameters.value("link_learn_prior")["confidence"]
    asked = found.select("year", "confidence", *CELL)
    cells = asked.join(learned.cells, on=["year", *CELL], how="left", maintain_order="left")
    told, right = pl.col("breaks").fill_null(0), pl.col("right").fill_null(0)
    shrunk = (right + weight * pl.col("confidence")) / (told + weight)
    return cells.select(confidence=shrunk)["confidence"]
