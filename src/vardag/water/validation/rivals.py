"""Champion and challengers: the model in use and those that were locked beside it, judged by the same breaks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from vardag.water.lof.port import Floats
from vardag.water.validation.bootstrap import Broken, Interval, captures, interval
from vardag.water.validation.metrics import LEVELS, caught, length_intervals
from vardag.water.validation.scorecard import Lock


@dataclass(frozen=True)
class Caught:
    """The broken pipes of one lock, and how much of each lies within each level, by model.

    Attributes
    ----------
    pipes, breaks
        Key and number of breaks of each broken pipe.
    shares
        By model: shape (broken pipes, ``LEVELS``).
    locked
        Number of pipes in the lock.
    """

    pipes: list[str]
    breaks: Floats
    shares: dict[str, Floats]
    locked: int


@dataclass(frozen=True)
class Comparison:
    """Share of the breaks that each model caught, and the champion's lead over each challenger, paired."""

    captures: dict[str, Interval]
    leads: dict[str, Interval]

    def document(self) -> list[dict[str, Any]]:
        """Return plain values, ready for JSON: one row per challenger."""
        return [
            {
                "model": name,
                "capture": plain(self.captures[name].value),
                "lead": plain(lead.value),
                "low": plain(lead.low),
                "high": plain(lead.high),
            }
            for name, lead in self.leads.items()
        ]


def plain(values: Floats) -> list[float | None]:
    """Values for JSON; what is not a number is null."""
    return [round(float(value), 6) if np.isfinite(value) else None for value in values]


def caught_by(lock: Lock, linked: pl.DataFrame) -> Caught:
    """What each model of a lock caught of the breaks that were linked to a locked pipe."""
    pipes = lock.predictions.with_row_index("row")
    counted = linked.group_by("pipe_key").len("breaks").join(pipes, on="pipe_key").sort("row")
    rows, length = counted["row"].to_numpy().astype(np.int64), pipes["length_m"].to_numpy()
    shares = {}
    for name, column in lock.rates.items():
        a, b = length_intervals(pipes[column].to_numpy(), length, np.zeros(pipes.height, dtype=np.int64))
        shares[name] = caught(a[rows], b[rows], LEVELS)
    return Caught(
        counted["pipe_key"].to_list(), counted["breaks"].cast(pl.Float64).to_numpy(), shares, pipes.height
    )


def compare(parts: Sequence[Caught], *, champion: str, seed: int) -> Comparison:
    """Pool one or several locks and compare the models that all of them have; pipes are drawn whole."""
    names = [name for name in parts[0].shares if all(name in part.shares for part in parts)]
    keys = [key for part in parts for key in part.pipes]
    if not keys:
        nothing = Interval(*[np.full(len(LEVELS), np.nan)] * 3)
        return Comparison(dict.fromkeys(names, nothing), {name: nothing for name in names if name != champion})
    code = pl.Series(keys).rank("dense").cast(pl.Int64).to_numpy()
    broken = Broken(code, np.concatenate([part.breaks for part in parts]), max(part.locked for part in parts))
    shares = {name: np.concatenate([part.shares[name] for part in parts]) for name in names}
    seen, drawn = captures(broken, shares, seed=seed)
    leads = {
        name: interval(seen[champion] - seen[name], drawn[champion] - drawn[name])
        for name in names
        if name != champion
    }
    return Comparison({name: interval(seen[name], drawn[name]) for name in names}, leads)
