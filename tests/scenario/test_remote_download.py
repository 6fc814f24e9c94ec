"""A file at an address: unchanged, cut off, resumed, packed, redirected; and a load that is killed in a fetch."""

import io
import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any
from zipfile import ZipFile

import pytest

from servers.arcgis import KEY, Service
from servers.remote import city
from servers.web import Answer, Asked, serving
from stored import rows
from vardag.core.config import settings
from vardag.core.errors import InputError, RefusedError
from vardag.water.commands.load import load


def document(number: int) -> bytes:
    features = [
        {"type": "Feature", "properties": {"LEDNING": f"0{n}", "MATERIAL": "GJJ"},
         "geometry": {"type": "LineString", "coordinates": [[18 + n / 1000, 59.3], [18 + n / 1000, 59.301]]}}
        for n in range(1, number + 1)
    ]  # fmt: skip
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


@dataclass
class FileServer:
    """One file with an ETag; knows of ranges; ``cut`` hangs up after so many bytes."""

    body: bytes
    tag: str = '"1"'
    cut: int | None = None
    kind: str = "application/geo+json"
    statuses: list[int] = field(default_factory=list)

    def answer(self, asked: Asked) -> Answer:
        answer = self._answer(asked)
        self.statuses.append(answer.status)
        return answer

    def _answer(self, asked: Asked) -> Answer:
        tag = {"ETag": self.tag}
        if asked.headers.get("If-None-Match") == self.tag:
            return Answer(b"", 304, self.kind, tag)
        wanted = asked.headers.get("Range")
        if wanted and asked.headers.get("If-Range") == self.tag:
            return Answer(self.body[int(wanted[6:].rstrip("-")) :], 206, self.kind, tag)
        return Answer(self.body, 200, self.kind, tag, cut=self.cut)


def test_a_file_is_fetched_again_only_when_it_changed(tmp_path: Path) -> None:
    files = FileServer(document(35))
    with serving(files.answer) as web:
        city(tmp_path, f"{web.url}/mains.geojson", "download")
        assert load(tmp_path).sources[0].kept == 35
        assert load(tmp_path).sources[0].status == "unchanged"
        files.body, files.tag = document(36), '"2"'
        assert load(tmp_path).sources[0].kept == 36
    assert files.statuses == [200, 304, 200]


def test_a_file_that_is_cut_off_is_told_and_goes_on_from_there(tmp_path: Path) -> None:
    files = FileServer(document(35))
    with serving(files.answer) as web:
        city(tmp_path, f"{web.url}/mains.geojson", "download")
        load(tmp_path)
        files.body, files.tag, files.cut = document(36), '"2"', 300
        with pytest.raises(InputError, match=r"pipes .*cut off: got 300 of \d+ bytes.*earlier load stays"):
            load(tmp_path)
        assert rows(tmp_path, "SELECT count(*) FROM pipe") == [(35,)]
        assert load(tmp_path).sources[0].kept == 36
        assert (web.asked[-1].headers["Range"], files.statuses) == ("bytes=300-", [200, 200, 206])


def test_a_file_that_changed_after_it_was_cut_off_starts_anew(tmp_path: Path) -> None:
    files = FileServer(document(35), cut=300)
    with serving(files.answer) as web:
        city(tmp_path, f"{web.url}/mains.geojson", "download")
        with pytest.raises(InputError, match="cut off"):
            load(tmp_path)
        files.body, files.tag, files.cut = document(36), '"2"', None
        assert load(tmp_path).sources[0].kept == 36


def packed(**entries: bytes) -> bytes:
    into = io.BytesIO()
    with ZipFile(into, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), content)
    return into.getvalue()


def test_an_archive_with_one_file_is_unpacked(tmp_path: Path) -> None:
    files = FileServer(packed(data__mains_geojson=document(35), readme_md=b"read me"), kind="application/zip")
    with serving(files.answer) as web:
        city(tmp_path, f"{web.url}/export", "download")
        assert load(tmp_path).sources[0].kept == 35
        assert load(tmp_path).sources[0].status == "unchanged"
        files.body, files.tag = packed(a_geojson=document(1), b_geojson=document(1)), '"2"'
        with pytest.raises(InputError, match=r"holds 2 files that can be read \(a.geojson, b.geojson\)"):
            load(tmp_path)
        files.body, files.tag = b"PK nothing", '"3"'
        with pytest.raises(InputError, match="archive is damaged"):
            load(tmp_path)
    assert rows(tmp_path, "SELECT count(*) FROM pipe") == [(35,)]


def test_a_page_is_no_file(tmp_path: Path) -> None:
    files = FileServer(b"<html>", kind="text/html")
    with serving(files.answer) as web, pytest.raises(InputError, match="gives text/html, expected a file"):
        load(city(tmp_path, f"{web.url}/mains.geojson", "download"))


def test_a_redirect_to_another_host_is_not_followed(tmp_path: Path) -> None:
    with (
        serving(FileServer(document(35)).answer) as other,
        serving(lambda asked: Answer(b"", 302, headers={"Location": f"{other.url}/x.geojson"})) as web,
        pytest.raises(RefusedError, match=r"pipes: .*another host"),
    ):
        load(city(tmp_path, f"{web.url}/mains.geojson", "download"))
    assert other.asked == []


def test_offline_calls_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(FileServer(document(35)).answer) as web:
        city(tmp_path, f"{web.url}/mains.geojson", "download")
        with pytest.raises(RefusedError, match=r"pipes: offline"):
            load(tmp_path, offline=True)
        monkeypatch.setenv("VARDAG_OFFLINE", "1")
        settings.cache_clear()
        try:
            with pytest.raises(RefusedError, match=r"pipes: offline"):
                load(tmp_path)
        finally:
            monkeypatch.delenv("VARDAG_OFFLINE")
            settings.cache_clear()
        assert web.asked == []


def main_row(number: int) -> dict[str, Any]:
    path = [[18.0 + number / 1000, 59.3], [18.0 + number / 1000, 59.301]]
    return {KEY: number, "LEDNING": f"0{number}", "MATERIAL": "GJJ", "path": path}


LOAD = "import sys; from pathlib import Path; from vardag.water.commands.load import load; load(Path(sys.argv[1]))"


def test_a_load_killed_in_a_fetch_leaves_the_earlier_one_and_goes_on(tmp_path: Path) -> None:
    service = Service([main_row(n) for n in range(1, 36)], [("LEDNING", "String"), ("MATERIAL", "String")])
    reached, go_on, hold = Event(), Event(), Event()

    def answer(asked: Asked) -> Answer:
        page = asked.path.endswith("/query") and "returnIdsOnly" not in asked.query
        if hold.is_set() and page and len(service.pages) == 2:
            reached.set()
            go_on.wait(30)
            raise ConnectionAbortedError
        return service.answer(asked)

    with serving(answer) as service.web:
        service.web.server.handle_error = lambda *_: None  # type: ignore[method-assign]
        load(city(tmp_path, f"{service.url}/0", "arcgis"))
        service.rows.append(main_row(36))
        service.pages.clear()
        hold.set()
        process = subprocess.Popen([sys.executable, "-c", LOAD, str(tmp_path)])
        try:
            assert reached.wait(30)
        finally:
            process.kill()
            process.wait()
            hold.clear()
            go_on.set()
        assert rows(tmp_path, "SELECT count(*) FROM pipe") == [(35,)]
        service.pages.clear()
        assert load(tmp_path).sources[0].kept == 36
        assert len(service.pages) == 2  # the two that had not come of four
