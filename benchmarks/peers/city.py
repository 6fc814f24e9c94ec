"""The pipe-years to compare on: a city's, from a copy of its folder, or the demo town's."""

import shutil
from pathlib import Path

import polars as pl

from vardag.core.config import DEFAULT_SEED
from vardag.demo import town
from vardag.water.commands.evaluate import label_years
from vardag.water.commands.load import load
from vardag.water.commands.network import build_history
from vardag.water.commands.workspace import OUT, read_tables, workspace

NOT_COPIED = shutil.ignore_patterns(OUT, "scorecard")


def city_panel(folder: Path | None, scratch: Path) -> tuple[str, pl.DataFrame]:
    """Name and pipe-years of a loaded city; the demo town is made where no folder is given. Nothing is changed."""
    place = scratch / "city"
    if folder is None:
        town(folder=place, seed=DEFAULT_SEED)
        load(place)
    else:
        shutil.copytree(folder, place, ignore=NOT_COPIED)
    with workspace(place, "bench peers", seed=DEFAULT_SEED) as work:
        history = build_history(work, read_tables(work))
        return work.city.name, label_years(work, history.network)
