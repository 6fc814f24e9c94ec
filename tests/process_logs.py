"""Small event logs for the tests of the discovery."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import polars as pl

from vardag.invoices.process import RAW, EventLog, tidy

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
BEGAN = datetime(2026, 3, 2, 8, tzinfo=UTC)


def raw_of(rows: Iterable[Mapping[str, object]]) -> pl.DataFrame:
    """A raw frame; lines are numbered from 2, as in a table, unless a row says otherwise."""
    filled = [dict.fromkeys(RAW) | {"line": number} | dict(row) for number, row in enumerate(rows, start=2)]
    return pl.DataFrame(filled, schema=RAW)


def tidied(rows: Iterable[Mapping[str, object]]) -> EventLog:
    return tidy(raw_of(rows), zone="Europe/Stockholm", now=NOW)


def event(case: str | None, activity: str | None, time: str | None, **more: object) -> dict[str, object]:
    return {"case": case, "activity": activity, "time": time, **more}


def log_of(written: Sequence[tuple[str, int]]) -> EventLog:
    """A log as the literature writes it: traces of one-letter activities, each so many times, an hour apart."""
    rows, case = [], 0
    for trace, times in written:
        for _ in range(times):
            case += 1
            for place, letter in enumerate(trace):
                rows.append(event(f"{case:04}", letter, (BEGAN + timedelta(hours=place)).isoformat()))
    return tidied(rows)
