"""The register and the log as the utility would hand them over, before the mess is added."""

from datetime import date

import numpy as np
import polars as pl
import shapely

from vardag.demo import constants, terrain
from vardag.demo.breaks import History
from vardag.demo.fields import Bools, Floats, pick

CAUSES = {"Tvärbrott": 0.38, "Korrosionshål": 0.24, "Otät skarv": 0.14, "Längsspricka": 0.12, "Okänd": 0.12}
ISO_DATES_FROM = 2008  # the older log system wrote 20030204


def register_frame(
    rng: np.random.Generator, lives: pl.DataFrame, places: pl.DataFrame, roads: pl.DataFrame
) -> pl.DataFrame:
    """The pipes that the register has: the columns of ``ledningar.gpkg``, ``geom`` and ``life``."""
    lives = lives.filter("in_register").sort("number", "life")
    place = places[lives["place"].to_numpy()]
    road = roads[place["link"].to_numpy()]
    surveyed = rng.random(len(lives)) < np.where(lives["install_year"].to_numpy() >= 1975, 0.92, 0.55)
    return pl.DataFrame(
        {
            "LEDNINGSID": lives["pipe_id"],
            "MATERIAL": spelled(rng, lives["material"]),
            "DIMENSION": lives["diameter_mm"],
            "ANLAGGNINGSAR": lives["install_year"],
            "STATUS": np.where(lives["retired_date"].is_null(), "I drift", "Ur drift"),
            "UR_DRIFT": lives["retired_date"].dt.to_string(),
            "LEDNINGSTYP": np.where(place["trunk"].to_numpy() == 1, "Matarledning", "Huvudledning"),
            "TRYCKZON": [terrain.zone_name(zone) for zone in place["zone"]],
            "GATA": road["GATA"],
            "VAGID": road["VAGID"],
            "LANGD_M": place["length_m"],
            "LAGE": np.where(surveyed, "Inmätt", "Ungefärligt"),
            "geom": place["geom"],
            "life": lives["life"],
        }
    )


def spelled(rng: np.random.Generator, material: pl.Series) -> pl.Series:
    """Write canonical materials as a Swedish register does, oddly now and then."""
    written = np.empty(len(material), dtype=object)
    codes = material.to_numpy()
    for code, spellings in constants.SPELLINGS.items():
        rows = codes == code
        written[rows] = pick(rng, dict(spellings), int(rows.sum()))
    return pl.Series("MATERIAL", list(written), dtype=pl.String)


def log_frame(
    rng: np.random.Generator, history: History, lives: pl.DataFrame, places: pl.DataFrame, first: date
) -> pl.DataFrame:
    """Breaks of mains and the other rows of the log: the columns of ``lackor.csv`` and ``life``.

    ``life`` is the pipe that broke, null for a row that is no break of a main. Dates are dates and coordinates
    are numbers still; ``write`` makes text of them.
    """
    mains = history.breaks.filter(pl.col("break_date") >= first).with_columns(HÄNDELSE=pl.lit("Rörbrott"))
    other = _other_events(rng, history, mains)
    early = history.breaks.filter(pl.col("break_date") < first)
    asked = min(constants.BAD_ROWS["break_before_record"], len(early))
    before = early.sample(asked, seed=int(rng.integers(2**31))).with_columns(HÄNDELSE=pl.lit("Rörbrott"))
    events = pl.concat([before, mains, other]).sort("break_date", "HÄNDELSE", "life")
    return _log_rows(rng, events, lives, places)


def _other_events(rng: np.random.Generator, history: History, mains: pl.DataFrame) -> pl.DataFrame:
    """Leaks of services, small leaks and mended valves: at dates like those of the breaks, on any pipe."""
    kinds = {
        "Servisläcka": constants.SERVICE_SHARE,
        "Läcka": constants.LEAK_SHARE,
        "Ventil": constants.OTHER_SHARE / 2,
        "Brandpost": constants.OTHER_SHARE / 2,
    }
    names = np.repeat(list(kinds), [round(share * len(mains)) for share in kinds.values()])
    dates = mains["break_date"].to_numpy()[rng.integers(0, max(1, len(mains)), len(names))]
    length = history.lives["length_m"].to_numpy()
    life = rng.choice(len(length), size=len(names), p=length / length.sum())
    frame = pl.DataFrame({"life": life, "break_date": dates.astype("datetime64[D]"), "HÄNDELSE": list(names)})
    lives = history.lives[life].select("install_date", "retired_date")
    there = (pl.col("install_date") <= pl.col("break_date")) & (
        pl.col("retired_date").is_null() | (pl.col("break_date") < pl.col("retired_date"))
    )
    return frame.hstack(lives).filter(there).select("life", "break_date", "HÄNDELSE")


def _log_rows(
    rng: np.random.Generator, events: pl.DataFrame, lives: pl.DataFrame, places: pl.DataFrame
) -> pl.DataFrame:
    """Describe the pipe that broke, as it was when it broke."""
    pipe = lives[events["life"].to_numpy()]
    count = len(events)
    service = (events["HÄNDELSE"] == "Servisläcka").to_numpy()
    no_id = service | (rng.random(count) < constants.WITHOUT_ID_SHARE)
    no_material = rng.random(count) < constants.WITHOUT_MATERIAL_SHARE
    position = _positions(rng, places[pipe["place"].to_numpy()]["geom"])
    position[rng.random(count) < constants.WITHOUT_POSITION_SHARE] = np.nan
    year = events["break_date"].dt.year()
    of_year = pl.int_range(1, count + 1, eager=True) - year.search_sorted(year, side="left")
    row = pl.DataFrame(
        {
            "LÄCKNR": [f"L{value}-{number:04d}" for value, number in zip(year, of_year, strict=True)],
            "DATUM": events["break_date"],
            "LEDNINGSID": _blank(pipe["pipe_id"], no_id),
            "MATERIAL": _blank(spelled(rng, pipe["material"]), no_material | service),
            "DIMENSION": _blank(pipe["diameter_mm"], no_material | service),
            "ANLÄGGNINGSÅR": _blank(pipe["install_year"], no_material | service),
            "HÄNDELSE": events["HÄNDELSE"],
            "ORSAK": list(pick(rng, CAUSES, count)),
        }
    )
    streets = places[pipe["place"].to_numpy()]["street"]
    return row.with_columns(
        GATA=streets,
        N=pl.Series(position[:, 1]).fill_nan(None),
        E=pl.Series(position[:, 0]).fill_nan(None),
        life=pl.when(events["HÄNDELSE"] == "Rörbrott").then(events["life"]).otherwise(None),
    )


def _blank(values: pl.Series, where: Bools) -> pl.Series:
    return values.to_frame("v").select(pl.when(pl.Series(~where)).then(pl.col("v")))["v"]


def _positions(rng: np.random.Generator, geometry: pl.Series) -> Floats:
    """Points on the pipes as the repair crew measured them: some by GPS, some by the address."""
    lines = shapely.from_wkb(geometry.to_list())
    count = len(lines)
    points = shapely.line_interpolate_point(lines, rng.random(count), normalized=True)
    by_address = rng.random(count) < constants.ADDRESS_SHARE
    noise = np.where(by_address, constants.ADDRESS_NOISE_M, constants.GPS_NOISE_M)
    return np.asarray(shapely.get_coordinates(points) + rng.normal(0, 1, (count, 2)) * noise[:, None])


def as_text(log: pl.DataFrame) -> pl.DataFrame:
    """Write dates and numbers as the log does: two date forms, decimal comma."""
    day = pl.col("DATUM")
    old, new = day.dt.strftime("%Y%m%d"), day.dt.strftime("%Y-%m-%d")
    metres = [
        pl.col(name).round(1).map_elements(lambda value: f"{value:.1f}".replace(".", ","), return_dtype=pl.String)
        for name in ("N", "E")
    ]
    text = pl.when(day.dt.year() < ISO_DATES_FROM).then(old).otherwise(new)
    return log.with_columns(text.alias("DATUM"), *metres)
