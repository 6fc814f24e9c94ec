"""The eight models of the headline table, made the same way everywhere."""

from collections.abc import Sequence

from vardag.water.lof.ann import NeuralNetwork
from vardag.water.lof.baselines import MaterialAge, OldestFirst, PastBreaksPerKm, Random
from vardag.water.lof.bayes import EmpiricalBayes
from vardag.water.lof.boosting import Boosted, Settings
from vardag.water.lof.calibrate import calibrated
from vardag.water.lof.glm import PoissonGlm
from vardag.water.lof.port import Model

MODEL_NAMES = (
    "vardag",
    "ann",
    "poisson_glm",
    "empirical_bayes",
    "past_breaks_per_km",
    "material_age",
    "oldest_first",
    "random",
)


def standard_models(
    *,
    features: Sequence[str],
    neighbours: Sequence[str],
    seed: int = 0,
    settings: Settings | None = None,
    base: Model | None = None,
) -> tuple[Model, ...]:
    """Make the models of `MODEL_NAMES`, in that order, each with its level set by the latest years.

    Parameters
    ----------
    features
        Feature columns of the boosted trees.
    neighbours
        Columns of breaks around the pipe, for the regression.
    seed
        Seed of the lot, the network and the samples.
    settings, base
        Settings of the boosted trees and the model they start from, see `Boosted`.
    """
    return calibrated(
        (
            Boosted(tuple(features), settings or Settings(), base),
            NeuralNetwork(seed=seed),
            PoissonGlm(tuple(neighbours), seed=seed),
            EmpiricalBayes(),
            PastBreaksPerKm(),
            MaterialAge(),
            OldestFirst(),
            Random(seed=seed),
        )
    )
