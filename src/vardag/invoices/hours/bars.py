"""Hours saved by month as bars, drawn by hand in SVG: what is known, what is assumed, and the interval.

What is known stands on the line of nought, what is assumed on top of it; what is counted against hangs from it.
"""

import math
from collections.abc import Callable, Sequence
from html import escape

from vardag.invoices.hours.account import Span
from vardag.invoices.hours.limits import TEXTS
from vardag.invoices.process.page import number

LEFT, TOP, HEIGHT, BELOW = 56, 26, 220, 34
STEP, WIDE, LEAST = 92, 52, 320  # from bar to bar, a bar's width, the picture's least width
TICKS = 4  # about so many lines behind the bars

Place = Callable[[float], float]  # from hours to the place in the picture


def bars(months: Sequence[Span], language: str) -> str:
    """The picture, for a page; its figures stand in a table too, so a screen reader is told only what it is."""
    ticks = _ticks(months)
    width = max(LEFT + STEP * len(months) + 12, LEAST)
    scale = HEIGHT / (ticks[-1] - ticks[0])

    def y(hours: float) -> float:
        return round(TOP + (ticks[-1] - hours) * scale, 1)

    title = escape(TEXTS("picture_alt", language))
    size = f'viewBox="0 0 {width} {TOP + HEIGHT + BELOW}" width="{width}" height="{TOP + HEIGHT + BELOW}"'
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{title}">']
    for tick in ticks:
        label = number(tick, language, 0 if tick.is_integer() else 1)
        parts.append(f'<path class="{"grid" if tick else "zero"}" d="M{LEFT} {y(tick)}H{width - 8}"/>')
        parts.append(f'<text class="tick" x="{LEFT - 8}" y="{y(tick) + 4}">{label}</text>')
    for place, one in enumerate(months):
        parts += _bar(one, LEFT + STEP * place + (STEP - WIDE) / 2, y, language)
    return "".join((*parts, "</svg>"))


def _ticks(months: Sequence[Span]) -> list[float]:
    """Round numbers from at or below the lowest to at or above the highest, nought among them."""
    reached = [0.0, *(end for one in months for end in _reach(one))]
    low, high = min(reached), max(reached)
    high = high if high > low else 1.0  # nothing saved and nothing lost: an empty picture
    rough = (high - low) / TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * one for one in (1, 2, 5, 10) if power * one >= rough)
    return [round(step * place, 9) for place in range(math.floor(low / step), math.ceil(high / step) + 1)]


def _reach(one: Span) -> tuple[float, ...]:
    """Everything that a month's bar and its interval reach."""
    known, guessed, cost = _parts(one)
    above, below = (sum(pick(part, 0.0) for part in (known, guessed, -cost)) for pick in (max, min))
    return above, below, *_interval(one)


def _parts(one: Span) -> tuple[float, float, float]:
    """Hours saved that are known, that are assumed, and hours counted against."""
    return one.saved_hours + one.cost_hours - one.assumed_saved, one.assumed_saved, one.cost_hours


def _interval(one: Span) -> tuple[float, ...]:
    """Ends of the interval as they stand in the picture, where what is counted against has a part of its own."""
    known_cost = one.cost_hours - one.assumed_cost
    return tuple(end + known_cost for end in one.interval or ())


def _bar(one: Span, x: float, y: Place, language: str) -> list[str]:
    """A month: its parts, the interval of what is known, the hours above and the month below."""
    parts, above, below = [], 0.0, 0.0
    known, guessed, cost = _parts(one)
    for name, hours in (("known", known), ("assumed", guessed), ("cost", -cost)):
        foot = above if hours > 0 else below
        parts.append(_part(name, x, foot, foot + hours, y))
        above, below = (foot + hours, below) if hours > 0 else (above, foot + hours)
    middle = x + WIDE / 2
    if one.interval is not None:
        low, high = (y(end) for end in _interval(one))
        ends = "".join(f"M{middle - 7} {end}h14" for end in (low, high))
        parts.append(f'<path class="interval" d="M{middle} {low}V{high}{ends}"/>')
    top = min(y(end) for end in (0.0, *_reach(one)))
    parts.append(f'<text class="hours" x="{middle}" y="{top - 8}">{number(one.saved_hours, language)} h</text>')
    parts.append(f'<text class="month" x="{middle}" y="{TOP + HEIGHT + 24}">{escape(one.month)}</text>')
    return parts


def _part(name: str, x: float, begin: float, end: float, y: Place) -> str:
    top, bottom = sorted((y(begin), y(end)))
    return f'<rect class="{name}" x="{x}" y="{top}" width="{WIDE}" height="{round(bottom - top, 1)}"/>'
