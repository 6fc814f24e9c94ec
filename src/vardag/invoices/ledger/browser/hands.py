"""Careful hands on a web page: what a person does with mouse and keyboard, each step seen to have worked.

Things are found by role and name, as a screen reader tells them, and nothing is run inside the page. After every
step the hands wait until the page is quiet and look: a dialog that nobody foresaw, a pop-up, or another window ends
the work with an error that names the screenshot taken there. What the dialogs of one finance system mean is told by
its `Manners`.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Literal

from vardag.invoices.ledger.browser.evidence import Evidence
from vardag.invoices.ledger.port import LedgerRefusedError
from vardag.invoices.model import ApplicationError

if TYPE_CHECKING:
    from playwright.sync_api import Dialog, Locator, Page, Request

Role = Literal["button", "cell", "checkbox", "combobox", "menuitem", "row", "tab", "textbox"]
QUIET_S = 0.15  # a page that asked for nothing so long has drawn what it got
LOOK_S = 0.05


@dataclass(frozen=True)
class Manners:
    """How a page behaves.

    Attributes
    ----------
    long_polls
        End of the addresses that the page keeps open for news; they are no sign of work.
    trouble
        Headings of pop-ups that leave what happened in doubt; a pop-up with another heading and one button to put
        it away is a refusal.
    """

    long_polls: tuple[str, ...] = ()
    trouble: frozenset[str] = field(default_factory=frozenset)


class Hands:
    """Hands on one page.

    Parameters
    ----------
    timeout_s
        Longest that a thing may take to appear, and the page to be quiet.
    """

    def __init__(self, page: "Page", evidence: Evidence, manners: Manners, *, timeout_s: float = 15.0) -> None:
        self.page, self.evidence, self.manners, self.timeout_s = page, evidence, manners, timeout_s
        self.foreseen = 0  # dialogs that we have opened
        self._waiting: set[Request] = set()
        self._heard = monotonic()
        self._surprises: list[str] = []
        page.set_default_timeout(timeout_s * 1000)
        page.on("request", self._asked)
        page.on("requestfinished", self._answered)
        page.on("requestfailed", self._answered)
        page.on("dialog", self._surprised)
        page.on("popup", lambda other: self._surprises.append("another window opened"))

    @contextmanager
    def step(self, name: str, *, acts: bool = False, refusable: bool = False) -> Iterator[None]:
        """One step: what is done in it, and a look at what came of it.

        Parameters
        ----------
        acts
            The step changes the books: a screenshot is taken before it too.
        refusable
            A pop-up that says no means that nothing was done; elsewhere it is only unforeseen.

        Raises
        ------
        LedgerRefusedError
            When the page said no to a step that may be refused.
        ApplicationError
            When anything else came than the step foresaw.
        """
        from playwright.sync_api import Error  # noqa: PLC0415 - an extra

        self._look(name, refusable=False)
        if acts:
            self.picture(f"{name} before")
        try:
            yield
            self.settle()
            self._look(name, refusable=refusable)
        except Error as error:
            # What Playwright says may quote the page, or what was typed: never told, for it may be the password.
            self._look(name, refusable=refusable)
            raise self.wrong(name, f"the page did not answer as foreseen ({type(error).__name__})") from None
        self.picture(f"{name} after" if acts else name)

    def wrong(self, step: str, why: str) -> ApplicationError:
        """An error that names the screenshot of this moment."""
        return ApplicationError(f"{why}, at the step '{step}'. See {self.picture(f'{step} stopped')}.")

    def refused(self, step: str, why: str) -> LedgerRefusedError:
        """A refusal that names the screenshot of this moment."""
        return LedgerRefusedError(f"{why} See {self.picture(f'{step} refused')}.")

    def picture(self, name: str) -> str:
        """Take a screenshot, passwords covered, and say where it is; nothing where the page is gone."""
        from playwright.sync_api import Error  # noqa: PLC0415

        covered = [self.page.locator("input[type=password]")]
        try:
            picture = self.page.screenshot(mask=covered, animations="disabled", caret="hide")
        except Error:
            return "no picture: the browser is gone"
        return f"{self.evidence.folder.name}/{self.evidence.keep(name, picture).name}"

    def settle(self) -> None:
        """Wait until the page has been quiet for a moment."""
        until = monotonic() + self.timeout_s
        self._heard = monotonic()
        while self._waiting or monotonic() - self._heard < QUIET_S:
            if monotonic() > until:
                raise self.wrong("wait", f"the page was still busy after {self.timeout_s:.0f} s")
            self.page.wait_for_timeout(LOOK_S * 1000)

    def find(self, role: Role, name: str, within: "Locator | None" = None) -> "Locator":
        """The one visible thing with this role and exactly this name; Playwright raises where there are two."""
        return (within or self.page.locator("body")).get_by_role(role, name=name, exact=True).filter(visible=True)

    def click(self, role: Role, name: str, within: "Locator | None" = None) -> None:
        """Click on it."""
        self.find(role, name, within).click()

    def fill(self, name: str, text: str, within: "Locator | None" = None) -> None:
        """Write in the field with this label, go on to the next, and see that it holds what was written."""
        self._fill(self.find("textbox", name, within), name, text)

    def fill_in(self, box: "Locator", name: str, text: str) -> None:
        """Write in a field that has no label of its own; `name` is for the message."""
        self._fill(box, name, text)

    def read(self, name: str, within: "Locator | None" = None) -> str:
        """What the field with this label holds; empty where the page does not show it."""
        box = self.find("textbox", name, within)
        return box.input_value().strip() if box.count() else ""

    def chosen(self, name: str, within: "Locator | None" = None) -> str:
        """What is chosen in the list with this label."""
        return self.find("combobox", name, within).locator("option:checked").inner_text().strip()

    def dialog(self, heading: str) -> "Locator":
        """The dialog whose heading begins with these words; the next look expects one more."""
        return self._dialog(re.compile("^" + re.escape(heading)))

    def dialog_about(self, heading: str) -> "Locator":
        """The dialog whose heading ends with these words."""
        return self._dialog(re.compile(re.escape(heading) + "$"))

    def _dialog(self, heading: re.Pattern[str]) -> "Locator":
        from playwright.sync_api import expect  # noqa: PLC0415

        told = self.page.get_by_role("heading", name=heading)
        found = self.page.get_by_role("dialog").filter(visible=True).filter(has=told)
        expect(found).to_have_count(1, timeout=self.timeout_s * 1000)
        self.foreseen += 1
        return found

    def put_away(self, dialog: "Locator", button: str) -> None:
        """Close a dialog that we opened."""
        self.click("button", button, dialog)
        dialog.wait_for(state="hidden")
        self.foreseen -= 1

    def answered(self, dialog: "Locator") -> None:
        """Wait until a dialog that we answered has gone, or another one has come on top of it."""
        until = monotonic() + self.timeout_s
        while dialog.is_visible() and self.page.get_by_role("dialog").filter(visible=True).count() <= self.foreseen:
            if monotonic() > until:
                raise self.wrong("answer", f"the dialog was still there after {self.timeout_s:.0f} s")
            self.page.wait_for_timeout(LOOK_S * 1000)
        self.foreseen -= int(not dialog.is_visible())

    def _fill(self, box: "Locator", name: str, text: str) -> None:
        box.fill(text)
        box.press("Tab")
        if box.input_value() != text:
            raise self.wrong(f"fill {name}", f"the field '{name}' does not hold what was written in it")

    def _look(self, step: str, *, refusable: bool) -> None:
        """Nothing may stand on the page that nobody foresaw."""
        if self._surprises:
            raise self.wrong(step, self._surprises[0])
        dialogs = self.page.get_by_role("dialog").filter(visible=True)
        if dialogs.count() <= self.foreseen:
            return
        top = dialogs.last
        alerts = top.get_by_role("alert").get_by_role("heading")
        heading = alerts.first.inner_text().strip() if alerts.count() else ""
        said = " ".join(top.inner_text().split())[:120]
        alone = top.get_by_role("button").count() == 1 and top.get_by_role("heading").count() == alerts.count()
        if refusable and heading and alone and heading not in self.manners.trouble:
            raise self.refused(step, heading)
        raise self.wrong(step, f"a dialog that nobody foresaw says: {said}")

    def _asked(self, request: "Request") -> None:
        if not request.url.split("#")[0].endswith(self.manners.long_polls or ("\0",)):
            self._waiting.add(request)

    def _answered(self, request: "Request") -> None:
        self._waiting.discard(request)
        self._heard = monotonic()

    def _surprised(self, dialog: "Dialog") -> None:
        self._surprises.append(f"the browser asked: {dialog.message[:200]}")
        dialog.dismiss()
