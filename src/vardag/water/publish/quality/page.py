"""The quality report as one page of HTML, complete in itself; it needs no script and asks for nothing."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
from markupsafe import Markup

from vardag.core.texts import Texts
from vardag.water.publish import grounds
from vardag.water.publish.notation import NONE, number, percent
from vardag.water.publish.quality import figures
from vardag.water.publish.quality.effect import AGAIN, WITH, verdict
from vardag.water.publish.render import POLICY, asset, render

Row = dict[str, Any]

HERE = Path(__file__).parent
TEXTS = Texts(HERE.parent / "texts.toml", HERE / "texts.toml")
KEY_LEVEL = 0.1  # share of length at which the difference is drawn
LEAST_REACH = 0.01
CHANCE = 0.05  # of 95 % intervals leave out zero by chance
FEW = 0.001


def quality_page(document: Mapping[str, Any], *, language: str) -> str:
    """Make the page of a document of `vardag.water.commands.quality`; names from data are escaped."""
    found = grounds.checks(pl.DataFrame([_check(row) for row in document["checks"]]), language)
    return render(
        "quality.html.j2",
        language=language,
        t=partial(TEXTS, language=language),
        document=document,
        policy=POLICY,
        style=Markup(asset("report.css") + asset("quality.css")),
        facts=facts(document, language),
        sources=[source(row, language) for row in document["sources"]],
        checks=found,
        effect=effect(document["effect"], language),
    )


def _check(row: Mapping[str, Any]) -> Row:
    return {"check_name": row["name"], **{key: row[key] for key in ("severity", "rows", "message", "cure")}}


def facts(document: Mapping[str, Any], language: str) -> Row:
    """Figures of the first screen."""
    cells = sum(one["rows"] * len(one["fields"]) for one in document["sources"])
    filled = sum(field["filled"] for one in document["sources"] for field in one["fields"])
    found = [row for row in document["checks"] if row["rows"]]
    return {
        "rows": number(sum(one["rows"] for one in document["sources"]), language),
        "sources": number(len(document["sources"]), language),
        "filled": percent(filled / cells if cells else None, language),
        "found": number(len(found), language),
        "run": number(len(document["checks"]), language),
        "errors": number(sum(row["severity"] == "error" for row in found), language),
    }


def source(told: Mapping[str, Any], language: str) -> Row:
    """One source: its fields with fill, charts, and all numbers for those who want them."""
    period = told["period"]
    return {
        "name": told["source"],
        "table": told["table"],
        "rows": number(told["rows"], language),
        "period": TEXTS(f"period_{period}", language) + _range(told["fields"]) if period else "",
        "deliveries": max((len(field["by_delivery"]) for field in told["fields"]), default=0),
        "fields": [_field(field, period, language) for field in told["fields"]],
        "empty": ", ".join(told["empty"]),
        "heads": [_period(row["period"], language) for row in told["fields"][0]["by_period"]]
        if told["fields"]
        else [],
    }


def _range(fields: Sequence[Mapping[str, Any]]) -> str:
    """First and last period, for the chart's head: the bars have no axis of their own."""
    dated = [row["period"] for field in fields[:1] for row in field["by_period"] if row["period"] is not None]
    return f", {dated[0]}–{dated[-1]}" if dated else ""


def _field(told: Mapping[str, Any], period: str | None, language: str) -> Row:
    dated = [row for row in told["by_period"] if row["period"] is not None]
    numbers = [percent(_share(row), language, 0) for row in told["by_period"]]
    return {
        "name": told["field"],
        "filled": number(told["filled"], language),
        "share": percent(told["share"], language),
        "periods": _bars(dated, [_period(row["period"], language) for row in dated], told["field"], language),
        "lowest": _lowest(dated, language),
        "numbers": numbers if period else [],
        "deliveries": _bars(
            told["by_delivery"], [row["loaded_at"] for row in told["by_delivery"]], told["field"], language
        ),
        "change": _change(told["by_delivery"], language),
    }


def _share(row: Mapping[str, Any]) -> float:
    return float(row["filled"] / row["rows"]) if row["rows"] else 0.0


def _period(period: int | None, language: str) -> str:
    return TEXTS("period_none", language) if period is None else str(period)


def _bars(rows: Sequence[Mapping[str, Any]], names: Sequence[str], field: str, language: str) -> Markup | str:
    if not rows:
        return ""
    titles = [f"{name}: {_told(row, language)}" for name, row in zip(names, rows, strict=True)]
    label = TEXTS("chart_fill", language, field=field, first=titles[0], last=titles[-1])
    return figures.bars([_share(row) for row in rows], titles, label=label)


def _told(row: Mapping[str, Any], language: str) -> str:
    return f"{percent(_share(row), language)} ({number(row['filled'], language)} / {number(row['rows'], language)})"


def _lowest(rows: Sequence[Mapping[str, Any]], language: str) -> str:
    """The period with the poorest fill, where it is not the same everywhere."""
    if not rows or len({round(_share(row), 4) for row in rows}) == 1:
        return ""
    worst = min(rows, key=_share)
    return f"{worst['period']}: {percent(_share(worst), language, 0)}"


def _change(rows: Sequence[Mapping[str, Any]], language: str) -> str:
    """Percentage points since the delivery before the last."""
    if len(rows) < 2:
        return NONE
    return signed(_share(rows[-1]) - _share(rows[-2]), language)


def signed(share: float, language: str) -> str:
    """Write a difference of shares in percentage points, with its sign."""
    points = round(100 * share, 1) + 0.0
    return ("+" if points > 0 else "") + number(points, language, 1).replace("-", "−")


def effect(told: Mapping[str, Any] | None, language: str) -> Row | None:
    """The groups of doubtful rows and, where it was measured, what they do."""
    if told is None:
        return None
    measured = told["measured"]
    groups = {group["name"]: group for group in told["groups"]}
    clean = ", ".join(TEXTS(f"doubt_{name}", language) for name in told["clean"])
    result = {"groups": [_group(group, language) for group in told["groups"]], "clean": clean, "models": []}
    if measured:
        first, last = measured["years"][0], measured["years"][-1]
        breaks = number(measured["breaks"], language)
        result["basis"] = TEXTS("effect_basis", language, first=first, last=last, breaks=breaks)
        result["levels"] = [percent(level, language, 0) for level in measured["levels"]]
        place = measured["levels"].index(KEY_LEVEL)
        result["models"] = [
            {"name": TEXTS(f"light_{name}", language), **_model(rows, groups, place, language)}
            for name, rows in measured["models"].items()
        ]
        result["answer"] = _answer(measured, place, language)
    return result


def _group(group: Mapping[str, Any], language: str) -> Row:
    parts = [
        TEXTS(
            f"rows_of_{kind}",
            language,
            rows=number(group[kind], language),
            share=_small(group[kind] / of, language),
        )
        for kind, of in (("pipes", group["of_pipes"]), ("breaks", group["of_breaks"]))
        if group[kind] and of
    ]
    return {"name": TEXTS(f"doubt_{group['name']}", language), "rows": ", ".join(parts)}


def _small(share: float, language: str) -> str:
    return percent(share, language, 2 if share < FEW else 1)


def _model(rows: Sequence[Mapping[str, Any]], groups: Mapping[str, Any], place: int, language: str) -> Row:
    ends = [abs(row[name][place] or 0.0) for row in rows for name in ("low", "high")]
    reach = max([*ends, LEAST_REACH])
    shown = [
        _group(groups[row["group"]], language) | _compared(row, place, reach, language)
        if row["group"] in groups
        else _whole(row, place, reach, language)
        for row in rows
    ]
    return {"rows": shown, "reach": signed(reach, language).lstrip("+")}


def _whole(row: Mapping[str, Any], place: int, reach: float, language: str) -> Row:
    """Rows where nothing is left out: what the others are compared with, and the same with another seed."""
    name = {"name": TEXTS(f"doubt_{row['group']}", language), "rows": ""}
    return name | (_captures(row, language) if row["group"] == WITH else _compared(row, place, reach, language))


def _captures(row: Mapping[str, Any], language: str) -> Row:
    told = [{"value": percent(value, language), "interval": "", "sure": False} for value in row["capture"]]
    return {
        "captures": told,
        "ratio": number(row["ratio"], language, 2),
        "chart": "",
        "difference": "",
        "verdict": "",
    }


def _compared(row: Mapping[str, Any], place: int, reach: float, language: str) -> Row:
    ends = [row[name][place] for name in ("difference", "low", "high")]
    if None in ends:
        return _captures(row, language)
    value, low, high = (signed(end, language) for end in ends)
    interval = f"{low} {TEXTS('to', language)} {high}"
    return _captures(row, language) | {
        "captures": [_at_level(row, at, language) for at in range(len(row["capture"]))],
        "chart": figures.difference(*ends, reach=reach, label=f"{value} ({interval})"),
        "difference": value,
        "interval": interval,
        "verdict": TEXTS(f"verdict_{verdict(row, place)}", language),
    }


def _at_level(row: Mapping[str, Any], at: int, language: str) -> Row:
    low, high = (signed(row[name][at] or 0.0, language) for name in ("low", "high"))
    return {
        "value": percent(row["capture"][at], language),
        "interval": f"{low} {TEXTS('to', language)} {high}",
        "sure": verdict(row, at) != "nothing",
    }


def _answer(measured: Mapping[str, Any], place: int, language: str) -> str:
    """The result in a sentence: which groups show an effect, by the first model."""
    rows = [row for row in next(iter(measured["models"].values())) if row["group"] not in {WITH, AGAIN}]
    sure = {kind: [row["group"] for row in rows if verdict(row, place) == kind] for kind in ("harm", "help")}
    told = [
        TEXTS(f"answer_{kind}", language, names=", ".join(TEXTS(f"doubt_{name}", language) for name in names))
        for kind, names in sure.items()
        if names
    ]
    first = " ".join(told) or TEXTS("answer_nothing" if rows else "answer_no_rows", language)
    return f"{first} {_elsewhere(measured, language)}" if rows else first


def _elsewhere(measured: Mapping[str, Any], language: str) -> str:
    """How many of all intervals, at every level and by every model, leave out zero; chance alone gives some."""
    rows = [row for told in measured["models"].values() for row in told if row["group"] not in {WITH, AGAIN}]
    says = [verdict(row, at) for row in rows for at in range(len(row["capture"]))]
    return TEXTS(
        "answer_elsewhere",
        language,
        intervals=len(says),
        harm=says.count("harm"),
        help=says.count("help"),
        chance=number(CHANCE * len(says), language),
    )
