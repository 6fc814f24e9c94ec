"""A hierarchical count model: what pipes of a kind do, where they lie, and what each has shown itself.

    rate = published rate of the material x exp(level + material + era + material x era + zone + road + soil
           + age, diameter, length, breaks around) x frailty given the pipe's own record

Age acts as a power (Weibull), its exponent partly the material's own. Groups share strength
(`vardag.water.lof.penalised`): a material with few breaks stays near the published rate and the city's level, and a
city with many breaks learns its own. The record acts as a gamma posterior that allows for pipes replaced before the
log began (`vardag.water.lof.frailty`), which makes it a LEYP (Le Gat 2014) with partial pooling. Unlike trees it
can be taken years ahead: `expected` and `survival`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vardag.water.lof import frailty as own
from vardag.water.lof.encode import Fitted, Term, enough, learn, matrix, thin
from vardag.water.lof.frailty import Frailty, Past
from vardag.water.lof.penalised import LEVEL, NUMBERS, Effects, Rows, predictor, regress, start
from vardag.water.lof.port import Floats, counts, km_years, lengths_km, numbers, usable
from vardag.water.lof.published import prior_rate

# Column of the prepared panel, and the feature whose family its effect is told under.
GROUPS = {
    "material": "material",
    "built": "install_year",
    "material_built": "install_year",
    "pressure_zone": "pressure_zone",
    "road_class": "road_class",
    "soil_class": "soil_class",
    "function": "function",
}
NUMBER_TERMS = {
    "log_age": "age_years",
    "log_diameter": "diameter_mm",
    "log_length_m": "log_length",
    "length_bend": "log_length",
    "log_excess": "nearby_excess",
    "pressure_m": "pressure_m",
}
SLOPES = ("log_age", "log_diameter")  # a slope of each material's own
TERMS = tuple(Term(name, "category") for name in GROUPS) + tuple(Term(name) for name in NUMBER_TERMS)
OWN = "own_breaks"
ERA_YEARS = 5
LONG_M = 55.0  # pieces much shorter and much longer than this differ
UNKNOWN_AGE_YEARS = 40.0
SLOPE_BOUNDS = (-0.8, 3.0)
ROUNDS, FIRST_STEPS, LATER_STEPS = 2, 8, 3
LONGEST_LIFE_YEARS = 200
DEFAULT_FRAILTY = own.prior()


@dataclass(frozen=True)
class Known:
    """What is known of each pipe: rate by looks (per km and year), age, the exponent of age, and the record."""

    looks: Floats
    age: Floats
    slope: Floats
    past: Past


@dataclass(frozen=True)
class Hierarchical:
    """Partially pooled Poisson regression with a gamma frailty of each pipe, and published rates as the prior."""

    seed: int = 0
    encoding: tuple[Fitted, ...] = ()
    effects: Effects | None = None
    frailty: Frailty = DEFAULT_FRAILTY
    typical: tuple[float, ...] = ()
    name: str = "hierarchical"

    def fit(self, panel: pl.DataFrame) -> Self:
        """Fit effects and frailty in turn, on all breaks and a weighted sample of the empty pipe-years."""
        rows = usable(panel)
        kept, weights = thin(counts(rows), limit=enough(counts(rows)), seed=self.seed)
        rows = prepared(rows[kept])
        encoding = learn(rows, TERMS)
        inputs, family, _ = _design(rows, encoding)
        given = Rows(inputs, family, counts(rows), km_years(rows), np.log(prior_rate(rows)), weights)
        fitted = replace(self, encoding=encoding, effects=regress(given, start(family), steps=FIRST_STEPS))
        for _ in range(ROUNDS):
            fitted = fitted._alternate(rows, given)
        return replace(fitted, typical=tuple(np.average(fitted._parts(rows)[0], axis=0, weights=weights).tolist()))

    def _alternate(self, rows: pl.DataFrame, given: Rows) -> Self:
        """Learn the frailty under the effects, then the effects under the frailty."""
        known = self._known(rows, given.inputs)
        frailty = own.most_likely(known.past, given.breaks, known.looks * given.size, given.weights)
        offset = given.offset + np.log(known.past.multiplier(frailty))
        effects = regress(replace(given, offset=offset), self._fitted(), steps=LATER_STEPS)
        return replace(self, frailty=frailty, effects=effects)

    def rate(self, panel: pl.DataFrame) -> Floats:
        """Return expected breaks per km in the year ahead."""
        known = self._read(panel)
        return np.asarray(known.looks * known.past.multiplier(self.frailty))

    def expected(self, panel: pl.DataFrame, *, years: float) -> Floats:
        """Breaks to expect of each pipe in the years ahead, were it left as it is; `rate` x km for one year."""
        known = self._read(panel)
        ahead = own.ahead(known.age, known.slope, years=years)
        return np.asarray(known.looks * known.past.length_km * ahead * known.past.multiplier(self.frailty))

    def survival(self, panel: pl.DataFrame, *, years: Sequence[float]) -> Floats:
        """Probability that each pipe has no break within each number of years; shape (rows, years)."""
        known = self._read(panel)
        year = known.looks * known.past.length_km
        spans = [year * own.ahead(known.age, known.slope, years=span) for span in years]
        return np.column_stack([own.survival(known.past, self.frailty, span) for span in spans])

    def years_to_break(
        self, panel: pl.DataFrame, *, probability: float = 0.5, rate: Floats | None = None
    ) -> Floats:
        """Whole years until a break has become at least so probable; infinite where that takes over 200 years.

        Parameters
        ----------
        panel
            Pipes as they are today.
        probability
            How probable.
        rate
            Breaks per km in the year ahead as another model has them, such as the blend that this one is part of;
            how the years after differ from it, and what the pipe's record leaves open, is this model's.
        """
        known = self._read(panel)
        looks = known.looks if rate is None else rate / known.past.multiplier(self.frailty)
        year = looks * known.past.length_km
        total, found = np.zeros(year.size), np.full(year.size, np.inf)
        for place in range(LONGEST_LIFE_YEARS):
            total += own.at_age(known.age, known.slope, years_on=place)
            broken = own.survival(known.past, self.frailty, year * total) <= 1.0 - probability
            found = np.where(broken & np.isinf(found), place + 1.0, found)
        return found

    def data_share(self, panel: pl.DataFrame) -> tuple[Floats, Floats]:
        """What is data and not prior in each pipe's rate: in what its looks give, and in what its record adds.

        The first is the share of the prior's variance of the log rate that the city's breaks have taken away; the
        second is the weight of the record against the looks.
        """
        rows, effects = prepared(panel), self._fitted()
        inputs, family, _ = _design(rows, self.encoding)
        before = inputs**2 @ effects.spread[family]
        after = np.einsum("ij,jk,ik->i", inputs, effects.covariance, inputs)
        past = self._known(rows, inputs).past
        shape = self.frailty.shape(past.length_km)
        return np.asarray(1.0 - after / before), np.asarray(past.expected / (past.expected + shape))

    def explain(
        self, panel: pl.DataFrame, rows: NDArray[np.int64] | Sequence[int], *, families: Mapping[str, str]
    ) -> pl.DataFrame:
        """Tell what moves each row's rate, as multipliers by family of features; see `Boosted.explain`.

        The base is the geometric mean over the training rows; the record's multiplier is told as own history.
        """
        parts, sources = self._parts(prepared(panel[np.asarray(rows, dtype=np.int64)]))
        away = parts - np.array(self.typical)
        named = [families.get(source, source) for source in sources]
        base = np.full(len(parts), np.exp(sum(self.typical)))
        table = {
            family: np.exp(away[:, [place for place, one in enumerate(named) if one == family]].sum(axis=1))
            for family in dict.fromkeys(named)
        }
        return pl.DataFrame({"base": base} | table)

    def _parts(self, rows: pl.DataFrame) -> tuple[Floats, list[str]]:
        """Logarithm of the rate in parts: published rate, one column per source feature, the record."""
        inputs, _, sources = _design(rows, self.encoding)
        each = inputs * self._fitted().values
        names = list(dict.fromkeys(sources))
        columns = [each[:, np.flatnonzero(np.array(sources) == name)].sum(axis=1) for name in names]
        past = np.log(self._known(rows, inputs).past.multiplier(self.frailty))
        return np.column_stack([np.log(prior_rate(rows)), *columns, past]), ["material", *names, OWN]

    def _fitted(self) -> Effects:
        if self.effects is None:
            raise ValueError("hierarchical: not fitted. Call fit(panel) first.")
        return self.effects

    def _read(self, panel: pl.DataFrame) -> Known:
        rows = prepared(panel)
        return self._known(rows, _design(rows, self.encoding)[0])

    def _known(self, rows: pl.DataFrame, inputs: Floats) -> Known:
        looks = np.asarray(prior_rate(rows) * np.exp(predictor(inputs, self._fitted().values)))
        age, slope, lengths = _ages(rows), self._slope(rows, inputs), lengths_km(rows)
        year = looks * lengths
        first = age - np.minimum(numbers(rows, "own_observed_years", missing=0.0), age)
        seen = year * own.cumulative(age, slope, since=first)
        before = year * own.cumulative(age, slope, since=0.0) - seen
        past = Past(lengths, numbers(rows, "own_breaks", missing=0.0), seen, np.maximum(before, 0.0))
        return Known(looks, age, slope, past)

    def _slope(self, rows: pl.DataFrame, inputs: Floats) -> Floats:
        """Exponent of age in each pipe's rate: how the predictor, which is linear, answers to one more log year."""
        changed = _design(rows.with_columns(pl.col("log_age") + 1.0), self.encoding)[0]
        return np.clip(predictor(changed - inputs, self._fitted().values), *SLOPE_BOUNDS)


def prepared(panel: pl.DataFrame) -> pl.DataFrame:
    """Add the columns that the terms are made of."""
    install, length = numbers(panel, "install_year"), np.log(np.maximum(numbers(panel, "length_m"), 0.1))
    built = pl.Series(np.where(np.isnan(install), -1, np.nan_to_num(install) // ERA_YEARS * ERA_YEARS))
    named = pl.Series(built.cast(pl.Int64).cast(pl.String))
    material = pl.col("material").cast(pl.String).fill_null("UNKNOWN")
    columns = {
        "log_age": np.log(np.maximum(numbers(panel, "age_years"), 0.0) + 0.5),
        "log_diameter": np.log(np.maximum(numbers(panel, "diameter_mm"), 10.0)),
        "log_length_m": length,
        "length_bend": (length - np.log(LONG_M)) ** 2,
        "log_excess": np.log(numbers(panel, "nearby_excess")),
    }
    added = panel.with_columns(
        material=material, built=named, **{name: pl.Series(v) for name, v in columns.items()}
    )
    return added.with_columns(material_built=pl.format("{} {}", "material", "built"))


def _ages(rows: pl.DataFrame) -> Floats:
    return np.maximum(numbers(rows, "age_years", missing=UNKNOWN_AGE_YEARS), 0.0)


def _design(rows: pl.DataFrame, encoding: Sequence[Fitted]) -> tuple[Floats, NDArray[np.int64], list[str]]:
    """Inputs with a first column of ones, the family of each column, and the feature that it comes from."""
    blocks, family, sources = [np.ones((rows.height, 1))], [LEVEL], ["material"]
    known = {fitted.term.column: fitted for fitted in encoding}
    parts = [(matrix(rows, [fitted]), name, fitted.term.kind == "category") for name, fitted in known.items()]
    for name in SLOPES:
        if name in known and "material" in known:
            product = matrix(rows, [known["material"]]) * matrix(rows, [known[name]])[:, :1]
            parts.append((product, name, True))
    groups = NUMBERS
    for block, name, grouped in parts:
        groups += grouped
        blocks.append(block)
        family += [groups if grouped else NUMBERS] * block.shape[1]
        sources += [(GROUPS | NUMBER_TERMS)[name]] * block.shape[1]
    return np.hstack(blocks), np.array(family, dtype=np.int64), sources
