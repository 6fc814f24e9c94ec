"""The same tables in PostGIS: one PostgreSQL schema per city, so that a county fits in one database.

Made from the descriptions that DuckDB's tables are made from. Three things are added: ``row_order``, so that rows
come back in their stored order; indexes; and ``table_state``, which knows what each table holds, who changed it and
when, also when that was done with other tools than Vardag.
"""

import hashlib
import re
import unicodedata

from vardag.core.errors import DatabaseError, RefusedError
from vardag.core.postgres import Rows, execute, literal, quoted
from vardag.core.runs import DDL
from vardag.water.schema import TABLES, VERSION
from vardag.water.schema.model import Column, Table

ORDER = "row_order"
RESERVED = {"public", "information_schema"}
STATE = """
CREATE TABLE IF NOT EXISTS schema_version (version integer, srid integer, made_from text);
CREATE TABLE IF NOT EXISTS table_state (
    table_name text PRIMARY KEY, mark text NOT NULL, rows bigint, changed_at timestamptz NOT NULL,
    changed_by text NOT NULL, host text);
CREATE TABLE IF NOT EXISTS writer (
    one boolean PRIMARY KEY DEFAULT true CHECK (one), command text, who text, host text, since timestamptz);
CREATE TABLE IF NOT EXISTS source_owner (source text, role text, PRIMARY KEY (source, role));
CREATE OR REPLACE FUNCTION note_edit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO {schema}.table_state
    VALUES (TG_TABLE_NAME, 'edited ' || gen_random_uuid(), NULL, clock_timestamp(), session_user, 'SQL')
    ON CONFLICT (table_name) DO UPDATE SET mark = excluded.mark, rows = NULL, changed_at = excluded.changed_at,
        changed_by = excluded.changed_by, host = excluded.host;
    RETURN NULL;
END $$;
"""


def schema_name(city: str) -> str:
    """Name of a city's schema: its name in small Latin letters.

    >>> schema_name("Östra Ytterby kommun")
    'ostra_ytterby_kommun'
    """
    plain = unicodedata.normalize("NFKD", city).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "_", plain.casefold()).strip("_")[:40]
    if not slug:
        return "city_" + hashlib.sha256(city.encode()).hexdigest()[:8]
    return f"city_{slug}" if slug in RESERVED or slug[0].isdigit() or slug.startswith("pg_") else slug


def column_type(column: Column, srid: int) -> str:
    """Type of a column in PostGIS."""
    return {"GEOMETRY": f"geometry(Geometry, {srid})", "DOUBLE": "double precision"}.get(column.type, column.type)


def indexes(table: Table) -> dict[str, str]:
    """Name of each index of a table, and what it is on."""
    wanted = {"geom": "USING gist (geom)"} if "geom" in table.names else {}
    plain = [name for name in dict.fromkeys((table.key, "source", ORDER)) if name in (*table.names, ORDER)]
    wanted |= {name: f"({quoted(name)})" for name in plain}
    return {f"{table.name}_{name}_index": on for name, on in wanted.items()}


def staging_name(schema: str) -> str:
    """Schema beside the city's in which a push puts its rows before they are moved; each user sees the own."""
    return f"{schema}_staging"


def is_keeper(server: Rows, schema: str) -> bool:
    """Whether the user is the keeper of the city's schema, who may write everything in it."""
    sql = "SELECT pg_has_role(nspowner, 'USAGE') FROM pg_namespace WHERE nspname = %s"
    return execute(server, sql, (schema,)) == [(True,)]


def has_city(server: Rows, schema: str) -> bool:
    """Whether a city's schema is there."""
    return execute(server, "SELECT to_regclass(%s) IS NOT NULL", (f'"{schema}".schema_version',)) == [(True,)]


def migrate(server: Rows, *, schema: str, city: str, srid: int) -> bool:
    """Make the city's schema, tables, columns, indexes and comments that are missing; commits.

    Returns
    -------
    Whether anything was made, so that rights must be given again.

    Raises
    ------
    DatabaseError
        When the schema was made by a later version of Vardag (cure: update Vardag), PostGIS is missing, or the user
        may not make it.
    RefusedError
        When the schema is another city's, or of another coordinate system.
    """
    with server.transaction():
        execute(server, f"SET search_path = {quoted(schema)}, public")
    if has_city(server, schema) and _is_right(server, schema, city, srid):
        return False
    if has_city(server, schema) and not is_keeper(server, schema):
        raise DatabaseError(
            f"schema {schema} was made by an earlier Vardag and only its keeper can bring it up to date. Let the "
            "keeper run: vardag db status FOLDER"
        )
    if execute(server, "SELECT to_regtype('geometry') IS NULL") == [(True,)]:
        raise DatabaseError("the database has no PostGIS. As its keeper, run: CREATE EXTENSION postgis")
    with server.transaction():
        execute(server, "SELECT pg_advisory_xact_lock(hashtext(%s))", (f"vardag migrate {schema}",))
        for name in (schema, staging_name(schema)):
            execute(server, f"CREATE SCHEMA IF NOT EXISTS {quoted(name)}")
        execute(server, f"COMMENT ON SCHEMA {quoted(schema)} IS {literal(_comment(city))}")
        execute(server, STATE.format(schema=quoted(schema)) + DDL.replace("DOUBLE", "DOUBLE PRECISION"))
        for table in TABLES:
            _make(server, table, srid)
        execute(server, "DELETE FROM schema_version")
        execute(server, "INSERT INTO schema_version VALUES (%s, %s, %s)", (VERSION, srid, _made_from()))
    server.commit()
    return True


def _is_right(server: Rows, schema: str, city: str, srid: int) -> bool:
    """Whether nothing is to be made; refuses what is another's."""
    said = execute(server, "SELECT obj_description(to_regnamespace(%s), 'pg_namespace')", (quoted(schema),))
    found = execute(server, "SELECT version, srid, made_from FROM schema_version")
    server.rollback()
    if said != [(_comment(city),)]:
        raise RefusedError(
            f"schema {schema} belongs to {said[0][0]!r}, not to {city!r}. Give one of the cities another name."
        )
    version, there, made_from = found[0] if found else (0, srid, "")
    if int(str(version)) > VERSION:
        raise DatabaseError(f"the server has schema version {version}, this Vardag knows {VERSION}. Update Vardag.")
    if there != srid:
        raise RefusedError(
            f"schema {schema} is in EPSG:{there}, city.toml says EPSG:{srid}. Mend crs in city.toml, or let the "
            f'keeper of the server run: DROP SCHEMA "{schema}" CASCADE, and push again.'
        )
    return made_from == _made_from()


def _make(server: Rows, table: Table, srid: int) -> None:
    name = quoted(table.name)
    execute(server, f"CREATE TABLE IF NOT EXISTS {name} ({ORDER} bigint GENERATED BY DEFAULT AS IDENTITY)")
    add = [f"ADD COLUMN IF NOT EXISTS {quoted(c.name)} {column_type(c, srid)}" for c in table.columns]
    comments = [f"COMMENT ON TABLE {name} IS {literal(table.doc)}"]
    for column in table.columns:
        said = f"{column.doc} ({column.unit})" if column.unit else column.doc
        comments.append(f"COMMENT ON COLUMN {name}.{quoted(column.name)} IS {literal(said)}")
    execute(server, f"ALTER TABLE {name} {', '.join(add)}; {'; '.join(comments)}")
    make_indexes(server, table)
    execute(
        server,
        f"CREATE OR REPLACE TRIGGER note_edit AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {name} "
        "FOR EACH STATEMENT EXECUTE FUNCTION note_edit()",
    )


def make_indexes(server: Rows, table: Table) -> None:
    """Make the indexes of a table that are missing."""
    for name, on in indexes(table).items():
        execute(server, f"CREATE INDEX IF NOT EXISTS {quoted(name)} ON {quoted(table.name)} {on}")


def _comment(city: str) -> str:
    return f"Vardag: {city}"


def _made_from() -> str:
    return hashlib.sha256(repr((TABLES, STATE, ORDER, DDL)).encode()).hexdigest()[:16]
