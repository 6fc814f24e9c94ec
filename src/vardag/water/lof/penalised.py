"""Poisson regression in which groups share strength: how far the effects of a family spread is learnt from them.

    breaks ~ Poisson(size x exp(offset + X b))          b_j ~ Normal(0, s_f^2) for every j of family f

``b`` is the most likely one under both (Newton steps); the variance of a family is what its effects and their
uncertainty give, weighed against a prior worth a few effects (MacKay 1992, Bayesian interpolation, Neural
Computation 4; as penalised quasi-likelihood: Breslow and Clayton 1993, Journal of the American Statistical
Association 88). A family that tells nothing shrinks to nothing; a thin group falls back on the level above it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vardag.water.lof.port import POLICY, Floats, one_thread

HIGHEST, LOWEST = 8.0, -30.0  # of the logarithm of a rate
LONGEST_STEP = 3.0
SMALL_STEP = 1e-3
LEVEL, NUMBERS = 0, 1  # the families that are not learnt; groups follow


@dataclass(frozen=True)
class Rows:
    """What is regressed: inputs (first column one), family of each column, breaks, size, offset and weight."""

    inputs: Floats
    family: NDArray[np.int64]
    breaks: Floats
    size: Floats
    offset: Floats
    weights: Floats


@dataclass(frozen=True)
class Effects:
    """Fitted effects, their posterior covariance, and the prior variance of each family."""

    values: Floats
    covariance: Floats
    spread: Floats


def start(family: NDArray[np.int64]) -> Effects:
    """Nothing learnt yet: every effect nought, every family as wide as its prior."""
    policy = POLICY.value("hierarchical_prior")
    spread = np.full(int(family.max(initial=NUMBERS)) + 1, policy["group_sd"] ** 2)
    spread[LEVEL], spread[NUMBERS] = policy["level_sd"] ** 2, policy["number_sd"] ** 2
    return Effects(np.zeros(family.size), np.diag(spread[family]), spread)


def regress(rows: Rows, effects: Effects, *, steps: int) -> Effects:
    """Take Newton steps from `effects`, and learn each family's spread after every step."""
    with one_thread():
        for _ in range(steps):
            effects, moved = _step(rows, effects)
            if moved < SMALL_STEP:
                break
    return effects


def predictor(inputs: Floats, values: Floats) -> Floats:
    """X b, kept within sensible bounds; a row's value does not depend on the other rows."""
    return np.asarray(np.clip(np.einsum("ij,j->i", inputs, values), LOWEST, HIGHEST))


def _step(rows: Rows, effects: Effects) -> tuple[Effects, float]:
    log_rate = predictor(rows.inputs, effects.values) + rows.offset
    mean = rows.weights * rows.size * np.exp(np.minimum(log_rate, HIGHEST))
    precision = 1.0 / effects.spread[rows.family]
    slope = rows.inputs.T @ (rows.weights * rows.breaks - mean) - precision * effects.values
    curvature = (rows.inputs * mean[:, None]).T @ rows.inputs + np.diag(precision)
    covariance = np.linalg.inv(curvature)
    step = covariance @ slope
    longest = float(np.abs(step).max())
    values = effects.values + step * min(1.0, LONGEST_STEP / max(longest, 1e-12))
    spread = _spread(rows.family, values**2 + np.diag(covariance), effects.spread)
    return Effects(values, np.asarray(covariance, dtype=np.float64), spread), longest


def _spread(family: NDArray[np.int64], squares: Floats, before: Floats) -> Floats:
    policy = POLICY.value("hierarchical_prior")
    weight, usual = policy["group_weight"], policy["group_sd"] ** 2
    size = np.bincount(family, minlength=before.size)
    learnt = (np.bincount(family, weights=squares, minlength=before.size) + weight * usual) / (size + weight)
    learnt[[LEVEL, NUMBERS]] = before[[LEVEL, NUMBERS]]
    return np.asarray(learnt)
