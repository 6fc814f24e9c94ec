"""Loading from OGC API Features: a real pygeoapi with pages, and a stand-in for what it does not do."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from servers.pygeoapi import COLLECTION, pygeoapi, write
from servers.remote import city
from servers.web import Answer, Asked, serving
from stored import rows
from vardag.core.errors import InputError, RefusedError
from vardag.water.commands.load import load


def feature(number: int, *, material: str = "GJJ") -> dict[str, Any]:
    line = [[18.0 + number / 1000, 59.3], [18.0 + number / 1000, 59.301]]
    return {
        "type": "Feature", "id": f"0{number}", "properties": {"LEDNING": f"0{number}", "MATERIAL": material},
        "geometry": {"type": "LineString", "coordinates": line},
    }  # fmt: skip


FEATURES = [feature(number) for number in range(1, 36)]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("pygeoapi")
    with pygeoapi(folder, FEATURES) as url:
        yield url, folder


def lengths(folder: Path) -> list[tuple[Any, ...]]:
    return rows(folder, "SELECT count(*), min(length_m) > 111, max(length_m) < 112 FROM pipe")


def test_all_pages_of_a_real_service_come_in(tmp_path: Path, served: tuple[str, Path]) -> None:
    url, folder = served
    city(tmp_path, url, "ogcapi", f'layer = "{COLLECTION}"')
    assert (load(tmp_path).sources[0].kept, lengths(tmp_path)) == (35, [(35, True, True)])
    assert load(tmp_path).sources[0].status == "unchanged"
    try:
        write(folder, [*FEATURES, feature(36, material="PE")])
        assert (load(tmp_path).sources[0].status, load(tmp_path).sources[0].status) == ("loaded", "unchanged")
    finally:
        write(folder, FEATURES)
    assert rows(tmp_path, "SELECT pipe_id, material FROM pipe WHERE material <> 'CI'") == [("036", "PE")]


@pytest.mark.parametrize("written", ["", "/collections/water_mains", "/collections/water_mains/items?f=html"])
def test_the_address_is_the_service_or_the_collection(
    tmp_path: Path, served: tuple[str, Path], written: str
) -> None:
    assert load(city(tmp_path, served[0] + written, "ogcapi", "page_rows = 7")).sources[0].kept == 35


def test_only_what_lies_in_the_box(tmp_path: Path, served: tuple[str, Path]) -> None:
    city(tmp_path, served[0], "ogcapi", "bbox = [18.0005, 59.2, 18.0205, 59.4]")
    assert load(tmp_path).sources[0].kept == 20


def test_another_system_is_asked_for_and_its_axes_are_turned(tmp_path: Path, served: tuple[str, Path]) -> None:
    city(tmp_path, served[0], "ogcapi", 'crs = "EPSG:3006"')
    assert load(tmp_path).sources[0].kept == 35
    assert lengths(tmp_path) == [(35, True, True)]
    east = "SELECT count(*) FROM pipe WHERE ST_X(ST_StartPoint(geom)) BETWEEN 670000 AND 680000"
    assert rows(tmp_path, east) == [(35,)]


def test_a_missing_collection_names_those_there_are(tmp_path: Path, served: tuple[str, Path]) -> None:
    with pytest.raises(
        InputError, match=r"no collection 'water_main'.*has water_mains.*Did you mean 'water_mains'"
    ):
        load(city(tmp_path, served[0], "ogcapi", 'layer = "water_main"'))


def test_what_a_service_refuses_is_said(tmp_path: Path, served: tuple[str, Path]) -> None:
    with pytest.raises(InputError, match=r"pipes: http.*/items answers 400.*earlier load stays"):
        load(city(tmp_path, served[0], "ogcapi", 'filter = "MATERIAL = = 1"'))


def stand_in(asked: Asked, following: str) -> Answer:
    if asked.path.endswith("/collections"):
        return Answer(json.dumps({"collections": [{"id": "mains"}]}).encode())
    links = [{"rel": "next", "href": following}] if "page" not in asked.query else []
    page = FEATURES[5:10] if "page" in asked.query else FEATURES[:5]
    return Answer(json.dumps({"features": page, "links": links}).encode())


def test_a_next_link_to_another_host_is_not_followed(tmp_path: Path) -> None:
    with (
        serving(lambda asked: Answer(b"{}")) as other,
        serving(lambda asked: stand_in(asked, f"{other.url}/items?page=2")) as web,
        pytest.raises(RefusedError, match=r"pipes: .*another host"),
    ):
        load(city(tmp_path, web.url, "ogcapi"))
    assert other.asked == []


def test_the_filter_is_sent_and_next_links_are_followed_as_written(tmp_path: Path) -> None:
    with serving(lambda asked: stand_in(asked, "items?page=2")) as web:
        city(tmp_path, web.url, "ogcapi", "filter = \"MATERIAL = 'GJJ'\"")
        assert load(tmp_path).sources[0].kept == 10
    items = [asked.query for asked in web.asked if asked.path.endswith("/items")]
    assert [query.get("filter") for query in items] == ["MATERIAL = 'GJJ'"] * 2 + [None]
    assert items[2] == {"page": "2"}
