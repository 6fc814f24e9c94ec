"""Named data checks: what is wrong with the data, how many rows, which first, and what to do.

::

    results = run_checks(CheckData(pipes=..., breaks=..., quarantine=..., parameters=...), language="sv")
    table = results_frame(results)

Each check is one function in `of_pipes`, `of_the_log`, `of_layers` (values) or `of_places` (geometry); its words
are in ``texts.toml`` under its name. The reference page is made from the same by `checks_reference`. `rows_found`
gives every row that a check found, for those who want to leave them out.
"""

from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path

import polars as pl

from vardag.core.texts import Texts
from vardag.water.checks import of_layers, of_pipes, of_places, of_the_log
from vardag.water.checks.model import CHECKS, Check, CheckData, CheckResult, Finding

__all__ = [
    "CHECKS",
    "TEXTS",
    "CheckData",
    "CheckResult",
    "checks_reference",
    "results_frame",
    "rows_found",
    "run_checks",
]

ROOMS = (of_pipes, of_the_log, of_layers, of_places)  # importing them registers their checks
TEXTS = Texts(Path(__file__).parent / "texts.toml")
COLUMNS = ["check_name", "table_name", "severity", "rows", "total", "first_ids", "message", "cure"]
SCHEMA = {name: pl.Int64 if name in {"rows", "total"} else pl.String for name in COLUMNS}


def run_checks(data: CheckData, *, language: str) -> list[CheckResult]:
    """Run every check, in the order of the register.

    Returns
    -------
    One result per check, also for those that found nothing (rows = 0), with texts in `language` (``sv``, ``en``).
    """
    return [_in_words(check, check.function(data), language) for check in CHECKS.values()]


def rows_found(data: CheckData, names: Sequence[str]) -> dict[str, Finding]:
    """What the named checks found, with the ids of all rows; for what is done with the rows afterwards."""
    return {name: CHECKS[name].function(data) for name in names}


def results_frame(results: Sequence[CheckResult]) -> pl.DataFrame:
    """Results as rows of the table ``check_result``."""
    return pl.DataFrame([astuple(result) for result in results], schema=SCHEMA, orient="row")


def checks_reference(*, language: str = "en") -> str:
    """Reference page of the checks (Markdown), made from the register and the texts."""
    head = f"# {TEXTS('reference_title', language)}\n\n{TEXTS('reference_intro', language)}\n\n"
    names = " | ".join(
        TEXTS(f"reference_{column}", language) for column in ("name", "table", "severity", "doc", "cure")
    )
    rows = [
        f"| `{check.name}` | {check.table} | {TEXTS(check.severity, language)} "
        f"| {TEXTS(f'{check.name}_doc', language)} | {TEXTS(f'{check.name}_cure', language)} |\n"
        for check in CHECKS.values()
    ]
    return head + f"| {names} |\n|---|---|---|---|---|\n" + "".join(rows)


def _in_words(check: Check, finding: Finding, language: str) -> CheckResult:
    numbers = {"rows": _number(finding.rows, language), "total": _number(finding.total, language)}
    first = ", ".join(finding.first)
    if finding.rows:
        shown = TEXTS("first", language, ids=first) if first else ""
        message = TEXTS(check.name, language, **finding.values, **numbers, first=shown)
        cure = TEXTS(f"{check.name}_cure", language)
    else:
        message, cure = TEXTS("nothing_found" if finding.total else "nothing_to_check", language, **numbers), ""
    return CheckResult(check.name, check.table, check.severity, finding.rows, finding.total, first, message, cure)


def _number(value: int, language: str) -> str:
    return f"{value:,}" if language == "en" else f"{value:,}".replace(",", " ")
