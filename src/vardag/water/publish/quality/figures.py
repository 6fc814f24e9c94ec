"""Small charts of the quality report: bars of fill by period or delivery, and differences with their intervals."""

from collections.abc import Sequence

from markupsafe import Markup, escape

BAR, GAP, TALL = 7, 2, 26
WIDTH, HIGH = 220, 22
FULL = 0.9995


def bars(shares: Sequence[float], titles: Sequence[str], *, label: str) -> Markup:
    """One bar a period, as tall as its fill; a line marks 100 %, and each bar says its number when pointed at."""
    width = max(len(shares), 1) * (BAR + GAP)
    drawn = Markup().join(
        Markup('<rect class="{}" x="{}" y="{:.1f}" width="{}" height="{:.1f}"><title>{}</title></rect>').format(
            "full" if share >= FULL else "part", place * (BAR + GAP), TALL * (1 - share) + 1, BAR,
            max(TALL * share, 0.8), title,
        )
        for place, (share, title) in enumerate(zip(shares, titles, strict=True))
    )  # fmt: skip
    return Markup(
        '<svg class="fill" viewBox="0 0 {} {}" width="{}" height="{}" role="img" aria-label="{}">'
        '<path class="top" d="M0 .5H{}"/>{}</svg>'
    ).format(width, TALL + 2, width, TALL + 2, label, width, drawn)


def difference(value: float, low: float, high: float, *, reach: float, label: str) -> Markup:
    """A dot with its interval on a line from -`reach` to `reach`; zero is the upright line in the middle."""
    x, left, right = (place_of(one, reach) for one in (value, low, high))
    kind = "nothing" if low <= 0 <= high else "sure"
    return Markup(
        '<svg class="difference {}" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img" aria-label="{}">'
        '<path class="zero" d="M{m} 0V{h}"/><path class="span" d="M{:.1f} {y}H{:.1f}"/>'
        '<circle cx="{:.1f}" cy="{y}" r="4.5"/></svg>'
    ).format(kind, escape(label), left, right, x, w=WIDTH, h=HIGH, m=WIDTH / 2, y=HIGH / 2)


def place_of(value: float, reach: float) -> float:
    """Where a value from -`reach` to `reach` stands on the line, in units of its width."""
    return WIDTH / 2 + (WIDTH / 2 - 6) * max(-1.0, min(1.0, value / reach))
