"""Publish: the ranking as a QGIS map, as tables, and as one report that a person can read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from vardag.water.publish.card import write_card
from vardag.water.publish.context import TEXTS, Published, ReportContext
from vardag.water.publish.figures import map_png, map_svg
from vardag.water.publish.geopackage import write_geopackage
from vardag.water.publish.reasons import reason_text
from vardag.water.publish.report import report, write_report
from vardag.water.publish.tables import flat, with_street_names, write_csv, write_geoparquet
from vardag.water.publish.values import reason_values, strongest

__all__ = [
    "Published",
    "ReportContext",
    "flat",
    "map_png",
    "map_svg",
    "publish",
    "reason_text",
    "reason_values",
    "report",
    "strongest",
    "with_street_names",
    "write_csv",
    "write_geopackage",
    "write_geoparquet",
    "write_report",
]

KINDS = ("geopackage", "geoparquet", "csv", "report")


def publish(
    *,
    folder: Path,
    predictions: pl.DataFrame,
    evaluation: Mapping[str, Any] | None,
    context: ReportContext,
    language: str,
) -> Published:
    """Write everything a city gets: GeoPackage, GeoParquet, CSV, the model card and the report.

    Parameters
    ----------
    folder
        Made if it is not there; files of an earlier publication are replaced.
    predictions
        One row per pipe: ``pipe_key``, ``pipe_id``, ``geom`` (WKB or null), ``street``, ``material``,
        ``diameter_mm``, ``install_year``, ``length_m``, ``position``, ``expected_breaks_per_km_year``, ``lower``,
        ``upper``, ``expected_breaks``, ``p_break``, ``p_top_1``, ``p_top_5``, ``rank``, ``cumulative_length_share``
        and ``reasons`` (list of family, value, multiplier: `vardag.water.publish.reasons`). With ``road_id``, a
        missing street name is taken from the context's roads.
    evaluation
        What `vardag.water.validation.evaluate` gives, or None.
    context
        Everything else that a reader must know.
    language
        ``sv`` or ``en``: names of files and layers, headings, reasons, the report.
    """
    folder.mkdir(parents=True, exist_ok=True)
    named = with_street_names(predictions, context.roads)
    table = flat(named, context=context, language=language)
    paths = {kind: folder / TEXTS(f"file_{kind}", language) for kind in KINDS}
    return Published(
        geopackage=write_geopackage(table, path=paths["geopackage"], context=context, language=language),
        geoparquet=write_geoparquet(table, path=paths["geoparquet"], crs=context.crs),
        csv=write_csv(table, path=paths["csv"], language=language),
        card=write_card(folder, context=context, evaluation=evaluation, language=language) if context.fit else (),
        report=write_report(
            path=paths["report"], predictions=named, evaluation=evaluation, context=context, language=language
        ),
    )
