"""Parquet and GeoParquet: geometry, coordinate system and typed columns; files that are not whole."""

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from pyproj import CRS

from readers import BREAKS, city_folder, only, table
from vardag.core.errors import InputError
from vardag.water.commands.load import load
from vardag.water.sources.parquet_file import BATCH_ROWS, ParquetLayer

STOCKHOLM = (674_000.0, 6_580_000.0)


def geoparquet(path: Path, columns: dict[str, Any], *, crs: Any = "absent", encoding: str = "WKB") -> Path:
    """Write columns, one of them `geometry` as WKB, with GeoParquet 1.1 metadata."""
    column = {"encoding": encoding, "geometry_types": ["Point"]} | ({} if crs == "absent" else {"crs": crs})
    geo = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
    pq.write_table(pa.table(columns).replace_schema_metadata({"geo": json.dumps(geo)}), path)
    return path


def points(*xy: tuple[float, float]) -> list[bytes]:
    return [shapely.Point(pair).wkb for pair in xy]


def test_a_geoparquet_of_breaks_in_its_own_system(tmp_path: Path) -> None:
    crs = CRS.from_epsg(3006).to_json_dict()
    day = [date(2004, 5, 6), date(2005, 1, 2)]
    columns = {"DATUM": day, "LEDNING": [10080, 7], "geometry": points(STOCKHOLM, (674_100.0, 6_580_100.0))}
    geoparquet(tmp_path / "breaks.parquet", columns, crs=crs)
    report = only(load(city_folder(tmp_path, BREAKS.format(path="breaks.parquet"))))
    assert (report.rows_in, report.kept, report.quarantined) == (2, 2, {})
    rows = table(tmp_path, "SELECT break_date, asset_id, ST_X(geom), ST_Y(geom), line FROM break ORDER BY line")
    assert rows == [(day[0], "10080", *STOCKHOLM, 1), (day[1], "7", 674_100.0, 6_580_100.0, 2)]


def test_no_crs_means_longitude_and_latitude(tmp_path: Path) -> None:
    columns = {"DATUM": ["2004-05-06"], "LEDNING": ["7"], "geometry": points((18.07, 59.33))}
    geoparquet(tmp_path / "breaks.parquet", columns)
    assert only(load(city_folder(tmp_path, BREAKS.format(path="breaks.parquet")))).kept == 1
    [(x, y)] = table(tmp_path, "SELECT ST_X(geom), ST_Y(geom) FROM break")
    assert 674_000 < x < 675_000 and 6_580_000 < y < 6_581_000


def test_a_crs_that_nobody_knows_must_be_stated(tmp_path: Path) -> None:
    columns = {"DATUM": ["2004-05-06"], "LEDNING": ["7"], "geometry": points(STOCKHOLM)}
    geoparquet(tmp_path / "breaks.parquet", columns, crs=None)
    folder = city_folder(tmp_path, BREAKS.format(path="breaks.parquet"))
    with pytest.raises(InputError, match=r"does not say which coordinate system.*crs = \"EPSG:3006\""):
        load(folder)


def test_wkb_without_metadata_is_found_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "breaks.parquet"
    pl.DataFrame({"DATUM": ["2004-05-06"], "LEDNING": ["7"], "Geom": points(STOCKHOLM)}).write_parquet(path)
    stated = BREAKS.format(path="breaks.parquet").replace(
        "[sources.breaks.c", 'crs = "EPSG:3006"\n[sources.breaks.c'
    )
    assert only(load(city_folder(tmp_path, stated))).kept == 1
    assert table(tmp_path, "SELECT ST_X(geom) FROM break") == [(STOCKHOLM[0],)]
    layer = ParquetLayer(path)
    assert (layer.has_geometry, layer.crs, list(layer.columns)) == (True, None, ["DATUM", "LEDNING"])


def test_typed_columns_become_the_text_a_person_would_write(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    frame = pl.DataFrame(
        {
            "whole": [150.0, None],
            "part": pl.Series([12.5, float("nan")], dtype=pl.Float32),
            "day": [date(1999, 12, 31), None],
            "time": [datetime(1999, 12, 31, 23, 5), None],
            "flag": [True, None],
            "word": pl.Series(["å", None], dtype=pl.Categorical),
            "list": [[1, 2], None],
            "decimal": pl.Series(["2.50", None]).cast(pl.Decimal(10, 2)),
        }
    )
    frame.write_parquet(path)
    [chunk] = ParquetLayer(path).chunks(frame.columns)
    assert chunk.frame.row(0)[1:] == (
        "150", "12.5", "1999-12-31", "1999-12-31 23:05:00", "true", "å", "[1, 2]", "2.50",
    )  # fmt: skip
    assert chunk.frame.row(1)[1:] == (None,) * 8
    assert json.loads(chunk.row_json(0))["day"] == "1999-12-31"


def test_batches_are_bounded_and_lines_go_on(tmp_path: Path) -> None:
    path, rows = tmp_path / "t.parquet", BATCH_ROWS * 2 + 3
    pl.DataFrame({"n": range(rows)}).write_parquet(path, row_group_size=rows)
    shares: list[float] = []
    chunks = list(ParquetLayer(path).chunks(["n"], progress=shares.append))
    assert max(chunk.rows_in for chunk in chunks) <= BATCH_ROWS
    together = pl.concat(chunk.frame for chunk in chunks)
    assert together["__line"].to_list() == list(range(1, rows + 1))
    assert together["n"].to_list() == [str(n) for n in range(rows)]
    assert shares[-1] == 1.0


@pytest.mark.parametrize("damage", ["truncated", "middle", "text", "empty"])
def test_a_file_that_is_not_whole_is_refused_and_the_earlier_load_stays(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "breaks.parquet"
    rows = 20_000
    columns = {"DATUM": ["2004-05-06"] * rows, "LEDNING": range(rows), "geometry": points(STOCKHOLM) * rows}
    crs = CRS.from_epsg(3006).to_json_dict()
    geoparquet(path, {name: list(values) for name, values in columns.items()}, crs=crs)
    folder = city_folder(tmp_path, BREAKS.format(path="breaks.parquet"))
    load(folder)
    whole = path.read_bytes()
    half = len(whole) // 2
    broken = {
        "truncated": whole[:half],
        "middle": whole[:4] + b"\xff" * (half - 4) + whole[half:],
        "text": b"DATUM,LEDNING\n",
        "empty": b"",
    }[damage]
    path.write_bytes(broken)
    with pytest.raises(InputError, match=r"breaks\.parquet: not a whole Parquet file \(.+\)\. Copy or export"):
        load(folder)
    assert table(tmp_path, "SELECT count(*) FROM break") == [(rows,)]


def test_metadata_that_cannot_be_followed_is_named(tmp_path: Path) -> None:
    columns = {"DATUM": ["2004-05-06"], "geometry": points(STOCKHOLM)}
    with pytest.raises(InputError, match=r"geometry as 'point', expected WKB"):
        ParquetLayer(geoparquet(tmp_path / "a.parquet", columns, encoding="point"))
    with pytest.raises(InputError, match=r"coordinate system that is none"):
        ParquetLayer(geoparquet(tmp_path / "b.parquet", columns, crs={"type": "nonsense"}))
    pq.write_table(pa.table(columns).replace_schema_metadata({"geo": "{}"}), tmp_path / "c.parquet")
    with pytest.raises(InputError, match=r"metadata cannot be understood"):
        ParquetLayer(tmp_path / "c.parquet")
