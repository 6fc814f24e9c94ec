"""Writes the city folder: the files a municipality would send, ``city.toml``, and the truth beside them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pyogrio
from pyogrio.raw import write as write_raw

from vardag.demo import constants

REGISTER, LOG, ROADS = "ledningar.gpkg", "lackor.csv", "vagar.gpkg"
SOIL, ZONES, CITY, TRUTH = "jordarter.gpkg", "tryckzoner.gpkg", "city.toml", "truth"


def write_layer(path: Path, frame: pl.DataFrame, *, geometry_type: str, day: date) -> None:
    """Write a frame with ``geom`` (WKB) as a GeoPackage with one layer, named like the file."""
    attributes = frame.drop("geom")
    path.unlink(missing_ok=True)
    fields = [attributes[name] for name in attributes.columns]
    with _dated(day):
        write_raw(
            path,
            geometry=np.array(frame["geom"].to_list(), dtype=object),
            field_data=[_values(field) for field in fields],
            field_mask=[field.is_null().to_numpy() for field in fields],
            fields=np.array(attributes.columns, dtype=object),
            layer=path.stem,
            driver="GPKG",
            geometry_type=geometry_type,
            crs=constants.CRS,
        )


def _values(field: pl.Series) -> npt.NDArray[np.generic]:
    if field.dtype == pl.String:
        return np.array(field.to_list(), dtype=object)
    return field.fill_null(0).to_numpy()


@contextmanager
def _dated(day: date) -> Iterator[None]:
    """Let GDAL write this date into the file, not the clock's, so that it comes out the same twice."""
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": f"{day.isoformat()}T00:00:00.000Z"})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def write_log(path: Path, frame: pl.DataFrame) -> None:
    """Write the log as Swedish Excel saves it: semicolons, Windows-1252, decimal commas."""
    text = frame.write_csv(separator=";", line_terminator="\r\n")
    path.write_bytes(text.encode("cp1252"))


def write_city(path: Path, *, first: date, end: date) -> None:
    """Write ``city.toml`` for the demo's files."""
    text = CITY_TOML.format(town=constants.TOWN, crs=constants.CRS, first=first, end=end)
    path.write_text(text, encoding="utf-8")


CITY_TOML = """\
# {town} är en påhittad stad. Allt i mappen är syntetiskt: ingen verklig ledning, läcka eller gata.
# Filen säger vad stadens egna filer heter, vad kolumnerna betyder och från när läckloggen är fullständig.

[city]
name = "{town}"
crs = "{crs}"                      # SWEREF 99 TM
language = "sv"
timezone = "Europe/Stockholm"
record_start = {first}              # läckor före denna dag är ofullständigt registrerade
record_end = {end}
synthetic = true                       # påhittad; det står i allt som publiceras
secrecy = "protected"                  # hanteras som en riktig stads ledningsnät, fast den är påhittad
owner = "VA-enheten, {town}"

[labels]
events = ["break"]                     # det som ska förutsägas: rörbrott på huvudledning, inte servis eller ventil

[sources.ledningar]
table = "pipe"
path = "ledningar.gpkg"
owner = "VA-enheten"
contact = "va@vardagskoping.example"
licence = "CC0-1.0"
date = {end}
refresh_days = 90

[sources.ledningar.columns]
pipe_id = "LEDNINGSID"
material = "MATERIAL"
diameter_mm = {{ column = "DIMENSION", unit = "mm" }}
install_year = "ANLAGGNINGSAR"
status = "STATUS"
retired_date = "UR_DRIFT"
function = "LEDNINGSTYP"
pressure_zone = "TRYCKZON"
street = "GATA"
road_id = "VAGID"
length_m = {{ column = "LANGD_M", unit = "m" }}
position = "LAGE"                      # Inmätt eller Ungefärligt

[sources.ledningar.vocabulary.material]
"Gråjärn" = "CI"                       # finns redan i ordlistan; så här lägger staden till egna stavningar

[sources.ledningar.where]
STATUS = ["I drift", "Ur drift"]       # planerade ledningar kan inte läcka ännu

[sources.lackor]
table = "break"
path = "lackor.csv"
encoding = "cp1252"
delimiter = ";"
decimal = ","
owner = "VA-enheten, driftjouren"
contact = "va@vardagskoping.example"
licence = "CC0-1.0"
date = {end}
refresh_days = 30

[sources.lackor.columns]
break_id = "LÄCKNR"
break_date = {{ column = "DATUM", formats = ["%Y-%m-%d", "%Y%m%d"] }}   # det gamla systemet skrev 20030204
asset_id = "LEDNINGSID"
material = "MATERIAL"
diameter_mm = {{ column = "DIMENSION", unit = "mm" }}
install_year = "ANLÄGGNINGSÅR"
event = "HÄNDELSE"
cause = "ORSAK"
street = "GATA"

[sources.lackor.geometry]
x = "E"                                # öst
y = "N"                                # nord

[sources.lackor.vocabulary.event]
"Rörbrott" = "break"
"Läcka" = "leak"
"Servisläcka" = "service"
"Ventil" = "other"
"Brandpost" = "other"

[sources.vagar]
table = "road"
path = "vagar.gpkg"
owner = "Gatukontoret"
licence = "CC0-1.0"
date = {end}
refresh_days = 365

[sources.vagar.columns]
road_id = "VAGID"
street = "GATA"
road_class = "VAGKLASS"
aadt = "ADT"                           # årsmedeldygnstrafik, fordon per dygn
speed_kmh = {{ column = "HASTIGHET" }}
bus = "BUSSTRAFIK"
width_m = {{ column = "BREDD_M", unit = "m" }}

[sources.jordarter]
table = "soil"
path = "jordarter.gpkg"
owner = "Samhällsbyggnad"
licence = "CC0-1.0"
date = {end}
refresh_days = 3650

[sources.jordarter.columns]
soil_id = "JORD_ID"
soil_class = "JORDART"

[sources.tryckzoner]
table = "pressure_zone"
path = "tryckzoner.gpkg"
owner = "VA-enheten"
licence = "CC0-1.0"
date = {end}
refresh_days = 365

[sources.tryckzoner.columns]
zone_id = "ZON"
pressure_m = "TRYCK_MVP"               # statiskt tryck, meter vattenpelare
"""
