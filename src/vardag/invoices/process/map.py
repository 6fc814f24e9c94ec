"""The map: a routine drawn as BPMN 2.0, read with SpiffWorkflow, and what comes after each step.

A work item is one token, so the map has one start, tasks, exclusive gateways, ends, and lanes for the roles; all
else is refused. A step's code is its property ``step``, or its id. A task is the robot's where the drawing gives it
to a system (service, send, business rule or script task) and the robot has code for it; every other task is a
person's. What stands on a flow is words and never code: ``decide = cancel, reject`` (what the step *decide* came to
when it was last taken), or ``confirmed`` (what the step just left came to). A gateway's default takes the rest.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from vardag.core.errors import VardagError

HEARD = ("confirmed", "done", "refused")  # what a person's step may come to


class OffTheMapError(VardagError):
    """A step came to something that the map has no flow for."""

    exit_code = 7


class Kind(StrEnum):
    """What stands on the map."""

    START = "start"
    ROBOT = "robot"
    PERSON = "person"
    CHOICE = "choice"
    END = "end"


@dataclass(frozen=True)
class Step:
    """One thing on the map.

    Attributes
    ----------
    code
        What the robot knows the step by; conditions name it.
    role
        Name of the lane it lies in; empty where the map has none.
    minutes
        What a person needs for it by hand; None where nobody has measured or assumed it.
    systems, goes_wrong, about
        Systems touched; what goes wrong there; what the step is, in a sentence.
    state
        For an end: the state in which it leaves the work item.

    What ends in ``_en`` is the same in English; see `told`.
    """

    id: str
    code: str
    kind: Kind
    name: str
    name_en: str = ""
    role: str = ""
    minutes: float | None = None
    systems: tuple[str, ...] = ()
    goes_wrong: str = ""
    about: str = ""
    state: str = ""
    role_en: str = ""
    systems_en: tuple[str, ...] = ()
    goes_wrong_en: str = ""
    about_en: str = ""

    def named(self, language: str) -> str:
        """The step's name in a language, or its id where it has none."""
        return (self.name_en if language == "en" else "") or self.name or self.id

    def told(self, what: str, language: str) -> Any:
        """The step's role, systems, goes_wrong or about in a language; in Swedish where it has no English."""
        english = getattr(self, f"{what}_en") if language == "en" else None
        return english or getattr(self, what)


@dataclass(frozen=True)
class Flow:
    """A way from one step to the next, and on which outcomes of which step it is taken; default takes the rest."""

    id: str
    source: str
    target: str
    step: str = ""
    outcomes: tuple[str, ...] = ()
    default: bool = False
    name: str = ""
    name_en: str = ""


@dataclass(frozen=True)
class Map:
    """A routine as it was mapped; `version` is a hash of the file, `xml` the file itself."""

    name: str
    version: str
    steps: Mapping[str, Step]
    flows: tuple[Flow, ...]
    xml: bytes
    name_en: str = ""

    def named(self, language: str) -> str:
        """The routine's name in a language."""
        return (self.name_en if language == "en" else "") or self.name

    @cached_property
    def start(self) -> Step:
        """Where every work item begins."""
        return next(step for step in self.steps.values() if step.kind is Kind.START)

    @cached_property
    def leaving(self) -> Mapping[str, tuple[Flow, ...]]:
        """Flows by the step that they leave."""
        return {name: tuple(flow for flow in self.flows if flow.source == name) for name in self.steps}

    def after(self, step: str, outcomes: Mapping[str, str]) -> Step:
        """The task or end that comes after a step.

        Parameters
        ----------
        step
            Id of the step just left.
        outcomes
            What each step came to when it was last taken, by the step's code.

        Raises
        ------
        OffTheMapError
            When no flow is for what the step came to.
        """
        left = found = self.steps[step]
        while found.kind is Kind.CHOICE or found is left:
            found = self.steps[self._flow(found, left, outcomes).target]
            if found is left:
                return found
        return found

    def _flow(self, at: Step, left: Step, outcomes: Mapping[str, str]) -> Flow:
        """The flow that is taken from here."""
        flows = self.leaving[at.id]
        for flow in flows:
            if flow.outcomes and outcomes.get(flow.step or left.code) in flow.outcomes:
                return flow
        for flow in flows:
            if not flow.outcomes:
                return flow
        came = outcomes.get(left.code, "nothing")
        raise OffTheMapError(
            f"{left.id} came to {came}, and {at.id} on the map {self.name} has no way for that. Draw one, or a "
            "default."
        )

    def exits(self, step: str, outcomes: Mapping[str, str]) -> dict[str, str]:
        """What a person may decide at a step, each with the state it ends in; empty where the routine goes on."""
        found = {}
        for outcome in HEARD:
            try:
                after = self.after(step, {**outcomes, self.steps[step].code: outcome})
            except OffTheMapError:
                continue
            found[outcome] = after.state
        return found
