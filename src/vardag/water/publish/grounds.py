"""What the prediction rests on, as the report shows it: sources, checks, the log's survivorship, the data card."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from vardag.water.publish.context import TEXTS, ReportContext
from vardag.water.publish.notation import NONE, number, percent

Table = dict[str, Any]
SEVERITIES = ("error", "warning", "note")


def sources(frame: pl.DataFrame, language: str) -> list[Table]:
    """One row per source: owner, licence, secrecy, date, rows in, kept and quarantined."""
    return [
        {
            "source": row.get("source") or NONE,
            "path": row.get("path") or "",
            "owner": row.get("owner") or NONE,
            "contact": row.get("contact") or "",
            "licence": row.get("licence") or NONE,
            "secrecy": _known(f"secrecy_{row.get('secrecy')}", row.get("secrecy"), language),
            "date": str(row.get("source_date") or NONE),
            "rows_in": number(row.get("rows_in"), language),
            "kept": number(row.get("rows_kept"), language),
            "quarantined": number(row.get("rows_quarantined"), language),
        }
        for row in frame.to_dicts()
    ]


def _known(key: str, otherwise: object, language: str) -> str:
    return TEXTS(key, language) if TEXTS.has(key) else str(otherwise or NONE)


def checks(frame: pl.DataFrame, language: str) -> Table:
    """Checks that found something, the gravest first, and the names of the others."""
    rows = frame.to_dicts()
    found = [row for row in rows if row["rows"]]
    order = {severity: place for place, severity in enumerate(SEVERITIES)}
    found.sort(key=lambda row: (order.get(row["severity"], 9), -row["rows"]))
    clean = [row["check_name"].replace("_", " ") for row in rows if not row["rows"]]
    return {
        "intro": TEXTS("checks_intro", language, found=len(found), run=len(rows)),
        "found": [
            row | {"label": _known(f"severity_{row['severity']}", row["severity"], language)} for row in found
        ],
        "clean": TEXTS("checks_clean", language, names=", ".join(clean)) if clean else "",
    }


def survivorship(told: Mapping[str, Any], language: str) -> Table | None:
    """How many breaks are usable by each rule, as bars."""
    total = told.get("breaks")
    if not total:
        return None
    steps = {
        "breaks": {"breaks": total, "share": 1.0},
        "plain": told.get("plain", {}).get("usable"),
        "register": told.get("register"),
        "with_rebuilt": told.get("with_rebuilt"),
        "labels": told.get("labels"),
    }
    rebuilt = told.get("rebuilt") or {}
    return {
        "rows": [
            {
                "name": TEXTS(f"survivorship_{name}", language),
                "breaks": number(step["breaks"], language),
                "share": percent(step["share"], language),
                "width": round(100 * step["share"], 1),
            }
            for name, step in steps.items()
            if step
        ],
        "rebuilt": TEXTS(
            "survivorship_rebuilt",
            language,
            pipes=number(rebuilt["pipes"], language),
            at_risk=number(rebuilt["at_risk"], language),
        )
        if rebuilt.get("pipes")
        else "",
    }


def data_card(rows: Sequence[Mapping[str, str]], language: str) -> list[Table]:
    """Features by what their knowledge rests on: undated first, for they are what a reader should question."""
    groups = []
    for knows in ("undated", "dated", "static"):
        members = [row for row in rows if row.get("knows") == knows]
        if members:
            groups.append({"knows": TEXTS(f"knows_{knows}", language), "key": knows, "rows": members})
    return groups


def run_record(context: ReportContext, language: str) -> Table:
    """Identity of the run and the time, memory and rows of its steps."""
    run, steps = context.run, list(context.run.get("steps", []))
    facts = {
        "run_id": run.get("run_id"),
        "run_model": context.model,
        "run_version": run.get("version"),
        "run_started": run.get("started_at"),
        "run_seed": run.get("seed"),
        "run_crs": context.crs,
        "run_configuration": run.get("configuration_hash"),
    }
    return {
        "facts": [(TEXTS(key, language), str(value)) for key, value in facts.items() if value not in (None, "")],
        "inputs": sorted((str(name), str(value)) for name, value in dict(run.get("inputs", {})).items()),
        "steps": [_step(step, language) for step in steps],
        "total": TEXTS("run_total", language, seconds=number(sum(step["seconds"] for step in steps), language, 1)),
    }


def _step(step: Mapping[str, Any], language: str) -> Table:
    rows = [number(step.get(name), language) for name in ("rows_in", "rows_out")]
    return {
        "name": step["name"],
        "seconds": number(step["seconds"], language, 2),
        "memory": number(step.get("peak_memory_mb"), language),
        "rows": " → ".join(rows) if step.get("rows_in") is not None or step.get("rows_out") is not None else "",
    }
