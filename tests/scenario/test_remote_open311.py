"""Citizens' reports by GeoReport v2: pages, windows and services without pages; the free text is not taken."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from servers.web import Answer, Asked, serving
from stored import rows
from vardag.core.errors import ConfigError, InputError
from vardag.water.commands.load import load

FIRST = datetime(2024, 1, 1, tzinfo=UTC)
SECRET = "Anna Andersson i 3B har vatten i kallaren"


def request(number: int) -> dict[str, Any]:
    """One request a day, as the standard writes it."""
    moment = (FIRST + timedelta(days=number)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "service_request_id": f"r{number}", "status": "open", "service_name": "Vattenlacka", "service_code": "7",
        "description": SECRET, "requested_datetime": moment, "address": "Storgatan 1", "lat": 59.3,
        "long": 18.0 + number / 10_000, "media_url": "http://127.0.0.1/bild.jpg",
    }  # fmt: skip


REQUESTS = [request(number) for number in range(200)]


def service(asked: Asked, *, pages: bool = True, most: int = 1000) -> Answer:
    assert asked.path == "/open311/v2/requests.json"
    start, end = asked.query.get("start_date", ""), asked.query.get("end_date", "9")
    found = [row for row in REQUESTS if start <= row["requested_datetime"] <= end]
    size = min(int(asked.query.get("page_size", most)), most)
    first = (int(asked.query.get("page", 1)) - 1) * size if pages else 0
    return Answer(json.dumps(found[first : first + size]).encode())


def city(folder: Path, url: str, extra: str = "") -> Path:
    text = f"""[city]
name = "Ytterby"
owner = "VA"
crs = "EPSG:3006"
[sources.reports]
preset = "open311"
url = "{url}/open311/v2"
service = "open311"
{extra}
"""
    (folder / "city.toml").write_text(text, encoding="utf-8")
    return folder


def test_all_pages_come_in_and_no_free_text_is_kept(tmp_path: Path) -> None:
    with serving(service) as web:
        city(tmp_path, web.url, "page_rows = 60")
        assert load(tmp_path).sources[0].kept == 200
        assert [asked.query["page"] for asked in web.asked] == ["1", "2", "3", "4", "5"]
        assert load(tmp_path).sources[0].status == "unchanged"
    first = "SELECT report_id, CAST(reported_on AS DATE)::TEXT, status, street FROM report WHERE report_id = 'r0'"
    assert rows(tmp_path, first) == [("r0", "2024-01-01", "open", "Storgatan 1")]
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert kept
    assert not [path.name for path in kept if b"Andersson" in path.read_bytes()]


def test_windows_meet_and_no_request_comes_twice(tmp_path: Path) -> None:
    window = 'filter = "start_date=2024-01-01T00:00:00Z&end_date=2024-07-18T00:00:00Z&service_code=7"'
    with serving(service) as web:
        assert load(city(tmp_path, web.url, window)).sources[0].kept == 200
    starts = sorted({asked.query["start_date"] for asked in web.asked})
    assert starts == ["2024-01-01T00:00:00Z", "2024-03-31T00:00:00Z", "2024-06-29T00:00:00Z"]
    assert {asked.query["service_code"] for asked in web.asked} == {"7"}


def test_a_service_without_pages_is_asked_for_windows(tmp_path: Path) -> None:
    window = 'filter = "start_date=2024-01-01T00:00:00Z&end_date=2024-07-18T00:00:00Z"'
    with serving(lambda asked: service(asked, pages=False)) as web:
        assert load(city(tmp_path, web.url, window)).sources[0].kept == 200


def test_faults_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"reports: start_date is 'yesterday' in filter"):
        load(city(tmp_path, "http://127.0.0.1:1", 'filter = "start_date=yesterday"'))
    with (
        serving(lambda asked: Answer(b'{"errors": "no such jurisdiction"}')) as web,
        pytest.raises(InputError, match=r"reports .*no list of requests.*no such jurisdiction"),
    ):
        load(city(tmp_path, web.url))
