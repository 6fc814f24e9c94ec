"""The map's whole numbers give the lines back, to within half a step."""

import numpy as np
import polars as pl
import shapely
from hypothesis import given
from hypothesis import strategies as st

from vardag.water.publish.lines import encode, frame_of, lines_of

coordinate = st.integers(0, 40_000).map(lambda value: 600_000 + value / 7)
line = st.lists(st.tuples(coordinate, coordinate), min_size=2, max_size=6)
shape = st.one_of(
    st.none(), line.map(shapely.LineString), st.lists(line, min_size=1, max_size=3).map(shapely.MultiLineString)
)


def decode(encoded: dict[str, list[int]]) -> tuple[list[int], list[np.ndarray]]:
    """As the script in the report does it."""
    points = np.cumsum(np.array(encoded["d"]).reshape(-1, 2), axis=0)
    parts = np.split(points, np.cumsum(encoded["n"])[:-1]) if encoded["n"] else []
    return np.cumsum(encoded["o"]).tolist(), parts


@given(st.lists(shape, min_size=1, max_size=8))
def test_decoded_lines_lie_within_half_a_step(shapes: list[shapely.Geometry | None]) -> None:
    wkb = pl.Series("geom", [None if one is None else shapely.to_wkb(one) for one in shapes], dtype=pl.Binary)
    lines = lines_of(wkb)
    frame = frame_of(lines)
    owners, parts = decode(encode(lines, frame))
    expected = [(row, part) for row, one in enumerate(shapes) if one is not None for part in shapely.get_parts(one)]
    assert owners == [row for row, _ in expected]
    for (_, part), steps in zip(expected, parts, strict=True):
        back = shapely.LineString(np.array([frame.west, frame.south]) + steps * frame.step)
        assert shapely.hausdorff_distance(back, part) <= frame.step
        assert len(steps) >= 2


def test_no_geometry_at_all_still_gives_a_frame() -> None:
    lines = lines_of(pl.Series("geom", [None, None], dtype=pl.Binary))
    frame = frame_of(lines)
    assert encode(lines, frame) == {"n": [], "o": [], "d": []}
    assert frame.east > frame.west
