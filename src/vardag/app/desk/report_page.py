"""The report: hours saved, the reasons that settled, and how long requesters waited for an answer."""

from starlette.responses import Response

from vardag.app.desk.rights import Right
from vardag.app.desk.visit import Page, Place, Visit
from vardag.invoices.commands import look
from vardag.invoices.hours import minutes


def report(visit: Visit) -> Response:
    """What `vardag invoices report` prints, as a page."""
    found = look.report(visit.desk.robot.store, minutes(visit.desk.folder / "minutes.yaml"))
    return visit.page("report", found=found, catalogue=visit.desk.rules)


MENU = (Place("report", "/report", Right.REPORT),)
PAGES = (Page("/report", Right.REPORT, report),)
