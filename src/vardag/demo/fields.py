"""Smooth random fields: bends of the streets, soil, and the unseen part of the break rate."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Words = npt.NDArray[np.object_]

WAVES = 32


@dataclass(frozen=True)
class SmoothField:
    """A sum of random cosines: zero mean, unit variance, smooth over about ``wavelength_m``.

    Source: random Fourier features (Rahimi and Recht, 2007).
    """

    vectors: Floats  # radians per metre, (WAVES, 2)
    phases: Floats

    @classmethod
    def draw(cls, rng: np.random.Generator, *, wavelength_m: float) -> "SmoothField":
        """Draw one field."""
        angle = rng.uniform(0, 2 * np.pi, WAVES)
        size = 2 * np.pi / wavelength_m * rng.lognormal(0, 0.35, WAVES)
        vectors = np.column_stack([size * np.cos(angle), size * np.sin(angle)])
        return cls(vectors, rng.uniform(0, 2 * np.pi, WAVES))

    def __call__(self, xy: Floats) -> Floats:
        """Value of the field at points ``(n, 2)`` in metres."""
        total = np.zeros(len(xy))
        for vector, phase in zip(self.vectors, self.phases, strict=True):
            total += np.cos(xy[:, 0] * vector[0] + xy[:, 1] * vector[1] + phase)
        return np.asarray(total * np.sqrt(2 / WAVES))


@dataclass(frozen=True)
class Warp:
    """Bends a plan of straight lines into streets that somebody could have built."""

    layers: tuple[tuple[float, SmoothField, SmoothField], ...]

    @classmethod
    def draw(cls, rng: np.random.Generator, *, layers_m: tuple[tuple[float, float], ...]) -> "Warp":
        """Draw one bend per pair of amplitude and wavelength, in metres."""
        return cls(
            tuple(
                (size, SmoothField.draw(rng, wavelength_m=wave), SmoothField.draw(rng, wavelength_m=wave))
                for size, wave in layers_m
            )
        )

    def __call__(self, xy: Floats) -> Floats:
        """Move points ``(n, 2)`` of the plan to where they lie in the town."""
        moved = xy.copy()
        for size, east, north in self.layers:
            moved += size * np.column_stack([east(xy), north(xy)])
        return moved


Shares = dict[str, float] | dict[int, float]


def pick(rng: np.random.Generator, shares: Shares, count: int) -> npt.NDArray[np.generic]:
    """Draw ``count`` keys with the given shares (which need not add to one)."""
    share = np.array(list(shares.values()), dtype=float)
    return np.asarray(rng.choice(np.array(list(shares)), size=count, p=share / share.sum()))
