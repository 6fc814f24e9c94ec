"""Loading from an ArcGIS service: paging, edits, faults halfway; the earlier load stays in force."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from servers.arcgis import KEY, Service, arcgis
from stored import rows
from vardag.core.errors import ConfigError, InputError, RefusedError
from vardag.water.commands.load import SourceReport, load

DAY = 86_400_000
FIELDS = [("LEDNING", "String"), ("MATERIAL", "String"), ("LAGD", "Date"), ("ANDRAD", "Date")]


def row(number: int, *, material: str = "GJJ", edited: int = 19_000 * DAY) -> dict[str, Any]:
    path = [[18.0 + number / 1000, 59.3], [18.0 + number / 1000, 59.301]]
    return {KEY: number, "LEDNING": f"0{number}", "MATERIAL": material, "LAGD": number * DAY, "ANDRAD": edited,
            "path": path}  # fmt: skip


@pytest.fixture
def service() -> Iterator[Service]:
    with arcgis(Service([row(number) for number in range(1, 36)], FIELDS)) as running:
        yield running


def city(folder: Path, url: str, extra: str = "") -> Path:
    text = f"""[city]
name = "Ytterby"
owner = "VA"
crs = "EPSG:3006"
[sources.pipes]
table = "pipe"
url = "{url}"
service = "arcgis"
{extra}
[sources.pipes.columns]
pipe_id = "LEDNING"
material = "MATERIAL"
install_date = "LAGD"
"""
    (folder / "city.toml").write_text(text, encoding="utf-8")
    return folder


def loaded(folder: Path) -> SourceReport:
    return load(folder).sources[0]


@pytest.mark.parametrize("geojson", [True, False])
def test_all_pages_come_in_and_a_second_load_is_unchanged(tmp_path: Path, service: Service, geojson: bool) -> None:
    service.geojson = geojson
    city(tmp_path, f"{service.url}/0")
    report = loaded(tmp_path)
    assert (report.status, report.rows_in, report.kept, len(service.pages)) == ("loaded", 35, 35, 4)
    first = "SELECT pipe_id, material, CAST(install_date AS TEXT) FROM pipe ORDER BY line LIMIT 2"
    assert rows(tmp_path, first) == [("01", "CI", "1970-01-02"), ("02", "CI", "1970-01-03")]
    assert rows(tmp_path, "SELECT count(*) FROM pipe WHERE length_m BETWEEN 111 AND 112") == [(35,)]
    assert loaded(tmp_path).status == "unchanged"


def test_only_what_was_edited_is_asked_for(tmp_path: Path, service: Service) -> None:
    service.rows = [row(number, edited=18_000 * DAY + number * 60_000) for number in range(1, 36)]
    city(tmp_path, f"{service.url}/0", 'edited = "ANDRAD"')
    loaded(tmp_path)
    service.pages.clear()
    service.rows = [entry for entry in service.rows if entry[KEY] != 3]
    service.rows[4] = row(6, material="PE", edited=19_100 * DAY)
    service.rows.append(row(99, edited=19_101 * DAY))
    assert loaded(tmp_path).kept == 35
    assert service.pages == ["6,35,99"]  # 35 was the last edited before: its second is asked for again
    changed = "SELECT pipe_id FROM pipe WHERE material = 'PE' OR pipe_id IN ('03', '099') ORDER BY 1"
    assert rows(tmp_path, changed) == [("06",), ("099",)]
    service.pages.clear()
    assert (loaded(tmp_path).status, service.pages) == ("unchanged", ["99"])


def test_a_server_that_fails_halfway_leaves_the_earlier_load_and_goes_on(tmp_path: Path, service: Service) -> None:
    city(tmp_path, f"{service.url}/0")
    loaded(tmp_path)
    service.rows.append(row(36))
    service.pages.clear()
    service.fail_on_page = 3
    with pytest.raises(InputError, match=r"pipes: .*/query answers 500 .*Internal error.*earlier load stays"):
        load(tmp_path)
    assert rows(tmp_path, "SELECT count(*) FROM pipe") == [(35,)]
    service.fail_on_page = None
    service.pages.clear()
    assert loaded(tmp_path).kept == 36
    assert len(service.pages) == 2  # the two that were missing of four


def test_a_page_that_repeats_is_told_and_forgotten(tmp_path: Path, service: Service) -> None:
    city(tmp_path, f"{service.url}/0")
    service.repeat_page = True
    with pytest.raises(InputError, match=r"pipes \(http.*page 2 has 10 rows, 10 of which came before.*Load again"):
        load(tmp_path)
    service.repeat_page = False
    assert loaded(tmp_path).kept == 35


def test_a_layer_that_changed_its_columns_leaves_the_earlier_load(tmp_path: Path, service: Service) -> None:
    city(tmp_path, f"{service.url}/0")
    loaded(tmp_path)
    service.fields[1] = ("MATRL", "String")
    service.rows = [{("MATRL" if k == "MATERIAL" else k): v for k, v in entry.items()} for entry in service.rows]
    with pytest.raises(InputError, match=r"no column 'MATERIAL'.*Did you mean 'MATRL'"):
        load(tmp_path)
    assert rows(tmp_path, "SELECT count(*) FROM pipe") == [(35,)]


def test_a_busy_server_is_asked_again(tmp_path: Path, service: Service) -> None:
    service.busy_times = 2
    assert loaded(city(tmp_path, f"{service.url}/0")).kept == 35


def test_the_filter_is_sent_along(tmp_path: Path, service: Service) -> None:
    service.rows[0]["MATERIAL"] = "PE"
    assert loaded(city(tmp_path, service.url, 'filter = "MATERIAL = \'PE\'"\nlayer = "Water Mains"')).kept == 1


def test_a_missing_layer_names_those_there_are(tmp_path: Path, service: Service) -> None:
    with pytest.raises(InputError, match=r"error 404: Layer not found.*The service has: 0 Water Mains"):
        load(city(tmp_path, f"{service.url}/7"))
    with pytest.raises(InputError, match=r"no layer 'Water Main'.*Did you mean 'Water Mains'"):
        load(city(tmp_path, service.url, 'layer = "Water Main"'))


def test_html_is_no_answer(tmp_path: Path, service: Service) -> None:
    service.html = True
    with pytest.raises(InputError, match="answers with text/html, expected JSON"):
        load(city(tmp_path, f"{service.url}/0"))


def test_the_token_is_sent_and_never_said(
    tmp_path: Path, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.token = "hemligt-9f3"
    city(tmp_path, f"{service.url}/0", 'token = "VARDAG_TOKEN_VA"')
    monkeypatch.delenv("VARDAG_TOKEN_VA", raising=False)
    with pytest.raises(ConfigError, match=r"VARDAG_TOKEN_VA.*is not set"):
        load(tmp_path)
    monkeypatch.setenv("VARDAG_TOKEN_VA", "fel")
    with pytest.raises(InputError, match="error 499: Token Required"):
        load(tmp_path)
    monkeypatch.setenv("VARDAG_TOKEN_VA", service.token)
    service.fail_on_page = 2
    with pytest.raises(InputError) as failure:
        load(tmp_path)
    assert service.token not in str(failure.value)
    service.fail_on_page = None
    assert loaded(tmp_path).kept == 35
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in kept if service.token.encode() in path.read_bytes()]


def test_offline_calls_nobody(tmp_path: Path, service: Service) -> None:
    assert service.web is not None
    city(tmp_path, f"{service.url}/0")
    with pytest.raises(RefusedError, match=r"pipes: offline.*--offline"):
        load(tmp_path, offline=True)
    assert service.web.asked == []
