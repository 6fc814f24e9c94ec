"""The eight models of the headline table, made the same way everywhere."""

from collections.abc import Sequence

from vardag.water.lof.ann import NeuralNetwork
from vardag.water.lof.baselines import MaterialAge, OldestFirst, PastBreaksPerKm, Random
from vardag.water.lof.bayes import EmpiricalBayes
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


def standard_models(model: Model, *, neighbours: Sequence[str], seed: int = 0) -> tuple[Model, ...]:
    """Make the models of `MODEL_NAMES`, in that order; the level of the baselines is set by the latest years.

    Parameters
    ----------
    model
        The first of them, ``vardag``, which sets its own level.
    neighbours
        Columns of breaks around the pipe, for the regression.
    seed
        Seed of the lot, the network and the samples.
    """
    baselines = (
        NeuralNetwork(seed=seed),
        PoissonGlm(tuple(neighbours), seed=seed),
        EmpiricalBayes(),
        PastBreaksPerKm(),
        MaterialAge(),
        OldestFirst(),
        Random(seed=seed),
    )
    return model, *calibrated(baselines)
