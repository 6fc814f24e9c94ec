"""The districts of the town: rings around the centre, each built in its own years and its own style."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import Voronoi

from vardag.demo import constants
from vardag.demo.fields import Bools, Floats, Ints

ARTERIAL, COLLECTOR, LOCAL = 0, 1, 2


@dataclass(frozen=True)
class Districts:
    """One entry per district, inside the town and around it; metres in the plan, centre at zero."""

    xy: Floats
    ring: Ints
    sector: Ints
    built: Bools
    year: Floats
    width_m: float


@dataclass(frozen=True)
class Borders:
    """Straight borders between two districts; they carry the arterial and the collector streets."""

    between: Ints  # (n, 2) rows of Districts
    corners: Ints  # (n, 2) rows of corner_xy
    corner_xy: Floats
    road_class: Ints
    street: Ints  # radial 0..5, then ring 100.., then 1000 + own number for collectors


def draw_districts(rng: np.random.Generator, *, radius_m: float) -> Districts:
    """Lay rings of districts, and one ring more than the town fills, so that every border is finite."""
    width = min(constants.DISTRICT_WIDTH_M, radius_m / 2.2)
    rings = int(np.ceil(1.45 * radius_m / width)) + 2
    ring = np.concatenate([[0], np.repeat(np.arange(1, rings), constants.RADIALS * np.arange(1, rings))])
    place = np.concatenate([[0], *[np.arange(constants.RADIALS * k) for k in range(1, rings)]])
    per_ring = np.maximum(1, constants.RADIALS * ring)
    jitter = rng.normal(0, 0.12 * width, (2, len(ring)))
    distance = np.maximum(0, ring * width + jitter[0] * (ring > 0))
    angle = 2 * np.pi * (place + 0.5) / per_ring + jitter[1] / np.maximum(distance, width)
    xy = np.column_stack([distance * np.cos(angle), distance * np.sin(angle)])
    share = (distance / (radius_m * _outline(rng, angle))) ** 2  # of the town's area that lies further in
    empty = (rng.random(len(ring)) < constants.EMPTY_DISTRICT_SHARE) & (ring > 1)
    built = (share < 1) & ~empty & (ring < rings - 1)
    sector = place * constants.RADIALS // per_ring
    return Districts(xy, ring, sector, built, _year_built(rng, share), width)


def _outline(rng: np.random.Generator, angle: Floats) -> Floats:
    """A town is no circle: the radius by direction, about 1."""
    waves = np.arange(2, 6)
    sizes, phases = rng.normal(0, 0.16, 4) / np.sqrt(waves), rng.uniform(0, 2 * np.pi, 4)
    bumps = np.cos(angle[:, None] * waves + phases) @ sizes
    return np.asarray(np.clip(1 + bumps, 0.7, 1.4))


def _year_built(rng: np.random.Generator, share: Floats) -> Floats:
    years, shares = np.array(constants.GROWTH).T
    blurred = np.clip(share + rng.normal(0, 0.07, len(share)), 0.01, 1)
    return np.asarray(np.interp(blurred, shares, years))


def draw_borders(districts: Districts) -> Borders:
    """Find the borders with at least one built side, and what kind of street follows each."""
    voronoi = Voronoi(districts.xy)
    between, corners = np.asarray(voronoi.ridge_points), np.asarray(voronoi.ridge_vertices)
    kept = districts.built[between].any(axis=1) & (corners >= 0).all(axis=1)
    between, corners = between[kept].astype(np.int64), corners[kept].astype(np.int64)
    ring, sector = districts.ring[between], districts.sector[between]
    radial = (sector[:, 0] != sector[:, 1]) & (ring.min(axis=1) > 0)
    inner = ring.min(axis=1)
    ringed = (ring[:, 0] != ring[:, 1]) & np.isin(inner, constants.RING_ROADS)
    number = np.where(sector.max(axis=1) - sector.min(axis=1) > 1, constants.RADIALS - 1, sector.min(axis=1))
    which_ring = np.searchsorted(constants.RING_ROADS, inner)
    street = np.where(radial, number, np.where(ringed, 100 + which_ring, 1000 + np.arange(len(between))))
    road_class = np.where(radial | ringed, ARTERIAL, COLLECTOR)
    return Borders(between, corners, voronoi.vertices, road_class, street)
