"""The decision: every rule is asked, and the first that objects settles it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from vardag.invoices.model import Action, Decision
from vardag.invoices.rules import about_the_invoice, about_the_mail, about_the_money
from vardag.invoices.rules.case import Case
from vardag.invoices.rules.catalogue import CATALOGUE, Rule, in_order
from vardag.invoices.rules.policy import Policy

EDITION = "2026.1"
# Importing a room registers its rules; the deciding code is part of the version.
ROOMS = (about_the_mail, about_the_invoice, about_the_money)
CODE = ("about_the_mail", "about_the_invoice", "about_the_money", "case", "catalogue", "declared", "deciding")


def decide(case: Case, policy: Policy, rules: Sequence[Rule] | None = None) -> Decision:
    """Decide about a request: to accept, to cancel, to refer to a person, or to reject.

    Every rule is asked. The first in order that objects settles it; one person who confirms overrules those that
    may be overruled. Where none objects, a draft is voided and a posted invoice is credited; in another routine
    than cancelling, whose `rules` are given, its last rule settles.

    Examples
    --------
    >>> from vardag.invoices.rules import Case, load_policy
    >>> from vardag.invoices.model import CancellationRequest, MailKind, MailRead, Sender
    >>> from datetime import date
    >>> mail = MailRead(MailKind.REQUEST, Sender("anna@kommun.se"), "Makulera", "sv", ())
    >>> decision = decide(Case(CancellationRequest(), mail, (), date(2026, 11, 24)), load_policy())
    >>> decision.action.value, decision.codes
    ('refer', ('unproven', 'not_entitled', 'no_number'))
    """
    every = in_order() if rules is None else rules
    found = {rule: facts for rule in every if (facts := rule.test(case, policy)) is not None}
    objecting = [rule for rule in found if rule.action_under(policy) is not Action.CANCEL and not rule.settles]
    standing = [rule for rule in objecting if not (rule.overridable and case.approvers)]
    overruled = tuple(rule.code for rule in objecting if rule not in standing)
    settles = next(iter([*standing, *(rule for rule in found if rule.effect or rule.settles)]))
    return Decision(
        action=settles.action_under(policy),
        code=settles.code,
        codes=(
            settles.code,
            *(one.code for one in found if one is not settles and not one.effect and not one.settles),
        ),
        version=version(policy, every),
        effect=settles.effect,
        facts=facts_of(case, found, overruled),
    )


def facts_of(case: Case, found: Mapping[Rule, Mapping[str, str]], overruled: tuple[str, ...]) -> Mapping[str, str]:
    """Numbers for the texts, and who confirmed; no names of customers or requesters, for facts are logged."""
    facts: dict[str, str] = {"target": case.request.target}
    if case.invoice:
        facts |= {"number": case.invoice.number, "total": str(case.invoice.total)}
    if overruled:
        facts |= {"overruled": ", ".join(overruled), "confirmed_by": ", ".join(sorted(case.approvers))}
    for more in found.values():
        facts |= {name: value for name, value in more.items() if name not in facts}
    return facts


def version(policy: Policy, rules: Sequence[Rule] | None = None) -> str:
    """The rules' version: an edition, and a hash that any rule, parameter or line of deciding code changes."""
    told = [
        [one.code, one.order, one.action, one.effect, one.overridable, one.parameters, one.steer, one.source]
        + ([one.declared] if one.declared else [])
        for one in (in_order() if rules is None else rules)
    ]
    parameters = {name: vars(entry) for name, entry in policy.parameters.entries.items()}
    text = json.dumps([told, parameters, code()], sort_keys=True, default=str)
    return f"{EDITION}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


@cache
def code() -> str:
    """Hash of the modules that decide; the same on every machine, whatever its line ends."""
    folder = Path(__file__).parent
    texts = [(folder / f"{name}.py").read_text(encoding="utf-8") for name in CODE]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


@dataclass(frozen=True)
class Explained:
    """One reason of a decision, for a person: its code, what it says, and what to look at."""

    code: str
    says: str
    look: str


def explain(decision: Decision, language: str, rules: Mapping[str, Rule] = CATALOGUE) -> tuple[Explained, ...]:
    """Every reason of a decision in a language, the settling one first; `rules` are the routine's, by code."""
    return tuple(_explained(code, rules.get(code), decision, language) for code in decision.codes)


def _explained(code: str, rule: Rule | None, decision: Decision, language: str) -> Explained:
    """A reason in words; by its code alone where the rule is gone, with the routine it was of."""
    if rule is None:
        return Explained(code, code, "")
    return Explained(code, rule.says(language, decision.facts), rule.look(language))
