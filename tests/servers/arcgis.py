"""A stand-in for an ArcGIS feature service, after Esri's published REST specification, with switches for faults."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from servers.web import Answer, Asked, Web, serving

KEY = "OBJECTID"


@dataclass
class Service:
    """One layer with rows of attributes and longitude and latitude; change it while it serves."""

    rows: list[dict[str, Any]]
    fields: list[tuple[str, str]]
    most: int = 10
    geojson: bool = True
    token: str | None = None
    fail_on_page: int | None = None
    busy_times: int = 0
    repeat_page: bool = False
    html: bool = False
    pages: list[str] = field(default_factory=list)
    web: Web | None = None

    @property
    def url(self) -> str:
        assert self.web is not None
        return f"{self.web.url}/arcgis/rest/services/VA/FeatureServer"

    def answer(self, asked: Asked) -> Answer:
        if self.html:
            return Answer(b"<html>log in</html>", kind="text/html")
        if self.busy_times > 0:
            self.busy_times -= 1
            return Answer(b"busy", 503, "text/plain", {"Retry-After": "0"})
        if self.token and asked.query.get("token") != self.token:
            return _json({"error": {"code": 499, "message": "Token Required", "details": []}})
        tail = asked.path.partition("/FeatureServer")[2]
        if tail == "":
            return _json({"layers": [{"id": 0, "name": "Water Mains"}], "tables": []})
        if not tail.startswith("/0"):
            return _json({"error": {"code": 404, "message": "Layer not found", "details": []}})
        return self._query(asked.query) if tail == "/0/query" else _json(self._about())

    def _about(self) -> dict[str, Any]:
        return {
            "id": 0, "name": "Water Mains", "objectIdField": KEY, "maxRecordCount": self.most,
            "supportedQueryFormats": "JSON, geoJSON" if self.geojson else "JSON",
            "fields": [{"name": KEY, "type": "esriFieldTypeOID"}]
            + [{"name": name, "type": f"esriFieldType{kind}"} for name, kind in self.fields],
            "extent": {"spatialReference": {"wkid": 4326}},
        }  # fmt: skip

    def _query(self, query: dict[str, str]) -> Answer:
        rows = sorted((row for row in self.rows if _fits(row, query["where"])), key=lambda row: row[KEY])
        if query.get("returnIdsOnly") == "true":
            return _json({"objectIdFieldName": KEY, "objectIds": [row[KEY] for row in rows] or None})
        if keys := query.get("objectIds"):
            rows = [row for row in rows if row[KEY] in {int(key) for key in keys.split(",")}]
        self.pages.append(query.get("objectIds") or query["where"])
        if self.fail_on_page == len(self.pages):
            return Answer(b"Internal error", 500, "text/plain")
        if self.repeat_page and len(self.pages) > 1:
            rows = sorted(self.rows, key=lambda row: row[KEY])
        exceeded, rows = len(rows) > self.most, rows[: self.most]
        return _json(_geojson(rows, exceeded) if query["f"] == "geojson" else _esri(rows, exceeded))


def _fits(row: dict[str, Any], where: str) -> bool:
    """The part of SQL-92 that is asked here: comparisons joined by AND."""
    for column, sign, text in re.findall(r"(\w+)\s*(>=|<=|=)\s*(TIMESTAMP '[^']+'|'[^']*'|-?\d+)", where):
        if column == "1":
            continue
        value = row.get(column)
        if value is None:
            return False
        wanted: Any = text.strip("'") if text.startswith("'") else text
        if text.startswith("TIMESTAMP"):
            moment = datetime.fromisoformat(text.split("'")[1]).replace(tzinfo=UTC)
            wanted = moment.timestamp() * 1000
        elif not text.startswith("'"):
            wanted = int(text)
        if not {">=": value >= wanted, "<=": value <= wanted, "=": value == wanted}[sign]:
            return False
    return True


def _attributes(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in {"path", "rings"}}


def _geojson(rows: list[dict[str, Any]], exceeded: bool) -> dict[str, Any]:
    features = [
        {"type": "Feature", "id": row[KEY], "geometry": {"type": "LineString", "coordinates": row["path"]},
         "properties": _attributes(row)}
        for row in rows
    ]  # fmt: skip
    return {"type": "FeatureCollection", "features": features, "properties": {"exceededTransferLimit": exceeded}}


def _esri(rows: list[dict[str, Any]], exceeded: bool) -> dict[str, Any]:
    features = [{"attributes": _attributes(row), "geometry": {"paths": [row["path"]]}} for row in rows]
    return {"objectIdFieldName": KEY, "features": features, "exceededTransferLimit": exceeded}


def _json(value: Any) -> Answer:
    return Answer(json.dumps(value).encode())


@contextmanager
def arcgis(service: Service) -> Iterator[Service]:
    with serving(service.answer) as web:
        service.web = web
        yield service
