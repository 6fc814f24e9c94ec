"""What became of a locked prediction: breaks caught, predicted against observed, and alarms."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import nbinom

from vardag.core.errors import InputError
from vardag.core.texts import Texts
from vardag.water.lof.port import POLICY
from vardag.water.panel import years_after
from vardag.water.validation.bootstrap import Broken, Interval, captures, interval
from vardag.water.validation.metrics import LEVELS, caught, length_intervals
from vardag.water.validation.scorecard import Lock, open_lock

TEXTS = Texts(Path(__file__).with_name("texts.toml"))
JUDGED_LEVEL = 0.1


@dataclass(frozen=True)
class Alarm:
    """Something a person should look at: a stable code and the figures of its text."""

    code: str
    values: dict[str, Any]

    def words(self, language: str) -> str:
        """Say it in Swedish or English, with the cure."""
        return TEXTS(f"alarm_{self.code}", language, **self.values)


@dataclass(frozen=True)
class Outcome:
    """A locked prediction against what happened up to `through`.

    Attributes
    ----------
    capture
        Share of the breaks caught in the top share of length at each of ``LEVELS``; NaN without breaks.
    years
        By year after `as_of`: predicted and observed breaks, and the share of the year that has passed.
    breaks
        ``linked`` to a locked pipe, ``other_pipe`` (linked to one that was not locked), ``unlinked``.
    """

    lock: Lock
    through: date
    capture: Interval
    years: list[dict[str, Any]]
    breaks: dict[str, int]
    alarms: list[Alarm]

    def document(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        rows = zip(LEVELS, self.capture.value, self.capture.low, self.capture.high, strict=True)
        return {
            "city": self.lock.city,
            "model": self.lock.model,
            "run_id": self.lock.run_id,
            "as_of": self.lock.as_of.isoformat(),
            "through": self.through.isoformat(),
            "breaks": self.breaks,
            "capture": [
                {"level": level, "capture": _plain(value), "low": _plain(low), "high": _plain(high)}
                for level, value, low, high in rows
            ],
            "years": self.years,
            "alarms": [{"code": alarm.code, **alarm.values} for alarm in self.alarms],
        }


def _plain(value: float) -> float | None:
    return round(float(value), 6) if np.isfinite(value) else None


def check(
    path: Path, *, breaks: pl.DataFrame, links: pl.DataFrame, through: date | None = None, seed: int = 0
) -> Outcome:
    """Compare a lock with a later break log.

    Parameters
    ----------
    path
        JSON file of the lock.
    breaks
        Label events with ``break_id`` and ``break_date``; those outside the horizon are left out.
    links
        ``break_id`` and ``pipe_key`` (null where unlinked).
    through
        Last day that the log covers; the date of its latest break unless given.
    seed
        Seed of the bootstrap interval.

    Raises
    ------
    InputError
        When the log ends on or before the lock's date: there is nothing to compare with yet.
    """
    locked = open_lock(path)
    last = _last_day(locked, breaks, through)
    seen = _seen(locked, breaks, links, last)
    linked = seen.filter("known")
    figures = {
        "linked": linked.height,
        "other_pipe": seen.filter(pl.col("pipe_key").is_not_null() & ~pl.col("known")).height,
        "unlinked": seen["pipe_key"].null_count(),
    }
    shares = _capture(locked, linked, seed)
    years = _years(locked, linked, last)
    return Outcome(locked, last, shares, years, figures, _alarms(years, shares, figures))


def _last_day(locked: Lock, breaks: pl.DataFrame, through: date | None) -> date:
    latest = through or breaks.select(pl.col("break_date").max()).item()
    if latest is None or latest <= locked.as_of:
        raise InputError(
            f"break log: ends {latest or 'empty'}, but the prediction was locked with knowledge up to "
            f"{locked.as_of}. Load a log with later breaks, then check again."
        )
    return min(latest, years_after(locked.as_of, locked.horizon_years))


def _seen(locked: Lock, breaks: pl.DataFrame, links: pl.DataFrame, last: date) -> pl.DataFrame:
    """Breaks within the horizon, with their pipe and whether it is among the locked ones."""
    window = pl.col("break_date").is_between(locked.as_of, last, closed="right")
    known = locked.predictions["pipe_key"].implode()
    return (
        breaks.filter(window)
        .select("break_id", "break_date")
        .join(links.select("break_id", "pipe_key"), on="break_id", how="left", maintain_order="left")
        .with_columns(known=pl.col("pipe_key").is_in(known).fill_null(value=False))
    )


def _capture(locked: Lock, linked: pl.DataFrame, seed: int) -> Interval:
    if not linked.height:
        nothing = np.full(len(LEVELS), np.nan)
        return Interval(nothing, nothing, nothing)
    pipes = locked.predictions.with_row_index("pipe")
    counted = linked.group_by("pipe_key").len("breaks").join(pipes, on="pipe_key").sort("pipe")
    rate, length = (pipes[name].to_numpy() for name in ("expected_breaks_per_km_year", "length_m"))
    a, b = length_intervals(rate, length, np.zeros(pipes.height, dtype=np.int64))
    rows = counted["pipe"].to_numpy().astype(np.int64)
    broken = Broken(rows, counted["breaks"].cast(pl.Float64).to_numpy(), pipes.height)
    value, replicated = captures(broken, {"locked": caught(a[rows], b[rows], LEVELS)}, seed=seed)
    return interval(value["locked"], replicated["locked"])


def _years(locked: Lock, linked: pl.DataFrame, last: date) -> list[dict[str, Any]]:
    """Predicted against observed for each year begun; a year under way counts by the share of its days."""
    table = locked.predictions
    yearly = float((table["expected_breaks_per_km_year"] * table["length_m"]).sum()) / 1000
    rows = []
    for number in range(locked.horizon_years):
        start, end = years_after(locked.as_of, number), years_after(locked.as_of, number + 1)
        covered = (min(last, end) - start).days / (end - start).days
        if covered <= 0:
            break
        observed = linked.filter(pl.col("break_date").is_between(start, end, closed="right")).height
        predicted = yearly * covered
        row: dict[str, Any] = {"year": end.year, "predicted": round(predicted, 3), "observed": observed}
        rows.append(row | {"ratio": round(predicted / observed, 4) if observed else None, "covered": covered})
    return rows


def _alarms(years: list[dict[str, Any]], shares: Interval, figures: dict[str, int]) -> list[Alarm]:
    found = [_number_alarm(years), _ranking_alarm(shares, figures["linked"]), _link_alarm(figures)]
    return [alarm for alarm in found if alarm]


def _number_alarm(years: list[dict[str, Any]]) -> Alarm | None:
    """Breaks so far in a tail of the negative binomial, whose spread is how much winters differ.

    Years are independent, so over several the relative variance falls with their number.
    """
    predicted, observed = (float(sum(row[key] for row in years)) for key in ("predicted", "observed"))
    if predicted <= 0:
        return Alarm("too_many", {"observed": round(observed), "predicted": 0.0}) if observed else None
    share = sum(row["predicted"] ** 2 for row in years) / predicted**2
    size = 1.0 / (POLICY.value("scorecard_year_dispersion") * share)
    distribution = nbinom(size, size / (size + predicted))
    values = {"observed": round(observed), "predicted": round(predicted, 1)}
    tail = POLICY.value("scorecard_tail")
    if distribution.sf(observed - 1) < tail:
        return Alarm("too_many", values)
    return Alarm("too_few", values) if distribution.cdf(observed) < tail else None


def _ranking_alarm(shares: Interval, linked: int) -> Alarm | None:
    if linked < POLICY.value("scorecard_min_breaks"):
        return Alarm("thin", {"breaks": linked})
    floor = POLICY.value("scorecard_capture_floor") * JUDGED_LEVEL
    place = LEVELS.index(JUDGED_LEVEL)
    if shares.high[place] >= floor:
        return None
    values: dict[str, float] = {"level": JUDGED_LEVEL, "floor": floor}
    values |= {"capture": shares.value[place], "high": shares.high[place]}
    return Alarm("ranking", {name: round(100 * float(value), 1) for name, value in values.items()})


def _link_alarm(figures: dict[str, int]) -> Alarm | None:
    total = sum(figures.values())
    share = 1.0 - figures["linked"] / total if total else 0.0
    limit = POLICY.value("scorecard_unlinked_share")
    return Alarm("unlinked", {"share": round(100 * share)}) if share > limit else None
