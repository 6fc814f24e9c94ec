"""How the model was tested, as the model card tells it: capture beside the baselines, calibration, stability."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vardag.core.texts import Texts
from vardag.water.publish import proof
from vardag.water.publish.card.blocks import Block, points, table, text, title
from vardag.water.publish.context import TEXTS as REPORT
from vardag.water.publish.context import ReportContext
from vardag.water.publish.effects import stability_rows

TEXTS = Texts(Path(__file__).with_name("texts.toml"))
FIGURES = ("predicted", "observed", "ratio")


def tested(context: ReportContext, evaluation: Mapping[str, Any] | None, language: str) -> list[Block]:
    """Tables of the evaluation, one year ahead, and of the refits; or that there are none."""
    return [*_capture(evaluation, language), *_calibration(evaluation, language), *_stability(context, language)]


def _capture(evaluation: Mapping[str, Any] | None, language: str) -> list[Block]:
    tables = [one for one in proof.headline_tables(evaluation, language) if one["years"] == "1"]
    if not tables:
        return [text(TEXTS("tests_none", language))]
    blocks = [title(TEXTS("tests_capture", language))]
    for one in tables:
        heads = [REPORT("headline_model", language), *one["levels"], one["lead"]]
        blocks += [
            text(f"{one['title']}: {one['basis']}"),
            table(heads, [_row(row) for row in one["rows"]], figures=True),
        ]
    return blocks


def _row(row: Mapping[str, Any]) -> list[str]:
    lead = _with_interval(row["lead"]) if row["lead"] else ""
    return [row["name"], *(_with_interval(cell) for cell in row["cells"]), lead]


def _with_interval(cell: Mapping[str, Any]) -> str:
    return f"{cell['value']} ({cell['interval']})" if cell["interval"] else str(cell["value"])


def _calibration(evaluation: Mapping[str, Any] | None, language: str) -> list[Block]:
    told = proof.calibration(evaluation, language)
    if told is None:
        return []
    heads = [TEXTS("tests_by", language), *(REPORT(f"calibration_{one}", language) for one in FIGURES)]
    rows: Sequence[Mapping[str, str]] = [*told["by_material"], *told["by_year"]]
    cells = [[row["name"], *(row[one] for one in FIGURES)] for row in rows]
    return [title(TEXTS("tests_calibration", language)), text(told["pooled"]), table(heads, cells, figures=True)]


def _stability(context: ReportContext, language: str) -> list[Block]:
    told = stability_rows(context.stability, language)
    if told is None:
        return [points([TEXTS("tests_no_stability", language)])]
    return [
        title(TEXTS("tests_stability", language)),
        text(told["intro"]),
        table(told["heads"], told["rows"], figures=True),
    ]
