"""How good the ranking is, as the report shows it: from ``evaluation.json`` to tables of finished text."""

from collections.abc import Mapping
from typing import Any

from vardag.water.publish.context import TEXTS
from vardag.water.publish.notation import NONE, level, number, percent
from vardag.water.publish.reasons import material_name
from vardag.water.validation.plots import PLOTS
from vardag.water.validation.render import held_words, model_name

SUBJECT = "vardag"
KEY_LEVEL = 0.05
SHOWN_LEVELS = (0.01, 0.05, 0.10, 0.20)
PEERS = ("past_breaks_per_km", "oldest_first", "random")
MAIN = ("register", "1")
CAPTURE = ("capture", "low", "high")
DIFFERENCE = ("difference", "difference_low", "difference_high")

Table = dict[str, Any]


def trial_of(evaluation: Mapping[str, Any] | None, population: str, years: str) -> Mapping[str, Any] | None:
    """One population and horizon of an evaluation; None where it was not evaluated or had no breaks."""
    trial = ((evaluation or {}).get("populations") or {}).get(population, {}).get(years)
    return trial if trial and trial.get("breaks") else None


def hero(evaluation: Mapping[str, Any] | None, language: str) -> Table | None:
    """The key result: one number, its comparison, and a row of dots for each level."""
    trial = trial_of(evaluation, *MAIN)
    if evaluation is None or trial is None:
        return None
    rows, levels = _by_model(trial["headline"]), list(evaluation["levels"])
    subject = _subject(rows)
    if subject not in rows or KEY_LEVEL not in levels:
        return None
    key = {model: rows[model]["capture"][levels.index(KEY_LEVEL)] for model in rows}
    first, last = years_of(trial)
    return {
        "share": percent(key[subject], language),
        "text": TEXTS("key_result", language, level=level(KEY_LEVEL, language)),
        "compare": _compare(key, language),
        "how": TEXTS("key_how", language, breaks=number(trial["breaks"], language), first=first, last=last),
        "rows": [_dots(rows, levels, one, subject, language) for one in SHOWN_LEVELS if one in levels],
        "legend": [
            {"model": model, "kind": _kind(model, subject), "name": model_name(model, language)}
            for model in (subject, *(peer for peer in PEERS if peer in rows))
        ],
    }


def _compare(key: Mapping[str, float | None], language: str) -> str:
    if not all(key.get(name) is not None for name in PEERS[:2]):
        return ""
    past, oldest = (percent(key[name], language) for name in PEERS[:2])
    return TEXTS("key_compare", language, past=past, oldest=oldest)


def _dots(rows: Table, levels: list[float], one: float, subject: str, language: str) -> Table:
    place = levels.index(one)
    dots = [
        {
            "kind": _kind(model, subject),
            "at": round(100 * rows[model]["capture"][place], 2),
            "name": model_name(model, language),
            "text": percent(rows[model]["capture"][place], language),
        }
        for model in (*PEERS, subject)
        if model in rows and rows[model]["capture"][place] is not None
    ]
    return {
        "label": TEXTS("chart_row", language, level=level(one, language)),
        "value": percent(rows[subject]["capture"][place], language),
        "low": round(100 * (rows[subject]["low"][place] or 0), 2),
        "high": round(100 * (rows[subject]["high"][place] or 0), 2),
        "dots": dots,
    }


def _kind(model: str, subject: str) -> str:
    return "subject" if model == subject else f"peer{PEERS.index(model) + 1}"


def _by_model(rows: list[Mapping[str, Any]]) -> dict[str, Any]:
    return {row["model"]: row for row in rows}


def _subject(rows: Mapping[str, Any]) -> str:
    return SUBJECT if SUBJECT in rows else next(iter(rows), SUBJECT)


def years_of(trial: Mapping[str, Any]) -> tuple[int, int]:
    """First and last year that was predicted."""
    years = [int(str(day)[:4]) + 1 for day in trial["origins"]]
    return min(years), max(years)


def headline_tables(evaluation: Mapping[str, Any] | None, language: str) -> list[Table]:
    """One table per population and horizon that has breaks, the register one year ahead first."""
    tables = []
    for population in ("register", "with_rebuilt"):
        for years in ("1", "3"):
            trial = trial_of(evaluation, population, years)
            if trial and evaluation:
                tables.append(_headline(trial, evaluation["levels"], population, years, language))
    return tables


def _headline(trial: Mapping[str, Any], levels: list[float], population: str, years: str, language: str) -> Table:
    first, last = years_of(trial)
    basis = TEXTS(
        "table_basis",
        language,
        breaks=number(trial["breaks"], language),
        km_years=number(trial["km_years"], language),
        first=first,
        last=last,
    )
    title = f"{TEXTS(f'population_{population}', language)}, {TEXTS(f'horizon_{years}', language)}"
    return {"title": title, "basis": basis, "years": years} | capture_table(trial["headline"], levels, language)


def capture_table(rows: list[Mapping[str, Any]], levels: list[float], language: str) -> Table:
    """Rows of capture with interval at each level, and the subject's lead at 5 % of length."""
    subject = _subject(_by_model(rows))
    place = levels.index(KEY_LEVEL) if KEY_LEVEL in levels else 0
    return {
        "levels": [level(one, language) for one in levels],
        "lead": TEXTS("headline_lead", language, level=level(levels[place], language)),
        "rows": [
            {
                "name": model_name(row["model"], language),
                "subject": row["model"] == subject,
                "cells": [_cell(row, CAPTURE, at, language) for at in range(len(levels))],
                "lead": _lead(row, place, language) if row["model"] != subject else None,
            }
            for row in rows
        ],
    }


def _cell(row: Mapping[str, Any], names: tuple[str, str, str], at: int, language: str) -> Table:
    seen, low, high = (row[name][at] for name in names)
    if seen is None:
        return {"value": NONE, "interval": ""}
    ends = [number(None if end is None else 100 * end, language, 1) for end in (low, high)]
    return {"value": number(100 * seen, language, 1), "interval": f"{ends[0]}–{ends[1]}"}


def _lead(row: Mapping[str, Any], at: int, language: str) -> Table:
    cell = _cell(row, DIFFERENCE, at, language)
    low, high = row["difference_low"][at], row["difference_high"][at]
    sure = low is not None and high is not None and (low > 0 or high < 0)
    interval = cell["interval"].replace("–", f" {TEXTS('to', language)} ")
    signed = ("+" if (row["difference"][at] or 0) > 0 else "") + cell["value"]
    return {"value": signed.replace("-", "−"), "interval": interval.replace("-", "−"), "sure": sure}


def calibration(evaluation: Mapping[str, Any] | None, language: str) -> Table | None:
    """Predicted and observed breaks: pooled in a sentence, by year and by material."""
    trial = trial_of(evaluation, *MAIN)
    if trial is None:
        return None
    told, pooled = trial["calibration"], trial["calibration"]["pooled"]
    return {
        "pooled": TEXTS(
            "calibration_pooled",
            language,
            predicted=number(pooled["predicted"], language),
            observed=number(pooled["observed"], language),
            ratio=number(pooled["ratio"], language, 2),
        ),
        "held": held_words(told.get("held"), language),
        "by_year": [_compared(row, str(row["year"]), language) for row in told["by_year"]],
        "by_material": [
            _compared(row, material_name(row["material"], language), language)
            for row in sorted(told["by_material"], key=lambda row: -row["observed"])
        ],
    }


def _compared(row: Mapping[str, Any], name: str, language: str) -> Table:
    return {
        "name": name,
        "predicted": number(row["predicted"], language, 1),
        "observed": number(row["observed"], language),
        "ratio": number(row["ratio"], language, 2),
    }


def plots(evaluation: Mapping[str, Any] | None, language: str) -> dict[str, str]:
    """Draw the capture curve, calibration and breaks per year of the main trial, as SVG; none without breaks."""
    if evaluation is None or trial_of(evaluation, *MAIN) is None:
        return {}
    return {name: draw(dict(evaluation), language=language) for name, draw in PLOTS.items()}


def no_history(evaluation: Mapping[str, Any] | None, language: str) -> Table | None:
    """The capture table on pipes without a recorded break."""
    trial = trial_of(evaluation, *MAIN)
    rows = trial.get("no_history") if trial else None
    if not rows or evaluation is None or all(row["capture"][-1] is None for row in rows):
        return None
    return capture_table(rows, evaluation["levels"], language)


def streets(evaluation: Mapping[str, Any] | None, language: str) -> Table | None:
    """Precision of the top street blocks; from the first trial that has it."""
    trials = (
        trial_of(evaluation, population, years) for population in ("register", "with_rebuilt") for years in "13"
    )
    told = next((trial["streets"] for trial in trials if trial and trial.get("streets")), None)
    if not told:
        return None
    return {
        "intro": TEXTS(
            "streets_intro", language, level=level(told["level"], language), years=told["horizon_years"]
        ),
        "rows": [
            {
                "name": model_name(row["model"], language),
                "subject": row["model"] == SUBJECT,
                "blocks": number(row["blocks"], language),
                "hits": number(row["hits"], language),
                "precision": percent(row["precision"], language),
                "base": percent(row["base_rate"], language),
            }
            for row in told["rows"]
        ],
    }
