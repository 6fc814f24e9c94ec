"""What goes with breaks, and how steady the list is, as the report and the terminal show them."""

from collections.abc import Mapping, Sequence
from math import exp, log
from typing import Any

from markupsafe import Markup

from vardag.water.publish.context import TEXTS
from vardag.water.publish.notation import NONE, level, number, percent
from vardag.water.publish.quality.figures import HIGH, WIDTH, difference, place_of
from vardag.water.publish.reasons import era_name, material_name, multiplier_text
from vardag.water.publish.values import QUIET

Table = dict[str, Any]
TICKS = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
NARROWEST_AXIS, WIDEST_AXIS = 2.2, 8.8
YEARS, YES_NO = ("install_year",), ("bus", "truck")
FIRST = 6  # charts that are shown at once


def effect_charts(document: Mapping[str, Any] | None, language: str) -> Table | None:
    """Charts of the effects, the strongest first; those within 5 per cent of none are only named.

    Returns
    -------
    ``shown`` and ``more`` (title, words and rows with label, chart and number), the ``axis`` they share, the names
    of those with hardly any effect, and how the intervals were made. None where there is no document.
    """
    if document is None:
        return None
    strong = [row for row in document["effects"] if row["strength"] >= QUIET]
    reach = _reach(strong)
    charts = [_chart(row, reach, language) for row in strong]
    weak = [feature_name(row["feature"], language) for row in document["effects"] if row["strength"] < QUIET]
    return {
        "shown": charts[:FIRST],
        "more": charts[FIRST:],
        "axis": axis(reach, language),
        "weak": TEXTS("effects_weak", language, names=", ".join(weak)) if weak else "",
        "how": TEXTS("effects_how", language, refits=document["refits"]),
    }


def feature_name(feature: str, language: str) -> str:
    """Name of a property in words, else the column's own."""
    key = f"feature_{feature}"
    return TEXTS(key, language) if TEXTS.has(key) else feature.replace("_", " ")


def point_name(feature: str, point: Mapping[str, Any], language: str) -> str:
    """What a level is: a name, a number, from one number to another, or unknown."""
    if point["missing"]:
        key = f"missing_{feature}"
        return TEXTS(key if TEXTS.has(key) else "effects_unknown", language)
    if point["name"] is not None:
        return _level_name(feature, str(point["name"]), language)
    if feature in YES_NO:
        return TEXTS("effects_yes" if point["high"] else "effects_no", language)
    ends = [_figure(feature, point[end], language) for end in ("low", "high")]
    if ends[0] == ends[1]:
        return ends[0]
    if point["low"] < 0:  # a dash between numbers would be read as one of their signs
        return TEXTS("effects_range", language, low=ends[0], high=ends[1])
    return f"{ends[0]}–{ends[1]}"


def _level_name(feature: str, name: str, language: str) -> str:
    if feature == "material":
        return material_name(name, language)
    if feature == "era":
        return era_name(name, language) or TEXTS("effects_unknown", language)
    key = f"{feature}_{name}"
    return TEXTS(key, language) if feature in {"function", "position"} and TEXTS.has(key) else name


def _figure(feature: str, value: float, language: str) -> str:
    if feature in YEARS:
        return f"{value:.0f}"
    size = abs(value)
    digits = 0 if size == round(size) or size >= 10 else 1 if size >= 1 else 2 if size >= 0.1 else 3
    return number(value, language, digits)


def times(value: float | None, language: str) -> str:
    """Write a multiplier, with its sign."""
    return NONE if value is None else f"× {_fine(value, language)}"


def _fine(value: float, language: str) -> str:
    """Two decimals also a little above one, where effects lie close together."""
    return number(value, language, 2) if value < 1.995 else multiplier_text(value, language)


def _chart(row: Mapping[str, Any], reach: float, language: str) -> Table:
    ordered = sorted(row["points"], key=lambda point: point["multiplier"])
    ends = {
        key: f"{times(point['multiplier'], language)} ({point_name(row['feature'], point, language)})"
        for key, point in (("least", ordered[0]), ("most", ordered[-1]))
    }
    return {
        "title": feature_name(row["feature"], language),
        "kind": row["kind"],
        "words": TEXTS("effects_from_to", language, **ends),
        "rows": [_row(row["feature"], point, reach, language) for point in row["points"]],
    }


def _row(feature: str, point: Mapping[str, Any], reach: float, language: str) -> Table:
    name = point_name(feature, point, language)
    value, low, high = (point[key] for key in ("multiplier", "lower", "upper"))
    logs = [log(one if one is not None else value) for one in (value, low, high)]
    interval = "" if low is None else f"{_fine(low, language)}–{_fine(high, language)}"
    told = f"{name}: {times(value, language)} ({interval})" if interval else f"{name}: {times(value, language)}"
    return {
        "name": name,
        "share": percent(point["share"], language, 0),
        "chart": difference(*logs, reach=log(reach), label=told),
        "value": times(value, language),
        "interval": interval,
    }


def _reach(rows: Sequence[Mapping[str, Any]]) -> float:
    """Largest multiplier on the axis, either way: one axis for all charts, so that they can be compared."""
    far = [abs(log(point["multiplier"])) for row in rows for point in row["points"]]
    return min(max(1.15 * exp(max(far, default=0.0)), NARROWEST_AXIS), WIDEST_AXIS)


def axis(reach: float, language: str) -> Markup:
    """Numbers of the shared axis, as high as a row."""
    marks = [tick for tick in TICKS if 1 / reach <= tick <= reach]
    drawn = Markup().join(
        Markup('<text x="{:.1f}" y="{}">{}</text>').format(
            place_of(log(tick), log(reach)), HIGH - 7, number(tick, language, _decimals(tick))
        )
        for tick in marks
    )
    return Markup(
        '<svg class="axis" viewBox="0 0 {w} {h}" width="{w}" height="{h}" aria-hidden="true">{}</svg>'
    ).format(drawn, w=WIDTH, h=HIGH)


def _decimals(value: float) -> int:
    return next(digits for digits in range(4) if round(value, digits) == value)


def stability_rows(document: Mapping[str, Any] | None, language: str) -> Table | None:
    """How much of the top stays when the model is fitted again: words, heads and rows; None without a document."""
    if document is None:
        return None
    return {
        "intro": TEXTS("stability_intro", language, refits=document["refits"]),
        "heads": [TEXTS(f"stability_{head}", language) for head in ("level", "mean", "range", "always")],
        "rows": [
            [
                TEXTS("chart_row", language, level=level(row["level"], language)),
                percent(row["mean"], language, 0),
                f"{number(100 * row['low'], language)}–{percent(row['high'], language, 0)}",
                percent(row["always"], language, 0),
            ]
            for row in document["levels"]
        ],
    }
