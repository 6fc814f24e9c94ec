"""The files: what QGIS, other programs and Excel find in them."""

import json
import sqlite3
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import polars as pl
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely

import publishing
from vardag.water.publish import flat, map_png, map_svg, publish, write_csv, write_geopackage, write_geoparquet
from vardag.water.publish.classes import CLASSES, rank_class
from vardag.water.publish.qgis import qml, sld
from vardag.water.publish.tables import COLUMNS, with_street_names

SE = "{http://www.opengis.net/se}"
OGC = "{http://www.opengis.net/ogc}"


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    return flat(publishing.predictions(), context=publishing.context(), language="sv")


@pytest.fixture(scope="module")
def geopackage(table: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gpkg") / "ledningar.gpkg"
    return write_geopackage(table, path=path, context=publishing.context(), language="sv")


def rows(path: Path, sql: str) -> list[Any]:
    with sqlite3.connect(path) as connection:
        return connection.execute(sql).fetchall()


def test_no_pipe_is_lost_between_the_layers(geopackage: Path) -> None:
    assert [name for name, _ in pyogrio.list_layers(geopackage)] == [
        "ledningar",
        "ledningar_utan_lage",
        "om",
        "layer_styles",
    ]
    assert pyogrio.read_info(geopackage, layer="ledningar")["features"] == 118
    assert pyogrio.read_info(geopackage, layer="ledningar_utan_lage")["features"] == 2


def test_the_layer_has_the_ranking_in_the_city_system(geopackage: Path) -> None:
    info = pyogrio.read_info(geopackage, layer="ledningar")
    assert info["crs"] == "EPSG:3006"
    assert info["geometry_type"] == "LineString"
    assert tuple(info["fields"]) == COLUMNS
    first = rows(geopackage, "SELECT rank, rank_class, secrecy, reason_1 FROM ledningar ORDER BY rank LIMIT 1")[0]
    assert first[:3] == (1, 1, "Skyddad")
    assert first[3].startswith("× 2,1: grått gjutjärn från 19")


def test_qgis_finds_one_default_style_registered_as_its_table(geopackage: Path) -> None:
    styles = rows(
        geopackage, "SELECT f_table_name, f_geometry_column, useAsDefault, styleQML, styleSLD FROM layer_styles"
    )
    assert len(styles) == 1
    assert styles[0][:3] == ("ledningar", "geom", 1)
    assert styles[0][3] == qml("sv")
    assert styles[0][4] == sld("ledningar", "sv")
    assert rows(geopackage, "SELECT data_type FROM gpkg_contents WHERE table_name = 'layer_styles'") == [
        ("attributes",)
    ]


def test_the_file_says_what_it_is(geopackage: Path) -> None:
    about = dict(rows(geopackage, "SELECT key, value FROM om"))
    assert about["city"] == "Exempelstad"
    assert about["as_of"] == "2024-12-31"
    assert about["run_id"] == "a1b2c3d4e5f6"
    assert about["secrecy"] == "protected"
    assert pyogrio.read_info(geopackage, layer="ledningar")["dataset_metadata"]["SECRECY"] == "protected"


def test_the_same_ranking_gives_the_same_file(table: pl.DataFrame, geopackage: Path, tmp_path: Path) -> None:
    again = write_geopackage(table, path=tmp_path / "again.gpkg", context=publishing.context(), language="sv")
    assert again.read_bytes() == geopackage.read_bytes()


def test_a_failed_write_leaves_the_earlier_file(table: pl.DataFrame, geopackage: Path, tmp_path: Path) -> None:
    path = tmp_path / "ledningar.gpkg"
    path.write_bytes(geopackage.read_bytes())
    with pytest.raises(Exception, match=r"EPSG:1\b|EPSG:1,|crs|CRS"):
        write_geopackage(table, path=path, context=publishing.context(crs="EPSG:1"), language="sv")
    assert path.read_bytes() == geopackage.read_bytes()


def test_multi_lines_make_the_layer_multi(table: pl.DataFrame, tmp_path: Path) -> None:
    double = shapely.to_wkb(
        shapely.MultiLineString(
            [[(667_000, 6_582_000), (667_010, 6_582_000)], [(667_020, 6_582_000), (667_030, 6_582_000)]]
        )
    )
    mixed = table.with_columns(geom=pl.when(pl.col("rank") == 1).then(pl.lit(double)).otherwise("geom"))
    path = write_geopackage(mixed, path=tmp_path / "m.gpkg", context=publishing.context(), language="en")
    info = pyogrio.read_info(path, layer="pipes")
    assert info["geometry_type"] == "MultiLineString"
    assert info["features"] == 118


@pytest.mark.parametrize("language", ["sv", "en"])
def test_the_qml_has_the_form_that_qgis_reads(language: str) -> None:
    root = ElementTree.fromstring(qml(language).split("\n", 1)[1])
    renderer = root.find("renderer-v2")
    assert renderer is not None
    assert renderer.attrib["type"] == "categorizedSymbol"
    assert renderer.attrib["attr"] == "rank_class"
    categories = renderer.findall("categories/category")
    assert [one.attrib["value"] for one in categories] == ["1", "2", "3", "4", "5"]
    symbols = {one.attrib["name"]: one for one in renderer.findall("symbols/symbol")}
    assert [one.attrib["symbol"] for one in categories] == sorted(symbols)
    widths = [
        float(symbols[str(n)].find("layer/Option/Option[@name='line_width']").attrib["value"]) for n in range(5)
    ]  # type: ignore[union-attr]
    assert widths == sorted(widths, reverse=True)
    passes = [int(symbols[str(n)].find("layer").attrib["pass"]) for n in range(5)]  # type: ignore[union-attr]
    assert passes == [5, 4, 3, 2, 1]
    aliases = {one.attrib["field"]: one.attrib["name"] for one in root.findall("aliases/alias")}
    assert set(aliases) == {"fid", *COLUMNS}
    assert all(aliases[name] for name in COLUMNS)


@pytest.mark.parametrize("language", ["sv", "en"])
def test_the_sld_has_a_rule_for_every_class(language: str) -> None:
    root = ElementTree.fromstring(sld("pipes", language).encode())
    rules = root.findall(f".//{SE}Rule")
    assert [rule.findtext(f".//{OGC}Literal") for rule in rules] == ["5", "4", "3", "2", "1"]


def test_geoparquet_names_its_coordinate_system(table: pl.DataFrame, tmp_path: Path) -> None:
    path = write_geoparquet(table, path=tmp_path / "ledningar.parquet", crs="EPSG:3006")
    geo = json.loads(pq.read_metadata(path).metadata[b"geo"])
    assert geo["primary_column"] == "geom"
    assert geo["columns"]["geom"]["crs"]["id"] == {"authority": "EPSG", "code": 3006}
    back = pl.read_parquet(path)
    assert back.columns == table.columns
    assert back["geom"].to_list() == table["geom"].to_list()


def test_swedish_csv_opens_in_a_swedish_excel(table: pl.DataFrame, tmp_path: Path) -> None:
    text = write_csv(table, path=tmp_path / "l.csv", language="sv").read_bytes().decode("utf-8-sig")
    head, first = text.splitlines()[:2]
    assert head.split(";")[:3] == ["Plats", "Rangklass (1 = högst)", "Lednings-id"]
    assert f"{table['expected_breaks_per_km_year'][0]}".replace(".", ",") in first.split(";")


def test_english_csv_has_points_and_commas(table: pl.DataFrame, tmp_path: Path) -> None:
    path = write_csv(table, path=tmp_path / "l.csv", language="en")
    assert path.read_bytes().startswith(b"\xef\xbb\xbfRank,")
    assert pl.read_csv(path)["Length (m)"].dtype == pl.Float64


def test_excel_takes_no_text_for_a_formula(table: pl.DataFrame, tmp_path: Path) -> None:
    hostile = table.with_columns(street=pl.lit("=HYPERLINK(1)"))
    assert "'=HYPERLINK(1)" in write_csv(hostile, path=tmp_path / "l.csv", language="sv").read_text(
        encoding="utf-8-sig"
    )


def test_publish_writes_everything_and_names_it_in_the_language(tmp_path: Path) -> None:
    published = publish(
        folder=tmp_path / "out",
        predictions=publishing.predictions(),
        evaluation=publishing.evaluation(),
        context=publishing.context(),
        language="sv",
    )
    assert [path.name for path in published.paths] == [
        "ledningar.gpkg",
        "ledningar.parquet",
        "ledningar.csv",
        "model-card.md",
        "model-card.html",
        "rapport.html",
    ]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        path.name for path in published.paths
    )


def test_a_missing_street_name_is_taken_from_the_road() -> None:
    pipes = pl.DataFrame({"pipe_id": ["a", "b", "c"], "street": [None, "Egen", None], "road_id": ["1", "1", None]})
    roads = pl.DataFrame({"road_id": ["1", "1"], "street": ["Kungsgatan", "Dubblett"]})
    assert with_street_names(pipes, roads)["street"].to_list() == ["Kungsgatan", "Egen", None]
    assert with_street_names(pipes.drop("road_id"), roads)["street"].to_list() == [None, "Egen", None]


def test_the_first_pipe_is_in_the_first_class_however_long() -> None:
    frame = pl.DataFrame({"rank": [3, 1, 2], "length_m": [10.0, 900.0, 90.0]})
    assert rank_class(frame).to_list() == [5, 1, 5]


def test_a_class_holds_the_pipes_that_begin_within_it() -> None:
    frame = pl.DataFrame({"rank": range(1, 201), "length_m": [1.0] * 200})
    counts = rank_class(frame).value_counts().sort("rank_class")["count"].to_list()
    assert counts == [2, 8, 10, 20, 160]


def test_classes_grow_darker_and_wider_with_the_rate() -> None:
    lightness = [
        sum(w * int(one.colour[a : a + 2], 16) for w, a in ((0.3, 1), (0.59, 3), (0.11, 5))) for one in CLASSES
    ]
    assert lightness[:4] == sorted(lightness[:4])
    assert [one.width_mm for one in CLASSES] == sorted((one.width_mm for one in CLASSES), reverse=True)


def test_the_svg_map_is_small_and_its_title_escaped() -> None:
    svg = map_svg(publishing.predictions(), title=publishing.HOSTILE, roads=publishing.roads())
    assert "<script" not in svg
    root = ElementTree.fromstring(svg)
    assert len(root.findall("{http://www.w3.org/2000/svg}path")) == 6


def test_the_png_map_is_a_picture(tmp_path: Path) -> None:
    path = map_png(
        publishing.predictions(),
        path=tmp_path / "map.png",
        language="sv",
        roads=publishing.roads(),
        title="Exempelstad",
    )
    assert path.read_bytes().startswith(b"\x89PNG")
