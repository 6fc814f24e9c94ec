"""A real WFS: Debian's MapServer as a CGI program behind a small server on loopback."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from servers.web import Answer, Asked, Web, serving

PROGRAMS = ("/usr/lib/cgi-bin/mapserv", "/usr/bin/mapserv")
CONFIG = 'CONFIG\nENV\nMS_MAP_PATTERN "."\nEND\nEND\n'
MAP = """MAP
NAME "VA"
EXTENT 17 58 20 60
PROJECTION "init=epsg:4326" END
WEB METADATA
  "wfs_title" "VA" "wfs_enable_request" "*" "wfs_srs" "EPSG:4326 EPSG:3006" "wfs_onlineresource" "{url}/wfs"
END END
{layers}
END
"""
LAYER = """LAYER
NAME "{name}" TYPE LINE STATUS ON CONNECTIONTYPE OGR CONNECTION "{file}" DATA "{name}"
PROJECTION "init=epsg:4326" END
METADATA "wfs_title" "{name}" "gml_include_items" "all" "gml_featureid" "LEDNING" "gml_LEDNING_type" "Character"
  "wfs_enable_request" "*" END
END
"""


def require() -> str:
    """Program of MapServer; without it the test is skipped by name, in CI it fails."""
    found = next((name for name in PROGRAMS if Path(name).is_file()), None) or shutil.which("mapserv")
    if found is not None:
        return found
    message = "wfs: MapServer is not installed (apt-get install mapserver-bin)"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


@contextmanager
def mapserver(folder: Path, layers: dict[str, list[dict[str, Any]]]) -> Iterator[Web]:
    """Serve GeoJSON features by layer; `write` changes them while it serves."""
    program = require()
    (folder / "ms.conf").write_text(CONFIG)
    environment = {"REQUEST_METHOD": "GET", "MS_MAPFILE": str(folder / "va.map"),
                   "MAPSERVER_CONFIG_FILE": str(folder / "ms.conf")}  # fmt: skip

    def answer(asked: Asked) -> Answer:
        variables = environment | {"QUERY_STRING": urlencode(asked.query)}
        done = subprocess.run([program], env=variables, capture_output=True, check=False, timeout=30)
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        kind = head.decode().partition("Content-Type: ")[2].splitlines()[0]
        return Answer(body, kind=kind)

    with serving(answer) as web:
        for name, features in layers.items():
            write(folder, name, features)
        described = "".join(LAYER.format(name=name, file=folder / f"{name}.geojson") for name in layers)
        (folder / "va.map").write_text(MAP.format(url=web.url, layers=described))
        yield web


def write(folder: Path, name: str, features: list[dict[str, Any]]) -> None:
    """Put features in the place of a layer's."""
    document = {"type": "FeatureCollection", "name": name, "features": features}
    (folder / f"{name}.geojson").write_text(json.dumps(document))
