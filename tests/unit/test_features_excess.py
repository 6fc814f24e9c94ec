"""Breaks around a pipe over what its kind would give: a smooth map against a naive sum."""

from datetime import date

import numpy as np
import pytest

import builders
from vardag.water.features import compute
from vardag.water.features.excess import grid
from vardag.water.panel import snapshot

AS_OF = date(2004, 12, 31)


def naive(x: np.ndarray, y: np.ndarray, values: np.ndarray, bandwidth: float) -> np.ndarray:
    squared = (x[:, None] - x[None, :]) ** 2 + (y[:, None] - y[None, :]) ** 2
    kernel = np.exp(-0.5 * squared / bandwidth**2)
    np.fill_diagonal(kernel, 0.0)
    return kernel @ values


def test_the_map_is_the_sum_over_all_pairs() -> None:
    """On the corners of the cells it is the pairwise sum, but for the kernel's cut at three bandwidths."""
    generator = np.random.default_rng(1)
    x, y = 50.0 * generator.integers(0, 60, 300), 50.0 * generator.integers(0, 40, 300)
    values = generator.poisson(0.5, 300).astype(float)
    found = grid(x, y, bandwidth_m=200.0).smooth(values)
    np.testing.assert_allclose(found, naive(x, y, values, 200.0), rtol=0.05, atol=0.05)


def test_places_between_corners_cost_little() -> None:
    generator = np.random.default_rng(2)
    x, y = generator.uniform(0, 3000, 400), generator.uniform(0, 2000, 400)
    values = generator.poisson(0.5, 400).astype(float)
    found, pairs = grid(x, y, bandwidth_m=200.0).smooth(values), naive(x, y, values, 200.0)
    assert np.corrcoef(found, pairs)[0, 1] > 0.98


def test_a_pipe_far_away_makes_the_cells_larger_and_not_the_memory() -> None:
    x, y = np.array([0.0, 10.0, 900_000.0]), np.array([0.0, 0.0, 900_000.0])
    laid = grid(x, y, bandwidth_m=200.0)
    assert laid.shape[0] * laid.shape[1] < 4_100_000
    np.testing.assert_allclose(laid.smooth(np.array([1.0, 2.0, 5.0])), [2.0, 1.0, 0.0], atol=1e-9)


def test_no_pipe_with_a_place() -> None:
    nowhere = np.full(3, np.nan)
    assert grid(nowhere, nowhere, bandwidth_m=200.0).smooth(np.ones(3)).tolist() == [0.0, 0.0, 0.0]


def test_breaks_of_others_raise_it_and_own_ones_do_not() -> None:
    pipes = [builders.life(key, x=200.0 * at) for at, key in enumerate("abcdefgh")]
    events = [(f"b{number}", date(2001 + number, 5, 1), "a", 0.0, 0.0) for number in range(3)]
    excess = compute(snapshot(builders.network(pipes, events), AS_OF))["nearby_excess"].to_list()
    assert excess[1] == max(excess)
    assert excess[0] < 1.0
    assert excess[1] > 1.5
    assert excess[7] == pytest.approx(excess[6], rel=0.5)


def test_without_a_place_it_is_missing() -> None:
    pipes = [builders.life("a"), builders.life("b", geom=None)]
    excess = compute(snapshot(builders.network(pipes, []), AS_OF))["nearby_excess"]
    assert excess[0] is not None
    assert excess[1] is None
