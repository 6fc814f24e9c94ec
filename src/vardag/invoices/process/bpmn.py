"""Reads a map from a BPMN 2.0 file with SpiffWorkflow, and refuses what no work item could follow."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lxml import etree
from SpiffWorkflow.bpmn.parser import BpmnParser, BpmnValidator, ValidationException
from SpiffWorkflow.bpmn.parser.ProcessParser import ProcessParser
from SpiffWorkflow.bpmn.parser.TaskParser import TaskParser
from SpiffWorkflow.bpmn.specs.defaults import ServiceTask

from vardag.core.errors import ConfigError
from vardag.invoices.process.map import HEARD, Flow, Kind, Map, Step

MODEL = "http://www.omg.org/spec/BPMN/20100524/MODEL"
CAMUNDA = "{http://camunda.org/schema/1.0/bpmn}"
ROBOTS = ("serviceTask", "sendTask", "businessRuleTask", "scriptTask")
PERSONS = ("userTask", "manualTask", "task")
KINDS = {"startEvent": Kind.START, "exclusiveGateway": Kind.CHOICE, "endEvent": Kind.END}
# What stands in a process and is no step: it is drawn, and nobody walks over it.
DRAWN = (
    "association", "dataObject", "dataObjectReference", "dataStoreReference", "documentation", "extensionElements",
    "group", "laneSet", "sequenceFlow", "textAnnotation",
)  # fmt: skip
CONDITION = re.compile(r"\s*(?:(?P<step>\w+)\s*=\s*)?(?P<outcomes>\w+(?:\s*,\s*\w+)*)\s*")
STATES = ("done", "failed_business")  # how a work item may end
PROPERTIES = ("goes_wrong", "minutes", "name_en", "state", "step", "systems")
FIRST = 5  # problems that a message tells

Codes = Mapping[str, frozenset[str]]  # the steps that the robot has code for, each with what it may come to


class _Parser(BpmnParser):  # type: ignore[misc]
    OVERRIDE_PARSER_CLASSES = {f"{{{MODEL}}}businessRuleTask": (TaskParser, ServiceTask)}  # noqa: RUF012


def read_map(path: Path, codes: Codes) -> Map:
    """Read a map.

    Raises
    ------
    ConfigError
        When the file is no BPMN 2.0, or draws what no work item could follow: two starts, a dead end, a loop
        without an exit, a way from nowhere, an element that a map may not hold. The message names the first of them
        and the cure.
    """
    xml, process = _process(path)
    problems = list(_elements(process))
    steps = {step.id: step for step in _steps(process, codes, problems)}
    flows = tuple(_flows(process, problems))
    found = Map(process.get_name(), hashlib.sha256(xml).hexdigest()[:12], steps, flows, xml)
    problems += [*_drawn_wrong(found), *_said_wrong(found, codes)]
    if not problems:
        problems += _refused_by_spiff(process)
    if problems:
        more = f" (and {len(problems) - FIRST} more)" if len(problems) > FIRST else ""
        raise ConfigError(f"{path.name}: the map cannot be followed. {' '.join(problems[:FIRST])}{more}")
    return found


def _process(path: Path) -> tuple[bytes, ProcessParser]:
    """The file's bytes and its only process, checked against the schema of BPMN 2.0 that SpiffWorkflow carries."""
    parser = _Parser(validator=BpmnValidator())
    try:
        xml = path.read_bytes()
        root = etree.fromstring(xml, etree.XMLParser(resolve_entities=False, no_network=True))
        parser.add_bpmn_xml(root, path.name)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}).") from None
    except (etree.XMLSyntaxError, ValidationException) as error:
        told = str(error).splitlines()[0]
        raise ConfigError(f"{path.name}: is no BPMN 2.0: {told}. Save it again in a BPMN modeler.") from None
    if len(parser.process_parsers) != 1:
        raise ConfigError(
            f"{path.name}: {len(parser.process_parsers)} processes, expected one. A map is one routine; draw the "
            "roles as lanes of one pool."
        )
    return xml, next(iter(parser.process_parsers.values()))


def _elements(process: ProcessParser) -> Iterator[str]:
    """What a map may not hold."""
    for element in process.node:
        name = etree.QName(element).localname if isinstance(element.tag, str) else ""
        if name and name not in {*DRAWN, *KINDS, *ROBOTS, *PERSONS}:
            yield f"{element.get('id')}: a {name} cannot be followed by one work item; use tasks and exclusive gateways."


def _steps(process: ProcessParser, codes: Codes, problems: list[str]) -> Iterator[Step]:
    for element in process.node:
        name = etree.QName(element).localname if isinstance(element.tag, str) else ""
        if name in {*KINDS, *ROBOTS, *PERSONS}:
            yield _step(process, element, name, codes, problems)


def _step(process: ProcessParser, element: Any, name: str, codes: Codes, problems: list[str]) -> Step:
    own = {one.get("name"): one.get("value") or "" for one in element.iter(f"{CAMUNDA}property")}
    number = element.get("id")
    if unknown := sorted(own.keys() - {*PROPERTIES}):
        problems.append(f"{number}: unknown property {', '.join(unknown)}; known: {', '.join(PROPERTIES)}.")
    code = own.get("step") or number
    kind = KINDS.get(name) or (Kind.ROBOT if name in ROBOTS and code in codes else Kind.PERSON)
    if (state := own.get("state", "done")) not in STATES:
        problems.append(f"{number}: state {state!r}; expected {' or '.join(STATES)}.")
    about = element.find(f"{{{MODEL}}}documentation")
    return Step(
        id=number,
        code=code,
        kind=kind,
        name=" ".join((element.get("name") or "").split()),
        name_en=own.get("name_en", ""),
        role=process.get_lane_name(number) or "",
        minutes=_minutes(number, own.get("minutes", ""), problems),
        systems=tuple(part.strip() for part in own.get("systems", "").split(",") if part.strip()),
        goes_wrong=own.get("goes_wrong", ""),
        about="" if about is None else (about.text or "").strip(),
        state=state if kind is Kind.END else "",
    )


def _minutes(number: str, text: str, problems: list[str]) -> float | None:
    try:
        found = float(text.replace(",", ".")) if text.strip() else None
    except ValueError:
        found = -1
    if found is not None and not 0 <= found < float("inf"):
        problems.append(f"{number}: minutes {text!r}; expected a number such as 3.5.")
        return None
    return found


def _flows(process: ProcessParser, problems: list[str]) -> Iterator[Flow]:
    for source, elements in process.outgoing_sequence_flows.items():
        default = process.nodes_by_id[source].get("default") if source in process.nodes_by_id else None
        for element in elements:
            number, text = element.get("id"), process.parse_condition(element)
            said = CONDITION.fullmatch(text or "")
            if text and text.strip() and not said:
                problems.append(f"{number}: {text.strip()!r} is no condition; expected words: decide = cancel.")
            yield Flow(
                number,
                source,
                element.get("targetRef"),
                step=(said and said["step"]) or "",
                outcomes=tuple(re.findall(r"\w+", said["outcomes"])) if said else (),
                default=number == default,
                name=element.get("name") or "",
            )


def _drawn_wrong(found: Map) -> Iterator[str]:
    """Ways that lead nowhere, or come from nowhere."""
    starts = [step.id for step in found.steps.values() if step.kind is Kind.START]
    if len(starts) != 1:
        yield f"{len(starts)} starts ({', '.join(starts) or 'none'}); a work item begins in one place."
    for flow in found.flows:
        for end in (flow.source, flow.target):
            if end not in found.steps:
                yield f"{flow.id}: leads from {flow.source} to {flow.target}, and there is no step {end}."
    ahead = _reach(found.flows, starts, backwards=False)
    ends = [step.id for step in found.steps.values() if step.kind is Kind.END]
    back = _reach(found.flows, ends, backwards=True)
    for step in found.steps.values():
        leaving = found.leaving[step.id]
        if step.id not in ahead:
            yield f"{step.id}: no way leads there from the start."
        if step.kind is Kind.END and leaving:
            yield f"{step.id}: is an end, and {leaving[0].id} leaves it."
        if step.kind is not Kind.END and not leaving:
            yield f"{step.id}: a dead end; draw a flow to what comes next, or to an end."
        elif step.id not in back and leaving:
            yield f"{step.id}: no way leads from there to an end; a loop needs an exit."
        if step.kind is not Kind.CHOICE and len(leaving) > 1:
            yield f"{step.id}: {len(leaving)} flows leave it; put an exclusive gateway after it."


def _reach(flows: tuple[Flow, ...], begin: list[str], *, backwards: bool) -> set[str]:
    """Steps that are reached along the flows, or against them."""
    seen, new = set(begin), list(begin)
    while new:
        at = new.pop()
        ways = [(flow.target, flow.source) if backwards else (flow.source, flow.target) for flow in flows]
        more = [target for source, target in ways if source == at and target not in seen]
        seen.update(more)
        new += more
    return seen


def _said_wrong(found: Map, codes: Codes) -> Iterator[str]:
    """Conditions that can never hold, and outcomes that no flow is for."""
    known = {step.code: codes.get(step.code, frozenset(HEARD)) for step in found.steps.values() if _acts(step)}
    for flow in found.flows:
        step = flow.step or _left(found, flow.source)
        if not flow.outcomes:
            continue
        if found.steps.get(flow.source) and found.steps[flow.source].kind is not Kind.CHOICE:
            yield f"{flow.id}: a condition after {flow.source}, which is no gateway."
        elif step and step not in known:
            yield f"{flow.id}: there is no step {step}; steps: {', '.join(sorted(known))}."
        elif step and (never := set(flow.outcomes) - known[step]):
            yield f"{flow.id}: {step} never comes to {', '.join(sorted(never))}; it may: {', '.join(sorted(known[step]))}."
    for step in found.steps.values():
        if step.kind is Kind.CHOICE:
            yield from _open_choice(found, step, known)


def _open_choice(found: Map, choice: Step, known: Mapping[str, frozenset[str]]) -> Iterator[str]:
    """A gateway that says the same twice, or has no flow for something that a step may come to."""
    flows = found.leaving[choice.id]
    said = [(flow.step or _left(found, choice.id), outcome) for flow in flows for outcome in flow.outcomes]
    if twice := sorted({" = ".join(one) for one in said if said.count(one) > 1}):
        yield f"{choice.id}: more than one flow is for {', '.join(twice)}."
    others = [flow.id for flow in flows if not flow.outcomes]
    if len(others) > 1:
        yield f"{choice.id}: {', '.join(others)} say nothing; give all but one a condition."
    asked = {step for step, _ in said}
    if not others and len(asked) == 1 and (step := next(iter(asked))) in known:
        if left := known[step] - {outcome for _, outcome in said}:
            yield f"{choice.id}: no flow for {step} = {', '.join(sorted(left))}; draw one, or a default."


def _left(found: Map, choice: str) -> str:
    """Code of the only step that leads to a gateway, through others; empty where there are several."""
    sources = {flow.source for flow in found.flows if flow.target == choice}
    steps = {found.steps[name].code for name in sources if name in found.steps and _acts(found.steps[name])}
    return next(iter(steps)) if len(steps) == 1 and len(sources) == 1 else ""


def _acts(step: Step) -> bool:
    return step.kind in {Kind.ROBOT, Kind.PERSON}


def _refused_by_spiff(process: ProcessParser) -> list[str]:
    """What SpiffWorkflow says against running it."""
    try:
        process.get_spec()
    except ValidationException as error:
        return [str(error).splitlines()[0]]
    return []
