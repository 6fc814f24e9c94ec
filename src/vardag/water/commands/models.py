"""Which models are used: the one that predicts, and the baselines that it is held against."""

import numpy as np
import polars as pl

from vardag.water.features import CATALOGUE
from vardag.water.lof.ann import INPUTS, NeuralNetwork
from vardag.water.lof.blend import Blend
from vardag.water.lof.boosting import Boosted, Settings
from vardag.water.lof.calibrate import Calibrated
from vardag.water.lof.encode import Term
from vardag.water.lof.few import Choice, choose
from vardag.water.lof.hierarchical import Hierarchical
from vardag.water.lof.port import Floats, Model
from vardag.water.lof.standard import standard_models

NEIGHBOURS = tuple(name for name, entry in CATALOGUE.items() if entry.family in {"neighbours", "street"})
PLACE = (Term("nearby_excess", "log"), Term("cohort_rate", "log1p"))  # what the peer's network is not told
SEEDS = 3


def recipe(*, seed: int, seeds: int = SEEDS) -> Blend:
    """The model ``vardag``: boosted trees, a hierarchical count model and neural networks, blended.

    Parameters
    ----------
    seed
        First of the seeds that trees and networks are fitted with.
    seeds
        How many; one is enough where the ranking is not published.
    """
    several = tuple(range(seed, seed + seeds))
    networks = tuple(NeuralNetwork(seed=one, inputs=(*INPUTS, *PLACE)) for one in several)
    return Blend((trees(seeds=several), Hierarchical(seed=seed), Blend(networks, name="networks")))


def trees(*, seeds: tuple[int, ...]) -> Boosted:
    """Boosted trees on every feature of the catalogue."""
    return Boosted(tuple(CATALOGUE), Settings(seeds=seeds))


def chosen(past: pl.DataFrame, *, seed: int) -> Choice:
    """Return the recipe to use on this past, and why: with few breaks the member that rests on published rates."""
    return choose(past, model=recipe(seed=seed), few=Hierarchical(seed=seed))


def reseeded(choice: Choice, *, seed: int, seeds: int = SEEDS) -> Model:
    """Return the chosen recipe with other seeds, without choosing anew."""
    return recipe(seed=seed, seeds=seeds) if choice.reason == "enough" else Hierarchical(seed=seed)


def levelled(model: Model) -> Calibrated:
    """Return the recipe with its level set by the latest years, each material's own."""
    return Calibrated(model, by_material=True)


def years_to_break(model: Calibrated, today: pl.DataFrame, *, rate: Floats) -> pl.Series:
    """Years until half of the pipes like each would have broken, were they left as they are; null beyond 200.

    The year ahead is that of `rate`, the model's own; the years after are those of its hierarchical member, which
    alone looks so far.
    """
    inside = model.model
    members = inside.members if isinstance(inside, Blend) else (inside,)
    far_sighted = next(member for member in members if isinstance(member, Hierarchical))
    years = far_sighted.years_to_break(today, rate=rate)
    return pl.Series("years_to_break", np.where(np.isinf(years), np.nan, years)).fill_nan(None)


def contenders(*, seed: int) -> tuple[Model, ...]:
    """The model and its baselines, each with its level set by the latest years."""
    return standard_models(levelled(recipe(seed=seed)), neighbours=NEIGHBOURS, seed=seed)
