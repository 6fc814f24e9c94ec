"""Loading a city folder: what is kept, what is left out and why, and what a failure leaves behind."""

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely

from stored import stored
from vardag.core.errors import ConfigError, InputError, NotFoundError
from vardag.water.commands.load import LoadReport, load
from vardag.water.schema import BREAK, PIPE
from vardag.water.sources.notes import TEXTS, Note, reason_text

pytestmark = pytest.mark.usefixtures("both")

CITY = '[city]\nname = "Ytterby"\nowner = "VA"\ncrs = "EPSG:3006"\n'
PIPES = """
[sources.pipes]
table = "pipe"
path = "pipes.csv"
[sources.pipes.columns]
pipe_id = "ID"
length_m = "LANGD"
material = "MATERIAL"
install_year = "AR"
"""
BREAKS = """
[sources.breaks]
table = "break"
path = "breaks.csv"
[sources.breaks.columns]
break_date = "DATUM"
asset_id = "LEDNING"
[sources.breaks.geometry]
x = "X"
y = "Y"
"""
STOCKHOLM = (674_000, 6_580_000)


def folder(path: Path, toml: str, **files: str) -> Path:
    (path / "city.toml").write_text(CITY + toml, encoding="utf-8")
    for name, content in files.items():
        (path / f"{name}.csv").write_text(content, encoding="utf-8")
    return path


def table(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with stored(path) as connection:
        return connection.execute(sql).pl().rows()


def breaks_csv(points: Iterable[tuple[Any, Any]]) -> str:
    return "DATUM,LEDNING,X,Y\n" + "".join(f"2004-05-06,7,{x},{y}\n" for x, y in points)


def only(report: LoadReport) -> Any:
    assert len(report.sources) == 1
    return report.sources[0]


def test_rows_are_kept_or_left_out_with_a_reason(tmp_path: Path) -> None:
    lines = ["ID,LANGD,MATERIAL,AR", "1,34.5,GJJ,1963", "1,20,PE,1990", ",20,PE,1990", "2,0,PE,1990",
             "3,-4,PE,1990", "4,,PE,1990", "5,10,unobtainium,abc", "6,10", "7.0,12,,"]  # fmt: skip
    report = only(load(folder(tmp_path, PIPES, pipes="\n".join(lines))))
    assert (report.status, report.rows_in, report.kept) == ("loaded", 9, 3)
    assert report.quarantined == {
        "zero_length": 2, "duplicate_id": 1, "missing_id": 1, "missing_length": 1, "ragged_row": 1,
    }  # fmt: skip
    kept = table(
        tmp_path, "SELECT pipe_id, length_m, material, material_raw, install_year, line FROM pipe ORDER BY line"
    )
    assert kept == [
        ("1", 34.5, "CI", "GJJ", 1963, 2),
        ("5", 10.0, "OTHER", "unobtainium", None, 8),
        ("7", 12.0, "UNKNOWN", None, None, 10),
    ]
    assert [(note.code, note.column, note.rows) for note in report.notes] == [
        ("unknown_word", "material", 1),
        ("unreadable", "install_year", 1),
    ]
    assert table(tmp_path, "SELECT line, row_json FROM quarantine WHERE reason = 'duplicate_id'") == [
        (3, '{"ID": "1", "LANGD": "20", "MATERIAL": "PE", "AR": "1990"}')
    ]
    assert table(tmp_path, "SELECT rows_in, rows_kept, rows_quarantined FROM source") == [(9, 3, 6)]


def test_defaults_follow_from_what_is_mapped(tmp_path: Path) -> None:
    load(folder(tmp_path, PIPES, pipes="ID,LANGD,MATERIAL,AR\n1,34.5,GJJ,1963\n"))
    columns = "status, function, position, CAST(install_date AS TEXT), geom IS NULL, source"
    assert table(tmp_path, f"SELECT {columns} FROM pipe") == [
        ("in_service", "main", "none", "1963-01-01", True, "pipes")
    ]


def test_every_column_of_the_table_is_there(tmp_path: Path) -> None:
    load(
        folder(
            tmp_path, PIPES + BREAKS, pipes="ID,LANGD,MATERIAL,AR\n1,3,PE,1963\n", breaks=breaks_csv([STOCKHOLM])
        )
    )
    for made in (PIPE, BREAK):
        described = table(tmp_path, f'DESCRIBE "{made.name}"')
        assert [row[0] for row in described] == list(made.names)


def test_loading_twice_changes_nothing(tmp_path: Path) -> None:
    folder(
        tmp_path,
        PIPES + BREAKS,
        pipes="ID,LANGD,MATERIAL,AR\n1,3,PE,1963\n2,0,PE,1963\n",
        breaks=breaks_csv([STOCKHOLM]),
    )
    load(tmp_path)
    queries = [f'SELECT * EXCLUDE (geom), ST_AsText(geom) FROM "{name}"' for name in ("pipe", "break")]
    queries += ["SELECT * FROM quarantine", "SELECT * FROM source"]
    before = [table(tmp_path, sql) for sql in queries]
    again = load(tmp_path)
    assert [source.status for source in again.sources] == ["unchanged", "unchanged"]
    assert [source.rows_in for source in again.sources] == [2, 1]
    assert [table(tmp_path, sql) for sql in queries] == before


@pytest.mark.parametrize("change", ["file", "mapping"])
def test_a_change_of_file_or_mapping_loads_again(tmp_path: Path, change: str) -> None:
    folder(tmp_path, PIPES, pipes="ID,LANGD,MATERIAL,AR\n1,3,PE,1963\n")
    load(tmp_path)
    if change == "file":
        folder(tmp_path, PIPES, pipes="ID,LANGD,MATERIAL,AR\n2,3,PE,1963\n")
    else:
        folder(tmp_path, PIPES.replace('"LANGD"', '{ column = "LANGD", unit = "km" }'))
    assert only(load(tmp_path)).status == "loaded"
    expected = [("2", 3.0)] if change == "file" else [("1", 3000.0)]
    assert table(tmp_path, "SELECT pipe_id, length_m FROM pipe") == expected


def test_a_source_that_left_city_toml_is_removed(tmp_path: Path) -> None:
    load(
        folder(
            tmp_path, PIPES + BREAKS, pipes="ID,LANGD,MATERIAL,AR\n1,3,PE,1963\n", breaks=breaks_csv([STOCKHOLM])
        )
    )
    report = load(folder(tmp_path, PIPES))
    assert [(s.name, s.status) for s in report.sources] == [("pipes", "unchanged"), ("breaks", "removed")]
    assert table(tmp_path, "SELECT count(*) FROM break") == [(0,)]


def test_only_loads_the_named_source(tmp_path: Path) -> None:
    folder(tmp_path, PIPES + BREAKS, pipes="ID,LANGD,MATERIAL,AR\n1,3,PE,1963\n", breaks=breaks_csv([STOCKHOLM]))
    assert only(load(tmp_path, only=["breaks"])).name == "breaks"
    assert table(tmp_path, "SELECT count(*) FROM pipe") == [(0,)]
    with pytest.raises(NotFoundError, match="Did you mean 'breaks'"):
        load(tmp_path, only=["break"])


def test_the_first_source_of_a_table_wins_an_id(tmp_path: Path) -> None:
    second = PIPES.replace("sources.pipes", "sources.more").replace("pipes.csv", "more.csv")
    head = "ID,LANGD,MATERIAL,AR\n"
    folder(tmp_path, PIPES + second, pipes=head + "1,1,PE,1990\n", more=head + "1,2,PE,1990\n2,2,PE,1990\n")
    first, last = load(tmp_path).sources
    assert (first.kept, last.kept, last.quarantined) == (1, 1, {"duplicate_id": 1})
    folder(tmp_path, PIPES + second, pipes=head + "2,1,PE,1990\n")  # now the other id is the first one's
    load(tmp_path)
    assert sorted(table(tmp_path, "SELECT pipe_id, source FROM pipe")) == [("1", "more"), ("2", "pipes")]


def test_a_failing_source_leaves_the_database_as_it_was(tmp_path: Path) -> None:
    load(folder(tmp_path, BREAKS, breaks=breaks_csv([STOCKHOLM])))
    before = table(tmp_path, "SELECT * EXCLUDE (geom), ST_AsText(geom) FROM break")
    source = table(tmp_path, "SELECT * FROM source")
    with pytest.raises(InputError):
        load(folder(tmp_path, BREAKS, breaks=breaks_csv([STOCKHOLM[::-1]] * 3)))
    assert table(tmp_path, "SELECT * EXCLUDE (geom), ST_AsText(geom) FROM break") == before
    assert table(tmp_path, "SELECT * FROM source") == source
    assert table(tmp_path, "SELECT count(*) FROM quarantine") == [(0,)]
    assert table(tmp_path, "SELECT status FROM run ORDER BY started_at") == [("done",), ("failed",)]


@pytest.mark.parametrize(
    ("points", "crs", "cure"),
    [
        ([(6_580_000, 674_000)], "", "swap x and y"),
        ([(18.07, 59.33)], "", 'crs = "EPSG:4326"'),
        ([(59.33, 18.07)], 'crs = "EPSG:4326"', "swap x and y"),
        ([(154_000, 6_580_000)], "", 'crs = "EPSG:3007"'),  # all the zones look alike
        ([(674_000, 6_580_000)], 'crs = "EPSG:4326"', 'crs = "EPSG:3006"'),
        ([(2_011_000, 8_250_000)], "", 'crs = "EPSG:3857"'),
    ],
)
def test_coordinates_that_lie_are_refused_with_the_likely_cure(
    tmp_path: Path, points: list[tuple[float, float]], crs: str, cure: str
) -> None:
    toml = BREAKS.replace('path = "breaks.csv"', f'path = "breaks.csv"\n{crs}')
    with pytest.raises(
        InputError, match=r"3 of 3 places lie outside .*SWEREF99 TM.*Found x .*expected longitude"
    ) as e:
        load(folder(tmp_path, toml, breaks=breaks_csv(points * 3)))
    assert cure in str(e.value)


def test_the_citys_other_sources_tell_which_zone(tmp_path: Path) -> None:
    load(folder(tmp_path, BREAKS, breaks=breaks_csv([STOCKHOLM])))
    more = BREAKS.replace("sources.breaks", "sources.more").replace("breaks.csv", "more.csv")
    with pytest.raises(InputError, match=r'Likely cure in city.toml: crs = "EPSG:3011"'):
        load(folder(tmp_path, BREAKS + more, more=breaks_csv([(154_000, 6_580_000)])))


def test_sources_far_from_each_other_are_refused(tmp_path: Path) -> None:
    load(folder(tmp_path, BREAKS, breaks=breaks_csv([STOCKHOLM])))
    more = BREAKS.replace("sources.breaks", "sources.more").replace("breaks.csv", "more.csv")
    with pytest.raises(
        InputError, match=r"lie 274 km from .*other sources, expected under 50 km.*read as EPSG:3006"
    ):
        load(folder(tmp_path, BREAKS + more, more=breaks_csv([(400_000, 6_580_000)])))
    assert table(tmp_path, "SELECT source FROM break") == [("breaks",)]


def test_a_few_bad_places_go_to_quarantine_and_missing_ones_are_kept(tmp_path: Path) -> None:
    x, y = STOCKHOLM
    points = [(x, y), (x + 9, y), (y, x), ("abc", y), ("", ""), (x, ""), (0, 0), ("1e999", y), (x, y + 5)]
    report = only(load(folder(tmp_path, BREAKS, breaks=breaks_csv(points))))
    assert report.quarantined == {"bad_geometry": 3, "outside_area": 1}
    assert table(tmp_path, "SELECT line, geom IS NULL FROM break ORDER BY line") == [
        (2, False), (3, False), (6, True), (8, True), (10, False),
    ]  # fmt: skip
    assert [(note.code, note.rows) for note in report.notes] == [("no_place", 2)]
    assert table(tmp_path, "SELECT break_id FROM break WHERE line = 2") == [("breaks:2",)]


def test_degrees_become_the_citys_metres(tmp_path: Path) -> None:
    toml = BREAKS.replace('path = "breaks.csv"', 'path = "breaks.csv"\ncrs = "EPSG:4326"')
    load(folder(tmp_path, toml, breaks=breaks_csv([(18.0686, 59.3293)])))
    ((text,),) = table(tmp_path, "SELECT ST_AsText(geom) FROM break")
    point = shapely.from_wkt(text)
    assert (point.x, point.y) == (pytest.approx(674_575, abs=50), pytest.approx(6_580_743, abs=50))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("DATUM,X,Y\n2004-05-06,1,2\n", r"no column 'LEDNING' \(for asset_id\).*\nThe file has: DATUM, X, Y"),
        ("DATUM,LEDNINGEN,X,Y\n2004-05-06,1,1,2\n", r"Did you mean 'LEDNINGEN'\?"),
        ("DATUM,LEDNING,X,Y\n", "the file has no rows"),
        ("DATUM,LEDNING,X,Y\nA,1,1,2\nB,1,1,2\n", "2 of 2 cells are no dates"),
        ("DATUM,LEDNING,X,Y\n03/04/2004,1,1,2\n", "formats ="),
        ("DATUM,LEDNING,X,Y\n2004-05-06,1,a,2\n", "1 of 1 cells are no numbers"),
    ],
)
def test_files_that_cannot_be_meant_are_refused(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load(folder(tmp_path, BREAKS, breaks=content))
    assert table(tmp_path, "SELECT count(*) FROM break") == [(0,)]


def test_where_keeps_the_rows_asked_for(tmp_path: Path) -> None:
    toml = PIPES + '[sources.pipes.where]\nMATERIAL = ["pe"]\n'
    report = only(load(folder(tmp_path, toml, pipes="ID,LANGD,MATERIAL,AR\n1,3,PE,1963\n2,3,GJJ,1963\n")))
    assert (report.kept, report.quarantined) == (1, {"filtered": 1})
    assert table(tmp_path, "SELECT detail FROM quarantine") == [("MATERIAL = GJJ",)]


VECTOR = """
[sources.pipes]
table = "pipe"
path = "{path}"
{extra}
[sources.pipes.columns]
pipe_id = "ID"
material = "MATERIAL"
install_date = "LAGD"
"""


def write_vector(
    path: Path, shapes: list[shapely.Geometry | None], *, crs: str | None = "EPSG:3006", **more: Any
) -> None:
    wkb = np.array([shapely.to_wkb(shape) for shape in shapes], dtype=object)
    ids = np.arange(1, len(shapes) + 1, dtype=np.float64)
    fields = [
        ids,
        np.array(["GJJ"] * len(shapes), dtype=object),
        np.array(["1963-05-06"] * len(shapes), dtype=object),
    ]
    pyogrio.raw.write(
        path, wkb, field_data=fields, fields=["ID", "MATERIAL", "LAGD"], crs=crs,
        geometry_type=more.pop("geometry_type", "LineString"), **more,
    )  # fmt: skip


def line(dx: float = 0.0) -> shapely.LineString:
    x, y = STOCKHOLM
    return shapely.LineString([(x + dx, y), (x + dx + 30, y + 40)])


@pytest.mark.parametrize("suffix", ["gpkg", "shp", "geojson", "gml", "fgb"])
def test_vector_files_are_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"ledningar.{suffix}"
    options = {"crs": "EPSG:3006"} if suffix != "geojson" else {"crs": "EPSG:3006", "RFC7946": "NO"}
    write_vector(path, [line(), line(100)], **options)
    beside = sorted(p.name for p in tmp_path.iterdir())
    load(folder(tmp_path, VECTOR.format(path=path.name, extra="")))
    rows = table(tmp_path, "SELECT pipe_id, length_m, material, install_year, position FROM pipe ORDER BY pipe_id")
    assert rows == [(n, pytest.approx(50.0), "CI", 1963, "surveyed") for n in ("1", "2")]
    assert sorted(p.name for p in tmp_path.iterdir() if p.suffix not in {".toml", ".duckdb"}) == beside


def test_a_file_in_another_system_is_projected(tmp_path: Path) -> None:
    degrees = shapely.LineString([(18.0686, 59.3293), (18.0690, 59.3293)])
    write_vector(tmp_path / "a.gpkg", [degrees], crs="EPSG:4326")
    load(folder(tmp_path, VECTOR.format(path="a.gpkg", extra="")))
    assert table(tmp_path, "SELECT round(length_m) FROM pipe") == [(23.0,)]


def test_a_file_without_a_system_asks_for_it(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="crs"):
        write_vector(tmp_path / "a.shp", [line()], crs=None)
    with pytest.raises(InputError, match=r'does not say which coordinate system.*crs = "EPSG:3006"'):
        load(folder(tmp_path, VECTOR.format(path="a.shp", extra="")))
    load(folder(tmp_path, VECTOR.format(path="a.shp", extra='crs = "EPSG:3006"')))
    assert table(tmp_path, "SELECT count(*) FROM pipe") == [(1,)]


def test_odd_geometries_of_pipes(tmp_path: Path) -> None:
    x, y = STOCKHOLM
    shapes = [line(), None, shapely.LineString(), shapely.Point(x, y), shapely.MultiLineString([line(1).coords]),
              shapely.GeometryCollection([shapely.Point(x, y), line(2)])]  # fmt: skip
    write_vector(tmp_path / "a.gpkg", shapes, geometry_type="Unknown")
    report = only(load(folder(tmp_path, VECTOR.format(path="a.gpkg", extra=""))))
    assert report.quarantined == {"empty_geometry": 1, "missing_length": 1, "wrong_geometry": 1}
    assert (report.rows_in, report.kept) == (6, 3)


def test_broken_polygons_are_repaired_or_left_out(tmp_path: Path) -> None:
    x, y = STOCKHOLM
    bow = f"POLYGON (({x} {y}, {x + 10} {y + 10}, {x + 10} {y}, {x} {y + 10}, {x} {y}))"
    flat = f"POLYGON (({x} {y}, {x + 10} {y}, {x} {y}))"
    good = f"SRID=3006;POLYGON (({x} {y}, {x + 10} {y}, {x} {y + 10}, {x} {y}))"
    toml = (
        '[sources.soil]\ntable = "soil"\npath = "soil.csv"\n[sources.soil.columns]\nsoil_class = "JORD"\n'
        '[sources.soil.geometry]\nwkt = "WKT"\n'
    )
    csv = "JORD;WKT\n" + "".join(f'lera;"{text}"\n' for text in (good, bow, flat, "POLYGON ((", ""))
    report = only(load(folder(tmp_path, toml, soil=csv)))
    assert report.quarantined == {"bad_geometry": 1, "no_geometry": 1, "wrong_geometry": 1}
    assert [(note.code, note.rows) for note in report.notes] == [("repaired", 1)]
    rows = table(tmp_path, "SELECT soil_id, ST_AsText(geom) FROM soil ORDER BY line")
    shapes = [shapely.from_wkt(text) for _, text in rows]
    assert [soil_id for soil_id, _ in rows] == ["soil:2", "soil:3"]
    assert [(shape.is_valid, shape.area) for shape in shapes] == [(True, 50.0), (True, 50.0)]


def test_layers_of_a_file_are_named(tmp_path: Path) -> None:
    write_vector(tmp_path / "a.gpkg", [line()], layer="vatten")
    write_vector(tmp_path / "a.gpkg", [line()], layer="spill", append=True)
    with pytest.raises(InputError, match=r"2 layers \(vatten, spill\)"):
        load(folder(tmp_path, VECTOR.format(path="a.gpkg", extra="")))
    with pytest.raises(InputError, match="Did you mean 'vatten'"):
        load(folder(tmp_path, VECTOR.format(path="a.gpkg", extra='layer = "vaten"')))
    assert only(load(folder(tmp_path, VECTOR.format(path="a.gpkg", extra='layer = "vatten"')))).kept == 1


def test_a_file_that_is_no_vector_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.gpkg").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"a.gpkg: cannot be read"):
        load(folder(tmp_path, VECTOR.format(path="a.gpkg", extra="")))


def test_sidecars_of_a_shapefile_are_part_of_it(tmp_path: Path) -> None:
    write_vector(tmp_path / "a.shp", [line()])
    folder(tmp_path, VECTOR.format(path="a.shp", extra=""))
    load(tmp_path)
    dbf = tmp_path / "a.dbf"
    dbf.write_bytes(dbf.read_bytes().replace(b"GJJ", b"SEG"))
    assert only(load(tmp_path)).status == "loaded"
    assert table(tmp_path, "SELECT material FROM pipe") == [("DI",)]


@pytest.mark.parametrize("at_once", [1, 4, 1_000_000])
def test_neighbours_are_stored_beside_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    x, y = STOCKHOLM
    points = [(x + dx, y + dy) for dx in (0, 5000) for dy in (0, 5000) for _ in range(3)]
    order = np.random.default_rng(1).permutation(len(points))
    monkeypatch.setattr("vardag.water.sources.store.ROWS_AT_ONCE", at_once)
    load(folder(tmp_path, BREAKS, breaks=breaks_csv([points[i] for i in order])))
    stored = table(tmp_path, "SELECT ST_AsText(geom) FROM break")
    assert len(stored) == len(points)
    moves = sum(a != b for a, b in pairwise(stored))
    assert moves == 3


def test_progress_runs_to_the_end(tmp_path: Path) -> None:
    seen: list[tuple[str, float]] = []
    load(folder(tmp_path, BREAKS, breaks=breaks_csv([STOCKHOLM])), progress=lambda *step: seen.append(step))
    assert seen[-1] == ("breaks", 1.0)
    assert [share for _, share in seen] == sorted(share for _, share in seen)


def test_a_wrong_city_toml_never_reaches_the_database(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        load(folder(tmp_path, PIPES.replace('"pipe"', '"pip"'), pipes="ID\n1\n"))
    assert not (tmp_path / "vardag.duckdb").exists()


def test_notes_and_reasons_have_their_words() -> None:
    assert TEXTS.incomplete() == []
    assert "7 celler" in Note("unreadable", "install_year", 7, "abc (7)").text("sv")
    assert reason_text("duplicate_id", "en") == "The id stands on an earlier row."


def test_all_sources_may_be_mended_at_once(tmp_path: Path) -> None:
    """The old places of a source that is about to be loaded again tell nothing about the others."""
    x, y = STOCKHOLM
    more = BREAKS.replace("sources.breaks", "sources.more").replace("breaks.csv", "more.csv")
    folder(tmp_path, BREAKS + more, breaks=breaks_csv([(x, y)]), more=breaks_csv([(x, y)]))
    load(tmp_path)
    away = breaks_csv([(x - 300_000, y)])
    report = load(folder(tmp_path, BREAKS + more, breaks=away, more=away))
    assert [source.status for source in report.sources] == ["loaded", "loaded"]


def test_nothing_stays_of_a_load_that_was_killed(tmp_path: Path) -> None:
    (tmp_path / ".vardag-load").mkdir()
    (tmp_path / ".vardag-load" / "0-pipe-kept-0.parquet").write_bytes(b"half a file")
    assert only(load(folder(tmp_path, PIPES, pipes="ID,LANGD,MATERIAL,AR\n1,3,PE,1963\n"))).kept == 1
    assert not (tmp_path / ".vardag-load").exists()


def test_a_folder_may_have_any_name(tmp_path: Path) -> None:
    place = tmp_path / "Göteborg's [2024] *"
    place.mkdir()
    assert only(load(folder(place, PIPES, pipes="ID,LANGD,MATERIAL,AR\n1,3,PE,1963\n2,0,PE,1\n"))).kept == 1
