"""A table or view of a PostGIS database as a source: one query, one snapshot, one Parquet file."""

from dataclasses import dataclass
from pathlib import Path

import duckdb
import psycopg

from vardag.core.address import redacted
from vardag.core.db import connect
from vardag.core.errors import InputError
from vardag.core.postgres import ATTACHED, Rows, attached, execute, explained, literal, open_server, quoted
from vardag.water.city import City, Source, did_you_mean
from vardag.water.sources.delivery import Delivery
from vardag.water.sources.remote import secret_of

TABLES = (
    "SELECT schemaname || '.' || tablename FROM pg_tables UNION SELECT schemaname || '.' || viewname FROM pg_views"
)
COLUMNS = """
SELECT column_name, data_type IN ('USER-DEFINED', 'ARRAY', 'json', 'jsonb', 'xml', 'uuid', 'interval')
FROM information_schema.columns WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position
"""
GEOMETRIES = "SELECT f_geometry_column, srid FROM geometry_columns WHERE f_table_schema = %s AND f_table_name = %s"
KEY = """
SELECT a.attname FROM pg_index AS i JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
WHERE i.indisprimary AND i.indrelid = to_regclass(%s) ORDER BY array_position(i.indkey, a.attnum)
"""


@dataclass(frozen=True)
class Layer:
    """A table as the server describes it: its place, plain columns, geometry with SRID (0: not known), and key."""

    schema: str
    table: str
    columns: dict[str, bool]
    geometry: str | None
    srid: int
    key: list[str]


def fetch_postgis(city: City, name: str, folder: Path) -> Delivery:
    """Fetch a table whole, in the order of its key, as of one moment.

    Raises
    ------
    DatabaseError
        When the server does not answer or lets nobody in.
    InputError
        When there is no such table (did you mean), or it may not be read, or the filter is not understood.
    """
    source, password = city.sources[name], secret_of(city, name)
    url, where = str(source.url), f"{name} ({redacted(str(source.url))})"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open_server(url, password=password) as server:
        layer = _describe(server, source.layer or "", where)
    part, whole = folder / "table.part", folder / "table.parquet"
    sql = f"SELECT * FROM postgres_query('{ATTACHED}', {literal(_query(layer, source))})"  # noqa: S608
    try:
        with connect(None) as connection, attached(connection, url, password=password):
            connection.execute(f"COPY ({sql}) TO {literal(str(part))} (FORMAT parquet)")
    except duckdb.Error as error:
        raise InputError(
            f"{where}: {layer.schema}.{layer.table} cannot be read: {explained(error)} Look at the user's rights "
            "and at filter in city.toml."
        ) from None
    part.replace(whole)
    crs = f"EPSG:{layer.srid}" if layer.srid else None
    return Delivery(whole, f"{redacted(url)} {layer.schema}.{layer.table}", "postgis", crs)


def _describe(server: Rows, wanted: str, where: str) -> Layer:
    schema, _, table = wanted.rpartition(".")
    schema = schema or "public"
    columns = execute(server, COLUMNS, (schema, table))
    if not columns:
        known = sorted(str(row[0]) for row in execute(server, TABLES) if not str(row[0]).startswith(_SYSTEM))
        raise InputError(
            f"{where}: no table {wanted!r} that this user may see, there are {', '.join(known[:12]) or 'none'}."
            + did_you_mean(f"{schema}.{table}", known)
        )
    try:
        geometries = execute(server, GEOMETRIES, (schema, table))
    except psycopg.errors.UndefinedTable:
        raise InputError(f"{where}: the database has no PostGIS. Run in it: CREATE EXTENSION postgis") from None
    geometry, srid = geometries[0] if geometries else (None, 0)
    key = [str(row[0]) for row in execute(server, KEY, (f"{quoted(schema)}.{quoted(table)}",))]
    spatial = {str(row[0]) for row in geometries}
    plain = {str(column): bool(odd) for column, odd in columns if column not in spatial}
    return Layer(schema, table, plain, str(geometry) if geometry else None, int(str(srid)), key)


_SYSTEM = ("pg_catalog.", "information_schema.", "public.geometry_columns", "public.geography_columns")


def _query(layer: Layer, source: Source) -> str:
    """The query: plain columns, those of types of the server's own as text, and the geometry as WKB."""
    columns = [f"{quoted(name)}::text" if odd else quoted(name) for name, odd in layer.columns.items()]
    conditions = [f"({source.filter})"] if source.filter else []
    if layer.geometry:
        columns.append(f"ST_AsBinary({quoted(layer.geometry)}) AS geometry")
    if layer.geometry and source.bbox:
        box = f"ST_MakeEnvelope({', '.join(map(repr, source.bbox))}, 4326)"
        conditions.append(f"{quoted(layer.geometry)} && ST_Transform({box}, {layer.srid})")
    order = layer.key or [name for name, odd in layer.columns.items() if not odd]
    return (
        f"SELECT {', '.join(columns)} FROM {quoted(layer.schema)}.{quoted(layer.table)}"  # noqa: S608
        + (f" WHERE {' AND '.join(conditions)}" if conditions else "")
        + (f" ORDER BY {', '.join(map(quoted, order))}" if order else "")
    )
