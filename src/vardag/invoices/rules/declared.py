"""Rules of a routine that are declared in its file, without code: what they rest on, what they lead to, and why.

::

    rules:
      - use: unproven                       # a rule of the catalogue that holds here too
      - code: posted_already                # one of the routine's own
        when: {invoice.state: [posted, paid]}
        action: reject
        source: "lagen (2018:597) 3 kap.: a posted invoice is not changed"
        says: {sv: "...", en: "..."}
        look: {sv: "...", en: "..."}

The order in the file is the order in which they settle. The last one, without ``when``, is for all that no other
rule objects to.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from vardag.core.errors import ConfigError
from vardag.core.texts import LANGUAGES, Texts
from vardag.invoices.model import Action
from vardag.invoices.rules.case import Case
from vardag.invoices.rules.catalogue import CATALOGUE, Found, Rule
from vardag.invoices.rules.policy import Policy

FIELD = "field."
ACTIONS = {action.value: action for action in (Action.ACCEPT, Action.REFER, Action.REJECT)}
NEEDED, MAY = {"code", "action", "source", "says", "look"}, {"when", "overridable"}


def _invoice(name: str) -> Callable[[Case], str]:
    def fact(case: Case) -> str:
        return "" if case.invoice is None else str(getattr(case.invoice, name))

    return fact


def _yes(test: Callable[[Case], bool]) -> Callable[[Case], str]:
    return lambda case: "yes" if test(case) else "no"


# What a condition may ask about, and the words it is answered with.
FACTS: Mapping[str, tuple[Callable[[Case], str], tuple[str, ...]]] = {
    "invoice": (
        lambda case: ("none", "one", "several")[min(len(case.invoices), 2)],
        ("none", "one", "several"),
    ),
    "invoice.state": (_invoice("state"), ("draft", "posted", "paid", "credited", "void")),
    "invoice.is_credit_note": (
        _yes(lambda case: bool(case.invoice and case.invoice.is_credit_note)),
        ("yes", "no"),
    ),
    "invoice.internal": (_yes(lambda case: bool(case.invoice and case.invoice.customer.internal)), ("yes", "no")),
    "invoice.collection": (_yes(lambda case: bool(case.invoice and case.invoice.collection)), ("yes", "no")),
    "invoice.period_open": (_yes(lambda case: bool(case.invoice and case.invoice.period_open)), ("yes", "no")),
}


def declared(path: Path, raw: Any, fields: Sequence[str]) -> tuple[Rule, ...]:
    """The rules of a routine's file, in order.

    Parameters
    ----------
    fields
        Names of what the routine reads in a mail; a condition may ask whether one is ``present`` or ``missing``.

    Raises
    ------
    ConfigError
        When a rule is not of that form, asks about a fact that does not exist, or none is for what is left.
    """
    if not isinstance(raw, list) or not raw:
        raise ConfigError(f"{path.name}: rules: expected a list of rules, found {raw!r}.")
    found = tuple(_rule(path, place, entry, fields) for place, entry in enumerate(raw, start=1))
    codes = [rule.code for rule in found]
    if twice := sorted({code for code in codes if codes.count(code) > 1}):
        raise ConfigError(f"{path.name}: rules: {', '.join(twice)} more than once; every code is one rule.")
    if [rule.settles for rule in found] != [False] * (len(found) - 1) + [True]:
        raise ConfigError(
            f"{path.name}: rules: the last one, {codes[-1]}, and no other, has to be without `when`: it is for "
            "what no other rule objects to."
        )
    return found


def _rule(path: Path, place: int, entry: Any, fields: Sequence[str]) -> Rule:
    where = f"{path.name}: rule {place}"
    if isinstance(entry, dict) and set(entry) == {"use"}:
        code = entry["use"]
        if code not in CATALOGUE or CATALOGUE[code].effect:
            raise ConfigError(f"{where}: no rule {code!r} to use. There are: {', '.join(sorted(CATALOGUE))}.")
        return replace(CATALOGUE[code], order=place)
    if not isinstance(entry, dict) or not set(entry) >= NEEDED or not set(entry) <= NEEDED | MAY:
        told = sorted(entry) if isinstance(entry, dict) else entry
        raise ConfigError(f"{where}: found {told}, expected use, or {', '.join(sorted(NEEDED))} and maybe when.")
    where = f"{where}, {entry['code']}"
    if entry["code"] in CATALOGUE:
        raise ConfigError(
            f"{where}: is a rule of the catalogue; write - use: {entry['code']}, or take another name."
        )
    if entry["action"] not in ACTIONS:
        raise ConfigError(f"{where}: action {entry['action']!r}, expected one of {', '.join(ACTIONS)}.")
    asked = {name: _wanted(where, name, value, fields) for name, value in (entry.get("when") or {}).items()}
    return Rule(
        code=str(entry["code"]),
        order=place,
        action=ACTIONS[entry["action"]],
        source=str(entry["source"]),
        test=_test(asked),
        overridable=bool(entry.get("overridable", False)),
        settles=not asked,
        texts=_texts(where, path, entry),
        declared=json.dumps({**entry, "when": asked}, sort_keys=True, ensure_ascii=False),
    )


def _wanted(where: str, name: str, value: Any, fields: Sequence[str]) -> list[str]:
    """The words that a fact is to be answered with."""
    words = ("present", "missing") if name.removeprefix(FIELD) in fields else FACTS.get(name, (None, ()))[1]
    if not words:
        known = [*FACTS, *(FIELD + field for field in fields)]
        raise ConfigError(f"{where}: nothing is known about {name}. Conditions may ask about {', '.join(known)}.")
    wanted = ["yes" if one is True else "no" if one is False else str(one) for one in _listed(value)]
    if unknown := [word for word in wanted if word not in words]:
        raise ConfigError(f"{where}: {name} is never {', '.join(unknown)}; it is one of {', '.join(words)}.")
    return wanted


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _test(asked: Mapping[str, list[str]]) -> Callable[[Case, Policy], Found]:
    """The rule itself: every condition holds."""

    def test(case: Case, _policy: Policy) -> Found:
        if all(_fact(case, name) in wanted for name, wanted in asked.items()):
            return {name: read.value for name, read in case.request.fields.items()}
        return None

    told = [f"{name} is {' or '.join(wanted)}" for name, wanted in asked.items()]
    test.__doc__ = " and ".join(told) or "No other rule objects"
    return test


def _fact(case: Case, name: str) -> str:
    if name.startswith(FIELD):
        return "present" if name.removeprefix(FIELD) in case.request.fields else "missing"
    return FACTS[name][0](case)


def _texts(where: str, path: Path, entry: Mapping[str, Any]) -> Texts:
    """What the rule says, and what to look at, in both languages."""
    for part in ("says", "look"):
        if not isinstance(entry[part], dict) or set(entry[part]) != set(LANGUAGES):
            raise ConfigError(f"{where}: {part}: expected a text in each of {', '.join(LANGUAGES)}.")
    return Texts.of(path, {f"{entry['code']}_{part}": entry[part] for part in ("says", "look")})
