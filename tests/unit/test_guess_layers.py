"""`vardag water init` knows every table by its file's name, and the new tables take no file from the old ones."""

from pathlib import Path

import pytest
import yaml

from vardag.water.schema import DELIVERED
from vardag.water.sources.guess import SYNONYMS, Guess, guess_file


def guess(folder: Path, name: str, header: str) -> Guess:
    path = folder / name
    path.write_text(f"{header}\n{header}\n", encoding="utf-8")
    return guess_file(path)


@pytest.mark.parametrize(
    ("name", "header", "table", "columns"),
    [
        ("ventiler.csv", "VentilID;Dim;Typ", "valve", {"valve_id", "diameter_mm", "valve_type"}),
        ("Brandposter 2024.csv", "ID;Dimension", "hydrant", {"hydrant_id", "diameter_mm"}),
        ("DMA.csv", "DMA;Nattflöde", "dma", {"dma_id", "night_flow_m3h"}),
        ("serviser.csv", "ServisID;Kunder;Material", "service", {"service_id", "customers", "material"}),
        ("tryckmätningar.csv", "Mätpunkt;Datum;Tryck", "pressure", {"point_id", "pressure_m", "measured_on"}),
        ("tryckzoner.csv", "Zon;Tryck", "pressure_zone", {"zone_id", "pressure_m"}),
        ("järnväg.csv", "osm_id;fclass", "rail", {"rail_id", "rail_kind"}),
        ("vägar.csv", "ID;ÅDT", "road", {"road_id", "aadt"}),
        ("markanvändning.csv", "ID;Marktäcke", "land_use", {"land_use_id", "land_use"}),
        ("byggnader.csv", "objektidentitet;andamal1", "building", {"building_id", "building_kind"}),
        ("väder.csv", "Station;Datum;Lufttemperatur", "weather", {"station", "day", "temperature_c"}),
        ("gatuarbeten.csv", "Startdatum;Rubrik", "works", {"starts_on", "title"}),
        ("felanmälningar.csv", "Ärendenr;Inkom;Kategori", "report", {"report_id", "reported_on", "category"}),
        ("läckor på ventiler.csv", "ID;Datum", "break", {"break_id", "break_date"}),
    ],
)  # fmt: skip
def test_a_table_is_known_by_its_files_name(
    tmp_path: Path, name: str, header: str, table: str, columns: set[str]
) -> None:
    found = guess(tmp_path, name, header)
    assert (found.table, set(found.columns)) == (table, columns)


@pytest.mark.parametrize(
    ("header", "table"),
    [
        ("id;material;dim;anläggningsår;status;typ", "pipe"), ("ledningsid;id;material;dim;år", "pipe"),
        ("läcknr;datum;händelsetyp;gata;status", "break"), ("id;datum;typ;adress;kategori;status", "break"),
        ("id;namn;typ", None), ("id;gatunamn;ådt;bredd", "road"), ("station;datum;lufttemperatur", "weather"),
        ("service_request_id;requested_datetime;service_name;status;address", "report"),
    ],
)  # fmt: skip
def test_a_file_without_a_telling_name_is_known_by_its_columns(
    tmp_path: Path, header: str, table: str | None
) -> None:
    assert guess(tmp_path, "a.csv", header).table == table


@pytest.mark.parametrize(
    ("header", "cleaned"),
    [
        ("WATMAINID;MATERIAL;LINED;LINED_DATE;REL_CLEANING_AREA;REL_CLEANING_SUBAREA;CLEANED", None),
        ("LedningsID;Material;Rensad", None), ("LedningsID;Spolad;Spoldatum", "Spoldatum"),
        ("LedningsID;Senast rensad", "Senast rensad"), ("PipeID;CLEANED;CLEANED_DATE", "CLEANED_DATE"),
    ],
)  # fmt: skip
def test_a_cleaning_is_proposed_by_its_day_and_never_by_a_flag(
    tmp_path: Path, header: str, cleaned: str | None
) -> None:
    assert guess(tmp_path, "pipes.csv", header).columns.get("cleaned_date") == cleaned


def test_every_table_of_a_table_file_has_its_words() -> None:
    words = yaml.safe_load(SYNONYMS.read_text(encoding="utf-8"))
    assert set(words["columns"]) == set(words["tables"]) == set(DELIVERED) - {"elevation"}
