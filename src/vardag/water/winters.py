"""Winters: how cold the year of a label window was, and how often the cold came suddenly.

Both figures are labels, not features: they are known when the year has passed, and nothing here foresees them. They
serve to understand how many breaks past years had, never to rank pipes.

- ``frost_degree_days`` (frost index; Swedish *köldmängd*): sum over the days of the window of how far the day's
  mean air temperature lies below 0 degrees C. Yearly breaks go with it (Kleiner and Rajani 2002, Forecasting
  variations and trends in water-main breaks, Journal of Infrastructure Systems 8(4), their freezing index).
- ``temperature_falls``: days on which the mean temperature of some days is below freezing, and much lower than that
  of as many days before. Breaks follow sudden falls (Habibian 1994, Effect of temperature changes on water-main
  breaks, Journal of Transportation Engineering 120(2); Rajani, Kleiner and Sink 2012, Exploration of the
  relationship between water main breaks and temperature covariates, Urban Water Journal 9(2)).

The window is the year of the breaks that it is set beside, so with `as_of` on 31 December it holds the end of one
winter and the beginning of the next.
"""

from dataclasses import dataclass
from datetime import date

import polars as pl

from vardag.core.parameters import Parameters

WINTER = ("frost_degree_days", "temperature_falls")


@dataclass(frozen=True)
class WinterDays:
    """What each day adds to the figures of its window.

    Attributes
    ----------
    days
        One row per day that has a temperature, by ``day``: ``frost_degree_days`` and ``temperature_falls`` (0 or 1;
        null where the days before it are not all known).
    least_days
        Days that a window must have for its figures to be told.
    """

    days: pl.DataFrame
    least_days: int


def winter_days(weather: pl.DataFrame | None, *, parameters: Parameters) -> WinterDays | None:
    """Make the winter figures of each day from the table ``weather``; None where it has no temperature.

    A day's temperature is the mean over its stations. Readings that no place has, such as 9999, count as none.
    """
    if weather is None or not weather["temperature_c"].count():
        return None
    lowest, highest = parameters.value("check_temperature_c")
    fall = parameters.value("winter_fall")
    days = (
        weather.filter(pl.col("temperature_c").is_between(lowest, highest))
        .group_by("day", "station")
        .agg(pl.mean("temperature_c"))
        .sort("day", "station")
        .group_by("day", maintain_order=True)
        .agg(pl.mean("temperature_c"))
    )
    mean = pl.col("temperature_c").rolling_mean_by("day", f"{fall['days']}d", min_samples=fall["days"])
    means = days.select("day", mean=mean)
    before = means.select(pl.col("day").dt.offset_by(f"{fall['days']}d"), before="mean")
    fell = (pl.col("mean") < fall["below_c"]) & (pl.col("before") - pl.col("mean") >= fall["least_c"])
    told = days.join(means, on="day").join(before, on="day", how="left", maintain_order="left")
    figures = (-pl.col("temperature_c")).clip(0.0), fell.cast(pl.Float64)
    named = [figure.alias(name) for figure, name in zip(figures, WINTER, strict=True)]
    return WinterDays(told.select("day", *named), parameters.value("winter_least_days"))


def winter_of(winters: WinterDays | None, *, after: date, to: date) -> dict[str, float | None]:
    """Sum the figures over the days after one day, up to and with another; null where too few days are known."""
    if winters is None:
        return dict.fromkeys(WINTER)
    window = winters.days.filter((pl.col("day") > after) & (pl.col("day") <= to))
    if window.height < winters.least_days:
        return dict.fromkeys(WINTER)
    return {name: float(window[name].sum()) for name in WINTER}
