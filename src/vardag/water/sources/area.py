"""Where a city's coordinate system holds, and what is likely wrong with coordinates that fall outside it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Transformer

# Degrees around the area for which a coordinate system was made that still count as inside: about 30 to 55 km.
MARGIN_DEGREES = 0.5
WGS84 = "EPSG:4326"
WORLD = (-180.0, -90.0, 180.0, 90.0)
# Systems that are mistaken for each other: SWEREF 99 TM and its twelve zones, RT 90, UTM, and the web map's.
COMMON = (
    "EPSG:4326", "EPSG:3006", *(f"EPSG:{code}" for code in range(3007, 3019)), "EPSG:3021", "EPSG:3857",
    "EPSG:25832", "EPSG:25833", "EPSG:25834", *(f"EPSG:{code}" for code in range(26907, 26922)), "EPSG:27700",
)  # fmt: skip
Points = NDArray[np.float64]


@dataclass(frozen=True)
class Area:
    """The area of the city's coordinate system, asked about points in a source's system."""

    source: CRS
    city: CRS
    to_degrees: Transformer
    bounds: tuple[float, float, float, float]

    @classmethod
    def make(cls, *, source: CRS, city: CRS) -> "Area":
        """Prepare the question for points of one source."""
        return cls(source, city, Transformer.from_crs(source, WGS84, always_xy=True), _bounds(city))

    def holds(self, centres: Points) -> NDArray[np.bool_]:
        """Tell which points lie inside, with a margin; NaN is outside."""
        return _inside(self.to_degrees, centres, self.bounds)

    def cures(self, outside: Points, *, near: Points | None = None) -> list[str]:
        """Up to three mistakes that would explain points outside, the likeliest first.

        Parameters
        ----------
        outside
            Points in the source's system.
        near
            Points of the city's other sources, in the city's system; what puts the points nearest to them is the
            likeliest.
        """
        codes = dict.fromkeys([self.city.to_string(), *COMMON])
        swapped = outside[:, ::-1]
        tries = [(_SWAP, self.source, swapped)]
        tries += [(f'crs = "{code}"', CRS.from_user_input(code), outside) for code in codes]
        tries += [(f'crs = "{code}", and {_SWAP}', CRS.from_user_input(code), swapped) for code in codes]
        found = {text: self._misfit(crs, points, near) for text, crs, points in tries}
        single = {text: misfit for text, misfit in found.items() if " and swap" not in text and misfit < np.inf}
        likely = single or {text: misfit for text, misfit in found.items() if misfit < np.inf}
        return sorted(likely, key=lambda text: likely[text])[:3]

    def _misfit(self, crs: CRS, points: Points, near: Points | None) -> float:
        """Distance, to the other sources, of points read in another system; infinite where they fall outside."""
        way = Transformer.from_crs(crs, WGS84, always_xy=True)
        inside = _inside(way, points, self.bounds) & _inside(way, points, _bounds(crs))
        if inside.mean() <= 0.5:
            return float("inf")
        if near is None or len(near) == 0:
            return 0.0
        to_city = Transformer.from_crs(crs, self.city, always_xy=True)
        projected = np.column_stack(to_city.transform(points[inside, 0], points[inside, 1]))
        return gap(projected, near)


_SWAP = "swap x and y"


def gap(left: Points, right: Points) -> float:
    """Distance between the middles (5 to 95 %) of two sets of points; 0 where their boxes meet."""
    low = np.maximum(*(np.percentile(points, 5, axis=0) for points in (left, right)))
    high = np.minimum(*(np.percentile(points, 95, axis=0) for points in (left, right)))
    return float(np.hypot(*np.maximum(low - high, 0.0)))


def _bounds(crs: CRS) -> tuple[float, float, float, float]:
    west, south, east, north = crs.area_of_use.bounds if crs.area_of_use else WORLD
    margin = MARGIN_DEGREES
    return west - margin, max(south - margin, -90.0), east + margin, min(north + margin, 90.0)


def _inside(way: Transformer, points: Points, bounds: Sequence[float]) -> NDArray[np.bool_]:
    west, south, east, north = bounds
    lon, lat = way.transform(points[:, 0], points[:, 1])
    with np.errstate(invalid="ignore"):
        return np.asarray((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))


def extent_text(points: Points) -> str:
    """The extent of points, for a message."""
    (west, south), (east, north) = points.min(axis=0), points.max(axis=0)
    return f"x {west:.6g} to {east:.6g}, y {south:.6g} to {north:.6g}"


def corners(city_crs: str) -> Iterator[tuple[float, float]]:
    """Two opposite corners of the city system's area, in its own metres."""
    crs = CRS.from_user_input(city_crs)
    way = Transformer.from_crs(WGS84, crs, always_xy=True)
    west, south, east, north = way.transform_bounds(*_bounds(crs))
    yield west, south
    yield east, north
