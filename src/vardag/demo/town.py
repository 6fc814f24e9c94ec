"""One command: a synthetic Swedish town, as a folder of files and as the truth behind them."""

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from vardag.core.errors import InputError
from vardag.demo import breaks as break_process
from vardag.demo import constants, files, mess, records, register, renewal, streets, terrain
from vardag.demo.breaks import History
from vardag.demo.fields import Warp


@dataclass(frozen=True)
class Town:
    """What was written, and what only a synthetic town can tell.

    Attributes
    ----------
    folder
        The city folder; ``folder / "truth"`` holds what no source of ``city.toml`` touches.
    record_start, record_end
        First and last day of the log.
    pipes, roads, soil, zones
        The vector files as frames, with ``geom`` as WKB.
    log
        The rows of ``lackor.csv`` as text.
    truth
        ``as_of``, ``pipe_id``, ``life``, ``length_m``, ``in_register`` and ``expected_breaks_per_km_year``: the
        true rate in the year after ``as_of`` of every pipe then in the ground, in an average winter. One
        ``as_of`` per year end, from ten years before the end to the end itself.
    lives
        Every pipe that ever lay in the ground, by ``life``.
    true_breaks
        ``break_id``, ``break_date``, ``life``, ``pipe_id`` and ``in_register`` of every break of a main in the log.
    bad_rows
        Number of deliberately bad rows of each kind.
    facts
        Counts of what the life of the network left in the files: rows of the log without position, breaks whose
        id is gone, breaks whose id another pipe took over.
    """

    folder: Path
    record_start: date
    record_end: date
    pipes: pl.DataFrame
    roads: pl.DataFrame
    soil: pl.DataFrame
    zones: pl.DataFrame
    log: pl.DataFrame
    truth: pl.DataFrame
    lives: pl.DataFrame
    true_breaks: pl.DataFrame
    bad_rows: dict[str, int]
    facts: dict[str, int]


@dataclass(frozen=True)
class _Ground:
    """Streets, soil and the places of pipes."""

    roads: pl.DataFrame
    places: pl.DataFrame
    soil: pl.DataFrame
    zones: pl.DataFrame


def town(
    *,
    folder: Path,
    seed: int,
    km: float = 300,
    years: int = 25,
    end: date = date(2024, 12, 31),
    breaks: int | None = None,
    keep_retired: bool = False,
) -> Town:
    """Make a synthetic Swedish town and write its files.

    Parameters
    ----------
    folder
        City folder to write; made if missing, files of the same names are replaced.
    seed
        The same seed gives the same town.
    km
        Length of the mains at the end, kilometres; from 5 to 20,000.
    years
        Length of the break record, years.
    end
        Last day of the record; a 31 December.
    breaks
        Breaks of mains to aim for in the record; by default 10 per 100 km and year. The number drawn
        varies about it.
    keep_retired
        The register keeps pipes that were taken out, with the day and an id of their own, as few registers do.
        Without it they are gone, and what is left is the pipes that survived.

    Returns
    -------
    Town
        The frames that were written, and the truth.

    Raises
    ------
    InputError
        If the record does not end with a year, or a number is out of range.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     made = town(folder=Path(folder), seed=1, km=10, years=10)
    ...     sorted(path.name for path in made.folder.glob("*.gpkg"))
    ['jordarter.gpkg', 'ledningar.gpkg', 'tryckzoner.gpkg', 'vagar.gpkg']
    """
    _check(km=km, years=years, end=end)
    ground_seed, history_seed, record_seed, mess_seed = np.random.SeedSequence(seed).spawn(4)
    first = date(end.year - years + 1, 1, 1)
    ground = _draw_ground(np.random.default_rng(ground_seed), km)
    target = breaks if breaks is not None else constants.BREAKS_PER_KM_YEAR * km * years
    history = break_process.simulate(
        history_seed, ground.places, first_year=first.year, last_year=end.year, target=target
    )
    clean = _records(
        np.random.default_rng(record_seed), folder, ground, history, first=first, end=end, kept=keep_retired
    )
    made = _spoiled(np.random.default_rng(mess_seed), clean)
    _write(made)
    return made


def _check(*, km: float, years: int, end: date) -> None:
    if (end.month, end.day) != (12, 31):
        raise InputError(f"end: {end} is not the last day of a year. Give a 31 December.")
    if not (5 <= km <= 20_000 and 1 <= years <= 60):
        raise InputError(f"km, years: {km} km and {years} years; expected 5 to 20,000 km and 1 to 60 years.")


def _draw_ground(rng: np.random.Generator, km: float) -> _Ground:
    """Draw the streets, then scale the plan so that the pipes have the wanted length."""
    radius_m = 1000 * np.sqrt(km / np.pi / constants.PIPE_KM_PER_KM2)
    plan = streets.draw_streets(rng, radius_m=radius_m)
    warp = Warp.draw(rng, layers_m=constants.WARPS_M)
    factor = 1000 * km / register.pipe_length_m(plan, warp)
    plan = replace(plan, start_xy=plan.start_xy * factor, end_xy=plan.end_xy * factor)
    under = terrain.draw_terrain(rng, radius_m=radius_m * factor)
    roads = register.draw_roads(rng, plan, warp)
    places = register.draw_places(rng, plan, warp, under, roads)
    return _Ground(roads, places, terrain.soil_frame(under), terrain.zone_frame(under, warp))


def _records(
    rng: np.random.Generator,
    folder: Path,
    ground: _Ground,
    history: History,
    *,
    first: date,
    end: date,
    kept: bool,
) -> Town:
    lives = history.lives.with_row_index("life").with_columns(pl.col("life").cast(pl.Int64))
    there = lives["life"].is_in(renewal.in_ground(lives, end).tolist())
    lives = lives.with_columns(renewal.pipe_ids(lives, kept=kept), in_register=there | kept)
    pipes = records.register_frame(rng, lives, ground.places, ground.roads)
    log = records.log_frame(rng, history, lives, ground.places, first)
    known = lives.select("life", "pipe_id", "length_m", "in_register")
    truth = history.truth.join(known, on="life", how="left", maintain_order="left")
    broken = log.filter(pl.col("life").is_not_null()).select(break_id="LÄCKNR", break_date="DATUM", life="life")
    true_breaks = broken.join(known.drop("length_m"), on="life", how="left", maintain_order="left")
    return Town(
        folder=folder,
        record_start=first,
        record_end=end,
        pipes=pipes,
        roads=ground.roads,
        soil=ground.soil,
        zones=ground.zones,
        log=log,
        truth=truth,
        lives=lives,
        true_breaks=true_breaks,
        bad_rows={},
        facts=_facts(log, pipes, true_breaks),
    )


def _facts(log: pl.DataFrame, pipes: pl.DataFrame, true_breaks: pl.DataFrame) -> dict[str, int]:
    gone = true_breaks.filter(~pl.col("in_register"))
    id_lives = gone["pipe_id"].is_in(pipes["LEDNINGSID"].implode())
    return {
        "breaks_of_mains": len(true_breaks),
        "rows_without_position": log["N"].null_count(),
        "rows_without_pipe_id": log["LEDNINGSID"].null_count(),
        "service_rows": int((log["HÄNDELSE"] == "Servisläcka").sum()),
        "breaks_with_id_reused": int(id_lives.sum()),
        "breaks_with_id_gone": int((~id_lives).sum()),
    }


def _spoiled(rng: np.random.Generator, clean: Town) -> Town:
    pipes, bad_pipes = mess.spoil_register(rng, clean.pipes)
    log, bad_log = mess.spoil_log(rng, records.as_text(clean.log), first_year=clean.record_start.year)
    early = int((clean.log["DATUM"] < clean.record_start).sum())
    bad = {**bad_pipes, **bad_log, "break_before_record": early}
    return replace(clean, pipes=pipes.drop("life"), log=log.drop("life"), bad_rows=bad)


def _write(made: Town) -> None:
    folder, day = made.folder, made.record_end
    (folder / files.TRUTH).mkdir(parents=True, exist_ok=True)
    files.write_layer(folder / files.REGISTER, made.pipes, geometry_type="LineString", day=day)
    files.write_layer(folder / files.ROADS, made.roads, geometry_type="LineString", day=day)
    files.write_layer(folder / files.SOIL, made.soil, geometry_type="Polygon", day=day)
    files.write_layer(folder / files.ZONES, made.zones, geometry_type="Polygon", day=day)
    files.write_log(folder / files.LOG, made.log)
    files.write_city(folder / files.CITY, first=made.record_start, end=made.record_end)
    made.truth.write_parquet(folder / files.TRUTH / "truth.parquet")
    made.lives.write_parquet(folder / files.TRUTH / "lives.parquet")
    made.true_breaks.write_parquet(folder / files.TRUTH / "breaks.parquet")
