"""Ready-made mappings: each loads a small file that has the source's own layer, columns and typical values."""

import json
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_args

import duckdb
import numpy as np
import pyogrio.raw
import pytest
from shapely import LineString, MultiLineString, MultiPolygon, Point, box, to_wkb
from typer.testing import CliRunner

from vardag.app.cli import app
from vardag.core.errors import ConfigError, NotFoundError
from vardag.water.city import City
from vardag.water.city.model import Secrecy, Source
from vardag.water.city.presets import FOR_PEOPLE, preset, preset_names, with_presets
from vardag.water.city.vocabulary import vocabulary_for
from vardag.water.commands.load import load
from vardag.water.commands.presets import one_preset, presets
from vardag.water.schema import DELIVERED

EAST, NORTH = 674_000.0, 6_580_000.0
LINE = LineString([(EAST, NORTH), (EAST + 100, NORTH)])
AREA = MultiPolygon([box(EAST, NORTH, EAST + 50, NORTH + 50)])
DEGREES = (18.07, 59.33)
CITY = '[city]\nname = "Ytterby"\ncrs = "{crs}"\n'
SMHI = """\ufeffStationsnamn;Stationsnummer;Stationsnät;Mäthöjd (meter över marken)
Stockholm-Observatoriekullen;98210;SMHIs stationsnät;2.0

Parameternamn;Beskrivning;Enhet
Lufttemperatur;medelvärde 1 dygn, 1 gång/dygn, kl 00;celsius

Tidsperiod (fr.o.m);Tidsperiod (t.o.m);Höjd (meter över havet);Latitud (decimalgrader);Longitud (decimalgrader)
1859-01-01 00:00:00;2024-03-31 23:59:59;43.133;59.3417;18.0549

Från Datum Tid (UTC);Till Datum Tid (UTC);Representativt dygn;Lufttemperatur;Kvalitet;;Tidsutsnitt:
2010-01-01 00:00:01;2010-01-02 00:00:00;2010-01-01;-9.5;G;;Kvalitetskontrollerade historiska data
2010-01-02 00:00:01;2010-01-03 00:00:00;2010-01-02;0.5;Y
"""


def layer(path: Path, name: str, shapes: Sequence[Any], crs: str = "EPSG:3006", /, **columns: list[Any]) -> str:
    """Write one layer with its columns; returns the file's name."""
    pyogrio.raw.write(
        path,
        np.array(to_wkb(shapes), dtype=object),
        [np.array(values, dtype=_type(values)) for values in columns.values()],
        list(columns),
        layer=name,
        geometry_type=shapes[0].geom_type,
        crs=crs,
        append=path.exists(),
        encoding="utf-8",
    )
    return path.name


def _type(values: list[Any]) -> Any:
    return object if any(value is None or isinstance(value, str) for value in values) else type(values[0])


def text(path: Path, content: str) -> str:
    path.write_text(content, encoding="utf-8")
    return path.name


def sgu(folder: Path) -> str:
    path = folder / "jordarter25k_100k.gpkg"
    layer(
        path,
        "grundlager",
        [AREA, AREA],
        jg2=[40, 95],
        jg2_tx=["Glacial lera", "Sandig morän"],
        kartering=["5", "5"],
        karttyp=[1, 1],
        symbol=[40, 95],
        objectid=[7, 8],
        geom_area=[2500.0, 2500.0],
        geom_length=[200.0, 200.0],
    )
    return layer(path, "ytlager", [AREA], jy1=[1], jy1_tx=["Torv"], objectid=[9])


def nvdb(folder: Path) -> str:
    return layer(
        folder / "SverigepaketTP.gpkg",
        "SverigepaketTP",
        [MultiLineString([LINE])],
        id=[11],
        ROUTE_ID=["1:2"],
        Gatunamn_Namn=["Storgatan"],
        FunkVagklass_Klass=[6],
        Trafik_ADT_fordon=[4200],
        Vagbredd_Bredd=[7.5],
        Hastighetsgrans_HogstaTillatnaHastighet_F=["40"],
    )


def buildings(folder: Path) -> str:
    kinds = [
        "Samhällsfunktion;Sjukhus",
        "Samhällsfunktion;Skola",
        "Samhällsfunktion;Badhus",
        "Bostad;Flerfamiljshus",
    ]
    path = folder / "byggnadsverk_sverige.gpkg"
    layer(path, "byggnadspunkt", [Point(EAST, NORTH)], objektidentitet=["p"], objekttypnr=[2019])
    return layer(
        path,
        "byggnad",
        [AREA] * 4,
        objektidentitet=list("abcd"),
        objekttypnr=[2063] * 3 + [2061],
        objekttyp=["Samhällsfunktion"] * 3 + ["Bostad"],
        andamal1=kinds,
        byggnadsnamn1=["Lasarettet", None, None, None],
    )


def tracks(folder: Path) -> str:
    path = folder / "kommunikation_sverige.gpkg"
    layer(
        path,
        "vaglinje",
        [LINE],
        objektidentitet=["w"],
        objekttypnr=[1811],
        objekttyp=["Gata"],
        gatunamn=["Storgatan"],
    )
    return layer(
        path,
        "ralstrafik",
        [LINE, LINE],
        objektidentitet=["r", "s"],
        objekttypnr=[1861, 1862],
        objekttyp=["Järnväg", "Museijärnväg"],
    )


def land(folder: Path) -> str:
    return layer(
        folder / "mark_sverige.gpkg",
        "mark",
        [AREA],
        objektidentitet=["m"],
        objekttypnr=[2638],
        objekttyp=["Låg bebyggelse"],
    )


def geofabrik(name: str, shape: Any, *classes: str) -> Callable[[Path], str]:
    """One of Geofabrik's Shapefiles."""

    def write(folder: Path) -> str:
        rows = len(classes)
        return layer(
            folder / f"{name}.shp",
            name,
            [shape] * rows,
            "EPSG:4326",
            osm_id=[str(4000 + row) for row in range(rows)],
            code=[5100] * rows,
            fclass=list(classes),
            name=["Storgatan"] * rows,
        )

    return write


def ssurgo(folder: Path) -> str:
    return layer(
        folder / "soilmu_a_ny067.shp",
        "soilmu_a_ny067",
        [box(18.0, 59.3, 18.1, 59.4)],
        "EPSG:4326",
        AREASYMBOL=["NY067"],
        SPATIALVER=[4.0],
        MUSYM=["HlB"],
        MUKEY=["290123"],
    )


DEGREE_LINE = LineString([DEGREES, (18.08, 59.34)])
ECCC = (
    '"Longitude (x)","Latitude (y)","Station Name","Climate ID","Date/Time","Year","Month","Day","Max Temp (°C)",'
    '"Min Temp (°C)","Mean Temp (°C)"\n'
    '"-80.4","43.5","KITCHENER","6144239","2012-01-03","2012","1","3","-5.0","-14.5","-9.8"\n'
)
NOAA = (
    '"STATION","NAME","LATITUDE","LONGITUDE","ELEVATION","DATE","PRCP","TMAX","TMIN"\n'
    '"USW00014771","SYRACUSE","43.1","-76.1","125","2012-01-03","0.0","-6.1","-14.4"\n'
)
MAINS = (
    "WATMAINID,STATUS,PRESSURE_ZONE,ROADSEGMENTID,PIPE_SIZE,MATERIAL,LINED_DATE,LINED_MATERIAL,INSTALLATION_DATE,OWNERSHIP,"
    "Shape__Length\n12,ACTIVE,KIT 4,77,150,HDPE IN CI,,NONE,1954-01-01T00:00:00.000Z,KITCHENER,31.5\n"
)
BREAKS = (
    "X,Y,WATBREAKINCIDENTID,INCIDENT_DATE,STREET,BREAK_TYPE,ASSETID,BREAK_APPARENT_CAUSE,ASSET_SIZE,"
    "ASSET_YEAR_INSTALLED,ASSET_MATERIAL,ROADSEGMENTID\n"
    "-80.49,43.45,5,2004-05-06T12:00:00.000Z,KING ST,MAIN,12,CORROSION,150,1954,CI,77\n"
)
ROADS = (
    "ROADSEGMENTID,STREET,CARTO_CLASS,PAVEMENT_WIDTH,STARTX,STARTY,ENDX,ENDY,Speed Limit Km,Truck Access,"
    "Bus Route,Aadt\n"
    "77,KING ST,Arterial,9.5,541000,4811000,541100,4811000,50,24HR,Yes,12000\n"
)
REQUESTS = (
    "service_request_id,status,service_name,requested_datetime,updated_datetime,address,lat,long\n"
    "638344,closed,Water leak,2010-04-14T06:37:38-08:00,2010-04-15T06:37:38-08:00,8TH AVE,59.33,18.07\n"
)

# For each preset: its file, the city's system where that is not SWEREF 99 TM, and what must come out of it.
CASES: dict[str, tuple[Callable[[Path], str], str, str, list[tuple[Any, ...]]]] = {
    "sgu_jordarter": (sgu, "EPSG:3006", "soil_id, soil_class", [("7", "Glacial lera"), ("8", "Sandig morän")]),
    "nvdb_sverigepaket": (
        nvdb,
        "EPSG:3006",
        "road_id, street, road_class, aadt, speed_kmh, width_m",
        [("11", "Storgatan", "6", 4200, 40, 7.5)],
    ),
    "lm_byggnad": (
        buildings,
        "EPSG:3006",
        "building_id, building_kind, name",
        [("a", "hospital", "Lasarettet"), ("b", "school", None), ("c", "other", None)],
    ),
    "lm_ralstrafik": (tracks, "EPSG:3006", "rail_id, rail_kind", [("r", "rail"), ("s", "rail")]),
    "lm_vaglinje": (tracks, "EPSG:3006", "road_id, street, road_class", [("w", "Storgatan", "Gata")]),
    "lm_mark": (land, "EPSG:3006", "land_use_id, land_use", [("m", "Låg bebyggelse")]),
    "osm_roads": (
        geofabrik("gis_osm_roads_free_1", DEGREE_LINE, "residential"),
        "EPSG:3006",
        "road_id, street, road_class",
        [("4000", "Storgatan", "residential")],
    ),
    "osm_railways": (
        geofabrik("gis_osm_railways_free_1", DEGREE_LINE, "rail", "tram", "subway", "light_rail", "funicular"),
        "EPSG:3006",
        "rail_kind",
        [("rail",), ("tram",), ("metro",), ("tram",), ("other",)],
    ),
    "osm_landuse": (
        geofabrik("gis_osm_landuse_a_free_1", box(18.0, 59.3, 18.1, 59.4), "residential"),
        "EPSG:3006",
        "land_use_id, land_use",
        [("4000", "residential")],
    ),
    "osm_pois": (
        geofabrik(
            "gis_osm_pois_a_free_1",
            box(18.0, 59.3, 18.1, 59.4),
            "hospital",
            "bakery",
            "kindergarten",
            "nursing_home",
        ),
        "EPSG:3006",
        "building_id, building_kind",
        [("4000", "hospital"), ("4002", "preschool"), ("4003", "care")],
    ),
    "ssurgo": (ssurgo, "EPSG:3006", "soil_class", [("HlB",)]),
    "eccc_daily": (
        lambda folder: text(folder / "eccc.csv", ECCC),
        "EPSG:26917",
        "station, CAST(day AS TEXT), temperature_c, temperature_min_c",
        [("KITCHENER", "2012-01-03", -9.8, -14.5)],
    ),
    "noaa_daily": (
        lambda folder: text(folder / "noaa.csv", NOAA),
        "EPSG:26918",
        "station, CAST(day AS TEXT), temperature_min_c",
        [("USW00014771", "2012-01-03", -14.4)],
    ),
    "smhi_dygnsmedeltemperatur": (
        lambda folder: text(folder / "smhi-opendata_2_98210.csv", SMHI),
        "EPSG:3006",
        "CAST(day AS TEXT), temperature_c",
        [("2010-01-01", -9.5), ("2010-01-02", 0.5)],
    ),
    "smhi_dygnsmintemperatur": (
        lambda folder: text(folder / "smhi-opendata_19_98210.csv", SMHI),
        "EPSG:3006",
        "CAST(day AS TEXT), temperature_min_c",
        [("2010-01-01", -9.5), ("2010-01-02", 0.5)],
    ),
    "open311": (
        lambda folder: text(folder / "requests.csv", REQUESTS),
        "EPSG:3006",
        "report_id, CAST(reported_on AS TEXT), category, status, street",
        [("638344", "2010-04-14", "Water leak", "closed", "8TH AVE")],
    ),
    "kitchener_water_mains": (
        lambda folder: text(folder / "water_mains.csv", MAINS),
        "EPSG:26917",
        "pipe_id, length_m, material, diameter_mm, install_year, status, lining, road_id",
        [("12", 31.5, "PE", 150, 1954, "in_service", None, "77")],
    ),
    "kitchener_water_main_breaks": (
        lambda folder: text(folder / "water_main_breaks.csv", BREAKS),
        "EPSG:26917",
        "break_id, CAST(break_date AS TEXT), asset_id, material, event, cause",
        [("5", "2004-05-06", "12", "CI", "break", "CORROSION")],
    ),
    "kitchener_roads": (
        lambda folder: text(folder / "roads.csv", ROADS),
        "EPSG:26917",
        "road_id, road_class, aadt, speed_kmh, truck, bus, width_m",
        [("77", "Arterial", 12000, 50, True, True, 9.5)],
    ),
}
FETCHED = {"sgu_jordarter_api"}


def city_of(folder: Path, name: str, file: str, crs: str) -> City:
    owner = "" if preset(name).get("owner") else 'owner = "Ytterby kommun"\n'
    lines = f'[sources.{name}]\npreset = "{name}"\npath = "{file}"\n{owner}'
    (folder / "city.toml").write_text(CITY.format(crs=crs) + lines, encoding="utf-8")
    return City.read(folder)


@pytest.mark.parametrize("name", CASES)
def test_a_preset_loads_the_sources_own_file(name: str, tmp_path: Path) -> None:
    write, crs, columns, expected = CASES[name]
    city = city_of(tmp_path, name, write(tmp_path), crs)
    report = load(tmp_path).sources[0]
    table = city.sources[name].table
    with duckdb.connect(city.database, read_only=True) as connection:
        rows = connection.execute(f'SELECT {columns} FROM "{table}" ORDER BY line').fetchall()
    assert (report.kept, report.quarantined.get("duplicate_id", 0)) == (len(expected), 0)
    assert rows == expected


def test_every_preset_is_loaded_above_or_fetched() -> None:
    assert set(CASES) | FETCHED == set(preset_names())


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_says_what_a_source_must_say(name: str) -> None:
    raw = preset(name)
    source = Source.model_validate({key: value for key, value in raw.items() if key not in FOR_PEOPLE})
    table = DELIVERED[source.table]
    assert set(raw["about"]) == {"sv", "en"}
    assert len(raw["basis"]) > 40
    assert raw["secrecy"] in get_args(Secrecy)
    assert source.refresh_days
    assert set(source.columns) <= {column.name for column in table.mappable}
    assert {column.name for column in table.mappable if column.required} <= set(source.columns)
    assert name == "open311" or (source.owner and source.licence and source.contact)


def test_what_the_source_says_itself_wins() -> None:
    own = {"preset": "sgu_jordarter", "path": "a.gpkg", "layer": "ytlager", "columns": {"soil_class": "jy1_tx"}}
    merged = with_presets({"sources": {"soil": own}})["sources"]["soil"]
    assert (merged["layer"], merged["table"]) == ("ytlager", "soil")
    assert merged["columns"] == {"soil_id": "objectid", "soil_class": "jy1_tx"}


def test_the_service_needs_only_a_place(tmp_path: Path) -> None:
    lines = one_preset("sgu_jordarter_api").lines
    (tmp_path / "city.toml").write_text(CITY.format(crs="EPSG:3006") + lines, encoding="utf-8")
    source = City.read(tmp_path).sources["sgu_jordarter_api"]
    assert (source.service, source.layer, source.path) == ("ogcapi", "grundlager", None)
    assert source.bbox is not None


def test_an_unknown_preset_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "city.toml").write_text(
        CITY.format(crs="EPSG:3006") + '[sources.a]\npreset = "sgu_jordart"\n', encoding="utf-8"
    )
    with pytest.raises(ConfigError, match=r"line 5: preset 'sgu_jordart' is unknown.*Did you mean 'sgu_jordarter'"):
        City.read(tmp_path)
    with pytest.raises(NotFoundError, match="Did you mean 'sgu_jordarter'"):
        one_preset("sgu_jordart")


def test_the_list_is_in_the_readers_language() -> None:
    swedish, english = presets(language="sv"), presets(language="en")
    assert [preset.name for preset in swedish] == preset_names()
    assert all(one.about != other.about for one, other in zip(swedish, english, strict=True))


def test_a_report_is_open_or_closed_and_a_pipe_in_service() -> None:
    words = {name: vocabulary_for(DELIVERED[name].column("status")) for name in ("pipe", "valve", "report")}
    assert [words[name] and words[name].kind for name in words] == ["status", "status", "report_status"]


def test_the_command_lists_and_shows() -> None:
    run = CliRunner().invoke
    everything = json.loads(run(app, ["water", "presets", "--json"]).output)
    assert [entry["name"] for entry in everything] == preset_names()
    listed = run(app, ["water", "presets"]).output
    assert all(name in listed for name in preset_names())
    shown = run(app, ["water", "presets", "sgu_jordarter"])
    assert tomllib.loads(shown.output) == {
        "sources": {"sgu_jordarter": {"preset": "sgu_jordarter", "path": "FILE"}}
    }
    assert 'soil_class = "jg2_tx"' in shown.output
    assert isinstance(run(app, ["water", "presets", "nothing"]).exception, NotFoundError)
