"""A small quality document in the shape of the contract, hostile names included."""

from typing import Any

HOSTILE = "<script>alert('field')</script>"


def document(**changes: Any) -> dict[str, Any]:
    periods = [{"period": decade, "rows": 10, "filled": filled} for decade, filled in ((1950, 5), (1960, 10))]
    undated = {"period": None, "rows": 2, "filled": 0}
    loads = [
        {"loaded_at": f"2026-11-{day} 10:00", "rows": 22, "filled": filled} for day, filled in ((1, 11), (2, 15))
    ]
    field = {"field": "material", "filled": 15, "share": 15 / 22, "by_delivery": loads}
    source = {
        "source": HOSTILE, "table": "pipe", "rows": 22, "period": "decade", "empty": ["lining"],
        "fields": [field | {"by_period": [*periods, undated]}],
    }  # fmt: skip
    checks = [
        {
            "name": "impossible_diameter", "table": "pipe", "severity": "warning", "rows": 2, "total": 22,
            "first_ids": "a, b", "message": f"diameter_mm: 2 of 22 {HOSTILE}.", "cure": "Fix it.",
        },
        {
            "name": "zero_lengths", "table": "pipe", "severity": "warning", "rows": 0, "total": 22,
            "first_ids": "", "message": "22 rows looked at, none found.", "cure": "",
        },
    ]  # fmt: skip
    return {
        "city": "Ytterby", "secrecy": "protected", "synthetic": True, "language": "en", "run_id": "abc",
        "sources": [source], "checks": checks, "effect": effect(),
    } | changes  # fmt: skip


def effect() -> dict[str, Any]:
    rows = [
        row("with"),
        row("another_seed", 0.004, -0.01, 0.02),
        row("impossible_diameter", 0.002, -0.03, 0.04),
        row("repeated_breaks", -0.05, -0.09, -0.01),
        row("all_doubtful", 0.06, 0.01, 0.11),
    ]
    groups = [
        {"name": name, "kind": "both", "pipes": pipes, "breaks": breaks, "of_pipes": 22, "of_breaks": 40}
        for name, pipes, breaks in (
            ("impossible_diameter", 2, 0), ("repeated_breaks", 0, 3), ("all_doubtful", 2, 3),
        )
    ]  # fmt: skip
    measured = {
        "years": [2009, 2010], "breaks": 40, "levels": [0.01, 0.05, 0.1, 0.2], "models": {"vardag": rows},
    }  # fmt: skip
    return {"groups": groups, "clean": ["zero_lengths"], "measured": measured}


def row(group: str, difference: float = 0.0, low: float = 0.0, high: float = 0.0) -> dict[str, Any]:
    return {
        "group": group, "capture": [0.05, 0.2, 0.4 + difference, 0.7], "difference": [0.0, 0.0, difference, 0.0],
        "low": [-0.01, -0.01, low, -0.01], "high": [0.01, 0.01, high, 0.01], "predicted": 38.0, "observed": 40,
        "ratio": 0.95,
    }  # fmt: skip
