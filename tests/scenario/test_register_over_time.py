"""A small town delivers its register twice and once more: gone, reused, changed, moved, new and returned pipes."""

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from stored import rows as table
from vardag.core.errors import NotFoundError, RefusedError
from vardag.water.commands.diff import diff
from vardag.water.commands.load import load
from vardag.water.commands.network import build_history
from vardag.water.commands.workspace import read_tables, workspace
from vardag.water.panel import Network, risk_set, snapshot

CITY = """
[city]
name = "Ytterby"
owner = "VA"
crs = "EPSG:3006"
record_start = 2010-01-01
record_end = 2023-12-31
[sources.pipes]
table = "pipe"
path = "pipes.csv"
date = {day}
[sources.pipes.columns]
pipe_id = "ID"
material = "MATERIAL"
diameter_mm = "DIM"
install_date = "LAGD"
[sources.pipes.geometry]
start_x = "X1"
start_y = "Y1"
end_x = "X2"
end_y = "Y2"
[sources.breaks]
table = "break"
path = "breaks.csv"
[sources.breaks.columns]
break_id = "NR"
break_date = "DATUM"
asset_id = "LEDNING"
event = {{ value = "break" }}
[sources.breaks.geometry]
x = "X"
y = "Y"
"""
EAST, NORTH = 674_000, 6_580_000
BREAKS = [  # number, day, id in the log
    ("1", "2012-05-01", "gone"), ("2", "2013-05-01", "reused"), ("3", "2022-09-01", "reused"),
    ("4", "2014-05-01", "stays"), ("5", "2008-05-01", "reused"), ("6", "2023-05-01", "gone"),
]  # fmt: skip
Row = tuple[str, str, int, str, int]
FIRST: list[Row] = [
    ("stays", "GJJ", 150, "1960-01-01", 0), ("gone", "GJJ", 150, "1960-01-01", 1000),
    ("reused", "GJJ", 150, "1960-01-01", 2000), ("fixed", "GJJ", 150, "1970-01-01", 3000),
    ("moved", "PE", 110, "1995-01-01", 4000), ("away", "PVC", 160, "1985-01-01", 5000),
]  # fmt: skip
SECOND: list[Row] = [
    FIRST[0], ("reused", "PE", 160, "2021-06-01", 2000), ("fixed", "SEG", 150, "1970-01-01", 3000),
    ("moved", "PE", 110, "1995-01-01", 4007), ("new", "PE", 110, "2021-06-01", 6000),
]  # fmt: skip
THIRD = [*SECOND, FIRST[5]]


def deliver(folder: Path, rows: list[Row], day: str) -> None:
    (folder / "city.toml").write_text(CITY.format(day=day), encoding="utf-8")
    pipes = [
        f"{name},{material},{size},{laid},{EAST},{NORTH + y},{EAST + 100},{NORTH + y}"
        for name, material, size, laid, y in rows
    ]
    (folder / "pipes.csv").write_text(
        "ID,MATERIAL,DIM,LAGD,X1,Y1,X2,Y2\n" + "\n".join(pipes) + "\n", encoding="utf-8"
    )
    breaks = [f"{number},{when},{name},{EAST + 50},{NORTH}" for number, when, name in BREAKS]
    (folder / "breaks.csv").write_text("NR,DATUM,LEDNING,X,Y\n" + "\n".join(breaks) + "\n", encoding="utf-8")


def network(folder: Path) -> tuple[Network, dict[str, str | None]]:
    with workspace(folder, "test") as work:
        history = build_history(work, read_tables(work))
    return history.network, dict(history.links.select("break_id", "pipe_key").rows())


def at_risk(found: Network, day: date) -> set[str]:
    return set(found.lives["pipe_key"].gather(risk_set(found, day)))


@pytest.fixture
def town(tmp_path: Path) -> Path:
    deliver(tmp_path, FIRST, "2020-01-31")
    load(tmp_path)
    return tmp_path


@pytest.fixture
def twice(town: Path) -> Path:
    deliver(town, SECOND, "2022-01-31")
    load(town)
    return town


def test_the_first_load_has_no_difference(town: Path) -> None:
    assert table(town, "SELECT * FROM pipe_change") == table(town, "SELECT pipe_key FROM former_pipe") == []
    with pytest.raises(NotFoundError, match="no two deliveries"):
        diff(town)


def test_pipes_that_left_are_kept_with_their_days(twice: Path) -> None:
    assert table(
        twice,
        "SELECT pipe_key, left_because, last_seen, first_missed, retired_date, status FROM former_pipe ORDER BY 1",
    ) == [
        ("away@1985", "gone", date(2020, 1, 31), date(2022, 1, 31), date(2022, 1, 31), "retired"),
        ("gone@1960", "gone", date(2020, 1, 31), date(2022, 1, 31), date(2022, 1, 31), "retired"),
        ("reused@1960", "reused", date(2020, 1, 31), date(2022, 1, 31), date(2021, 6, 1), "retired"),
    ]
    assert table(twice, "SELECT pipe_id, change, field, before, after FROM pipe_change ORDER BY ALL") == [
        ("away", "gone", None, "away@1985", None),
        ("fixed", "changed", "material", "CI", "DI"),
        ("gone", "gone", None, "gone@1960", None),
        ("moved", "changed", "geom", "line", "7.0 m"),
        ("new", "new", None, None, None),
        ("reused", "reused", None, "reused@1960", None),
    ]


def test_breaks_go_to_the_pipe_that_was_in_the_ground(twice: Path) -> None:
    _, links = network(twice)
    assert {number: links[number] for number in "1234"} == {
        "1": "gone@1960", "2": "reused@1960", "3": "reused", "4": "stays",
    }  # fmt: skip
    assert links["6"] != "gone@1960"  # after it was missed


def test_risk_sets_of_the_years(twice: Path) -> None:
    found, _ = network(twice)
    old = {"stays", "fixed", "moved", "gone@1960", "reused@1960", "away@1985"}
    assert at_risk(found, date(2015, 12, 31)) == at_risk(found, date(2020, 12, 31)) == old
    assert at_risk(found, date(2021, 12, 31)) == old - {"reused@1960"} | {"reused", "new"}
    assert at_risk(found, date(2022, 12, 31)) == {"stays", "fixed", "moved", "reused", "new"}


def test_a_pipe_that_comes_back_is_no_former_pipe(twice: Path) -> None:
    deliver(twice, THIRD, "2023-01-31")
    load(twice)
    assert table(twice, "SELECT pipe_key FROM former_pipe ORDER BY 1") == [("gone@1960",), ("reused@1960",)]
    found, _ = network(twice)
    assert {"away"} < at_risk(found, date(2022, 12, 31)) and "away" in at_risk(found, date(2015, 12, 31))
    assert [kind["change"] for kind in diff(twice).kinds if kind["pipes"]] == ["back"]


def test_a_later_delivery_does_not_alter_what_was_known_before(town: Path) -> None:
    """Who was at risk before the days in between, and what is known of those the delivery says nothing new of."""
    before, _ = network(town)
    keys = {"gone": "gone@1960", "reused": "reused@1960", "away": "away@1985"}
    cut = snapshot(before, date(2019, 12, 31)).lives.with_columns(pl.col("pipe_key").replace(keys))
    deliver(town, SECOND, "2022-01-31")
    load(town)
    after, _ = network(town)
    later = snapshot(after, date(2019, 12, 31)).lives
    asked = ~pl.col("pipe_key").is_in(["fixed", "moved"])  # corrected: the register's word now holds for all years
    assert later.sort("pipe_key").filter(asked).equals(cut.sort("pipe_key").filter(asked))
    assert set(later["pipe_key"]) == set(cut["pipe_key"])


@pytest.mark.parametrize("event", ["mapping", "source removed"])
def test_no_delivery_retires_no_pipe(town: Path, event: str) -> None:
    text = (town / "city.toml").read_text(encoding="utf-8")
    if event == "mapping":
        changed = text.replace('"DIM"', '{ column = "DIM", unit = "cm" }')
    else:
        changed = text[: text.index("[sources.pipes]")] + text[text.index("[sources.breaks]") :]
    (town / "city.toml").write_text(changed, encoding="utf-8")
    load(town)
    assert (
        table(town, "SELECT count(*) FROM former_pipe") == table(town, "SELECT count(*) FROM pipe_change") == [(0,)]
    )


def test_a_row_that_is_broken_is_no_gone_pipe_and_one_that_is_filtered_out_is(town: Path) -> None:
    deliver(town, FIRST[:4], "2022-01-31")
    text = (town / "city.toml").read_text(encoding="utf-8")
    wanted = "[sources.pipes.where]\nMATERIAL = ['GJJ', 'PE']\n[sources.breaks]\n"
    (town / "city.toml").write_text(text.replace("[sources.breaks]\n", wanted), encoding="utf-8")
    rows = (town / "pipes.csv").read_text(encoding="utf-8")
    away = f"away,PVC,160,1985-01-01,{EAST},{NORTH},{EAST + 100},{NORTH}\n"
    short = f"moved,PE,110,1995-01-01,{EAST},{NORTH},{EAST},{NORTH}\n"  # a line that ends where it begins
    (town / "pipes.csv").write_text(rows + away + short, encoding="utf-8")
    load(town)
    assert table(town, "SELECT pipe_id, change FROM pipe_change ORDER BY 1") == [
        ("away", "gone"), ("moved", "unreadable"),
    ]  # fmt: skip


def test_a_shrunken_delivery_is_refused_whole_until_it_is_accepted(tmp_path: Path) -> None:
    many: list[Row] = [(f"p{n}", "GJJ", 150, "1960-01-01", n * 20) for n in range(60)]
    deliver(tmp_path, many, "2020-01-31")
    load(tmp_path)
    deliver(tmp_path, many[:40], "2022-01-31")
    with pytest.raises(RefusedError, match=r"20 of 60 pipes.*--accept-shrinking"):
        load(tmp_path)
    assert table(tmp_path, "SELECT count(*) FROM pipe") == [(60,)]
    assert table(tmp_path, "SELECT count(*) FROM former_pipe") == [(0,)]
    assert diff(tmp_path, against=tmp_path / "pipes.csv").suspicious
    load(tmp_path, accept_shrinking=True)
    assert table(tmp_path, "SELECT count(*) FROM pipe") == [(40,)]
    assert table(tmp_path, "SELECT count(*) FROM former_pipe") == [(20,)]


def test_diff_with_a_file_writes_nothing_in_the_database(town: Path) -> None:
    deliver(town, SECOND, "2022-01-31")
    found = diff(town, against=town / "pipes.csv", language="en")
    counts = {kind["change"]: kind["pipes"] for kind in found.kinds}
    assert counts == {"new": 1, "changed": 2, "gone": 2, "reused": 1, "back": 0, "unreadable": 0}
    assert "Material: 1" in " ".join(found.words)
    assert table(town, "SELECT count(*) FROM pipe_change") == [(0,)] and table(
        town, "SELECT count(*) FROM pipe WHERE pipe_id = 'gone'"
    ) == [(1,)]
    json.dumps(found.__dict__, default=str)


@pytest.mark.parametrize("language", ["sv", "en"])
def test_the_page_stands_alone_and_names_every_pipe(twice: Path, language: str) -> None:
    found = diff(twice, language=language)
    page, layer = (Path(path) for path in found.paths)
    text = page.read_text(encoding="utf-8")
    assert all(
        f'<th scope="row">{name}</th>' in text for name in ("away", "fixed", "gone", "moved", "new", "reused")
    )
    assert "://" not in text.replace("http://www.w3.org/2000/svg", "") and layer.stat().st_size > 10_000
    assert ("borttagen" in text) == (language == "sv")
