"""The people of the desk, for the administrator."""

from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from vardag.app.desk.rights import Right
from vardag.app.desk.visit import Page, Place, Visit
from vardag.core.errors import InputError, RefusedError
from vardag.invoices.commands import person as acts
from vardag.invoices.persons import Role, parameters


def people(visit: Visit) -> Response:
    """Everybody, with their roles."""
    return _shown(visit)


def add(visit: Visit) -> Response:
    """Let somebody in; a password is needed, unless the city's own sign-in vouches for people."""
    name, password = visit.said("name"), (visit.form.get("password") or ("",))[0]
    if not name or (not password and not visit.desk.settings.user_header):
        return _shown(visit, 422, problem="name_missing", name=name)
    language = visit.desk.robot.sender.language
    try:
        acts.add(
            visit.desk.robot.store, name, roles=_roles(visit), by=visit.name, password=password, language=language
        )
    except (InputError, RefusedError) as error:
        return _shown(visit, 422, problem="person_refused", details=str(error), name=name)
    return visit.go("/people", said="person_added")


def change(visit: Visit) -> Response:
    """Give roles, give a password, or let somebody in no more; each button says which."""
    name, act = visit.said("name"), visit.said("act")
    store, by = visit.desk.robot.store, visit.name
    try:
        if act == "roles":
            acts.give_roles(store, name, _roles(visit), by=by)
        elif act == "password":
            acts.give_password(store, name, (visit.form.get("password") or ("",))[0], by=by)
        elif act == "remove":
            acts.remove(store, name, by=by)
        else:
            return _shown(visit, 422, problem="person_refused", details="")
    except (InputError, RefusedError) as error:
        status = HTTPStatus.CONFLICT if isinstance(error, RefusedError) else HTTPStatus.UNPROCESSABLE_ENTITY
        return _shown(visit, status.value, problem="person_refused", details=str(error))
    return visit.go("/people", said=f"person_{act}")


def _roles(visit: Visit) -> list[Role]:
    return [Role(role) for role in visit.form.get("role", ()) if role in set(Role)]


def _shown(visit: Visit, status: int = 200, **more: Any) -> Response:
    given = {"problem": "", "details": "", "name": "", **more}
    least = int(parameters().value("password_least"))
    found = acts.listed(visit.desk.robot.store)
    return visit.page("people", status, found=found, roles=list(Role), least=least, **given)


MENU = (Place("people", "/people", Right.SEE_PEOPLE),)
PAGES = (
    Page("/people", Right.SEE_PEOPLE, people),
    Page("/people", Right.PEOPLE, add, "POST"),
    Page("/people/change", Right.PEOPLE, change, "POST"),
)
