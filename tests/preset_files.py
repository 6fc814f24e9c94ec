"""Small files that have the layers, columns and typical values of public sources, for the tests of the presets."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio.raw
from shapely import LineString, MultiLineString, MultiPolygon, Point, box, to_wkb

EAST, NORTH = 674_000.0, 6_580_000.0
LINE = LineString([(EAST, NORTH), (EAST + 100, NORTH)])
AREA = MultiPolygon([box(EAST, NORTH, EAST + 50, NORTH + 50)])
DEGREES = (18.07, 59.33)
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
CALGARY = (
    '{"type": "FeatureCollection", "features": [{"type": "Feature", '
    '"geometry": {"type": "Point", "coordinates": [-114.10588, 51.01059]}, '
    '"properties": {"break_date": "2026-01-05T00:00:00.000", "break_type": "AC", "status": "ACTIVE"}}]}'
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
    "calgary_water_main_breaks": (
        lambda folder: text(folder / "breaks.geojson", CALGARY),
        "EPSG:26911",
        "CAST(break_date AS TEXT), event, cause, geom IS NOT NULL",
        [("2026-01-05", "break", "AC", True)],
    ),
    "kitchener_roads": (
        lambda folder: text(folder / "roads.csv", ROADS),
        "EPSG:26917",
        "road_id, road_class, aadt, speed_kmh, truck, bus, width_m",
        [("77", "Arterial", 12000, 50, True, True, 9.5)],
    ),
}
