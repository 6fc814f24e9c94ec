"""The tables as documented code: the database, the column mapping and the reference page are made from these.

Input tables hold what the city delivered, one row per record, traced to source and line. Derived tables hold
results; they can be emptied and made again. Lengths are metres, diameters millimetres, dates local days.
"""

from dataclasses import dataclass, field

import duckdb

from vardag.core.errors import DatabaseError

VERSION = 1


@dataclass(frozen=True)
class Column:
    """One column: SQL type, meaning, unit where it has one, and whether the city must map it."""

    name: str
    type: str
    doc: str
    unit: str = ""
    required: bool = False


@dataclass(frozen=True)
class Table:
    """One table: its columns, its key, and whether a city delivers it or a run derives it."""

    name: str
    doc: str
    columns: tuple[Column, ...]
    key: str = ""
    geometry: str = ""
    delivered: bool = field(default=False, kw_only=True)

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in order."""
        return tuple(column.name for column in self.columns)

    @property
    def mappable(self) -> tuple[Column, ...]:
        """Columns that a city.toml may map: all but geometry and trace."""
        return tuple(column for column in self.columns if column.name not in {"geom", "source", "line"})

    def column(self, name: str) -> Column:
        """Return a column by name."""
        return next(column for column in self.columns if column.name == name)

    def ddl(self) -> str:
        """SQL that makes the table."""
        columns = ", ".join(f'"{column.name}" {column.type}' for column in self.columns)
        return f'CREATE TABLE IF NOT EXISTS "{self.name}" ({columns})'


TRACE = (
    Column("source", "TEXT", "name of the source in city.toml that delivered the row"),
    Column("line", "BIGINT", "line in the file (CSV) or number of the feature, from 1"),
)

PIPE = Table(
    "pipe",
    "The pipe register: one record between two nodes; the unit of prediction.",
    (
        Column("pipe_id", "TEXT", "the city's own id", required=True),
        Column("geom", "GEOMETRY", "the line, in the city's coordinate system; NULL where the register has none"),
        Column("length_m", "DOUBLE", "length; from the geometry where no column is mapped", "m"),
        Column("material", "TEXT", "CI, DI, ST, PVC, PE, PP, AC, CON, GRP, CU, PB, OTHER or UNKNOWN"),
        Column("material_raw", "TEXT", "material as the city spells it"),
        Column("diameter_mm", "DOUBLE", "nominal diameter", "mm"),
        Column("install_date", "DATE", "day put in the ground; 1 January where only the year is known"),
        Column("install_year", "INTEGER", "year put in the ground"),
        Column("status", "TEXT", "in_service, retired, planned or unknown"),
        Column("retired_date", "DATE", "day taken out of service"),
        Column("lining", "TEXT", "lining material, NULL where unlined"),
        Column("lined_date", "DATE", "day the lining was put in; without it the lining is no feature"),
        Column("pressure_zone", "TEXT", "pressure zone's id or name"),
        Column("street", "TEXT", "street name"),
        Column("road_id", "TEXT", "id of the road segment it lies in"),
        Column("function", "TEXT", "main, trunk or service"),
        Column("owner", "TEXT", "who owns it"),
        Column("position", "TEXT", "surveyed, approximate or none: how well the place is known"),
        *TRACE,
    ),
    key="pipe_id",
    geometry="line",
    delivered=True,
)

BREAK = Table(
    "break",
    "The log of breaks and leaks: one row per event, describing the pipe that broke.",
    (
        Column("break_id", "TEXT", "the city's own id; made from source and line where none is mapped"),
        Column("geom", "GEOMETRY", "the place, as a point"),
        Column("break_date", "DATE", "local day of the event", required=True),
        Column("asset_id", "TEXT", "pipe id as written in the log; may mean another pipe today"),
        Column("material", "TEXT", "material of the pipe that broke"),
        Column("material_raw", "TEXT", "material as the city spells it"),
        Column("diameter_mm", "DOUBLE", "diameter of the pipe that broke", "mm"),
        Column("install_year", "INTEGER", "installation year of the pipe that broke"),
        Column("event", "TEXT", "break, leak, service or other; [labels] events says which are predicted"),
        Column("cause", "TEXT", "cause as the city writes it"),
        Column("street", "TEXT", "street name"),
        Column("road_id", "TEXT", "id of the road segment"),
        *TRACE,
    ),
    key="break_id",
    geometry="point",
    delivered=True,
)

ROAD = Table(
    "road",
    "Road segments with traffic.",
    (
        Column("road_id", "TEXT", "the road segment's id", required=True),
        Column("geom", "GEOMETRY", "centre line"),
        Column("street", "TEXT", "street name"),
        Column("road_class", "TEXT", "class as the owner writes it"),
        Column("aadt", "DOUBLE", "annual average daily traffic", "vehicles/day"),
        Column("speed_kmh", "DOUBLE", "speed limit", "km/h"),
        Column("truck", "BOOLEAN", "open to heavy trucks"),
        Column("bus", "BOOLEAN", "bus route"),
        Column("width_m", "DOUBLE", "pavement width", "m"),
        *TRACE,
    ),
    key="road_id",
    geometry="line",
    delivered=True,
)

SOIL = Table(
    "soil",
    "Soil polygons.",
    (
        Column("soil_id", "TEXT", "the polygon's id; made from source and line where none is mapped"),
        Column("geom", "GEOMETRY", "polygon"),
        Column("soil_class", "TEXT", "soil class as the owner writes it", required=True),
        *TRACE,
    ),
    key="soil_id",
    geometry="polygon",
    delivered=True,
)

PRESSURE_ZONE = Table(
    "pressure_zone",
    "Pressure zones: areas with the same hydraulic source.",
    (
        Column("zone_id", "TEXT", "the zone's id or name", required=True),
        Column("geom", "GEOMETRY", "polygon"),
        Column("pressure_m", "DOUBLE", "typical pressure", "m of water"),
        *TRACE,
    ),
    key="zone_id",
    geometry="polygon",
    delivered=True,
)

SOURCE = Table(
    "source",
    "What was loaded, from whom, under which licence and secrecy.",
    (
        Column("source", "TEXT", "name in city.toml"),
        Column("table_name", "TEXT", "table it fills"),
        Column("path", "TEXT", "file, relative to the city folder"),
        Column("content_hash", "TEXT", "SHA-256 of the file"),
        Column("mapping_hash", "TEXT", "hash of the source's part of city.toml and of the reader's version"),
        Column("owner", "TEXT", "who owns the data"),
        Column("contact", "TEXT", "whom to ask"),
        Column("licence", "TEXT", "licence"),
        Column("secrecy", "TEXT", "secrecy class"),
        Column("source_date", "DATE", "day the delivery describes"),
        Column("refresh_days", "INTEGER", "how often it is renewed", "days"),
        Column("rows_in", "BIGINT", "rows read"),
        Column("rows_kept", "BIGINT", "rows in the table"),
        Column("rows_quarantined", "BIGINT", "rows that could not be used; rows_in = kept + quarantined"),
        Column("loaded_at", "TIMESTAMPTZ", "time of the load"),
        Column("run_id", "TEXT", "run that loaded it"),
    ),
    key="source",
)

QUARANTINE = Table(
    "quarantine",
    "Rows that could not be used, whole, each with its reason.",
    (
        Column("source", "TEXT", "source in city.toml"),
        Column("line", "BIGINT", "line or feature number"),
        Column("reason", "TEXT", "stable code, such as duplicate_id"),
        Column("detail", "TEXT", "what was found"),
        Column("row_json", "TEXT", "the row as read"),
    ),
)

CHECK_RESULT = Table(
    "check_result",
    "Result of the data checks of the last run.",
    (
        Column("check_name", "TEXT", "name of the check"),
        Column("table_name", "TEXT", "table it looks at"),
        Column("severity", "TEXT", "error, warning or note"),
        Column("rows", "BIGINT", "rows found"),
        Column("total", "BIGINT", "rows looked at"),
        Column("first_ids", "TEXT", "first ids, comma separated"),
        Column("message", "TEXT", "what was found"),
        Column("cure", "TEXT", "what to do"),
    ),
)

LINK = Table(
    "link",
    "Which pipe life each break belongs to; one row per break, unlinked ones included.",
    (
        Column("break_id", "TEXT", "break"),
        Column("pipe_key", "TEXT", "pipe life, NULL where unlinked"),
        Column("method", "TEXT", "id, position, rebuilt or none"),
        Column("confidence", "DOUBLE", "0 to 1"),
        Column("reason", "TEXT", "stable code"),
        Column("distance_m", "DOUBLE", "distance from break to pipe, where both have a place", "m"),
    ),
    key="break_id",
)

LIFE = Table(
    "life",
    "Pipe lives: the register's pipes and the retired ones rebuilt from the break log.",
    (
        Column("pipe_key", "TEXT", "pipe_id, or pipe_id@year for a rebuilt one"),
        Column("pipe_id", "TEXT", "the id in the register or the log"),
        Column("origin", "TEXT", "register or rebuilt"),
        Column("known_from", "DATE", "first day it may be in the risk set"),
        Column("length_m", "DOUBLE", "length", "m"),
        Column("length_source", "TEXT", "register, successor or typical"),
        Column("material", "TEXT", "material"),
        Column("diameter_mm", "DOUBLE", "diameter", "mm"),
        Column("install_date", "DATE", "installation"),
        Column("install_year", "INTEGER", "installation year"),
        Column("retired_date", "DATE", "day out of service, NULL while in service"),
        Column("lined_date", "DATE", "lining"),
        Column("pressure_zone", "TEXT", "pressure zone"),
        Column("street", "TEXT", "street name"),
        Column("road_id", "TEXT", "road segment"),
        Column("function", "TEXT", "main, trunk or service"),
        Column("geom", "GEOMETRY", "line"),
        Column("position", "TEXT", "surveyed, approximate or none"),
    ),
    key="pipe_key",
)

PREDICTION = Table(
    "prediction",
    "The last prediction: one row per pipe of the risk set, highest rate first.",
    (
        Column("run_id", "TEXT", "run"),
        Column("as_of", "DATE", "last day whose knowledge was used"),
        Column("model", "TEXT", "model"),
        Column("pipe_key", "TEXT", "pipe life"),
        Column("rank", "INTEGER", "1 = highest expected breaks per km"),
        Column("expected_breaks_per_km_year", "DOUBLE", "likelihood of failure", "breaks/(km year)"),
        Column("lower", "DOUBLE", "lower end of the 80 % interval", "breaks/(km year)"),
        Column("upper", "DOUBLE", "upper end of the 80 % interval", "breaks/(km year)"),
        Column("expected_breaks", "DOUBLE", "expected breaks in the year after as_of", "breaks/year"),
        Column("p_break", "DOUBLE", "probability of at least one break in that year"),
        Column("cumulative_length_share", "DOUBLE", "share of network length down to and including this rank"),
        Column("reasons", "TEXT", "JSON list of family, value and multiplier, strongest first"),
    ),
)

TABLES = (PIPE, BREAK, ROAD, SOIL, PRESSURE_ZONE, SOURCE, QUARANTINE, CHECK_RESULT, LINK, LIFE, PREDICTION)
DELIVERED = {table.name: table for table in TABLES if table.delivered}


def migrate(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the tables that are missing and note the schema's version.

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
    if version < VERSION:
        connection.execute("INSERT INTO schema_version VALUES (?)", [VERSION])


def reference() -> str:
    """Write the reference page of the tables (Markdown)."""
    parts = ["# Tables\n\nMade from `src/vardag/water/schema.py` by `vardag docs`.\n"]
    for table in TABLES:
        parts.append(f"\n## {table.name}\n\n{table.doc}\n\n| column | type | unit | meaning |\n|---|---|---|---|\n")
        parts += [f"| `{c.name}` | {c.type} | {c.unit} | {c.doc} |\n" for c in table.columns]
    return "".join(parts)
