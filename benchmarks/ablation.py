"""What each family of features brings: `python -m benchmarks.ablation --city FOLDER --first 2005 --last 2012`.

The trees are fitted with every feature, and again without one family at a time, from the same rolling origins on
the same rows. Two measures: breaks caught in the top 5 and 10 % of length, which is what a planner sees and which
jumps by chance; and information, the gain in Poisson log likelihood per break (nats), which sees small differences.
Intervals are 95 %, paired and by pipe: a percentile bootstrap for the capture, the normal approximation to the sum
over pipes for the information. A family whose interval holds zero may still matter to another city.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from vardag.core.config import DEFAULT_SEED
from vardag.water import features
from vardag.water.commands.evaluate import label_years
from vardag.water.commands.network import build_history
from vardag.water.commands.workspace import read_tables, workspace
from vardag.water.features import families
from vardag.water.lof.boosting import Boosted, Settings
from vardag.water.lof.calibrate import calibrated
from vardag.water.lof.port import Floats
from vardag.water.validation.evaluate import REGISTER, score
from vardag.water.validation.metrics import LEVELS
from vardag.water.validation.splits import origins
from vardag.water.validation.tables import Trial, headline

WHOLE = "every feature"
SHOWN = (0.01, 0.05, 0.10, 0.20)
JUDGED = (0.05, 0.10)


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit with and without each family, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--city", type=Path, required=True, help="city folder, loaded")
    parser.add_argument("--first", type=int, required=True, help="first year to predict")
    parser.add_argument("--last", type=int, required=True, help="last year to predict")
    asked = parser.parse_args(arguments)
    panel = panel_of(asked.city)
    models = calibrated(arms(panel))
    days = origins(panel, range(asked.first, asked.last + 1))
    scores = score(panel.filter(pl.col("origin") == "register"), models=models, days=days)
    trial = Trial(scores.filter(pl.col("population") == REGISTER), [model.name for model in models], WHOLE, 1)
    print(f"{int(trial.breaks.sum())} breaks, {asked.first} to {asked.last}\n")
    print("\n".join(table(trial)))


def panel_of(folder: Path) -> pl.DataFrame:
    """Pipe-years of a loaded city."""
    with workspace(folder, "benchmark ablation") as work:
        return label_years(work, build_history(work, read_tables(work)).network)


def arms(panel: pl.DataFrame) -> list[Boosted]:
    """The trees with everything, and without each family that says anything about this city."""
    told = [name for name in features.CATALOGUE if panel[name].n_unique() > 1]
    whole = Boosted(tuple(told), Settings(seeds=(DEFAULT_SEED,)), name=WHOLE)
    family_of = families()
    known = dict.fromkeys(family_of[name] for name in told)
    return [whole] + [
        replace(whole, features=tuple(name for name in told if family_of[name] != family), name=f"without {family}")
        for family in known
    ]


def table(trial: Trial) -> Iterator[str]:
    """Markdown, the families that bring most information first."""
    heads = [f"{level:.0%}" for level in SHOWN] + [f"loss at {level:.0%}" for level in JUDGED]
    yield "| features | " + " | ".join(heads) + " | information lost, nats/break |"
    yield "|---|" + "---:|" * (len(heads) + 1)
    rows = {row["model"]: row for row in headline(trial, seed=DEFAULT_SEED)}
    lost = {name: information(trial, name) for name in trial.models}
    for name in sorted(rows, key=lambda name: (name != WHOLE, -lost[name][0])):
        row = rows[name]
        cells = [f"{100 * row['capture'][LEVELS.index(level)]:.1f}" for level in SHOWN]
        if name == WHOLE:
            yield f"| {name} | " + " | ".join(cells) + " |" + " |" * (len(JUDGED) + 1)
            continue
        for level in JUDGED:
            place = LEVELS.index(level)
            cells.append(_with(100 * np.array([row[key][place] for key in _DIFFERENCE]), "+.1f"))
        yield f"| {name} | " + " | ".join([*cells, _with(np.array(lost[name]), "+.3f")]) + " |"


_DIFFERENCE = ("difference", "difference_low", "difference_high")


def _with(figures: Floats, form: str) -> str:
    value, low, high = (format(figure, form) for figure in figures)
    return f"{value} ({low} to {high})"


def information(trial: Trial, name: str) -> tuple[float, float, float]:
    """Nats per break that are lost without the family, with the interval."""
    size, breaks = trial.km_years, trial.breaks
    whole, part = (np.maximum(trial.scores[model].to_numpy() * size, 1e-12) for model in (WHOLE, name))
    gain = breaks * np.log(whole / part) - (whole - part)
    pipe = trial.scores["pipe_key"].rank("dense").cast(pl.Int64).to_numpy() - 1
    by_pipe = np.bincount(pipe, weights=gain) / breaks.sum()
    spread = 1.96 * float(np.sqrt(by_pipe.size * by_pipe.var()))
    total = float(by_pipe.sum())
    return total, total - spread, total + spread


if __name__ == "__main__":
    main()
