"""What a publication is told about the run, and what it leaves behind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from vardag.core.texts import Texts

TEXTS = Texts(Path(__file__).with_name("texts.toml"))


@dataclass(frozen=True, kw_only=True)
class ReportContext:
    """Everything but the ranking and its evaluation that a reader must know.

    Attributes
    ----------
    city
        Name of the city.
    crs
        Coordinate system of the geometry, such as ``EPSG:3006``; projected, in metres.
    as_of
        Last day whose knowledge was used; the prediction is for the year that begins the day after.
    secrecy
        ``open``, ``internal`` or ``protected``.
    sources, checks
        The tables ``source`` and ``check_result``.
    survivorship
        What `vardag.water.life.survivorship` returns.
    data_card
        What `vardag.water.features.data_card` returns: name, family, knows, doc and why of each feature.
    run
        What `vardag.core.runs.Run.summary` returns.
    model
        Stable name of the model that made the ranking.
    roads
        Roads as quiet context on the map: a frame with WKB in ``geom``; None for none.
    few_breaks
        Words that say that a fallback was used for want of breaks; None where the trained model was used.
    synthetic
        True for the demo town: said so at the top.
    fit
        What `predict` found and left beside its table: counts, settings, level, spread, where the log is thin. The
        model card tells it; empty where there is no card.
    effects, stability
        What `vardag water stability` found on the same data; None where it was not run.
    plots
        Inline SVG by name: ``capture``, ``calibration``, ``years``; empty: drawn from the evaluation.
    """

    city: str
    crs: str
    as_of: date
    secrecy: str
    sources: pl.DataFrame
    checks: pl.DataFrame
    survivorship: Mapping[str, Any]
    data_card: Sequence[Mapping[str, str]]
    run: Mapping[str, Any]
    model: str = "vardag"
    roads: pl.DataFrame | None = None
    few_breaks: str | None = None
    synthetic: bool = False
    fit: Mapping[str, Any] = field(default_factory=dict)
    effects: Mapping[str, Any] | None = None
    stability: Mapping[str, Any] | None = None
    plots: Mapping[str, str] = field(default_factory=dict)

    @property
    def first_day(self) -> date:
        """First day that is predicted."""
        return self.as_of + timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Published:
    """Paths of what was written."""

    geopackage: Path
    geoparquet: Path
    csv: Path
    card: tuple[Path, ...]
    report: Path

    @property
    def paths(self) -> tuple[Path, ...]:
        """All files, the report last."""
        return (self.geopackage, self.geoparquet, self.csv, *self.card, self.report)
