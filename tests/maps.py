"""Small maps for the tests: BPMN files written from a line a step and a line a flow."""

from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from vardag.invoices.process.bpmn import read_map
from vardag.invoices.process.map import Map

HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:camunda="http://camunda.org/schema/1.0/bpmn" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" targetNamespace="https://example.org" id="definitions">'
)
TAGS = {
    "start": "startEvent", "end": "endEvent", "choice": "exclusiveGateway", "user": "userTask", "task": "task",
    "service": "serviceTask", "manual": "manualTask", "rule": "businessRuleTask", "send": "sendTask",
}  # fmt: skip
CODES = {"read": frozenset({"request", "nothing"}), "decide": frozenset({"cancel", "refer", "reject"})}


def bpmn(steps: str, flows: str, *, more: str = "", inside: Mapping[str, str] | None = None) -> str:
    """A map's XML.

    Parameters
    ----------
    steps
        ``id kind name`` a line; kinds are those of `TAGS`, or the name of any BPMN element.
    flows
        ``source target condition`` a line; ``*`` for the default; a flow's id is ``source_target`` .
    more, inside
        XML that stands in the process; XML that stands in a step, by its id.
    """
    ways = [[*line.split(maxsplit=2), ""][:3] for line in flows.strip().splitlines()]
    drawn = [_step(*[*line.split(maxsplit=2), ""][:3], ways, inside or {}) for line in steps.strip().splitlines()]
    process = f'<bpmn:process id="p" name="En rutin">{"".join(drawn)}{"".join(_flow(*way) for way in ways)}{more}'
    return f"{HEAD}{process}</bpmn:process></bpmn:definitions>"


def _step(number: str, kind: str, name: str, ways: list[list[str]], inside: Mapping[str, str]) -> str:
    default = "".join(f' default="{number}_{to}"' for one, to, said in ways if one == number and said == "*")
    tag = f"bpmn:{TAGS.get(kind, kind)}"
    return f'<{tag} id="{number}" name={quoteattr(name)}{default}>{inside.get(number, "")}</{tag}>'


def _flow(one: str, to: str, said: str) -> str:
    tag = f'<bpmn:sequenceFlow id="{one}_{to}" sourceRef="{one}" targetRef="{to}">'
    condition = (
        f'<bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">{escape(said)}</bpmn:conditionExpression>'
    )
    return f"{tag}{condition if said not in {'', '*'} else ''}</bpmn:sequenceFlow>"


def properties(**named: str) -> str:
    """Camunda's properties of an element."""
    each = "".join(f'<camunda:property name="{name}" value={quoteattr(one)} />' for name, one in named.items())
    return f"<bpmn:extensionElements><camunda:properties>{each}</camunda:properties></bpmn:extensionElements>"


def written(folder: Path, text: str | bytes) -> Path:
    """A file of it."""
    path = folder / "map.bpmn"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def map_of(folder: Path, steps: str, flows: str, **more: object) -> Map:
    """The map as it is read."""
    return read_map(written(folder, bpmn(steps, flows, **more)), CODES)  # type: ignore[arg-type]
