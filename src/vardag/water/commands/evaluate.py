"""`vardag water evaluate`: test the predictions against what happened, year by year."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from vardag.core.config import DEFAULT_SEED
from vardag.core.errors import InputError
from vardag.water import features
from vardag.water.commands.models import chosen, contenders, levelled
from vardag.water.commands.network import build_history
from vardag.water.commands.workspace import DOCUMENT, OUT, OnStep, Workspace, read_tables, workspace
from vardag.water.lof.port import POLICY, Model
from vardag.water.panel import Network, year_ends
from vardag.water.validation.document import evaluation_markdown
from vardag.water.validation.evaluate import evaluate as test_models
from vardag.water.validation.plots import PLOTS


@dataclass(frozen=True)
class Evaluated:
    """The evaluation as a document, and the files that hold it."""

    document: dict[str, Any]
    paths: tuple[Path, ...]


def evaluate(
    folder: Path,
    *,
    first: int | None = None,
    last: int | None = None,
    seed: int = DEFAULT_SEED,
    on_step: OnStep | None = None,
) -> Evaluated:
    """Predict every test year from what was known on 31 December before it, and count what was caught.

    Parameters
    ----------
    folder
        City folder, loaded.
    first, last
        Test years, both included. By default the record's last ten years, of which as many are left out as are
        needed to keep five label years to learn from.
    seed
        Seed of everything random.

    Notes
    -----
    Writes ``evaluation.json``, ``evaluation.md``, ``scores.parquet`` and the plots as SVG into ``out/``.

    Raises
    ------
    InputError
        When there are too few years or no breaks to test on.
    """
    with workspace(folder, "water evaluate", seed=seed, on_step=on_step) as work:
        with work.run.step("read"):
            tables = read_tables(work)
        history = build_history(work, tables)
        panel = label_years(work, history.network)
        years = test_years(panel, first, last)
        scores, document = score(work, panel, years, seed)
        document |= {
            "run_id": work.run.run_id,
            "inputs": dict(work.run.inputs),
            "survivorship": history.survivorship,
        }
        with work.run.step("write"):
            paths = write(folder / OUT, scores, document, language=work.city.language)
    return Evaluated(document, paths)


def label_years(work: Workspace, network: Network) -> pl.DataFrame:
    """Pipe-years of every 31 December whose year after is inside the record, with some history behind it."""
    first = network.record_start.year - 1 + POLICY.value("panel_history_years")
    with work.run.step("panel") as step:
        days = year_ends(first, network.record_end.year - 1)
        if not days:
            raise InputError(
                f"evaluate: the record, {network.record_start} to {network.record_end}, is too short; at least "
                f"{POLICY.value('panel_history_years') + 2} years are needed."
            )
        panel = features.panel_of(network, days, progress=step.advance)
        step.rows(rows_out=panel.height)
    return panel


def test_years(panel: pl.DataFrame, first: int | None, last: int | None) -> range:
    """Years to test on: as asked for, else the last ten that leave enough to learn from."""
    held = sorted(day.year + 1 for day in panel["as_of"].unique())
    if not int(panel["breaks"].sum()):
        raise InputError(
            "evaluate: no break is linked to a pipe of the register in the record, so nothing can be tested. See "
            "`vardag water check`; `predict` still works, on published rates."
        )
    earliest = min(held[0] + POLICY.value("evaluate_training_years"), held[-1])
    return range(first or max(earliest, held[-1] - POLICY.value("evaluate_test_years") + 1), (last or held[-1]) + 1)


def score(work: Workspace, panel: pl.DataFrame, years: range, seed: int) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Fit every model from every origin and make the tables."""
    with work.run.step("evaluate") as step:
        return test_models(
            panel,
            models=_models(panel, seed),
            test_years=years,
            seed=seed,
            city=work.city.name,
            progress=lambda _, done, total: step.advance(done, total),
        )


def _models(panel: pl.DataFrame, seed: int) -> tuple[Model, ...]:
    """With few breaks the fallback is tested in the place of the trained model."""
    return levelled(chosen(panel, seed=seed).model), *contenders(seed=seed)[1:]


def write(out: Path, scores: pl.DataFrame, document: dict[str, Any], *, language: str) -> tuple[Path, ...]:
    """Write the document, its tables in Markdown, the scores and the plots."""
    out.mkdir(exist_ok=True)
    texts = {
        DOCUMENT: json.dumps(document, indent=1, ensure_ascii=False),
        "evaluation.md": evaluation_markdown(document, language=language),
    } | {f"{name}.svg": draw(document, language=language) for name, draw in PLOTS.items()}
    for name, text in texts.items():
        (out / name).write_text(text, encoding="utf-8")
    scores.write_parquet(out / "scores.parquet")
    return tuple(out / name for name in (*texts, "scores.parquet"))
