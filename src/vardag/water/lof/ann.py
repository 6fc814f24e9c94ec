"""A neural network of the kind Stockholm's water company used, as a named peer.

Stockholm Vatten och Avfall's network (Rehn, from 2019; scaled down for smaller towns in the project *Ordning i
rörANN*, Sörensen, Lund University, 2020 to 2022) takes 21 inputs: about the pipe (material, dimension, age),
pressure, soil, traffic, other things of its surroundings, and earlier disturbances, and learns where leaks have
been registered. This peer takes the inputs below where the city has them, through two hidden layers.

It differs in one thing, in the network's favour: it learns the number of breaks per km and year (Poisson loss,
weighted by km-years) rather than leak or no leak, so that long pipes are not ranked first for their length alone.
Its architecture and training data are not published, so this is a peer of the kind, not a copy.
"""

import warnings
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

from vardag.water.lof.encode import Fitted, Term, enough, learn, matrix, thin, widths
from vardag.water.lof.glm import with_past_rate
from vardag.water.lof.paths import multipliers, typical
from vardag.water.lof.port import Floats, counts, km_years, network_rate, one_thread, usable

INPUTS = (
    # the pipe
    Term("material", "category"),
    Term("age_years"),
    Term("install_year"),
    Term("diameter_mm", "log"),
    Term("length_m", "log"),
    Term("lined_years"),
    Term("function", "category"),
    # pressure
    Term("pressure_zone", "category"),
    Term("pressure_m"),
    # soil
    Term("soil_class", "category"),
    # traffic
    Term("road_class", "category"),
    Term("aadt", "log1p"),
    Term("speed_kmh"),
    Term("truck"),
    Term("bus"),
    # earlier disturbances
    Term("own_breaks", "log1p"),
    Term("own_past_rate", "log1p"),
    Term("own_years_since"),
    Term("nearby_50m", "log1p"),
    Term("nearby_150m", "log1p"),
    Term("street_rate", "log1p"),
)


# Inputs that are no features of the catalogue, and the feature whose family they belong to.
TOLD_UNDER = {"length_m": "log_length", "own_past_rate": "own_breaks"}


@dataclass(frozen=True)
class NetworkSettings:
    """Settings of the neural network; training stops when the held-out years have not improved for a while."""

    hidden: tuple[int, ...] = (24, 12)
    learning_rate: float = 0.002
    ridge: float = 0.1
    batch_rows: int = 2048
    epochs: int = 40
    patience: int = 5
    held_out_years: int = 2


@dataclass(frozen=True)
class NeuralNetwork:
    """Two hidden layers on about 21 standardised inputs; Poisson loss on breaks per km and year.

    Parameters
    ----------
    inputs
        What it learns from; the peer's inputs unless given.
    """

    settings: NetworkSettings = NetworkSettings()
    seed: int = 0
    inputs: tuple[Term, ...] = INPUTS
    encoding: tuple[Fitted, ...] = ()
    network: Any = None
    mean: float = 0.0
    typical: tuple[float, ...] = ()
    name: str = "ann"

    def fit(self, panel: pl.DataFrame) -> Self:
        """Train on the earlier years, stop by the latest years, then keep the best epoch's weights."""
        rows = usable(panel)
        mean = network_rate(rows)
        if not counts(rows).sum():
            return replace(self, encoding=(), network=None, mean=mean)
        kept, weights = thin(counts(rows), limit=enough(counts(rows)), seed=self.seed)
        rows = with_past_rate(rows[kept])
        encoding = learn(rows, self.inputs)
        inputs = matrix(rows, encoding)
        target, size = counts(rows) / km_years(rows) / mean, km_years(rows) * weights
        with one_thread():
            network = self._train(inputs, target, size / size.mean(), self._held_out(rows))
        usual = tuple(typical(inputs, encoding).tolist())
        return replace(self, encoding=encoding, network=network, mean=mean, typical=usual)

    def _held_out(self, rows: pl.DataFrame) -> NDArray[np.bool_]:
        years = rows["as_of"].unique().sort()
        if years.len() <= 2 * self.settings.held_out_years:
            return np.asarray(np.arange(rows.height) % 5 == 0)
        return np.asarray((rows["as_of"] >= years[-self.settings.held_out_years]).to_numpy())

    def _train(self, inputs: Floats, target: Floats, size: Floats, held: NDArray[np.bool_]) -> Any:
        network, best, best_loss, waited = self._new_network(rows=int((~held).sum())), None, np.inf, 0
        for _ in range(self.settings.epochs):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                network.partial_fit(inputs[~held], target[~held], sample_weight=size[~held])
            loss = _poisson_loss(network.predict(inputs[held]), target[held], size[held])
            if loss < best_loss:
                best, best_loss, waited = deepcopy(network), loss, 0
            else:
                waited += 1
            if waited >= self.settings.patience:
                break
        return best

    def _new_network(self, *, rows: int) -> MLPRegressor:
        return MLPRegressor(
            loss="poisson",
            hidden_layer_sizes=self.settings.hidden,
            learning_rate_init=self.settings.learning_rate,
            alpha=self.settings.ridge,
            batch_size=min(self.settings.batch_rows, rows),
            # A generator rather than a number: else every partial fit would shuffle the rows the same way.
            random_state=np.random.RandomState(self.seed),
        )

    def rate(self, panel: pl.DataFrame) -> Floats:
        """Return the network's rate; the network's mean rate where nothing could be learnt."""
        return self._rate(matrix(with_past_rate(panel), self.encoding))

    def _rate(self, inputs: Floats) -> Floats:
        if self.network is None:
            return np.full(len(inputs), self.mean)
        with one_thread():
            relative: Floats = self.network.predict(inputs)
        return self.mean * np.nan_to_num(relative, nan=1.0, posinf=1e3).clip(0.0, 1e3)

    def explain(
        self, panel: pl.DataFrame, rows: NDArray[np.int64] | Sequence[int], *, families: Mapping[str, str]
    ) -> pl.DataFrame:
        """Tell what moves each row's rate from that of the typical pipe, see `vardag.water.lof.paths`."""
        inputs = matrix(with_past_rate(panel[np.asarray(rows, dtype=np.int64)]), self.encoding)
        told_under = {column: families.get(feature, feature) for column, feature in TOLD_UNDER.items()} | dict(
            families
        )
        columns = [fitted.term.column for fitted in self.encoding]
        named = np.repeat([told_under.get(column, column) for column in columns], widths(self.encoding)).tolist()
        return multipliers(self._rate, inputs, np.array(self.typical), families=named)


def _poisson_loss(predicted: Floats, target: Floats, size: Floats) -> float:
    safe = np.maximum(predicted, 1e-9)
    return float((size * (safe - target * np.log(safe))).sum() / size.sum())
