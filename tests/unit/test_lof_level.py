"""Level, spread and the fallback: calibration, intervals, few breaks."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from vardag.water.lof.baselines import MaterialAge
from vardag.water.lof.bayes import EmpiricalBayes
from vardag.water.lof.calibrate import Calibrated, calibrated
from vardag.water.lof.example import example_panel
from vardag.water.lof.explain import explain
from vardag.water.lof.few import TEXTS, choose
from vardag.water.lof.hierarchical import Hierarchical
from vardag.water.lof.intervals import (
    breaks_in_a_year,
    held,
    interval,
    most_likely_kappa,
    p_break,
    pipe_shapes,
    shape_out_of_time,
)
from vardag.water.lof.port import POLICY, km_years


@pytest.fixture(scope="module")
def panel() -> pl.DataFrame:
    return example_panel(pipes=800, years=8)


def test_calibrated_total_is_what_the_latest_years_gave(panel: pl.DataFrame) -> None:
    model = Calibrated(MaterialAge(), years=2).fit(panel)
    latest = panel.filter(pl.col("as_of") >= date(2020, 12, 31))
    expected = float((model.rate(latest) * km_years(latest)).sum())
    assert expected == pytest.approx(float(latest["breaks"].sum()), rel=0.02)
    assert model.record.label_years == (2021, 2022)
    assert model.record.document()["label_years"] == [2021, 2022]


def test_a_falling_rate_is_followed(panel: pl.DataFrame) -> None:
    """With no breaks in the last three years the level falls, but not to nothing."""
    last_three = pl.col("as_of") >= date(2019, 12, 31)
    falling = panel.with_columns(breaks=pl.when(last_three).then(0).otherwise("breaks").cast(pl.Int32))
    factor = Calibrated(MaterialAge(), years=3).fit(falling).record.factor
    assert 0 < factor < 0.1


def test_calibration_keeps_the_ranking_and_the_name(panel: pl.DataFrame) -> None:
    inner = MaterialAge().fit(panel).rate(panel)
    (outer,) = calibrated([MaterialAge()], years=2)
    assert outer.name == "material_age"
    ratio = outer.fit(panel).rate(panel) / inner
    assert ratio == pytest.approx(ratio[0])


def test_each_material_follows_its_own_latest_years(panel: pl.DataFrame) -> None:
    """Cast iron without breaks in the last three years; what there are of the others stay."""
    quiet = (pl.col("as_of") >= date(2019, 12, 31)) & (pl.col("material") == "CI")
    falling = panel.with_columns(breaks=pl.when(quiet).then(0).otherwise("breaks").cast(pl.Int32))
    model = Calibrated(MaterialAge(), years=3, by_material=True).fit(falling)
    weight, factors = POLICY.value("calibration_material_prior"), model.record.materials
    rows = falling.filter(pl.col("as_of") >= date(2019, 12, 31))
    iron = rows.filter(pl.col("material") == "CI")
    expected = model.record.factor * float((MaterialAge().fit(falling).rate(iron) * km_years(iron)).sum())
    assert factors["CI"] == pytest.approx(weight / (expected + weight)) and factors["CI"] < 0.6
    assert all(factor > 0.9 for material, factor in factors.items() if material != "CI")
    told = explain(model, iron, np.arange(3), families={})
    ratio = model.rate(iron)[:3] / model.record.factor / (told["base"] * told["material"]).to_numpy()
    assert ratio == pytest.approx(1.0)


def test_interval_covers_the_true_rates_as_often_as_it_says() -> None:
    """True rates drawn from the very gamma: four of five lie inside."""
    generator = np.random.default_rng(0)
    predicted = generator.lognormal(-2, 1, 20_000)
    true = predicted * generator.gamma(1.7, 1 / 1.7, predicted.size)
    low, high = interval(predicted, 1.7)
    assert ((true >= low) & (true <= high)).mean() == pytest.approx(0.8, abs=0.01)
    assert (true < low).mean() == pytest.approx(0.1, abs=0.01)


def test_the_shape_is_found_again_from_counts() -> None:
    generator = np.random.default_rng(1)
    expected = generator.lognormal(-0.5, 0.7, 40_000)
    seen = generator.poisson(expected * generator.gamma(2.0, 0.5, expected.size)).astype(float)
    assert most_likely_kappa(seen, expected) == pytest.approx(2.0, rel=0.1)


def test_the_interval_of_a_fitted_model_covers_the_towns_true_rates() -> None:
    town = example_panel(pipes=4000, years=10, seed=2)
    kappa = shape_out_of_time(EmpiricalBayes(), town)
    now = town.filter(pl.col("as_of") == date(2021, 12, 31))
    rate = EmpiricalBayes().fit(town.filter(pl.col("as_of") < date(2021, 12, 31))).rate(now)
    low, high = interval(rate, pipe_shapes(now, kappa))
    true = now["true_rate"].to_numpy()
    # Where breaks fall is where the interval matters; weigh each pipe by what it is expected to give.
    share = np.average((true >= low) & (true <= high), weights=rate * km_years(now))
    assert 0.65 < share < 0.97


def test_own_breaks_narrow_the_interval() -> None:
    low, high = interval(np.array([1.0, 1.0]), np.array([1.0, 6.0]))
    assert high[1] - low[1] < high[0] - low[0]


def test_kappa_is_found_beside_own_breaks() -> None:
    """A history of Poisson breaks and a gamma of shape 1.5: the posterior mean's spread gives 1.5 back."""
    generator = np.random.default_rng(3)
    true = generator.gamma(1.5, 1 / 1.5, 200_000)
    history, ahead = 1.2, 0.5
    own = generator.poisson(true * history)
    posterior = (1.5 + own) / (1.5 + history)
    seen = generator.poisson(true * ahead).astype(float)
    assert most_likely_kappa(seen, posterior * ahead, own.astype(float)) == pytest.approx(1.5, rel=0.1)


def test_too_few_years_give_the_prior_shape(panel: pl.DataFrame) -> None:
    short = panel.filter(pl.col("as_of") > date(2019, 12, 31))
    assert shape_out_of_time(MaterialAge(), short) == POLICY.value("dispersion_prior")["median"]


def test_with_nothing_seen_the_prior_stands() -> None:
    nothing = np.zeros(0)
    assert most_likely_kappa(nothing, nothing, prior=(3.0, 0.5)) == pytest.approx(3.0, rel=1e-3)


def test_chance_of_a_break_by_hand() -> None:
    assert p_break(np.array([0.5]), 1e4)[0] == pytest.approx(1 - np.exp(-0.5), rel=1e-4)
    assert p_break(np.array([0.5]), 1.0)[0] == pytest.approx(1 - 1 / 1.5)
    assert p_break(np.array([0.0]), 1.0)[0] == 0.0


def test_the_years_interval_holds_what_it_states() -> None:
    """Years whose factor is gamma with the policy's variance: four in five lie within, whatever is expected."""
    generator = np.random.default_rng(5)
    variance = POLICY.value("year_dispersion")
    for expected in (0.7, 6.0, 80.0):
        factor = generator.gamma(1 / variance, variance, 100_000)
        seen = generator.poisson(expected * factor).astype(float)
        assert float(held(seen, np.full(seen.size, expected)).mean()) == pytest.approx(0.8, abs=0.005)
        low, high = breaks_in_a_year(expected)
        assert ((seen >= low) & (seen <= high)).mean() >= 0.8
    low, high = breaks_in_a_year(80.0)
    assert 45 < low < 60 and 105 < high < 120
    assert held(np.array([80.0, 5.0]), np.array([80.0, 80.0])).tolist() == [1.0, 0.0]


def test_many_breaks_drown_the_prior() -> None:
    town = example_panel(pipes=3000, years=10, level=20.0)
    rate = Hierarchical().fit(town).rate(town)
    for material in ("CI", "PVC"):
        rows = (town["material"] == material).to_numpy()
        expected = float((rate * km_years(town))[rows].sum())
        assert expected == pytest.approx(float(town.filter(pl.Series(rows))["breaks"].sum()), rel=0.05)


@pytest.mark.parametrize(("level", "reason"), [(0.0, "few_zero"), (0.1, "few_some"), (1.0, "enough")])
def test_the_choice_and_its_reason(level: float, reason: str) -> None:
    town = example_panel(pipes=400, years=10, level=level)
    choice = choose(town, model=MaterialAge(), few=Hierarchical())
    assert choice.reason == reason
    assert choice.model.name == ("material_age" if reason == "enough" else "hierarchical")
    assert str(choice.values["km_years"]) in choice.words("en")
    assert choice.words("sv") != choice.words("en")


def test_the_more_breaks_the_more_is_data() -> None:
    """What is said of pipes of a kind, and each pipe's own record, in per cent that is not prior."""
    towns = [example_panel(pipes=400, years=10, level=level) for level in (0.02, 0.2)]
    fewest, more = (choose(town, model=MaterialAge(), few=Hierarchical()).values for town in towns)
    assert 0 < fewest["data_share"] < more["data_share"] < 100
    assert 0 <= fewest["record_share"] <= more["record_share"] < 100


def test_the_texts_have_both_languages() -> None:
    assert TEXTS.incomplete() == []
