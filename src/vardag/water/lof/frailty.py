"""A pipe's own record: how its breaks so far, and those that ended other pipes' lives, move what to expect.

Pipes that look alike differ by a factor of their own, their frailty Z. Breaks are Poisson with mean ``Z m(t)``;
over the pipes Z is gamma with mean 1 and shape ``k``, which grows with length, a long pipe being a mean of many
metres::

    k = phi (L / 70 m)^gamma

After ``N`` breaks in years that would have given ``M``, Z is gamma again, with mean ``(k + N) / (k + M)``. A pipe
that is still there when the log begins was not replaced after its earlier breaks, which nobody knows. If each break
ends a pipe with probability ``q``, pipes with Z survive breaks of mean ``Z M0`` with ``exp(-q Z M0)``, and the mean
becomes::

    (k + N) / (k + M + q M0)

With ``M0 = 0`` this is the linear extension of the Yule process of Le Gat (2014), Extending the Yule process to
model recurrent pipe failures in water supply networks, Urban Water Journal 11, told the other way round: its
intensity ``(1 + alpha N) lambda(t)`` is ``(k + N) / (k + M) m(t)`` with ``alpha = 1 / k`` and
``lambda = m / (1 + M / k)``. Its adaptation to pipes that survive their breaks selectively is in Le Gat (2016),
Recurrent event modeling based on the Yule process. The mean of a gamma given counts: Hauer (1997), ch. 11.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from vardag.water.lof.port import POLICY, Floats

LENGTH_OF_SHAPE_KM = 0.07
SHORTEST_KM = 1e-4


@dataclass(frozen=True)
class Frailty:
    """How pipes that look alike differ, and how many breaks end a pipe."""

    phi: float
    gamma: float
    q: float

    def shape(self, length_km: Floats) -> Floats:
        """Gamma shape of the pipes' frailty, by length."""
        return np.asarray(self.phi * (np.maximum(length_km, SHORTEST_KM) / LENGTH_OF_SHAPE_KM) ** self.gamma)


@dataclass(frozen=True)
class Past:
    """What a pipe has shown: length (km), breaks, and the breaks that its looks would have given.

    Attributes
    ----------
    expected
        Over the years on record.
    unseen
        Over its years before the record.
    """

    length_km: Floats
    breaks: Floats
    expected: Floats
    unseen: Floats

    def posterior(self, frailty: Frailty) -> tuple[Floats, Floats]:
        """Shape and rate of the gamma that the frailty follows, given the record."""
        shape = frailty.shape(self.length_km)
        return shape + self.breaks, shape + self.expected + frailty.q * self.unseen

    def multiplier(self, frailty: Frailty) -> Floats:
        """Mean of the frailty, given the record."""
        shape, rate = self.posterior(frailty)
        return np.asarray(shape / rate)


def cumulative(age: Floats, slope: Floats, *, since: Floats | float) -> Floats:
    """Integral of ``(s / (age + 1/2))^slope`` from age `since` to `age`: years at today's rate.

    Parameters
    ----------
    age
        Years since installation; today's rate is that of half a year on, the middle of the year ahead.
    slope
        Exponent of age in the rate (Weibull shape minus one), above -1.
    since
        Age at the start.
    """
    power = slope + 1.0
    return np.asarray((age**power - since**power) / (power * (age + 0.5) ** slope))


def ahead(age: Floats, slope: Floats, *, years: float) -> Floats:
    """Sum of the same over the years to come, each at its middle; exactly 1 for one year."""
    whole = int(np.floor(years))
    steps = [(place, 1.0) for place in range(whole)]
    steps += [(whole, years - whole)] if years > whole else []
    total = np.zeros(age.size)
    for place, part in steps:
        total += part * at_age(age, slope, years_on=place)
    return total


def at_age(age: Floats, slope: Floats, *, years_on: int) -> Floats:
    """Rate of the year that begins so many years on, where today's year has 1."""
    return np.asarray(((age + years_on + 0.5) / (age + 0.5)) ** slope)


def survival(past: Past, frailty: Frailty, expected: Floats) -> Floats:
    """Probability of no break while the pipe's looks give `expected`: (rate / (rate + expected))^shape."""
    shape, rate = past.posterior(frailty)
    return np.asarray(np.exp(-shape * np.log1p(expected / rate)))


def prior() -> Frailty:
    """What is thought of a city's pipes before its record is read."""
    policy = POLICY.value("frailty_prior")
    return Frailty(policy["phi"], policy["gamma"], policy["q"])


def most_likely(past: Past, seen: Floats, looks: Floats, weights: Floats) -> Frailty:
    """Frailty under which the breaks of the year after were most likely, drawn towards the prior.

    Parameters
    ----------
    past
        Record of each pipe-year up to its ``as_of``.
    seen, looks
        Breaks in the year after, and what the pipe's looks gave for it.
    weights
        Weight of each row.
    """
    policy = POLICY.value("frailty_prior")
    centre = np.array([np.log(policy["phi"]), policy["gamma"], np.log(policy["q"])])
    width = np.array([policy["log_sd_phi"], policy["sd_gamma"], policy["log_sd_q"]])

    def loss(at: Floats) -> float:
        mean = looks * past.multiplier(_frailty(at))
        away = ((at - centre) / width) ** 2
        return float(0.5 * away.sum() - (weights * (seen * np.log(mean) - mean)).sum())

    found = minimize(loss, centre, method="Nelder-Mead", options={"maxiter": 200, "xatol": 0.01, "fatol": 0.01})
    return _frailty(found.x)


def _frailty(at: Floats) -> Frailty:
    return Frailty(float(np.exp(at[0])), float(at[1]), float(np.exp(at[2])))
