"""A city that delivers heights and measured pressures: from the files to the panel, the reasons and `explain`."""

import json
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pyogrio
import pytest
import rasterio
from polars.testing import assert_frame_equal
from rasterio.transform import Affine
from typer.testing import CliRunner

from stored import stored
from vardag.app.cli import app
from vardag.demo import town
from vardag.water import features
from vardag.water.commands.explain import explain
from vardag.water.commands.load import load
from vardag.water.commands.network import build_history
from vardag.water.commands.predict import predict
from vardag.water.commands.workspace import read_tables, workspace
from vardag.water.panel import snapshot

AS_OF = date(2019, 12, 31)
CELL = 10
TOML = """
[sources.hojder]
table = "elevation"
path = "hojder.tif"
[sources.tryck]
table = "pressure"
path = "tryck.csv"
[sources.tryck.columns]
point_id = "PUNKT"
measured_on = "DATUM"
pressure_m = "MEDEL"
pressure_min_m = "MIN"
pressure_max_m = "MAX"
[sources.tryck.geometry]
x = "E"
y = "N"
"""


def write_heights(path: Path, west: float, south: float, north: float) -> None:
    """One metre higher for every 20 m north, from 5 m above the sea."""
    rows = int((north - south) / CELL) + 40
    up = 5.0 + np.arange(rows)[::-1, None] * CELL / 20 + np.zeros((1, 200))
    profile = {"driver": "GTiff", "width": 200, "height": rows, "count": 1, "dtype": "float32", "crs": "EPSG:3006"}
    corner = Affine(CELL, 0, west - 200, 0, -CELL, south - 200 + rows * CELL)
    with rasterio.open(path, "w", transform=corner, **profile) as file:
        file.write(up.astype("float32"), 1)


def write_pressures(path: Path, bounds: tuple[float, ...], *, until: int, later: float = 0.0) -> None:
    """Two points, one south and one north, measured each May; pressure rose by 8 m in the north in 2016."""
    west, south, east, north = bounds
    lines = ["PUNKT;DATUM;MEDEL;MIN;MAX;E;N"]
    for year in range(2005, until):
        rise, added = (8.0 if year > 2015 else 0.0), (later if year > AS_OF.year else 0.0)
        for point, level, y in (("S", 60.0, south), ("N", 40.0 + rise, north)):
            mean = level + added
            lines.append(f"{point};{year}-05-01;{mean};{mean - 3};{mean + 6};{(west + east) / 2:.1f};{y:.1f}")
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


def bounds_of(folder: Path) -> tuple[float, ...]:
    return tuple(pyogrio.read_info(folder / "ledningar.gpkg")["total_bounds"])


@pytest.fixture(scope="module")
def city(shared: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("town")
    town(folder=folder, seed=7, km=12, breaks=220)
    bounds = bounds_of(folder)
    write_heights(folder / "hojder.tif", bounds[0], bounds[1], bounds[3])
    write_pressures(folder / "tryck.csv", bounds, until=2025)
    with (folder / "city.toml").open("a", encoding="utf-8") as file:
        file.write(TOML)
    load(folder)
    predict(folder, as_of=AS_OF)
    return folder


def ranking(folder: Path) -> pl.DataFrame:
    with stored(folder) as connection:
        return connection.execute("SELECT * EXCLUDE (run_id) FROM prediction ORDER BY rank").pl()


def pipes_with(folder: Path, family: str, field: str) -> list[str]:
    """Keys of the pipes whose reasons name a family with such a value, highest rank first."""
    rows = ranking(folder).select("pipe_key", "reasons").rows()
    return [
        key
        for key, text in rows
        if any(reason["family"] == family and field in reason["value"] for reason in json.loads(text))
    ]


def test_the_panel_holds_heights_and_pressures_also_of_pipes_that_are_gone(city: Path) -> None:
    with workspace(city, "water predict") as work:
        network = build_history(work, read_tables(work)).network
        cut = snapshot(network, AS_OF)
        panel = pl.concat([cut.lives.select("origin", "y"), features.compute(cut)], how="horizontal")
    told = panel.filter(pl.col("y").is_not_null())
    south = bounds_of(city)[1]
    lack = told.filter(pl.col("elevation_m").is_null())
    assert told.height > 100 and lack.height < 0.02 * told.height
    assert "rebuilt" in set(network.lives.filter(pl.col("elevation_m").is_not_null())["origin"])
    expected = 5.0 + (pl.col("y") - south + 200) / 20
    assert told.select((pl.col("elevation_m") - expected).abs().max()).item() < 6.0
    assert set(told["measured_pressure_m"].drop_nulls().round(1)) == {
        60.0,
        46.4,
    }  # N: one of five years before 2016
    assert set(told["pressure_change_m"].drop_nulls().round(1)) == {0.0, 6.4}
    assert set(told["pressure_swing_m"].drop_nulls()) == {9.0}


def test_height_and_pressure_are_among_the_reasons(city: Path) -> None:
    told = {reason["family"] for text in ranking(city)["reasons"] for reason in json.loads(text)}
    assert {"elevation", "pressure"} <= told


def test_one_pipe_is_explained_with_both(city: Path) -> None:
    keys = {
        family: pipes_with(city, family, field)
        for family, field in (("pressure", "|46|6|9|"), ("elevation", "low"))
    }
    for language, risen, low in (
        ("en", "46 m of pressure measured nearby; pressure has risen by 6 m since before 2015", "low ground, "),
        ("sv", "46 m tryck uppmätt i närheten; trycket har stigit 6 m sedan före 2015", "låg mark, "),
    ):
        for family, words in (("pressure", risen), ("elevation", low)):
            shown = CliRunner().invoke(
                app, ["water", "explain", str(city), keys[family][0], "--language", language]
            )
            assert words in " ".join(shown.stdout.split()), shown.output
    document = explain(city, keys["elevation"][0]).document
    assert "elevation" in {reason["family"] for reason in document["reasons"]}


def test_what_is_measured_after_as_of_changes_no_score_and_no_rank(city: Path) -> None:
    honest = ranking(city)
    for until, later in ((2020, 0.0), (2030, -25.0)):
        write_pressures(city / "tryck.csv", bounds_of(city), until=until, later=later)
        load(city)
        predict(city, as_of=AS_OF)
        assert_frame_equal(ranking(city), honest)
