"""The report: hours saved and their worth, what is not known about them, and the reasons that settled."""

from markupsafe import Markup
from starlette.responses import Response

from vardag.app.desk.rights import Right
from vardag.app.desk.visit import Page, Place, Visit
from vardag.invoices.commands import look
from vardag.invoices.hours import TEXTS, bars, evidence, limits, page, sheets
from vardag.invoices.routines import every_rule


def report(visit: Visit) -> Response:
    """What `vardag invoices report` prints, as a page."""
    known, language = evidence(visit.desk.folder), visit.language
    found = look.report(visit.desk.robot.store, known)
    account = found.account
    return visit.page(
        "report",
        found=found,
        figures=page.facts(account.total, known, language),
        limits=limits(account, known, language),
        picture=Markup(bars.bars(account.months, language)) if account.months else "",
        keys=("known", "assumed", "cost"),
        key=lambda name: TEXTS(f"key_{name}", language),
        months=sheets.months(account, language),
        outcomes=sheets.outcomes(account.total, language),
        freed=sheets.freed(account.total, language),
        catalogue=every_rule(visit.desk.folder / "routines"),
    )


MENU = (Place("report", "/report", Right.REPORT),)
PAGES = (Page("/report", Right.REPORT, report),)
