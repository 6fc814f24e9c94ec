"""The blend: weights from years not seen, none from later ones; its reasons multiply to its rate."""

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Self

import numpy as np
import polars as pl
import pytest

from vardag.water.lof.ann import NeuralNetwork
from vardag.water.lof.baselines import MaterialAge, OldestFirst, Random
from vardag.water.lof.bayes import EmpiricalBayes
from vardag.water.lof.blend import Blend, best_weights
from vardag.water.lof.boosting import Boosted, Settings
from vardag.water.lof.calibrate import Calibrated
from vardag.water.lof.example import example_panel
from vardag.water.lof.explain import explain
from vardag.water.lof.hierarchical import Hierarchical
from vardag.water.lof.paths import multipliers, typical_pipe
from vardag.water.lof.port import Floats, Model, km_years

FEATURES = ("material", "age_years", "diameter_mm", "own_breaks", "own_observed_years")
QUICK = Settings(rounds=40, seeds=(1,), smallest_leaf_rows=50, smallest_leaf_breaks=1.0)
FAMILIES = {
    "age_years": "age",
    "install_year": "age",
    "own_breaks": "own_history",
    "own_observed_years": "own_history",
}
LAST = date(2021, 12, 31)


@pytest.fixture(scope="module")
def panel() -> pl.DataFrame:
    return example_panel(pipes=500, years=9)


@pytest.fixture(scope="module")
def train(panel: pl.DataFrame) -> pl.DataFrame:
    return panel.filter(pl.col("as_of") < LAST)


@pytest.fixture(scope="module")
def test(panel: pl.DataFrame) -> pl.DataFrame:
    return panel.filter(pl.col("as_of") == LAST)


@pytest.fixture(scope="module")
def fitted(train: pl.DataFrame) -> Blend:
    return Blend((Boosted(FEATURES, QUICK), Hierarchical(), NeuralNetwork()), years=3).fit(train)


@dataclass(frozen=True)
class Remembering:
    """Oldest first, which also keeps the dates that each of its fits was shown."""

    seen: list[tuple[date, ...]]
    fitted: OldestFirst = field(default_factory=OldestFirst)
    name: str = "remembering"

    def fit(self, panel: pl.DataFrame) -> Self:
        self.seen.append(tuple(panel["as_of"].unique().sort().to_list()))
        return replace(self, fitted=self.fitted.fit(panel))

    def rate(self, panel: pl.DataFrame) -> Floats:
        return self.fitted.rate(panel)


def test_weights_are_learnt_on_years_that_the_recipes_have_not_seen(train: pl.DataFrame) -> None:
    seen: list[tuple[date, ...]] = []
    Blend((Remembering(seen), MaterialAge()), years=3).fit(train)
    days = tuple(train["as_of"].unique().sort().to_list())
    assert seen == [days[:-3], days]


def test_years_after_as_of_change_nothing(panel: pl.DataFrame, train: pl.DataFrame, test: pl.DataFrame) -> None:
    """What a fit on the past is shown decides it; a future of another kind changes neither weights nor rates."""
    recipe = Blend((MaterialAge(), EmpiricalBayes(), Hierarchical()), years=3)
    future = pl.when(pl.col("as_of") >= LAST).then(9).otherwise("breaks").cast(pl.Int32)
    changed = panel.with_columns(breaks=future)
    first, second = (recipe.fit(rows.filter(pl.col("as_of") < LAST)) for rows in (panel, changed))
    assert first.weights == second.weights
    np.testing.assert_array_equal(first.rate(test), second.rate(test))


def test_the_better_model_gets_the_weight() -> None:
    town = example_panel(pipes=6000, years=9, level=4.0)
    weights = Blend((EmpiricalBayes(), Random(seed=1)), years=3).fit(town).weights
    assert weights[0] > 0.8
    assert sum(weights) == pytest.approx(1.0)


def test_weights_are_found_again() -> None:
    """Breaks drawn from a known pool of two rates, many of them: 0.7 and 0.3 come back."""
    generator = np.random.default_rng(2)
    logs = generator.normal(0, 1, (2, 50_000))
    year = np.repeat([0, 1], 25_000)
    breaks = generator.poisson(0.5 * np.exp(np.array([0.7, 0.3]) @ logs)).astype(float)
    weights = best_weights(logs, breaks, np.ones(50_000), year)
    assert weights == pytest.approx((0.7, 0.3), abs=0.03)
    # A common level, such as a hard winter, says nothing about the weights.
    assert best_weights(logs + year, breaks, np.ones(50_000), year) == pytest.approx(weights, abs=1e-4)


def test_few_breaks_leave_the_weights_near_equal() -> None:
    generator = np.random.default_rng(3)
    logs = generator.normal(0, 1, (2, 2000))
    breaks = np.zeros(2000)
    breaks[:5] = 1.0
    weights = best_weights(logs, breaks, np.ones(2000), np.zeros(2000, dtype=np.int64))
    assert weights == pytest.approx((0.5, 0.5), abs=0.15)
    assert best_weights(logs, np.zeros(2000), np.ones(2000), np.zeros(2000, dtype=np.int64)) == (0.5, 0.5)


@pytest.mark.parametrize("years", [0, 20])
def test_without_years_to_learn_from_all_weigh_alike(train: pl.DataFrame, years: int) -> None:
    seen: list[tuple[date, ...]] = []
    assert Blend((Remembering(seen), MaterialAge()), years=years).fit(train).weights == (0.5, 0.5)
    assert len(seen) == 1


def test_lighter_recipes_may_stand_for_the_members(train: pl.DataFrame, test: pl.DataFrame) -> None:
    seen: list[tuple[date, ...]] = []
    blend = Blend((EmpiricalBayes(), MaterialAge()), trial=(Remembering(seen), MaterialAge()), years=3).fit(train)
    assert len(seen) == 1
    expected = [np.log(model.fit(train).rate(test)) for model in (EmpiricalBayes(), MaterialAge())]
    np.testing.assert_allclose(np.log(blend.rate(test)), np.array(blend.weights) @ np.array(expected))


def test_multipliers_times_the_base_are_the_rate(fitted: Blend, test: pl.DataFrame) -> None:
    told = fitted.explain(test, [3, 50, 7], families=FAMILIES)
    assert told.columns[0] == "base"
    assert {"material", "age", "own_history"} < set(told.columns)
    assert told.to_numpy().prod(axis=1) == pytest.approx(fitted.rate(test)[[3, 50, 7]], rel=1e-6)


def test_a_blend_of_blends_and_of_models_without_reasons_is_told_too(
    train: pl.DataFrame, test: pl.DataFrame
) -> None:
    inner = Blend((NeuralNetwork(seed=1), NeuralNetwork(seed=2)), years=0, name="networks")
    model = Calibrated(Blend((inner, EmpiricalBayes()), years=0)).fit(train)
    told = explain(model, test, np.array([1, 2]), families=FAMILIES)
    assert told["own_history"].n_unique() == 2
    assert told.to_numpy().prod(axis=1) == pytest.approx(model.model.rate(test)[[1, 2]], rel=1e-6)


def test_own_breaks_raise_the_rate_in_the_reasons(fitted: Blend, test: pl.DataFrame) -> None:
    worst = int(test["own_breaks"].arg_max() or 0)
    assert fitted.explain(test, [worst], families=FAMILIES)["own_history"][0] > 1.2


def test_not_fitted_says_so(test: pl.DataFrame) -> None:
    members: tuple[Model, ...] = (MaterialAge(),)
    with pytest.raises(ValueError, match="not fitted"):
        Blend(members).rate(test)


def test_steps_from_the_typical_pipe_by_hand() -> None:
    """Rate a + b + a b from (0, 0) to (1, 2): first a then b gives 1 and 5 - 1, first b then a 2 and 3; from 1."""
    asked = pl.DataFrame({"a": [1.0], "b": [2.0], "other": ["x"]})
    typical = pl.DataFrame({"a": [0.0], "b": [0.0]})

    def rate(rows: pl.DataFrame) -> Floats:
        return ((1 + rows["a"]) * (1 + rows["b"]) + rows["a"] * rows["b"]).to_numpy()

    told = multipliers(rate, asked, typical, families={"b": "late"})
    assert told["base"][0] == pytest.approx(1.0)
    assert told["a"][0] == pytest.approx(np.sqrt(2 / 1 * 8 / 3))
    assert told["late"][0] == pytest.approx(np.sqrt(8 / 2 * 3 / 1))


def test_the_typical_pipe() -> None:
    frame = pl.DataFrame({"n": [1.0, float("nan"), 3.0, None], "s": ["b", "a", "b", None], "none": [None] * 4})
    frame = frame.with_columns(pl.col("none").cast(pl.String))
    assert typical_pipe(frame, ["n", "s", "none", "absent"]).rows() == [(2.0, "b", None)]


def test_networks_told_more_know_more(train: pl.DataFrame, test: pl.DataFrame) -> None:
    plain = NeuralNetwork().fit(train)
    told = plain.explain(test, [0, 1], families={"log_length": "length"} | FAMILIES)
    assert "length" in told.columns
    assert told["base"].to_list() == pytest.approx([told["base"][0]] * 2)
    assert float((plain.rate(test) * km_years(test)).sum()) > 0
