"""Whatever is drawn: a map that was read leads every work item on, and what is no map is refused."""

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from maps import CODES, bpmn, written
from vardag.core.errors import ConfigError
from vardag.invoices.process.bpmn import read_map
from vardag.invoices.process.map import HEARD, Kind, Map, OffTheMapError
from vardag.invoices.routines import OUTCOMES, PACKAGED

AFTER = (PACKAGED / "cancellation" / "after.bpmn").read_bytes()


def read(xml: str | bytes, codes: Mapping[str, frozenset[str]] = CODES) -> Map:
    with TemporaryDirectory() as folder:
        return read_map(written(Path(folder), xml), codes)


@st.composite
def maps(draw: st.DrawFn) -> str:
    """A valid map: a row of tasks, each with a gateway whose default leads on and whose flows lead anywhere.

    *done* is never a condition, so that a work item that is done everywhere comes to the end. Conditions on an
    earlier step lead forwards only.
    """
    count = draw(st.integers(1, 7))
    steps, flows = ["s start", "e end", "f end"], ["s t0", f"g{count - 1} e *"]
    for at in range(count):
        steps += [f"t{at} user", f"g{at} choice"]
        flows.append(f"t{at} g{at}")
        flows += [f"g{at} t{at + 1} *"] if at < count - 1 else []
        targets = draw(
            st.lists(st.sampled_from([*(f"t{one}" for one in range(count)), "f"]), max_size=2, unique=True)
        )
        free = [one for one in targets if one != f"t{at + 1}"]
        flows += [f"g{at} {to} {said}" for to, said in zip(free, ("confirmed", "refused"), strict=False)]
        if at and not free and draw(st.booleans()):
            flows.append(f"g{at} f t{draw(st.integers(0, at - 1))} = refused, confirmed")
    flows.append("g0 f t0 = refused") if not any(flow.split()[1] == "f" for flow in flows) else None
    steps = steps if any(flow.split()[1] == "f" for flow in flows) else [one for one in steps if one != "f end"]
    return bpmn("\n".join(steps), "\n".join(flows))


@given(maps(), st.lists(st.sampled_from(HEARD), max_size=40))
@settings(deadline=None, max_examples=150)
def test_every_work_item_is_led_on_and_one_that_is_done_everywhere_comes_to_an_end(
    xml: str, came: list[str]
) -> None:
    found = read(xml)
    step, outcomes = found.after("s", {}), {}
    for outcome in came:
        if step.kind is Kind.END:
            return
        outcomes[step.code] = outcome
        step = found.after(step.id, outcomes)
        assert step.kind in {Kind.PERSON, Kind.END}
    for _ in found.steps:
        if step.kind is not Kind.END:
            outcomes[step.code] = "done"
            step = found.after(step.id, outcomes)
    assert step.kind is Kind.END


def stands(found: Map, codes: Mapping[str, frozenset[str]]) -> None:
    """What every map that was read holds: from every step, whatever it comes to, there is one next step."""
    for step in found.steps.values():
        if step.kind in {Kind.ROBOT, Kind.PERSON}:
            for outcome in codes[step.code] if step.kind is Kind.ROBOT else HEARD:
                assert found.after(step.id, {step.code: outcome}).kind is not Kind.CHOICE


@given(st.data())
@settings(deadline=None, max_examples=250)
def test_a_map_with_something_taken_or_changed_is_read_or_refused(data: st.DataObject) -> None:
    root = etree.fromstring(AFTER)
    for _ in range(data.draw(st.integers(1, 3))):
        mutate(root, data)
    try:
        found = read(etree.tostring(root), OUTCOMES)
    except ConfigError:
        return
    try:
        stands(found, OUTCOMES)
    except OffTheMapError as error:  # a gateway that asks only about other steps, all of whose outcomes have a flow
        assert "came to" in str(error)


def mutate(root: Any, data: st.DataObject) -> None:
    every = [one for one in root.iter() if one.getparent() is not None]
    one = data.draw(st.sampled_from(every))
    texts = st.sampled_from(
        [*(value for other in every for value in other.attrib.values()), "", "x", "é\u2028", "-1"]
    )
    match data.draw(st.sampled_from(["take", "twice", "attribute", "less", "text", "tag", "move"])):
        case "take":
            one.getparent().remove(one)
        case "twice":
            one.addnext(deepcopy(one))
        case "attribute" if one.attrib:
            one.set(data.draw(st.sampled_from(sorted(one.attrib))), data.draw(texts))
        case "less" if one.attrib:
            del one.attrib[data.draw(st.sampled_from(sorted(one.attrib)))]
        case "text":
            one.text = data.draw(texts)
        case "tag":
            one.tag = data.draw(st.sampled_from(every)).tag
        case "move":
            other = data.draw(st.sampled_from(every))
            if one not in list(other.iterancestors()) and one is not other:
                other.append(one)


@given(st.integers(0, len(AFTER)), st.integers(0, 300), st.binary(max_size=12))
@settings(deadline=None, max_examples=250)
def test_a_map_with_bytes_taken_out_or_put_in_is_read_or_refused(at: int, out: int, new: bytes) -> None:
    try:
        read(AFTER[:at] + new + AFTER[at + out :], OUTCOMES)
    except ConfigError:
        return


@given(st.binary(max_size=300))
@settings(deadline=None, max_examples=100)
def test_bytes_are_no_map(raw: bytes) -> None:
    try:
        read(raw)
    except ConfigError:
        return
    raise AssertionError("bytes were read as a map")
