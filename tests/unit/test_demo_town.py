"""The synthetic town: the same twice, as broken as asked for, and as messy as it says."""

import csv
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pyogrio
import pytest
import shapely
from polars.testing import assert_frame_equal

from stored import rows
from vardag.core.errors import InputError
from vardag.demo import Town, files, mess, town
from vardag.water.city import City
from vardag.water.commands.load import load

YEARS = 12
COLUMNS = {
    "ledningar.gpkg": (
        "LEDNINGSID MATERIAL DIMENSION ANLAGGNINGSAR STATUS UR_DRIFT LEDNINGSTYP TRYCKZON GATA VAGID LANGD_M LAGE"
    ),
    "vagar.gpkg": "VAGID GATA VAGKLASS ADT HASTIGHET BUSSTRAFIK BREDD_M",
    "jordarter.gpkg": "JORD_ID JORDART",
    "tryckzoner.gpkg": "ZON TRYCK_MVP",
}
LOG_COLUMNS = "LÄCKNR DATUM LEDNINGSID MATERIAL DIMENSION ANLÄGGNINGSÅR HÄNDELSE ORSAK GATA N E"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Town:
    return town(folder=tmp_path_factory.mktemp("town"), seed=7, km=40, years=YEARS)


def log_rows(folder: Path) -> list[dict[str, str]]:
    with (folder / files.LOG).open(encoding="cp1252", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def in_record(made: Town) -> pl.DataFrame:
    return made.true_breaks.filter(pl.col("break_date") >= made.record_start)


def test_the_same_seed_gives_the_same_files(tmp_path: Path) -> None:
    first = town(folder=tmp_path / "a", seed=3, km=10, years=5)
    second = town(folder=tmp_path / "b", seed=3, km=10, years=5)
    names = sorted(path.relative_to(first.folder) for path in first.folder.rglob("*") if path.is_file())
    assert len(names) == 9
    for name in names:
        assert (first.folder / name).read_bytes() == (second.folder / name).read_bytes(), name
    assert_frame_equal(first.truth, second.truth)


def test_another_seed_gives_another_town(tmp_path: Path) -> None:
    first, second = (town(folder=tmp_path / str(seed), seed=seed, km=10, years=5) for seed in (1, 2))
    assert (first.folder / files.LOG).read_bytes() != (second.folder / files.LOG).read_bytes()


def test_every_vector_file_has_the_declared_columns_and_lies_in_sweden(made: Town) -> None:
    for name, columns in COLUMNS.items():
        info = pyogrio.read_info(made.folder / name, force_total_bounds=True)
        assert list(info["fields"]) == columns.split()
        assert info["crs"] == "EPSG:3006"
        west, south, east, north = info["total_bounds"]
        assert 550_000 < west < east < 570_000 and 6_490_000 < south < north < 6_510_000


def test_the_log_is_a_swedish_csv_with_the_declared_columns(made: Town) -> None:
    rows = log_rows(made.folder)
    assert list(rows[0]) == LOG_COLUMNS.split()
    assert len(rows) == len(made.log)
    assert all("," in row["N"] and "." not in row["N"] for row in rows if row["N"])
    assert {row["HÄNDELSE"] for row in rows} >= {"Rörbrott", "Servisläcka", "Läcka"}


def test_the_city_file_is_valid_and_no_source_touches_the_truth(made: Town) -> None:
    city = City.read(made.folder)
    assert (city.record_start, city.record_end) == (made.record_start, made.record_end)
    assert {source.table for source in city.sources.values()} == {"pipe", "break", "road", "soil", "pressure_zone"}
    assert all((made.folder / source.path).parent == made.folder for source in city.sources.values())


def test_length_and_breaks_are_about_what_was_asked_for(made: Town) -> None:
    length_km = made.lives.filter("in_register")["length_m"].sum() / 1000
    assert length_km == pytest.approx(40, rel=0.05)
    target = 0.10 * 40 * YEARS
    assert abs(len(in_record(made)) - target) < 4 * np.sqrt(target)


def test_a_wanted_number_of_breaks_is_met(tmp_path: Path) -> None:
    made = town(folder=tmp_path, seed=5, km=20, years=10, breaks=400)
    assert abs(len(in_record(made)) - 400) < 4 * np.sqrt(400)


def test_the_register_holds_the_pipes_in_the_ground_at_the_end_and_no_retired_one(made: Town) -> None:
    lives = made.lives.filter("in_register")
    assert lives["retired_date"].null_count() == len(lives)
    assert lives["place"].n_unique() == len(lives)
    in_service = made.pipes.filter(pl.col("STATUS") == "I drift")["LEDNINGSID"]
    assert set(lives["pipe_id"]) <= set(in_service)
    retired = made.lives.filter(pl.col("retired_date").is_not_null())
    assert 0 < retired["length_m"].sum() < 0.15 * lives["length_m"].sum()


def test_a_register_that_keeps_retired_pipes_knows_the_pipe_of_every_break(tmp_path: Path) -> None:
    kept = town(folder=tmp_path / "kept", seed=8, km=40, years=20, keep_retired=True)
    gone = town(folder=tmp_path / "gone", seed=8, km=40, years=20)
    assert (kept.facts["breaks_with_id_gone"], kept.facts["breaks_with_id_reused"]) == (0, 0)
    assert gone.facts["breaks_with_id_gone"] and gone.facts["breaks_with_id_reused"]
    retired = kept.pipes.filter(pl.col("STATUS") == "Ur drift")
    assert retired.height and retired["UR_DRIFT"].null_count() == 0
    load(kept.folder)
    found = rows(kept.folder, "SELECT count(*) FROM pipe WHERE retired_date IS NOT NULL AND status = 'retired'")
    assert 0 < found[0][0] <= retired.height


def test_a_pipe_follows_the_retired_one_in_its_place(made: Town) -> None:
    spans = made.lives.sort("place", "install_date").select(
        "place", "install_date", "retired_date", follows=pl.col("retired_date").shift(1).over("place")
    )
    later = spans.filter(pl.col("follows").is_not_null())
    assert len(later) == made.lives["retired_date"].count()
    assert (later["install_date"] == later["follows"]).all()


def test_breaks_happen_while_the_pipe_lies_in_the_ground(made: Town) -> None:
    broken = made.true_breaks.join(made.lives, on="life")
    assert (broken["break_date"] >= broken["install_date"]).all()
    gone = broken.filter(pl.col("retired_date").is_not_null())
    assert (gone["break_date"] < gone["retired_date"]).all()


def test_the_log_describes_the_pipe_that_broke_not_its_successor(made: Town) -> None:
    log = made.log.with_columns(year=pl.col("ANLÄGGNINGSÅR")).select("LÄCKNR", "year", "DIMENSION")
    told = made.true_breaks.join(made.lives, on="life").join(log, left_on="break_id", right_on="LÄCKNR")
    told = told.filter(pl.col("year").is_not_null()).unique("break_id")
    wrong = told.filter(pl.col("year") != pl.col("install_year"))
    assert len(wrong) == made.bad_rows["break_before_installation"]
    assert (told["DIMENSION"] == told["diameter_mm"]).all()
    assert made.facts["breaks_with_id_reused"] + made.facts["breaks_with_id_gone"] > 0


def test_breaks_lie_near_the_pipe_that_broke(made: Town) -> None:
    geometry = made.pipes.filter(pl.col("geom").is_not_null()).unique("LEDNINGSID").select("LEDNINGSID", "geom")
    placed = made.true_breaks.filter("in_register").join(
        made.log.filter(pl.col("N").is_not_null()).unique("LÄCKNR"), left_on="break_id", right_on="LÄCKNR"
    )
    placed = placed.join(geometry, left_on="pipe_id", right_on="LEDNINGSID")
    east, north = (placed[name].str.replace(",", ".").cast(pl.Float64).to_numpy() for name in ("E", "N"))
    distance = shapely.distance(shapely.points(east, north), shapely.from_wkb(placed["geom"].to_list()))
    assert np.median(distance) < 5
    assert (distance > 150).sum() <= made.bad_rows["break_far_away"]


def test_breaks_rise_with_the_true_rate_and_add_up_to_it(made: Town) -> None:
    yearly = (
        made.true_breaks.select("life", as_of=(pl.col("break_date").dt.year() - 1)).group_by("life", "as_of").len()
    )
    rows = made.truth.with_columns(pl.col("as_of").dt.year()).filter(pl.col("as_of") < made.record_end.year)
    rows = rows.join(yearly, on=["life", "as_of"], how="left").sort("expected_breaks_per_km_year")
    rows = rows.with_columns(
        third=(pl.col("length_m").cum_sum() / pl.col("length_m").sum() * 2.999).floor(),
        expected=pl.col("expected_breaks_per_km_year") * pl.col("length_m") / 1000,
    )
    by_third = rows.group_by("third").agg(pl.col("len").sum(), pl.col("expected").sum()).sort("third")
    low, middle, high = by_third["len"]
    assert low < middle < high
    assert abs(by_third["len"].sum() - by_third["expected"].sum()) < 5 * np.sqrt(by_third["expected"].sum())


def test_truth_covers_eleven_year_ends_and_every_pipe_then_in_the_ground(made: Town) -> None:
    dates = made.truth["as_of"].unique().sort().to_list()
    assert dates == [date(year, 12, 31) for year in range(2014, 2025)]
    last = made.truth.filter(pl.col("as_of") == made.record_end)
    assert set(last["life"]) == set(made.lives.filter("in_register")["life"])
    assert (made.truth["expected_breaks_per_km_year"] > 0).all()


def test_bad_rows_of_the_register_are_as_counted(made: Town) -> None:
    table = pyogrio.read_arrow(made.folder / files.REGISTER)[1]
    pipes = pl.DataFrame(pl.from_arrow(table))
    planned = pipes["STATUS"] == "Planerad"
    point = pipes["LANGD_M"] == 0
    plain = pipes.filter(~planned & ~point)
    found = {
        "pipe_planned": int(planned.sum()),
        "pipe_zero_length": int(point.sum()),
        "pipe_missing_year": plain.unique("LEDNINGSID")["ANLAGGNINGSAR"].null_count(),
        "pipe_impossible_year": int((plain.unique("LEDNINGSID")["ANLAGGNINGSAR"] == mess.IMPOSSIBLE_YEAR).sum()),
        "pipe_unknown_material": int((plain.unique("LEDNINGSID")["MATERIAL"] == mess.UNKNOWN_MATERIAL).sum()),
        "pipe_duplicate_id": len(pipes) - pipes["LEDNINGSID"].n_unique(),
        "pipe_without_geometry": plain.unique("LEDNINGSID")[pipes.columns[-1]].null_count(),
    }
    assert found == {kind: made.bad_rows[kind] for kind in found}


def test_bad_rows_of_the_log_are_as_counted(made: Town) -> None:
    rows = log_rows(made.folder)
    years = [row["DATUM"][:4] for row in rows]
    found = {
        "break_unreadable_date": sum(not year.isdigit() for year in years),
        "break_duplicate_id": len(rows) - len({row["LÄCKNR"] for row in rows}),
        "break_far_away": sum(float((row["N"] or "7e6").replace(",", ".")) < 6e6 for row in rows),
        "break_before_record": sum(year.isdigit() and int(year) < made.record_start.year for year in years),
        "break_before_installation": sum(
            year.isdigit() and int(row["ANLÄGGNINGSÅR"] or 0) > int(year)
            for year, row in zip(years, rows, strict=True)
        ),
    }
    assert found == {kind: made.bad_rows[kind] for kind in found}


def test_pipes_of_a_street_meet_at_the_junctions(made: Town) -> None:
    lines = shapely.from_wkb(made.pipes.filter(pl.col("geom").is_not_null())["geom"].to_list())
    ends = np.concatenate([shapely.get_coordinates(shapely.get_point(lines, end)) for end in (0, -1)])
    _, count = np.unique(np.round(ends, 1), axis=0, return_counts=True)
    assert (count >= 2).mean() > 0.85


@pytest.mark.parametrize(
    ("wrong", "told"),
    [({"end": date(2024, 6, 30)}, "31 December"), ({"km": 1}, "5 to 20,000 km"), ({"years": 0}, "1 to 60 years")],
)
def test_impossible_towns_are_refused(tmp_path: Path, wrong: dict[str, object], told: str) -> None:
    with pytest.raises(InputError, match=told):
        town(folder=tmp_path, seed=1, **wrong)  # type: ignore[arg-type]
