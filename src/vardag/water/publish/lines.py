"""Lines as small whole numbers: what the report's map is drawn from.

Coordinates are taken from the lower left corner of the network, divided by a step and rounded; each point is then
told by its difference from the point before, also across lines. Neighbouring lines follow each other closely, so
most numbers have one to three digits: 100,000 pipes take about 3 MB, and no library is needed to read them.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import shapely
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
FINE_STEP_M, COARSE_STEP_M = 0.2, 1.0
MANY_LINES = 20_000


@dataclass(frozen=True)
class Frame:
    """The rectangle (metres) that the map shows, and the step (metres) of its whole numbers."""

    west: float
    south: float
    east: float
    north: float
    step: float


@dataclass(frozen=True)
class Lines:
    """Parts of lines: the row each part belongs to, where its points begin, and all points (metres)."""

    owner: Ints
    start: Ints
    points: Floats

    @property
    def counts(self) -> Ints:
        """Points of each part."""
        return np.diff(np.append(self.start, len(self.points)))


def lines_of(wkb: pl.Series, *, tolerance_m: float = 0.0) -> Lines:
    """Read WKB lines; multi-lines become several parts, rows without geometry none."""
    shapes = shapely.from_wkb(wkb.to_numpy())
    if tolerance_m:
        shapes = shapely.simplify(shapes, tolerance_m, preserve_topology=False)
    parts, owner = shapely.get_parts(shapes, return_index=True)
    keep = shapely.get_type_id(parts) == 1
    keep &= ~shapely.is_empty(parts)
    points, part = shapely.get_coordinates(parts[keep], return_index=True)
    start = np.flatnonzero(np.diff(part, prepend=-1))
    return Lines(owner[keep].astype(np.int64), start.astype(np.int64), points)


def frame_of(lines: Lines) -> Frame:
    """Frame around lines; a 1 km square where there are none."""
    step = FINE_STEP_M if len(lines.start) <= MANY_LINES else COARSE_STEP_M
    if not len(lines.points):
        return Frame(0.0, 0.0, 1000.0, 1000.0, step)
    west, south = np.floor(lines.points.min(axis=0))
    east, north = np.ceil(lines.points.max(axis=0))
    return Frame(float(west), float(south), float(east), float(north), step)


def inside(lines: Lines, frame: Frame, *, margin_m: float = 500.0) -> Lines:
    """Keep the parts that begin inside the frame or near it."""
    first = lines.points[lines.start] if len(lines.start) else np.empty((0, 2))
    low = np.array([frame.west - margin_m, frame.south - margin_m])
    high = np.array([frame.east + margin_m, frame.north + margin_m])
    keep = np.all((first >= low) & (first <= high), axis=1)
    counts = lines.counts
    return Lines(lines.owner[keep], _starts(counts[keep]), lines.points[np.repeat(keep, counts)])


def encode(lines: Lines, frame: Frame) -> dict[str, Any]:
    """Whole numbers for the script: ``n`` points per part; ``o`` owners and ``d`` x, y, both as differences."""
    corner = np.array([frame.west, frame.south])
    steps = np.rint((lines.points - corner) / frame.step).astype(np.int64)
    kept = _without_repeats(steps, lines)
    steps, counts = steps[kept], np.add.reduceat(kept, lines.start) if len(lines.start) else lines.start
    differences = np.diff(steps, axis=0, prepend=np.zeros((1, 2), dtype=np.int64))
    return {
        "n": counts.astype(np.int64).tolist(),
        "o": np.diff(lines.owner, prepend=0).tolist(),
        "d": differences.ravel().tolist(),
    }


def _without_repeats(steps: Ints, lines: Lines) -> NDArray[np.bool_]:
    """Points that differ from the one before; the first and the last of a part are always kept."""
    keep = np.ones(len(steps), dtype=bool)
    keep[1:] = np.any(steps[1:] != steps[:-1], axis=1)
    keep[lines.start] = True
    keep[lines.start + lines.counts - 1] = True
    return keep


def _starts(counts: Ints) -> Ints:
    return (
        np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64) if len(counts) else counts.astype(np.int64)
    )
