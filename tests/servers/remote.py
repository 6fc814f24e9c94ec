"""A city with one source at an address, for the tests of services."""

from pathlib import Path
from typing import Any

from vardag.core.db import connect


def city(folder: Path, url: str, service: str, extra: str = "", *, columns: str | None = None) -> Path:
    """Write city.toml with pipes at an address."""
    mapped = 'pipe_id = "LEDNING"\nmaterial = "MATERIAL"' if columns is None else columns
    text = f"""[city]
name = "Ytterby"
owner = "VA"
crs = "EPSG:3006"
[sources.pipes]
table = "pipe"
url = "{url}"
service = "{service}"
{extra}
[sources.pipes.columns]
{mapped}
"""
    (folder / "city.toml").write_text(text, encoding="utf-8")
    return folder


def rows(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    """Ask the city's database."""
    with connect(folder / "vardag.duckdb", read_only=True) as connection:
        return connection.execute(sql).pl().rows()
