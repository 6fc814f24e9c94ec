"""Who may do what with a city on a server: three roles, and the keeper who made the schema and may do everything.

::

    <city>_reader    the views of <city>_public: aggregates that pass the disclosure rule; nothing else of the city
    <city>_planner   reads everything; writes what people decide and what a run derives, not what was delivered
    <city>_owner     reads and writes the rows of the sources that ``source_owner`` says are theirs, no other row

Which table is of which kind is not a list: a table with the column ``source`` holds what was delivered, and is
under row-level security; a table without it holds what was derived or decided. The roles cannot log in; the keeper
makes people members of them. Nothing is granted to PUBLIC.
"""

from vardag.core.postgres import Rows, execute, literal, quoted
from vardag.water.schema import TABLES
from vardag.water.schema.postgis import staging_name

KINDS = ("reader", "planner", "owner")
DELIVERED_BY = "source"
MINE = """
CREATE OR REPLACE VIEW {city}.my_source WITH (security_barrier) AS
    SELECT source FROM {city}.source_owner JOIN pg_catalog.pg_roles ON rolname = role
    WHERE pg_has_role(current_user, pg_roles.oid, 'MEMBER');
"""
NETWORK = """
    SELECT coalesce(pipe.material, 'UNKNOWN') AS material, (pipe.install_year / 10) * 10 AS decade, count(*) AS n,
        sum(pipe.length_m) / 1000 AS length_km, count(expected_breaks) AS predicted,
        sum(expected_breaks) AS expected_breaks,
        sum(pipe.length_m) FILTER (WHERE expected_breaks IS NOT NULL) / 100000 AS predicted_100km
    FROM {city}.pipe LEFT JOIN {city}.prediction ON pipe_key = pipe_id
    WHERE coalesce(function, 'main') <> 'service' AND coalesce(status, 'in_service') IN ('in_service', 'unknown')
    GROUP BY 1, 2
"""
BREAKS = """
    SELECT extract(year FROM break_date)::integer AS year, count(*) AS n FROM {city}.break
    WHERE coalesce(event, 'break') = 'break' AND break_date IS NOT NULL GROUP BY 1
"""


NETWORK_SUMS = ("length_km", "predicted", "expected_breaks", "predicted_100km")


def role_name(schema: str, kind: str) -> str:
    """Name of a city's role.

    >>> role_name("ytterby", "planner")
    'ytterby_planner'
    """
    return f"{schema}_{kind}"


def public_name(schema: str) -> str:
    """Schema with the views that the reader sees."""
    return f"{schema}_public"


def has_roles(server: Rows, schema: str) -> bool:
    """Whether the city's roles have been made."""
    names = [role_name(schema, kind) for kind in KINDS]
    return execute(server, "SELECT count(*) FROM pg_roles WHERE rolname = ANY(%s)", (names,)) == [(len(KINDS),)]


def make_roles(server: Rows, schema: str, *, smallest: tuple[int, int]) -> None:
    """Make the roles that are missing and give each its rights again; run it inside a transaction.

    Parameters
    ----------
    smallest
        Fewest pipes and fewest breaks that a public figure may rest on.
    """
    for kind in KINDS:
        name = role_name(schema, kind)
        if not execute(server, "SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)):
            execute(server, f"CREATE ROLE {quoted(name)} NOLOGIN")
    execute(server, MINE.format(city=quoted(schema)))
    _take_back(server, schema)
    _give_everybody(server, schema)
    for table in TABLES:
        (_delivered if DELIVERED_BY in table.names else _derived)(server, schema, table.name)
    _make_public(server, schema, smallest)


def _take_back(server: Rows, schema: str) -> None:
    """Take away what anybody but the keeper has, so that a right that is no longer given does not linger."""
    everybody = ", ".join(["PUBLIC", *(quoted(role_name(schema, kind)) for kind in KINDS)])
    for place in (schema, staging_name(schema)):
        execute(server, f"REVOKE ALL ON SCHEMA {quoted(place)} FROM {everybody}")
        execute(server, f"REVOKE ALL ON ALL TABLES IN SCHEMA {quoted(place)} FROM {everybody}")
        execute(server, f"REVOKE ALL ON ALL FUNCTIONS IN SCHEMA {quoted(place)} FROM {everybody}")


def _give_everybody(server: Rows, schema: str) -> None:
    """What planners and owners need to work with Vardag: the marks, the writer's name, a place to stage rows."""
    planner, owner, city = (quoted(name) for name in (*_workers(schema), schema))
    both = f"{planner}, {owner}"
    execute(server, f"GRANT USAGE ON SCHEMA {city} TO {both}")
    execute(server, f"GRANT USAGE, CREATE ON SCHEMA {quoted(staging_name(schema))} TO {both}")
    execute(server, f"GRANT SELECT ON {city}.schema_version, {city}.table_state, {city}.my_source TO {both}")
    execute(server, f"GRANT SELECT, INSERT, DELETE ON {city}.writer TO {both}")
    execute(server, f"GRANT INSERT ON {city}.run, {city}.run_step TO {both}")
    execute(server, f"GRANT SELECT ON {city}.run, {city}.run_step, {city}.source_owner TO {planner}")
    execute(server, f"GRANT SELECT (run_id) ON {city}.run TO {owner}")  # a run's error may name other rows


def _workers(schema: str) -> tuple[str, str]:
    return role_name(schema, "planner"), role_name(schema, "owner")


def _delivered(server: Rows, schema: str, table: str) -> None:
    """A delivered table: planners read every row, an owner reads and writes those of the own sources."""
    planner, owner, name = (quoted(role) for role in (*_workers(schema), table))
    of = f"{quoted(schema)}.{name}"
    mine = f"{DELIVERED_BY} IN (SELECT source FROM {quoted(schema)}.my_source)"  # noqa: S608
    execute(server, f"ALTER TABLE {of} ENABLE ROW LEVEL SECURITY")
    execute(server, f"DROP POLICY IF EXISTS planner_reads ON {of}; DROP POLICY IF EXISTS owner_has ON {of}")
    execute(server, f"CREATE POLICY planner_reads ON {of} FOR SELECT TO {planner} USING (true)")
    execute(server, f"CREATE POLICY owner_has ON {of} FOR ALL TO {owner} USING ({mine}) WITH CHECK ({mine})")
    execute(server, f"GRANT SELECT ON {of} TO {planner}")
    execute(server, f"GRANT SELECT, INSERT, UPDATE, DELETE ON {of} TO {owner}")


def _derived(server: Rows, schema: str, table: str) -> None:
    """A derived or decided table: planners read and write it, an owner of a source has nothing to do there."""
    planner = quoted(role_name(schema, "planner"))
    execute(server, f"GRANT SELECT, INSERT, UPDATE, DELETE ON {quoted(schema)}.{quoted(table)} TO {planner}")


def _make_public(server: Rows, schema: str, smallest: tuple[int, int]) -> None:
    """The reader's views, in a schema of their own; the reader has no right in the city's."""
    public, city = quoted(public_name(schema)), quoted(schema)
    pipes, breaks = smallest
    network = pooled(NETWORK.format(city=city), ("material", "decade"), NETWORK_SUMS, at_least=pipes)
    years = pooled(BREAKS.format(city=city), ("year",), (), at_least=breaks)
    rate = f"CASE WHEN predicted >= {pipes} THEN expected_breaks / nullif(predicted_100km, 0) END"
    views = {
        "network": f"SELECT material, decade, pooled, n AS pipes, length_km, "  # noqa: S608
        f"{rate} AS breaks_per_100km_year FROM ({network}) AS cells",
        "breaks": f"SELECT year, pooled, n AS breaks FROM ({years}) AS cells",  # noqa: S608
        "sources": f"SELECT source, table_name, owner, licence, source_date, rows_kept FROM {city}.source "  # noqa: S608
        "WHERE secrecy = 'open'",
    }
    execute(server, f"CREATE SCHEMA IF NOT EXISTS {public}")
    for name, sql in views.items():
        execute(server, f"DROP VIEW IF EXISTS {public}.{name}")
        # The barrier keeps a reader's own condition outside, however the server plans the query.
        execute(server, f"CREATE VIEW {public}.{name} WITH (security_barrier) AS {sql}")
        execute(server, f"COMMENT ON VIEW {public}.{name} IS {literal(COMMENTS[name].format(*smallest))}")
    for kind in KINDS:
        execute(server, f"GRANT USAGE ON SCHEMA {public} TO {quoted(role_name(schema, kind))}")
        execute(server, f"GRANT SELECT ON ALL TABLES IN SCHEMA {public} TO {quoted(role_name(schema, kind))}")


COMMENTS = {
    "network": "Mains by material and decade of installation; groups of fewer than {0} pipes are pooled.",
    "breaks": "Breaks by year; years with fewer than {1} are pooled.",
    "sources": "Sources that are open.",
}


def pooled(cells: str, keys: tuple[str, ...], sums: tuple[str, ...], *, at_least: int) -> str:
    """SQL of a table of counts in which no cell is small, and none can be had by subtracting.

    Cells with ``n`` below the threshold are pooled into one with ``pooled`` true and empty keys; where they are
    still too few together, the smallest of the others joins them. What then is too small is left out.

    Parameters
    ----------
    cells
        SQL that gives the keys, ``n`` and the columns to sum.
    """
    names = ", ".join(f"CASE WHEN NOT small THEN {key} END AS {key}" for key in keys)
    summed = "".join(f", sum({name}) AS {name}" for name in sums)
    groups = ", ".join(str(place + 1) for place in range(len(keys) + 1))
    return f"""
        SELECT {names}, small AS pooled, sum(n)::bigint AS n{summed}
        FROM (SELECT *, n < {at_least} OR (smaller > 0 AND smaller < {at_least}) AS small
              FROM (SELECT *, coalesce(sum(n) OVER (ORDER BY {", ".join(("n", *keys))}
                        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS smaller
                    FROM ({cells}) AS cell) AS ordered) AS marked
        GROUP BY {groups} HAVING sum(n) >= {at_least}
    """  # noqa: S608
