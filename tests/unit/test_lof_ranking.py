"""From rates to a ranked list, and the reasons of any model."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from vardag.water.lof.baselines import MaterialAge
from vardag.water.lof.boosting import Boosted, Settings
from vardag.water.lof.calibrate import Calibrated
from vardag.water.lof.example import example_panel
from vardag.water.lof.explain import explain
from vardag.water.lof.ranking import rank


@pytest.fixture(scope="module")
def year() -> pl.DataFrame:
    return example_panel(pipes=60, years=4).filter(pl.col("as_of") == date(2021, 12, 31))


def test_ranks_by_hand() -> None:
    """Equal rates are ranked by key; shares of length add up to one."""
    rows = pl.DataFrame(
        {"pipe_key": ["c", "a", "b"], "length_m": [100.0, 300.0, 600.0], "own_breaks": [0.0, 0.0, 4.0]}
    )
    found = rank(rows, np.array([0.5, 0.5, 2.0]), shape=1.0)
    assert found["pipe_key"].to_list() == ["b", "a", "c"]
    assert found["rank"].to_list() == [1, 2, 3]
    assert found["row"].to_list() == [2, 1, 0]
    assert found["cumulative_length_share"].to_list() == pytest.approx([0.6, 0.9, 1.0])
    assert found["expected_breaks"].to_list() == pytest.approx([1.2, 0.15, 0.05])
    # Shape 1 is the exponential distribution: its tenth and ninetieth percentiles are -log(0.9) and -log(0.1).
    assert found["lower"][1] == pytest.approx(0.5 * -np.log(0.9))
    assert found["upper"][1] == pytest.approx(0.5 * -np.log(0.1))
    assert found["p_break"][1] == pytest.approx(1 - 1 / 1.15)
    assert found["upper"][0] / 2.0 < found["upper"][1] / 0.5


def test_the_order_of_the_rows_does_not_change_the_list(year: pl.DataFrame) -> None:
    rate = year["true_rate"].to_numpy()
    place = np.random.default_rng(0).permutation(year.height)
    straight = rank(year, rate, shape=1.0).drop("row")
    assert rank(year[place], rate[place], shape=1.0).drop("row").equals(straight)


def test_reasons_of_a_table_of_rates_are_told_as_material(year: pl.DataFrame) -> None:
    model = Calibrated(MaterialAge()).fit(example_panel(pipes=60, years=4))
    told = explain(model, year, np.array([5, 2]), families={})
    assert told.columns == ["base", "material"]
    rate = model.model.rate(year)[[5, 2]]
    assert (told["base"] * told["material"]).to_numpy() == pytest.approx(rate)


def test_reasons_of_calibrated_trees_are_those_of_the_trees(year: pl.DataFrame) -> None:
    panel = example_panel(pipes=60, years=4)
    settings = Settings(rounds=10, seeds=(1,), smallest_leaf_rows=20, smallest_leaf_breaks=0.1)
    model = Calibrated(Boosted(("material", "age_years"), settings)).fit(panel)
    told = explain(model, year, np.arange(3), families={"age_years": "age"})
    assert told.columns == ["base", "material", "age"]
    assert told.to_numpy().prod(axis=1) == pytest.approx(model.model.rate(year)[:3])
