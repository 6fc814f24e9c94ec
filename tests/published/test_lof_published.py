"""Numbers from the literature, worked again by this code."""

import numpy as np
import pytest
from scipy.special import gammaln
from scipy.stats import nbinom

from vardag.water.lof.bayes import estimate, shape_per_km, weight
from vardag.water.lof.frailty import Frailty, Past, survival
from vardag.water.lof.intervals import most_likely_kappa, p_break
from vardag.water.lof.published import published_rates

# Hauer, Harwood, Council and Griffith (2002), Estimating safety by the empirical Bayes method: a tutorial,
# Transportation Research Record 1784. A road 1.8 km long with 4,000 vehicles a day; the safety performance
# function is 0.0224 x AADT^0.564 accidents per km and year, the overdispersion 2.05 per km.
LENGTH_KM, PHI = 1.8, 2.05
PER_KM_YEAR = 0.0224 * 4000**0.564


def test_the_tutorials_safety_performance_function() -> None:
    assert pytest.approx(2.41, abs=0.005) == PER_KM_YEAR


def test_numerical_example_1_one_year_with_twelve_accidents() -> None:
    expected, shape = np.array([PER_KM_YEAR * LENGTH_KM]), np.array([PHI * LENGTH_KM])
    own = weight(expected, shape)[0]
    found = estimate(np.array([12.0]), expected, shape)[0]
    assert own == pytest.approx(0.460, abs=0.001)
    assert found / LENGTH_KM == pytest.approx(4.71, abs=0.01)
    assert np.sqrt((1 - own) * found) / LENGTH_KM == pytest.approx(1.19, abs=0.01)


def test_numerical_example_2_three_years_with_27_accidents() -> None:
    expected, shape = np.array([PER_KM_YEAR * LENGTH_KM * 3]), np.array([PHI * LENGTH_KM])
    assert weight(expected, shape)[0] == pytest.approx(0.221, abs=0.001)
    found = estimate(np.array([27.0]), expected, shape)[0]
    assert found / 3 == pytest.approx(7.97, abs=0.01)
    assert found / 3 / LENGTH_KM == pytest.approx(4.43, abs=0.01)


def test_folkman_2018_per_100_km() -> None:
    """Cast iron: 34.8 breaks per 100 miles and year, which is 21.6 per 100 km."""
    rates = published_rates()
    assert 100 * rates["CI"] == pytest.approx(21.6, abs=0.05)
    assert 100 * rates["DI"] == pytest.approx(3.42, abs=0.005)
    assert rates["CI"] / rates["PVC"] == pytest.approx(34.8 / 2.3)


# Bortkiewicz (1898), Das Gesetz der kleinen Zahlen: deaths by horse kick, 200 corps-years; the counts 0 to 4
# occur 109, 65, 22, 3 and 1 times. They are the classic of counts that chance alone explains.
HORSE_KICKS = np.repeat([0.0, 1.0, 2.0, 3.0, 4.0], [109, 65, 22, 3, 1])


def test_horse_kicks_are_no_more_spread_than_chance() -> None:
    mean = np.full(200, HORSE_KICKS.mean())
    assert HORSE_KICKS.mean() == pytest.approx(0.61)
    assert most_likely_kappa(HORSE_KICKS, mean) > 50.0
    # Variance 0.611 over 200 corps: an excess of a thousandth, so the shape is in the hundreds.
    assert shape_per_km(HORSE_KICKS, mean, np.ones(200)) > 50.0


# Greenwood and Yule (1920), J. R. Statist. Soc. 83: accidents of 647 women making shells; counts 0 to 5 occur
# 447, 132, 42, 21, 3 and 2 times. Mean 0.465, variance 0.692; by moments the negative binomial's shape is 0.95.
ACCIDENTS = np.repeat([0.0, 1.0, 2.0, 3.0, 4.0, 5.0], [447, 132, 42, 21, 3, 2])


def test_greenwood_and_yule_shape_and_share_without_accident() -> None:
    mean = np.full(647, ACCIDENTS.mean())
    shape = shape_per_km(ACCIDENTS, mean, np.ones(647))
    assert ACCIDENTS.mean() == pytest.approx(0.465, abs=0.001)
    assert shape == pytest.approx(0.95, abs=0.02)
    # Their fitted negative binomial gives 442 of 647 without an accident; Poisson gives 406.
    assert 647 * (1 - p_break(mean, shape)[0]) == pytest.approx(442, abs=1.5)
    # By maximum likelihood the shape is a little smaller.
    assert most_likely_kappa(ACCIDENTS, mean) == pytest.approx(0.865, abs=0.005)


# Le Gat (2014), Extending the Yule process to model recurrent pipe failures in water supply networks, Urban Water
# Journal 11: with intensity (1 + alpha N) lambda(t) and L the integral of lambda, the counts up to t are negative
# binomial, P(N = n) = Gamma(1/alpha + n) / (Gamma(1/alpha) n!) exp(-L) (1 - exp(-alpha L))^n, with mean
# (exp(alpha L) - 1) / alpha; and given n breaks so far, those to come have mean (1/alpha + n) (exp(alpha L') - 1).
ALPHA = 0.8


def test_the_record_of_a_pipe_acts_as_le_gats_process_does() -> None:
    """Half a break expected so far and half to come, told by frailty and by the Yule process."""
    frailty, so_far, to_come = Frailty(phi=1 / ALPHA, gamma=0.0, q=0.0), 0.5, 0.5
    first = np.log1p(ALPHA * so_far) / ALPHA
    second = np.log1p(ALPHA * (so_far + to_come)) / ALPHA - first
    assert (np.exp(ALPHA * first) - 1) / ALPHA == pytest.approx(so_far)
    for breaks in range(4):
        past = Past(*(np.array([value]) for value in (0.1, float(breaks), so_far, 0.0)))
        yule = (1 / ALPHA + breaks) * (np.exp(ALPHA * second) - 1)
        assert to_come * past.multiplier(frailty)[0] == pytest.approx(yule)
        no_break = np.exp(-(1 + ALPHA * breaks) * second)
        assert survival(past, frailty, np.array([to_come]))[0] == pytest.approx(no_break)
        chance = float(nbinom.pmf(breaks, 1 / ALPHA, 1 / (1 + ALPHA * so_far)))
        ways = np.exp(gammaln(1 / ALPHA + breaks) - gammaln(1 / ALPHA) - gammaln(breaks + 1))
        assert ways * np.exp(-first) * (1 - np.exp(-ALPHA * first)) ** breaks == pytest.approx(chance)
