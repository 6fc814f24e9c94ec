"""Which models are used: the one that predicts, and the baselines that it is held against."""

from dataclasses import replace

import polars as pl

from vardag.water.features import CATALOGUE
from vardag.water.lof.ann import INPUTS, NeuralNetwork
from vardag.water.lof.blend import Blend
from vardag.water.lof.boosting import Boosted, Settings
from vardag.water.lof.calibrate import Calibrated
from vardag.water.lof.encode import Term
from vardag.water.lof.few import Choice, choose
from vardag.water.lof.hierarchical import Hierarchical
from vardag.water.lof.port import Model
from vardag.water.lof.standard import standard_models

NEIGHBOURS = tuple(name for name, entry in CATALOGUE.items() if entry.family in {"neighbours", "street"})
PLACE = (Term("nearby_excess", "log"), Term("cohort_rate", "log1p"))  # what the peer's network is not told
SEEDS = 3


def recipe(*, seed: int) -> Blend:
    """The model ``vardag``: boosted trees, a hierarchical count model and neural networks, blended.

    Parameters
    ----------
    seed
        First of the three seeds that trees and networks are fitted with.
    """
    seeds = tuple(range(seed, seed + SEEDS))
    hierarchical = Hierarchical(seed=seed)
    members = (trees(seeds=seeds), hierarchical, _networks(seeds))
    return Blend(members, trial=(trees(seeds=seeds[:1]), hierarchical, _networks(seeds[:1])))


def trees(*, seeds: tuple[int, ...]) -> Boosted:
    """Boosted trees on every feature of the catalogue."""
    return Boosted(tuple(CATALOGUE), Settings(seeds=seeds))


def _networks(seeds: tuple[int, ...]) -> Blend:
    networks = tuple(NeuralNetwork(seed=seed, inputs=(*INPUTS, *PLACE)) for seed in seeds)
    return Blend(networks, years=0, name="networks")


def chosen(past: pl.DataFrame, *, seed: int) -> Choice:
    """Return the recipe to use on this past, and why: with few breaks the member that rests on published rates."""
    return choose(past, model=recipe(seed=seed), few=Hierarchical(seed=seed))


def levelled(model: Model) -> Calibrated:
    """Return the recipe with its level set by the latest years, each material's own."""
    return Calibrated(model, by_material=True)


def lighter(model: Model) -> Model:
    """Return the recipe with one seed instead of several, all members alike, where its ranking is not published."""
    if not isinstance(model, Blend) or not model.trial:
        return model
    return replace(model, members=model.trial, trial=(), years=0)


def contenders(*, seed: int) -> tuple[Model, ...]:
    """The model and its baselines, each with its level set by the latest years."""
    return standard_models(levelled(recipe(seed=seed)), neighbours=NEIGHBOURS, seed=seed)
