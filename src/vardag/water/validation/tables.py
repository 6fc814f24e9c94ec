"""The tables of an evaluation, from out-of-sample scores: headline, curve, calibration."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vardag.water.lof.intervals import held
from vardag.water.lof.port import POLICY, Floats, lengths_km, numbers
from vardag.water.validation.bootstrap import Broken, Interval, captures, interval
from vardag.water.validation.metrics import CURVE_LEVELS, LEVELS, capture, caught, length_intervals, origin_codes

Row = dict[str, Any]


@dataclass(frozen=True)
class Trial:
    """Scores of one population and horizon, with the breaks that followed.

    Attributes
    ----------
    scores
        Identity columns and one rate column per model (breaks per km and year).
    models
        Names of the rate columns.
    subject
        The model that the others are compared with, and whose calibration is told.
    horizon_years
        Years ahead: 1 or 3.
    """

    scores: pl.DataFrame
    models: Sequence[str]
    subject: str
    horizon_years: int

    @property
    def breaks(self) -> Floats:
        """Breaks of each row within the horizon."""
        return numbers(self.scores, "breaks" if self.horizon_years == 1 else f"breaks_{self.horizon_years}y")

    @property
    def km_years(self) -> Floats:
        """Observed km-years within the horizon; a pipe retired in the first year is observed until then."""
        exposure = numbers(self.scores, "exposure_years")
        whole = np.where(exposure < 1.0, exposure, float(self.horizon_years))
        return np.asarray(lengths_km(self.scores) * whole)

    @property
    def predicted(self) -> Floats:
        """Breaks that the subject expects of each row within the horizon."""
        return np.asarray(self.scores[self.subject].to_numpy() * self.km_years)

    def subset(self, condition: pl.Expr) -> "Trial":
        """Keep only the rows that meet a condition; ranks are then within them."""
        return Trial(self.scores.filter(condition), self.models, self.subject, self.horizon_years)

    def intervals(self, model: str) -> tuple[Floats, Floats]:
        """Interval of length share of each row when ranked by a model."""
        return length_intervals(self.scores[model].to_numpy(), lengths_km(self.scores), origin_codes(self.scores))


def headline(trial: Trial, *, seed: int, replicates: int | None = None) -> list[Row]:
    """Capture at each level with 95 % intervals, and the subject's lead over each model, paired."""
    breaks = trial.breaks
    if not breaks.sum():
        return [_empty_row(model) for model in trial.models]
    rows = np.flatnonzero(breaks > 0)
    pipe = trial.scores["pipe_key"].rank("dense").cast(pl.Int64).to_numpy()
    broken = Broken(pipe[rows], breaks[rows], int(pipe.max()))
    shares = {model: _caught(trial, model, rows) for model in trial.models}
    seen, replicated = captures(broken, shares, seed=seed, replicates=replicates)
    lead, lead_replicated = seen[trial.subject], replicated[trial.subject]
    return [
        _row(
            model,
            interval(seen[model], replicated[model]),
            interval(lead - seen[model], lead_replicated - replicated[model]),
        )
        for model in trial.models
    ]


def _caught(trial: Trial, model: str, rows: NDArray[np.int64]) -> Floats:
    a, b = trial.intervals(model)
    return caught(a[rows], b[rows], LEVELS)


def _row(model: str, seen: Interval, lead: Interval) -> Row:
    figures = {
        "capture": seen.value,
        "low": seen.low,
        "high": seen.high,
        "difference": lead.value,
        "difference_low": lead.low,
        "difference_high": lead.high,
    }
    return {"model": model} | {name: _plain(values) for name, values in figures.items()}


def _empty_row(model: str) -> Row:
    nothing = np.full(len(LEVELS), np.nan)
    return _row(model, Interval(nothing, nothing, nothing), Interval(nothing, nothing, nothing))


def _plain(values: Floats) -> list[float | None]:
    return [round(float(value), 6) if np.isfinite(value) else None for value in values]


def curves(trial: Trial) -> dict[str, Row]:
    """Capture at every per cent of length, for each model."""
    breaks = trial.breaks
    return {
        model: {
            "length_share": [round(level, 4) for level in CURVE_LEVELS],
            "capture": _plain(capture(*trial.intervals(model), breaks, CURVE_LEVELS)),
        }
        for model in trial.models
    }


def believed(trial: Trial) -> list[float | None]:
    """What the subject would catch at each level were its rates the true ones: more cannot be asked of its ranking.

    Caught much less than that, it is too sure of itself; aimed at much more, it needs to know more.
    """
    return _plain(capture(*trial.intervals(trial.subject), trial.predicted, LEVELS))


def calibration(trial: Trial) -> Row:
    """Predicted and observed breaks of the subject: pooled, by year, by material and by tenth of length.

    Decile 1 is the tenth of the length with the highest rates. Predicted is rate times observed km-years. ``held``
    is the share of the years' numbers that their intervals held, one year ahead: of the whole network, and of each
    material and each tenth in each year.
    """
    a, b = trial.intervals(trial.subject)
    frame = trial.scores.select(
        year=pl.col("as_of").dt.year() + 1,
        material=pl.col("material").cast(pl.String).fill_null("UNKNOWN"),
        decile=pl.Series(np.minimum(np.floor(5.0 * (a + b)), 9).astype(np.int64) + 1),
        predicted=pl.Series(trial.predicted),
        observed=pl.Series(trial.breaks),
    )
    return {
        "pooled": _compared(frame)[0],
        "by_year": _compared(frame, "year"),
        "by_material": _compared(frame, "material"),
        "by_decile": _compared(frame, "decile"),
        "held": _held(frame) if trial.horizon_years == 1 else None,
    }


def _held(frame: pl.DataFrame) -> Row:
    told: Row = {"stated": POLICY.value("interval_level")}
    for name, keys in {"years": ["year"], "materials": ["year", "material"], "deciles": ["year", "decile"]}.items():
        sums = frame.group_by(keys).agg(pl.sum("predicted", "observed")).sort(keys)
        shares = held(sums["observed"].to_numpy(), sums["predicted"].to_numpy())
        told[name] = {"numbers": sums.height, "share": round(float(shares.mean()), 4)}
    return told


def _compared(frame: pl.DataFrame, *keys: str) -> list[Row]:
    grouped = frame.group_by(*keys).agg(pl.sum("predicted", "observed")).sort(keys) if keys else None
    sums = frame.select(pl.sum("predicted", "observed")) if grouped is None else grouped
    return [
        row | {"predicted": round(row["predicted"], 3), "observed": round(row["observed"]), "ratio": _ratio(row)}
        for row in sums.iter_rows(named=True)
    ]


def _ratio(row: Row) -> float | None:
    return round(row["predicted"] / row["observed"], 4) if row["observed"] else None
