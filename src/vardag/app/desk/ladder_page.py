"""The ladder: how far the robot may go with each rule, how people judged it, and the owner's signed steps."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from vardag.app.desk import words
from vardag.app.desk.rights import Right
from vardag.app.desk.visit import Page, Place, Visit
from vardag.invoices.ladder import Level, Stand
from vardag.invoices.robot import signing
from vardag.invoices.robot.signing import ALL


def ladder(visit: Visit) -> Response:
    """Where every rule stands that the robot could act on by itself."""
    return _shown(visit)


def sign(visit: Visit) -> Response:
    """Put a rule, or all, on another level; a page that says why where the step is not earned."""
    asked, level, reason = visit.said("rule"), visit.said("level"), visit.said("reason")
    stands = _stands(visit)
    meant = [one for one in stands if asked in {ALL, code(one)}]
    if not meant or level not in set(Level) or not reason:
        problem = "step_missing" if reason else "reason_missing"
        return _shown(visit, 422, problem=problem, rule=asked, level=level, reason=reason)
    refused = {code(one): why for one in meant if (why := hindrance(visit, one, Level(level)))}
    able = [(one.routine, one.rule) for one in meant if code(one) not in refused]
    if not able:
        hindrances = tuple(refused.values())
        return _shown(
            visit, 409, problem="step_refused", rule=asked, level=level, reason=reason, hindrances=hindrances
        )
    robot = visit.desk.robot
    signing.step(robot.store, able, Level(level), by=visit.name, reason=reason, demands=robot.demands)
    return visit.go("/ladder", said="stepped_some" if refused else "stepped")


def hindrance(visit: Visit, stand: Stand, to: Level) -> str:
    """Why a rule cannot take a step, in the person's language; empty where it can."""
    level = words.word("level", to, visit.language)
    if to is stand.level:
        return visit.t("step_same", rule=stand.rule, level=level)
    if to.height > stand.level.height + 1:
        return visit.t("step_passes", rule=stand.rule)
    if to.height > stand.level.height and stand.missing:
        found = stand.found
        counts = {"agreed": found.agreed, "volume": found.volume, "missing": stand.missing}
        return visit.t("step_unearned", rule=stand.rule, level=level, **counts)
    return ""


def code(stand: Stand) -> str:
    """A rule of a routine, as the form names it."""
    return f"{stand.routine}/{stand.rule}"


def _stands(visit: Visit) -> Sequence[Stand]:
    robot = visit.desk.robot
    places = signing.on_the_ladder(robot.routines, robot.policy)
    return signing.state(robot.store, places, demands=robot.demands)


def _shown(visit: Visit, status: int = 200, **more: Any) -> Response:
    robot = visit.desk.robot
    given = {"problem": "", "rule": "", "level": "", "reason": "", "hindrances": (), **more}
    several = len(robot.routines) > 1
    titles = {name: words.called(one, visit.language) for name, one in robot.routines.items()} if several else {}
    return visit.page(
        "ladder", status, stands=_stands(visit), demands=robot.demands, levels=list(Level), code=code,
        titles=titles, says={(name, one): text for name, one, text in _says(visit)}, all_rules=ALL, **given,
    )  # fmt: skip


def _says(visit: Visit) -> list[tuple[str, str, str]]:
    """What each rule says, by routine and code; what it would fill in is a dash."""
    every: Mapping[str, Any] = visit.desk.robot.routines
    return [
        (name, code, rule.says(visit.language, {}))
        for name, routine in every.items()
        for code, rule in routine.by_code.items()
    ]


MENU = (Place("ladder", "/ladder", Right.LADDER),)
PAGES = (Page("/ladder", Right.LADDER, ladder), Page("/ladder", Right.SIGN, sign, "POST"))
