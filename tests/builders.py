"""Small frames of the shapes that the rooms exchange, for tests."""

from collections.abc import Sequence
from datetime import date

import polars as pl
import shapely

from vardag.water.panel import Network, build_network

RECORD_START, RECORD_END = date(2000, 1, 1), date(2009, 12, 31)

LIFE_TYPES = {
    "retired_date": pl.Date,
    "lined_date": pl.Date,
    "cleaned_date": pl.Date,
    "install_date": pl.Date,
    "street": pl.String,
    "road_id": pl.String,
    "pressure_zone": pl.String,
}


def life(key: str, x: float = 0.0, y: float = 0.0, **values: object) -> dict[str, object]:
    """One pipe life: 50 m of grey cast iron from 1960 along the x axis, unless told otherwise."""
    length = float(values.pop("length_m", 50.0))  # type: ignore[arg-type]
    installed = values.pop("install_date", date(1960, 1, 1))
    row: dict[str, object] = {
        "pipe_key": key, "pipe_id": key, "origin": "register", "known_from": RECORD_START, "length_m": length,
        "length_source": "register", "material": "CI", "diameter_mm": 150.0, "install_date": installed,
        "install_year": installed.year if isinstance(installed, date) else None, "retired_date": None,
        "lined_date": None, "cleaned_date": None, "pressure_zone": "A", "street": None, "road_id": None,
        "function": "main",
        "geom": shapely.LineString([(x, y), (x + length, y)]).wkb, "position": "surveyed",
    }  # fmt: skip
    return row | values


def lives(rows: Sequence[dict[str, object]]) -> pl.DataFrame:
    """Frame of pipe lives."""
    return pl.DataFrame(rows, schema_overrides=LIFE_TYPES, infer_schema_length=None)


def breaks(rows: Sequence[tuple[str, date, str | None, float, float]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Frames of breaks and of links, from (break id, date, pipe key or None, x, y)."""
    log = pl.DataFrame(
        {
            "break_id": [row[0] for row in rows],
            "break_date": pl.Series([row[1] for row in rows], dtype=pl.Date),
            "geom": pl.Series([shapely.Point(row[3], row[4]).wkb for row in rows], dtype=pl.Binary),
        },
        schema_overrides={"break_id": pl.String},
    )
    keys = pl.Series("pipe_key", [row[2] for row in rows], dtype=pl.String)
    return log, log.select("break_id").with_columns(keys)


def network(
    pipes: Sequence[dict[str, object]], events: Sequence[tuple[str, date, str | None, float, float]]
) -> Network:
    """A network of pipes and breaks, observed 2000 to 2009."""
    log, links = breaks(events)
    return build_network(
        lives=lives(pipes), breaks=log, links=links, record_start=RECORD_START, record_end=RECORD_END
    )
