"""Reads a map from a BPMN 2.0 file with SpiffWorkflow, and refuses what no work item could follow."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from lxml import etree
from SpiffWorkflow.bpmn.parser import BpmnParser, BpmnValidator
from SpiffWorkflow.bpmn.parser.ProcessParser import ProcessParser
from SpiffWorkflow.bpmn.parser.TaskParser import TaskParser
from SpiffWorkflow.bpmn.parser.ValidationException import ValidationException
from SpiffWorkflow.bpmn.specs.defaults import ServiceTask

from vardag.core.errors import ConfigError
from vardag.invoices.process.checking import Codes, wrong
from vardag.invoices.process.map import Flow, Kind, Map, Step
from vardag.invoices.process.policy import load_parameters

MODEL = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
CAMUNDA = "{http://camunda.org/schema/1.0/bpmn}"
ROBOTS = ("serviceTask", "sendTask", "businessRuleTask", "scriptTask")
PERSONS = ("userTask", "manualTask", "task")
KINDS = {"startEvent": Kind.START, "exclusiveGateway": Kind.CHOICE, "endEvent": Kind.END}
WALKED = {*KINDS, *ROBOTS, *PERSONS}
# What stands in a process and is no step: it is drawn, and nobody walks over it.
DRAWN = {
    "association", "dataObject", "dataObjectReference", "dataStoreReference", "documentation", "extensionElements",
    "group", "laneSet", "sequenceFlow", "textAnnotation",
}  # fmt: skip
EVENTS = ("messageEventDefinition", "terminateEventDefinition")  # that say no more than the event itself does
DATA = ("dataInputAssociation", "dataOutputAssociation")
CONDITION = re.compile(r"\s*(?:(?P<step>[\w.-]+)\s*=\s*)?(?P<outcomes>\w+(?:\s*,\s*\w+)*)\s*")
STATES = ("done", "failed_business")  # how a work item may end
PROPERTIES = (
    "about_en", "goes_wrong", "goes_wrong_en", "minutes", "name_en", "state", "step", "systems", "systems_en",
)  # fmt: skip
FIRST = 5  # problems that a message tells


class _Parser(BpmnParser):  # type: ignore[misc]
    OVERRIDE_PARSER_CLASSES = {f"{MODEL}businessRuleTask": (TaskParser, ServiceTask)}  # noqa: RUF012


def read_map(path: Path, codes: Codes) -> Map:
    """Read a map.

    Parameters
    ----------
    codes
        The steps that the robot has code for, each with what it may come to; {} for a routine that people do.

    Raises
    ------
    ConfigError
        When the file is no BPMN 2.0, or draws what no work item could follow: two starts, a dead end, a loop
        without an exit, a way from nowhere, an element that a map may not hold. The message names the first of them
        and the cure.
    """
    xml = _bytes(path)
    process = _process(path.name, _root(path.name, xml))
    problems = list(_elements(process))
    steps = {step.id: step for step in _steps(process, codes, problems)}
    flows = tuple(_flows(process, problems))
    name, english = process.get_name() or path.stem, _properties(process.node).get("name_en", "")
    found = Map(name, hashlib.sha256(xml).hexdigest()[:12], steps, flows, xml, english)
    problems += _counted(found) or wrong(found, codes)
    problems = problems or _refused_by_spiff(process)
    if problems:
        more = f" (and {len(problems) - FIRST} more)" if len(problems) > FIRST else ""
        raise ConfigError(f"{path.name}: the map cannot be followed. {' '.join(problems[:FIRST])}{more}")
    return found


def _bytes(path: Path) -> bytes:
    most = float(load_parameters().value("largest_map_mb"))
    try:
        size = path.stat().st_size / 1_000_000
        if size > most:
            raise ConfigError(f"{path.name}: {size:.1f} MB, and a map has at most {most:g}. Take out pictures.")
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}).") from None


def _root(name: str, xml: bytes) -> Any:
    """The file's outermost element; nothing is fetched, and no entity is expanded."""
    try:
        root = etree.fromstring(xml, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        raise _no_bpmn(name, error) from None
    if root.getroottree().docinfo.doctype:
        raise ConfigError(f"{name}: has a DOCTYPE, which no map needs. Save it again in a BPMN modeler.")
    return root


def _process(name: str, root: Any) -> ProcessParser:
    """The file's only process, checked against the schema of BPMN 2.0 that SpiffWorkflow carries."""
    parser = _Parser()
    try:
        BpmnValidator().validate(root, name)
        parser.add_bpmn_xml(_plain(root), name)
    except ValidationException as error:
        raise _no_bpmn(name, error) from None
    if len(parser.process_parsers) != 1:
        raise ConfigError(
            f"{name}: {len(parser.process_parsers)} processes, expected one. A map is one routine; draw the roles "
            "as lanes of one pool."
        )
    return next(iter(parser.process_parsers.values()))


def _no_bpmn(name: str, error: Exception) -> ConfigError:
    told = str(error).splitlines()[0].rstrip(".")
    return ConfigError(f"{name}: is no BPMN 2.0: {told}. Save it again in a BPMN modeler.")


def _plain(root: Any) -> Any:
    """The document as SpiffWorkflow may have it, which wants code behind data stores and what is not to be run.

    What a data store stands for goes into the property ``systems`` of the tasks that touch it.
    """
    names = {one.get("id"): one.get("name") or "" for one in root.iter(f"{MODEL}dataStoreReference")}
    for process in root.iter(f"{MODEL}process"):
        process.set("isExecutable", "true")
    for one in list(root.iter(*(f"{MODEL}{name}" for name in DATA))):
        touched = [names[ref.text] for ref in one if ref.text in names]
        one.getparent().set("touches", ", ".join([one.getparent().get("touches", ""), *touched]))
        one.getparent().remove(one)
    for one in list(root.iter(f"{MODEL}dataStore")):
        one.getparent().remove(one)
    return root


def _counted(found: Map) -> list[str]:
    """A map that is too large to be looked at any further."""
    most = int(load_parameters().value("most_steps"))
    return [f"{len(found.steps)} steps, and a map has at most {most}."] if len(found.steps) > most else []


def _elements(process: ProcessParser) -> Iterator[str]:
    """What a map may not hold."""
    for element in process.node:
        name, number = _name(element), element.get("id")
        if not number and name in {*WALKED, "sequenceFlow"}:
            yield f"a {name} ({element.get('name') or 'without a name'}) has no id; give it one."
        if name and name not in WALKED | DRAWN:
            yield f"{number}: a {name} cannot be followed by one work item; use tasks and exclusive gateways."
        for inner in element if name in WALKED else ():
            what = _name(inner)
            if what.endswith("EventDefinition") and what not in EVENTS:
                yield f"{number}: a {name} with a {what}; use a plain {name}."
            if what.endswith("LoopCharacteristics"):
                yield f"{number}: a {name} that is repeated by itself; draw the loop with a gateway."


def _name(element: Any) -> str:
    """An element's name without its namespace; empty for a comment."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _properties(element: Any) -> dict[str, str]:
    """The element's own Camunda properties."""
    found = element.iterfind(f"{MODEL}extensionElements/{CAMUNDA}properties/{CAMUNDA}property")
    return {one.get("name") or "": one.get("value") or "" for one in found}


def _steps(process: ProcessParser, codes: Codes, problems: list[str]) -> Iterator[Step]:
    lanes = {
        (ref.text or "").strip(): (lane.get("name") or "", _properties(lane).get("name_en", ""))
        for lane in process.node.iter(f"{MODEL}lane")
        for ref in lane.iterfind(f"{MODEL}flowNodeRef")
    }
    for element in process.node:
        name = _name(element)
        if name in WALKED:
            step = _step(element, name, codes, problems)
            role, role_en = lanes.get(step.id, ("", ""))
            yield replace(step, role=" ".join(role.split()), role_en=role_en)


def _step(element: Any, name: str, codes: Codes, problems: list[str]) -> Step:
    own, number = _properties(element), element.get("id") or ""
    if unknown := sorted(own.keys() - {*PROPERTIES}):
        problems.append(f"{number}: unknown property {', '.join(unknown)}; known: {', '.join(PROPERTIES)}.")
    code = own.get("step") or number
    kind = KINDS.get(name) or (Kind.ROBOT if name in ROBOTS and code in codes else Kind.PERSON)
    if (state := own.get("state", STATES[0])) not in STATES:
        problems.append(f"{number}: state {state!r}; expected {' or '.join(STATES)}.")
    about = element.findtext(f"{MODEL}documentation") or ""
    touched = element.get("touches", "")
    return Step(
        id=number,
        code=code,
        kind=kind,
        name=" ".join((element.get("name") or "").split()),
        name_en=own.get("name_en", ""),
        minutes=_minutes(number, own.get("minutes", ""), problems),
        systems=_listed(own.get("systems", ""), touched),
        systems_en=_listed(own.get("systems_en", ""), touched) if "systems_en" in own else (),
        goes_wrong=own.get("goes_wrong", ""),
        goes_wrong_en=own.get("goes_wrong_en", ""),
        about=about.strip(),
        about_en=own.get("about_en", ""),
        state=state if kind is Kind.END else "",
    )


def _listed(*texts: str) -> tuple[str, ...]:
    """Names that stand with commas between them, each once."""
    return tuple(dict.fromkeys(part.strip() for part in ",".join(texts).split(",") if part.strip()))


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
        if default and default not in [element.get("id") for element in elements]:
            problems.append(f"{source}: its default flow {default} does not leave it.")
        for element in elements:
            number, text = element.get("id"), (process.parse_condition(element) or "").strip()
            said = CONDITION.fullmatch(text)
            if text and not said:
                problems.append(f"{number}: {text!r} is no condition; expected words: decide = cancel.")
            if text and number == default:
                problems.append(f"{number}: the default flow of {source} has a condition; take it away.")
            yield Flow(
                number,
                source,
                element.get("targetRef"),
                step=(said and said["step"]) or "",
                outcomes=tuple(re.findall(r"\w+", said["outcomes"])) if said else (),
                default=number == default,
                name=" ".join((element.get("name") or "").split()),
                name_en=_properties(element).get("name_en", ""),
            )


def _refused_by_spiff(process: ProcessParser) -> list[str]:
    """What SpiffWorkflow says against running it."""
    try:
        process.get_spec()
    except ValidationException as error:
        return [str(error).splitlines()[0]]
    return []
