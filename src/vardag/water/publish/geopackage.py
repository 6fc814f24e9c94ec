"""A GeoPackage that opens in QGIS as a finished map: the ranking, its style, and what it is."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyogrio
import shapely

from vardag.water.publish.context import TEXTS, ReportContext
from vardag.water.publish.qgis import qml, sld

LINE = 1  # shapely's number of the type

# As QGIS makes it, see "Save style to database" in its source (QgsOgrProviderMetadata::saveStyle).
LAYER_STYLES = """
CREATE TABLE layer_styles (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256), f_table_schema TEXT(256),
    f_table_name TEXT(256), f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT,
    useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30),
    update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')))
"""
CONTENTS = (
    "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change, srs_id)"
    " VALUES ('layer_styles', 'attributes', 'layer_styles', ?, ?, 0)"
)
STYLE = (
    "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName,"
    " styleQML, styleSLD, useAsDefault, description, owner, update_time)"
    " VALUES ('', '', ?, 'geom', ?, ?, ?, 1, ?, 'vardag', ?)"
)


def write_geopackage(table: pl.DataFrame, *, path: Path, context: ReportContext, language: str) -> Path:
    """Write the ranking as a GeoPackage with its QGIS style inside.

    The same ranking gives the same file: the dates inside are those of the run.

    Parameters
    ----------
    table
        What `tables.flat` returns. Rows without geometry go to an attribute table of their own, so none is lost.
    path
        File to write; replaced whole when the writing has succeeded.
    context, language
        What the metadata say, and in which language layers and labels are.
    """
    part = path.with_name(path.stem + ".part.gpkg")
    part.unlink(missing_ok=True)
    moment = _moment(context)
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": moment})
    try:
        _write_layers(table, path=part, context=context, language=language)
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})
    _write_style(part, moment=moment, language=language)
    return part.replace(path)


def layer_names(language: str) -> tuple[str, str, str]:
    """Names of the layer, of the table of pipes without a place, and of the table about the file."""
    return TEXTS("layer_pipes", language), TEXTS("layer_placeless", language), TEXTS("layer_about", language)


def about(context: ReportContext) -> dict[str, str]:
    """City, date, model, run and secrecy, as they stand in every file."""
    run = context.run
    return {
        "city": context.city,
        "as_of": context.as_of.isoformat(),
        "first_day": context.first_day.isoformat(),
        "model": context.model,
        "run_id": str(run.get("run_id", "")),
        "version": str(run.get("version", "")),
        "started_at": str(run.get("started_at", "")),
        "seed": str(run.get("seed", "")),
        "configuration_hash": str(run.get("configuration_hash", "")),
        "inputs": json.dumps(dict(run.get("inputs", {})), ensure_ascii=False, sort_keys=True),
        "secrecy": context.secrecy,
        "crs": context.crs,
        "synthetic": str(context.synthetic).lower(),
        "few_breaks": context.few_breaks or "",
        "sources": _sources(context.sources),
    }


def _sources(sources: pl.DataFrame) -> str:
    wanted = [name for name in ("source", "owner", "licence", "secrecy", "source_date") if name in sources.columns]
    return json.dumps(sources.select(wanted).to_dicts(), ensure_ascii=False, default=str)


def _moment(context: ReportContext) -> str:
    started = str(context.run.get("started_at") or f"{context.as_of}T00:00:00")
    return started[:19] + ".000Z"


def _write_layers(table: pl.DataFrame, *, path: Path, context: ReportContext, language: str) -> None:
    pipes, placeless, details = layer_names(language)
    facts = about(context)
    placed = table.filter(pl.col("geom").is_not_null())
    geom, geometry_type = _one_type(placed["geom"])
    marking = TEXTS(f"secrecy_{context.secrecy}", language)
    told = TEXTS("layer_description", language, city=context.city, as_of=context.as_of, marking=marking)
    common: dict[str, Any] = {"driver": "GPKG", "encoding": "UTF-8"}
    pyogrio.write_arrow(
        placed.with_columns(geom).to_arrow(),
        path,
        layer=pipes,
        geometry_name="geom",
        geometry_type=geometry_type,
        crs=context.crs,
        dataset_metadata={key.upper(): value for key, value in facts.items()},
        layer_metadata={"IDENTIFIER": told, "DESCRIPTION": told},
        dataset_options={"VERSION": "1.2"},  # read without a warning by the QGIS of older long-term releases
        layer_options={"GEOMETRY_NAME": "geom", "SPATIAL_INDEX": "YES"},
        **common,
    )
    rest = table.filter(pl.col("geom").is_null()).drop("geom")
    if rest.height:
        pyogrio.write_arrow(rest.to_arrow(), path, layer=placeless, append=True, **common)
    rows = pl.DataFrame({"key": list(facts), "value": list(facts.values())})
    pyogrio.write_arrow(rows.to_arrow(), path, layer=details, append=True, **common)


def _one_type(wkb: pl.Series) -> tuple[pl.Series, str]:
    """Lines as they are, or all as multi-lines where some are: a GeoPackage layer has one type."""
    shapes = shapely.from_wkb(wkb.to_numpy())
    single = shapely.get_type_id(shapes) == LINE
    if single.all():
        return wkb, "LineString"
    several = np.array(
        [shape if not one else shapely.multilinestrings([shape]) for shape, one in zip(shapes, single, strict=True)]
    )
    return pl.Series("geom", shapely.to_wkb(several).tolist(), dtype=pl.Binary), "MultiLineString"


def _write_style(path: Path, *, moment: str, language: str) -> None:
    layer = layer_names(language)[0]
    name, description = TEXTS("style_name", language), TEXTS("style_description", language)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(LAYER_STYLES)
        connection.execute(CONTENTS, [description, moment])
        connection.execute(STYLE, [layer, name, qml(language), sld(layer, language), description, moment])
