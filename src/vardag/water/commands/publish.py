"""`vardag water publish`: the last prediction as a map, as tables and as a report."""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from vardag.core.errors import NotFoundError
from vardag.water import features
from vardag.water.commands.workspace import (
    DOCUMENT,
    EFFECTS,
    OUT,
    STABILITY,
    SUMMARY,
    OnStep,
    Workspace,
    read_table,
    workspace,
)
from vardag.water.publish import Published, ReportContext
from vardag.water.publish import publish as write_files

REASON = pl.List(pl.Struct({"family": pl.String, "value": pl.String, "multiplier": pl.Float64}))


def publish(folder: Path, *, language: str | None = None, on_step: OnStep | None = None) -> Published:
    """Write GeoPackage, GeoParquet, CSV, model card and report of the last prediction into ``out/``.

    Parameters
    ----------
    folder
        City folder with a prediction, and an evaluation if the report shall show one.
    language
        ``sv`` or ``en``; the city's unless given.

    Raises
    ------
    NotFoundError
        When nothing has been predicted (cure: ``vardag water predict``).
    """
    with workspace(folder, "water publish", on_step=on_step, writes=False) as work:
        words = language or work.city.language
        with work.run.step("read"):
            predictions = read_predictions(work)
            evaluation = read_evaluation(work)
            context = read_context(work, language=words)
        with work.run.step("publish") as step:
            step.rows(rows_in=predictions.height, rows_out=predictions.height)
            return write_files(
                folder=folder / OUT,
                predictions=predictions,
                evaluation=evaluation,
                context=context,
                language=words,
            )


def read_predictions(work: Workspace) -> pl.DataFrame:
    """Ranked pipes with what the register knows of them."""
    predictions = read_table(work.connection, "prediction")
    if predictions.is_empty() or not (work.city.folder / OUT / SUMMARY).is_file():
        raise NotFoundError(f"prediction: there is none yet. Make one: vardag water predict {work.city.folder}")
    lives = read_table(work.connection, "life").drop("origin", "known_from", "length_source", "retired_date")
    told = predictions.with_columns(pl.col("reasons").str.json_decode(REASON))
    return told.join(lives, on="pipe_key", how="left", maintain_order="left").sort("rank")


def read_evaluation(work: Workspace) -> dict[str, Any] | None:
    """The evaluation, where there is one of the data that are loaded now."""
    return _of_these_data(work, DOCUMENT)


def _of_these_data(work: Workspace, name: str, **facts: str) -> dict[str, Any] | None:
    """A document of ``out/``, where there is one of the data that are loaded now, and with the same facts."""
    path = work.city.folder / OUT / name
    document: dict[str, Any] | None = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    wanted = {"inputs": dict(work.run.inputs)} | facts
    return document if document and all(document[key] == value for key, value in wanted.items()) else None


def read_context(work: Workspace, *, language: str) -> ReportContext:
    """Everything else that the report tells."""
    summary = json.loads((work.city.folder / OUT / SUMMARY).read_text(encoding="utf-8"))
    frames = {name: read_table(work.connection, name) for name in ("source", "check_result", "road")}
    return context_of(work, summary, frames, language=language)


def context_of(
    work: Workspace, summary: dict[str, Any], frames: Mapping[str, pl.DataFrame], *, language: str
) -> ReportContext:
    """From what `predict` found, as it stands in ``prediction.json``, and tables, to what a reader must know."""
    return ReportContext(
        city=work.city.name,
        crs=work.city.crs,
        as_of=date.fromisoformat(summary["as_of"]),
        secrecy=work.city.secrecy,
        sources=frames["source"],
        checks=frames["check_result"],
        survivorship=summary["survivorship"],
        data_card=features.data_card(),
        run=summary["run"],
        model=summary["model"],
        roads=frames.get("road"),
        few_breaks=None if summary["choice"] == "enough" else summary["notes"][language],
        synthetic=work.city.synthetic,
        fit=summary if "settings" in summary else {},
        effects=_of_these_data(work, EFFECTS, as_of=summary["as_of"]),
        stability=_of_these_data(work, STABILITY, as_of=summary["as_of"]),
    )
