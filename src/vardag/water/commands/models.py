"""Which models are used: the one that predicts, and the baselines that it is held against."""

from dataclasses import replace

from vardag.water.features import CATALOGUE
from vardag.water.lof.boosting import Boosted, Settings
from vardag.water.lof.port import Model
from vardag.water.lof.standard import standard_models

# Features chosen on validation years and not yet tested on test years; they wait for the model they belong to.
UNTESTED = ("nearby_excess",)
FEATURES = tuple(name for name in CATALOGUE if name not in UNTESTED)
NEIGHBOURS = tuple(name for name in FEATURES if CATALOGUE[name].family in {"neighbours", "street"})


def recipe(*, seed: int) -> Boosted:
    """The model ``vardag``: boosted trees on every feature that has been tested, three seeds from `seed` on."""
    return Boosted(FEATURES, Settings(seeds=(seed, seed + 1, seed + 2)))


def lighter(model: Model) -> Model:
    """The model with one seed instead of several, where its ranking is not published."""
    if not isinstance(model, Boosted):
        return model
    return replace(model, settings=replace(model.settings, seeds=model.settings.seeds[:1]))


def contenders(*, seed: int) -> tuple[Model, ...]:
    """The model and its baselines, each with its level set by the latest years in the same way."""
    trees = recipe(seed=seed)
    return standard_models(features=trees.features, neighbours=NEIGHBOURS, seed=seed, settings=trees.settings)
