"""Intervals that a verdict rests on, against published values."""

import pytest

from vardag.invoices.process.evidence import Share, Volume


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [
        (0, 30, 0.0, 0.1157),  # the "rule of three" made exact: 1 - 0.025^(1/30)
        (81, 263, 0.2527, 0.3676),  # Newcombe 1998, Statistics in Medicine 17:857, table I, method 5
        (15, 148, 0.0578, 0.1617),
        (0, 20, 0.0, 0.1684),
        (1, 29, 0.0009, 0.1776),
    ],
)
def test_clopper_and_pearson(part: int, whole: int, low: float, high: float) -> None:
    found = Share(part, whole).estimate(0.95)
    assert (found.low, found.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@pytest.mark.parametrize(("count", "low", "high"), [(10, 4.795, 18.39), (50, 37.11, 65.92)])
def test_garwood(count: int, low: float, high: float) -> None:
    """Garwood 1936, as tabulated: 95 % limits of a Poisson count."""
    found = Volume(count, count, count, 30).estimate(0.95)
    assert (found.low, found.high) == (pytest.approx(low, rel=1e-3), pytest.approx(high, rel=1e-3))
