"""Two deliveries of the register on one page: a map, the counts, which fields changed, and the pipes themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pyogrio

from vardag.core.texts import Texts
from vardag.water.publish.context import TEXTS as COMMON
from vardag.water.publish.figures import lines_svg, thinness
from vardag.water.publish.lines import frame_of, lines_of
from vardag.water.publish.notation import NONE, number
from vardag.water.publish.render import POLICY, asset, render

TEXTS = Texts(Path(__file__).with_name("diff_texts.toml"))
PAGE, LAYER = "register-diff.html", "register-diff.gpkg"
MOST_ROWS = 200
UNCHANGED = "#c6ced6"
# Okabe and Ito's palette, told apart with every kind of colour vision; the rarer and graver, the wider.
COLOURS = {"changed": "#e69f00", "new": "#0072b2", "back": "#009e73", "reused": "#cc79a7", "gone": "#000000"}
WIDTHS = {"changed": 3.0, "new": 3.6, "back": 3.6, "reused": 4.6, "gone": 4.6}


@dataclass(frozen=True, kw_only=True)
class DiffContext:
    """What a reader must know of the two deliveries; kinds and fields as `vardag.water.register` counts them."""

    city: str
    crs: str
    secrecy: str
    synthetic: bool
    before_date: date
    after_date: date
    kinds: Sequence[Mapping[str, Any]]
    fields: Sequence[Mapping[str, Any]]
    suspicious: bool


def write_diff(
    folder: Path,
    *,
    changes: pl.DataFrame,
    shapes: pl.DataFrame,
    pipes: pl.DataFrame,
    context: DiffContext,
    language: str,
) -> list[Path]:
    """Write the page and, where any changed pipe has a place, a GeoPackage.

    Parameters
    ----------
    changes
        pipe_id, change, field, before, after.
    shapes
        One row per pipe and kind of change: pipe_id, change, length_m, material, diameter_mm, install_year, street
        and geom (WKB or null).
    pipes
        All pipes of the later delivery, the map's quiet ground.
    """
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / PAGE
    page.write_text(_page(changes, shapes, pipes, context, language), encoding="utf-8")
    layer = _geopackage(changes, shapes, folder / LAYER, context)
    return [page] if layer is None else [page, layer]


def diff_svg(shapes: pl.DataFrame, pipes: pl.DataFrame, *, title: str) -> str | None:
    """The changed pipes in colour over the whole network in grey; None where nothing has a place."""
    drawn = pl.concat([pipes.select("geom"), shapes.select("geom")])
    ground = lines_of(drawn["geom"])
    if not len(ground.points):
        return None
    frame = frame_of(ground)
    thin = thinness(ground, frame)
    layers = [(ground, UNCHANGED, 1.2 * thin)]
    for kind, colour in COLOURS.items():
        lines = lines_of(shapes.filter(pl.col("change") == kind)["geom"])
        layers.append((lines, colour, WIDTHS[kind] * max(thin, 0.7)))
    return lines_svg(layers, frame=frame, title=title)


def lines_of_text(context: DiffContext, language: str) -> list[str]:
    """The difference in words, a line each: what happened to how many pipes, and which fields changed most."""
    told = [TEXTS("between", language, before=context.before_date, after=context.after_date)]
    for kind in context.kinds:
        if kind["pipes"]:
            first = TEXTS("first", language, ids=", ".join(kind["first"]))
            told.append(f"{_kind(kind, language)} {first}")
    told += [_field(field, language) for field in context.fields]
    if len(told) == 1:
        told.append(TEXTS("nothing", language))
    return [*told, *([TEXTS("suspicious", language)] if context.suspicious else [])]


def _kind(kind: Mapping[str, Any], language: str) -> str:
    counted = number(kind["pipes"], language)
    return TEXTS(f"kind_{kind['change']}", language, pipes=counted, km=number(kind["km"], language, 1))


def _field(field: Mapping[str, Any], language: str) -> str:
    name = TEXTS(f"field_{field['field']}", language)
    steps = ", ".join(
        f"{_or(step['before'])} → {_or(step['after'])} {step['pipes']}" for step in field["steps"][:3]
    )
    return f"{name}: {number(field['pipes'], language)}" + (f" ({steps})" if steps else "")


def _or(value: str | None) -> str:
    return NONE if value is None else value


def _page(
    changes: pl.DataFrame, shapes: pl.DataFrame, pipes: pl.DataFrame, context: DiffContext, language: str
) -> str:
    title = TEXTS("title", language, city=context.city)
    rows = _rows(changes, shapes, language)
    return render(
        "diff.html.j2",
        policy=POLICY,
        style=asset("report.css"),
        language=language,
        context=context,
        title=title,
        t=lambda key, **values: (TEXTS if TEXTS.has(key) else COMMON)(key, language, **values),
        svg=diff_svg(shapes, pipes, title=title),
        legend=[(COLOURS[kind["change"]], kind) for kind in context.kinds if kind["change"] in COLOURS],
        kinds=[(_colour(kind), _kind(kind, language), kind) for kind in context.kinds if kind["pipes"]],
        fields=[_field(field, language) for field in context.fields],
        rows=rows[:MOST_ROWS],
        more=max(len(rows) - MOST_ROWS, 0),
    )


def _colour(kind: Mapping[str, Any]) -> str:
    return COLOURS.get(kind["change"], UNCHANGED)


def _rows(changes: pl.DataFrame, shapes: pl.DataFrame, language: str) -> list[dict[str, Any]]:
    """One row per pipe and kind, the gravest first: what it is, and what changed."""
    told = _details(changes, language)
    order = {kind: place for place, kind in enumerate(reversed(COLOURS))}
    joined = shapes.join(told, on=["pipe_id", "change"], how="left", maintain_order="left").drop("geom")
    placed = joined.with_columns(place=pl.col("change").replace_strict(order, default=len(order)))
    return [
        row | {"colour": COLOURS.get(row["change"], UNCHANGED), "what": _what(row, language)}
        for row in placed.sort("place", "pipe_id", maintain_order=True).head(10_000).to_dicts()
    ]


def _details(changes: pl.DataFrame, language: str) -> pl.DataFrame:
    """What changed in each pipe, in words."""
    names = {field: TEXTS(f"field_{field}", language) for field in changes["field"].drop_nulls().unique()}
    label = pl.col("field").replace(names)
    before, after = (pl.col(side).fill_null(NONE) for side in ("before", "after"))
    word = pl.when(pl.col("field").is_not_null()).then(pl.format("{}: {} → {}", label, before, after))
    return changes.group_by("pipe_id", "change", maintain_order=True).agg(details=word.drop_nulls().str.join("; "))


def _what(row: Mapping[str, Any], language: str) -> str:
    size = f"{number(row['diameter_mm'], language)} mm" if row["diameter_mm"] else None
    parts = (row["material"], size, row["install_year"], row["street"])
    return " · ".join(str(part) for part in parts if part is not None)


def _geopackage(changes: pl.DataFrame, shapes: pl.DataFrame, path: Path, context: DiffContext) -> Path | None:
    """One layer of the changed pipes; the details as in the page, in the city's coordinate system."""
    placed = shapes.filter(pl.col("geom").is_not_null())
    if placed.is_empty():
        path.unlink(missing_ok=True)
        return None
    table = placed.join(_details(changes, "en"), on=["pipe_id", "change"], how="left", maintain_order="left")
    part = path.with_name(path.stem + ".part.gpkg")
    part.unlink(missing_ok=True)
    pyogrio.write_arrow(
        table.to_arrow(), part, layer="register_diff", geometry_name="geom", geometry_type="Unknown",
        crs=context.crs, driver="GPKG", encoding="UTF-8", layer_metadata={"SECRECY": context.secrecy},
        dataset_options={"VERSION": "1.2"}, layer_options={"GEOMETRY_NAME": "geom"},
    )  # fmt: skip
    return part.replace(path)
