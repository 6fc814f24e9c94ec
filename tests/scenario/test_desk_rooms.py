"""The desk's rooms about the robot as a whole: the map, the ladder, the obstacles, the account; and objections."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from desks import Browser, browser, serving, staffed
from offices import Office, demands, invoice, mail, office
from vardag.app.desk import site, words
from vardag.app.desk.headers import ALWAYS
from vardag.invoices import ladder
from vardag.invoices.commands import obstacles as register
from vardag.invoices.hours import TEXTS
from vardag.invoices.ladder import Level
from vardag.invoices.model import InvoiceState
from vardag.invoices.robot import Mode, signing
from vardag.invoices.routines import load_routine
from vardag.invoices.workitems import State

EN = "en"


@pytest.fixture
def found(tmp_path: Path) -> Office:
    """One invoice cancelled alone, one that waits for a person."""
    mails = [mail("Makulera faktura 1234567. Fel mottagare."), mail("Vi vill att fakturan makuleras.", number=2)]
    mails += [mail("Makulera faktura 3456789. Fel mottagare.", number=3, sender="x@elsewhere.example")]
    made = staffed(office(tmp_path, [invoice("1234567"), invoice("3456789")], mails))
    made.work()
    return made


@pytest.fixture
def url(found: Office, tmp_path: Path) -> Iterator[str]:
    with serving(found, tmp_path) as address:
        yield address


@pytest.fixture
def one(url: str) -> Iterator[Browser]:
    with browser(url) as made:
        yield made


def row(page: str, name: str) -> str:
    """The row of a table that begins with something, or else has it in it, as a person reads it."""
    rows = [re.sub(r"<[^>]+>", " ", part) for part in re.findall(r"<tr>(.*?)</tr>", page, flags=re.DOTALL)]
    told = [" ".join(one.split()).replace("&#39;", "'") for one in rows]
    return next(one for one in (*(one for one in told if one.startswith(name)), *told) if name in one)


# The map


def test_the_map_shows_where_items_stand_and_which_ways_they_went(found: Office, one: Browser) -> None:
    one.enter(found, "rut").get("/map")
    waiting = next(item for item in found.items if item.state is State.WAITING)
    steps = found.robot.routines["cancellation"].map.steps
    standing = steps[waiting.at or ""].named(EN)
    assert one.status == 200 and "3 work items have gone by the map" in one.text
    told = row(one.page, standing)
    assert re.search(r"a person's [^0-9]+ 1 1 ", told), told
    picture = re.search(r"<svg.*?</svg>", one.page, flags=re.DOTALL)
    assert picture is not None and standing.split()[0] in picture[0]
    assert 'class="count"' in picture[0] and "<style" not in picture[0] and "style=" not in picture[0]
    assert "Suggest a change" not in one.text  # the auditor does nothing


def test_the_pictures_style_is_a_file_of_the_desks_own(found: Office, one: Browser) -> None:
    answer = one.enter(found, "karin").http.get("/map/style.css")
    assert answer.headers["content-type"].startswith("text/css") and ".map .robot" in answer.text
    assert "style-src 'self'" in ALWAYS["Content-Security-Policy"]
    assert one.get("/map").page.count('href="/map/style.css"') == 1


def test_a_change_to_a_step_is_suggested_from_the_map(found: Office, one: Browser) -> None:
    one.enter(found, "karin").get("/map")
    (link,) = re.findall(r'href="(/suggestions\?about=map&amp;target=decide#new)"', one.page)
    one.get(link.replace("&amp;", "&").partition("#")[0])
    assert 'value="map" required checked' in one.page and 'value="decide"' in one.page
    one.post("/suggestions", about="map", target="decide", text="Fråga avsändaren först.")
    assert one.status == 200 and "decide" in row_of_suggestion(one)
    assert found.log[-1].body["target"] == "decide"


def row_of_suggestion(one: Browser) -> str:
    told = re.search(r"<article.*?</article>", one.page, flags=re.DOTALL)
    assert told is not None
    return told[0]


def test_each_routine_has_its_own_map_and_its_items_their_title(tmp_path: Path) -> None:
    both = {name: load_routine(name) for name in ("cancellation", "reference")}
    text = "Hej! Kan ni ändra vår referens på faktura 1234567 till 4711-ABC?\nAnna"
    books = [invoice("1234567", state=InvoiceState.DRAFT)]
    made = staffed(office(tmp_path, books, [mail(text, subject="Ärende")], routines=both))
    made.work()
    with serving(made, tmp_path) as url, browser(url) as karin:
        karin.enter(made, "karin").get("/map?routine=reference")
        assert "Map: Change an invoice&#39;s reference" in karin.page
        assert "1 work items have gone by the map" in karin.text
        assert "target=reference%2F" in karin.page or "target=reference/" in karin.page
        assert "0 work items have gone by the map" in karin.get("/map?routine=nonsense").text
        assert "Change an invoice's reference" in karin.get("/item/1").text
        assert "new_reference" in karin.text and "4711-ABC" in karin.text
    gone = replace(made.robot, routines={"cancellation": both["cancellation"]})
    made.robot = gone  # the robot follows the routine no more, and its items are shown all the same
    with serving(made, tmp_path) as url, browser(url) as karin:
        karin.enter(made, "karin").get("/item/1")
        assert karin.status == 200 and "change_reference" in karin.text


# The ladder


def test_the_ladder_shows_each_rule_and_what_its_next_step_needs(tmp_path: Path) -> None:
    asked = demands(attended_volume=3, attended_agreement=0.5)
    made = staffed(office(tmp_path, [invoice("1234567")], [], mode=Mode.SHADOW, signed=Level.SHADOW, demands=asked))
    with serving(made, tmp_path) as url, browser(url) as conny, browser(url) as petra:
        conny.enter(made, "conny").get("/ladder")
        assert conny.status == 200 and "The robot's mode is shadow" in conny.text
        told = row(conny.page, "posted ")
        assert "shadow 0 – attended: 6 more that all agree never" in told, told
        assert "Sign a step" not in conny.text
        petra.enter(made, "petra").get("/ladder")
        assert "Sign a step" in petra.text
        for level, why in (
            ("attended", "posted has not earned attended: people agreed with 0 of 0 decisions. At least 6 more"),
            ("unattended", "no step passes over attended"),
            ("shadow", "posted stands at shadow already"),
        ):
            petra.post("/ladder", rule="cancellation/posted", level=level, reason="fyra veckor")
            assert petra.status == 409 and why in petra.text and "fyra veckor" in petra.page, level
        petra.post("/me/language", language="sv", onward="/ladder")
        petra.post("/ladder", rule="cancellation/posted", level="attended", reason="fyra veckor")
        assert petra.status == 409 and "har inte förtjänat övervakad" in petra.text
    with made.robot.store.read() as tx:
        assert ladder.steps(tx) == []


def test_the_owner_signs_steps_and_nobody_else(found: Office, one: Browser, url: str) -> None:
    one.enter(found, "petra").get("/ladder")
    assert "unattended" in row(one.page, "posted ") and "test, " in row(one.page, "posted ")
    assert one.post("/ladder", rule="cancellation/posted", level="shadow", reason=" ").status == 422
    assert one.post("/ladder", rule="cancellation/nonsense", level="shadow", reason="x").status == 422
    assert one.post("/ladder", rule="cancellation/posted", level="heaven", reason="x").status == 422
    one.post("/ladder", rule="cancellation/posted", level="shadow", reason="fel mottagare <b>två</b> gånger")
    assert one.status == 200 and "Signed." in one.text
    told = row(one.page, "posted ")
    assert "shadow" in told and "petra, " in told and "&lt;b&gt;två" in told
    one.post("/ladder", rule="all", level="attended", reason="alla under uppsikt")
    places = signing.on_the_ladder(found.robot.routines, found.robot.policy)
    stands = signing.state(found.robot.store, places, demands=found.robot.demands)
    assert {stand.level for stand in stands} == {Level.ATTENDED} and "Signed." in one.text
    signed = [entry for entry in found.log if entry.event == "ladder" and entry.body["actor"] == "petra"]
    assert len(signed) == 1 + len(stands)
    with browser(url) as karin:
        karin.enter(found, "karin").get("/ladder")
        assert karin.post("/ladder", rule="all", level="unattended", reason="x").status == 403


# Objections


def test_what_was_wrong_counts_against_its_rule(found: Office, one: Browser) -> None:
    settled = next(item for item in found.items if item.state is State.DONE)
    path = f"/item/{settled.id}"
    one.enter(found, "karin").get(path)
    assert "This was wrong" in one.text
    assert one.post(f"{path}/object", reason=" ").status == 422 and "Write what was wrong" in one.text
    one.post(f"{path}/object", reason="kunden hade redan betalat")
    assert one.status == 200 and "It counts against the rule" in one.text and "This was wrong" not in one.text
    assert found.log[-1].event == "objected" and found.log[-1].body["reason"] == "kunden hade redan betalat"
    assert one.post(f"{path}/object", reason="igen").status == 409
    told = row(one.get("/ladder").page, found.log[-1].body["rule"] + " ")
    assert " 1 0.0 % 0.0–97.5 %" in told, told
    waiting = next(item for item in found.items if item.state is State.WAITING)
    assert "This was wrong" not in one.get(f"/item/{waiting.id}").text
    one.post(f"/item/{waiting.id}/decide", choice="done", reason="klart")
    assert "This was wrong" not in one.get(f"/item/{waiting.id}").text  # a person settled it
    assert one.post(f"/item/{waiting.id}/object", reason="x").status == 409


def test_the_citys_own_demands_make_a_rule_fall(tmp_path: Path) -> None:
    asked = demands(window=1, most_disagreements=0, control_share=1.0)
    text = "Makulera faktura 1234567. Fel mottagare."
    made = office(tmp_path, [invoice("1234567")], [mail(text)], demands=asked)
    staffed(made).work()
    with serving(made, tmp_path) as url, browser(url) as karin:
        karin.enter(made, "karin").get("/item/1")
        karin.post("/item/1/decide", choice="refuse", reason="ska inte makuleras")
        told = row(karin.get("/ladder").page, "went back by itself")
    assert "people agreed with 0 of 1" in told


# Obstacles


def test_without_a_register_the_page_says_that_nobody_has_looked(found: Office, one: Browser) -> None:
    one.enter(found, "adam").get("/obstacles")
    assert one.status == 200 and "nobody has looked" in one.text


def test_the_register_is_shown_what_blocks_first(found: Office, one: Browser, tmp_path: Path) -> None:
    path = tmp_path / "obstacles.yaml"
    path.write_text(register.example("sv"), encoding="utf-8")
    one.enter(found, "petra").get("/obstacles")
    entries = register.obstacles(tmp_path, language="sv")
    shown = re.findall(r"<code>([a-z]+-[a-z-]+)</code>", one.page)
    assert shown == [entry.id for entry in entries] and entries[0].stops
    assert "blocks" in row(one.page, entries[0].id) and entries[0].owner in row(one.page, entries[0].id)
    assert "does not work unattended" in one.text and "vardag invoices readiness" in one.text
    path.write_text("- id: x\n  kind: wrong\n", encoding="utf-8")
    one.get("/obstacles")
    assert one.status == 200 and "cannot be used" in one.text and "entry 1 (x)" in one.text
    assert str(tmp_path) not in one.page


# The account


def test_the_report_shows_the_account_and_what_it_does_not_know(
    found: Office, one: Browser, tmp_path: Path
) -> None:
    freed = (
        f'- {{month: {found.log[-1].at[:7]}, hours: 2, to: "samtal <b>före</b> påminnelsen", said_by: chefen}}\n'
    )
    (tmp_path / "freed.yaml").write_text(freed, encoding="utf-8")
    one.enter(found, "conny").get("/report")
    assert one.status == 200
    assert "posted" in row(one.page, "posted") and "samtal &lt;b&gt;före" in row(one.page, "samtal")
    for language in ("en", "sv"):
        one.get("/me").post("/me/language", language=language, onward="/report")
        told = row(one.page, TEXTS("outcome_cancelled_alone", language))
        assert TEXTS("source_assumed", language) in told, told
        assert row(one.page, TEXTS("in_all", language)) and TEXTS("limits", language) in one.text
        assert TEXTS("limit_robot_cost", language) in one.text


def test_the_rooms_speak_both_languages(found: Office, one: Browser, tmp_path: Path) -> None:
    (tmp_path / "obstacles.yaml").write_text(register.example("sv"), encoding="utf-8")
    one.enter(found, "petra")
    for path, english, swedish in (
        ("/map", "All steps", "Alla steg"),
        ("/ladder", "Last signed", "Senast undertecknat"),
        ("/obstacles", "What would remove it", "Undanröjs av"),
        ("/report", "Rules that settled", "Regler som avgjorde"),
    ):
        one.get("/me").post("/me/language", language="en", onward=path)
        assert english in one.text and '<html lang="en">' in one.page, path
        one.post("/me/language", language="sv", onward=path)
        assert swedish in one.text and '<html lang="sv">' in one.page, path


def test_every_word_that_the_rooms_say_is_in_the_texts() -> None:
    for kind, codes in (("level", Level), ("menu", [place.name for place in site.menu()])):
        assert [code for code in codes if not words.TEXTS.has(f"{kind}_{code}")] == []
