"""Plots of an evaluation as SVG text: breaks caught by length, calibration, breaks per year.

Colours are those of Okabe and Ito (2008), told apart by colour-blind readers; lines differ in dash as well. The
same document gives the same bytes: no date is written and ids are seeded.
"""

import io
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from vardag.water.validation.render import TEXTS, Document, model_name

INK, MUTED, GRID = "#1f2933", "#616e7c", "#e4e7eb"
SUBJECT = "#0072b2"
STYLES: dict[str, dict[str, Any]] = {
    "ann": {"color": "#d55e00", "linestyle": (0, (5, 1.5))},
    "poisson_glm": {"color": "#009e73", "linestyle": (0, (3, 1, 1, 1))},
    "empirical_bayes": {"color": "#cc79a7", "linestyle": "-"},
    "past_breaks_per_km": {"color": "#e69f00", "linestyle": (0, (2, 1))},
    "material_age": {"color": "#56b4e9", "linestyle": (0, (6, 1, 1, 1))},
    "oldest_first": {"color": "#7b8794", "linestyle": (0, (1, 1))},
    "random": {"color": "#9aa5b1", "linestyle": (0, (1, 2))},
}
SETTINGS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "vardag",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
}
SHOWN_SHARE = 50


def capture_plot(
    document: Document, *, population: str = "register", horizon: str = "1", language: str = "en"
) -> str:
    """Draw the share of breaks caught against the share of length, for every model; empty where not scored."""
    tables = document["populations"][population][horizon]
    if tables is None:
        return ""
    with mpl.rc_context(SETTINGS):
        figure, axes = _canvas(7.2, 4.4)
        for number, (model, curve) in enumerate(tables["curve"].items()):
            style = {"color": SUBJECT, "linewidth": 2.6, "zorder": 5} if number == 0 else _style(model)
            x, y = ([_percent(value) for value in curve[key]] for key in ("length_share", "capture"))
            axes.plot(x, y, label=model_name(model, language), **style)
        axes.set(xlim=(0, SHOWN_SHARE), ylim=(0, 100))
        axes.set(xlabel=TEXTS("capture_x", language), ylabel=TEXTS("capture_y", language))
        axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, fontsize=9)
        return _svg(figure, axes, TEXTS("capture_title", language))


def _style(model: str) -> dict[str, Any]:
    return {"linewidth": 1.5, **STYLES.get(model, {"color": MUTED, "linestyle": "-"})}


def _percent(value: float | None) -> float:
    return float("nan") if value is None else 100 * value


def calibration_plot(
    document: Document, *, population: str = "register", horizon: str = "1", language: str = "en"
) -> str:
    """Draw predicted against observed breaks by tenth of length; empty where not scored."""
    tables = document["populations"][population][horizon]
    if tables is None:
        return ""
    rows = tables["calibration"]["by_decile"]
    with mpl.rc_context(SETTINGS):
        figure, axes = _canvas(4.6, 4.2)
        predicted, observed = [row["predicted"] for row in rows], [row["observed"] for row in rows]
        top = 1.08 * max([*predicted, *observed, 1.0])
        perfect = TEXTS("perfect", language)
        axes.plot([0, top], [0, top], color=MUTED, linewidth=1, linestyle=(0, (4, 2)), label=perfect)
        axes.plot(predicted, observed, "o", color=SUBJECT, markersize=7, markeredgecolor="white")
        for row in rows[:3]:
            at = (row["predicted"], row["observed"])
            axes.annotate(str(row["decile"]), at, xytext=(7, -4), textcoords="offset points", fontsize=8)
        axes.set(xlim=(0, top), ylim=(0, top))
        axes.set(xlabel=TEXTS("head_predicted", language), ylabel=TEXTS("head_observed", language))
        axes.legend(loc="lower right", frameon=False, fontsize=9)
        return _svg(figure, axes, TEXTS("calibration_title", language))


def years_plot(
    document: Document, *, population: str = "register", horizon: str = "1", language: str = "en"
) -> str:
    """Draw breaks per test year, predicted and observed; empty where not scored."""
    tables = document["populations"][population][horizon]
    if tables is None:
        return ""
    rows = tables["calibration"]["by_year"]
    years = [row["year"] for row in rows]
    with mpl.rc_context(SETTINGS):
        figure, axes = _canvas(7.2, 3.6)
        axes.bar(years, [row["observed"] for row in rows], 0.62, color="#bcccdc", label=TEXTS("observed", language))
        predicted = [row["predicted"] for row in rows]
        line = axes.plot(years, predicted, "o-", label=TEXTS("predicted", language))[0]
        line.set(color=SUBJECT, linewidth=2, markersize=6, markeredgecolor="white")
        axes.set(xticks=years, ylim=(0, None), ylabel=TEXTS("years_y", language))
        axes.legend(loc="upper left", bbox_to_anchor=(0, -0.1), ncols=2, frameon=False, fontsize=9)
        return _svg(figure, axes, TEXTS("years_title", language))


def _canvas(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasSVG(figure)
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    return figure, axes


def _svg(figure: Figure, axes: Axes, title: str) -> str:
    """Write the figure as SVG text without the XML head, so that it can stand inside a page."""
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold", pad=12)
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    text = buffer.getvalue()
    return text[text.index("<svg") :]


PLOTS = {"capture": capture_plot, "calibration": calibration_plot, "years": years_plot}
"""The plots of an evaluation by name."""
