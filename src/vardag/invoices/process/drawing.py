"""Draws a map as SVG from the places that its modeler gave it (BPMN diagram interchange), in light and dark.

Nothing is laid out here: what the file gives no place is in the list beside the picture alone. Counts, where there
are any, stand on the flows and in the corner of the steps, and the more often, the deeper the colour.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise
from typing import Any

from lxml import etree

from vardag.invoices.process.map import Flow, Kind, Map, Step

DI = "{http://www.omg.org/spec/BPMN/20100524/DI}"
DC = "{http://www.omg.org/spec/DD/20100524/DC}"
WAY = "{http://www.omg.org/spec/DD/20100524/DI}waypoint"
MODEL = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
EDGE, LETTER, LINE = 12, 6.1, 14  # empty edge; mean width of a letter and height of a line at 12 px
DEPTHS = 4  # of colour, for counts
FAR = 20_000  # a place beyond this is a slip of the mouse, or no number
STYLE = """
.map{--ink:#1b2733;--soft:#55636f;--paper:#fff;--band:#f5f7f9;--line:#9aa7b2;--robot:#e3f0f8;--robot-edge:#0b66a0;
--person:#fff3dc;--person-edge:#9a6400;--tone:#d55e00}
.map{font:12px "Segoe UI",system-ui,-apple-system,Arial,sans-serif;background:var(--paper);border-radius:4px}
.map text{fill:var(--ink);text-anchor:middle}
.map .pool{fill:none;stroke:var(--line)}.map .lane{fill:var(--band);stroke:var(--line)}
.map .role{font-weight:600;fill:var(--soft)}
.map .robot{fill:var(--robot);stroke:var(--robot-edge);stroke-width:1.5}
.map .person{fill:var(--person);stroke:var(--person-edge);stroke-width:1.5}
.map .event,.map .choice{fill:var(--paper);stroke:var(--ink);stroke-width:1.5}.map .end{stroke-width:4}
.map .flow{fill:none;stroke:var(--soft)}.map .flow:not([stroke-width]){stroke-width:1.4}.map .tip{fill:var(--soft)}
.map .words{fill:var(--soft);stroke:var(--paper);stroke-width:4px;paint-order:stroke;stroke-linejoin:round}
.map .sign{fill:none;stroke:currentColor;stroke-width:1.3}.map .robot+.sign{color:var(--robot-edge)}
.map .person+.sign{color:var(--person-edge)}
.map .count{font-weight:700;fill:var(--ink);stroke:var(--paper);stroke-width:4px;paint-order:stroke}
.map .heat{fill:var(--tone)}.map .never{opacity:.45}
"""
DARK = """@media (prefers-color-scheme:dark){.map{--ink:#e8edf1;--soft:#a9b6c1;--paper:#12181e;--band:#1a222a;
--line:#5f6e7b;--robot:#16344a;--robot-edge:#6cb8ea;--person:#40310f;--person-edge:#e6b450;
--tone:#ff9b54}}
"""

Point = tuple[float, float]


@dataclass(frozen=True)
class Heat:
    """What is counted on the map: by step, and by flow; `unit` is told with the number (items, cases)."""

    steps: Mapping[str, int]
    flows: Mapping[str, int]
    unit: str = ""


@dataclass(frozen=True)
class Box:
    """A place in the picture."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> Point:
        """The middle."""
        return self.x + self.width / 2, self.y + self.height / 2


@dataclass
class Places:
    """Where everything stands, by the id of what it shows."""

    boxes: dict[str, Box] = field(default_factory=dict)
    ways: dict[str, list[Point]] = field(default_factory=dict)
    labels: dict[str, Box] = field(default_factory=dict)


def svg(
    found: Map,
    language: str,
    *,
    title: str,
    heat: Heat | None = None,
    mark: str = "map",
    dark: bool = True,
    styled: bool = True,
) -> str:
    """The map as SVG; empty where the file has no diagram.

    Parameters
    ----------
    title
        What a screen reader is told; the steps themselves belong in a list beside the picture.
    mark
        Tells the picture's own ids from those of others on a page.
    dark
        Whether it turns dark where the reader wants that; not on a page that stays light.
    styled
        Whether it brings its own style (`STYLE` and `DARK`); not on a page that allows styles from files alone.
    """
    root = etree.fromstring(found.xml, etree.XMLParser(resolve_entities=False, no_network=True))
    places = _places(root)
    steps = [step for step in found.steps.values() if step.id in places.boxes]
    if not steps:
        return ""
    parts = [
        *_bands(root, places, language, found.named(language)),
        *(_flow(flow, places, language, heat, mark) for flow in found.flows if flow.id in places.ways),
        *(_step(step, places, language, heat) for step in steps),
        *(_count(flow, places, heat) for flow in found.flows if heat and flow.id in places.ways),
    ]
    tip = (
        f'<defs><marker id="{mark}-tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="9" markerHeight="9" '
        'markerUnits="userSpaceOnUse" orient="auto"><path class="tip" d="M0 1L10 5L0 9z"/></marker></defs>'
    )
    told = f'<title id="{mark}-title">{escape(title)}</title>'
    head = (
        f'xmlns="http://www.w3.org/2000/svg" class="map" role="img" aria-labelledby="{mark}-title" {_size(places)}'
    )
    style = f"<style>{STYLE}{DARK if dark else ''}</style>" if styled else ""
    return f"<svg {head}>{told}{style}{tip}{''.join(parts)}</svg>"


def _places(root: Any) -> Places:
    """What the diagram interchange says; a place that is no number is left out."""
    places = Places()
    for shape in root.iter(f"{DI}BPMNShape"):
        if box := _box(shape.find(f"{DC}Bounds")):
            places.boxes[shape.get("bpmnElement")] = box
        if label := _box(shape.find(f"{DI}BPMNLabel/{DC}Bounds")):
            places.labels[shape.get("bpmnElement")] = label
    for edge in root.iter(f"{DI}BPMNEdge"):
        way = [(_number(point.get("x")), _number(point.get("y"))) for point in edge.iter(WAY)]
        if len(way) > 1 and all(abs(value) <= FAR for point in way for value in point):
            places.ways[edge.get("bpmnElement")] = way
        if label := _box(edge.find(f"{DI}BPMNLabel/{DC}Bounds")):
            places.labels[edge.get("bpmnElement")] = label
    return places


def _box(bounds: Any) -> Box | None:
    if bounds is None:
        return None
    values = [_number(bounds.get(name)) for name in ("x", "y", "width", "height")]
    return Box(*values) if all(abs(value) <= FAR for value in values) and min(values[2:]) > 0 else None


def _number(text: str | None) -> float:
    """A coordinate; beyond everything where it is none."""
    try:
        return float(text or "")
    except ValueError:
        return math.inf


def _size(places: Places) -> str:
    xs = [x for box in places.boxes.values() for x in (box.x, box.x + box.width)]
    ys = [y for box in places.boxes.values() for y in (box.y, box.y + box.height)]
    for way in places.ways.values():
        xs += [x for x, _ in way]
        ys += [y for _, y in way]
    for box in places.labels.values():
        ys.append(box.y + box.height + 2)
    left, top = min(xs) - EDGE, min(ys) - EDGE
    width, height = max(xs) - left + EDGE, max(ys) - top + EDGE
    return f'viewBox="{left:.0f} {top:.0f} {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}"'


def _bands(root: Any, places: Places, language: str, name_of_all: str) -> Iterator[str]:
    """The pool, and its lanes with their names on end."""
    for kind, name in (("pool", "participant"), ("lane", "lane")):
        for element in root.iter(f"{MODEL}{name}"):
            box = places.boxes.get(element.get("id"))
            if box is None:
                continue
            words = _named(element, language) if kind == "lane" else name_of_all
            place = f'transform="translate({box.x + 19:.1f} {box.middle[1]:.1f}) rotate(-90)"'
            yield f'<rect class="{kind}" {_rect(box)}/><text class="role" {place}>{escape(words)}</text>'


def _named(element: Any, language: str) -> str:
    english = [
        one.get("value")
        for one in element.iterfind(f"{MODEL}extensionElements/*/*")
        if one.get("name") == "name_en" and language == "en"
    ]
    return (english or [""])[0] or element.get("name") or ""


def _rect(box: Box) -> str:
    return f'x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}"'


def _flow(flow: Flow, places: Places, language: str, heat: Heat | None, mark: str) -> str:
    """A flow with its arrow, as wide as it was often taken, and its words."""
    way = places.ways[flow.id]
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in way)
    count = heat.flows.get(flow.id, 0) if heat else 0
    most = max(heat.flows.values(), default=0) if heat else 0
    wide = f' stroke-width="{1.4 + 2.6 * math.log1p(count) / math.log1p(most):.1f}"' if count else ""
    never = " never" if heat and not count else ""
    line = f'<path class="flow{never}" d="{path}"{wide} marker-end="url(#{mark}-tip)"/>'
    words = (flow.name_en if language == "en" else "") or flow.name
    if not words:
        return line
    label = places.labels.get(flow.id) or _beside(way)
    return line + _lines(words, label, "words")


def _beside(way: list[Point]) -> Box:
    """Room beside the middle of a flow's longest piece."""
    (x1, y1), (x2, y2) = max(pairwise(way), key=lambda piece: math.dist(*piece))
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    return Box(x - 45, y - 18, 90, LINE) if abs(y1 - y2) < abs(x1 - x2) else Box(x + 4, y - LINE / 2, 90, LINE)


def _count(flow: Flow, places: Places, heat: Heat | None) -> str:
    """How many times a flow was taken, on its longest piece and clear of its words."""
    count = heat.flows.get(flow.id, 0) if heat else 0
    if not count:
        return ""
    pieces = sorted(pairwise(places.ways[flow.id]), key=lambda piece: -math.dist(*piece))
    (x1, y1), (x2, y2) = pieces[0]
    label, part = places.labels.get(flow.id), 0.5
    x, y = x1 + (x2 - x1) * part, y1 + (y2 - y1) * part
    if label and abs(x - label.middle[0]) < label.width / 2 + 12 and abs(y - label.middle[1]) < 12:
        y = label.y + label.height + 16 if abs(y1 - y2) < 1 else y + 20
    elif abs(y1 - y2) < 1:
        y -= 9
    return f'<text class="count" x="{x:.1f}" y="{y + 4:.1f}">{count}</text>'


def _step(step: Step, places: Places, language: str, heat: Heat | None) -> str:
    box, words = places.boxes[step.id], step.named(language)
    (x, y), half = box.middle, box.width / 2
    match step.kind:
        case Kind.ROBOT | Kind.PERSON:
            shape = f'<rect class="{step.kind}" {_rect(box)} rx="9"/>{_sign(step.kind, box)}'
            label = _lines(words, Box(box.x + 4, box.y + 14, box.width - 8, box.height - 16), "name", middle=True)
        case Kind.CHOICE:
            shape = (
                f'<path class="choice" d="M{x:.1f} {box.y:.1f}l{half:.1f} {half:.1f}l{-half:.1f} {half:.1f}'
                f'l{-half:.1f} {-half:.1f}z"/><path class="sign" d="M{x - 7:.1f} {y - 7:.1f}l14 14m0-14l-14 14"/>'
            )
            label = _outside(step, places, words) if step.name else ""
        case _:
            thick = " end" if step.kind is Kind.END else ""
            shape = f'<circle class="event{thick}" cx="{x:.1f}" cy="{y:.1f}" r="{half:.1f}"/>'
            label = _outside(step, places, words)
    return f"<g><title>{escape(words)}</title>{shape}{_heat(step, box, heat)}{label}</g>"


def _outside(step: Step, places: Places, words: str) -> str:
    box = places.boxes[step.id]
    room = Box(box.middle[0] - 55, box.y + box.height + 4, 110, LINE)
    return _lines(words, places.labels.get(step.id, room), "words")


def _sign(kind: Kind, box: Box) -> str:
    """A small cog for the robot, a head and shoulders for a person: not told by colour alone."""
    x, y = box.x + 13, box.y + 13
    if kind is Kind.PERSON:
        shoulders = f"M{x - 6:.1f} {y + 6:.1f}c0-8 12-8 12 0z"
        head = f"M{x - 3:.1f} {y - 4:.1f}a3 3 0 1 0 6 0a3 3 0 1 0-6 0"
        return f'<path class="sign" d="{shoulders}{head}"/>'
    turns = [(math.cos(turn), math.sin(turn)) for turn in (math.pi / 4 * eighth for eighth in range(8))]
    spokes = "".join(
        f"M{x + 4 * across:.1f} {y + 4 * down:.1f}L{x + 7 * across:.1f} {y + 7 * down:.1f}"
        for across, down in turns
    )
    return f'<path class="sign" d="{spokes}M{x - 4:.1f} {y:.1f}a4 4 0 1 0 8 0a4 4 0 1 0-8 0"/>'


def _heat(step: Step, box: Box, heat: Heat | None) -> str:
    """How many came to a step: a number in its corner, and a bar that is deeper the more they are."""
    count = heat.steps.get(step.id, 0) if heat else 0
    if heat is None or not count or step.kind is Kind.CHOICE:
        return ""
    most = max(heat.steps.values())
    depth = math.ceil(DEPTHS * count / most)
    bar = (
        f'<rect class="heat" x="{box.x + 8:.1f}" y="{box.y + box.height - 6:.1f}" rx="2" height="4" '
        f'width="{(box.width - 16) * count / most:.1f}" opacity="{0.25 + 0.75 * depth / DEPTHS:.2f}"/>'
        if step.kind in {Kind.ROBOT, Kind.PERSON}
        else ""
    )
    told = f"<title>{count} {escape(heat.unit)}</title>" if heat.unit else ""
    at = (box.x + box.width - 16, box.y + 17) if bar else (box.middle[0], box.middle[1] + 4)
    return f'{bar}<text class="count" x="{at[0]:.1f}" y="{at[1]:.1f}">{told}{count}</text>'


def _lines(words: str, room: Box, kind: str, *, middle: bool = False) -> str:
    """Words in lines as wide as their room."""
    most = max(int(room.width / LETTER), 4)
    lines: list[str] = []
    for word in words.split():
        if lines and len(lines[-1]) + 1 + len(word) <= most:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    x = room.x + room.width / 2
    y = room.y + 11 + ((room.height - LINE * len(lines)) / 2 if middle else 0)
    spans = "".join(
        f'<tspan x="{x:.1f}" y="{y + LINE * place:.1f}">{escape(line)}</tspan>' for place, line in enumerate(lines)
    )
    return f'<text class="{kind}">{spans}</text>'
