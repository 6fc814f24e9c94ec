"""A real pygeoapi on loopback with one collection in GeoJSON, in a process of its own, ended by its pid."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import yaml

COLLECTION = "water_mains"
# Its own start-up is left out: it wants an OpenAPI document, which no client here reads.
SERVE = "import sys; from pygeoapi.flask_app import APP; APP.run('127.0.0.1', int(sys.argv[1]))"


@contextmanager
def pygeoapi(folder: Path, features: list[dict[str, Any]]) -> Iterator[str]:
    """Serve features from a folder; gives the address of the service."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    write(folder, features)
    (folder / "config.yml").write_text(yaml.safe_dump(_config(folder, url, port)))
    (folder / "openapi.json").write_text("{}")
    environment = os.environ | {
        "PYGEOAPI_CONFIG": str(folder / "config.yml"), "PYGEOAPI_OPENAPI": str(folder / "openapi.json"),
    }  # fmt: skip
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", SERVE, str(port)],
            env=environment,
            cwd=folder,
            stdout=log,
            stderr=log,
        )
        try:
            _ready(server, url, folder)
            yield url
        finally:
            server.terminate()
            server.wait(timeout=30)


def write(folder: Path, features: list[dict[str, Any]]) -> None:
    """Put features in the place of those served; pygeoapi reads the file at each question."""
    (folder / "mains.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))


def _config(folder: Path, url: str, port: int) -> dict[str, Any]:
    extent = {"spatial": {"bbox": [17, 58, 20, 60], "crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84"}}
    provider = {
        "type": "feature", "name": "GeoJSON", "data": str(folder / "mains.geojson"), "id_field": "LEDNING",
        "crs": [f"http://www.opengis.net/def/crs/EPSG/0/{code}" for code in (4326, 3006)],
        "storage_crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84",
    }  # fmt: skip
    collection = {
        "type": "collection", "title": "Mains", "description": "Mains", "keywords": ["water"], "links": [],
        "extents": extent, "providers": [provider],
    }  # fmt: skip
    return {
        "server": {
            "bind": {"host": "127.0.0.1", "port": port}, "url": url, "mimetype": "application/json; charset=UTF-8",
            "encoding": "utf-8", "languages": ["en-US"], "limits": {"default_items": 10, "max_items": 10},
            "map": {"url": "http://127.0.0.1/", "attribution": "none"}, "gzip": False, "cors": False,
        },
        "logging": {"level": "ERROR"},
        "metadata": {
            "identification": {"title": "VA", "description": "VA", "keywords": ["water"], "url": url},
            "license": {"name": "CC0", "url": "http://127.0.0.1/"},
            "provider": {"name": "VA", "url": "http://127.0.0.1/"},
            "contact": {"name": "VA", "email": "va@example.org", "url": "http://127.0.0.1/"},
        },
        "resources": {COLLECTION: collection},
    }  # fmt: skip


def _ready(server: "subprocess.Popen[bytes]", url: str, folder: Path) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            with urlopen(f"{url}/collections?f=json", timeout=10):
                return
        except (URLError, ConnectionError):
            if server.poll() is not None or time.monotonic() > until:
                raise RuntimeError((folder / "log").read_text()[-2000:]) from None
            time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
