"""A large city's files: 100,000 pipes, 1,000,000 breaks, 200,000 soil polygons and 500,000 roads.

Only the shapes and the sizes are like a city's; there is nothing to predict in it. Breaks lie within a few metres
of the pipe that they are of, half of them name it; the other half must be linked by position.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pyogrio
import shapely
from numpy.typing import NDArray

CRS = "EPSG:3006"
WEST, SOUTH, WIDTH_M = 650_000.0, 6_560_000.0, 40_000.0
MATERIALS = np.array(["GJJ", "SEG", "PVC", "PE", "BTG"])
SOILS = np.array(["Lera", "Sand", "Morän", "Berg", "Silt"])

CITY = """
[city]
name = "Large"
crs = "EPSG:3006"
owner = "benchmark"
synthetic = true
record_start = 2000-01-01
record_end = 2024-12-31
"""
SOURCE = """
[sources.{name}]
table = "{table}"
path = "{path}"
[sources.{name}.columns]
{columns}
"""


@dataclass(frozen=True)
class Sizes:
    """Rows of each file."""

    pipes: int = 100_000
    breaks: int = 1_000_000
    soil: int = 200_000
    roads: int = 500_000


def large_city(folder: Path, sizes: Sizes = Sizes(), *, seed: int = 2026) -> None:
    """Write the city folder: pipes, soil and roads as GeoPackage, the log of breaks as CSV."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    pipes = _pipes(rng, sizes.pipes)
    _write(folder / "pipes.gpkg", pipes, "LineString")
    _breaks(rng, pipes, sizes.breaks).write_csv(folder / "breaks.csv")
    _write(folder / "soil.gpkg", _soil(rng, sizes.soil), "Polygon")
    _write(folder / "roads.gpkg", _roads(rng, sizes.roads), "LineString")
    (folder / "city.toml").write_text(CITY + "".join(_sources()), encoding="utf-8")


def _sources() -> list[str]:
    mapped = {
        "pipes": ("pipe", "pipes.gpkg", 'pipe_id = "id"\nmaterial = "material"\ndiameter_mm = "dim"\n'
                  'install_year = "year"\nstreet = "street"'),
        "breaks": ("break", "breaks.csv", 'break_id = "id"\nbreak_date = "date"\nasset_id = "pipe"\n'
                   'material = "material"\ndiameter_mm = "dim"\ninstall_year = "year"\n\n'
                   '[sources.breaks.geometry]\nx = "x"\ny = "y"'),
        "soil": ("soil", "soil.gpkg", 'soil_class = "class"'),
        "roads": ("road", "roads.gpkg", 'road_id = "id"\nstreet = "street"\naadt = "aadt"'),
    }  # fmt: skip
    return [SOURCE.format(name=name, table=table, path=path, columns=columns)
            for name, (table, path, columns) in mapped.items()]  # fmt: skip


def _segments(rng: np.random.Generator, rows: int, length_m: float) -> NDArray[np.float64]:
    """Start, middle and end of bent lines: (rows, 3, 2)."""
    start = np.column_stack([WEST + WIDTH_M * rng.random(rows), SOUTH + WIDTH_M * rng.random(rows)])
    angle = rng.integers(0, 4, rows) * np.pi / 2
    along = np.column_stack([np.cos(angle), np.sin(angle)]) * (length_m * (0.5 + rng.random(rows)))[:, None]
    bend = rng.normal(0, 2, (rows, 2))
    return np.stack([start, start + along / 2 + bend, start + along], axis=1)


def _pipes(rng: np.random.Generator, rows: int) -> pl.DataFrame:
    lines = _segments(rng, rows, 50.0)
    return pl.DataFrame(
        {
            "id": [f"L{number}" for number in range(rows)],
            "material": rng.choice(MATERIALS, rows),
            "dim": rng.choice([100.0, 150.0, 200.0, 300.0], rows),
            "year": rng.integers(1920, 2000, rows).astype(np.int32),
            "street": [f"Gata {number // 20}" for number in range(rows)],
            "geom": pl.Series(shapely.to_wkb(shapely.linestrings(lines)).tolist(), dtype=pl.Binary),
        }
    )


def _breaks(rng: np.random.Generator, pipes: pl.DataFrame, rows: int) -> pl.DataFrame:
    chosen = rng.integers(0, pipes.height, rows)
    lines = shapely.from_wkb(pipes["geom"].to_numpy())[chosen]
    points = shapely.line_interpolate_point(lines, rng.random(rows), normalized=True)
    day = np.datetime64("2000-01-01") + rng.integers(0, 9131, rows).astype("timedelta64[D]")
    named = pl.Series(rng.random(rows) < 0.5)
    of_pipe = pipes.select("id", "material", "dim", "year")[chosen]
    return pl.DataFrame(
        {
            "id": np.arange(rows),
            "date": day,
            "pipe": of_pipe["id"].set(~named, None),
            "material": of_pipe["material"],
            "dim": of_pipe["dim"],
            "year": of_pipe["year"],
            "x": np.round(shapely.get_x(points) + rng.normal(0, 3, rows), 1),
            "y": np.round(shapely.get_y(points) + rng.normal(0, 3, rows), 1),
        }
    )


def _soil(rng: np.random.Generator, rows: int) -> pl.DataFrame:
    """A grid of cells with bent edges, each an eight-cornered polygon."""
    side = int(np.ceil(np.sqrt(rows)))
    step = WIDTH_M / side
    column, row = np.arange(rows) % side, np.arange(rows) // side
    ring = np.array([(0, 0), (0.5, 0.05), (1, 0), (0.95, 0.5), (1, 1), (0.5, 0.95), (0, 1), (0.05, 0.5), (0, 0)])
    corner = np.column_stack([WEST + column * step, SOUTH + row * step])
    shapes = shapely.polygons(corner[:, None, :] + ring[None] * step)
    return pl.DataFrame(
        {"class": rng.choice(SOILS, rows), "geom": pl.Series(shapely.to_wkb(shapes).tolist(), dtype=pl.Binary)}
    )


def _roads(rng: np.random.Generator, rows: int) -> pl.DataFrame:
    lines = _segments(rng, rows, 80.0)
    return pl.DataFrame(
        {
            "id": [f"V{number}" for number in range(rows)],
            "street": [f"Gata {number // 100}" for number in range(rows)],
            "aadt": rng.integers(50, 20_000, rows).astype(np.float64),
            "geom": pl.Series(shapely.to_wkb(shapely.linestrings(lines)).tolist(), dtype=pl.Binary),
        }
    )


def _write(path: Path, frame: pl.DataFrame, kind: str) -> None:
    pyogrio.raw.write(
        path,
        frame["geom"].to_numpy(),
        [frame[name].to_numpy() for name in frame.columns if name != "geom"],
        [name for name in frame.columns if name != "geom"],
        geometry_type=kind,
        crs=CRS,
        driver="GPKG",
    )
