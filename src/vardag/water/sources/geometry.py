"""Places: from coordinates, text or a file's own geometry to valid shapes in the city's system.

A row without any place keeps its other values (a break can still be linked by its id). A row whose place is broken
or lies outside the area that the city's coordinate system covers is left out with its reason.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError

from vardag.core.errors import InputError
from vardag.water.sources.area import Area

Shapes = NDArray[np.object_]
Mask = NDArray[np.bool_]
POINT, LINE, POLYGON = {0}, {1, 2, 5}, {3, 6}


@dataclass(frozen=True)
class Raw:
    """Shapes as the file has them: None where missing or broken, with a mask that tells which.

    Points from columns are given as coordinates instead (NaN where there are none), which is several times faster.
    """

    shapes: Shapes
    broken: Mask
    xy: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Placed:
    """Shapes in the city's system.

    Attributes
    ----------
    wkb
        WKB bytes, None where a row has no (usable) place.
    length_m
        Length of lines, NaN otherwise.
    reasons
        Why a row must be left out, None where it is fine.
    missing, repaired, centred
        Rows without a place, polygons mended, and lines or areas of breaks reduced to their centre.
    outside
        Centres, in the file's system, of shapes outside the area.
    """

    wkb: Shapes
    length_m: NDArray[np.float64]
    reasons: Shapes
    missing: Mask
    repaired: Mask
    centred: Mask
    outside: NDArray[np.float64]


@dataclass(frozen=True)
class Placer:
    """Puts the shapes of one source where they belong; `kind` is the table's: point, line, polygon or any."""

    kind: str
    transformer: Transformer
    area: Area

    @classmethod
    def make(cls, kind: str, *, source_crs: str, city_crs: str, where: str) -> "Placer":
        """Prepare the way from a source's coordinate system to the city's.

        Raises
        ------
        InputError
            When there is no such way, because the file's system is local or undefined.
        """
        crs = CRS.from_user_input(source_crs)
        try:
            transformer = Transformer.from_crs(crs, city_crs, always_xy=True)
            return cls(kind, transformer, Area.make(source=crs, city=CRS.from_user_input(city_crs)))
        except ProjError:
            raise InputError(
                f"{where}: the file's coordinate system ({crs.name}) is not tied to the earth. State the right one "
                f'in city.toml: crs = "{city_crs}" or another code.'
            ) from None

    def place(self, raw: Raw) -> Placed:
        """Repair, reduce, project and check the shapes of a chunk."""
        if raw.xy is not None:
            return self._place_points(raw.xy, raw.broken)
        shapes, reasons, centred = shapely.force_2d(raw.shapes), np.full(len(raw.shapes), None, dtype=object), None
        _refuse(reasons, raw.broken, "bad_geometry")
        _refuse(reasons, shapely.is_empty(shapes), "empty_geometry")
        _refuse(reasons, ~_finite(shapes) & ~shapely.is_missing(shapes), "bad_geometry")
        shapes = _without(shapes, reasons)
        shapes, repaired = self._repair(shapes)
        shapes, centred = self._fit_kind(shapes)
        _refuse(reasons, ~shapely.is_missing(shapes) & shapely.is_empty(shapes), "wrong_geometry")
        outside = ~self.area.holds(_centres(shapes)) & ~shapely.is_missing(shapes)
        outside_centres = _centres(shapes)[outside]
        projected = self._project(_without(shapes, reasons))
        outside |= ~_finite(projected) & ~shapely.is_missing(projected)
        _refuse(reasons, outside, "outside_area")
        projected = _without(projected, reasons)
        return Placed(
            wkb=shapely.to_wkb(projected),
            length_m=np.where(_is(projected, LINE), shapely.length(projected), np.nan),
            reasons=reasons,
            missing=shapely.is_missing(projected) & (reasons == None),  # noqa: E711 - elementwise
            repaired=repaired,
            centred=centred,
            outside=outside_centres,
        )

    def _place_points(self, xy: NDArray[np.float64], broken: Mask) -> Placed:
        reasons, nowhere = np.full(len(xy), None, dtype=object), np.zeros(len(xy), dtype=bool)
        _refuse(reasons, broken, "bad_geometry")
        known = ~np.isnan(xy).any(axis=1)
        projected = np.column_stack(self.transformer.transform(xy[:, 0], xy[:, 1]))
        outside = known & ~(self.area.holds(xy) & np.isfinite(projected).all(axis=1))
        _refuse(reasons, outside, "outside_area")
        placed = known & ~outside
        wkb = np.full(len(xy), None, dtype=object)
        wkb[placed] = shapely.to_wkb(shapely.points(projected[placed]))
        return Placed(
            wkb=wkb,
            length_m=np.full(len(xy), np.nan),
            reasons=reasons,
            missing=~known & ~broken,
            repaired=nowhere,
            centred=nowhere,
            outside=xy[outside],
        )

    def _repair(self, shapes: Shapes) -> tuple[Shapes, Mask]:
        """Make invalid polygons valid; lines and points have nothing to repair."""
        broken = _is(shapes, POLYGON) & ~shapely.is_valid(shapes)
        if broken.any():
            shapes = shapes.copy()
            shapes[broken] = shapely.make_valid(shapes[broken])
        return shapes, broken

    def _fit_kind(self, shapes: Shapes) -> tuple[Shapes, Mask]:
        """Bring shapes to the table's kind; what cannot be becomes empty."""
        wanted = {"point": POINT, "line": LINE, "polygon": POLYGON, "any": POINT | LINE | POLYGON}[self.kind]
        odd = ~_is(shapes, wanted) & ~shapely.is_missing(shapes)
        if not odd.any():
            return shapes, np.zeros(len(shapes), dtype=bool)
        shapes = shapes.copy()
        if self.kind == "point":
            shapes[odd] = [_centre(shape) for shape in shapes[odd]]
            return shapes, odd
        shapes[odd] = [_parts_of(shape, wanted) for shape in shapes[odd]]
        return shapes, np.zeros(len(shapes), dtype=bool)

    def _project(self, shapes: Shapes) -> Shapes:
        coordinates = shapely.get_coordinates(shapes)
        x, y = self.transformer.transform(coordinates[:, 0], coordinates[:, 1])
        projected: Shapes = shapely.set_coordinates(shapes.copy(), np.column_stack([x, y]))
        return projected


def points(x: pl.Series, y: pl.Series, *, cells: tuple[pl.Series, pl.Series]) -> Raw:
    """Points from two columns; blank cells, and 0 0, mean that the place is not known."""
    xy, broken = _corner(x, y, cells)
    return Raw(np.empty(0, dtype=object), broken, xy)


def segments(
    start: tuple[pl.Series, pl.Series], end: tuple[pl.Series, pl.Series], *, cells: list[pl.Series]
) -> Raw:
    """Straight lines from a start to an end."""
    first, first_broken = _corner(*start, (cells[0], cells[1]))
    last, last_broken = _corner(*end, (cells[2], cells[3]))
    known = ~(np.isnan(first).any(axis=1) | np.isnan(last).any(axis=1))
    shapes = np.full(len(first), None, dtype=object)
    shapes[known] = shapely.linestrings(np.stack([first[known], last[known]], axis=1))
    one_end = np.isnan(first).any(axis=1) != np.isnan(last).any(axis=1)
    return Raw(shapes, first_broken | last_broken | one_end)


def well_known_text(cells: pl.Series) -> Raw:
    """Shapes from well-known text, with or without a leading SRID."""
    plain = cells.str.replace(r"^SRID=\d+;\s*", "").to_list()
    shapes = shapely.from_wkt(np.array(plain, dtype=object), on_invalid="ignore")
    return Raw(shapes, shapely.is_missing(shapes) & cells.is_not_null().to_numpy())


def well_known_binary(cells: pl.Series) -> Raw:
    """Shapes from a file's own geometry."""
    values = np.empty(len(cells), dtype=object)
    values[:] = cells.to_list()
    shapes = shapely.from_wkb(values, on_invalid="ignore")
    return Raw(shapes, shapely.is_missing(shapes) & cells.is_not_null().to_numpy())


def _corner(x: pl.Series, y: pl.Series, cells: tuple[pl.Series, pl.Series]) -> tuple[NDArray[np.float64], Mask]:
    """Coordinates (NaN where there are none), and where there is text that makes no coordinates."""
    pairs = np.column_stack([_floats(x), _floats(y)])
    blank = (cells[0].is_null() & cells[1].is_null()).to_numpy()
    broken = ~np.isfinite(pairs).all(axis=1) & ~blank
    nowhere = (pairs == 0).all(axis=1)
    pairs[broken | nowhere] = np.nan
    return pairs, broken


def _floats(series: pl.Series) -> NDArray[np.float64]:
    return series.cast(pl.Float64).fill_null(float("nan")).to_numpy().astype(np.float64)


def _refuse(reasons: Shapes, mask: Mask, reason: str) -> None:
    reasons[mask & (reasons == None)] = reason  # noqa: E711 - elementwise


def _without(shapes: Shapes, reasons: Shapes) -> Shapes:
    kept = shapes.copy()
    kept[reasons != None] = None  # noqa: E711 - elementwise
    return kept


def _is(shapes: Shapes, types: set[int]) -> Mask:
    return np.asarray(np.isin(shapely.get_type_id(shapes), list(types)))


def _finite(shapes: Shapes) -> Mask:
    return np.asarray(np.isfinite(shapely.bounds(shapes)).all(axis=1))


def _centres(shapes: Shapes) -> NDArray[np.float64]:
    bounds = shapely.bounds(shapes)
    return np.column_stack([(bounds[:, 0] + bounds[:, 2]) / 2, (bounds[:, 1] + bounds[:, 3]) / 2])


def _centre(shape: shapely.Geometry) -> shapely.Geometry:
    """The one point that stands for a line, an area or several points."""
    if shape.geom_type == "LineString" and shape.length > 0:
        return shape.interpolate(0.5, normalized=True)
    return shape.centroid


def _parts_of(shape: shapely.Geometry, types: set[int]) -> shapely.Geometry:
    """Parts of the wanted kind inside a collection, together; empty where it has none."""
    parts = [part for part in shapely.get_parts(shape) if shapely.get_type_id(part) in types]
    flat = [single for part in parts for single in shapely.get_parts(part)]
    if not flat:
        return shapely.from_wkt("GEOMETRYCOLLECTION EMPTY")
    many = shapely.multipolygons if types == POLYGON else shapely.multilinestrings
    return flat[0] if len(flat) == 1 else many(flat)
