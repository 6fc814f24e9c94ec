"""The ranking as plain tables: one flat frame, a GeoParquet file for programs and a CSV file for Excel."""

from pathlib import Path

import polars as pl
import pyproj

from vardag.core import db
from vardag.water.publish.classes import rank_class
from vardag.water.publish.context import TEXTS, ReportContext
from vardag.water.publish.reasons import reason_columns

COLUMNS = (
    "rank",
    "rank_class",
    "pipe_id",
    "street",
    "expected_breaks_per_km_year",
    "lower",
    "upper",
    "expected_breaks",
    "p_break",
    "p_top_1",
    "p_top_5",
    "reason_1",
    "reason_2",
    "reason_3",
    "material",
    "diameter_mm",
    "install_year",
    "length_m",
    "cumulative_length_share",
    "position",
    "secrecy",
)
DIGITS = {
    "expected_breaks_per_km_year": 4,
    "lower": 4,
    "upper": 4,
    "expected_breaks": 6,
    "p_break": 6,
    "p_top_1": 4,
    "p_top_5": 4,
    "length_m": 2,
    "cumulative_length_share": 6,
}
FORMULA = r"^[=+\-@\t\r]"


def with_street_names(predictions: pl.DataFrame, roads: pl.DataFrame | None) -> pl.DataFrame:
    """Give pipes without a street name that of their road segment, where ``road_id`` tells which it is."""
    if roads is None or "road_id" not in predictions.columns or not {"road_id", "street"} <= set(roads.columns):
        return predictions
    names = (
        roads.select("road_id", named="street").drop_nulls().unique("road_id", keep="first", maintain_order=True)
    )
    joined = predictions.join(names, on="road_id", how="left", maintain_order="left")
    return joined.with_columns(street=pl.coalesce("street", "named")).drop("named")


def flat(predictions: pl.DataFrame, *, context: ReportContext, language: str) -> pl.DataFrame:
    """Lay the ranking out flat, highest rate first: `COLUMNS`, then ``geom`` (WKB).

    Material and position are canonical codes; reasons and the secrecy marking are in words.
    """
    added = reason_columns(predictions, language)
    frame = predictions.with_columns(rank_class(predictions), *added)
    rounded = [pl.col(name).round(digits) for name, digits in DIGITS.items()]
    marking = pl.lit(TEXTS(f"secrecy_{context.secrecy}", language)).alias("secrecy")
    return frame.with_columns(marking, *rounded).sort("rank").select(*COLUMNS, "geom")


def write_geoparquet(table: pl.DataFrame, *, path: Path, crs: str) -> Path:
    """Write GeoParquet 1.0 with the coordinate system in its ``geo`` metadata.

    The system is given as PROJJSON: the form that GeoParquet asks for, and one that needs no extension.
    """
    projjson = pyproj.CRS.from_user_input(crs).to_json()
    columns = ", ".join(f'"{name}"' for name in table.columns if name != "geom")
    with db.connect(None) as connection:
        connection.register("flat", table.to_arrow())
        connection.execute(
            f"COPY (SELECT {columns}, ST_SetCRS(ST_GeomFromWKB(geom::BLOB), {_quoted(projjson)}) AS geom "  # noqa: S608
            f"FROM flat) TO {_quoted(str(path))} (FORMAT parquet, COMPRESSION zstd)"
        )
    return path


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def write_csv(table: pl.DataFrame, *, path: Path, language: str) -> Path:
    """Write CSV as Excel opens it: UTF-8 with a byte order mark, headings in words, no geometry.

    In Swedish the separator is a semicolon and the decimal sign a comma. A text that Excel would take for a
    formula gets an apostrophe before it.
    """
    swedish = language == "sv"
    text = pl.col(pl.String)
    safe = pl.when(text.str.contains(FORMULA)).then(pl.lit("'") + text).otherwise(text)
    named = {name: TEXTS(f"column_{name}", language) for name in COLUMNS}
    frame = table.select(COLUMNS).with_columns(safe.name.keep()).rename(named)
    frame.write_csv(path, include_bom=True, separator=";" if swedish else ",", decimal_comma=swedish)
    return path
