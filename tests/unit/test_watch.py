"""A watched folder: files are loaded when they are complete, failures are said once and the watch goes on."""

import threading
from pathlib import Path

from readers import BREAKS, city_folder, table
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
    assert table(tmp_path, "SELECT count(*) FROM break") == [(2,)]
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
    assert table(tmp_path, "SELECT count(*) FROM break") == [(1,)]
    file.write_text(GOOD + GOOD.splitlines()[1].replace("7", "8") + "\n", encoding="utf-8")
    watcher.look(), watcher.look()
    assert len(loads) == 2
    assert table(tmp_path, "SELECT count(*) FROM break") == [(2,)]


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
