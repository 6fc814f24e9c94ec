"""What the database knows of a source: whether it has changed, its rows, and where they came from."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import polars as pl
from pyarrow.dataset import dataset

from vardag.water.city import City, Source
from vardag.water.schema import DELIVERED, DELIVERY, SOURCE
from vardag.water.sources.area import Points
from vardag.water.sources.delivery import Delivery
from vardag.water.sources.staging import SAMPLE, Staging, centres_of

# Part of the mapping hash: raise it when the readers give other rows from the same file.
READER_VERSION = 3
# Rows sorted and written at once: with 1,000,000 the peak is under 1 GB.
ROWS_AT_ONCE = 1_000_000
SIDECARS = {".shp": (".dbf", ".shx", ".prj", ".cpg"), ".gml": (".xsd",)}


@dataclass(frozen=True)
class Fingerprint:
    """What a source's rows depend on: the bytes of its files, and how they are to be read."""

    content: str
    mapping: str

    def along(self, others: Iterable["Fingerprint | None"]) -> "Fingerprint":
        """Mark of a source that is read along the rows of others, and changes with them."""
        marks = [self.content, *(f"{mark.content} {mark.mapping}" for mark in others if mark)]
        return Fingerprint(hashlib.sha256(" ".join(marks).encode()).hexdigest(), self.mapping)


def fingerprint(city: City, name: str, delivery: Delivery) -> Fingerprint:
    """Hash what a source delivers and its part of city.toml, with what it takes from ``[city]``."""
    source = city.sources[name]
    described = {"reader": READER_VERSION, "crs": city.crs, "timezone": city.timezone, "secrecy": city.secrecy,
                 "owner": city.owner, "source": source.model_dump(mode="json")}  # fmt: skip
    text = json.dumps(described, sort_keys=True, ensure_ascii=False)
    return Fingerprint(_hash_files(files_of(delivery.path)), hashlib.sha256(text.encode()).hexdigest())


def files_of(path: Path) -> list[Path]:
    """A file and the side files that belong to it."""
    beside = [path.with_suffix(suffix) for suffix in SIDECARS.get(path.suffix.lower(), ())]
    upper = [path.with_suffix(suffix.upper()) for suffix in SIDECARS.get(path.suffix.lower(), ())]
    return [path, *(p for p in dict.fromkeys([*beside, *upper]) if p.is_file())]


def _hash_files(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def loaded_before(connection: duckdb.DuckDBPyConnection, name: str) -> Fingerprint | None:
    """Fingerprint of a source as it was last loaded; None where it never was."""
    row = connection.execute("SELECT content_hash, mapping_hash FROM source WHERE source = ?", [name]).fetchone()
    return Fingerprint(*row) if row else None


def forget(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Delete everything that a source delivered."""
    for table in (*DELIVERED, "quarantine", "source"):
        connection.execute(f'DELETE FROM "{table}" WHERE source = ?', [name])  # noqa: S608


def replace_rows(
    connection: duckdb.DuckDBPyConnection, city: City, staging: Staging, mark: Fingerprint, *, run_id: str
) -> None:
    """Put a source's staged rows in the place of those it delivered before; run it inside a transaction."""
    forget(connection, staging.name)
    settle(connection, staging)
    record_source(connection, city, staging.name, mark, staging, run_id=run_id)
    record_delivery(connection, staging, run_id=run_id)


def settle(connection: duckdb.DuckDBPyConnection, staging: Staging) -> None:
    """Move staged rows to their table, neighbours beside each other; run it inside a transaction.

    A stretch of the curve at a time, so that sorting a large source takes no more memory than a small one.
    """
    names = ", ".join(f'"{name}"' for name in staging.table.names)
    values = names.replace('"geom"', 'ST_GeomFromWKB("geom"::BLOB)')
    into = f'INSERT INTO "{staging.table.name}" ({names}) SELECT {values}'
    for first, last in _stretches(staging):
        stretch = f"hilbert BETWEEN {first} AND {last}"
        _insert_files(connection, f"{into} FROM staged WHERE {stretch} ORDER BY hilbert, line", staging.kept_files)
    _insert_files(connection, "INSERT INTO quarantine BY NAME SELECT * FROM staged", staging.rejected_files)


def _stretches(staging: Staging) -> list[tuple[int, int]]:
    """First and last place of stretches of the curve that hold about `ROWS_AT_ONCE` rows each."""
    whole = 2**32 - 1
    if staging.kept <= ROWS_AT_ONCE:
        return [(0, whole)]
    places = pl.scan_parquet(staging.kept_files, glob=False).select("hilbert").collect().to_series().sort()
    firsts = sorted({0, *places.gather_every(ROWS_AT_ONCE, ROWS_AT_ONCE).to_list()})
    return list(zip(firsts, [first - 1 for first in firsts[1:]] + [whole], strict=True))


def _insert_files(connection: duckdb.DuckDBPyConnection, sql: str, files: Sequence[Path]) -> None:
    """Stream staged files through a statement that reads them as ``staged``."""
    if not files:
        return
    connection.register("staged", dataset([str(file) for file in files], format="parquet"))
    connection.execute(sql)
    connection.unregister("staged")


def record_source(
    connection: duckdb.DuckDBPyConnection,
    city: City,
    name: str,
    mark: Fingerprint,
    staging: Staging,
    *,
    run_id: str,
) -> None:
    """Write what was loaded, from whom and under which terms."""
    source: Source = city.sources[name]
    connection.execute(
        f"INSERT INTO source ({', '.join(SOURCE.names)}) VALUES ({', '.join('?' * len(SOURCE.names))})",  # noqa: S608
        [
            name,
            source.table,
            staging.delivery.origin,
            mark.content,
            mark.mapping,
            source.owner or city.owner,
            source.contact,
            source.licence,
            source.secrecy or city.secrecy,
            source.date,
            source.refresh_days,
            staging.rows_in,
            staging.kept,
            staging.reasons.total(),
            datetime.now(UTC),
            run_id,
            staging.delivery.service,
            json.dumps(list(staging.columns), ensure_ascii=False),
        ],
    )


def record_delivery(connection: duckdb.DuckDBPyConnection, staging: Staging, *, run_id: str) -> None:
    """Add the load to the source's history, with how many rows have a value, field by field."""
    names = ", ".join(f'"{name}"' for name in DELIVERY.names)
    connection.execute(
        f"INSERT INTO delivery ({names}) SELECT {names} FROM source WHERE source = ?",  # noqa: S608
        [staging.name],
    )
    fields = [name for name in staging.table.names if name not in {"source", "line"}]
    counts = ", ".join(f'count(t."{name}")' for name in fields)
    counted = connection.execute(
        f'SELECT max(s.loaded_at), count(t.line), {counts} FROM source AS s LEFT JOIN "{staging.table.name}" AS t '  # noqa: S608
        "USING (source) WHERE s.source = ?",
        [staging.name],
    ).fetchone()
    assert counted is not None
    loaded_at, rows, *filled = counted
    connection.executemany(
        "INSERT INTO field_fill (source, run_id, loaded_at, field, rows, filled) VALUES (?, ?, ?, ?, ?, ?)",
        [[staging.name, run_id, loaded_at, name, rows, count] for name, count in zip(fields, filled, strict=True)],
    )


def columns_before(connection: duckdb.DuckDBPyConnection, name: str) -> list[str] | None:
    """Columns that a source's file had when it was last loaded; None where that is not known."""
    row = connection.execute("SELECT columns FROM source WHERE source = ?", [name]).fetchone()
    return json.loads(row[0]) if row and row[0] else None


def sample_of(connection: duckdb.DuckDBPyConnection, city: City, name: str) -> Points:
    """Centres of up to 1000 geometries that a source has in the database."""
    table = DELIVERED[city.sources[name].table].name
    sql = f'SELECT ST_AsWKB(geom)::BLOB FROM "{table}" WHERE geom IS NOT NULL AND source = ? LIMIT {SAMPLE}'  # noqa: S608
    return centres_of([row[0] for row in connection.execute(sql, [name]).fetchall()])


def quarantined(connection: duckdb.DuckDBPyConnection, name: str) -> dict[str, int]:
    """Rows left out of a source, by reason, most common first."""
    rows = connection.execute(
        "SELECT reason, count(*) FROM quarantine WHERE source = ? GROUP BY 1 ORDER BY 2 DESC, 1", [name]
    ).fetchall()
    return dict(rows)
