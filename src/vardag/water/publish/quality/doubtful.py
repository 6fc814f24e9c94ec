"""Doubtful rows: pipes and breaks that a named check calls impossible, contradictory or unsure, in groups."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from vardag.water.checks import CheckData, rows_found

PIPES = (
    "impossible_install_year",
    "impossible_diameter",
    "material_impossible_for_year",
    "length_differs_from_geometry",
    "zero_lengths",
    "missing_install_year",
    "pipes_without_material",
)
BREAKS = (
    "break_details_of_later_pipe",
    "breaks_before_installation",
    "breaks_far_from_any_pipe",
    "repeated_breaks",
    "break_dates_on_one_day",
)
LINKS = "doubtful_links"
ALL = "all_doubtful"


@dataclass(frozen=True)
class Doubt:
    """One group of doubtful rows: ids of pipes, and of breaks."""

    name: str
    pipes: frozenset[str] = frozenset()
    breaks: frozenset[str] = frozenset()

    @property
    def kind(self) -> str:
        """What the group is of: pipe, break or both."""
        return "both" if self.pipes and self.breaks else "break" if self.breaks else "pipe"

    def __bool__(self) -> bool:
        return bool(self.pipes or self.breaks)


def doubts(
    data: CheckData, links: pl.DataFrame, *, used: frozenset[str], least_confidence: float
) -> tuple[tuple[Doubt, ...], tuple[str, ...]]:
    """Groups of doubtful rows, and the names of those that have none.

    Parameters
    ----------
    data
        What the checks look at.
    links
        Which pipe each break belongs to (`break_id`, `pipe_key`, `confidence`).
    used
        Ids of the breaks that are labels or history; others cannot change a prediction.
    least_confidence
        Links below this are doubtful.

    Returns
    -------
    The groups that have rows, one a check, with all of them together last where there are several; the others'
    names.
    """
    register = frozenset(data.pipes["pipe_id"].drop_nulls())
    found = rows_found(data, (*PIPES, *BREAKS))
    unsure = links.filter(pl.col("pipe_key").is_not_null() & (pl.col("confidence") < least_confidence))
    groups = [
        *(Doubt(name, pipes=register.intersection(found[name].ids)) for name in PIPES),
        *(Doubt(name, breaks=used.intersection(found[name].ids)) for name in BREAKS),
        Doubt(LINKS, breaks=used.intersection(unsure["break_id"])),
    ]
    some = [group for group in groups if group]
    every = Doubt(ALL, _union(some, "pipes"), _union(some, "breaks"))
    return tuple(some + [every] * (len(some) > 1)), tuple(group.name for group in groups if not group)


def _union(groups: list[Doubt], part: str) -> frozenset[str]:
    return frozenset[str]().union(*(getattr(group, part) for group in groups))


def counts(groups: tuple[Doubt, ...], totals: Mapping[str, int]) -> list[dict[str, object]]:
    """Rows of each group, of how many."""
    return [
        {
            "name": group.name,
            "kind": group.kind,
            "pipes": len(group.pipes),
            "breaks": len(group.breaks),
            "of_pipes": totals["pipes"],
            "of_breaks": totals["breaks"],
        }
        for group in groups
    ]
