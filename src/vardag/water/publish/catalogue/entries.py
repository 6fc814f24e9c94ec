"""What the catalogue knows of each source: who, how fresh, how good, and what rests on it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

import polars as pl

from vardag.water.features import CATALOGUE, depending_on

Use = Literal["current", "stale", "unused", "none"]
PREDICT = "water predict"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One source of the city.

    Attributes
    ----------
    described, due
        Day that the delivery describes, None where not stated; and day by which the next is due, counted from it or
        else from the load, None where no interval is stated.
    deliveries
        Loads so far that changed something.
    overdue
        Whether `due` has passed; None where no interval is stated.
    passed, failed
        Names of the checks of its table that found nothing, or nothing worse than a note, and of the others.
    left_out
        Rows in quarantine, by reason.
    features
        Features that rest on its table.
    use
        ``current``: the last prediction used this very delivery; ``stale``: it used an earlier one, or none;
        ``unused``: no feature rests on the table; ``none``: nothing has been predicted.
    prediction, predicted
        Run and day of the last prediction that used this very delivery.
    """

    source: str
    table: str
    owner: str
    contact: str
    licence: str
    secrecy: str
    service: str
    refresh_days: int | None
    described: date | None
    loaded: date
    deliveries: int
    due: date | None
    overdue: bool | None
    rows_in: int
    kept: int
    quarantined: int
    left_out: Mapping[str, int]
    passed: tuple[str, ...]
    failed: tuple[str, ...]
    features: tuple[str, ...]
    use: Use
    prediction: str | None
    predicted: date | None


def entries(
    *,
    source: pl.DataFrame,
    delivery: pl.DataFrame,
    check_result: pl.DataFrame,
    quarantine: pl.DataFrame,
    run: pl.DataFrame,
    day: date,
) -> list[Entry]:
    """Gather what is known of each source, by name.

    Parameters
    ----------
    source, delivery, check_result, quarantine, run
        The tables of those names.
    day
        The day on which it is asked; what is due later is not overdue.
    """
    runs = _predictions(run)
    return [
        _entry(
            row,
            day,
            deliveries=delivery.filter(pl.col("source") == row["source"]).height,
            checks=_checks(check_result.filter(pl.col("table_name") == row["table_name"])),
            left_out=_reasons(quarantine.filter(pl.col("source") == row["source"])),
            use=_use(runs, row),
        )
        for row in source.sort("source").to_dicts()
    ]


def _entry(
    row: dict[str, Any],
    day: date,
    *,
    deliveries: int,
    checks: tuple[tuple[str, ...], tuple[str, ...]],
    left_out: dict[str, int],
    use: tuple[Use, str | None, date | None],
) -> Entry:
    loaded = row["loaded_at"].date()
    due = (row["source_date"] or loaded) + timedelta(days=row["refresh_days"]) if row["refresh_days"] else None
    return Entry(
        source=row["source"],
        table=row["table_name"],
        **{name: row[name] or "" for name in ("owner", "contact", "licence", "secrecy")},
        service=row.get("service") or "file",
        refresh_days=row["refresh_days"],
        described=row["source_date"],
        loaded=loaded,
        deliveries=max(1, deliveries),
        due=due,
        overdue=None if due is None else day > due,
        rows_in=row["rows_in"] or 0,
        kept=row["rows_kept"] or 0,
        quarantined=row["rows_quarantined"] or 0,
        left_out=left_out,
        passed=checks[0],
        failed=checks[1],
        features=depending_on(row["table_name"]),
        use=use[0],
        prediction=use[1],
        predicted=use[2],
    )


def _checks(found: pl.DataFrame) -> tuple[tuple[str, ...], tuple[str, ...]]:
    bad = (pl.col("rows") > 0) & (pl.col("severity") != "note")
    names = [found.filter(rule)["check_name"].sort().to_list() for rule in (~bad, bad)]
    return tuple(names[0]), tuple(names[1])


def _reasons(rows: pl.DataFrame) -> dict[str, int]:
    counted = rows.group_by("reason").len().sort("len", "reason", descending=[True, False])
    return dict(counted.iter_rows())


def _predictions(run: pl.DataFrame) -> list[dict[str, Any]]:
    """Predictions that succeeded, latest first, with the content hash of every source they saw."""
    done = run.filter((pl.col("command") == PREDICT) & (pl.col("status") == "done"))
    return [
        {"run_id": row["run_id"], "day": row["started_at"].date(), "inputs": json.loads(row["inputs"] or "{}")}
        for row in done.sort("started_at", descending=True).to_dicts()
    ]


def _use(runs: list[dict[str, Any]], row: dict[str, Any]) -> tuple[Use, str | None, date | None]:
    """How the last prediction stands to this delivery, and the last run that used it, with its day."""
    if not any(row["table_name"] in entry.needs for entry in CATALOGUE.values()):
        return "unused", None, None
    if not runs:
        return "none", None, None
    used = next((one for one in runs if one["inputs"].get(row["source"]) == row["content_hash"]), None)
    if used is None:
        return "stale", None, None
    return "current" if used is runs[0] else "stale", used["run_id"], used["day"]
