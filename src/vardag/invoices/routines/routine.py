"""A routine: its map, and for another than cancelling its words, fields, rules and answers, declared in one file.

::

    routines/reference/
        after.bpmn       the map that the robot follows
        routine.yaml     title, asks, fields, rules, answers (this module; `rules.declared` for the rules)
        templates/       the routine's own answers, sv/ and en/
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from vardag.core.errors import ConfigError
from vardag.core.texts import LANGUAGES
from vardag.invoices.answers.templates import FIELDS, render
from vardag.invoices.model import Action, BusinessError, Decision, MailRead
from vardag.invoices.process.map import Map
from vardag.invoices.reading import Patterns
from vardag.invoices.reading.others import Wanted, looks_for, read_other, with_two_errands
from vardag.invoices.reading.patterns import Phrases
from vardag.invoices.rules import CATALOGUE, Rule, declared, in_order

PARTS = {"title", "asks", "fields", "rules", "answers"}
NAME = re.compile(r"[a-z][a-z_]{0,30}")


@dataclass(frozen=True)
class Routine:
    """A routine that the robot follows.

    Attributes
    ----------
    wanted
        What makes a mail a request of this routine; None for cancelling, which has a reader of its own.
    answers
        Template of the answer by rule, or by action.
    templates
        Folder of the routine's own templates.
    """

    name: str
    map: Map
    title: Mapping[str, str] = field(default_factory=dict)
    wanted: Wanted | None = None
    rules: Sequence[Rule] = field(default_factory=in_order)
    answers: Mapping[str, str] = field(default_factory=dict)
    templates: Path | None = None

    @cached_property
    def by_code(self) -> Mapping[str, Rule]:
        """The rules by their code."""
        return CATALOGUE | {rule.code: rule for rule in self.rules}

    def template(self, decision: Decision) -> str | None:
        """The routine's own template for a decision; None where it takes the usual one."""
        return self.answers.get(decision.code) or self.answers.get(decision.action.value)


def claimed(routines: Mapping[str, Routine], mail: MailRead, patterns: Patterns) -> tuple[str | None, MailRead]:
    """The routine, other than cancelling, that a mail is for, and the mail as it reads it.

    A mail that asks for two things is nobody's alone: it stays what it was, with the doubt ``two_errands``.
    """
    asked = [one for one in routines.values() if one.wanted and looks_for(mail, one.wanted, patterns)]
    if not asked:
        return None, mail
    if len(asked) > 1 or mail.requests:
        return None, with_two_errands(mail)
    return asked[0].name, read_other(mail, _wanted(asked[0]), patterns)


def _wanted(routine: Routine) -> Wanted:
    if routine.wanted is None:
        raise ValueError(f"{routine.name} declares nothing that it reads")
    return routine.wanted


def read_declared(folder: Path, drawn: Map) -> Routine:
    """Read a routine's file.

    Raises
    ------
    ConfigError
        When the file is not of that form; the message names the part and what was expected.
    """
    path = folder / "routine.yaml"
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: cannot be read as a routine ({error}).") from None
    if not isinstance(raw, dict) or set(raw) != PARTS:
        told = sorted(raw) if isinstance(raw, dict) else raw
        raise ConfigError(f"{path}: found {told}, expected {', '.join(sorted(PARTS))}.")
    fields = _fields(path, raw["fields"] or {})
    rules = declared(path, raw["rules"], tuple(fields))
    return Routine(
        name=folder.name,
        map=drawn,
        title=_title(path, raw["title"]),
        wanted=Wanted(_phrases(path, "asks", raw["asks"]), fields),
        rules=rules,
        answers=_answers(path, raw["answers"] or {}, rules, fields),
        templates=folder / "templates",
    )


def _title(path: Path, raw: Any) -> Mapping[str, str]:
    if not isinstance(raw, dict) or set(raw) != set(LANGUAGES):
        raise ConfigError(f"{path}: title: expected a text in each of {', '.join(LANGUAGES)}, found {raw!r}.")
    return {name: str(text) for name, text in raw.items()}


def _phrases(path: Path, part: str, raw: Any) -> Phrases:
    if not isinstance(raw, list) or not raw or not all(isinstance(one, str) and one.strip() for one in raw):
        raise ConfigError(f"{path}: {part}: expected a list of phrases, found {raw!r}.")
    return Phrases({part: raw})


def _fields(path: Path, raw: Any) -> dict[str, tuple[Phrases, re.Pattern[str]]]:
    """Fields by name: the phrases before the value, and its form."""
    if not isinstance(raw, dict):
        raise ConfigError(f"{path}: fields: expected fields by name, found {raw!r}.")
    return {name: _field(path, name, entry) for name, entry in raw.items()}


def _field(path: Path, name: str, entry: Any) -> tuple[Phrases, re.Pattern[str]]:
    where = f"fields: {name}"
    if not NAME.fullmatch(str(name)):
        raise ConfigError(f"{path}: {where}: a field's name is small letters and _.")
    if not isinstance(entry, dict) or set(entry) != {"after", "form"}:
        raise ConfigError(f"{path}: {where}: expected after (phrases before the value) and form, found {entry!r}.")
    try:
        form = re.compile(str(entry["form"]))
        re.compile(rf" (?P<value>{form.pattern})")  # as it is looked for: within another expression
    except re.error as error:
        raise ConfigError(f"{path}: {where}: {entry['form']!r} is no expression: {error}.") from None
    return _phrases(path, f"{where}: after", entry["after"]), form


def _answers(path: Path, raw: Any, rules: Sequence[Rule], fields: Iterable[str]) -> Mapping[str, str]:
    """Templates by rule or action, each of which can be filled in in every language."""
    folder = path.parent / "templates"
    known = {*(action.value for action in Action), *(rule.code for rule in rules)}
    if not isinstance(raw, dict) or set(raw) - known:
        told = sorted(set(raw) - known) if isinstance(raw, dict) else raw
        raise ConfigError(f"{path}: answers: found {told}, expected an action or the code of one of the rules.")
    for name in raw.values():
        for language in LANGUAGES:
            if not (folder / language / f"{name}.txt").is_file():
                raise ConfigError(f"{path}: answers: there is no templates/{language}/{name}.txt.")
            try:
                render(name, language, {**FIELDS, **dict.fromkeys(fields, "4711")}, routine=folder)
            except BusinessError as error:
                raise ConfigError(f"{path}: answers: {error}") from None
    return {str(key): str(name) for key, name in raw.items()}
