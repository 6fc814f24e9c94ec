"""A watched folder: files are loaded when they are complete, failures are said once and the watch goes on."""

import os
import threading
from pathlib import Path

import numpy as np
import pyogrio.raw
from shapely import Point, to_wkb

from readers import BREAKS, city_folder
from stored import rows
from vardag.core.errors import VardagError
from vardag.water.commands.load import LoadReport
from vardag.water.commands.watch import Watch, watch

GOOD = "DATUM,LEDNING\n2004-05-06,7\n"


def keeper(folder: Path) -> tuple[Watch, list[LoadReport], list[VardagError]]:
    loads: list[LoadReport] = []
    errors: list[VardagError] = []
    return Watch(folder, loads.append, errors.append), loads, errors


def test_a_file_is_loaded_when_it_no_longer_grows(tmp_path: Path) -> None:
    file = tmp_path / "breaks.csv"
    file.write_text(GOOD, encoding="utf-8")
    watcher, loads, errors = keeper(city_folder(tmp_path, BREAKS.format(path="breaks.csv")))
    assert watcher.look() and not loads
    file.write_text(GOOD + "2005-01-02,8\n", encoding="utf-8")
    assert watcher.look() and not loads
    assert not watcher.look() and len(loads) == 1
    assert not watcher.look() and len(loads) == 1
    assert rows(tmp_path, "SELECT count(*) FROM break") == [(2,)]
    assert errors == []


def test_a_failure_is_said_once_and_the_earlier_load_stays(tmp_path: Path) -> None:
    file = tmp_path / "breaks.csv"
    file.write_text(GOOD, encoding="utf-8")
    watcher, loads, errors = keeper(city_folder(tmp_path, BREAKS.format(path="breaks.csv")))
    watcher.look(), watcher.look()
    file.write_text("WRONG\n1\n", encoding="utf-8")
    for _ in range(4):
        watcher.look()
    assert (len(loads), len(errors)) == (1, 1)
    assert rows(tmp_path, "SELECT count(*) FROM break") == [(1,)]
    file.write_text(GOOD + GOOD.splitlines()[1].replace("7", "8") + "\n", encoding="utf-8")
    watcher.look(), watcher.look()
    assert len(loads) == 2
    assert rows(tmp_path, "SELECT count(*) FROM break") == [(2,)]


def test_once_looks_loads_and_returns(tmp_path: Path) -> None:
    (tmp_path / "breaks.csv").write_text(GOOD, encoding="utf-8")
    loads: list[LoadReport] = []
    errors: list[VardagError] = []
    folder = city_folder(tmp_path, BREAKS.format(path="breaks.csv"))
    watch(folder, on_load=loads.append, on_error=errors.append, every_s=0.1, once=True)
    assert (len(loads), errors) == (1, [])


def test_the_watch_ends_when_it_is_told_to(tmp_path: Path) -> None:
    (tmp_path / "breaks.csv").write_text(GOOD, encoding="utf-8")
    stop, folder = threading.Event(), city_folder(tmp_path, BREAKS.format(path="breaks.csv"))
    watch(folder, on_load=lambda _: stop.set(), on_error=lambda _: None, every_s=0.05, stop=stop)
    assert stop.is_set()


def test_a_shapefile_is_watched_with_its_side_files(tmp_path: Path) -> None:
    def write(pipe: str) -> None:
        columns = [np.array(["2004-05-06"], dtype=object), np.array([pipe], dtype=object)]
        place = np.array([to_wkb(Point(674_000, 6_580_000))], dtype=object)
        pyogrio.raw.write(
            tmp_path / "breaks.shp", place, columns, ["DATUM", "LEDNING"], geometry_type="Point", crs="EPSG:3006"
        )

    write("7")
    watcher, loads, errors = keeper(city_folder(tmp_path, BREAKS.format(path="breaks.shp")))
    watcher.look(), watcher.look()
    before = (tmp_path / "breaks.shp").read_bytes()
    write("8")
    assert (tmp_path / "breaks.shp").read_bytes() == before
    os.utime(tmp_path / "breaks.shp", ns=(0, 0))
    watcher.look(), watcher.look()
    os.utime(tmp_path / "breaks.dbf", ns=(1, 1))
    watcher.look(), watcher.look()
    assert (len(loads), errors) == (3, [])
    assert rows(tmp_path, "SELECT asset_id FROM break") == [("8",)]
