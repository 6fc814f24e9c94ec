"""Spatial joins: both engines give what a naive loop gives."""

import numpy as np
import polars as pl
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from vardag.core import spatial

coordinate = st.integers(0, 60).map(float)
point = st.tuples(coordinate, coordinate)
lines = st.lists(st.one_of(st.none(), st.lists(point, min_size=2, max_size=3, unique=True)), max_size=8)
ENGINES = ["duckdb", "shapely"]


def wkb(paths: list[list[tuple[float, float]] | None]) -> pl.Series:
    return pl.Series([None if p is None else shapely.LineString(p).wkb for p in paths], dtype=pl.Binary)


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "shapely":
        monkeypatch.setattr(spatial, "extension_path", lambda: None)
    return str(request.param)


def naive(left: list, right: list, distance: float) -> list[tuple[int, int, float]]:
    return [
        (i, j, round(shapely.LineString(a).distance(shapely.LineString(b)), 9))
        for i, a in enumerate(left)
        for j, b in enumerate(right)
        if a is not None and b is not None and shapely.LineString(a).distance(shapely.LineString(b)) <= distance
    ]


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=30, deadline=None)
@given(left=lines, right=lines, distance=st.sampled_from([0.5, 7.3, 25.1]))
def test_pairs_equal_naive_loop(engine: str, left: list, right: list, distance: float) -> None:
    with pytest.MonkeyPatch.context() as patch:
        if engine == "shapely":
            patch.setattr(spatial, "extension_path", lambda: None)
        pairs = spatial.pairs_within(wkb(left), wkb(right), distance_m=distance)
        nearest = spatial.nearest_within(wkb(left), wkb(right), distance_m=distance)
    found = [(i, j, round(d, 9)) for i, j, d in pairs.rows()]
    expected = naive(left, right, distance)
    assert found == sorted(expected)
    best = {i: min((d, j) for k, j, d in expected if k == i) for i, _, _ in expected}
    assert {i: (round(d, 9), j) for i, j, d in nearest.rows()} == best


def test_covering_gives_first_polygon_or_minus_one(engine: str) -> None:
    squares = [shapely.box(0, 0, 10, 10).wkb, shapely.box(5, 0, 20, 10).wkb, None]
    points = [
        shapely.Point(2, 2).wkb,
        shapely.Point(7, 2).wkb,
        shapely.Point(15, 5).wkb,
        shapely.Point(50, 5).wkb,
        None,
    ]
    assert spatial.covering(points, squares).tolist() == [0, 0, 1, -1, -1]


def test_nothing_joins_with_nothing(engine: str) -> None:
    assert spatial.pairs_within([None], [], distance_m=10).height == 0
    assert spatial.nearest_within([None], [shapely.Point(0, 0).wkb], distance_m=10).height == 0
    assert spatial.covering([None], [None]).tolist() == [-1]


def test_midpoints_of_line_multiline_point_and_nothing() -> None:
    shapes = [
        shapely.LineString([(0, 0), (10, 0)]).wkb,
        shapely.MultiLineString([[(0, 0), (4, 0)], [(4, 0), (10, 0)]]).wkb,
        shapely.Point(3, 4).wkb,
        shapely.LineString().wkb,
        None,
    ]
    x, y = spatial.midpoints(shapes)
    np.testing.assert_allclose(x, [5, 5, 3, np.nan, np.nan])
    np.testing.assert_allclose(y, [0, 0, 4, np.nan, np.nan])


def test_hilbert_visits_a_grid_by_steps_of_one() -> None:
    """The definition of the curve: consecutive cells touch."""
    cells = [(x, y) for x in range(8) for y in range(8)]
    order = np.argsort(spatial.hilbert([shapely.Point(x, y).wkb for x, y in cells]))
    path = np.array(cells)[order]
    assert np.abs(np.diff(path, axis=0)).sum(axis=1).tolist() == [1] * 63
    assert spatial.hilbert([shapely.Point(0, 0).wkb, None])[1] == np.iinfo(np.uint32).max
