"""Which role may do what at the desk: the one table, which the door, the pages and the docs read."""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from vardag.invoices.persons import Role


class Right(StrEnum):
    """Something that may be done at the desk."""

    SIGNED_IN = "signed_in"
    QUEUE = "queue"
    ITEM = "item"
    MAIL = "mail"
    DECIDE = "decide"
    RETRY = "retry"
    PAUSE = "pause"
    SUGGEST = "suggest"
    SUGGESTIONS = "suggestions"
    ANSWER = "answer"
    MAP = "map"
    LADDER = "ladder"
    SIGN = "sign"
    OBSTACLES = "obstacles"
    REPORT = "report"
    LOG = "log"
    EXPORT = "export"
    SEE_PEOPLE = "see_people"
    PEOPLE = "people"


CASEWORKER, OWNER, CONTROLLER, AUDITOR, ADMINISTRATOR = Role

MATRIX: Mapping[Right, frozenset[Role]] = {
    Right.SIGNED_IN: frozenset(Role),
    Right.QUEUE: frozenset({CASEWORKER, OWNER, AUDITOR, ADMINISTRATOR}),
    Right.ITEM: frozenset({CASEWORKER, OWNER, AUDITOR, ADMINISTRATOR}),
    Right.MAIL: frozenset({CASEWORKER, OWNER, AUDITOR}),
    Right.DECIDE: frozenset({CASEWORKER}),
    Right.RETRY: frozenset({ADMINISTRATOR}),
    Right.PAUSE: frozenset({OWNER, ADMINISTRATOR}),
    Right.SUGGEST: frozenset({CASEWORKER, OWNER}),
    Right.SUGGESTIONS: frozenset({CASEWORKER, OWNER, AUDITOR}),
    Right.ANSWER: frozenset({OWNER}),
    Right.MAP: frozenset({CASEWORKER, OWNER, CONTROLLER, AUDITOR}),
    Right.LADDER: frozenset({CASEWORKER, OWNER, CONTROLLER, AUDITOR}),
    Right.SIGN: frozenset({OWNER}),
    Right.OBSTACLES: frozenset(Role),
    Right.REPORT: frozenset({OWNER, CONTROLLER, AUDITOR}),
    Right.LOG: frozenset({CONTROLLER, AUDITOR}),
    Right.EXPORT: frozenset({CONTROLLER, AUDITOR}),
    Right.SEE_PEOPLE: frozenset({AUDITOR, ADMINISTRATOR}),
    Right.PEOPLE: frozenset({ADMINISTRATOR}),
}


def allowed(roles: Iterable[Role], right: Right) -> bool:
    """Tell whether one of the roles has a right; to sign in takes none.

    >>> allowed([Role.AUDITOR], Right.LOG), allowed([Role.AUDITOR], Right.DECIDE)
    (True, False)
    """
    return right is Right.SIGNED_IN or not MATRIX[right].isdisjoint(roles)
