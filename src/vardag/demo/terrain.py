"""What lies under and around the pipes: soil, and the pressure zones with their head."""

from dataclasses import dataclass
from typing import cast

import contourpy
import numpy as np
import polars as pl
import shapely

from vardag.demo import constants
from vardag.demo.fields import Floats, Ints, SmoothField, Warp, Words


@dataclass(frozen=True)
class Terrain:
    """Soil and pressure anywhere in the town; coordinates are metres from the centre."""

    soil: SmoothField
    fill: SmoothField
    zone_xy: Floats  # in the plan
    head_m: Floats
    radius_m: float

    def soil_at(self, xy: Floats) -> Words:
        """Soil class (jordart) at points of the town."""
        levels = np.array([level for _, level in constants.SOIL_LEVELS])
        classes = np.array([name for name, _ in constants.SOIL_LEVELS], dtype=object)
        natural = classes[np.searchsorted(levels, self.soil(xy))]
        return np.where(self.fill_value(xy) > 0, "fyllning", natural)

    def fill_value(self, xy: Floats) -> Floats:
        """Above zero where the ground is made ground, which is mostly near the centre."""
        away = np.hypot(*xy.T) / self.radius_m
        return np.asarray(self.fill(xy) - constants.FILL_LEVEL - 1.6 * away)

    def zone_at(self, plan_xy: Floats) -> Ints:
        """Number of the pressure zone at points of the plan (before the bends)."""
        distance = np.stack([np.hypot(*(plan_xy - centre).T) for centre in self.zone_xy])
        return np.asarray(distance.argmin(axis=0))


def draw_terrain(rng: np.random.Generator, *, radius_m: float) -> Terrain:
    """Draw soil and three to five pressure zones for a town of this radius."""
    count = int(rng.integers(3, 6))
    angle = rng.uniform(0, 2 * np.pi) + 2 * np.pi * np.arange(count) / count + rng.normal(0, 0.25, count)
    away = radius_m * rng.uniform(0.35, 0.6, count)
    zone_xy = np.column_stack([away * np.cos(angle), away * np.sin(angle)])
    head_m = np.round(rng.permutation(np.linspace(*constants.HEAD_M, count)))
    wave = min(constants.SOIL_M, radius_m)
    soil = SmoothField.draw(rng, wavelength_m=wave)
    return Terrain(soil, SmoothField.draw(rng, wavelength_m=0.6 * wave), zone_xy, head_m, radius_m)


def soil_frame(terrain: Terrain) -> pl.DataFrame:
    """Polygons of the soil map: ``JORD_ID``, ``JORDART`` and ``geom`` (WKB, EPSG:3006)."""
    reach = 1.7 * terrain.radius_m
    axis = np.linspace(-reach, reach, int(2 * reach / constants.SOIL_CELL_M) + 2)
    xy = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    size = (len(axis), len(axis))
    fill = _between(axis, terrain.fill_value(xy).reshape(size), 0.0, 99.0)
    made = shapely.union_all(fill)
    polygons = _parts(fill)
    classes = ["fyllning"] * len(polygons)
    soil, lower = terrain.soil(xy).reshape(size), -99.0
    for name, upper in constants.SOIL_LEVELS:
        parts = _parts(shapely.difference(_between(axis, soil, lower, upper), made))
        classes, polygons, lower = classes + [name] * len(parts), polygons + parts, upper
    moved = shapely.transform(np.array(polygons, dtype=object), to_sweref)
    ids = [f"J{number}" for number in range(1, len(classes) + 1)]
    return pl.DataFrame({"JORD_ID": ids, "JORDART": classes, "geom": list(shapely.to_wkb(moved))})


def _parts(geometry: Words) -> list[shapely.Polygon]:
    """Single polygons, without slivers below a square metre."""
    return [part for part in shapely.get_parts(geometry) if part.area > 1]


def _between(axis: Floats, values: Floats, lower: float, upper: float) -> Words:
    """Polygons where a raster lies between two levels."""
    contours = contourpy.contour_generator(axis, axis, values, fill_type=contourpy.FillType.OuterOffset)
    points, offsets = cast(tuple[list[Floats], list[Ints]], contours.filled(lower, upper))
    polygons = []
    for outline, starts in zip(points, offsets, strict=True):
        rings = np.split(outline, starts[1:-1])
        polygons.append(shapely.Polygon(rings[0], [ring for ring in rings[1:] if len(ring) > 3]))
    return np.array([shapely.make_valid(polygon) for polygon in polygons], dtype=object)


def zone_frame(terrain: Terrain, warp: Warp) -> pl.DataFrame:
    """Polygons of the pressure zones: ``ZON``, ``TRYCK_MVP`` (m head) and ``geom``."""
    reach = 1.7 * terrain.radius_m
    town = shapely.box(-reach, -reach, reach, reach)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.MultiPoint(terrain.zone_xy), extend_to=town))
    cells = shapely.segmentize(shapely.intersection(cells, town), 80.0)
    number = terrain.zone_at(np.array([cell.representative_point().coords[0] for cell in cells]))
    moved = shapely.transform(cells[np.argsort(number)], lambda xy: to_sweref(warp(xy)))
    zones = [zone_name(index) for index in range(len(moved))]
    return pl.DataFrame({"ZON": zones, "TRYCK_MVP": terrain.head_m, "geom": list(shapely.to_wkb(moved))})


def zone_name(number: int) -> str:
    """Write the name of a pressure zone: T1, T2, ..."""
    return f"T{number + 1}"


def to_sweref(xy: Floats) -> Floats:
    """Move metres from the town's centre to SWEREF 99 TM (east, north), to the millimetre."""
    return np.asarray(np.round(xy + np.array([constants.CENTRE_E_M, constants.CENTRE_N_M]), 3))
