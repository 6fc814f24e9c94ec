"""Small registers and break logs as the tables deliver them, for tests of checks, linking and lives."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import polars as pl
import shapely

from vardag import water
from vardag.core.parameters import load

PARAMETERS = load(Path(water.__file__).parent / "parameters.yaml")
RECORD_START = date(1997, 1, 1)

PIPES = {
    "pipe_id": pl.String, "geom": pl.Binary, "length_m": pl.Float64, "material": pl.String,
    "material_raw": pl.String, "diameter_mm": pl.Float64, "install_date": pl.Date, "install_year": pl.Int32,
    "status": pl.String, "retired_date": pl.Date, "lining": pl.String, "lined_date": pl.Date,
    "cleaned_date": pl.Date, "pressure_zone": pl.String, "street": pl.String, "road_id": pl.String,
    "function": pl.String, "owner": pl.String, "position": pl.String, "source": pl.String, "line": pl.Int64,
}  # fmt: skip
BREAKS = {
    "break_id": pl.String, "geom": pl.Binary, "break_date": pl.Date, "asset_id": pl.String, "material": pl.String,
    "material_raw": pl.String, "diameter_mm": pl.Float64, "install_year": pl.Int32, "event": pl.String,
    "cause": pl.String, "street": pl.String, "road_id": pl.String, "source": pl.String, "line": pl.Int64,
}  # fmt: skip
QUARANTINE = {
    "source": pl.String, "line": pl.Int64, "reason": pl.String, "detail": pl.String, "row_json": pl.String,
}  # fmt: skip


def pipe(pipe_id: str, y: float = 0.0, **values: object) -> dict[str, object]:
    """One pipe: 100 m of cast iron, 150 mm, of 1960, eastwards from (0, y)."""
    row: dict[str, object] = dict.fromkeys(PIPES) | {
        "pipe_id": pipe_id, "geom": line(y), "length_m": 100.0, "material": "CI", "material_raw": "GJJ",
        "diameter_mm": 150.0, "install_date": date(1960, 1, 1), "install_year": 1960, "status": "in_service",
        "pressure_zone": "A", "street": "Storgatan", "road_id": "r1", "function": "main", "position": "surveyed",
        "source": "mains", "line": 1,
    }  # fmt: skip
    return _told(row, values)


def event(break_id: str, day: date | None, asset_id: str | None = None, **values: object) -> dict[str, object]:
    """One break at (50, 1), of 150 mm cast iron of 1960 unless told otherwise."""
    row: dict[str, object] = dict.fromkeys(BREAKS) | {
        "break_id": break_id, "geom": point(50, 1), "break_date": day, "asset_id": asset_id, "material": "CI",
        "material_raw": "GJJ", "diameter_mm": 150.0, "install_year": 1960, "event": "break", "road_id": "r1",
        "source": "breaks", "line": 1,
    }  # fmt: skip
    return _told(row, values)


def pipes(*rows: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=PIPES, orient="row")


def breaks(*rows: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=BREAKS, orient="row")


def quarantine(reasons: Iterable[str] = ()) -> pl.DataFrame:
    rows = [("mains", line, reason, "", "{}") for line, reason in enumerate(reasons, start=2)]
    return pl.DataFrame(rows, schema=QUARANTINE, orient="row")


def line(y: float, length_m: float = 100.0) -> bytes:
    return shapely.to_wkb(shapely.LineString([(0, y), (length_m, y)]))


def point(x: float, y: float) -> bytes:
    return shapely.to_wkb(shapely.Point(x, y))


def _told(row: dict[str, object], values: dict[str, object]) -> dict[str, object]:
    """Row with other values; a told installation year moves the date with it unless that is told too."""
    if "install_date" in row and "install_year" in values and "install_date" not in values:
        year = values["install_year"]
        values = values | {"install_date": date(year, 1, 1) if isinstance(year, int) else None}
    assert set(values) <= set(row), f"no such columns: {set(values) - set(row)}"
    return row | values
