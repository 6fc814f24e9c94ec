"""The chance of the top: its sums by hand, and whether it is right where the truth is known."""

from datetime import date

import numpy as np
import polars as pl
import pytest
from scipy.stats import gamma, kstest

from vardag.water.lof.boosting import Boosted, Settings
from vardag.water.lof.calibrate import Calibrated
from vardag.water.lof.example import example_panel
from vardag.water.lof.intervals import pipe_shapes, shape_out_of_time
from vardag.water.lof.port import Floats
from vardag.water.lof.ranking import rank
from vardag.water.lof.top import _drawn, membership, p_top

LAST = date(2021, 12, 31)


def town(seed: int, pipes: int = 500) -> tuple[Floats, Floats, Floats]:
    generator = np.random.default_rng(seed)
    rate = np.exp(generator.normal(-2.0, 1.0, pipes))
    return rate, 1.0 + generator.poisson(0.3, pipes), np.exp(generator.normal(4.0, 0.8, pipes))


def test_membership_by_hand() -> None:
    """Half of a length of 10: the first two whole, and one of the four metres of the third."""
    found = membership(np.array([3.0, 1.0, 2.0, 0.0]), np.array([2.0, 4.0, 2.0, 2.0]), 0.5)
    assert found.tolist() == [1.0, 0.25, 1.0, 0.0]


def test_the_sum_of_probability_times_length_is_the_level() -> None:
    rate, shapes, lengths = town(1)
    found = p_top(rate, shapes, lengths, levels=(0.01, 0.05, 0.5), draws=50)
    assert (found * lengths[:, None]).sum(axis=0) / lengths.sum() == pytest.approx([0.01, 0.05, 0.5])
    assert (np.diff(found, axis=1) >= 0).all()


def test_few_long_pipes_share_the_top_between_them() -> None:
    found = p_top(np.array([1.0, 1.0]), np.array([1.0, 1.0]), np.array([100.0, 100.0]), draws=4000)
    assert found[:, 1] == pytest.approx([0.05, 0.05], abs=0.005)


def test_pipes_that_hardly_differ_from_their_prediction_are_surely_in_or_out() -> None:
    rate, lengths = np.linspace(1.0, 2.0, 200), np.full(200, 10.0)
    found = p_top(rate, np.full(200, 1e9), lengths, draws=20)
    assert found[:, 1].tolist() == [0.0] * 190 + [1.0] * 10


def test_the_same_seed_gives_the_same_and_the_order_of_the_rows_does_not_matter() -> None:
    year = example_panel(pipes=80, years=4).filter(pl.col("as_of") == LAST)
    rate = year["true_rate"].to_numpy()
    place = np.random.default_rng(0).permutation(year.height)
    columns = ("p_top_1", "p_top_5")
    first = rank(year, rate, shape=1.0, seed=3).select(columns)
    assert rank(year[place], rate[place], shape=1.0, seed=3).select(columns).equals(first)
    assert not rank(year, rate, shape=1.0, seed=4).select(columns).equals(first)


def test_saving_time_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether all pipes are drawn and sorted, or at first only those that may matter."""
    rate, shapes, lengths = town(2, pipes=200)
    saved = p_top(rate, shapes, lengths, draws=4000)
    monkeypatch.setattr("vardag.water.lof.top.SLACK", 0.0)
    assert p_top(rate, shapes, lengths, draws=4000) == pytest.approx(saved, abs=0.04)
    monkeypatch.setattr("vardag.water.lof.top.SLACK", 100.0)
    assert p_top(rate, shapes, lengths, draws=4000) == pytest.approx(saved, abs=0.04)


def test_the_rates_drawn_are_gamma_distributed() -> None:
    shapes = np.repeat([0.3, 1.0, 4.0], 20_000)
    drawn, _ = _drawn(
        np.random.default_rng(1), shapes, 1 / shapes, lengths=np.ones(shapes.size), floor=-1.0, limit=1e9
    )
    for part, shape in zip(np.split(drawn, 3), (0.3, 1.0, 4.0), strict=True):
        assert kstest(part * shape, gamma(shape).cdf).pvalue > 0.01


def test_of_pipes_with_a_stated_chance_of_one_half_about_half_are_in_the_true_top() -> None:
    """Truth drawn from the gamma itself: what is stated must be right up to chance."""
    stated, true = [], []
    for seed in range(40):
        rate, shapes, lengths = town(seed)
        truth = np.random.default_rng(1000 + seed).standard_gamma(shapes) * rate / shapes
        stated.append(p_top(rate, shapes, lengths, draws=300, seed=seed)[:, 1])
        true.append(membership(truth, lengths, 0.05))
    chance, share = np.concatenate(stated), np.concatenate(true)
    for low, high in ((0.02, 0.1), (0.1, 0.3), (0.4, 0.6)):
        there = (chance >= low) & (chance < high)
        assert there.sum() > 100
        assert share[there].mean() == pytest.approx(chance[there].mean(), abs=0.04)


FEATURES = ("material", "age_years", "own_breaks", "own_observed_years", "own_rate")


def learned(seed: int) -> tuple[Floats, Floats]:
    """Stated chance of the top 5 %, and whether it was so, in a town whose rates and spread had to be learned."""
    observed = pl.col("length_m") / 1000 * pl.col("own_observed_years")
    panel = example_panel(pipes=2000, years=12, seed=seed).with_columns(
        own_rate=pl.col("own_breaks") / (observed + 1)
    )
    past, year = panel.filter(pl.col("as_of") < LAST), panel.filter(pl.col("as_of") == LAST)
    model = Boosted(FEATURES, Settings(rounds=120, seeds=(1,)))
    rate, kappa = Calibrated(model).fit(past).rate(year), shape_out_of_time(model, past)
    lengths = year["length_m"].to_numpy()
    stated = p_top(rate, pipe_shapes(year, kappa), lengths, draws=300, seed=seed)[:, 1]
    return stated, membership(year["true_rate"].to_numpy(), lengths, 0.05)


def test_it_holds_for_a_model_that_had_to_learn_from_breaks() -> None:
    towns = [learned(seed) for seed in range(4)]
    chance, share = (np.concatenate(parts) for parts in zip(*towns, strict=True))
    for low, high in ((0.0, 0.05), (0.05, 0.2), (0.4, 0.6)):
        there = (chance >= low) & (chance < high)
        assert there.sum() > 80
        assert share[there].mean() == pytest.approx(chance[there].mean(), abs=0.1)
