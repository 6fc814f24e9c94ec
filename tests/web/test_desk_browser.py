"""The desk in a real Chromium: a day at it, by keyboard alone too, held against axe-core; pictures for the docs.

``VARDAG_PICTURES=docs/images`` writes the pictures (``make pictures``).
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from desks import PASSWORD, serving, staffed
from offices import DOMAIN, Office, invoice, mail, office
from servers import axe
from vardag.app.desk.visit import VENDOR
from vardag.core.errors import NotFoundError
from vardag.invoices.ledger.browser.chromium import QUIET, browser_program
from vardag.invoices.model import Customer, Money
from vardag.invoices.workitems import State

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PICTURES = os.environ.get("VARDAG_PICTURES", "")
ASKED = (
    "Hej!\n\nVi har fått faktura 1234567 på 15 000 kr för en markyta som vi inte hyr längre.\n"
    "Den har gått till fel mottagare, så jag vill att ni makulerar faktura 1234567.\n\n"
    "Vänliga hälsningar\nAnna Berg"
)
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice")


@dataclass
class Window:
    """A browser at a desk that is served, and all that the browser was heard to ask for."""

    office: Office
    url: str
    browser: "Browser"
    asked: list[str]

    def open(self, name: str = "", *, scripts: bool = True, width: int = 1280, **more: Any) -> "Page":
        """A window of somebody's own; signed in, where a name is given."""
        context = self.browser.new_context(
            java_script_enabled=scripts, viewport={"width": width, "height": 900}, locale="sv-SE", **more
        )
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("request", lambda request: self.asked.append(request.url))
        page.on(
            "console", lambda told: self.asked.append(f"console: {told.text}") if told.type == "error" else None
        )
        if name:
            page.goto(self.url)
            page.get_by_label("Användarnamn").fill(name)
            page.get_by_label("Lösenord").fill(PASSWORD)
            page.get_by_role("button", name="Logga in").click()
            page.get_by_role("button", name="Logga ut").wait_for()
        return page


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """Chromium, as the system has it; without it the test is skipped by name, in CI it fails."""
    try:
        program = browser_program(None)
    except NotFoundError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(f"browser: {error}")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(program), args=[*QUIET, "--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def window(browser: "Browser", tmp_path: Path) -> Iterator[Window]:
    """A queue with a large invoice that needs four eyes, and some others."""
    asked: list[str] = []
    invoices = [
        invoice("1234567", total=Money(Decimal(15_000)), reference="12345674"),
        invoice("2345678", total=Money(Decimal("4312.50")), reminders=2),
        invoice("3456789", total=Money(Decimal(980)), customer=Customer("1002", "Lind & Lind HB")),
    ]
    mails = [
        mail(ASKED, subject="Makulera faktura 1234567"),
        mail("Makulera faktura 2345678, den är dubbel.", number=2),
        mail("Makulera faktura 3456789 tack. Fel mottagare.", number=3, sender="kund@elsewhere.example"),
        mail("Hej, vi vill att fakturan makuleras.\nAnna", number=4),
    ]
    found = office(tmp_path, invoices, mails)
    found.work()
    staffed(found, language="sv")
    with serving(found, tmp_path) as url:
        yield Window(found, url, browser, asked)
    assert [one for one in asked if not one.startswith((url, "data:"))] == [
        one for one in asked if re.match(r"console: .*status of 4\d\d", one)
    ]


def picture(page: "Page", name: str, part: str = "") -> None:
    """Take a picture of the page, or a part of it, for the docs, where they are asked for."""
    path = Path(PICTURES) / f"desk-{name}.png"
    if PICTURES and part:
        page.locator(part).screenshot(path=path, animations="disabled")
    elif PICTURES:
        page.screenshot(path=path, full_page=True, animations="disabled")


def no_barriers(page: "Page") -> None:
    """Let axe-core look at the page as it stands."""
    page.evaluate(axe.require().read_text(encoding="utf-8"))
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", list(RULES))
    told = [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found["violations"]
        for node in one["nodes"]
    ]
    assert told == []
    assert len(found["passes"]) > 15


def test_a_day_at_the_desk(window: Window) -> None:
    """From the queue to a decision that two persons take, and a suggestion that is answered."""
    karin = window.open("karin")
    karin.get_by_role("link", name="Ärende 1", exact=True).wait_for()
    picture(karin, "queue")
    karin.get_by_role("link", name="Ärende 1", exact=True).click()
    marks = karin.locator("mark").all_inner_texts()
    assert [re.sub(r"\s+", " ", mark) for mark in marks if "1234567" in mark]
    assert any("till fel" in mark for mark in marks) and any("15 000" in mark for mark in marks)
    if (VENDOR / "htmx.min.js").is_file():
        karin.get_by_text("Eks Bygg AB").wait_for()  # it came by itself, after the page
    else:
        karin.get_by_role("link", name="Hämta den från ekonomisystemet").click()
    picture(karin, "item")
    decide(karin, "Bekräfta", "Kunden har ringt, ytan är uppsagd.")
    window.office.work()
    karin.goto(f"{window.url}/item/1")
    karin.get_by_text("Bekräftat av: karin").wait_for()
    assert karin.get_by_role("radio", name="Bekräfta").is_disabled()
    suggest(karin, "Höj gränsen för fyra ögon till 20 000 kr: beloppen under den är aldrig fel.")
    olle = window.open("olle")
    olle.goto(f"{window.url}/item/1?invoice=1")
    picture(olle, "four-eyes", "section:has(#why)")
    decide(olle, "Bekräfta", "Stämmer med avtalet.")
    window.office.work()
    assert window.office.items[0].state is State.DONE
    assert [note.invoice for note in window.office.ledger.notes] == ["1234567"]
    petra = window.open("petra")
    petra.get_by_role("link", name="Förslag").click()
    picture(petra, "suggestions")
    petra.get_by_label("Svar", exact=True).fill("Bra, jag tar det till nämnden.")
    petra.get_by_role("button", name="Anta").click()
    petra.get_by_text("Antaget").wait_for()


def decide(page: "Page", choice: str, reason: str) -> None:
    page.get_by_role("radio", name=choice).check()
    page.get_by_label("Motivering").fill(reason)
    page.get_by_role("button", name="Besluta").click()
    page.get_by_role("status").get_by_text("Bekräftat.").wait_for()


def suggest(page: "Page", text: str) -> None:
    page.get_by_text("Föreslå en ändring").click()
    page.get_by_label("Vad vill du ändra, och varför?").fill(text)
    page.get_by_role("button", name="Skicka förslaget").click()
    page.get_by_text("Tack. Processägaren ser ditt förslag").wait_for()


def test_without_scripts_everything_works(window: Window) -> None:
    page = window.open("karin", scripts=False)
    page.get_by_role("link", name="Ärende 1", exact=True).click()
    assert page.get_by_text("Eks Bygg AB").count() == 0
    page.get_by_role("link", name="Hämta den från ekonomisystemet").click()
    page.get_by_text("Eks Bygg AB").wait_for()
    decide(page, "Bekräfta", "Stämmer.")
    page.goto(f"{window.url}/item/2")
    suggest(page, "Fråga inte igen.")
    page.get_by_role("button", name="English").click()
    page.get_by_role("heading", name="Why it waits").wait_for()


def test_the_keyboard_is_enough(window: Window) -> None:
    """Sign in, open an item, decide and sign out, with no pointer; what has the focus can be seen."""
    page = window.open()
    page.goto(window.url)
    press(page, until="name")
    page.keyboard.type("karin")
    press(page, until="password")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Logga ut").wait_for()
    page.keyboard.press("Tab")
    assert focused(page)["text"] == "Till innehållet" and focused(page)["shown"]
    page.keyboard.press("Enter")
    press(page, until="Ärende 1")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Besluta").wait_for()
    press(page, until="choice_confirm")
    page.keyboard.press("Space")
    press(page, until="reason")
    page.keyboard.type("Stämmer.")
    press(page, until="Besluta")
    page.keyboard.press("Enter")
    page.get_by_text("Bekräftat.").wait_for()
    press(page, until="Logga ut")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Logga in").wait_for()


FOCUS = """() => {
  const one = document.activeElement, style = getComputedStyle(one), place = one.getBoundingClientRect();
  const outline = parseFloat(style.outlineWidth) * (style.outlineStyle != 'none');
  return {id: one.id, text: one.textContent.trim(), outline, shown: place.width > 1 && place.height > 1};
}"""


def focused(page: "Page") -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(FOCUS)
    return found


def press(page: "Page", *, until: str) -> None:
    """Go on with the tabulator until something has the focus; everything on the way shows that it has it."""
    for _ in range(60):
        now = focused(page)
        if until in {now["id"], now["text"]}:
            return
        page.keyboard.press("Tab")
        now = focused(page)
        assert now["id"] == "main" or now["text"].startswith("Vardag") or now["outline"] >= 2, now
    pytest.fail(f"the tabulator never came to {until}; it is at {focused(page)}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_keeps_anybody_out(window: Window, scheme: str) -> None:
    """axe-core, WCAG 2.1 AA and good practice, on every page, light and dark, with and without an error."""
    karin = window.open(color_scheme=scheme, bypass_csp=True)
    karin.goto(f"{window.url}/sign-in")
    no_barriers(karin)
    karin = window.open("karin", color_scheme=scheme, bypass_csp=True)
    no_barriers(karin)
    for path in ("/item/1?invoice=1", "/item/2", "/suggestions", "/me", "/nowhere", "/report"):
        karin.goto(window.url + path)
        no_barriers(karin)
    karin.goto(f"{window.url}/item/1?invoice=1")
    suggest(karin, "Något borde ändras.")
    karin.get_by_label("Motivering").evaluate("one => one.form.noValidate = true")
    karin.get_by_role("button", name="Besluta").click()
    karin.get_by_role("alert").wait_for()
    no_barriers(karin)
    rut, adam, petra = (
        window.open(name, color_scheme=scheme, bypass_csp=True) for name in ("rut", "adam", "petra")
    )
    for page, paths in (
        (rut, ("/log?item=1", "/report", "/item/1", "/people", "/map", "/obstacles")),
        (adam, ("/people", "/item/1", "/")),
        (petra, ("/suggestions", "/ladder", "/")),
    ):
        for path in paths:
            page.goto(window.url + path)
            no_barriers(page)
    rut.goto(f"{window.url}/log?item=1")
    if scheme == "light":
        picture(rut, "log")
        adam.goto(f"{window.url}/people")
        picture(adam, "people")
        rut.goto(f"{window.url}/map")
        picture(rut, "map", "section:has(#picture)")
        petra.goto(f"{window.url}/ladder")
        picture(petra, "ladder")


def test_at_320_pixels_nothing_runs_off_the_side(window: Window) -> None:
    for name, paths in (
        ("karin", ("/", "/item/1?invoice=1", "/suggestions", "/me")),
        ("rut", ("/log?item=1", "/report", "/map", "/ladder", "/obstacles")),
        ("adam", ("/people",)),
    ):
        page = window.open(name, width=320)
        for path in paths:
            page.goto(window.url + path)
            wide = page.evaluate("() => document.documentElement.scrollWidth")
            assert wide <= 320, (path, wide)
        if name == "karin":
            page.goto(f"{window.url}/")
            picture(page, "narrow")


def test_a_hostile_mail_runs_nothing(browser: "Browser", tmp_path: Path) -> None:
    evil = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
    letter = mail(f"Makulera faktura 1234567. {evil}", subject=f"Makulera {evil}")
    found = office(tmp_path, [replace(invoice("1234567"), comment=evil)], [letter], allow_list=())
    found.work()
    staffed(found, "karin", language="sv")
    asked: list[str] = []
    with serving(found, tmp_path) as url:
        page = Window(found, url, browser, asked).open("karin")
        for path in ("/item/1?invoice=1", "/"):
            page.goto(url + path)
            page.wait_for_load_state("networkidle")
            assert page.title() != "taken"
        page.goto(f"{url}/item/1?invoice=1")
        assert page.get_by_text("onerror=").count() >= 2
    assert [one for one in asked if not one.startswith(url)] == []
    assert DOMAIN not in "".join(asked)


def test_a_link_from_another_site_finds_the_session(window: Window) -> None:
    """The cookie stays at home when a link in a mail is followed; the desk asks the browser once more."""
    page = window.open("karin").context.new_page()
    page.goto(window.url.replace("127.0.0.1", "localhost") + "/static/desk.css")
    page.evaluate(FOLLOW, f"{window.url}/item/1")
    page.get_by_role("heading", name="Ärende 1").wait_for()


FOLLOW = """url => {
  const link = document.createElement('a');
  link.href = url;
  document.body.append(link);
  link.click();
}"""
