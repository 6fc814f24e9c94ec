"""What the model expects of a pipe that was changed: replaced by a new one, relined, or under less pressure.

The pipe's row is altered and the model asked again. That tells what goes with such pipes in this network, and does
not promise what the change would do: relined pipes may have been chosen because they were bad, and low pressure is
where the ground is high. Where the network has too few pipes like that to learn from, nothing is told.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from vardag.water.lof.port import POLICY, Model

# Families that belong to the pipe itself; what a new pipe brings with it. All others belong to its place.
OF_THE_PIPE = frozenset({"material", "age", "own_history", "lining", "cleaning", "cohort"})
MATERIAL = "PE"


@dataclass(frozen=True)
class Change:
    """One change: today's rows altered, those it is told for, and how many pipes the model knows it from.

    ``published`` is true where published rates know such pipes too.
    """

    name: str
    altered: pl.DataFrame
    told: pl.Series
    pipes: int
    published: bool = False

    def rate(self, model: Model, *, published: bool) -> pl.Series:
        """Rates per km and year after the change; null where it is not told."""
        known = self.pipes >= POLICY.value("what_if_least_pipes") or (published and self.published)
        if not known or not self.told.any():
            return pl.Series(self.name, [None] * self.altered.height, dtype=pl.Float64)
        rate = pl.Series(self.name, model.rate(self.altered))
        return pl.select(pl.when(self.told).then(rate).alias(self.name)).to_series()


def changes(past: pl.DataFrame, today: pl.DataFrame, *, families: Mapping[str, str]) -> tuple[Change, ...]:
    """Make the changes that there are columns for.

    Parameters
    ----------
    past
        Pipe-years that the model learned from.
    today
        The risk set of one ``as_of``.
    families
        Family of each feature.
    """
    makers: tuple[Callable[..., Change | None], ...] = (new_pipe, relined, lower_pressure)
    made = [make(past, today, families) for make in makers]
    return tuple(change for change in made if change is not None)


def what_if(model: Model, found: tuple[Change, ...], *, published: bool = False) -> pl.DataFrame:
    """Rates after each change, one Float column each, rows as today's; null where it cannot be told.

    Parameters
    ----------
    model
        Fitted.
    found
        What `changes` gave. The network must have had enough pipes like that (``what_if_least_pipes``).
    published
        True for a model that rests on published rates: it knows new pipes that the network never had.
    """
    return pl.DataFrame([change.rate(model, published=published) for change in found])


def new_pipe(past: pl.DataFrame, today: pl.DataFrame, families: Mapping[str, str]) -> Change | None:
    """The pipe replaced by a new one of polyethylene, where it lies."""
    if not {"material", "age_years"} <= set(today.columns) or not today.height:
        return None
    day: date = today["as_of"][0]
    is_young = pl.col("age_years") <= POLICY.value("what_if_new_years")
    young = past.filter((pl.col("material") == MATERIAL) & is_young)
    known = {
        "material": MATERIAL,
        "era": _era(young, day),
        "install_year": float(day.year),
        "age_years": 0.0,
        "own_breaks": 0.0,
        "own_breaks_5y": 0.0,
        "own_breaks_recent": 0.0,
        "own_rate": 0.0,
        "own_observed_years": 0.0,
        "own_years_since": None,
        "lined_years": None,
        "cleaned_years": None,
    }
    altered = _altered(today, young, families=families, of=OF_THE_PIPE, known=known)
    # A model that remembers pipes must not take this one for the old one.
    altered = altered.with_columns(pipe_key=pl.format("{}@new", "pipe_key"))
    return Change("new_pipe", altered, _everywhere(today), young["pipe_key"].n_unique(), published=True)


def relined(past: pl.DataFrame, today: pl.DataFrame, families: Mapping[str, str]) -> Change | None:
    """The pipe lined today."""
    if "lined_years" not in today.columns:
        return None
    fresh = past.filter(pl.col("lined_years") <= POLICY.value("what_if_new_years"))
    altered = _altered(today, fresh, families=families, of=frozenset({"lining"}), known={"lined_years": 0.0})
    return Change("relined", altered, _everywhere(today), fresh["pipe_key"].n_unique())


def lower_pressure(past: pl.DataFrame, today: pl.DataFrame, _families: Mapping[str, str]) -> Change | None:
    """The pipe under less pressure, measured and typical; the network must have pipes under as little."""
    if "pressure_m" not in today.columns:
        return None
    policy = POLICY.value("what_if_pressure")
    after = pl.col("pressure_m") - policy["lower_m"]
    lowest = max(policy["least_m"], _lowest(past))
    told = today.select((after >= lowest).fill_null(value=False)).to_series()
    pipes = past.filter(pl.col("pressure_m").is_not_null())["pipe_key"].n_unique()
    measured = pl.col("^measured_pressure_m$") - policy["lower_m"]
    return Change("lower_pressure", today.with_columns(measured, pressure_m=after), told, pipes)


def _lowest(past: pl.DataFrame) -> float:
    value = past["pressure_m"].min() if "pressure_m" in past.columns else None
    return float(value) if isinstance(value, int | float) else float("inf")


def _era(young: pl.DataFrame, day: date) -> str:
    """Decade of `day` if the model has met young pipes of it, else the latest that it has."""
    now = f"{day.year // 10 * 10}s"
    met = young["era"].drop_nulls().unique().sort().to_list() if "era" in young.columns else []
    return now if now in met or not met else str(met[-1])


def _everywhere(today: pl.DataFrame) -> pl.Series:
    return pl.repeat(value=True, n=today.height, eager=True)


def _altered(
    today: pl.DataFrame,
    like: pl.DataFrame,
    *,
    families: Mapping[str, str],
    of: frozenset[str],
    known: Mapping[str, Any],
) -> pl.DataFrame:
    """Alter every row: what is known of the change, and in other columns of those families what such pipes have."""
    columns = [column for column, family in families.items() if family in of and column in today.columns]
    values = {column: known[column] if column in known else _usual(like[column]) for column in columns}
    literals = [pl.lit(value, dtype=today.schema[column]).alias(column) for column, value in values.items()]
    return today.with_columns(literals)


def _usual(column: pl.Series) -> Any:
    """Mean of a number, commonest name; None where most have none."""
    known = column.drop_nulls()
    if known.len() <= column.len() / 2:
        return None
    return known.mean() if known.dtype.is_numeric() else known.mode().sort()[0]
