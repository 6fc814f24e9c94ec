"""Rolling origins: train on what had ended by ``as_of``, predict the risk set of that day, see nothing later."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from vardag.core.errors import InputError
from vardag.water.panel import years_after


@dataclass(frozen=True)
class Origin:
    """One origin: pipe-years to train on, and the risk set on ``as_of`` to predict."""

    as_of: date
    train: pl.DataFrame
    test: pl.DataFrame


def split(panel: pl.DataFrame, as_of: date) -> Origin:
    """Cut a panel at an origin.

    Training rows are those whose one-year label window has ended on or before `as_of`. Their three-year labels may
    look past it and are taken away.
    """
    ended = pl.col("as_of").dt.offset_by("1y") <= as_of
    train = panel.filter(ended).drop("breaks_3y", strict=False)
    return Origin(as_of, train, panel.filter(pl.col("as_of") == as_of))


def origins(panel: pl.DataFrame, test_years: Iterable[int]) -> Sequence[date]:
    """Dates of the panel from which the test years can be predicted: 31 December of the year before each.

    Raises
    ------
    InputError
        When none of the test years has both a risk set and earlier years to train on; the message names the years
        that the panel holds.
    """
    wanted = {date(year - 1, 12, 31) for year in test_years}
    days = panel["as_of"].unique().sort().to_list()
    found = [day for day in days if day in wanted and years_after(days[0], 1) <= day]
    if not found:
        held = f"{days[0].year} to {days[-1].year}" if days else "no years"
        raise InputError(
            f"test years: none of {sorted(day.year + 1 for day in wanted)} can be predicted; the panel holds "
            f"{held}, and a test year needs at least one label year before it. Choose later test years."
        )
    return found
