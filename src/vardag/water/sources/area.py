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

    def cures(self, outside: Points) -> list[str]:
        """Mistakes that would explain points outside: the first one that puts most of them inside comes first."""
        found = []
        if self._explains(self.source, outside[:, ::-1]):
            found.append(_SWAP)
        codes = dict.fromkeys([self.city.to_string(), *COMMON])
        found += [f'crs = "{code}"' for code in codes if self._explains(_crs(code), outside)]
        if not found:
            found += [
                f'crs = "{code}", and {_SWAP}' for code in codes if self._explains(_crs(code), outside[:, ::-1])
            ]
        return found[:3]

    def _explains(self, crs: CRS, points: Points) -> bool:
        """Tell whether the points, read in another system, fall inside both its area and the city's."""
        way = Transformer.from_crs(crs, WGS84, always_xy=True)
        inside = _inside(way, points, self.bounds) & _inside(way, points, _bounds(crs))
        return bool(inside.mean() > 0.5)


_SWAP = "swap x and y"


def _crs(code: str) -> CRS:
    return CRS.from_user_input(code)


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
