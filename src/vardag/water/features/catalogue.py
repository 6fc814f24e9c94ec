"""The catalogue of features: one pure function is one column, and it declares what it knows and when.

A feature takes a `Snapshot`, which ends on ``as_of``, and returns one value per pipe of the risk set. It says
which family it belongs to (reasons are told by family) and what its knowledge rests on:

- ``dated``: on dated facts up to ``as_of``;
- ``static``: on what cannot change while the pipe lies there (material, diameter, length);
- ``undated``: on today's register or map, because no date was delivered; ``why`` says why it is thought harmless.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl
from numpy.typing import NDArray

from vardag.water.panel import Snapshot

Knowledge = Literal["dated", "static", "undated"]
Values = NDArray[Any] | pl.Series


@dataclass(frozen=True)
class Feature:
    """One column of the panel.

    Attributes
    ----------
    name
        Column name.
    family
        Group under which its effect is told as a reason.
    knows
        ``dated``, ``static`` or ``undated``.
    doc
        What it is, with unit.
    why
        For undated ones: why today's knowledge gives nothing away.
    category
        True where the values are names, not numbers.
    needs
        Delivered tables whose rows go into the value: ``pipe`` always; ``road`` also where a place is needed, since
        a pipe without geometry lies along its road.
    """

    name: str
    family: str
    knows: Knowledge
    doc: str
    why: str
    category: bool
    compute: Callable[[Snapshot], Values]
    needs: tuple[str, ...] = ("pipe",)


CATALOGUE: dict[str, Feature] = {}


def feature(
    family: str, knows: Knowledge, *, why: str = "", category: bool = False, needs: tuple[str, ...] = ()
) -> Callable[[Callable[[Snapshot], Values]], Callable[[Snapshot], Values]]:
    """Put a function into the catalogue under its own name; its docstring is the column's meaning.

    `needs` names the tables beside ``pipe`` that it rests on.
    """

    def register(compute: Callable[[Snapshot], Values]) -> Callable[[Snapshot], Values]:
        doc = " ".join((compute.__doc__ or "").split())
        name = getattr(compute, "__name__", "")
        CATALOGUE[name] = Feature(name, family, knows, doc, why, category, compute, ("pipe", *needs))
        return compute

    return register


def compute(cut: Snapshot) -> pl.DataFrame:
    """Compute every feature of a snapshot; one column each, in the catalogue's order, null where unknown."""
    return pl.DataFrame([_column(entry, cut) for entry in CATALOGUE.values()])


def _column(entry: Feature, cut: Snapshot) -> pl.Series:
    values = pl.Series(entry.name, entry.compute(cut))
    return values.cast(pl.String) if entry.category else values.cast(pl.Float64).fill_nan(None)


def families() -> dict[str, str]:
    """Family of each feature, by column name."""
    return {name: entry.family for name, entry in CATALOGUE.items()}


def depending_on(table: str) -> tuple[str, ...]:
    """Names of the features that rest on a delivered table."""
    return tuple(name for name, entry in CATALOGUE.items() if table in entry.needs)


def data_card() -> list[dict[str, str]]:
    """What each feature is and knows, for the report and the reference page."""
    keys = ("name", "family", "knows", "doc", "why")
    return [{key: str(getattr(entry, key)) for key in keys} for entry in CATALOGUE.values()]
