"""A table of a real PostGIS database as a source: loaded, unchanged, filtered, and refused with a cure."""

from pathlib import Path

import psycopg
import pytest

from stored import stored
from vardag.core.errors import DatabaseError, InputError, RefusedError
from vardag.water.commands.load import load

TOML = """
[city]
name = "Ytterby"
owner = "VA"
crs = "EPSG:3006"
[sources.pipes]
table = "pipe"
service = "postgis"
url = "{url}"
layer = "{layer}"
{extra}
[sources.pipes.columns]
pipe_id = "id"
material = "material"
install_date = "laid"
"""


@pytest.fixture
def address(server: str) -> str:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(
            "CREATE SCHEMA va; CREATE TABLE va.ledning (id integer PRIMARY KEY, material text, laid date, "
            "extra jsonb, shape geometry(LineString, 3006));"
            "INSERT INTO va.ledning SELECT n, CASE n % 2 WHEN 0 THEN 'PE' ELSE 'GJJ' END, date '1960-05-06' + n, "
            "'{\"a\": 1}', ST_SetSRID(ST_MakeLine(ST_Point(674000 + n * 100, 6580000), "
            "ST_Point(674050 + n * 100, 6580000)), 3006) FROM generate_series(1, 40) AS n"
        )
    return server


def city(folder: Path, url: str, *, layer: str = "va.ledning", extra: str = "") -> Path:
    (folder / "city.toml").write_text(TOML.format(url=url, layer=layer, extra=extra), encoding="utf-8")
    return folder


def test_a_table_is_loaded_once_and_again_when_it_changes(tmp_path: Path, address: str) -> None:
    city(tmp_path, address)
    assert [(s.status, s.kept) for s in load(tmp_path).sources] == [("loaded", 40)]
    assert [s.status for s in load(tmp_path).sources] == ["unchanged"]
    with psycopg.connect(address) as connection:
        connection.execute("UPDATE va.ledning SET material = 'SEG' WHERE id = 7")
    assert [s.status for s in load(tmp_path).sources] == ["loaded"]
    with stored(tmp_path) as found:
        rows = found.execute("SELECT material, install_year, length_m FROM pipe WHERE pipe_id = '7'").fetchall()
        assert rows == [("DI", 1960, 50.0)]
        assert found.execute("SELECT path FROM source").fetchall()[0][0].endswith("va.ledning")


@pytest.mark.parametrize(
    ("extra", "kept"),
    [('filter = "id <= 10"', 10), ("bbox = [18.0, 59.3, 18.1, 59.4]", 25)],
    ids=["filter", "bbox"],
)
def test_less_may_be_asked_for(tmp_path: Path, address: str, extra: str, kept: int) -> None:
    assert load(city(tmp_path, address, extra=extra)).sources[0].kept == kept


def test_what_is_wrong_is_named_and_the_earlier_load_stays(
    tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(city(tmp_path, address))
    with pytest.raises(InputError, match=r"pipes .*no table 'va.ledningar'.*Did you mean 'va.ledning'"):
        load(city(tmp_path, address, layer="va.ledningar"))
    with pytest.raises(InputError, match=r"va.ledning cannot be read"):
        load(city(tmp_path, address, extra='filter = "no_such > 1"'))
    with pytest.raises(RefusedError, match="offline"):
        load(city(tmp_path, address), offline=True)
    with pytest.raises(DatabaseError, match="cannot be opened") as caught:
        monkeypatch.setenv("VARDAG_TOKEN_VA", "hemligt")
        wrong = address.replace("postgres@", "nobody@")
        load(city(tmp_path, wrong, extra='token = "VARDAG_TOKEN_VA"'))
    assert "hemligt" not in str(caught.value)
    with stored(tmp_path) as found:
        assert found.execute("SELECT count(*) FROM pipe").fetchall() == [(40,)]
