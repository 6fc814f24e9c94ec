"""The blend: it knows what its members know, and its reasons multiply to its rate."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from vardag.water.lof.ann import NeuralNetwork
from vardag.water.lof.baselines import MaterialAge
from vardag.water.lof.bayes import EmpiricalBayes
from vardag.water.lof.blend import Blend
from vardag.water.lof.boosting import Boosted, Settings
from vardag.water.lof.calibrate import Calibrated
from vardag.water.lof.encode import Term, learn, matrix
from vardag.water.lof.example import example_panel
from vardag.water.lof.explain import explain
from vardag.water.lof.hierarchical import Hierarchical
from vardag.water.lof.paths import multipliers, typical
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
    return Blend((Boosted(FEATURES, QUICK), Hierarchical(), NeuralNetwork())).fit(train)


def test_the_rate_is_the_geometric_mean_of_the_members(train: pl.DataFrame, test: pl.DataFrame) -> None:
    members = (EmpiricalBayes(), MaterialAge())
    expected = np.sqrt(np.prod([model.fit(train).rate(test) for model in members], axis=0))
    np.testing.assert_allclose(Blend(members).fit(train).rate(test), expected)


def test_a_blend_knows_what_its_members_know() -> None:
    """Two models that each know half of what moves a rate; together they rank better than either."""
    town = example_panel(pipes=4000, years=9, level=4.0)
    past, now = town.filter(pl.col("as_of") < LAST), town.filter(pl.col("as_of") == LAST)
    halves = (Boosted(("own_breaks", "own_observed_years"), QUICK), Boosted(("material", "age_years"), QUICK))
    true = now["true_rate"].log().to_numpy()

    def agreement(model: Model) -> float:
        return float(np.corrcoef(np.log(model.fit(past).rate(now)), true)[0, 1])

    assert agreement(Blend(halves)) > max(agreement(half) for half in halves) + 0.02


def test_multipliers_times_the_base_are_the_rate(fitted: Blend, test: pl.DataFrame) -> None:
    told = fitted.explain(test, [3, 50, 7], families=FAMILIES)
    assert told.columns[0] == "base"
    assert {"material", "age", "own_history"} < set(told.columns)
    assert told.to_numpy().prod(axis=1) == pytest.approx(fitted.rate(test)[[3, 50, 7]], rel=1e-6)


def test_a_blend_of_blends_and_of_models_without_reasons_is_told_too(
    train: pl.DataFrame, test: pl.DataFrame
) -> None:
    inner = Blend((NeuralNetwork(seed=1), NeuralNetwork(seed=2)), name="networks")
    model = Calibrated(Blend((inner, EmpiricalBayes()))).fit(train)
    told = explain(model, test, np.array([1, 2]), families=FAMILIES)
    assert told["own_history"].n_unique() == 2
    assert told.to_numpy().prod(axis=1) == pytest.approx(model.model.rate(test)[[1, 2]], rel=1e-6)


def test_own_breaks_raise_the_rate_in_the_reasons(fitted: Blend, test: pl.DataFrame) -> None:
    worst = int(test["own_breaks"].arg_max() or 0)
    assert fitted.explain(test, [worst], families=FAMILIES)["own_history"][0] > 1.2


def test_steps_from_the_typical_pipe_by_hand() -> None:
    """Rate (1 + a)(1 + b) + a b from (0, 0) to (1, 2): first a, 1 to 2 to 8; first b, 1 to 3 to 8."""

    def rate(inputs: Floats) -> Floats:
        a, b = inputs.T
        return np.asarray((1 + a) * (1 + b) + a * b)

    told = multipliers(rate, np.array([[1.0, 2.0]]), np.zeros(2), families=["a", "late"])
    assert told["base"][0] == pytest.approx(1.0)
    assert told["a"][0] == pytest.approx(np.sqrt(2 / 1 * 8 / 3))
    assert told["late"][0] == pytest.approx(np.sqrt(8 / 2 * 3 / 1))


def test_the_typical_pipe() -> None:
    frame = pl.DataFrame({"n": [1.0, 9.0, 3.0, None], "s": ["b", "a", "b", None], "t": ["x", "y", None, None]})
    encoding = learn(frame, (Term("n"), Term("s", "category"), Term("t", "category")))
    inputs = matrix(frame, encoding)
    row = typical(inputs, encoding)
    assert row.tolist()[1:] == [0.0, 0.0, 1.0, 0.0, 0.0]  # value known; b; most have no t
    assert row[0] == pytest.approx(np.median(inputs[:, 0]))


def test_networks_told_more_know_more(train: pl.DataFrame, test: pl.DataFrame) -> None:
    plain = NeuralNetwork().fit(train)
    told = plain.explain(test, [0, 1], families={"log_length": "length"} | FAMILIES)
    assert "length" in told.columns
    assert told["base"].to_list() == pytest.approx([told["base"][0]] * 2)
    assert float((plain.rate(test) * km_years(test)).sum()) > 0
