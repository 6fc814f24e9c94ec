"""What became of a locked prediction: breaks caught, predicted against observed, and alarms."""

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from vardag.core.errors import InputError
from vardag.core.texts import Texts
from vardag.water.lof.intervals import of_a_year
from vardag.water.lof.port import POLICY
from vardag.water.panel import years_after
from vardag.water.validation.bootstrap import Interval
from vardag.water.validation.metrics import LEVELS
from vardag.water.validation.rivals import Caught, Comparison, caught_by, compare, plain
from vardag.water.validation.scorecard import Lock, open_lock

TEXTS = Texts(Path(__file__).with_name("texts.toml"))
JUDGED_LEVEL = 0.1
PLACE = LEVELS.index(JUDGED_LEVEL)
SIMPLEST = "past_breaks_per_km"  # whoever does not beat it has no use for a model


@dataclass(frozen=True)
class Alarm:
    """Something a person should look at: a stable code and the figures of its text."""

    code: str
    values: dict[str, Any]

    def words(self, language: str) -> str:
        """Say it in Swedish or English, with the cure."""
        named = {"model": TEXTS(f"model_{self.values['model']}", language)} if "model" in self.values else {}
        return TEXTS(f"alarm_{self.code}", language, **self.values | named)


@dataclass(frozen=True)
class Outcome:
    """A locked prediction against what happened up to `through`.

    Attributes
    ----------
    caught, comparison
        What each locked model caught of the breaks, and the champion's lead over the challengers.
    years
        By year after `as_of`: predicted and observed breaks, and the share of the year that has passed.
    breaks
        ``linked`` to a locked pipe, ``other_pipe`` (linked to one that was not locked), ``unlinked``.
    """

    lock: Lock
    through: date
    caught: Caught
    comparison: Comparison
    years: list[dict[str, Any]]
    breaks: dict[str, int]
    alarms: list[Alarm]

    @property
    def capture(self) -> Interval:
        """Share of the breaks caught in the top share of length at each of ``LEVELS``; NaN without breaks."""
        return self.comparison.captures[self.lock.model]

    def document(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        shares = self.capture
        rows = zip(LEVELS, plain(shares.value), plain(shares.low), plain(shares.high), strict=True)
        return {
            "city": self.lock.city,
            "model": self.lock.model,
            "run_id": self.lock.run_id,
            "as_of": self.lock.as_of.isoformat(),
            "through": self.through.isoformat(),
            "breaks": self.breaks,
            "capture": [
                {"level": level, "capture": value, "low": low, "high": high} for level, value, low, high in rows
            ],
            "challengers": self.comparison.document(),
            "years": self.years,
            "alarms": [{"code": alarm.code, **alarm.values} for alarm in self.alarms],
        }


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
    caught = caught_by(locked, linked)
    comparison = compare([caught], champion=locked.model, seed=seed)
    years = _years(locked, linked, last)
    found = alarms(years, comparison, champion=locked.model, figures=figures)
    return Outcome(locked, last, caught, comparison, years, figures, found)


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


def alarms(
    years: list[dict[str, Any]], comparison: Comparison, *, champion: str, figures: dict[str, int]
) -> list[Alarm]:
    """What a person should look at: the number of breaks, the ranking, challengers, breaks without a pipe."""
    number = _number_alarm(years)
    found = [number, *([] if number else [_level_alarm(years)])]
    if figures["linked"] < POLICY.value("scorecard_min_breaks"):
        found.append(Alarm("thin", {"breaks": figures["linked"]}))
    else:
        found += [_ranking_alarm(comparison.captures[champion]), *_challenger_alarms(comparison)]
    return [alarm for alarm in [*found, _link_alarm(figures)] if alarm]


def _number_alarm(years: list[dict[str, Any]]) -> Alarm | None:
    """Breaks so far in a tail of the negative binomial, whose spread is how much winters differ.

    Years are independent, so over several the relative variance falls with their number.
    """
    predicted, observed = (float(sum(row[key] for row in years)) for key in ("predicted", "observed"))
    if predicted <= 0:
        return Alarm("too_many", {"observed": round(observed), "predicted": 0.0}) if observed else None
    share = sum(row["predicted"] ** 2 for row in years) / predicted**2
    distribution = of_a_year(predicted, share=share)
    values = {"observed": round(observed), "predicted": round(predicted, 1)}
    tail = POLICY.value("scorecard_tail")
    if distribution.sf(observed - 1) < tail:
        return Alarm("too_many", values)
    return Alarm("too_few", values) if distribution.cdf(observed) < tail else None


def _level_alarm(years: list[dict[str, Any]]) -> Alarm | None:
    """Predicted over observed leaves the tolerance, though chance and winters may explain it."""
    predicted, observed = (float(sum(row[key] for row in years)) for key in ("predicted", "observed"))
    away = POLICY.value("scorecard_level_tolerance")
    if observed < POLICY.value("scorecard_min_breaks") or abs(predicted / observed - 1) <= away:
        return None
    values = {"ratio": round(predicted / observed, 2), "low": round(1 - away, 2), "high": round(1 + away, 2)}
    return Alarm("level", values | {"observed": round(observed), "predicted": round(predicted, 1)})


def _ranking_alarm(shares: Interval) -> Alarm | None:
    floor = POLICY.value("scorecard_capture_floor") * JUDGED_LEVEL
    if shares.high[PLACE] >= floor:
        return None
    return Alarm("ranking", _percent(level=JUDGED_LEVEL, floor=floor, capture=shares.value, high=shares.high))


def _challenger_alarms(comparison: Comparison) -> list[Alarm]:
    """Behind the simplest ranking at all, or behind another model by more than chance."""
    found = []
    for model, lead in comparison.leads.items():
        values = {"model": model, **_percent(level=JUDGED_LEVEL, lead=-lead.value, low=-lead.high, high=-lead.low)}
        if lead.high[PLACE] < 0:
            found.append(Alarm("challenger", values))
        elif model == SIMPLEST and lead.value[PLACE] < 0:
            found.append(Alarm("behind", values))
    return found


def _percent(**figures: Any) -> dict[str, float]:
    at_level = {name: value if isinstance(value, float) else value[PLACE] for name, value in figures.items()}
    return {name: round(100 * float(value), 1) for name, value in at_level.items()}


def _link_alarm(figures: dict[str, int]) -> Alarm | None:
    total = sum(figures.values())
    share = 1.0 - figures["linked"] / total if total else 0.0
    limit = POLICY.value("scorecard_unlinked_share")
    return Alarm("unlinked", {"share": round(100 * share)}) if share > limit else None


@dataclass(frozen=True)
class Years:
    """Several locks together, each by the year after it: the whole record of a model in use.

    Attributes
    ----------
    outcomes
        One per lock, oldest first.
    years
        The first year of each lock, predicted and observed.
    comparison
        Pooled over the locks; the models that all of them hold.
    """

    outcomes: list[Outcome]
    years: list[dict[str, Any]]
    comparison: Comparison
    alarms: list[Alarm]

    def document(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        predicted, observed = (sum(row[key] for row in self.years) for key in ("predicted", "observed"))
        champion = self.comparison.captures[self.outcomes[-1].lock.model]
        return {
            "city": self.outcomes[-1].lock.city,
            "model": self.outcomes[-1].lock.model,
            "levels": list(LEVELS),
            "years": [
                year | {"capture": plain(outcome.capture.value), "breaks": outcome.breaks}
                for year, outcome in zip(self.years, self.outcomes, strict=True)
            ],
            "pooled": {
                "predicted": round(predicted, 3),
                "observed": observed,
                "ratio": round(predicted / observed, 4) if observed else None,
                "capture": plain(champion.value),
                "low": plain(champion.low),
                "high": plain(champion.high),
            },
            "challengers": self.comparison.document(),
            "alarms": [{"code": alarm.code, **alarm.values} for alarm in self.alarms],
        }


def pool(outcomes: list[Outcome], *, seed: int = 0) -> Years:
    """Put the outcomes of several locks together; each must be of the year after its lock alone.

    Raises
    ------
    InputError
        When there is none (cure: lock a prediction).
    """
    if not outcomes:
        raise InputError("scorecard: no lock that has a break log after it. Lock a prediction and wait a year.")
    champion = outcomes[-1].lock.model
    # A lock of an earlier model is judged as what was in use then.
    parts = [_renamed(outcome.caught, outcome.lock.model, champion) for outcome in outcomes]
    comparison = compare(parts, champion=champion, seed=seed)
    years = [outcome.years[0] for outcome in outcomes]
    figures = {key: sum(outcome.breaks[key] for outcome in outcomes) for key in outcomes[0].breaks}
    return Years(outcomes, years, comparison, alarms(years, comparison, champion=champion, figures=figures))


def _renamed(part: Caught, was: str, now: str) -> Caught:
    shares = {name: share for name, share in part.shares.items() if name not in {was, now}}
    return replace(part, shares={now: part.shares[was]} | shares)
