"""`vardag invoices map` on real runs: the log replayed, the page written, a city's own map, and what is refused."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from maps import bpmn
from offices import invoice, mail, office
from vardag.core.errors import ConfigError, InputError, NotFoundError
from vardag.invoices import audit
from vardag.invoices.commands.map import look_at
from vardag.invoices.model import InvoiceState
from vardag.invoices.process.map_page import Viewer
from vardag.invoices.robot import Mode, people
from vardag.invoices.routines import PACKAGED, load_routine

VARDAG = Path(sys.executable).with_name("vardag")
MAIL = [mail(f"Makulera faktura 1000{number}, fel belopp", number=number) for number in range(5)]


def vardag_map(*arguments: str | Path, language: str = "en") -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "VARDAG_LANGUAGE": language}
    command = [VARDAG, "invoices", "map", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env)


def without_scripts(page: str) -> str:
    return re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)


@pytest.fixture
def worked(tmp_path: Path):  # type: ignore[no-untyped-def]
    """Five requests attended: one confirmed, one done by hand, one refused, two wait; a sixth is unclear."""
    done = office(
        tmp_path,
        [invoice(f"1000{number}") for number in range(5)],
        [*MAIL, mail("Hej, hur mår ni?", subject="Hej", number=9)],
        mode=Mode.ATTENDED,
    )
    done.work()
    people.approve(done.robot.store, 1, by="bo", reason="stämmer")
    people.close(done.robot.store, 2, by="bo", reason="gjort i kassan", done=True)
    people.close(done.robot.store, 3, by="bo", reason="nej", done=False)
    done.work()
    return done


def test_a_real_log_replays_on_the_map_with_nothing_off_it(worked, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    done = look_at(tmp_path, language="en", store=worked.robot.store).replayed
    assert done is not None
    assert (done.items, done.ended, done.standing) == (6, 3, {"confirm": 2, "handle": 1})
    assert (done.fitness, done.deviations, done.missing) == (1.0, (), 0)
    assert {step: done.went[step] for step in ("received", "confirm", "cancel", "done", "by_hand")} == {
        "received": 6, "confirm": 5, "cancel": 1, "done": 1, "by_hand": 1
    }  # fmt: skip
    assert done.went["refused_by_hand"] == 1 and done.went["handle"] == 1
    assert done.times["look_up"] == 7 and done.went["look_up"] == 6  # the confirmed one was looked up again
    assert done.flows["flow_confirmed_look_up"] == 1 and done.flows["flow_alone_cancel"] == 1
    assert done.flows["flow_settled_handle"] == 1 and "flow_settled_done" in done.flows
    assert "flow_settled_rejected" not in done.flows and done.restarts == 0


def test_every_step_that_was_taken_follows_in_the_picture(worked, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """What flows into a task or an end is what came there; each item came from the start once."""
    mapped = look_at(tmp_path, language="en", store=worked.robot.store)
    done = mapped.replayed
    assert done is not None
    for step in mapped.map.steps.values():
        into = sum(done.flows.get(flow.id, 0) for flow in mapped.map.flows if flow.target == step.id)
        out = sum(done.flows.get(flow.id, 0) for flow in mapped.map.leaving[step.id])
        if step.kind.value == "choice":
            assert into == out, step.id
        elif step.kind.value != "start":
            assert into == done.times.get(step.id, 0), step.id


def test_a_fault_begins_the_walk_again_and_is_no_deviation(tmp_path: Path) -> None:
    done = office(tmp_path, [invoice("10000")], MAIL[:1])
    broken = replace(done.robot, ledger=Broken(done.ledger))  # type: ignore[arg-type]
    office_broken = replace(done, robot=broken)
    office_broken.work()
    assert "fault" in [entry.event for entry in done.log]
    with done.robot.store.begin() as tx:
        tx.exec_driver_sql("UPDATE item SET retry_at = created_at")
    done.work()
    found = look_at(tmp_path, language="en", store=done.robot.store).replayed
    assert found is not None
    assert (found.fitness, found.ended, found.restarts) == (1.0, 1, 1)


class Broken:
    """A finance system that goes away when something is to be done in it."""

    def __init__(self, real: object) -> None:
        self.real = real

    def __getattr__(self, name: str) -> object:
        if name in {"find", "check"}:
            return getattr(self.real, name)
        raise ConnectionError("the finance system is away")


def test_what_is_written_past_the_map_is_shown(worked, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    store = worked.robot.store
    with store.begin() as tx:
        audit.append(tx, "reserved", actor="x", item=4)
        audit.append(tx, "decided", actor="x", item=4, action="refer", path=["confirm", "cancel", "fax"])
        audit.append(tx, "settled", actor="x", item=5, state="waiting")
    done = look_at(tmp_path, language="en", store=store)
    assert done.replayed is not None and done.replayed.fitness is not None and done.replayed.fitness < 1
    assert [(one.after, one.came, one.why, one.items) for one in done.replayed.deviations] == [
        ("cancel", "fax", "no_step", ("4",)),
        ("confirm", "", "outside", ("5",)),
        ("confirm", "cancel", "no_way", ("4",)),
    ]


def test_a_log_of_before_the_map_and_of_another_version_is_told(worked, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    store = worked.robot.store
    with store.begin() as tx:
        tx.exec_driver_sql("INSERT INTO item (key, mail, place, routine, target, state, created_at, changed_at, tries, approvals) SELECT 'old', mail, 9, routine, '', 'done', created_at, changed_at, 0, '[]' FROM item WHERE id = 1")  # fmt: skip # noqa: E501
        audit.append(tx, "settled", actor="x", item=7, state="done")
        audit.append(tx, "decided", actor="x", item=6, action="refer", map="abc")
    done = look_at(tmp_path, language="en", store=store)
    assert done.replayed is not None
    assert (done.replayed.left_out, done.replayed.other_versions) == (1, {"abc": 1})
    assert any("1 items were settled before the map" in limit for limit in done.limits)
    assert any("1 items went by another version" in limit for limit in done.limits)


def test_few_items_get_a_limit_and_one_gets_no_fitness(tmp_path: Path) -> None:
    done = office(tmp_path, [invoice("10000")], MAIL[:1])
    done.work()
    found = look_at(tmp_path, language="en", store=done.robot.store)
    assert any("One case is no routine" in limit for limit in found.limits)


@pytest.mark.parametrize(("language", "says"), [("en", "What was mended"), ("sv", "Vad som lagades")])
def test_the_page_is_complete_in_itself(tmp_path: Path, language: str, says: str) -> None:
    page = tmp_path / "map.html"
    done = vardag_map(tmp_path, "--out", page, language=language)
    assert done.returncode == 0, done.stderr
    text = unescape(page.read_text(encoding="utf-8"))
    assert says in text and f'lang="{language}"' in text and text.count('class="map" role="im') == 2
    addresses = set(re.findall(r"https?://[^\"'<>\s)]+", without_scripts(text)))
    assert addresses == {"http://www.w3.org/2000/svg"}
    assert "default-src 'none'" in text


def test_with_a_viewer_its_script_is_on_the_page_and_allowed_by_its_hash(tmp_path: Path) -> None:
    look_at(tmp_path, language="en", out=tmp_path / "map.html", viewer=Viewer("window.BpmnJS='</script>'", "a{}"))
    text = unescape((tmp_path / "map.html").read_text(encoding="utf-8"))
    assert text.count("</script>") == 2 and text.count("'sha256-") == 2
    assert "Read the mail" in text and "const maps" in text


@pytest.mark.parametrize("name", ["before", "after"])
def test_the_pictures_of_the_docs_are_those_of_the_command(tmp_path: Path, name: str) -> None:
    look_at(tmp_path, language="en", before=name == "before", out=tmp_path / "one.svg")
    kept = Path(__file__).parents[2] / "docs" / "images" / f"routine-{name}.svg"
    again = (
        f"vardag invoices map {'--before ' if name == 'before' else ''}--out {kept.relative_to(kept.parents[2])}"
    )
    assert kept.read_text(encoding="utf-8") == (tmp_path / "one.svg").read_text(encoding="utf-8"), again


def test_a_map_without_a_diagram_has_no_picture(tmp_path: Path) -> None:
    (tmp_path / "x.bpmn").write_text(bpmn("s start\na user\ne end", "s a\na e"), encoding="utf-8")
    with pytest.raises(InputError, match="has no diagram"):
        look_at(tmp_path / "x.bpmn", language="en", out=tmp_path / "one.svg")


def test_numbers_for_a_machine(tmp_path: Path) -> None:
    found = json.loads(vardag_map(tmp_path, "--json").stdout)
    assert found["minutes"] == {"robot": 12, "person": 17} and found["before"]["minutes"]["person"] == 28
    assert [step["kind"] for step in found["steps"] if step["id"] == "confirm"] == ["person"]
    assert len(found["mended"]) == 10 and found["replay"] is None


def test_the_map_before_is_peoples_alone(tmp_path: Path) -> None:
    found = json.loads(vardag_map(tmp_path, "--before", "--json").stdout)
    assert {step["kind"] for step in found["steps"]} == {"start", "person", "choice", "end"}


def test_a_citys_own_map_goes_before_the_packaged_one(tmp_path: Path) -> None:
    own = tmp_path / "routines" / "cancellation" / "after.bpmn"
    own.parent.mkdir(parents=True)
    own.write_text(bpmn("s start\nread service Läs\na user Titta\ne end", "s read\nread a\na e"), encoding="utf-8")
    found = look_at(tmp_path, language="sv", out=tmp_path / "map.html")
    assert found.path == own and found.before is None
    assert "Filen har inget diagram" in (tmp_path / "map.html").read_text(encoding="utf-8")
    own.write_text(own.read_text(encoding="utf-8").replace('targetRef="e"', 'targetRef="fax"'), encoding="utf-8")
    done = vardag_map(tmp_path)
    assert done.returncode == 3 and "there is no step fax" in " ".join(done.stderr.split())


def test_what_a_map_says_is_escaped(tmp_path: Path) -> None:
    evil = "&lt;img src=x onerror=alert(1)>&lt;/script>"
    text = (PACKAGED / "cancellation" / "after.bpmn").read_text(encoding="utf-8")
    path = tmp_path / "x.bpmn"
    path.write_text(text.replace("Läs mejlet", evil).replace("Roboten", evil))
    for viewer in (None, Viewer("1", "a{}")):
        look_at(path, language="sv", out=tmp_path / "map.html", viewer=viewer)
        page = (tmp_path / "map.html").read_text(encoding="utf-8")
        assert page.count("</script>") == (2 if viewer else 0)
        assert "<img" not in without_scripts(page)


def test_places_that_are_no_numbers_are_left_out_of_the_picture(tmp_path: Path) -> None:
    text = (PACKAGED / "cancellation" / "after.bpmn").read_text(encoding="utf-8")
    path = tmp_path / "x.bpmn"
    text = re.sub(r'(id="read_di" bpmnElement="read">\s*<dc:Bounds x=)"\d+"', r'\1"NaN"', text)
    path.write_text(re.sub(r'(id="decide_di" bpmnElement="decide">\s*<dc:Bounds x=)"\d+"', r'\1"1e300"', text))
    look_at(path, language="en", out=tmp_path / "map.html")
    page = (tmp_path / "map.html").read_text(encoding="utf-8")
    assert "nan" not in page.split("<svg")[1].split("</svg>")[0] and "<title>Look the invoice up" in page
    assert "<title>Read the mail" not in page and "Read the mail" in page  # in the list


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no such file or folder"):
        look_at(tmp_path / "none", language="en")
    with pytest.raises(NotFoundError, match="no routine address"):
        look_at(tmp_path, language="en", routine="address")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('step = "open"', 'step = "fax"', "entry 1: no step fax on the map"),
        ('became = "read"', 'became = "fax"', "entry 1: no step fax on the map"),
        ('kind = "legal"', 'kind = "moral"', "entry 5: kind 'moral'; expected one of legal"),
        ('kind = "legal"', "", "kind: Field required"),
        ("[[mended]]", "[mended]", "mended.toml: "),
        ('step = "open"', "step = ", "mended.toml: "),
    ],
)
def test_what_was_mended_names_what_is_there(tmp_path: Path, old: str, new: str, says: str) -> None:
    for name in ("before.bpmn", "after.bpmn", "mended.toml"):
        text = (PACKAGED / "cancellation" / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text.replace(old, new, 1) if name == "mended.toml" else text, encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        look_at(tmp_path / "after.bpmn", language="en")
    assert says in str(error.value)


def test_each_routine_is_replayed_on_its_own_map(tmp_path: Path) -> None:
    both = {name: load_routine(name) for name in ("cancellation", "reference")}
    asked = "Hej! Kan ni ändra vår referens på faktura 1000007 till PO-8842? Tack!\nAnna"
    draft = invoice("1000007", state=InvoiceState.DRAFT)
    mails = [mail(asked, subject="Ärende", number=7), *MAIL[:1]]
    done = office(tmp_path, [draft, invoice("10000")], mails, routines=both)
    done.work()
    people.close(done.robot.store, 1, by="bo", reason="bytt", done=True)
    done.work()
    store = done.robot.store
    reference = look_at(tmp_path, language="en", routine="reference", store=store).replayed
    assert reference is not None and (reference.items, reference.fitness, reference.ended) == (1, 1.0, 1)
    assert reference.times["change"] == 1 and reference.flows["flow_changed_answer"] == 1
    cancellation = look_at(tmp_path, language="en", store=store).replayed
    assert cancellation is not None and (cancellation.items, cancellation.fitness) == (1, 1.0)
