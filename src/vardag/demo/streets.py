"""The street network: a lattice of streets in every district, joined by the roads between the districts."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from vardag.demo import constants, names
from vardag.demo.districts import ARTERIAL, LOCAL, Borders, Districts, draw_borders, draw_districts
from vardag.demo.fields import Bools, Floats, Ints, Words


@dataclass(frozen=True)
class Streets:
    """Street links from junction to junction, straight lines in the plan (metres, centre at zero)."""

    start_xy: Floats
    end_xy: Floats
    start: Ints  # junction numbers
    end: Ints
    road_class: Ints
    year: Ints  # when the street was built
    name: Words

    def __len__(self) -> int:
        return len(self.start)


@dataclass(frozen=True)
class _Links:
    """Links on their way to being streets; ``street`` is any number that is equal along one street."""

    a: Floats
    b: Floats
    road_class: Ints
    district: Ints
    street: Ints


def draw_streets(rng: np.random.Generator, *, radius_m: float) -> Streets:
    """Draw a connected street network that fills about ``radius_m`` around the centre."""
    districts = draw_districts(rng, radius_m=radius_m)
    borders = draw_borders(districts)
    inside, stubs = _lattice(rng, districts)
    stubs, meeting = _meet_borders(stubs, districts, borders)
    links = _concat([_border_links(districts, borders, meeting), inside, stubs])
    links = _select(links, ~_in_river(rng, links, radius_m))
    a, b = _junctions(links)
    connected = _largest_component(a, b)
    links = _select(links, connected)
    year = _street_years(rng, links, districts)
    return Streets(links.a, links.b, a[connected], b[connected], links.road_class, year, _names(rng, links, year))


def _lattice(rng: np.random.Generator, districts: Districts) -> tuple[_Links, _Links]:
    """Links inside one district, and links that leave it (``a`` inside, ``b`` outside)."""
    rows = np.flatnonzero(districts.built)
    styles = np.array(constants.STYLES)
    style = styles[np.searchsorted(styles[:, 0], districts.year[rows])]
    reach = int(np.ceil(0.95 * districts.width_m / styles[:, 1].min()))
    index = np.arange(-reach, reach + 1)
    i, j = (grid.ravel() for grid in np.meshgrid(index, index, indexing="ij"))
    xy = _lattice_xy(rng, districts.xy[rows], style, i, j)  # (districts, lattice, 2)
    shape = (len(rows), len(index), len(index))
    owner = cKDTree(districts.xy).query(xy.reshape(-1, 2))[1].reshape(shape)
    grid, own = xy.reshape(*shape, 2), owner == rows[:, None, None]
    parts = [_axis_links(rng, grid, own, rows=rows, style=style, axis=axis) for axis in (0, 1)]
    return _concat([part[0] for part in parts]), _concat([part[1] for part in parts])


def _lattice_xy(rng: np.random.Generator, centre: Floats, style: Floats, i: Ints, j: Ints) -> Floats:
    """Bend and turn one lattice per district; streets run along ``j``, cross streets along ``i``."""
    count = len(centre)
    shift, turn = rng.uniform(-0.5, 0.5, (2, count, 1)), rng.uniform(0, np.pi, (count, 1))
    wave, phase = rng.uniform(350, 650, (2, count, 1)), rng.uniform(0, 2 * np.pi, (2, count, 1))
    u, v = (i + shift[0]) * style[:, 1:2], (j + shift[1]) * style[:, 2:3]
    bend = style[:, 3:4]
    u_bend = bend * np.sin(2 * np.pi * v / wave[0] + phase[0])
    v = v + bend * np.sin(2 * np.pi * u / wave[1] + phase[1])
    u = u + u_bend
    x, y = u * np.cos(turn) - v * np.sin(turn), u * np.sin(turn) + v * np.cos(turn)
    return np.asarray(np.stack([x, y], axis=-1) + centre[:, None, :])


def _axis_links(
    rng: np.random.Generator, grid: Floats, own: Bools, *, rows: Ints, style: Floats, axis: int
) -> tuple[_Links, _Links]:
    """Links along one axis of every lattice: cross streets (axis 0) or streets (axis 1)."""
    first: tuple[slice, ...] = (slice(None), slice(None, -1), slice(None))
    second: tuple[slice, ...] = (slice(None), slice(1, None), slice(None))
    if axis == 1:
        first, second = (slice(None), *first[:0:-1]), (slice(None), *second[:0:-1])
    left_out = style[:, 4 + axis][:, None, None]
    kept = rng.random(own[first].shape) >= left_out
    stub = rng.random(own[first].shape) < constants.STUB_SHARE
    both, crossing = own[first] & own[second] & kept, (own[first] ^ own[second]) & stub
    links = []
    for mask in (both, crossing):
        district, i, j = np.nonzero(mask)
        a, b, a_own = grid[first][mask], grid[second][mask], own[first][mask][:, None]
        street = 100_000 + ((district * 2 + axis) * 200 + (j if axis == 0 else i))
        links.append(
            _Links(np.where(a_own, a, b), np.where(a_own, b, a), np.full(len(a), LOCAL), rows[district], street)
        )
    return links[0], links[1]


def _meet_borders(stubs: _Links, districts: Districts, borders: Borders) -> tuple[_Links, tuple[Ints, Floats]]:
    """Cut each stub at the border it crosses; also the border and the share along it, of each meeting."""
    other = cKDTree(districts.xy).query(stubs.b)[1]
    count = len(districts.xy)
    key = np.sort(borders.between, axis=1) @ [count, 1]
    wanted = np.sort(np.column_stack([stubs.district, other]), axis=1) @ [count, 1]
    order = np.argsort(key)
    border = order[np.minimum(np.searchsorted(key[order], wanted), len(key) - 1)]
    point = _on_bisector(stubs, districts.xy[stubs.district], districts.xy[other])
    c0, c1 = borders.corner_xy[borders.corners[border, 0]], borders.corner_xy[borders.corners[border, 1]]
    length = np.hypot(*(c1 - c0).T)
    share = ((point - c0) * (c1 - c0)).sum(axis=1) / length**2
    steps = np.maximum(1, np.round(length / constants.JUNCTION_GRID_M))
    share = np.round(share * steps) / steps
    meets = (key[border] == wanted) & (share > 0) & (share < 1)
    end = c0 + share[:, None] * (c1 - c0)
    meets &= np.hypot(*(end - stubs.a).T) > constants.SHORTEST_STREET_M
    cut = _Links(stubs.a, end, stubs.road_class, stubs.district, stubs.street)
    return _select(cut, meets), (border[meets], share[meets])


def _on_bisector(stubs: _Links, own: Floats, other: Floats) -> Floats:
    """Where a line from ``a`` to ``b`` is equally far from two district centres."""
    normal = other - own
    level = ((own + other) / 2 * normal).sum(axis=1)
    along = ((stubs.b - stubs.a) * normal).sum(axis=1)
    share = (level - (stubs.a * normal).sum(axis=1)) / along
    return np.asarray(stubs.a + share[:, None] * (stubs.b - stubs.a))


def _border_links(districts: Districts, borders: Borders, meeting: tuple[Ints, Floats]) -> _Links:
    """Split every border at its corners and where side streets meet it."""
    count = len(borders.between)
    border = np.concatenate([np.arange(count), np.arange(count), meeting[0]])
    share = np.concatenate([np.zeros(count), np.ones(count), meeting[1]])
    border, share = np.unique(np.column_stack([border, share]), axis=0).T
    row = border.astype(np.int64)
    c0, c1 = borders.corner_xy[borders.corners[row, 0]], borders.corner_xy[borders.corners[row, 1]]
    xy = c0 + share[:, None] * (c1 - c0)
    last = np.append(row[1:] != row[:-1], True)
    first = np.flatnonzero(~last)
    row = row[first]
    one, two = borders.between[row].T
    district = np.where(districts.built[one], one, two)
    return _Links(xy[first], xy[first + 1], borders.road_class[row], district, borders.street[row])


def _in_river(rng: np.random.Generator, links: _Links, radius_m: float) -> Bools:
    """A river runs through the town past the centre; only arterial streets have bridges."""
    wave, phase = rng.uniform(1.2, 2.0) * radius_m, rng.uniform(0, 2 * np.pi)
    middle = (links.a + links.b) / 2
    river_y = -0.25 * radius_m + 0.12 * radius_m * np.sin(2 * np.pi * middle[:, 0] / wave + phase)
    half = np.abs(links.a[:, 1] - links.b[:, 1]) / 2 + constants.RIVER_HALF_WIDTH_M
    return np.asarray((np.abs(middle[:, 1] - river_y) < half) & (links.road_class != ARTERIAL))


def _junctions(links: _Links) -> tuple[Ints, Ints]:
    """Number the end points; points within a decimetre are one junction."""
    ends = np.round(np.concatenate([links.a, links.b]), 1) + 0.0
    number = np.unique(ends, axis=0, return_inverse=True)[1].ravel()
    return number[: len(links.a)], number[len(links.a) :]


def _largest_component(a: Ints, b: Ints) -> Bools:
    count = int(max(a.max(), b.max())) + 1
    graph = coo_matrix((np.ones(len(a)), (a, b)), shape=(count, count))
    label = connected_components(graph, directed=False)[1]
    return np.asarray(label[a] == np.bincount(label[a]).argmax())


def _street_years(rng: np.random.Generator, links: _Links, districts: Districts) -> Ints:
    """Each street is laid within a few years of its district; infill comes later."""
    numbers, street = np.unique(links.street, return_inverse=True)
    spread = rng.normal(0, 2.5, len(numbers))[street]
    year = districts.year[links.district] + spread
    later = rng.random(len(numbers))[street] < constants.INFILL_SHARE
    youngest = constants.GROWTH[-1][0]
    year = np.where(later, year + rng.random(len(numbers))[street] * (youngest - year), year)
    return np.clip(np.round(year), constants.GROWTH[0][0], youngest).astype(np.int64)


def _names(rng: np.random.Generator, links: _Links, year: Ints) -> Words:
    """Name radials and rings after where they lead, the rest by the age of the district."""
    numbers, first, street = np.unique(links.street, return_index=True, return_inverse=True)
    order = np.lexsort([numbers, links.district[first]])
    named = np.empty(len(numbers), dtype=object)
    named[order] = names.street_names(rng, count=len(numbers))
    for position, number in enumerate(numbers):
        if number < 100:
            named[position] = names.RADIALS[number]
        elif number < 1000:
            named[position] = names.RINGS[number - 100]
    return np.asarray(named[street])


def _concat(parts: list[_Links]) -> _Links:
    fields = ("a", "b", "road_class", "district", "street")
    return _Links(*[np.concatenate([getattr(part, field) for part in parts]) for field in fields])


def _select(links: _Links, kept: Bools) -> _Links:
    return _Links(links.a[kept], links.b[kept], links.road_class[kept], links.district[kept], links.street[kept])
