"""Tryton's web client as a person meets it: the desk, the list of customer invoices, and an invoice's form.

Nothing is decided here. Each method is some steps of `Hands`, and says afterwards what stands on the page.

Source: ``tryton-sao`` 8.0 and 8.2 (``src/window.js``, ``src/tab.js``, ``src/screen.js``).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

from vardag.invoices.ledger.browser.hands import Hands, Manners
from vardag.invoices.ledger.browser.words import Words
from vardag.invoices.model import ApplicationError

if TYPE_CHECKING:
    from playwright.sync_api import Locator

MOST_ROWS = 1000  # the client shows no more at a time
PAGES = {"cancel_move": "info", "currency": "invoice"}  # where a field stands in the form
LONG_POLLS = ("/bus",)
Row = Mapping[str, str]


@dataclass(frozen=True)
class Form:
    """What an invoice's form says."""

    number: str
    reference: str
    state: str
    party: str
    issued: date | None
    total: Decimal
    currency: str
    to_pay: Decimal
    due: date | None
    comment: str
    cancel_move: str


@dataclass(frozen=True)
class Log:
    """What the record's log says."""

    id: str
    created_by: str


def manners(words: Words) -> Manners:
    """How this client behaves."""
    return Manners(long_polls=LONG_POLLS, trouble=words.trouble)


class TrytonPage:
    """Tryton's web client under careful hands."""

    def __init__(self, hands: Hands, words: Words) -> None:
        self.hands, self.words = hands, words

    @property
    def panel(self) -> "Locator":
        """What is open on the desk."""
        return self.hands.page.get_by_role("tabpanel").filter(visible=True).first

    @property
    def menu(self) -> "Locator":
        """The menu at the left."""
        return self.hands.page.get_by_role("navigation").last

    def open(self, url: str, database: str, user: str, secret: Callable[[], str]) -> None:
        """Come to the desk, unless we are there; log in where the page asks for it."""
        from playwright.sync_api import Error  # noqa: PLC0415

        words, page = self.words, self.hands.page
        if page.url.startswith(url):
            return
        try:
            page.goto(f"{url}/#{database}", wait_until="load")
        except Error as error:
            raise self.hands.wrong("open", f"{url} does not answer ({type(error).__name__})") from None
        login = page.get_by_role("button", name=words.login, exact=True)
        desk = self.menu.get_by_role("row").first
        self.hands.foreseen = 2  # the login may be there already
        with self.hands.step("open"):
            self._password.or_(login).or_(desk).or_(page.get_by_role("alert")).first.wait_for()
            asked, known = login.is_visible(), self._password.is_visible()
            self.hands.foreseen = int(asked or known)
        if asked:
            with self.hands.step("user name"):
                self.hands.fill(words.user, user)
                self.hands.foreseen = 2  # the page asks for the password in a dialog of its own
                self.hands.click("button", words.login)
        if asked or known:
            self._give_password(user, secret)

    @property
    def _password(self) -> "Locator":
        return self.hands.page.locator("input[type=password]")

    def _give_password(self, user: str, secret: Callable[[], str]) -> None:
        """Give the password to the dialog that asks for this user's."""
        hands, box = self.hands, self._password
        with hands.step("password"):
            if hands.find("textbox", self.words.password.format(user=user)).count() != 1:
                raise hands.wrong("password", f"the page asks for another password than that of {user}")
            box.fill(secret())
            hands.foreseen = 0
            box.press("Enter")
            box.or_(self.menu.get_by_role("row").first).first.wait_for()
            hands.settle()
            if box.is_visible():
                raise hands.wrong("password", f"{user} cannot log in. Check user, password and database")

    def who(self) -> str:
        """Name of the user that is logged in, as the page tells it in its corner."""
        told = self.hands.page.get_by_role("button", name=re.compile(r" \[[A-Z]{3}\]$")).filter(visible=True)
        return told.inner_text().rpartition(" [")[0].strip()

    def entries(self) -> list[str]:
        """What the menu offers at its top."""
        return [text.strip() for text in self.menu.get_by_role("row").all_inner_texts()]

    def go(self, path: Sequence[str]) -> None:
        """Open a list from the menu, with all its rows."""
        hands, words = self.hands, self.words
        with hands.step(f"menu {path[-1]}"):
            for tab in reversed(self._tabs().all()):
                tab.click()
            for branch, leaf in pairwise(path):
                self._branch(branch, leaf)
            self.menu.get_by_role("cell", name=path[-1], exact=True).last.dblclick()
            hands.find("tab", words.everything, self.panel).click()

    def _tabs(self) -> "Locator":
        """Buttons that close what is open."""
        bar = self.hands.page.get_by_role("navigation").first
        return bar.get_by_role("button", name=self.words.buttons["close"], exact=True)

    def _branch(self, branch: str, leaf: str) -> None:
        """Unfold a branch of the menu, unless it is unfolded."""
        row = self.hands.find("row", branch, self.menu)
        if not row.count():
            raise self.hands.wrong(
                "menu", f"the menu has no '{branch}': the page is in another language, or the user lacks the menu"
            )
        seen = self.menu.get_by_role("cell", name=leaf, exact=True)
        if seen.count() <= int(leaf == branch):
            row.locator("img").first.click()
            seen.nth(int(leaf == branch)).wait_for()

    def search(self, **wanted: str) -> Sequence[Row]:
        """Rows of the list that its filter finds, as the page shows them; see `exactly` and `like`."""
        hands = self.hands
        asked = " ".join(f"{label}: {text}" for label, text in wanted.items())
        box = hands.page.get_by_role("combobox", name=self.words.search).filter(visible=True)
        with hands.step(f"search {' '.join(wanted)}"):  # what is sought may be a person's name
            box.fill(asked)
            box.press("Enter")
        rows = self.rows()
        if len(rows) >= MOST_ROWS:
            raise hands.wrong("search", f"the filter finds {MOST_ROWS:,} rows or more")
        return rows

    def rows(self) -> Sequence[Row]:
        """Rows of the list that is open, by column."""
        return table_rows(self.panel.get_by_role("table").filter(visible=True).last)

    def open_row(self, place: int) -> None:
        """Open the form of a row of the list."""
        with self.hands.step("open the form"):
            table = self.panel.get_by_role("table").filter(visible=True).last
            table.get_by_role("row").nth(place + 1).get_by_role("cell").nth(2).click()
            self._switch()
            self.hands.find("textbox", self.words.label("total"), self.panel).or_(
                self.hands.find("tab", self.words.pages["invoice"], self.panel)
            ).first.wait_for()

    def back(self) -> None:
        """Back from the form to the list."""
        with self.hands.step("back to the list"):
            self._switch()
            self.hands.page.get_by_role("combobox", name=self.words.search).filter(visible=True).wait_for()

    def _switch(self) -> None:
        self.hands.find("button", self.words.switch, self.panel).first.click()

    def form(self, *, claims: bool = False) -> Form:
        """Read the form that is open, page by page; what is still to pay, and when, only where it is asked for."""
        words, hands, panel = self.words, self.hands, self.panel
        to_pay, due = self._claims() if claims else (Decimal(0), None)
        self._page("invoice")
        issued = hands.read(words.label("date"), panel)
        shown = {
            name: hands.read(words.label(name), panel) for name in ("number", "reference", "party", "currency")
        }
        total, state = words.amount(hands.read(words.label("total"), panel)), self.state()
        self._page("info")
        return Form(
            **shown,
            state=state,
            issued=words.date(issued) if issued else None,
            total=total,
            to_pay=to_pay,
            due=due,
            comment=hands.read(words.fields["comment"], panel),
            cancel_move=hands.read(words.label("cancel_move"), panel),
        )

    def _claims(self) -> tuple[Decimal, date | None]:
        """What is still to pay, and the earliest day among the claims, which stand in a table of their own."""
        self._page("payment")
        to_pay = self.hands.read(self.words.label("to_pay"), self.panel)
        label = self.words.fields["maturity"]
        table = self._table(label)
        days = [row[label] for row in table_rows(table) if row[label]] if table.count() else []
        return self.words.amount(to_pay or "0"), min((self.words.date(day) for day in days), default=None)

    def state(self) -> str:
        """Tryton's name of the state that the form shows."""
        shown = self.hands.chosen(self.words.label("state"), self.panel)
        if shown not in self.words.states:
            raise self.hands.wrong("state", f"the form shows a state that is not known: {shown!r}")
        return self.words.states[shown]

    def _table(self, column: str, within: "Locator | None" = None) -> "Locator":
        """The visible table that has this column."""
        told = self.hands.page.get_by_role("columnheader", name=column, exact=True)
        return (within or self.panel).get_by_role("table").filter(visible=True).filter(has=told)

    def _page(self, name: str) -> None:
        with self.hands.step(f"page {name}"):
            self.hands.click("tab", self.words.pages[name], self.panel)

    def log(self) -> Log:
        """The record's own number, and who made it."""
        hands, words = self.hands, self.words
        with hands.step("log"):
            self._from_menu(words.logs)
            dialog = hands.dialog("Logs")
        log = Log(hands.read(words.label("id"), dialog), hands.read(words.label("created_by"), dialog))
        self._away(dialog)
        if not log.id.isdigit():
            raise hands.wrong("log", "the log shows no number of the record")
        return log

    def follow(self, field: str, heading: str, *labels: str) -> tuple[str, ...]:
        """What the record that a field points at holds in these fields of its own."""
        dialog = self.follow_to(field, heading)
        told = tuple(self.hands.read(self.words.label(label), dialog) for label in labels)
        self._away(dialog)
        return told

    def follow_to(self, field: str, heading: str) -> "Locator":
        """Open the record that a field points at."""
        box = self.hands.page.get_by_role("textbox", name=self.words.label(field), exact=True)
        if field in PAGES and not self.hands.find("textbox", self.words.label(field), self.panel).count():
            self._page(PAGES[field])
        with self.hands.step(f"open {field}"):
            # The field and its button share the smallest box that holds both.
            near = self.panel.locator("div").filter(has=box).last
            self.hands.click("button", self.words.buttons["open"], near)
            return self.hands.dialog_about(heading)

    def customer(self) -> tuple[str, str, list[str], list[Row]]:
        """Number, name, addresses and identifiers of the form's customer."""
        words, hands = self.words, self.hands
        dialog = self.follow_to("party", words.party)
        number, name = (hands.read(words.label(label), dialog) for label in ("code", "name"))
        ways = table_rows(self._table(words.fields["value"], dialog))
        with hands.step("identifiers"):
            hands.click("tab", words.pages["identifiers"], dialog)
        known = table_rows(self._table(words.fields["code"], dialog))
        self._away(dialog)
        mails = [
            row[words.fields["value"]].lower() for row in ways if row[words.fields["type"]] == words.kinds["email"]
        ]
        return number, name, mails, list(known)

    def line(self) -> tuple[str, str]:
        """Where the form's first line comes from, in words that name the invoice, and the line's note."""
        hands, words = self.hands, self.words
        self._page("invoice")
        with hands.step("open the line"):
            row = self._table(words.fields["product"]).get_by_role("row").nth(1)
            row.get_by_role("cell").nth(4).dblclick()
            dialog = hands.dialog_about("Lines")
        origin = hands.read(words.label("origin"), dialog)
        with hands.step("the line's note"):
            hands.click("tab", words.pages["notes"], dialog)
        note = hands.read(words.fields["note"], dialog)
        with hands.step("leave the line"):
            hands.put_away(dialog, words.buttons["discard"])
        return origin, note

    def notes(self) -> list[str]:
        """Notes on the record, each on one line."""
        dialog = self._notes()
        label = self.words.fields["message"]
        told = [row[label] for row in table_rows(self._table(label, dialog))]
        self._away(dialog)
        return told

    def write_note(self, text: str) -> None:
        """Add a note to the record; nobody can change it afterwards."""
        hands, words = self.hands, self.words
        dialog = self._notes()
        with hands.step("new note"):
            hands.click("button", words.buttons["new"], dialog)
        with hands.step("write the note", acts=True):
            box = dialog.get_by_role("textbox").last  # the only field there without a label
            if box.input_value() or not box.is_editable():
                raise hands.wrong("write the note", "the field for a note is not where it was expected")
            box.fill(text)
            hands.put_away(dialog, words.buttons["close"])

    def _notes(self) -> "Locator":
        with self.hands.step("notes"):
            self._from_menu(self.words.notes)
            return self.hands.dialog("Notes")

    def credit(self, on: date) -> bool:
        """Credit with refund on this day; False, and nothing done, where the wizard does not offer the refund."""
        hands, words = self.hands, self.words
        name = words.buttons["credit"]
        with hands.step("credit wizard"):
            hands.click("button", words.action, self.panel)
            hands.click("menuitem", name, self.panel)
            dialog = hands.dialog(name)
        refund = hands.find("checkbox", words.label("refund"), dialog)
        if not refund.count() or not refund.is_checked():
            with hands.step("leave the wizard"):
                hands.put_away(dialog, words.buttons["cancel"])
            return False
        with hands.step("date"):
            hands.fill(words.label("date"), on.strftime(words.day), dialog)
        with hands.step("confirm credit", acts=True, refusable=True):
            hands.click("button", name, dialog)
            hands.answered(dialog)
        return True

    def write_comment(self, text: str) -> None:
        """Write the form's comment and save."""
        hands, words = self.hands, self.words
        self._page("info")
        with hands.step("comment", acts=True):
            hands.fill(words.fields["comment"], text, self.panel)
            hands.find("button", words.save, self.panel).first.click()
            hands.settle()
            if hands.find("button", words.save, self.panel).first.is_enabled():
                raise hands.wrong("comment", "the comment was not saved")

    def press(self, name: str) -> None:
        """Press a button of the form, and say yes where the page asks whether it is meant."""
        hands, words = self.hands, self.words
        with hands.step(f"press {name}"):
            hands.click("button", name, self.panel)
            hands.page.get_by_role("dialog").filter(visible=True).wait_for()
            hands.foreseen = 1
        with hands.step(f"confirm {name}", acts=True, refusable=True):
            dialog = hands.page.get_by_role("dialog").filter(visible=True)
            hands.click("button", words.ok, dialog)
            hands.answered(dialog)

    def _from_menu(self, name: str) -> None:
        """Choose from the menu behind the tab's own name, the first button of its panel."""
        self.panel.get_by_role("toolbar").first.get_by_role("button").first.click()
        self.hands.click("menuitem", name, self.panel)

    def _away(self, dialog: "Locator") -> None:
        with self.hands.step("close"):
            self.hands.put_away(dialog, self.words.buttons["close"])


def exactly(text: str) -> str:
    """What is written in the filter to find this and nothing else."""
    return "=" + like(text)


def like(text: str) -> str:
    """What is written in the filter to find what holds this; quotes in it are escaped."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def table_rows(table: "Locator") -> Sequence[Row]:
    """Visible rows of a table by their column's heading; columns without one are left out."""
    told = [cell.strip() for cell in table.get_by_role("columnheader").all_inner_texts()]
    found = []
    for row in table.get_by_role("row").filter(has=table.page.get_by_role("cell")).all():
        cells = [" ".join(cell.split()) for cell in row.get_by_role("cell").all_inner_texts()]
        if len(cells) != len(told):
            raise ApplicationError(f"the page shows a row of {len(cells)} cells under {len(told)} headings.")
        found.append({heading: cell for heading, cell in zip(told, cells, strict=True) if heading})
    return found
