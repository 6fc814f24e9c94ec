"""What is wrong with a map that was read: ways that lead nowhere, conditions that never hold or leave one out."""

from collections.abc import Iterator, Mapping
from itertools import chain

from vardag.invoices.process.map import HEARD, Flow, Kind, Map, Step

Codes = Mapping[str, frozenset[str]]  # the steps that the robot has code for, each with what it may come to
Came = tuple[str, str]  # a step's code, and what it came to


def wrong(found: Map, codes: Codes) -> list[str]:
    """Everything that is wrong with the map, each with its cure."""
    lost = [
        f"{flow.id}: leads from {flow.source} to {flow.target}, and there is no step {end}."
        for flow in found.flows
        for end in (flow.source, flow.target)
        if end not in found.steps
    ]
    if lost:
        return lost
    known = _outcomes(found, codes)
    return [
        *_starts(found),
        *chain.from_iterable(_at_step(found, step) for step in found.steps.values()),
        *_nowhere(found),
        *_circles(found),
        *chain.from_iterable(_said(found, flow, known) for flow in found.flows),
        *_left_out(found, known),
    ]


def _outcomes(found: Map, codes: Codes) -> dict[str, set[str]]:
    """What the steps of each code may come to; a code may be a person's in one place and a robot's in another."""
    known: dict[str, set[str]] = {}
    for step in found.steps.values():
        if step.kind in {Kind.ROBOT, Kind.PERSON}:
            known.setdefault(step.code, set()).update(codes[step.code] if step.kind is Kind.ROBOT else HEARD)
    return known


def _starts(found: Map) -> Iterator[str]:
    starts = [step.id for step in found.steps.values() if step.kind is Kind.START]
    if len(starts) != 1:
        yield f"{len(starts)} starts ({', '.join(starts) or 'none'}); a work item begins in one place."
    for flow in found.flows:
        if flow.target in starts:
            yield f"{flow.id}: leads back into the start {flow.target}; lead it to the step after."


def _at_step(found: Map, step: Step) -> Iterator[str]:
    """How many flows leave a step, and what they say."""
    leaving = found.leaving[step.id]
    if step.kind is Kind.END and leaving:
        yield f"{step.id}: is an end, and {leaving[0].id} leaves it."
    if step.kind is not Kind.END and not leaving:
        yield f"{step.id}: a dead end; draw a flow to what comes next, or to an end."
    if step.kind is not Kind.CHOICE:
        if len(leaving) > 1:
            yield f"{step.id}: {len(leaving)} flows leave it; put an exclusive gateway after it."
        for flow in leaving:
            if flow.outcomes:
                yield f"{flow.id}: a condition after {step.id}, which is no gateway."
        return
    said = [(flow.step, outcome) for flow in leaving for outcome in flow.outcomes]
    if twice := sorted({" = ".join(filter(None, one)) for one in said if said.count(one) > 1}):
        yield f"{step.id}: more than one flow is for {', '.join(twice)}."
    silent = [flow.id for flow in leaving if not flow.outcomes]
    if len(silent) > 1:
        yield f"{step.id}: {', '.join(silent)} say nothing; give all but one a condition."


def _nowhere(found: Map) -> Iterator[str]:
    """Steps that no way leads to, and steps from which none leads to an end."""
    ahead = _reach(found, [step.id for step in found.steps.values() if step.kind is Kind.START], backwards=False)
    back = _reach(found, [step.id for step in found.steps.values() if step.kind is Kind.END], backwards=True)
    for step in found.steps.values():
        if step.id not in ahead:
            yield f"{step.id}: no way leads there from the start."
        if step.id not in back and found.leaving[step.id]:
            yield f"{step.id}: no way leads from there to an end; a loop needs an exit."


def _reach(found: Map, begin: list[str], *, backwards: bool) -> set[str]:
    """Steps that are reached along the flows, or against them."""
    seen, new = set(begin), list(begin)
    while new:
        at = new.pop()
        ways = [(flow.target, flow.source) if backwards else (flow.source, flow.target) for flow in found.flows]
        more = {target for source, target in ways if source == at} - seen
        seen |= more
        new += more
    return seen


def _circles(found: Map) -> Iterator[str]:
    """Gateways that lead to themselves through gateways alone: a work item would go round there for ever."""
    for step in found.steps.values():
        if step.kind is Kind.CHOICE and step.id in _gateways_after(found, step.id):
            yield f"{step.id}: a circle of gateways with no step in it; put a step in, or take the flow away."


def _gateways_after(found: Map, gateway: str) -> set[str]:
    seen: set[str] = set()
    new = [gateway]
    while new:
        targets = {flow.target for flow in found.leaving[new.pop()]}
        more = {one for one in targets if found.steps[one].kind is Kind.CHOICE} - seen
        seen |= more
        new += more
    return seen


def _said(found: Map, flow: Flow, known: Mapping[str, set[str]]) -> Iterator[str]:
    """A condition about a step that is not there, or about what it never comes to."""
    if not flow.step:
        return
    if flow.step not in known:
        yield f"{flow.id}: there is no step {flow.step}; steps: {', '.join(sorted(known))}."
    elif never := set(flow.outcomes) - known[flow.step]:
        may = ", ".join(sorted(known[flow.step]))
        yield f"{flow.id}: {flow.step} never comes to {', '.join(sorted(never))}; it may: {may}."


def _left_out(found: Map, known: Mapping[str, set[str]]) -> Iterator[str]:
    """Gateways where something comes that no flow is for, or a flow is for something that never comes."""
    arriving = _arriving(found, known)
    for step in found.steps.values():
        if step.kind is not Kind.CHOICE:
            continue
        flows, came = found.leaving[step.id], arriving[step.id]
        for flow in flows:
            never = sorted(set(flow.outcomes) - {outcome for _, outcome in came}) if not flow.step else []
            if never:
                may = ", ".join(sorted({outcome for _, outcome in came if outcome})) or "nothing that can be named"
                yield f"{flow.id}: {', '.join(never)} never comes to {step.id}; what comes: {may}."
        if flows and all(flow.outcomes for flow in flows) and not _settled(flows, known):
            missed = sorted(" = ".join(filter(None, one)) for one in came if not _certain(flows, one))
            if missed:
                yield f"{step.id}: no flow for {', '.join(missed)}; draw one, or a default."


def _arriving(found: Map, known: Mapping[str, set[str]]) -> dict[str, set[Came]]:
    """What may come to each gateway: the step just left and its outcome, through other gateways too."""
    arriving: dict[str, set[Came]] = {step.id: set() for step in found.steps.values()}
    new = [
        (found.leaving[step.id][0].target, (step.code, outcome))
        for step in found.steps.values()
        if step.kind is not Kind.CHOICE and found.leaving[step.id]
        for outcome in known.get(step.code, {""})
    ]
    while new:
        at, came = new.pop()
        if found.steps[at].kind is Kind.CHOICE and came not in arriving[at]:
            arriving[at].add(came)
            new += [(flow.target, came) for flow in _open(found.leaving[at], came)]
    return arriving


def _open(flows: tuple[Flow, ...], came: Came) -> list[Flow]:
    """Flows that may be taken: those for it, those that ask about another step, and else those that say nothing."""
    asked = [flow for flow in flows if flow.outcomes and (_for(flow, came) or flow.step not in {"", came[0]})]
    return asked if _certain(flows, came) else asked + [flow for flow in flows if not flow.outcomes]


def _for(flow: Flow, came: Came) -> bool:
    return came[1] in flow.outcomes and flow.step in {"", came[0]}


def _certain(flows: tuple[Flow, ...], came: Came) -> bool:
    """Whether a flow is for this, whatever other steps came to."""
    return any(_for(flow, came) for flow in flows)


def _settled(flows: tuple[Flow, ...], known: Mapping[str, set[str]]) -> bool:
    """Whether everything that some step may have come to has its flow."""
    asked: dict[str, set[str]] = {}
    for flow in flows:
        if flow.step:
            asked.setdefault(flow.step, set()).update(flow.outcomes)
    return any(outcomes >= known.get(step, {""}) for step, outcomes in asked.items())
