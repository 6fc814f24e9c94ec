"""The register of obstacles: what stands in the way of the robot, who owns it, and what would remove it."""

from starlette.responses import Response

from vardag.app.desk.rights import Right
from vardag.app.desk.visit import Page, Place, Visit
from vardag.core.errors import ConfigError, NotFoundError
from vardag.invoices.commands import obstacles as command
from vardag.invoices.process.obstacles import NAME, not_looked_at


def obstacles(visit: Visit) -> Response:
    """The register of the robot's folder, what stops the robot first; or that there is none."""
    try:
        found, error = command.obstacles(visit.desk.folder, language=visit.language), ""
    except NotFoundError:
        found, error = None, ""
    except ConfigError as wrong:
        found, error = None, str(wrong).replace(f"{visit.desk.folder}/", "")
    kinds = not_looked_at(found) if found is not None else []
    return visit.page("obstacles", found=found, kinds=kinds, error=error, file=NAME)


MENU = (Place("obstacles", "/obstacles", Right.OBSTACLES),)
PAGES = (Page("/obstacles", Right.OBSTACLES, obstacles),)
