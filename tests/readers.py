"""City folders with one source each, for tests of the readers."""

from pathlib import Path
from typing import Any

from vardag.core.db import connect
from vardag.water.commands.load import LoadReport

CITY = '[city]\nname = "Ytterby"\nowner = "VA"\ncrs = "EPSG:3006"\n'
BREAKS = """
[sources.breaks]
table = "break"
path = "{path}"
[sources.breaks.columns]
break_date = "DATUM"
asset_id = "LEDNING"
"""


def city_folder(path: Path, toml: str) -> Path:
    """Write the folder's city.toml, in SWEREF 99 TM."""
    (path / "city.toml").write_text(CITY + toml, encoding="utf-8")
    return path


def table(path: Path, sql: str) -> list[tuple[Any, ...]]:
    """Rows of a query on the folder's database."""
    with connect(path / "vardag.duckdb") as connection:
        return connection.execute(sql).fetchall()


def only(report: LoadReport) -> Any:
    """The report of the one source."""
    assert len(report.sources) == 1
    return report.sources[0]
