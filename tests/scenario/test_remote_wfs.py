"""Loading from a WFS: a real MapServer with pages, and stand-ins for what it does not do."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from servers.mapserver import mapserver, write
from servers.remote import city
from servers.web import Answer, Asked, Web, serving
from stored import rows
from vardag.core.errors import ConfigError, InputError
from vardag.water.commands.load import load
from vardag.water.sources.vector_file import VectorLayer


def feature(number: int, *, material: str = "GJJ") -> dict[str, Any]:
    line = [[18.0 + number / 1000, 59.3], [18.0 + number / 1000, 59.301]]
    values = {"LEDNING": f"0{number}", "MATERIAL": material, "LAGD": "1970-02-01"}
    return {"type": "Feature", "properties": values, "geometry": {"type": "LineString", "coordinates": line}}


FEATURES = [feature(number) for number in range(1, 36)]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Web, Path]]:
    folder = tmp_path_factory.mktemp("mapserver")
    with mapserver(folder, {"mains": FEATURES, "hydrants": FEATURES[:1]}) as web:
        yield web, folder


@pytest.fixture
def url(served: tuple[Web, Path]) -> str:
    served[0].asked.clear()
    return f"{served[0].url}/wfs"


@pytest.mark.parametrize("extra", ["", 'crs = "EPSG:3006"'])
def test_all_pages_of_a_real_service_come_in(
    tmp_path: Path, served: tuple[Web, Path], url: str, extra: str
) -> None:
    web, folder = served
    city(tmp_path, url, "wfs", f'layer = "mains"\npage_rows = 10\n{extra}')
    assert load(tmp_path).sources[0].kept == 35
    asked = [entry.query["startIndex"] for entry in web.asked if "startIndex" in entry.query]
    assert asked == ["0", "10", "20", "30"]
    lie = "SELECT count(*), min(length_m) > 111, max(length_m) < 112 FROM pipe"
    assert rows(tmp_path, f"{lie} WHERE ST_XMin(geom) BETWEEN 6e5 AND 7e5") == [(35, True, True)]
    assert rows(tmp_path, "SELECT pipe_id, material FROM pipe ORDER BY 1 LIMIT 1") == [("01", "CI")]
    assert load(tmp_path).sources[0].status == "unchanged"
    try:
        write(folder, "mains", [*FEATURES, feature(36, material="PE")])
        assert load(tmp_path).sources[0].kept == 36
    finally:
        write(folder, "mains", FEATURES)


def test_only_what_lies_in_the_box(tmp_path: Path, url: str) -> None:
    city(tmp_path, url, "wfs", 'layer = "mains"\nbbox = [18.0005, 59.2, 18.0205, 59.4]')
    assert load(tmp_path).sources[0].kept == 20


def test_a_filter_of_the_standard_is_sent_along(tmp_path: Path, url: str) -> None:
    wanted = (
        "<fes:Filter xmlns:fes='http://www.opengis.net/fes/2.0'><fes:PropertyIsEqualTo><fes:ValueReference>LEDNING"
        "</fes:ValueReference><fes:Literal>07</fes:Literal></fes:PropertyIsEqualTo></fes:Filter>"
    )
    assert load(city(tmp_path, url, "wfs", f'layer = "mains"\nfilter = "{wanted}"')).sources[0].kept == 1
    with pytest.raises(ConfigError, match="either bbox or filter"):
        load(city(tmp_path, url, "wfs", f'layer = "mains"\nbbox = [1, 1, 2, 2]\nfilter = "{wanted}"'))


def test_a_missing_type_names_those_there_are(tmp_path: Path, url: str) -> None:
    with pytest.raises(InputError, match=r"feature type 'main', the service has .*mains.*Did you mean '.*mains'"):
        load(city(tmp_path, url, "wfs", 'layer = "main"'))
    with pytest.raises(InputError, match=r"no single feature type.*mains.*hydrants"):
        load(city(tmp_path, url, "wfs"))


def test_an_exception_report_is_told_and_the_earlier_load_stays(tmp_path: Path, url: str) -> None:
    load(city(tmp_path, url, "wfs", 'layer = "mains"'))
    with pytest.raises(InputError, match=r"pipes \(http.* mains\): the service answers with an exception: \S+"):
        load(city(tmp_path, url, "wfs", 'layer = "mains"\ncrs = "EPSG:2154"'))
    assert rows(tmp_path, "SELECT count(*) FROM pipe") == [(35,)]


def test_a_web_page_is_no_answer(tmp_path: Path) -> None:
    with (
        serving(lambda asked: Answer(b"<!DOCTYPE html><html>log in</html>", kind="text/html")) as web,
        pytest.raises(InputError, match=r"pipes .*the answer is text/html, expected XML"),
    ):
        load(city(tmp_path, web.url, "wfs", 'layer = "mains"'))


def test_a_service_that_ignores_start_index_is_told(tmp_path: Path, served: tuple[Web, Path], url: str) -> None:
    def forgetful(asked: Asked) -> Answer:
        asked.query.pop("startIndex", None)
        return served[0].answer(asked)

    with (
        serving(forgetful) as web,
        pytest.raises(InputError, match=r"page 2 repeats what came before: 10 of its 10 features"),
    ):
        load(city(tmp_path, f"{web.url}/wfs", "wfs", 'layer = "mains"\npage_rows = 10'))


def test_a_gml_file_calls_no_schema(tmp_path: Path, served: tuple[Web, Path], url: str) -> None:
    web = served[0]
    query = {"service": "WFS", "version": "2.0.0", "request": "GetFeature", "typeNames": "mains"}
    answer = web.answer(Asked("/wfs", query, {}))
    assert f"{web.url}/wfs?SERVICE=WFS".encode() in answer.body  # the schema's address
    (tmp_path / "mains.gml").write_bytes(answer.body)
    layer = VectorLayer(tmp_path / "mains.gml")
    assert sum(chunk.frame.height for chunk in layer.chunks(["LEDNING"])) == 35
    assert web.asked == []
