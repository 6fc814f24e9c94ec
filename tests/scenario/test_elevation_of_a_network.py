"""A city whose register is an EPANET network and whose heights are a raster: loaded together, and again."""

from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import Affine

from stored import stored
from vardag.water.commands.load import load

TOML = """
[city]
name = "Ytterby"
owner = "VA"
crs = "EPSG:3006"
[sources.height]
table = "elevation"
path = "dem.tif"
[sources.pipes]
table = "pipe"
path = "net.inp"
layer = "pipes"
crs = "EPSG:3006"
[sources.pipes.columns]
pipe_id = "id"
length_m = "length"
diameter_mm = "diameter"
"""
NETWORK = """[JUNCTIONS]
J1 5 0
J2 5 0
[RESERVOIRS]
R 20
[PIPES]
P0 R J1 100 150 100 0 Open
P1 J1 J2 {length} 150 100 0 Open
[OPTIONS]
Units LPS
Headloss H-W
[COORDINATES]
R 674000 6580000
J1 674100 6580000
J2 {east} 6580000
[END]
"""


def write(folder: Path, *, east: int) -> None:
    network = NETWORK.format(east=east, length=east - 674_100)
    (folder / "net.inp").write_text(network, encoding="ascii")


def heights(folder: Path) -> dict[str, float]:
    with stored(folder) as connection:
        return dict(connection.execute("SELECT pipe_id, elevation_m FROM elevation").fetchall())


def raster(path: Path) -> None:
    """One metre of height for each hundred metres east."""
    rows = np.broadcast_to((np.arange(200) * 10 + 5) / 100, (50, 200)).astype("float32")
    profile = {"driver": "GTiff", "width": 200, "height": 50, "count": 1, "dtype": "float32", "crs": "EPSG:3006"}
    with rasterio.open(path, "w", transform=Affine(10, 0, 673_500, 0, -10, 6_580_250), **profile) as file:
        file.write(rows, 1)


def test_heights_follow_the_pipes(tmp_path: Path) -> None:
    (tmp_path / "city.toml").write_text(TOML, encoding="utf-8")
    raster(tmp_path / "dem.tif")
    write(tmp_path, east=674_300)
    assert [source.status for source in load(tmp_path).sources] == ["loaded", "loaded"]
    first = heights(tmp_path)
    assert first.keys() == {"P0", "P1"}
    assert abs(first["P1"] - first["P0"] - 1.5) < 0.1
    assert {source.status for source in load(tmp_path).sources} == {"unchanged"}
    write(tmp_path, east=674_500)
    assert [source.status for source in load(tmp_path).sources] == ["loaded", "loaded"]
    assert abs(heights(tmp_path)["P1"] - first["P1"] - 1.0) < 0.1
