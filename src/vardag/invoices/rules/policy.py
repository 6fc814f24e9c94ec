"""The policy that the rules decide by: parameters with date and source, and a city's own on top of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import yaml

from vardag.core.errors import ConfigError
from vardag.core.parameters import Parameters, load

DEFAULT = Path(__file__).with_name("parameters.yaml")


def amount(value: Any) -> Decimal:
    """A sum of money, or anything that is counted and not negative."""
    if isinstance(value, bool):
        raise ValueError("an amount of 0 or more, such as 10000")
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise ValueError("an amount of 0 or more, such as 10000") from None
    if not number.is_finite() or number < 0:
        raise ValueError("an amount of 0 or more, such as 10000")
    return number


def count(value: Any) -> int:
    """A whole number of days, years or persons."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError("a whole number of 1 or more")
    return value


def share(value: Any) -> float:
    """A share between 0 and 1."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError("a share between 0 and 1")
    return float(value)


def yes_or_no(value: Any) -> bool:
    """A switch."""
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def currency(value: Any) -> str:
    """A currency code."""
    if not isinstance(value, str) or len(value) != 3 or not value.isascii() or not value.isupper():
        raise ValueError("a currency code of three capitals, such as SEK")
    return value


def languages(value: Any) -> tuple[str, ...]:
    """A list of language codes."""
    if not isinstance(value, list) or not value or not all(isinstance(code, str) for code in value):
        raise ValueError("a list of language codes, such as [sv, en]")
    return tuple(value)


def one_of(*choices: str) -> Callable[[Any], str]:
    """Choose among words."""

    def chosen(value: Any) -> str:
        if value not in choices:
            raise ValueError(f"one of {', '.join(choices)}")
        return str(value)

    return chosen


READERS: Mapping[str, Callable[[Any], Any]] = {
    "currency": currency,
    "languages": languages,
    "sure_enough": share,
    "customers_may_ask": yes_or_no,
    "amount_tolerance": amount,
    "four_eyes_above": amount,
    "four_eyes_persons": count,
    "always_refer_above": amount,
    "days_after_due": count,
    "oldest_years": count,
    "paid_invoice": one_of("refer", "refund"),
    "reminder_sent": one_of("refer", "note"),
    "closed_period": one_of("refer", "note"),
    "vat_reported": one_of("refer", "note"),
    "internal_invoice": one_of("refer", "reject", "note"),
}


@dataclass(frozen=True)
class Policy:
    """The parameters' values with their types; each field is described in ``parameters.yaml``.

    Attributes
    ----------
    parameters
        The same with unit, date and source, for the documents and the rules' version.
    """

    currency: str
    languages: tuple[str, ...]
    sure_enough: float
    customers_may_ask: bool
    amount_tolerance: Decimal
    four_eyes_above: Decimal
    four_eyes_persons: int
    always_refer_above: Decimal
    days_after_due: int
    oldest_years: int
    paid_invoice: str
    reminder_sent: str
    closed_period: str
    vat_reported: str
    internal_invoice: str
    parameters: Parameters

    def word(self, name: str) -> str:
        """The value of a parameter that steers a rule's action."""
        return str(getattr(self, name))


def load_policy(own: Path | None = None) -> Policy:
    """Read the packaged parameters, and a city's own file on top of them.

    Raises
    ------
    ConfigError
        When the city's file cannot be read, names an unknown parameter or gives a value of the wrong kind; the
        message names the known parameters, or what was expected.
    """
    entries = dict(load(DEFAULT).entries)
    if own is not None:
        entries |= overrides(own)
    return policy_of(Parameters(own or DEFAULT, entries))


def overrides(path: Path) -> Mapping[str, Any]:
    """The entries of a city's file, with names that exist."""
    try:
        entries = load(path).entries
    except (OSError, UnicodeDecodeError, yaml.YAMLError, AttributeError, TypeError) as error:
        form = "expected name: {value: 5000, unit: currency, date: 2026-11-24, source: who decided it}"
        raise ConfigError(f"{path.name}: cannot be read as parameters ({error}); {form}.") from error
    unknown = sorted(set(entries) - set(READERS))
    if unknown:
        raise ConfigError(f"{path.name}: unknown {', '.join(unknown)}. Known: {', '.join(sorted(READERS))}.")
    return entries


def policy_of(parameters: Parameters) -> Policy:
    """Give each parameter its type."""
    values = {field.name: typed(parameters, field.name) for field in fields(Policy) if field.name != "parameters"}
    return Policy(**values, parameters=parameters)


def typed(parameters: Parameters, name: str) -> Any:
    """One parameter's value, checked."""
    entry = parameters[name]
    if not isinstance(entry.date, date):
        raise ConfigError(f"{parameters.path.name}: {name} has date {entry.date!r}, expected YYYY-MM-DD.")
    try:
        return READERS[name](entry.value)
    except ValueError as error:
        raise ConfigError(f"{parameters.path.name}: {name} is {entry.value!r}, expected {error}.") from error
