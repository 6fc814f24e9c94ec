"""`vardag water quality`: how full and how sound the data are, and what the doubtful rows do to the predictions."""

import json
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from vardag.core.config import DEFAULT_SEED
from vardag.water import features, schema
from vardag.water.commands.check import check_data, check_tables
from vardag.water.commands.models import trees
from vardag.water.commands.network import History, build_history
from vardag.water.commands.workspace import OUT, OnStep, Tables, Workspace, read_table, read_tables, workspace
from vardag.water.lof.bayes import EmpiricalBayes
from vardag.water.lof.calibrate import calibrated
from vardag.water.lof.port import POLICY, Model
from vardag.water.panel import year_ends
from vardag.water.publish.quality.doubtful import counts, doubts
from vardag.water.publish.quality.effect import measure, validation_years
from vardag.water.publish.quality.fill import source_fill
from vardag.water.publish.quality.page import quality_page

DOCUMENT, PAGE = "quality.json", "quality.html"
STEP = 0.15  # three times the published model's, with a third of its rounds


@dataclass(frozen=True)
class Quality:
    """The quality report as a document, and the files that hold it."""

    document: dict[str, Any]
    paths: tuple[Path, ...]


def quality(
    folder: Path,
    *,
    effect: bool = True,
    language: str | None = None,
    seed: int = DEFAULT_SEED,
    on_step: OnStep | None = None,
) -> Quality:
    """Tell how good the loaded data are, source by source and field by field.

    Parameters
    ----------
    folder
        City folder, loaded.
    effect
        Also measure what the doubtful rows do to the predictions; takes a minute or two.
    language
        ``sv`` or ``en``; the city's unless given.

    Notes
    -----
    Writes ``quality.json`` and ``quality.html`` into ``out/``.
    """
    with workspace(folder, "water quality", seed=seed, on_step=on_step) as work:
        words = language or work.city.language
        with work.run.step("read"):
            tables = read_tables(work)
        checks = check_tables(work, tables, language=words)
        with work.run.step("fill"):
            fill = fill_of(work, tables)
        history = build_history(work, tables)
        document = {
            "city": work.city.name,
            "secrecy": work.city.secrecy,
            "synthetic": work.city.synthetic,
            "language": words,
            "run_id": work.run.run_id,
            "sources": fill,
            "checks": [vars(result) for result in checks],
            "effect": effect_of(work, tables, history, seed) if effect else None,
        }
        with work.run.step("write"):
            paths = write(folder / OUT, document, words)
    return Quality(document, paths)


def fill_of(work: Workspace, tables: Tables) -> list[dict[str, Any]]:
    """Fill of every source, in the order of the tables."""
    deliveries = read_table(work.connection, "field_fill")
    order = list(schema.DELIVERED)
    sources = sorted(tables.sources.iter_rows(named=True), key=lambda row: order.index(row["table_name"]))
    frames = {name: read_table(work.connection, name) for name in {row["table_name"] for row in sources}}
    return [
        source_fill(
            frames[row["table_name"]].filter(pl.col("source") == row["source"]),
            source=row["source"],
            table=row["table_name"],
            deliveries=deliveries,
        )
        for row in sources
    ]


def effect_of(work: Workspace, tables: Tables, history: History, seed: int) -> dict[str, Any]:
    """Find the doubtful rows and measure what they do; says why where it cannot be measured."""
    used = frozenset(tables.breaks["break_id"])
    groups, clean = doubts(
        check_data(work, tables),
        history.links,
        used=used,
        least_confidence=POLICY.value("quality_least_confidence"),
    )
    told = {
        "groups": counts(groups, {"pipes": tables.pipes.height, "breaks": tables.breaks.height}),
        "clean": list(clean),
    }
    label_years = years_with_labels(history)
    if len(label_years) < 2 or history.links["pipe_key"].drop_nulls().is_empty():
        return told | {"measured": None}
    years = validation_years(
        label_years,
        tested=POLICY.value("evaluate_test_years"),
        training=POLICY.value("evaluate_training_years"),
        wanted=POLICY.value("quality_years"),
    )
    with work.run.step("panel") as step:
        days = [date(year - 1, 12, 31) for year in label_years if year <= years[-1]]
        panel = features.panel_of(history.network, days, progress=step.advance)
    if not int(panel.filter(pl.col("as_of").dt.year() >= years[0] - 1)["breaks"].sum()):
        return told | {"measured": None}
    with work.run.step("effect") as step:
        measured = measure(
            history.network,
            panel,
            groups,
            models=models(seed),
            again=models(seed + 1),
            years=years,
            seed=seed,
            progress=step.advance,
        )
    return told | {"measured": measured}


def years_with_labels(history: History) -> list[int]:
    """Years of the record whose breaks can be predicted from the 31 December before."""
    network = history.network
    first = network.record_start.year - 1 + POLICY.value("panel_history_years")
    return [day.year + 1 for day in year_ends(first, network.record_end.year - 1)]


def models(seed: int) -> tuple[Model, ...]:
    """Two light models of different kinds, each with its level set by the latest years."""
    quick = trees(seeds=(seed,))
    settings = replace(quick.settings, rounds=POLICY.value("quality_rounds"), learning_rate=STEP)
    return calibrated((replace(quick, settings=settings), EmpiricalBayes()))


def write(out: Path, document: dict[str, Any], language: str) -> tuple[Path, ...]:
    """Write the document and the page."""
    out.mkdir(exist_ok=True)
    (out / DOCUMENT).write_text(json.dumps(document, indent=1, ensure_ascii=False), encoding="utf-8")
    (out / PAGE).write_text(quality_page(document, language=language), encoding="utf-8")
    return out / PAGE, out / DOCUMENT
