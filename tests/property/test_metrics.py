"""Capture by length and its bootstrap, against a naive reference that walks along the network."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vardag.water.lof.port import Floats
from vardag.water.validation.bootstrap import Broken, captures, draws, interval
from vardag.water.validation.metrics import CURVE_LEVELS, LEVELS, capture, caught, length_intervals

Row = tuple[int, int, int, int]

# Few distinct rates, so that ties are common; whole lengths, so that the reference is exact.
ROWS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 4), st.integers(0, 5), st.integers(0, 3)), min_size=1, max_size=25
).filter(lambda rows: all(sum(row[2] for row in rows if row[0] == origin) for origin in {row[0] for row in rows}))


def naive(rows: list[Row], level: Fraction) -> Fraction | None:
    """Walk along each origin's pipes in order of rate, a whole tie at a time, and count what is caught."""
    found, total = Fraction(0), sum(row[3] for row in rows)
    if not total:
        return None
    for origin in {row[0] for row in rows}:
        pipes = [row for row in rows if row[0] == origin]
        length, walked = sum(row[2] for row in pipes), Fraction(0)
        for rate in sorted({row[1] for row in pipes}, reverse=True):
            tie = [row for row in pipes if row[1] == rate]
            width = Fraction(sum(row[2] for row in tie), length)
            inside = level - walked
            part = (Fraction(1) if inside > 0 else Fraction(0)) if not width else min(max(inside / width, 0), 1)
            found += sum(row[3] for row in tie) * part
            walked += width
    return found / total


def columns(rows: list[Row]) -> tuple[Floats, Floats, np.ndarray[tuple[int], np.dtype[np.int64]], Floats]:
    table = np.array(rows, dtype=np.int64).reshape(-1, 4)
    return table[:, 1].astype(float), table[:, 2].astype(float), table[:, 0], table[:, 3].astype(float)


@given(ROWS)
@settings(max_examples=150, deadline=None)
def test_capture_equals_the_naive_walk(rows: list[Row]) -> None:
    rate, length, origin, breaks = columns(rows)
    a, b = length_intervals(rate, length, origin)
    levels = [Fraction(level).limit_denominator(400) for level in LEVELS]
    found = capture(a, b, breaks, [float(level) for level in levels])
    for level, value in zip(levels, found, strict=True):
        expected = naive(rows, level)
        assert np.isnan(value) if expected is None else value == pytest.approx(float(expected), abs=1e-9)


@given(ROWS)
@settings(max_examples=60, deadline=None)
def test_intervals_lie_in_the_unit_and_fill_it(rows: list[Row]) -> None:
    rate, length, origin, _ = columns(rows)
    a, b = length_intervals(rate, length, origin)
    assert (a >= 0).all()
    assert (b <= 1).all()
    for one in set(origin.tolist()):
        ends = {(low, high) for low, high in zip(a[origin == one], b[origin == one], strict=True)}
        assert sum(high - low for low, high in ends) == pytest.approx(1.0)


@given(ROWS, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_order_of_rows_changes_nothing(rows: list[Row], random: object) -> None:
    mixed = sorted(rows, key=lambda _: random.random())  # type: ignore[attr-defined]
    values = []
    for table in (rows, mixed):
        rate, length, origin, breaks = columns(table)
        values.append(capture(*length_intervals(rate, length, origin), breaks, CURVE_LEVELS))
    np.testing.assert_allclose(values[0], values[1], atol=1e-12)


@given(ROWS)
@settings(max_examples=40, deadline=None)
def test_a_steeper_scale_of_rates_changes_nothing(rows: list[Row]) -> None:
    rate, length, origin, breaks = columns(rows)
    straight = capture(*length_intervals(rate, length, origin), breaks)
    np.testing.assert_array_equal(capture(*length_intervals(np.exp(rate), length, origin), breaks), straight)


def test_one_rate_for_all_catches_what_chance_would() -> None:
    a, b = length_intervals(np.ones(5), np.arange(1.0, 6.0), np.zeros(5, dtype=np.int64))
    assert capture(a, b, np.array([0.0, 2.0, 0.0, 1.0, 0.0])) == pytest.approx(LEVELS)


def test_the_curve_starts_at_nothing_and_ends_at_all() -> None:
    generator = np.random.default_rng(0)
    a, b = length_intervals(generator.random(50), generator.random(50), np.zeros(50, dtype=np.int64))
    curve = capture(a, b, generator.poisson(1.0, 50).astype(float), CURVE_LEVELS)
    assert len(curve) == 101
    assert curve[0] == 0.0
    assert curve[-1] == pytest.approx(1.0)
    assert (np.diff(curve) >= -1e-12).all()


def some_broken() -> tuple[Broken, dict[str, Floats]]:
    generator = np.random.default_rng(1)
    pipe = generator.integers(0, 60, 80).astype(np.int64)
    breaks = 1.0 + generator.poisson(0.3, 80)
    a = np.sort(generator.random(80))
    good, bad = caught(a, a + 0.01, LEVELS), caught(generator.random(80), np.ones(80), LEVELS)
    return Broken(pipe, breaks.astype(float), 500), {"good": good, "bad": bad}


def test_bootstrap_is_the_same_twice_and_the_seed_matters() -> None:
    broken, shares = some_broken()
    _, first = captures(broken, shares, seed=4)
    _, second = captures(broken, shares, seed=4)
    _, other = captures(broken, shares, seed=5)
    np.testing.assert_array_equal(first["good"], second["good"])
    assert not np.array_equal(first["good"], other["good"])
    assert first["good"].shape == (1000, len(LEVELS))


def test_bootstrap_equals_drawing_pipes_one_by_one() -> None:
    """The same weights, applied break by break."""
    broken, shares = some_broken()
    weights = draws(broken, seed=4, replicates=5)
    _, replicated = captures(broken, shares, seed=4, replicates=5)
    codes = np.unique(broken.pipe)
    for number in range(5):
        each = (
            np.array([weights[number, int(np.searchsorted(codes, pipe))] for pipe in broken.pipe]) * broken.breaks
        )
        np.testing.assert_allclose(replicated["good"][number], each @ shares["good"] / each.sum())


def test_weights_are_whole_and_average_one() -> None:
    broken, _ = some_broken()
    weights = draws(broken, seed=0, replicates=4000)
    assert (weights == np.round(weights)).all()
    assert weights.mean() == pytest.approx(1.0, abs=0.02)
    assert weights.sum(axis=1).max() <= broken.pipes


def test_the_interval_is_as_wide_as_the_binomial_says() -> None:
    """100 pipes with one break each, half of them caught: standard error 5 %."""
    broken = Broken(np.arange(100), np.ones(100), 100_000)
    half = np.repeat([[1.0], [0.0]], 50, axis=0)
    seen, replicated = captures(broken, {"m": half}, seed=0)
    found = interval(seen["m"], replicated["m"])
    assert found.value[0] == 0.5
    assert found.high[0] - found.low[0] == pytest.approx(2 * 1.96 * 0.05, rel=0.1)


def test_breaks_of_one_pipe_are_drawn_together() -> None:
    """The same breaks on ten pipes give a wider interval than on a hundred."""
    half = np.repeat([[1.0], [0.0]], 50, axis=0)
    widths = []
    for pipes in (10, 100):
        pipe = np.arange(100) // (100 // pipes)
        seen, replicated = captures(Broken(pipe, np.ones(100), 100_000), {"m": half}, seed=0)
        found = interval(seen["m"], replicated["m"])
        widths.append(found.high[0] - found.low[0])
    assert widths[0] > 2 * widths[1]
