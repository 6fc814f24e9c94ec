"""The tables as documented code: the database, the column mapping and the reference page are made from these.

Input tables hold what the city delivered, one row per record, traced to source and line. Derived tables hold
results; they can be emptied and made again. Lengths are metres, diameters millimetres, dates local days.
"""

import duckdb

from vardag.core.errors import DatabaseError
from vardag.water.schema.derived import (
    CHECK_RESULT,
    DELIVERY,
    FIELD_FILL,
    FORMER_PIPE,
    LIFE,
    LINK,
    LINK_CANDIDATE,
    LINK_QUALITY,
    PIPE_CHANGE,
    PREDICTION,
    QUARANTINE,
    SETTLEMENT,
    SOURCE,
)
from vardag.water.schema.model import Column, Table
from vardag.water.schema.network import BREAK, DMA, HYDRANT, PIPE, PRESSURE, PRESSURE_ZONE, SERVICE, VALVE
from vardag.water.schema.surroundings import (
    BUILDING,
    ELEVATION,
    LAND_USE,
    RAIL,
    REPORT,
    ROAD,
    SOIL,
    WEATHER,
    WORKS,
)

__all__ = [
    "BREAK",
    "CHECK_RESULT",
    "DELIVERED",
    "DELIVERY",
    "FORMER_PIPE",
    "PIPE",
    "PREDICTION",
    "SOURCE",
    "TABLES",
    "VERSION",
    "Column",
    "Table",
    "migrate",
    "reference",
]

VERSION = 2


TABLES = (
    PIPE, BREAK, VALVE, HYDRANT, SERVICE, PRESSURE_ZONE, DMA, PRESSURE, ROAD, RAIL, SOIL, LAND_USE, BUILDING,
    ELEVATION, WEATHER, WORKS, REPORT, SOURCE, DELIVERY, FIELD_FILL, QUARANTINE, CHECK_RESULT, FORMER_PIPE,
    PIPE_CHANGE, LINK, LINK_CANDIDATE, LINK_QUALITY, SETTLEMENT, LIFE, PREDICTION,
)  # fmt: skip
DELIVERED = {table.name: table for table in TABLES if table.delivered}


def migrate(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the tables and columns that are missing and note the schema's version.

    Raises
    ------
    DatabaseError
        When the file was written by a later version of Vardag (cure: update Vardag).
    """
    connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER)")
    found = connection.execute("SELECT max(version) FROM schema_version").fetchone()
    version = found[0] if found and found[0] is not None else 0
    if version > VERSION:
        raise DatabaseError(
            f"the database has schema version {version}, this Vardag knows {VERSION}. Update Vardag."
        )
    for table in TABLES:
        connection.execute(table.ddl())
    names = "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal"
    there = set(connection.execute(names).fetchall())
    for table in TABLES:
        for column in table.columns:
            if (table.name, column.name) not in there:
                connection.execute(f'ALTER TABLE "{table.name}" ADD COLUMN "{column.name}" {column.type}')
    if version < VERSION:
        connection.execute("INSERT INTO schema_version VALUES (?)", [VERSION])


def reference() -> str:
    """Write the reference page of the tables (Markdown)."""
    parts = ["# Tables\n\nMade from `src/vardag/water/schema` by `vardag docs`.\n"]
    for table in TABLES:
        parts.append(f"\n## {table.name}\n\n{table.doc}\n\n| column | type | unit | meaning |\n|---|---|---|---|\n")
        parts += [f"| `{c.name}` | {c.type} | {c.unit} | {c.doc} |\n" for c in table.columns]
    return "".join(parts)
