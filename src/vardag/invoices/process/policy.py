"""The numbers that say when a count is too small to say anything, and those of the verdict on readiness."""

import math
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from vardag.core.errors import ConfigError
from vardag.core.parameters import Parameter, Parameters, load

PARAMETERS = Path(__file__).with_name("parameters.yaml")
READINESS = Path(__file__).with_name("readiness.yaml")
WHOLE = {"usual_ways": 1, "few_days": 28, "few_decisions": 10, "draws": 100, "seed": 0, "most_blocking": 0}
SHARES = {
    *("error_rate_today", "least_clear_share", "least_clear_share_at_all", "least_usual_share", "most_drift"),
    *("most_faults", "most_errors_today", "most_doubtful_rows", "assumed_spread", "measured_spread"),
}
MAY_BE_UNKNOWN = {"error_rate_today"}
ASSUMED = "assum"  # the word in a source that makes a number uncertain


def load_parameters() -> Parameters:
    """The packaged numbers of the discovery."""
    return load(PARAMETERS)


def load_readiness(own: Path | None = None) -> Parameters:
    """The packaged numbers of the verdict, and a city's own on top of them.

    Raises
    ------
    ConfigError
        When the city's file cannot be read, names an unknown number, or gives one a value that it cannot have.
    """
    packaged = load(READINESS)
    if own is None or not own.exists():
        return packaged
    try:
        entries = load(own).entries
    except (OSError, UnicodeDecodeError, yaml.YAMLError, AttributeError, TypeError) as error:
        form = "expected name: {value: 4, unit: h, date: 2026-11-26, source: who says so}"
        raise ConfigError(f"{own}: cannot be read as parameters ({error}); {form}.") from error
    if unknown := sorted(set(entries) - set(packaged.entries)):
        known = ", ".join(packaged.entries)
        raise ConfigError(f"{own}: unknown {', '.join(unknown)}. Known: {known}.")
    for name, entry in entries.items():
        if expected := _wrong(name, entry):
            raise ConfigError(f"{own}: {name} is {entry.value!r}, expected {expected}.")
        if not isinstance(entry.date, date) or not str(entry.source or "").strip():
            raise ConfigError(f"{own}: {name} needs a date such as 2026-11-26 and a source: who says so.")
    return Parameters(packaged.path, packaged.entries | entries)


def is_assumed(entry: Parameter) -> bool:
    """Whether a number rests on an assumption, as its source says."""
    return ASSUMED in entry.source


def _wrong(name: str, entry: Parameter) -> str:
    """What was expected of a value that it cannot have; empty where it can."""
    value: Any = entry.value
    if value is None and name in MAY_BE_UNKNOWN:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        return "a number of 0 or more"
    if name in WHOLE and (not isinstance(value, int) or value < WHOLE[name]):
        return f"a whole number of {WHOLE[name]} or more"
    if name in SHARES and value > 1:
        return "a share between 0 and 1"
    if name == "confidence" and not 0.5 <= value < 1:
        return "a share of 0.5 or more, below 1"
    return ""
