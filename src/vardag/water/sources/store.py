"""Write a source to the database: staged chunk by chunk, then sorted along a Hilbert curve into its table.

Everything between `begin` and `settle` happens in one transaction of the caller: when anything fails, the database
is as it was.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import shapely
from numpy.typing import NDArray

from vardag.core.db import insert, read
from vardag.core.spatial import hilbert
from vardag.water.city import City, Source
from vardag.water.schema import DELIVERED, Table
from vardag.water.sources.area import corners

# Part of the mapping hash: raise it when the readers give other rows from the same file.
READER_VERSION = 1
SIDECARS = {".shp": (".dbf", ".shx", ".prj", ".cpg"), ".gml": (".xsd",)}


@dataclass(frozen=True)
class Fingerprint:
    """What a source's rows depend on: the bytes of its files, and how they are to be read."""

    content: str
    mapping: str


def fingerprint(city: City, name: str) -> Fingerprint:
    """Hash a source's files and its part of city.toml, with what it takes from ``[city]``."""
    source = city.sources[name]
    path = city.folder / source.path
    described = {"reader": READER_VERSION, "crs": city.crs, "timezone": city.timezone, "secrecy": city.secrecy,
                 "owner": city.owner, "source": source.model_dump(mode="json")}  # fmt: skip
    text = json.dumps(described, sort_keys=True, ensure_ascii=False)
    return Fingerprint(_hash_files(files_of(path)), hashlib.sha256(text.encode()).hexdigest())


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


class Staging:
    """Rows of one source on their way into a table."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, table: Table, *, crs: str) -> None:
        self.connection = connection
        self.table = table
        self.corners = [shapely.to_wkb(shapely.Point(x, y)) for x, y in corners(crs)]
        connection.execute(
            f'CREATE OR REPLACE TEMP TABLE staged AS SELECT *, 0::UINTEGER AS hilbert FROM "{table.name}" LIMIT 0'  # noqa: S608
        )

    def add(self, kept: pl.DataFrame, rejected: pl.DataFrame, *, name: str) -> None:
        """Stage the rows of a chunk, and write those left out to quarantine."""
        if kept.height:
            insert(self.connection, "staged", kept.with_columns(pl.Series("hilbert", self._order(kept["geom"]))))
        if rejected.height:
            insert(self.connection, "quarantine", rejected.with_columns(pl.lit(name).alias("source")))

    def known(self, ids: pl.Series) -> NDArray[np.bool_]:
        """Tell which ids are staged, or in the table from another source."""
        frame = pl.DataFrame({"id": ids.rename("id")}).with_row_index("row").drop_nulls("id")
        mask = np.zeros(len(ids), dtype=bool)
        if frame.is_empty():
            return mask
        key = self.table.key
        self.connection.register("new_ids", frame.to_arrow())
        again = read(
            self.connection,
            f'SELECT row FROM new_ids SEMI JOIN (SELECT "{key}" AS id FROM staged '  # noqa: S608
            f'UNION ALL SELECT "{key}" FROM "{self.table.name}") USING (id)',
        )
        self.connection.unregister("new_ids")
        mask[again["row"].to_numpy()] = True
        return mask

    def sample(self) -> NDArray[np.float64]:
        """Centres of up to 1000 staged geometries."""
        sql = "SELECT ST_AsWKB(geom)::BLOB FROM staged WHERE geom IS NOT NULL LIMIT 1000"
        return centres_of([row[0] for row in self.connection.execute(sql).fetchall()])

    def settle(self) -> None:
        """Move the staged rows to their table, neighbours beside each other."""
        self.connection.execute(
            f'INSERT INTO "{self.table.name}" BY NAME SELECT * EXCLUDE (hilbert) FROM staged ORDER BY hilbert, line'  # noqa: S608
        )
        self.connection.execute("DROP TABLE staged")

    def _order(self, geoms: pl.Series) -> NDArray[np.uint32]:
        """Place on the curve; the area's two corners make the curve the same for every chunk."""
        return hilbert([*self.corners, *geoms.to_list()])[2:]


@dataclass(frozen=True)
class Counts:
    """Rows of a source; ``rows_in == kept + quarantined``, always."""

    rows_in: int
    kept: int
    quarantined: int


def record_source(
    connection: duckdb.DuckDBPyConnection, city: City, name: str, mark: Fingerprint, counts: Counts, *, run_id: str
) -> None:
    """Write what was loaded, from whom and under which terms."""
    source: Source = city.sources[name]
    connection.execute(
        "INSERT INTO source VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            name,
            source.table,
            source.path,
            mark.content,
            mark.mapping,
            source.owner or city.owner,
            source.contact,
            source.licence,
            source.secrecy or city.secrecy,
            source.date,
            source.refresh_days,
            counts.rows_in,
            counts.kept,
            counts.quarantined,
            datetime.now(UTC),
            run_id,
        ],
    )


def sample_of_others(connection: duckdb.DuckDBPyConnection, *, but: str) -> NDArray[np.float64]:
    """Centres of up to 1000 geometries of each other source's table, in the city's system."""
    found = [np.empty((0, 2))]
    for table in DELIVERED:
        sql = f'SELECT ST_AsWKB(geom)::BLOB FROM "{table}" WHERE geom IS NOT NULL AND source <> ? LIMIT 1000'  # noqa: S608
        found.append(centres_of([row[0] for row in connection.execute(sql, [but]).fetchall()]))
    return np.concatenate(found)


def centres_of(wkb: Sequence[bytes]) -> NDArray[np.float64]:
    """Middle of the bounds of each geometry."""
    bounds = shapely.bounds(shapely.from_wkb(np.array(wkb, dtype=object))).reshape(-1, 4)
    return np.column_stack([(bounds[:, 0] + bounds[:, 2]) / 2, (bounds[:, 1] + bounds[:, 3]) / 2])


def quarantined(connection: duckdb.DuckDBPyConnection, name: str) -> dict[str, int]:
    """Rows left out of a source, by reason, most common first."""
    rows = connection.execute(
        "SELECT reason, count(*) FROM quarantine WHERE source = ? GROUP BY 1 ORDER BY 2 DESC, 1", [name]
    ).fetchall()
    return dict(rows)
