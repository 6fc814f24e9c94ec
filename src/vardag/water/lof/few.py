"""Which model a city's breaks are enough for, and what is prior and what is data where they are few."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from vardag.core.texts import Texts
from vardag.water.lof.hierarchical import Hierarchical
from vardag.water.lof.port import POLICY, Model, counts, km_years, lengths_km, usable

TEXTS = Texts(Path(__file__).with_name("texts.toml"))


@dataclass(frozen=True)
class Choice:
    """The model to use and why: a stable reason (``enough``, ``few_some``, ``few_zero``) and its figures."""

    model: Model
    reason: str
    values: dict[str, Any]

    def words(self, language: str) -> str:
        """Say it in Swedish or English: what is prior and what is data."""
        return TEXTS(self.reason, language, **self.values)


def choose(panel: pl.DataFrame, *, model: Model, few: Hierarchical) -> Choice:
    """Choose between a trained model and one that rests on published rates, by how many breaks there are.

    Parameters
    ----------
    panel
        Pipe-years whose label windows have all ended.
    model
        What to use where there are enough breaks; not fitted here.
    few
        What to use else.
    """
    rows = usable(panel)
    breaks, limit = int(counts(rows).sum()), int(POLICY.value("few_breaks"))
    values: dict[str, Any] = {"breaks": breaks, "km_years": round(float(km_years(rows).sum())), "limit": limit}
    if breaks >= limit:
        return Choice(model, "enough", values)
    return Choice(few, "few_some" if breaks else "few_zero", values | _shares(few, rows))


def _shares(few: Hierarchical, rows: pl.DataFrame) -> dict[str, int]:
    """Per cent of the latest rates that is data, weighed by length: of pipes of a kind, and each pipe's record."""
    latest = rows.filter(pl.col("as_of") == pl.col("as_of").max())
    if not latest.height:
        return {"data_share": 0, "record_share": 0}
    kind, record = few.fit(rows).data_share(latest)
    share = [round(100 * float(np.average(part, weights=lengths_km(latest)))) for part in (kind, record)]
    return dict(zip(("data_share", "record_share"), share, strict=True))
