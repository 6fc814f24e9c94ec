"""The report: one HTML file that is complete in itself, with map, proof, list, data and method."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import shapely
from markupsafe import Markup

from vardag.water.publish import effects, grounds, proof
from vardag.water.publish.card import CARD
from vardag.water.publish.classes import CLASSES, rank_class
from vardag.water.publish.context import TEXTS, ReportContext
from vardag.water.publish.figures import map_svg
from vardag.water.publish.mapdata import as_json, map_data
from vardag.water.publish.notation import NO_BREAK, NONE, number, percent, rate, whole
from vardag.water.publish.reasons import material_name, told_reasons
from vardag.water.publish.render import asset, render

TOP = 50
MUCH_LONGER = 2.0  # times the pipe: then what is drawn is its street
TELLING_SHARE = 0.005  # less than this would be told as 0 %
METADATA = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)
SCRIPTS = ("data.js", "map.js", "hands.js", "list.js", "start.js")


def write_report(
    *,
    path: Path,
    predictions: pl.DataFrame,
    evaluation: Mapping[str, Any] | None,
    context: ReportContext,
    language: str,
    plots: Mapping[str, str] | None = None,
) -> Path:
    """Write the report; see `report`."""
    text = report(predictions=predictions, evaluation=evaluation, context=context, language=language, plots=plots)
    path.write_text(text, encoding="utf-8")
    return path


def report(
    *,
    predictions: pl.DataFrame,
    evaluation: Mapping[str, Any] | None,
    context: ReportContext,
    language: str,
    plots: Mapping[str, str] | None = None,
) -> str:
    """Make the report as HTML.

    It asks for nothing from anywhere: a content security policy forbids every request and every script but the one
    written here (by its hash). Names from data are escaped, in the page and in the data block.

    Parameters
    ----------
    predictions, evaluation
        The ranking, and ``evaluation.json`` (None: the report says that the ranking is not evaluated).
    context, language
        Everything else a reader must know; ``sv`` or ``en``.
    plots
        SVG by name (``capture``, ``calibration``, ``years``); those of the context, else drawn from it.
    """
    ranked = predictions.sort("rank")
    script = '(() => {\n"use strict";\n' + "\n".join(asset(name) for name in SCRIPTS) + "})();"
    shown = plots or context.plots or proof.plots(evaluation, language)
    return render(
        "report.html.j2",
        language=language,
        t=partial(_text, language),
        context=context,
        model_card=f"{CARD}.html",
        policy=_policy(script),
        style=Markup(asset("report.css")),
        script=Markup(script),
        data=as_json(map_data(ranked, language=language, roads=context.roads)),
        still=_svg(map_svg(ranked, title=TEXTS("map_alt", language, city=context.city), roads=context.roads)),
        plots={name: _svg(svg) for name, svg in shown.items()},
        **_sections(ranked, evaluation, context, language),
    )


def _sections(
    ranked: pl.DataFrame, evaluation: Mapping[str, Any] | None, context: ReportContext, language: str
) -> dict[str, Any]:
    return {
        "facts": facts(ranked, context, language),
        "classes": [(one.colour, TEXTS(f"class_{one.number}", language)) for one in CLASSES],
        "notes": map_notes(ranked, language),
        "evaluated": evaluation is not None,
        "hero": proof.hero(evaluation, language),
        "tables": proof.headline_tables(evaluation, language),
        "calibration": proof.calibration(evaluation, language),
        "no_history": proof.no_history(evaluation, language),
        "streets": proof.streets(evaluation, language),
        "rows": top_rows(ranked, language),
        "effects": effects.effect_charts(context.effects, language),
        "stability": effects.stability_rows(context.stability, language),
        "sources": grounds.sources(context.sources, language),
        "checks": grounds.checks(context.checks, language),
        "survivorship": grounds.survivorship(context.survivorship, language),
        "card": grounds.data_card(context.data_card, language),
        "run": grounds.run_record(context, language),
    }


def _text(language: str, key: str, **values: object) -> str | Markup:
    """A text; those with bold words in them are the program's own markup and never hold data."""
    text = TEXTS(key, language, **values)
    return Markup(text) if key.startswith("method_") else text


def _policy(script: str) -> str:
    digest = b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _svg(text: str) -> Markup:
    """An SVG made by this program, from its ``svg`` element on, without the plotting library's note on itself."""
    start = max(text.find("<svg"), 0)
    return Markup(METADATA.sub("", text[start:]))


def facts(ranked: pl.DataFrame, context: ReportContext, language: str) -> dict[str, str]:
    """Figures of the first screen."""
    km = float(ranked["length_m"].sum()) / 1000
    top = float(ranked.filter(rank_class(ranked) == 1)["length_m"].sum()) / 1000
    interval = "–".join(number(value, language) for value in context.fit.get("breaks_interval", ()))
    return {
        "pipes": number(ranked.height, language),
        "km": number(km, language),
        "top_km": number(top, language, 1),
        "expected": number(float(ranked["expected_breaks"].sum()), language, 1),
        "expected_words": TEXTS("fact_expected", language) + (f" ({interval})" if interval else ""),
        "top": number(min(TOP, ranked.height), language),
        "as_of": context.as_of.isoformat(),
        "first_day": whole(context.first_day.isoformat()),
    }


def map_notes(ranked: pl.DataFrame, language: str) -> list[str]:
    """What the reader must know about places: approximate ones, lines longer than their pipes, missing ones."""
    placed = ranked.filter(pl.col("geom").is_not_null())
    drawn = shapely.length(shapely.from_wkb(placed["geom"].to_numpy()))
    approximate = (placed["position"] == "approximate").fill_null(value=False).to_numpy()
    longer = approximate & (drawn > MUCH_LONGER * placed["length_m"].fill_null(0.0).to_numpy())
    notes = [
        TEXTS(key, language, share=percent(float(rows.mean()), language, 0))
        for key, rows in (("map_approximate", approximate), ("map_whole_street", longer))
        if rows.size and rows.mean() >= TELLING_SHARE
    ]
    if placed.height < ranked.height:
        notes.append(TEXTS("map_placeless", language, pipes=number(ranked.height - placed.height, language)))
    return notes


def top_rows(ranked: pl.DataFrame, language: str) -> list[dict[str, Any]]:
    """The first rows of the list, for readers without scripts and for print."""
    top = ranked.head(TOP)
    told = told_reasons(top, language)
    reasons: dict[int, list[tuple[str, str]]] = {}
    for row, times, words in told.select("row", "multiplier_text", "words").iter_rows():
        reasons.setdefault(row, []).append((f"× {times}", words))
    classes = rank_class(ranked).head(TOP)
    return [
        {
            "rank": number(place + 1, language),
            "colour": CLASSES[classes[place] - 1].colour,
            "id": row["pipe_id"],
            "street": row["street"] or NONE,
            "what": _what(row, language),
            "year": row["install_year"] or NONE,
            "length": f"{number(row['length_m'], language)} m",
            "rate": rate(row["expected_breaks_per_km_year"], language),
            "interval": f"{rate(row['lower'], language)}–{rate(row['upper'], language)}",
            "reasons": reasons.get(place, []),
        }
        for place, row in enumerate(top.drop("geom", "reasons").to_dicts())
    ]


def _what(row: Mapping[str, Any], language: str) -> str:
    material = material_name(row["material"], language)
    return material if row["diameter_mm"] is None else f"{material}, {round(row['diameter_mm'])}{NO_BREAK}mm"
