"""How long a nation's fit and its reasons take: `python -m benchmarks.fit`.

A made-up panel of 2.5 million pipe-years and 40 columns; what the pipe, its record and its neighbours tell is
true, the other columns are noise. Budgets on two cores: the fit under 60 s, the reasons of 100,000 pipes under
60 s. With ``--all`` the trees are also fitted on every row, to see what the sample of rows without breaks costs.
"""

import argparse
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import TypeVar

import numpy as np
import polars as pl

from benchmarks.oracle import LEVELS, caught
from vardag.core.config import DEFAULT_SEED
from vardag.water.commands.models import recipe, trees
from vardag.water.features import CATALOGUE, families
from vardag.water.lof import boosting
from vardag.water.lof.blend import Blend
from vardag.water.lof.boosting import Boosted
from vardag.water.lof.example import example_panel
from vardag.water.lof.port import Floats, Model

PIPES, YEARS, COLUMNS = 100_000, 26, 40
BUDGET_SECONDS = 60.0
LAST = date(2021, 12, 31)
T = TypeVar("T")


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the panel, fit and explain, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pipes", type=int, default=PIPES)
    parser.add_argument("--all", action="store_true", help="fit the trees on every row too")
    asked = parser.parse_args(arguments)
    panel = nation(asked.pipes)
    past, today = panel.filter(pl.col("as_of") < LAST), panel.filter(pl.col("as_of") == LAST)
    columns = columns_of(panel)
    print(f"## {past.height:,} pipe-years, {len(columns)} columns, {past['breaks'].sum():,} breaks\n")
    print("| | seconds | share of the budget | peak memory, GB |\n|---|---:|---:|---:|")
    model = measure("fit", lambda: wider(recipe(seed=DEFAULT_SEED), columns).fit(past))
    rows = np.arange(today.height)
    measure(f"reasons of {today.height:,} pipes", lambda: model.explain(today, rows, families=families()))
    print("\n| ranked by | " + " | ".join(f"{level:.0%}" for level in LEVELS) + " |\n|---|---:|---:|---:|")
    several = replace(trees(seeds=(DEFAULT_SEED,)), features=columns)
    true = today["true_rate"].to_numpy()
    arms: dict[str, Floats] = {"the true rates": true, "the model": model.rate(today)}
    arms["trees, a sample of the rows"] = several.fit(past).rate(today)
    if asked.all:
        arms["trees, every row"] = on_every_row(several, past).rate(today)
    for name, rate in arms.items():
        print(f"| {name} | " + " | ".join(f"{100 * share:.1f}" for share in caught(rate, true, today)) + " |")


def measure(name: str, work: Callable[[], T]) -> T:
    """Do it, and print how long it took."""
    started = time.perf_counter()
    result = work()
    took, peak = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"| {name} | {took:.1f} | {took / BUDGET_SECONDS:.2f} | {peak:.2f} |", flush=True)
    return result


def nation(pipes: int) -> pl.DataFrame:
    """A panel with every feature of the catalogue, and further ones up to the number of columns."""
    panel = example_panel(pipes=pipes, years=YEARS, level=0.6)
    generator = np.random.default_rng(DEFAULT_SEED)
    absent = [name for name in CATALOGUE if name not in panel.columns]
    more = [f"noise_{number}" for number in range(COLUMNS - len(CATALOGUE))]
    return panel.with_columns(_noise(name, panel.height, generator) for name in (*absent, *more))


def columns_of(panel: pl.DataFrame) -> tuple[str, ...]:
    """The features of the catalogue, and the further columns."""
    return (*CATALOGUE, *(name for name in panel.columns if name.startswith("noise_")))


def _noise(name: str, rows: int, generator: np.random.Generator) -> pl.Series:
    if name in CATALOGUE and CATALOGUE[name].category:
        return pl.Series(name, np.array(["a", "b", "c", "d"])[generator.integers(0, 4, rows)])
    return pl.Series(name, generator.gamma(2.0, 0.5, rows).astype(np.float32))


def wider(blend: Blend, columns: tuple[str, ...]) -> Blend:
    """The product's model, its trees on all the columns."""
    members = [replace(one, features=columns) if isinstance(one, Boosted) else one for one in blend.members]
    return replace(blend, members=tuple(members))


def on_every_row(recipe: Boosted, past: pl.DataFrame) -> Model:
    """Fit without leaving out a row."""
    limited, boosting.enough = boosting.enough, lambda breaks: breaks.size
    try:
        return recipe.fit(past)
    finally:
        boosting.enough = limited


if __name__ == "__main__":
    main()
