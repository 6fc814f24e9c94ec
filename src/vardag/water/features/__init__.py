"""Features: one pure function is one column; `panel_of` puts them beside the labels, year by year."""

from collections.abc import Callable, Sequence
from datetime import date

import polars as pl

from vardag.water.features import catalogue, excess, history, joined, neighbours, pipe, pressure, surroundings
from vardag.water.features.catalogue import CATALOGUE, compute, data_card, depending_on, families
from vardag.water.panel import Network, Snapshot, labels, snapshot

__all__ = [
    "CATALOGUE",
    "catalogue",
    "compute",
    "data_card",
    "depending_on",
    "excess",
    "families",
    "history",
    "joined",
    "neighbours",
    "panel_of",
    "panel_year",
    "pipe",
    "pressure",
    "surroundings",
]

IDENTITY = ("pipe_key", "origin", "length_m")


def panel_of(
    network: Network, as_ofs: Sequence[date], *, progress: Callable[[int, int], None] | None = None
) -> pl.DataFrame:
    """Build the panel: identity, labels and features of the risk set of each `as_of`, one under the other.

    Returns
    -------
    One row per pipe life and year: ``pipe_key``, ``origin``, ``length_m`` (m), ``as_of``, ``street_block``,
    the labels (see `vardag.water.panel.labels`) and one column per feature of the catalogue.
    """
    years = []
    for done, as_of in enumerate(as_ofs):
        if progress:
            progress(done, len(as_ofs))
        years.append(panel_year(network, snapshot(network, as_of)))
    return pl.concat(years)


def panel_year(network: Network, cut: Snapshot) -> pl.DataFrame:
    """One year of the panel. Labels come from the network, features from the snapshot alone."""
    identity = cut.lives.select(*IDENTITY).with_columns(
        neighbours.street_key(cut.lives).alias("street_block"), as_of=pl.lit(cut.as_of)
    )
    return pl.concat([identity, labels(network, cut), compute(cut)], how="horizontal")
