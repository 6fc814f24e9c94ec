"""Still pictures of the map: an SVG of a few paths, and a PNG for a README."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from vardag.water.publish.classes import CLASSES, ROAD_COLOUR, rank_class
from vardag.water.publish.context import TEXTS
from vardag.water.publish.lines import Frame, Ints, Lines, frame_of, inside, lines_of
from vardag.water.publish.notation import number

SVG_WIDTH = 1000
INK = "#1d2733"
DPI = 160
STRIP_IN = 0.42
TALLEST = 1.2
USUAL_PX = 7.0


def map_svg(predictions: pl.DataFrame, *, title: str, roads: pl.DataFrame | None = None) -> str:
    """Draw the ranked network as an inline SVG: one path per class, the highest on top, north up.

    Points are rounded to a thousandth of the width and repeated stretches drawn once, so that it stays small
    (about 1 MB for 100,000 pipes). `title` is escaped.
    """
    lines = lines_of(predictions["geom"])
    frame = frame_of(lines)
    thin = thinness(lines, frame)
    classes = rank_class(predictions).to_numpy()[lines.owner]
    layers = [
        (_chosen(lines, classes == one.number), one.colour, one.width_mm * 3.2 * thin) for one in reversed(CLASSES)
    ]
    return lines_svg(layers, frame=frame, title=title, roads=roads)


def lines_svg(
    layers: Sequence[tuple[Lines, str, float]], *, frame: Frame, title: str, roads: pl.DataFrame | None = None
) -> str:
    """Draw lines as an inline SVG, one path a layer (lines, colour, width), the last on top."""
    height = round(SVG_WIDTH * _ratio(frame))
    under = [] if roads is None else [(inside(lines_of(roads["geom"]), frame), ROAD_COLOUR, 1.0)]
    paths = [_path(lines, frame, colour, width) for lines, colour, width in (*under, *layers)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SVG_WIDTH} {height}" role="img" '
        f'fill="none" stroke-linecap="round" stroke-linejoin="round"><title>{_escaped(title)}</title>'
        + "".join(paths)
        + "</svg>"
    )


def thinness(lines: Lines, frame: Frame) -> float:
    """Factor for line widths of an SVG: less than 1 where pipes are only some pixels long."""
    return _thinness(lines, SVG_WIDTH / (frame.east - frame.west))


def map_png(
    predictions: pl.DataFrame,
    *,
    path: Path,
    language: str,
    roads: pl.DataFrame | None = None,
    title: str = "",
    width_px: int = 1600,
) -> Path:
    """Draw the ranked network as a PNG with legend and scale bar."""
    lines = lines_of(predictions["geom"])
    frame = frame_of(lines)
    width = width_px / DPI
    height = width * min(_ratio(frame), TALLEST)
    figure = Figure(figsize=(width, height + 2 * STRIP_IN), dpi=DPI)
    FigureCanvasAgg(figure)
    strip = STRIP_IN / (height + 2 * STRIP_IN)
    axes = figure.add_axes((0.015, strip, 0.97, 1 - 2 * strip))
    if roads is not None:
        axes.add_collection(_collection(inside(lines_of(roads["geom"]), frame), ROAD_COLOUR, 0.6))
    classes = rank_class(predictions).to_numpy()
    thin = _thinness(lines, width_px / (frame.east - frame.west))
    for one in reversed(CLASSES):
        part = _chosen(lines, classes[lines.owner] == one.number)
        axes.add_collection(_collection(part, one.colour, one.width_mm * 2.2 * thin))
    _furnish(figure, axes, frame, language)
    figure.text(0.015, 1 - strip / 2, title, fontsize=12, color=INK, weight="bold", va="center")
    figure.savefig(path, metadata={"Software": None})
    return path


def _furnish(figure: Figure, axes: Axes, frame: Frame, language: str) -> None:
    """Legend in the strip below the map, scale bar in its lower left corner."""
    axes.set(xlim=(frame.west, frame.east), ylim=(frame.south, frame.north))
    axes.set_aspect("equal", adjustable="box")
    axes.set_axis_off()
    handles = [Line2D([], [], color=one.colour, lw=one.width_mm * 3) for one in CLASSES]
    labels = [TEXTS(f"class_{one.number}", language) for one in CLASSES]
    figure.legend(handles, labels, loc="lower left", ncols=len(CLASSES), fontsize=9, frameon=False)
    bar = scale_bar(0.15 * (frame.east - frame.west))
    label = f"{number(bar / 1000, language)} km" if bar >= 1000 else f"{number(bar, language)} m"
    x, y = frame.west, frame.south
    axes.plot([x, x + bar], [y, y], color=INK, lw=2, solid_capstyle="butt", clip_on=False)
    axes.annotate(label, (x + bar / 2, y), xytext=(0, 4), textcoords="offset points", ha="center", fontsize=8)


def scale_bar(longest_m: float) -> float:
    """Round length (1, 2 or 5 times a power of ten, m) that is at most `longest_m`."""
    power = 10.0 ** np.floor(np.log10(max(longest_m, 1.0)))
    return float(max(step * power for step in (1, 2, 5) if step * power <= max(longest_m, 1.0)))


def _thinness(lines: Lines, px_per_m: float) -> float:
    """Factor for line widths: less than 1 where pipes are so many that each is only some pixels long."""
    span = np.hypot(*np.diff(lines.points, axis=0).T) if len(lines.points) > 1 else np.zeros(1)
    span[lines.start[1:] - 1] = 0.0
    mean_px = float(span.sum()) / max(len(lines.start), 1) * px_per_m
    return float(np.clip(np.sqrt(mean_px / USUAL_PX), 0.42, 1.0))


def _ratio(frame: Frame) -> float:
    return max(frame.north - frame.south, 1.0) / max(frame.east - frame.west, 1.0)


def _chosen(lines: Lines, keep: NDArray[np.bool_]) -> Lines:
    counts = lines.counts
    starts = np.cumsum(np.append(0, counts[keep]))[:-1]
    return Lines(lines.owner[keep], starts.astype(np.int64), lines.points[np.repeat(keep, counts)])


def _collection(lines: Lines, colour: str, width: float) -> LineCollection:
    parts = np.split(lines.points, lines.start[1:]) if len(lines.start) else []
    return LineCollection(parts, colors=colour, linewidths=width, capstyle="round")


def _path(lines: Lines, frame: Frame, colour: str, width: float) -> str:
    scale = SVG_WIDTH / max(frame.east - frame.west, 1.0)
    x = np.rint((lines.points[:, 0] - frame.west) * scale).astype(np.int64)
    y = np.rint((frame.north - lines.points[:, 1]) * scale).astype(np.int64)
    return f'<path stroke="{colour}" stroke-width="{width:.1f}" d="{_stretches(_segments(x, y, lines))}"/>'


def _segments(x: Ints, y: Ints, lines: Lines) -> Ints:
    """Distinct stretches x1, y1, x2, y2, in the order of the lines; one that has shrunk to a point stays a dot."""
    if not len(lines.start):
        return np.empty((0, 4), dtype=np.int64)
    ends = np.ones(len(x), dtype=bool)
    ends[lines.start + lines.counts - 1] = False
    here = np.flatnonzero(ends)
    all_stretches = np.column_stack([x[here], y[here], x[here + 1], y[here + 1]])
    _, first = np.unique(all_stretches, axis=0, return_index=True)
    return all_stretches[np.sort(first)]


def _stretches(segments: Ints) -> str:
    parts: list[str] = []
    at: tuple[int, int] | None = None
    for x1, y1, x2, y2 in segments.tolist():
        if at != (x1, y1):
            parts.append(f"M{x1} {y1}")
        parts.append(f"l{x2 - x1} {y2 - y1}")
        at = (x2, y2)
    return "".join(parts)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
