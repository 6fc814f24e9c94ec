"""The account for the budget: a table with a row for each month and outcome, and for what counts against.

Rows add up: no row is a sum of others. In Swedish the file is as Excel there reads it: semicolons, decimal commas.
"""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

from vardag.invoices.hours.account import Account, Against, Line, Span
from vardag.invoices.hours.estimates import Estimate, Interval
from vardag.invoices.hours.history import OPEN
from vardag.invoices.hours.limits import TEXTS

COLUMNS = (
    "month", "outcome", "meaning", "n",
    "before", "before_low", "before_high", "before_observations", "before_source",
    "after", "after_low", "after_high", "after_observations", "after_source",
    "hours", "hours_low", "hours_high", "source", "value",
)  # fmt: skip

Row = dict[str, str | int | float]


def rows(found: Account, *, cost_per_hour: float, language: str) -> Iterator[Row]:
    """Every row, by `COLUMNS`; what is not known is left out. Months without items have none."""
    for span in found.months:
        for row in (*_lines(span), *_against(span)):
            value: Row = {"value": round(float(row["hours"]) * cost_per_hour, 2)}
            yield _in_words(row, language) | value
        if span.worth.robot_sek:
            yield _in_words(_robot(span), language)


def write(path: Path, found: Iterable[Row], language: str) -> None:
    """Write the rows to a file, with the column names of the language."""
    swedish = language == "sv"
    with path.open("w", encoding="utf-8-sig" if swedish else "utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=";" if swedish else ",", lineterminator="\n")
        writer.writerow([TEXTS(f"csv_{name}", language) for name in COLUMNS])
        for row in found:
            writer.writerow([_cell(row.get(name, ""), swedish=swedish) for name in COLUMNS])


def _in_words(row: Row, language: str) -> Row:
    return {name: value for name, value in row.items() if name != "text"} | {
        "meaning": TEXTS(str(row["text"]), language)
    }


def _robot(span: Span) -> Row:
    """What the robot costs in a month: no hours, and money."""
    money = round(-span.worth.robot_sek, 2)
    return {"month": span.month, "outcome": "robot", "text": "against_robot", "n": 1, "hours": 0.0, "value": money}


def _lines(span: Span) -> Iterator[Row]:
    for line in span.lines:
        if line.items:
            yield _begun(span, line) | ({} if line.outcome in OPEN else _minutes(line))


def _minutes(line: Line) -> Row:
    minutes = _estimate("before", line.baseline) | _estimate("after", line.residual)
    return minutes | _interval("hours", line.interval) | {"source": line.source.value}


def _begun(span: Span, line: Line) -> Row:
    return {
        "month": span.month,
        "outcome": line.outcome,
        "text": f"outcome_{line.outcome}",
        "n": line.items,
        "hours": round(line.saved_hours, 4),
    }


def _against(span: Span) -> Iterator[Row]:
    for one in span.against:
        if one.count:
            yield _cost(span, one)


def _cost(span: Span, one: Against) -> Row:
    return {
        "month": span.month,
        "outcome": one.what,
        "text": f"against_{one.what}",
        "n": one.count,
        "hours": round(-one.hours, 4),
        "source": one.source.value,
    }


def _estimate(name: str, found: Estimate) -> Row:
    told: Row = {
        name: round(found.value, 2),
        f"{name}_observations": found.observations,
        f"{name}_source": found.source.value,
    }
    return told | _interval(name, found.interval)


def _interval(name: str, found: Interval | None) -> Row:
    return {} if found is None else {f"{name}_low": round(found[0], 4), f"{name}_high": round(found[1], 4)}


def _cell(value: str | float, *, swedish: bool) -> str:
    return str(value).replace(".", ",") if swedish and isinstance(value, float) else str(value)
