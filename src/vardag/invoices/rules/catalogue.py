"""The catalogue of rules: what each one says, what it leads to, and where it comes from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vardag.core.texts import Texts
from vardag.invoices.model import Action, Effect
from vardag.invoices.rules.case import Case
from vardag.invoices.rules.policy import Policy

# Facts for the texts where the rule fires; None where it has nothing to say.
Found = Mapping[str, str] | None
Test = Callable[[Case, Policy], Found]

TEXTS = Texts(Path(__file__).with_name("texts.toml"))
WORDS = {"refer": Action.REFER, "reject": Action.REJECT}


@dataclass(frozen=True)
class Rule:
    """One rule of the routine.

    Attributes
    ----------
    order
        Place in the order; the first rule that objects settles the decision.
    action
        What the rule leads to, unless a parameter steers it.
    effect
        What is done to the invoice, for the rules that end in cancelling.
    overridable
        Whether a person who confirms overrules it.
    source
        Law or policy it rests on.
    parameters
        Names of the parameters it uses.
    steer
        The parameter that sets its action (``refer``, ``reject``, or a word for going on with a note).
    settles
        Whether it is for all that no other rule objects to.
    declared
        The rule as its file has it, where it was declared without code (`declared`).
    test
        The rule itself, a pure function.
    """

    code: str
    order: int
    action: Action
    source: str
    test: Test
    effect: Effect | None = None
    overridable: bool = False
    parameters: tuple[str, ...] = ()
    steer: str | None = None
    settles: bool = False
    declared: str = ""
    texts: Texts = field(default=TEXTS, compare=False, repr=False)

    def action_under(self, policy: Policy) -> Action:
        """What the rule leads to under a policy; to cancel means that it notes and does not object."""
        return WORDS.get(policy.word(self.steer), Action.CANCEL) if self.steer else self.action

    def says(self, language: str, facts: Mapping[str, Any]) -> str:
        """What the rule says, for a person."""
        missing = facts if hasattr(facts, "__missing__") else Blank(facts)
        return self.texts(f"{self.code}_says", language).format_map(missing)

    def look(self, language: str) -> str:
        """What the person who gets the request should look at."""
        return self.texts(f"{self.code}_look", language)

    def when(self) -> str:
        """When it fires, as its function's docstring says."""
        return " ".join((self.test.__doc__ or "").split()).rstrip(".")


class Blank(dict[str, Any]):
    """Facts for a text; one that is not there is shown as a dash."""

    def __missing__(self, key: str) -> str:
        return "–"


CATALOGUE: dict[str, Rule] = {}


def rule(order: int, action: Action, source: str, **more: Any) -> Callable[[Test], Test]:
    """Put a function into the catalogue under its own name."""

    def register(test: Test) -> Test:
        code = test.__name__
        if code in CATALOGUE or any(other.order == order for other in CATALOGUE.values()):
            raise ValueError(f"the rule {code} or its place {order} is there already")
        CATALOGUE[code] = Rule(code, order, action, source, test, **more)
        return test

    return register


def in_order() -> tuple[Rule, ...]:
    """All rules, in the order in which they settle."""
    return tuple(sorted(CATALOGUE.values(), key=lambda entry: entry.order))
