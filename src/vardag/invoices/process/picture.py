"""Draws the directly-follows graph as SVG: layers from top to bottom, after Sugiyama, Tagawa and Toda (1981).

Steps that go back are turned around, every activity is laid as far down as its longest way in, steps over several
layers get a point in each, the order within a layer comes from the mean place of the neighbours (barycentre), and
the steps are drawn as curves through their points.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

START, END = "\0start", "\0end"
WIDTH, HEIGHT, POINT = 200, 46, 30  # of an activity; width of a point of a longer step
ACROSS, DOWN, EDGE = 28, 62, 14
SWEEPS, LETTERS = 12, 23
LEAST = 0.72  # of its size: smaller, its words are not read, and the reader scrolls instead

Step = tuple[str, str]
Node = str | tuple[str, str, int]


@dataclass(frozen=True)
class Layout:
    """Middle of each activity and of each point of a longer step, and the picture's size."""

    at: Mapping[Node, tuple[float, float]]
    width: float
    height: float
    turned: frozenset[Step]
    steps: frozenset[Step]


def layout(names: Sequence[str], steps: Mapping[Step, int]) -> Layout:
    """Where everything stands; names are in order of weight, with `START` and `END` where they are drawn."""
    turned = _turned(names, steps)
    down = {(two, one) if (one, two) in turned else (one, two) for one, two in steps if one != two}
    layer = _layers(names, down)
    rows, links = _rows(layer, sorted(down, key=lambda step: (names.index(step[0]), names.index(step[1]))))
    for sweep in range(SWEEPS):
        _reorder(rows, links, downwards=sweep % 2 == 0)
    across = _across(rows, links)
    y = {node: EDGE + HEIGHT / 2 + level * (HEIGHT + DOWN) for level, row in enumerate(rows) for node in row}
    left = min(across[node] - _size(node) / 2 for node in across) - EDGE
    right = max(across[node] + _size(node) / 2 for node in across) + EDGE + 56
    at: dict[Node, tuple[float, float]] = {node: (across[node] - left, y[node]) for node in across}
    return Layout(
        at, right - left, 2 * EDGE + len(rows) * (HEIGHT + DOWN) - DOWN, frozenset(turned), frozenset(steps)
    )


def _turned(names: Sequence[str], steps: Mapping[Step, int]) -> set[Step]:
    """Steps that close a circle, found going down from the start by the heaviest step first."""
    after = {
        name: sorted((two for one, two in steps if one == name), key=lambda two: -steps[name, two])
        for name in names
    }
    order = sorted(names, key=lambda name: (name != START, name == END))
    done: set[str] = set()
    on_way: set[str] = set()
    turned: set[Step] = set()

    def walk(name: str) -> None:
        on_way.add(name)
        for other in after[name]:
            if other in on_way and other != name:
                turned.add((name, other))
            elif other not in done and other not in on_way:
                walk(other)
        on_way.discard(name)
        done.add(name)

    for name in order:
        if name not in done:
            walk(name)
    return turned


def _layers(names: Sequence[str], down: set[Step]) -> dict[str, int]:
    """Length of the longest way down to each activity; the end stands below all."""
    layer = dict.fromkeys(names, 0)
    for _ in names:
        for one, two in down:
            layer[two] = max(layer[two], layer[one] + 1)
    if END in layer:
        layer[END] = max(layer.values()) if layer[END] == max(layer.values()) else max(layer.values()) + 1
    return layer


def _rows(layer: Mapping[str, int], down: Sequence[Step]) -> tuple[list[list[Node]], list[tuple[Node, Node]]]:
    """Nodes by layer with the points of longer steps, and the links between neighbouring layers."""
    rows: list[list[Node]] = [[] for _ in range(max(layer.values()) + 1)]
    for name, level in layer.items():
        rows[level].append(name)
    links: list[tuple[Node, Node]] = []
    for one, two in down:
        way = points(layer[one], layer[two], (one, two))
        for level, node in enumerate(way, start=layer[one] + 1):
            rows[level].append(node)
        chain = [one, *way, two]
        links.extend(pairwise(chain))
    return rows, links


def points(first: int, last: int, step: Step) -> list[Node]:
    """The points of a step in the layers that it passes."""
    return [(*step, level) for level in range(first + 1, last)]


def _reorder(rows: list[list[Node]], links: list[tuple[Node, Node]], *, downwards: bool) -> None:
    """Order each layer by the mean place of its neighbours in the layer before."""
    near: dict[Node, list[Node]] = {}
    for one, two in links:
        near.setdefault(two if downwards else one, []).append(one if downwards else two)
    levels = range(1, len(rows)) if downwards else range(len(rows) - 2, -1, -1)
    for level in levels:
        before = rows[level - 1 if downwards else level + 1]
        place = {node: index / max(len(before) - 1, 1) for index, node in enumerate(before)}
        own = {node: index / max(len(rows[level]) - 1, 1) for index, node in enumerate(rows[level])}
        mean = {node: _mean([place[other] for other in near.get(node, ())], own[node]) for node in rows[level]}
        rows[level].sort(key=lambda node, mean=mean: mean[node])  # type: ignore[misc]


def _across(rows: list[list[Node]], links: list[tuple[Node, Node]]) -> dict[Node, float]:
    """Place from left to right: as near the neighbours as the order in the layer lets it."""
    near: dict[Node, list[Node]] = {}
    for one, two in links:
        near.setdefault(one, []).append(two)
        near.setdefault(two, []).append(one)
    across: dict[Node, float] = {}
    for row in rows:
        across |= _spaced(row, dict.fromkeys(row, 0.0))
    for sweep in range(2 * SWEEPS):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            wanted = {node: _mean([across[other] for other in near.get(node, ())], across[node]) for node in row}
            across |= _spaced(row, wanted)
    return across


def _spaced(row: Sequence[Node], wanted: Mapping[Node, float]) -> dict[Node, float]:
    """The places with room between them that are nearest the wanted ones, in least squares.

    Less the room that those before need, places only have to be in order: which pooling neighbours that are not
    gives (Ayer, Brunk, Ewing, Reid and Silverman, 1955).
    """
    room, needed = [], 0.0
    for node, after in zip(row, [*row[1:], None], strict=True):
        room.append(needed)
        needed += 0.0 if after is None else (_size(node) + _size(after)) / 2 + ACROSS
    pools: list[tuple[float, int]] = []
    for node, before in zip(row, room, strict=True):
        total, count = wanted[node] - before, 1
        while pools and pools[-1][0] / pools[-1][1] >= total / count:
            total, count = total + pools[-1][0], count + pools[-1][1]
            pools.pop()
        pools.append((total, count))
    level = [total / count for total, count in pools for _ in range(count)]
    return {node: place + before for node, place, before in zip(row, level, room, strict=True)}


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _size(node: Node) -> float:
    return WIDTH if isinstance(node, str) and node not in {START, END} else POINT


def svg(
    names: Mapping[str, str], steps: Mapping[Step, tuple[int, str]], *, title: str, told: Callable[[str], str]
) -> str:
    """The graph as SVG.

    Parameters
    ----------
    names
        What stands below each activity's name, by activity, the heaviest first; with `START` and `END`.
    steps
        Count of each step, and what a pointer on it is told.
    title, told
        What a screen reader is told; the words of `START` and `END`.
    """
    plan = layout(list(names), {step: count for step, (count, _) in steps.items()})
    most = max((count for count, _ in steps.values()), default=1)
    drawn = [_step(plan, step, *steps[step], most) for step in sorted(steps, key=lambda step: steps[step][0])]
    lines, labels = [line for line, _ in drawn], [label for _, label in drawn]
    boxes = [_box(plan.at[name], name, below, told) for name, below in names.items()]
    size = f'viewBox="0 0 {plan.width:.0f} {plan.height:.0f}" width="{plan.width:.0f}" height="{plan.height:.0f}"'
    least = f'style="min-width:{LEAST * plan.width:.0f}px"'
    head = (
        '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="9" markerHeight="9" '
        'markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L10 5L0 10z" fill="#33566f"/></marker></defs>'
    )
    body = "".join((*lines, *boxes, *labels))
    words = f'role="img" aria-label="{escape(title)}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {words} {least} {size}>{head}{body}</svg>'


def _step(plan: Layout, step: Step, count: int, tip: str, most: int) -> tuple[str, str]:
    one, two = step
    wide = 1.2 + 4.3 * math.log1p(count) / math.log1p(max(most, 1))
    if one == two:
        path, (x, y) = _loop(plan.at[one])
    else:
        path, (x, y) = _curve(_way(plan, step))
    back = ' stroke-dasharray="7 4"' if step in plan.turned or one == two else ""
    line = (
        f'<path d="{path}" fill="none" stroke="#5d87a3" stroke-width="{wide:.1f}"{back} marker-end="url(#tip)">'
        f"<title>{escape(tip)}</title></path>"
    )
    return line, f'<text class="count" x="{x:.1f}" y="{y:.1f}">{count}</text>'


def _way(plan: Layout, step: Step) -> list[tuple[float, float]]:
    """Points of a step in the direction that it is walked, from edge to edge."""
    turned = step in plan.turned
    one, two = (step[1], step[0]) if turned else step
    inner = sorted(
        (node for node in plan.at if not isinstance(node, str) and node[:2] == (one, two)), key=lambda node: node[2]
    )
    (x1, y1), (x2, y2) = plan.at[one], plan.at[two]
    aside = 30 if turned else 0  # so that a step and the one back do not lie on each other
    both = aside / 2 if turned and step[::-1] in plan.steps else 0
    half1, half2 = (HEIGHT / 2 if name not in {START, END} else 11 for name in (one, two))
    way = [
        (x1 + aside, y1 + half1),
        *((plan.at[node][0] + both, plan.at[node][1]) for node in inner),
        (x2 + aside, y2 - half2),
    ]
    return way[::-1] if turned else way


def _curve(way: Sequence[tuple[float, float]]) -> tuple[str, tuple[float, float]]:
    """A smooth line through the points, and where its count stands."""
    (x, y), *rest = way
    path = f"M{x:.1f} {y:.1f}"
    for to_x, to_y in rest:
        bend = (to_y - y) * 0.5
        path += f"C{x:.1f} {y + bend:.1f} {to_x:.1f} {to_y - bend:.1f} {to_x:.1f} {to_y:.1f}"
        x, y = to_x, to_y
    middle = len(way) // 2
    if len(way) % 2:
        return path, (way[middle][0], way[middle][1] + 4)
    return path, _between(way[middle - 1], way[middle])


def _between(one: tuple[float, float], two: tuple[float, float]) -> tuple[float, float]:
    """A place on the curve nearer where it begins, so that the counts of a step and the one back stand apart."""
    part = 0.36
    bent = 3 * part**2 - 2 * part**3
    down = 1.5 * part * (1 - part) + part**3
    return one[0] + (two[0] - one[0]) * bent, one[1] + (two[1] - one[1]) * down + 4


def _loop(at: tuple[float, float]) -> tuple[str, tuple[float, float]]:
    x, y = at[0] + WIDTH / 2, at[1]
    return f"M{x:.1f} {y - 11:.1f}c34 -16 34 38 1 22", (x + 36, y + 4)


def _box(at: tuple[float, float], name: str, below: str, told: Callable[[str], str]) -> str:
    x, y = at
    if name in {START, END}:
        fill = "#fff" if name == START else "#10344f"
        words = f'<text class="edge" x="{x + 18:.1f}" y="{y + 5:.1f}">{escape(told(name))}</text>'
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="10" fill="{fill}" stroke="#10344f" stroke-width="3"/>{words}'
    short = name if len(name) <= LETTERS else name[: LETTERS - 1] + "…"
    left, top = x - WIDTH / 2, y - HEIGHT / 2
    return (
        f'<g><title>{escape(name)}</title><rect x="{left:.1f}" y="{top:.1f}" width="{WIDTH}" height="{HEIGHT}" '
        'rx="7" fill="#e9f3f9" stroke="#0072b2"/>'
        f'<text class="name" x="{x:.1f}" y="{y - 3:.1f}">{escape(short)}</text>'
        f'<text class="below" x="{x:.1f}" y="{y + 14:.1f}">{escape(below)}</text></g>'
    )
