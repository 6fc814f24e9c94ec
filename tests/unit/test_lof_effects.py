"""Partial effects of a model whose effects are known, and how often their intervals hold the truth."""

from dataclasses import dataclass
from datetime import date
from typing import Self

import numpy as np
import polars as pl
import pytest

from vardag.water.lof.effects import Ground, ground, told
from vardag.water.lof.example import RATE_PER_KM, example_panel
from vardag.water.lof.glm import PoissonGlm
from vardag.water.lof.port import Floats
from vardag.water.lof.refits import refits

FAMILIES = {"age_years": "wear", "diameter_mm": "diameter", "material": "material", "twin": "echo"}
SLOPE = 0.03


@dataclass(frozen=True)
class Known:
    """A model that was not fitted: its rate is what is written here, and ``twin`` has no part in it."""

    name: str = "known"

    def fit(self, panel: pl.DataFrame) -> Self:
        """Nothing to learn."""
        return self

    def rate(self, panel: pl.DataFrame) -> Floats:
        """Age times material times a factor for unknown diameters."""
        material = panel["material"].replace_strict(RATE_PER_KM, return_dtype=pl.Float64).to_numpy()
        unknown = np.where(panel["diameter_mm"].is_null().to_numpy(), 3.0, 1.0)
        return np.asarray(material * unknown * np.exp(SLOPE * panel["age_years"].to_numpy()))


def year(pipes: int = 3000, seed: int = 0) -> pl.DataFrame:
    """A risk set; one diameter in ten is unknown, and ``twin`` follows the age closely."""
    generator = np.random.default_rng(seed)
    rows = example_panel(pipes=pipes, years=2, seed=seed).filter(pl.col("as_of") == date(2021, 12, 31))
    hidden = pl.Series(generator.random(pipes) < 0.1)
    return rows.with_columns(
        diameter_mm=pl.when(hidden).then(None).otherwise("diameter_mm"),
        twin=pl.col("age_years") + pl.Series(generator.normal(0.0, 1.0, pipes)),
    )


def effect(of: str, on: Ground, again: int = 0) -> dict[str, object]:
    first = on.measure(Known())
    return next(row for row in told(on, first, [first] * again) if row["feature"] == of)


@pytest.fixture(scope="module")
def on() -> Ground:
    return ground(year(), families=FAMILIES, seed=1)


def test_a_number_is_followed_however_closely_another_goes_with_it(on: Ground) -> None:
    """The slope is found for the age, and nothing for its twin, which a regression on one of them would blame."""
    points = effect("age_years", on)["points"]
    at, logs = ([f(point) for point in points] for f in (lambda p: p["at"], lambda p: np.log(p["multiplier"])))
    assert len(points) >= 8
    assert np.polyfit(at, logs, 1)[0] == pytest.approx(SLOPE, rel=0.05)
    assert effect("twin", on)["strength"] == pytest.approx(0.0, abs=1e-9)


def test_names_have_their_own_factors(on: Ground) -> None:
    found = {point["name"]: point["multiplier"] for point in effect("material", on)["points"]}
    assert set(found) == set(RATE_PER_KM)
    assert {name: found[name] / found["PVC"] for name in found} == pytest.approx(
        {name: rate / RATE_PER_KM["PVC"] for name, rate in RATE_PER_KM.items()}
    )


def test_pipes_without_a_value_are_a_level_of_their_own(on: Ground) -> None:
    points = effect("diameter_mm", on)["points"]
    assert [point["missing"] for point in points] == [False, False, False, False, True]
    assert points[-1]["multiplier"] / points[0]["multiplier"] == pytest.approx(3.0)


def test_multipliers_average_to_one_over_the_length(on: Ground) -> None:
    for row in told(on, on.measure(Known()), []):
        shares = np.array([point["share"] for point in row["points"]])
        logs = np.log([point["multiplier"] for point in row["points"]])
        assert shares.sum() == pytest.approx(1.0)
        assert float(shares @ logs) == pytest.approx(0.0, abs=1e-9)


def test_the_strongest_comes_first_and_without_refits_there_is_no_interval(on: Ground) -> None:
    rows = told(on, on.measure(Known()), [])
    assert [row["feature"] for row in rows] == ["material", "age_years", "diameter_mm", "twin"]
    assert rows[0]["points"][0]["lower"] is None
    assert effect("material", on, again=3)["points"][0]["lower"] == pytest.approx(
        effect("material", on)["points"][0]["multiplier"]
    )


def test_columns_of_one_property_move_together() -> None:
    """A family of several columns that tell one thing is one property, and no impossible mixture is asked for."""
    asked: list[pl.DataFrame] = []

    @dataclass(frozen=True)
    class Listening(Known):
        def rate(self, panel: pl.DataFrame) -> Floats:
            asked.append(panel)
            return super().rate(panel)

    rows = year(600)
    found = ground(rows, families={"age_years": "age", "install_year": "age", "era": "age"}, seed=1)
    found.measure(Listening())
    assert [axis.feature for axis in found.axes] == ["install_year"]
    assert found.axes[0].columns == ("age_years", "install_year", "era")
    given = set(rows.select("age_years", "install_year", "era").iter_rows())
    assert set(pl.concat(asked).select("age_years", "install_year", "era").iter_rows()) <= given


def test_a_change_of_pressure_is_a_property_of_its_own_and_its_level_told_twice_is_one() -> None:
    rows = year(300).with_columns(
        measured_pressure_m=pl.int_range(300) % 50 + 30.0,
        pressure_change_m=pl.int_range(300) % 7 - 3.0,
        pressure_m=pl.lit(None, dtype=pl.Float64),
    )
    names = ("pressure_m", "measured_pressure_m", "pressure_change_m")
    axes = ground(rows, families=dict.fromkeys(names, "pressure"), seed=1).axes
    assert [(axis.feature, axis.columns) for axis in axes] == [
        ("measured_pressure_m", ("pressure_m", "measured_pressure_m")),
        ("pressure_change_m", ("pressure_change_m",)),
    ]


def test_a_count_that_most_pipes_lack_has_its_few_values_apart() -> None:
    rows = year().with_columns(own_breaks=pl.Series([0.0] * 2700 + [1.0] * 180 + [2.0] * 60 + [3.0, 4.0] * 30))
    found = ground(rows, families={"own_breaks": "own_history"}, seed=1)
    assert [(level.low, level.high) for level in found.axes[0].levels] == [(0, 0), (1, 1), (2, 2), (3, 4)]


def test_properties_without_a_choice_are_left_out() -> None:
    rows = year(200).with_columns(soil=pl.lit(None, dtype=pl.String), lined=pl.lit(None, dtype=pl.Float64))
    assert ground(rows, families={"soil": "soil", "lined": "lining", "gone": "gone"}, seed=1).axes == ()


def test_intervals_hold_the_true_effect_about_as_often_as_they_say() -> None:
    """Cast iron against PVC, from the breaks of 20 towns, by a regression that can find it."""
    held = []
    for seed in range(20):
        panel = example_panel(pipes=400, years=6, seed=seed)
        on = ground(panel.filter(pl.col("as_of") == date(2021, 12, 31)), families={"material": "material"}, seed=1)
        first = PoissonGlm().fit(panel)
        again = [on.measure(model) for model in refits(panel, make=lambda _: PoissonGlm(), count=6, seed=seed)]
        points = {point["name"]: point for point in told(on, on.measure(first), again)[0]["points"]}
        truth = np.log(RATE_PER_KM["CI"]) - np.average(
            np.log(list(RATE_PER_KM.values())), weights=[points[name]["share"] for name in RATE_PER_KM]
        )
        held.append(points["CI"]["lower"] <= np.exp(truth) <= points["CI"]["upper"])
    assert 0.7 <= np.mean(held) <= 1.0
