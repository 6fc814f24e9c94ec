"""Maps as they are read, what comes after a step, and what is refused with which words."""

from pathlib import Path

import pytest

from maps import CODES, bpmn, map_of, properties, written
from vardag.core.errors import ConfigError
from vardag.invoices.process.bpmn import read_map
from vardag.invoices.process.map import Kind, OffTheMapError
from vardag.invoices.routines import OUTCOMES, PACKAGED

STEPS = """
    s start Mejl
    read service Läs
    g choice
    a user Titta
    h choice
    e end Klart
    n end Inget
"""
FLOWS = """
    s read
    read g
    g n nothing
    g a *
    a h
    h read confirmed
    h e *
"""


def refused(folder: Path, text: str | bytes) -> str:
    with pytest.raises(ConfigError) as error:
        read_map(written(folder, text), CODES)
    return str(error.value)


def with_flows(*lines: str, without: tuple[str, ...] = (), steps: str = STEPS) -> str:
    kept = [line for line in FLOWS.strip().splitlines() if line.strip() not in without]
    return bpmn(steps, "\n".join([*kept, *lines]))


def test_a_map_says_what_comes_after_each_step(tmp_path: Path) -> None:
    found = map_of(tmp_path, STEPS, FLOWS)
    kinds = {step.id: step.kind for step in found.steps.values()}
    assert kinds["read"] is Kind.ROBOT and kinds["a"] is Kind.PERSON and found.start.id == "s"
    assert found.after("s", {}).id == "read"
    assert found.after("read", {"read": "nothing"}).id == "n"
    assert found.after("read", {"read": "request"}).id == "a"
    assert found.after("a", {"a": "confirmed"}).id == "read"
    assert found.exits("a", {}) == {"confirmed": "", "done": "done", "refused": "done"}


def test_a_service_task_without_code_is_a_persons(tmp_path: Path) -> None:
    found = map_of(tmp_path, "s start\nfax service Faxa\ne end", "s fax\nfax e")
    assert found.steps["fax"].kind is Kind.PERSON


def test_a_person_may_do_what_the_robot_has_code_for(tmp_path: Path) -> None:
    steps, flows = "s start\ndecide user Pröva\ng choice\ne end\nf end", "s decide\ndecide g\ng e refused\ng f *"
    found = map_of(tmp_path, steps, flows)
    assert found.steps["decide"].kind is Kind.PERSON
    assert found.after("decide", {"decide": "refused"}).id == "e"


def test_properties_data_stores_and_words_in_two_languages(tmp_path: Path) -> None:
    inside = {
        "a": properties(minutes="3,5", systems="mejl, kassa", goes_wrong="allt", name_en="Look")
        + '<bpmn:dataInputAssociation id="d"><bpmn:sourceRef>store</bpmn:sourceRef>'
        "<bpmn:targetRef>x</bpmn:targetRef></bpmn:dataInputAssociation>"
    }
    found = map_of(
        tmp_path, "s start\na user Titta\ne end", "s a\na e", inside=inside,
        more='<bpmn:dataStoreReference id="store" name="Ekonomisystem" />',
    )  # fmt: skip
    step = found.steps["a"]
    assert (step.minutes, step.goes_wrong) == (3.5, "allt")
    assert step.systems == ("mejl", "kassa", "Ekonomisystem")
    assert (step.named("sv"), step.named("en")) == ("Titta", "Look")


def test_a_comment_and_a_text_on_the_map_are_no_steps(tmp_path: Path) -> None:
    more = '<!-- hej --><bpmn:textAnnotation id="t"><bpmn:text>obs</bpmn:text></bpmn:textAnnotation>'
    assert len(map_of(tmp_path, "s start\na user\ne end", "s a\na e", more=more).steps) == 3


def test_what_a_step_came_to_without_a_flow_is_off_the_map(tmp_path: Path) -> None:
    found = map_of(tmp_path, STEPS, FLOWS.replace("h e *", "h e done\nh n refused"))
    with pytest.raises(OffTheMapError, match="a came to mu, and h on the map En rutin has no way for that"):
        found.after("a", {"a": "mu"})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (with_flows(without=("a h",)), "a: a dead end; draw a flow to what comes next"),
        (
            with_flows("h e *", without=("h e *",), steps=STEPS.replace("e end Klart", "e user Klart")),
            "e: a dead end",
        ),
        (with_flows("a fax", without=("a h",)), "a_fax: leads from a to fax, and there is no step fax"),
        (with_flows("fax a"), "fax_a: leads from fax to a, and there is no step fax"),
        (with_flows("h a *", without=("h e *",)), "e: no way leads there from the start."),
        (
            bpmn("s start\na user\nb user\nc user\ne end", "s a\na b\nb a\nc e"),
            "a: no way leads from there to an end; a loop needs an exit",
        ),
        (
            bpmn("s start\nt start\na user\ne end", "s a\nt a\na e"),
            "2 starts (s, t); a work item begins in one place",
        ),
        (bpmn("a user\ne end", "a e"), "0 starts (none)"),
        (bpmn("s start\na user\nb user\ne end", "s a\na e\nb e"), "b: no way leads there from the start"),
        (with_flows("a s", without=("a h",)), "a_s: leads back into the start s"),
        (with_flows("e a"), "e: is an end, and e_a leaves it"),
        (with_flows("a e"), "a: 2 flows leave it; put an exclusive gateway after it"),
        (with_flows("a h done", without=("a h",)), "a_h: a condition after a, which is no gateway"),
        (
            with_flows("g a request == 'x'", without=("g a *",)),
            "g_a: \"request == 'x'\" is no condition; expected words: decide = cancel",
        ),
        (with_flows("g a maybe", without=("g a *",)), "g_a: maybe never comes to g; what comes: nothing, request"),
        (
            with_flows("g a read = maybe", without=("g a *",)),
            "g_a: read never comes to maybe; it may: nothing, request",
        ),
        (with_flows("g a fax = sent", without=("g a *",)), "g_a: there is no step fax; steps: a, read"),
        (with_flows("h e done", without=("h e *",)), "h: no flow for a = refused; draw one, or a default"),
        (with_flows("h e confirmed", without=("h e *",)), "h: more than one flow is for confirmed"),
        (with_flows("h n"), "h: h_e, h_n say nothing; give all but one a condition"),
        (
            bpmn(
                "s start\na user\ng choice\nh choice\nk choice\ne end\nf end",
                "s a\na g\ng e confirmed\ng h *\nh k *\nk h *\nh f done",
            ),
            "h: a circle of gateways with no step in it",
        ),
        (
            bpmn("s start\ng choice\na user\ne end", "s g\ng a confirmed\ng e *\na e"),
            "g_a: confirmed never comes to g; what comes: nothing that can be named",
        ),
        (
            bpmn("s start\na user\ng choice\nh choice\ne end\nf end", "s a\na g\ng e refused\ng h *\nh f done"),
            "h: no flow for a = confirmed",
        ),
    ],
)
def test_what_no_work_item_could_follow(tmp_path: Path, text: str, says: str) -> None:
    assert says in refused(tmp_path, text)


def test_a_gateway_behind_another_is_asked_for_what_is_left_alone(tmp_path: Path) -> None:
    """The first has taken *refused*, so the second needs no flow for it, and no default."""
    found = map_of(
        tmp_path, "s start\na user\ng choice\nh choice\ne end\nf end",
        "s a\na g\ng e refused\ng h *\nh f done\nh e confirmed",
    )  # fmt: skip
    assert found.after("a", {"a": "done"}).id == "f"


def test_a_gateway_that_asks_about_two_steps_wants_a_default_or_all_of_one(tmp_path: Path) -> None:
    steps = "s start\nread service\ndecide rule\ng choice\na user\nb user\ne end"
    flows = "s read\nread decide\ndecide g\ng a read = nothing\ng b decide = cancel\na e\nb e"
    assert "g: no flow for decide = refer, decide = reject" in refused(tmp_path, bpmn(steps, flows))
    assert map_of(tmp_path, steps, f"{flows}\ng e *").after("decide", {"read": "nothing"}).id == "a"


@pytest.mark.parametrize(
    ("steps", "more", "inside", "says"),
    [
        ("x parallelGateway", "", {}, "x: a parallelGateway cannot be followed by one work item"),
        ("x inclusiveGateway", "", {}, "x: a inclusiveGateway cannot"),
        ("x subProcess", "", {}, "x: a subProcess cannot"),
        ("x callActivity", "", {}, "x: a callActivity cannot"),
        ("x receiveTask", "", {}, "x: a receiveTask cannot"),
        ("", '<bpmn:boundaryEvent id="x" attachedToRef="a" />', {}, "x: a boundaryEvent cannot"),
        ("", "", {"s": '<bpmn:timerEventDefinition id="t" />'}, "s: a startEvent with a timerEventDefinition"),
        ("", "", {"e": '<bpmn:errorEventDefinition id="t" />'}, "e: a endEvent with a errorEventDefinition"),
        (
            "",
            "",
            {"a": '<bpmn:multiInstanceLoopCharacteristics id="m" />'},
            "a: a userTask that is repeated by itself",
        ),
        ("", "", {"a": '<bpmn:standardLoopCharacteristics id="m" />'}, "a: a userTask that is repeated by itself"),
        ("", "", {"a": properties(minutes="tre")}, "a: minutes 'tre'; expected a number such as 3.5"),
        ("", "", {"a": properties(minutes="-1")}, "a: minutes '-1'"),
        ("", "", {"a": properties(minutes="nan")}, "a: minutes 'nan'"),
        ("", "", {"a": properties(minuter="3")}, "a: unknown property minuter; known: about_en, goes_wrong"),
        ("", "", {"e": properties(state="gone")}, "e: state 'gone'; expected done or failed_business"),
    ],
)
def test_what_a_map_may_not_hold(tmp_path: Path, steps: str, more: str, inside: dict[str, str], says: str) -> None:
    text = bpmn(f"s start\na user\ne end\n{steps}", "s a\na e", more=more, inside=inside)
    assert says in refused(tmp_path, text)


def test_a_property_without_a_name_is_refused(tmp_path: Path) -> None:
    inside = {"a": properties(x="1").replace('name="x" ', "")}
    assert "a: unknown property ;" in refused(tmp_path, bpmn("s start\na user\ne end", "s a\na e", inside=inside))


def test_a_message_start_and_a_terminating_end_say_no_more_than_plain_ones(tmp_path: Path) -> None:
    inside = {"s": '<bpmn:messageEventDefinition id="m" />', "e": '<bpmn:terminateEventDefinition id="t" />'}
    assert map_of(tmp_path, "s start\na user\ne end", "s a\na e", inside=inside).after("a", {}).id == "e"


GOOD = bpmn("s start\na user Ö\ne end", "s a\na e")
BOMB = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {one} "{f"&{before};" * 10}">' for before, one in zip("abcdefgh", "bcdefghi", strict=True))
    + "]>"
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is no BPMN 2.0: Document is empty"),
        ("hej", "is no BPMN 2.0: Start tag expected"),
        (GOOD[:200], "is no BPMN 2.0: "),
        ("<a/>", "is no BPMN 2.0: "),
        ("<svg xmlns='http://www.w3.org/2000/svg'/>", "is no BPMN 2.0: "),
        (GOOD.replace('id="a"', 'id="s"'), "is no BPMN 2.0: "),
        (GOOD.replace('id="a"', ""), "a userTask (Ö) has no id; give it one."),
        (GOOD.replace('id="a_e"', ""), "a sequenceFlow (without a name) has no id; give it one."),
        (GOOD.replace("userTask", "wishTask"), "is no BPMN 2.0: "),
        (BOMB + GOOD.replace('"Ö"', '"&i;"'), "map.bpmn: "),
        (BOMB + GOOD.replace("<bpmn:process", "&i;<bpmn:process"), "map.bpmn: "),
        ('<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>' + GOOD, "has a DOCTYPE, which no map needs"),
        (GOOD.encode("latin-1"), "is no BPMN 2.0: "),
        (GOOD.encode("utf-16-le"), "is no BPMN 2.0: "),
        (
            GOOD.replace("</bpmn:definitions>", '<bpmn:process id="q" /></bpmn:definitions>'),
            "2 processes, expected one",
        ),
        (
            bpmn("", "").replace('<bpmn:process id="p" name="En rutin">', "").replace("</bpmn:process>", ""),
            "0 processes, expected one",
        ),
        (b"\0" * 100, "is no BPMN 2.0: "),
    ],
)
def test_what_is_no_map_at_all(tmp_path: Path, text: str | bytes, says: str) -> None:
    assert says in refused(tmp_path, text)


def test_a_file_in_a_stated_encoding_is_read(tmp_path: Path) -> None:
    for encoding in ("iso-8859-1", "utf-16"):
        text = f'<?xml version="1.0" encoding="{encoding}"?>{GOOD}'.encode(encoding)
        assert read_map(written(tmp_path, text), CODES).steps["a"].name == "Ö"


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    text = GOOD.replace("</bpmn:definitions>", f"<!--{'x' * 10_000_000}--></bpmn:definitions>")
    assert "map.bpmn: 10.0 MB, and a map has at most 2" in refused(tmp_path, text)


def test_a_map_of_very_many_steps_is_refused_and_one_of_many_is_not(tmp_path: Path) -> None:
    def row(count: int) -> str:
        steps = "\n".join(f"a{number} user" for number in range(count))
        flows = "\n".join(f"a{number} a{number + 1}" for number in range(count - 1))
        return bpmn(f"s start\n{steps}\ne end", f"s a0\n{flows}\na{count - 1} e")

    assert "1002 steps, and a map has at most 200" in refused(tmp_path, row(1000))
    assert len(read_map(written(tmp_path, row(198)), CODES).steps) == 200


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "none.bpmn", tmp_path):
        with pytest.raises(ConfigError, match="cannot be read"):
            read_map(path, CODES)


def test_many_problems_are_told_by_the_first_five(tmp_path: Path) -> None:
    steps = "\n".join(f"a{number} user" for number in range(9))
    told = refused(tmp_path, bpmn(f"s start\na user\ne end\n{steps}", "s a\na e"))
    assert told.count("a dead end") + told.count("no way leads there") == 5 and "(and 13 more)" in told


@pytest.mark.parametrize(
    "path", sorted(PACKAGED.glob("*/*.bpmn")), ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_the_packaged_maps_have_words_in_both_languages_and_a_diagram(path: Path) -> None:
    found = read_map(path, OUTCOMES if path.name == "after.bpmn" else {})
    told = [step for step in found.steps.values() if step.kind is not Kind.CHOICE or step.name]
    assert [step.id for step in told if not (step.name and step.name_en and step.role and step.role_en)] == []
    assert [flow.id for flow in found.flows if bool(flow.name) != bool(flow.name_en)] == []
    drawn = {*found.steps, *(flow.id for flow in found.flows)}
    assert [one for one in drawn if f'bpmnElement="{one}"' not in found.xml.decode()] == []
    assert found.name_en
