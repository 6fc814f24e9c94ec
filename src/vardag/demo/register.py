"""The pipes in the streets: where each lies, and what was laid there first."""

from dataclasses import dataclass

import numpy as np
import polars as pl
import shapely

from vardag.demo import constants, terrain
from vardag.demo.districts import ARTERIAL, LOCAL
from vardag.demo.fields import Bools, Floats, Ints, Warp, Words, pick
from vardag.demo.streets import Streets

CLASSES = ("arterial", "collector", "local")


@dataclass(frozen=True)
class _Runs:
    """One main or trunk main along one street link."""

    link: Ints
    trunk: Ints  # 1 for a trunk main


def draw_roads(rng: np.random.Generator, streets: Streets, warp: Warp) -> pl.DataFrame:
    """One road per street link, with traffic: the columns of ``vagar.gpkg`` and ``geom``."""
    count = len(streets)
    share = np.linspace(0, 1, 6)[None, :, None]
    xy = streets.start_xy[:, None] + share * (streets.end_xy - streets.start_xy)[:, None]
    lines = shapely.linestrings(terrain.to_sweref(warp(xy.reshape(-1, 2))).reshape(xy.shape))
    kinds = list(constants.ROADS.items())
    kind = streets.road_class
    median, spread, width = (np.array([values[k] for _, values in kinds], dtype=float)[kind] for k in (0, 1, 3))
    traffic = median * rng.lognormal(0, spread)
    speed = np.stack([rng.choice(values[2], count) for _, values in kinds])[kind, np.arange(count)]
    return pl.DataFrame(
        {
            "VAGID": [f"G{number}" for number in range(1, count + 1)],
            "GATA": list(streets.name),
            "VAGKLASS": [kinds[value][0] for value in kind],
            "ADT": (np.round(traffic / 10) * 10).astype(np.int64),
            "HASTIGHET": speed.astype(np.int64),
            "BUSSTRAFIK": np.where((kind < LOCAL) & (rng.random(count) < 0.5), "Ja", "Nej"),
            "BREDD_M": np.round(width + rng.normal(0, 0.6, count), 1),
            "geom": list(shapely.to_wkb(lines)),
        }
    )


def draw_places(
    rng: np.random.Generator, streets: Streets, warp: Warp, ground: terrain.Terrain, roads: pl.DataFrame
) -> pl.DataFrame:
    """Places of pipes, each with its surroundings; a renewal puts a new pipe in the same place.

    Returns
    -------
    polars.DataFrame
        One row per place: ``place``, ``link``, ``run``, ``trunk``, ``road_class`` (0 to 2), ``built``, ``x``,
        ``y`` (middle, metres from the centre), ``length_m``, ``zone``, ``head_m``, ``soil``, ``aadt``, ``street``,
        ``geom`` (WKB).
    """
    runs = _draw_runs(rng, streets)
    run, start, end = _cut(rng, runs, streets)
    plan, piece = _vertices(runs, streets, run, start, end)
    lines = shapely.linestrings(terrain.to_sweref(warp(plan)), indices=piece)
    middle = shapely.get_coordinates(shapely.line_interpolate_point(lines, 0.5, normalized=True))
    middle -= [constants.CENTRE_E_M, constants.CENTRE_N_M]
    link = runs.link[run]
    halfway = streets.start_xy[link] + ((start + end) / 2)[:, None] * (streets.end_xy - streets.start_xy)[link]
    zone = ground.zone_at(halfway)
    return pl.DataFrame(
        {
            "place": np.arange(len(run)),
            "link": link,
            "run": run,
            "trunk": runs.trunk[run],
            "road_class": streets.road_class[link],
            "built": streets.year[link],
            "x": middle[:, 0],
            "y": middle[:, 1],
            "length_m": np.round(shapely.length(lines), 2),
            "zone": zone,
            "head_m": ground.head_m[zone],
            "soil": list(ground.soil_at(middle)),
            "aadt": roads["ADT"].to_numpy()[link],
            "street": roads["GATA"][link],
            "geom": list(shapely.to_wkb(lines)),
        }
    )


def pipe_length_m(streets: Streets, warp: Warp) -> float:
    """Length of the pipes that these streets will hold, metres."""
    share = np.linspace(0, 1, 6)[None, :, None]
    xy = streets.start_xy[:, None] + share * (streets.end_xy - streets.start_xy)[:, None]
    bent = warp(xy.reshape(-1, 2)).reshape(xy.shape)
    length = np.hypot(*np.moveaxis(np.diff(bent, axis=1), -1, 0)).sum(axis=1)
    kind = streets.road_class
    mains = np.where(kind == ARTERIAL, 2.0, np.where(kind == LOCAL, 1 - constants.LOCAL_WITHOUT_MAIN, 1.0))
    return float((length * mains).sum())


def _draw_runs(rng: np.random.Generator, streets: Streets) -> _Runs:
    main = (streets.road_class < LOCAL) | (rng.random(len(streets)) >= constants.LOCAL_WITHOUT_MAIN)
    mains, trunks = np.flatnonzero(main), np.flatnonzero(streets.road_class == ARTERIAL)
    trunk = np.concatenate([np.zeros(len(mains)), np.ones(len(trunks))]).astype(np.int64)
    return _Runs(np.concatenate([mains, trunks]), trunk)


def _cut(rng: np.random.Generator, runs: _Runs, streets: Streets) -> tuple[Ints, Floats, Floats]:
    """Cut every run into pipes: run of each pipe, and its start and end as shares of the run."""
    length = np.hypot(*(streets.end_xy - streets.start_xy)[runs.link].T)
    count = 1 + rng.poisson(np.maximum(0, length / constants.PIPE_M - 0.6))
    run = np.repeat(np.arange(len(count)), count)
    weight = rng.lognormal(0, constants.PIPE_SPREAD, len(run))
    weight = np.where(rng.random(len(run)) < constants.STUMP_SHARE, weight * constants.STUMP_FACTOR, weight)
    total = np.cumsum(weight)
    before = np.concatenate([[0.0], total])[np.cumsum(count) - count]
    end = (total - before[run]) / np.bincount(run, weight)[run]
    last = np.cumsum(count) - 1
    end[last] = 1.0
    start = np.concatenate([[0.0], end[:-1]])
    start[last - count + 1] = 0.0
    return run, start, end


def _vertices(runs: _Runs, streets: Streets, run: Ints, start: Floats, end: Floats) -> tuple[Floats, Ints]:
    """Points of the plan along every pipe, beside the street's centre line except at the junctions."""
    first, vector = streets.start_xy[runs.link], (streets.end_xy - streets.start_xy)[runs.link]
    length = np.hypot(*vector.T)
    edge = np.minimum(0.2, 10.0 / length)
    inner = np.stack([edge, *[np.full(len(edge), share) for share in (0.3, 0.5, 0.7)], 1 - edge], axis=1)
    inner_run = np.repeat(np.arange(len(edge)), inner.shape[1])
    inner_piece = np.searchsorted(run + end, inner_run + inner.ravel())
    piece = np.concatenate([np.arange(len(run)), np.arange(len(run)), inner_piece])
    share = np.concatenate([start, end, inner.ravel()])
    order = np.lexsort([share, piece])
    piece, share = piece[order], share[order]
    of = run[piece]
    normal = np.column_stack([-vector[:, 1], vector[:, 0]]) / length[:, None]
    side = np.where(runs.trunk == 1, -1.0, 1.0) * constants.PIPE_OFFSET_M
    away = np.clip(np.minimum(share, 1 - share) / edge[of], 0, 1) * side[of]
    return first[of] + share[:, None] * vector[of] + away[:, None] * normal[of], piece


def lay(rng: np.random.Generator, places: pl.DataFrame, year: Ints) -> pl.DataFrame:
    """Choose material and diameter for pipes laid in ``year`` in these places.

    Returns
    -------
    polars.DataFrame
        ``material`` (canonical code) and ``diameter_mm``, one row per place.
    """
    trunk = places["trunk"].to_numpy() == 1
    # One draw per street link: a street is laid in one material, with single odd pipes.
    numbers, link = np.unique(places["run"].to_numpy(), return_inverse=True)
    shared = rng.random(len(numbers))[link]
    odd = rng.random(len(link)) < constants.OTHER_MATERIAL_SHARE
    chance = np.where(odd, rng.random(len(link)), shared)
    material = np.where(
        trunk, _by_year(constants.TRUNK_MATERIALS, year, chance), _by_year(constants.MAIN_MATERIALS, year, chance)
    )
    use = np.where(trunk, "trunk", np.array(CLASSES, dtype=object)[places["road_class"].to_numpy()])
    diameter = _diameters(rng, use, np.isin(material, constants.PLASTICS), link)
    return pl.DataFrame({"material": pl.Series(list(material), dtype=pl.String), "diameter_mm": diameter})


def _by_year(table: tuple[tuple[int, dict[str, float]], ...], year: Ints, chance: Floats) -> Words:
    """Material laid in each year, for a uniform number per pipe."""
    period = np.searchsorted([until for until, _ in table], year, side="right")
    chosen = np.empty(len(year), dtype=object)
    for index, (_, shares) in enumerate(table):
        rows = period == index
        steps = np.cumsum(list(shares.values()))
        chosen[rows] = np.array(list(shares), dtype=object)[np.searchsorted(steps / steps[-1], chance[rows])]
    return chosen


def _diameters(rng: np.random.Generator, use: Words, plastic: Bools, link: Ints) -> Ints:
    """One size per street link for rigid pipes and one for plastics."""
    diameter = np.zeros(len(use), dtype=np.int64)
    links = int(link.max()) + 1 if len(link) else 0
    for name in ("trunk", *CLASSES):
        for is_plastic, sizes in ((False, constants.RIGID_MM), (True, constants.PLASTIC_MM)):
            rows = (use == name) & (plastic == is_plastic)
            diameter[rows] = pick(rng, sizes[name], links)[link[rows]]
    return diameter
