"""Workbooks, text tables below other lines, rasters and EPANET networks, loaded as a city would."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import rasterio
import shapely
from affine import Affine
from pyproj import Transformer

from readers import BREAKS, city_folder, only, table
from vardag.core.errors import InputError
from vardag.water.commands.load import load
from vardag.water.sources.csv_file import CsvLayer
from vardag.water.sources.epanet_file import EpanetLayer
from vardag.water.sources.excel_file import ExcelLayer
from vardag.water.sources.raster_file import RasterLayer
from workbooks import DAY, ods, xlsx

WEATHER = """
[sources.smhi]
table = "weather"
path = "smhi.csv"
[sources.smhi.columns]
day = "Representativt dygn"
temperature_c = "Lufttemperatur"
"""
SMHI = """Stationsnamn;Stationsnummer;Stationsnät;Mäthöjd (meter över marken)
Ytterby;98230;SMHIs stationsnät;2.0

Parameternamn;Beskrivning;Enhet
Lufttemperatur;medelvärde 1 dygn, 1 gång/dygn;celsius

Från Datum Tid (UTC);Till Datum Tid (UTC);Representativt dygn;Lufttemperatur;Kvalitet;;Tidsutsnitt:
2004-01-01 00:00:01;2004-01-02 00:00:00;2004-01-01;-3.5;G;;Kvalitetskontrollerade historiska data
2004-01-02 00:00:01;2004-01-03 00:00:00;2004-01-02;-4.1;G;;
2004-01-03 00:00:01;2004-01-04 00:00:00;2004-01-03;0.2;G
"""


def test_a_workbook_with_a_title_dates_errors_and_gaps(tmp_path: Path) -> None:
    rows = {
        3: ["Läckor i Ytterby"],
        5: ["LEDNING", "DATUM", "X"],
        6: [10080.0, (DAY, "<v>38113</v>"), ('t="e"', "<v>#REF!</v>")],
        8: [("", "<f>3+4</f><v>7</v>"), (DAY, "<v>38114</v>"), 12.5],
    }
    xlsx(tmp_path / "breaks.xlsx", {"Läckor": rows}, merged="A3:C3")
    report = only(load(city_folder(tmp_path, BREAKS.format(path="breaks.xlsx"))))
    assert (report.rows_in, report.kept) == (2, 2)
    assert [(note.code, note.detail) for note in report.notes] == [("error_cells", "C6")]
    found = table(tmp_path, "SELECT asset_id, break_date::TEXT, line FROM break ORDER BY line")
    assert found == [("10080", "2004-05-06", 6), ("7", "2004-05-07", 8)]


def test_sheets_are_named(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "b.xlsx", {"Läckor": {1: ["A", "B"]}, "Noter": {1: ["C", "D"]}})
    assert ExcelLayer(path, layer="Noter").columns == ["C", "D"]
    with pytest.raises(InputError, match=r"2 sheets \(Läckor, Noter\), expected one"):
        ExcelLayer(path)
    with pytest.raises(InputError, match=r"no sheet 'Noten'.*Did you mean 'Noter'"):
        ExcelLayer(path, layer="Noten")


def test_an_open_document_sheet(tmp_path: Path) -> None:
    ods(tmp_path / "breaks.ods", "Blad1", [["LEDNING", "DATUM"], [1.0, "2004-05-06"]])
    assert only(load(city_folder(tmp_path, BREAKS.format(path="breaks.ods")))).kept == 1
    assert table(tmp_path, "SELECT asset_id, break_date::TEXT FROM break") == [("1", "2004-05-06")]


@pytest.mark.parametrize(
    ("content", "said"), [(b"\xd0\xcf\x11\xe0" + bytes(600), "password"), (b"PK", "save it again")]
)
def test_a_workbook_that_cannot_be_opened(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "b.xlsx").write_bytes(content)
    with pytest.raises(InputError, match=said):
        ExcelLayer(tmp_path / "b.xlsx")


def test_a_table_below_station_facts(tmp_path: Path) -> None:
    (tmp_path / "smhi.csv").write_text(SMHI, encoding="utf-8")
    report = only(load(city_folder(tmp_path, WEATHER)))
    assert (report.rows_in, report.kept, report.quarantined) == (3, 3, {})
    found = table(tmp_path, "SELECT day::TEXT, temperature_c, line FROM weather ORDER BY line")
    assert found == [("2004-01-01", -3.5, 8), ("2004-01-02", -4.1, 9), ("2004-01-03", 0.2, 10)]


def test_an_ordinary_file_keeps_its_first_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,name\n1,name\n2,id\nname,id\n", encoding="utf-8")
    assert (CsvLayer(path, expected=["name", "gone"]).above, CsvLayer(path, expected=["gone"]).above) == (0, 0)


def plane(path: Path, *, crs: str | None, west: float, north: float, cell: float) -> None:
    """Write heights of east / 1000 + north / 500 at the middle of each cell; the first column has none."""
    x = west + cell * (np.arange(400) + 0.5)
    y = north - cell * (np.arange(300) + 0.5)
    heights = (x[None, :] / 1000 + y[:, None] / 500).astype(np.float64)
    heights[:, 0] = -9999
    profile = {"driver": "GTiff", "width": 400, "height": 300, "count": 1, "dtype": "float64", "nodata": -9999.0}
    with rasterio.open(path, "w", crs=crs, transform=Affine(cell, 0, west, 0, -cell, north), **profile) as raster:
        raster.write(heights, 1)


def pipes(*lines: list[tuple[float, float]]) -> pl.DataFrame:
    wkb = pl.Series([shapely.LineString(line).wkb for line in lines] + [None], dtype=pl.Binary)
    return pl.DataFrame({"pipe_id": [str(n) for n in range(len(lines) + 1)], "geom": wkb})


def test_heights_along_pipes_on_a_tilted_plane(tmp_path: Path) -> None:
    plane(tmp_path / "dem.tif", crs="EPSG:3006", west=674_000, north=6_580_000, cell=2)
    lines = pipes([(674_100, 6_579_800), (674_700, 6_579_800)], [(600_000, 6_500_000), (600_010, 6_500_000)],
                  [(674_000.5, 6_579_900), (674_001.5, 6_579_900)])  # fmt: skip
    [chunk] = RasterLayer(tmp_path / "dem.tif", lines, crs="EPSG:3006").chunks(["pipe_id", "elevation_m"])
    assert chunk.frame["pipe_id"].to_list() == ["0"]
    assert float(chunk.frame["elevation_m"][0]) == pytest.approx(674.4 + 6_579_800 / 500, abs=0.02)
    reasons = [(row.line, row.reason) for row in chunk.rejected]
    assert reasons == [(2, "outside_raster"), (3, "no_height"), (4, "no_geometry")]


def test_a_raster_in_another_system_is_met_where_it_lies(tmp_path: Path) -> None:
    degrees = shapely.LineString([(18.01, 59.30), (18.02, 59.30)])
    plane(tmp_path / "dem.tif", crs="EPSG:4326", west=18.0, north=59.4, cell=0.0005)
    lines = pl.DataFrame({"pipe_id": ["1"], "geom": [degrees.wkb]})
    [same] = RasterLayer(tmp_path / "dem.tif", lines, crs="EPSG:4326").chunks(["elevation_m"])
    to_metres = Transformer.from_crs("EPSG:4326", "EPSG:3006", always_xy=True)
    projected = shapely.transform(degrees, to_metres.transform, interleaved=False)
    moved = pl.DataFrame({"pipe_id": ["1"], "geom": [projected.wkb]})
    [other] = RasterLayer(tmp_path / "dem.tif", moved, crs="EPSG:3006").chunks(["elevation_m"])
    assert other.frame["elevation_m"].to_list() == same.frame["elevation_m"].to_list()


def test_a_raster_must_say_where_it_lies(tmp_path: Path) -> None:
    (tmp_path / "dem.asc").write_text(
        "ncols 1\nnrows 1\nxllcorner 0\nyllcorner 0\ncellsize 1\n5\n", encoding="ascii"
    )
    with pytest.raises(InputError, match=r"does not say which coordinate system"):
        RasterLayer(tmp_path / "dem.asc", pipes([(0, 0), (1, 1)]), crs="EPSG:3006")
    with pytest.raises(InputError, match=r"Load the pipe register first"):
        RasterLayer(tmp_path / "dem.asc", None, crs="EPSG:3006")


def inp(path: Path, units: str, *, length: float, diameter: float, elevation: float) -> Path:
    path.write_text(
        f"[JUNCTIONS]\nJ1 {elevation} 0\nJ2 {elevation} 0\n[RESERVOIRS]\nR {elevation}\n[PIPES]\n"
        f"P1 J1 J2 {length} {diameter} 100 0 Open\nP0 R J1 {length} {diameter} 100 0 Open\n"
        f"[OPTIONS]\nUnits {units}\nHeadloss H-W\n[COORDINATES]\n"
        "J1 0 0\nJ2 30 40\nR 0 1\n[VERTICES]\nP1 30 0\n[END]\n",
        encoding="ascii",
    )
    return path


def test_networks_in_american_and_in_metric_units_are_equal(tmp_path: Path) -> None:
    american = inp(tmp_path / "a.inp", "GPM", length=1000, diameter=12, elevation=100)
    metric = inp(tmp_path / "m.inp", "LPS", length=304.8, diameter=304.8, elevation=30.48)
    for layer in ("pipes", "junctions"):
        frames = [EpanetLayer(path, layer=layer).frame for path in (american, metric)]
        assert frames[0].equals(frames[1])
    pipe = EpanetLayer(metric, layer="pipes").frame.row(0, named=True)
    assert (pipe["id"], pipe["length"], pipe["diameter"]) == ("P1", 304.8, 304.8)
    assert shapely.from_wkb(pipe["__wkb"]).length == 70


def test_a_broken_network_is_refused(tmp_path: Path) -> None:
    (tmp_path / "b.inp").write_text("[PIPES]\nP1 A B 10 100 100 0 Open\n[END]\n", encoding="ascii")
    with pytest.raises(InputError, match=r"cannot be read as an EPANET network"):
        EpanetLayer(tmp_path / "b.inp", layer="pipes")


def test_a_network_asks_for_its_layer(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no layer 'pipe';.*Did you mean 'pipes'"):
        EpanetLayer(tmp_path / "b.inp", layer="pipe")
