"""Partial effects: how the predicted rate goes with one property, the others being as they are. Any model's.

Numbers are followed by accumulated local effects (Apley and Zhu 2020, Visualizing the effects of predictor
variables in black box supervised learning models, Journal of the Royal Statistical Society B 82): from each step to
the next, the mean difference of the log rate on the pipes of those two steps alone, summed up. No pipe is asked
what it would be like far from where it is, as partial dependence would ask. Names have no next step; for them the
log rate is averaged over all pipes with each name in turn (partial dependence: Friedman 2001).

Some columns are one property told in several ways (a pipe's own breaks: all, recent, per km). They move together:
a pipe takes all of them from another pipe that has them, so that no combination is made that does not exist.

Effects are told as multipliers: their logarithm averages to nought over the network's length.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vardag.water.lof.port import POLICY, SMALLEST_RATE, Floats, Model, lengths_km, log_rate, numbers
from vardag.water.lof.refits import spread

Rows = NDArray[np.int64]

# Families whose columns are one property: the first of these that is known stands for all of them.
ONE_PROPERTY: dict[str, tuple[str, ...]] = {
    "age": ("install_year", "age_years"),
    "length": ("length_m",),
    "own_history": ("own_breaks",),
    "neighbours": ("nearby_150m_5y",),
    "pressure": ("pressure_m", "measured_pressure_m", "pressure_zone"),
}
APART = {"pressure_change_m", "pressure_swing_m"}  # properties of their own, though of such a family
ALSO_MOVES = {"length": ("length_m",)}
PIPES_PER_STEP = 400
ALIKE = 0.002  # of the range of a number: steps are not cut finer


@dataclass(frozen=True)
class Level:
    """One step of a number (from ``low`` to ``high``, mean ``at``), one name, or the pipes that lack the value."""

    rows: Rows
    low: float | None = None
    high: float | None = None
    at: float | None = None
    name: str | None = None

    @property
    def missing(self) -> bool:
        """True for the pipes that lack the value."""
        return self.low is None and self.name is None

    def document(self) -> dict[str, Any]:
        """What tells it from the others."""
        return {"low": self.low, "high": self.high, "at": self.at, "name": self.name, "missing": self.missing}


@dataclass(frozen=True)
class Axis:
    """One property: the feature that stands for it, the columns that move with it, and its levels."""

    feature: str
    family: str
    columns: tuple[str, ...]
    levels: tuple[Level, ...]
    shares: Floats = field(repr=False)

    @property
    def steps(self) -> tuple[Level, ...]:
        """Levels in the order of a number; none for names."""
        return tuple(level for level in self.levels if level.low is not None)


@dataclass(frozen=True)
class Ground:
    """The pipes that effects are averaged over, and the properties to follow."""

    pipes: pl.DataFrame
    axes: tuple[Axis, ...]
    seed: int

    def measure(self, model: Model) -> list[Floats]:
        """Log multipliers of each axis, one per level; the same pipes for every model."""
        return [_axis_effect(model, self.pipes, axis, self.seed) for axis in self.axes]


def ground(year: pl.DataFrame, *, families: Mapping[str, str], seed: int) -> Ground:
    """Choose pipes by lot and the levels of each property.

    Parameters
    ----------
    year
        Panel rows of one ``as_of``.
    families
        Family of each feature, see `vardag.water.features.families`.
    seed
        Seed of the choice of pipes.
    """
    wanted = min(int(POLICY.value("effect_rows")), year.height)
    chosen = np.random.default_rng(seed).choice(year.height, wanted, replace=False)
    pipes = year[np.sort(chosen)]
    axes = [_axis(pipes, *one) for one in _properties(pipes, families)]
    return Ground(pipes, tuple(axis for axis in axes if len(axis.levels) > 1), seed)


def told(ground: Ground, first: Sequence[Floats], again: Sequence[Sequence[Floats]]) -> list[dict[str, Any]]:
    """Effects as plain values, the strongest first.

    Parameters
    ----------
    ground
        What was measured on.
    first
        Log multipliers of the model that is published, from `Ground.measure`.
    again
        The same of each refit; the width of the intervals comes from them.

    Returns
    -------
    Per property ``feature``, ``family``, ``columns``, ``kind`` (``number`` or ``name``), ``strength`` (standard
    deviation of the log multiplier over the network's length) and ``points``: each level with its share of the
    length and ``multiplier``, ``lower`` and ``upper`` (None with fewer than two refits).
    """
    rows = [
        _told(axis, values, np.array([one[place] for one in again]).reshape(len(again), values.size))
        for place, (axis, values) in enumerate(zip(ground.axes, first, strict=True))
    ]
    return sorted(rows, key=lambda row: (-row["strength"], row["feature"]))


def _told(axis: Axis, values: Floats, again: Floats) -> dict[str, Any]:
    half = spread(again)
    points = [
        level.document() | {"share": float(share)} | _multiplier(float(value), float(reach))
        for level, share, value, reach in zip(axis.levels, axis.shares, values, half, strict=True)
    ]
    return {
        "feature": axis.feature,
        "family": axis.family,
        "columns": list(axis.columns),
        "kind": "number" if axis.steps else "name",
        "strength": float(np.sqrt(np.average(values**2, weights=axis.shares))),
        "points": points,
    }


def _multiplier(value: float, reach: float) -> dict[str, float | None]:
    known = not np.isnan(reach)
    lower, upper = (float(np.exp(value - reach)), float(np.exp(value + reach))) if known else (None, None)
    return {"multiplier": float(np.exp(value)), "lower": lower, "upper": upper}


def _properties(pipes: pl.DataFrame, families: Mapping[str, str]) -> list[tuple[str, str, tuple[str, ...]]]:
    """Feature, family and columns of each property."""
    found: dict[str, tuple[str, str, tuple[str, ...]]] = {}
    for name, family in families.items():
        if name not in pipes.columns:
            continue
        lead = next((one for one in ONE_PROPERTY.get(family, ()) if _known(pipes, one)), name)
        together = family in ONE_PROPERTY and name not in APART and lead in {*families, *ALSO_MOVES.get(family, ())}
        members = tuple(
            one for one in families if families[one] == family and one in pipes.columns and one not in APART
        )
        columns = (*members, *ALSO_MOVES.get(family, ())) if together else (name,)
        found.setdefault(lead if together else name, (lead if together else name, family, columns))
    return list(found.values())


def _known(pipes: pl.DataFrame, name: str) -> bool:
    return name in pipes.columns and pipes[name].null_count() < pipes.height


def _axis(pipes: pl.DataFrame, feature: str, family: str, columns: tuple[str, ...]) -> Axis:
    least = max(int(POLICY.value("effect_least_share") * pipes.height), 1)
    levels = _numbers(pipes, feature, least) if pipes[feature].dtype.is_numeric() else _names(pipes, feature, least)
    lengths = lengths_km(pipes)
    sums = np.array([lengths[level.rows].sum() for level in levels])
    return Axis(feature, family, columns, tuple(levels), sums / max(float(lengths.sum()), SMALLEST_RATE))


def _names(pipes: pl.DataFrame, feature: str, least: int) -> list[Level]:
    """Commonest names, then those without one."""
    column = pipes[feature].cast(pl.String)
    counted = column.drop_nulls().value_counts(name="n").filter(pl.col("n") >= least)
    common = counted.sort("n", feature, descending=[True, False]).head(POLICY.value("effect_bins"))
    levels = [Level(_where(column == name), name=name) for name in common[feature].sort().to_list()]
    return levels + _missing(column.is_null(), least)


def _missing(absent: pl.Series, least: int) -> list[Level]:
    rows = _where(absent)
    return [Level(rows)] if rows.size >= least else []


def _where(of: pl.Series) -> Rows:
    return np.flatnonzero(of.fill_null(value=False).to_numpy()).astype(np.int64)


def _numbers(pipes: pl.DataFrame, feature: str, least: int) -> list[Level]:
    """Steps of about equally many pipes; a value that many share is a step of its own."""
    values = numbers(pipes, feature)
    absent = np.isnan(values)
    near = _alike(values[~absent])
    step = np.zeros(values.size, dtype=np.int64)
    step[~absent] = np.searchsorted(_ends(near, least), near, side="left")
    levels = []
    for one in np.unique(step[~absent]).tolist():
        rows = np.flatnonzero((step == one) & ~absent).astype(np.int64)
        part = values[rows]
        levels.append(Level(rows, low=float(part.min()), high=float(part.max()), at=float(part.mean())))
    return levels + _missing(pl.Series(absent), least)


def _alike(values: Floats) -> Floats:
    """Values that hardly differ, made the same: nobody tells 0.0111 from 0.0112 where others have 0.3."""
    low, high = np.quantile(values, [0.01, 0.99]) if values.size else (0.0, 0.0)
    grain = ALIKE * float(high - low)
    return np.round(values / grain) * grain if grain > 0 else values


def _ends(values: Floats, least: int) -> Floats:
    """Highest value of each step but the last."""
    distinct, count = np.unique(values, return_counts=True)
    bins = int(POLICY.value("effect_bins"))
    heavy = count >= values.size / bins
    target = max(count[~heavy].sum() / max(bins - int(heavy.sum()), 1), least)
    ends, held, left = [], 0, values.size
    for place in range(distinct.size - 1):
        held, left = held + int(count[place]), left - int(count[place])
        full = held >= target or heavy[place] or (heavy[place + 1] and held >= least)
        if full and left >= least:
            ends.append(distinct[place])
            held = 0
    return np.array(ends)


def _axis_effect(model: Model, pipes: pl.DataFrame, axis: Axis, seed: int) -> Floats:
    generator = np.random.default_rng([seed, *axis.feature.encode()])
    steps = len(axis.steps)
    parts = _walk(pipes, axis, generator) if steps else []
    apart = axis.levels[steps:] if steps else axis.levels
    parts += _each(pipes, axis, apart, generator)
    asked = pl.concat([part for part, _ in parts])
    logs = log_rate(model.rate(asked))
    means = [float(one.mean()) for one in np.split(logs, np.cumsum([part.height for part, _ in parts])[:-1])]
    values = _combined(axis, [label for _, label in parts], means)
    return values - float(np.average(values, weights=axis.shares))


Part = tuple[pl.DataFrame, tuple[str, int]]


def _walk(pipes: pl.DataFrame, axis: Axis, generator: np.random.Generator) -> list[Part]:
    """From each step to the next: the pipes of both, once as in the lower and once as in the upper step."""
    parts: list[Part] = []
    for place, (lower, upper) in enumerate(zip(axis.steps[:-1], axis.steps[1:], strict=True)):
        rows = np.concatenate([_some(one.rows, generator) for one in (lower, upper)])
        parts.append((_moved(pipes, rows, lower, axis, generator), ("from", place)))
        parts.append((_moved(pipes, rows, upper, axis, generator), ("to", place)))
    return parts


def _each(pipes: pl.DataFrame, axis: Axis, levels: Sequence[Level], generator: np.random.Generator) -> list[Part]:
    """All kinds of pipes with each name; for the pipes without a number also with the numbers that there are."""
    if not levels:
        return []
    rows = _some(np.arange(pipes.height, dtype=np.int64), generator)
    parts: list[Part] = [
        (_moved(pipes, rows, level, axis, generator), ("as", place)) for place, level in enumerate(levels)
    ]
    if axis.steps:
        known = Level(np.concatenate([step.rows for step in axis.steps]))
        parts.append((_moved(pipes, rows, known, axis, generator), ("known", 0)))
    return parts


def _some(rows: Rows, generator: np.random.Generator) -> Rows:
    return rows if rows.size <= PIPES_PER_STEP else generator.choice(rows, PIPES_PER_STEP, replace=False)


def _moved(
    pipes: pl.DataFrame, rows: Rows, level: Level, axis: Axis, generator: np.random.Generator
) -> pl.DataFrame:
    """The pipes with the property of pipes of a level, each of which lends its own about equally often."""
    givers = generator.permutation(np.resize(generator.permutation(level.rows), rows.size))
    return pipes[rows].with_columns(pipes[givers].select(axis.columns))


def _combined(axis: Axis, labels: Sequence[tuple[str, int]], means: Sequence[float]) -> Floats:
    """Sum up the differences between steps; set names, and pipes without a number, beside them."""
    of = dict(zip(labels, means, strict=True))
    steps = len(axis.steps)
    climbs = [of["to", place] - of["from", place] for place in range(steps - 1)]
    walked = np.cumsum([0.0, *climbs]) if steps else np.empty(0)
    level = float(np.average(walked, weights=axis.shares[:steps])) if steps else 0.0
    apart = [of["as", place] - of.get(("known", 0), 0.0) + level for place in range(len(axis.levels) - steps)]
    return np.concatenate([walked, apart])
