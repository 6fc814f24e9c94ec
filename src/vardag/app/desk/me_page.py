"""One's own page: language and password."""

from typing import Any

from starlette.responses import Response

from vardag.app.desk import door
from vardag.app.desk.rights import Right
from vardag.app.desk.signing import onwards
from vardag.app.desk.visit import Page, Visit
from vardag.core.errors import InputError
from vardag.invoices.commands import person as acts
from vardag.invoices.commands import sign_in
from vardag.invoices.commands.sign_in import Wait, Wrong
from vardag.invoices.persons import parameters


def me(visit: Visit) -> Response:
    """The page."""
    return _shown(visit)


def language(visit: Visit) -> Response:
    """Speak another language from now on, and stay on the page."""
    acts.speak(visit.desk.robot.store, visit.name, visit.said("language"))
    return visit.go(onwards(visit.said("onward")))


def password(visit: Visit) -> Response:
    """Take another password: the old one is asked for, and counted like any other try."""
    old, new = ((visit.form.get(name) or ("",))[0] for name in ("old", "new"))
    where = door.address(visit.desk, visit.request)
    store = visit.desk.robot.store
    proof = sign_in.prove(store, visit.name, old, address=where)
    if isinstance(proof, Wrong | Wait):
        return _shown(visit, 422, problem="old_wrong" if isinstance(proof, Wrong) else "sign_in_wait")
    try:
        acts.give_password(store, visit.name, new, by=visit.name, keep=visit.token)
    except InputError:
        return _shown(visit, 422, problem="new_short")
    return visit.go("/me", said="password_changed")


def _shown(visit: Visit, status: int = 200, **more: Any) -> Response:
    least = int(parameters().value("password_least"))
    return visit.page("me", status, **{"problem": "", "least": least, **more})


PAGES = (
    Page("/me", Right.SIGNED_IN, me),
    Page("/me/language", Right.SIGNED_IN, language, "POST"),
    Page("/me/password", Right.SIGNED_IN, password, "POST"),
)
