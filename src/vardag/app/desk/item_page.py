"""One work item: the mail with what was read marked, the invoice beside it, the reasons, and the decision."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from vardag.app.desk import words
from vardag.app.desk.rights import Right
from vardag.app.desk.visit import Page, Visit
from vardag.invoices.commands import desk as acts
from vardag.invoices.commands import sheet as sheets
from vardag.invoices.commands.desk import Choice, DecisionRefusedError
from vardag.invoices.commands.sheet import FourEyes, Sheet
from vardag.invoices.commands.suggest import About, suggest
from vardag.invoices.model import Action, ApplicationError, Decision
from vardag.invoices.robot import people
from vardag.invoices.robot.desk import DECISION
from vardag.invoices.rules import Rule, same_person
from vardag.invoices.workitems import Item, State, stamp

OPEN = (State.WAITING, State.DEAD)
SETTLED = (State.DONE, State.FAILED_BUSINESS)


def item(visit: Visit, number: int) -> Response:
    """The page of an item; a caseworker who opens it is noted, for that is where their minutes begin."""
    found = sheets.sheet(visit.desk.robot, number, with_mail=visit.may(Right.MAIL))
    if visit.may(Right.MAIL):
        _note(visit, found.item)
    return shown(visit, found)


def _note(visit: Visit, item: Item) -> None:
    """Note who looks at a mail, and whether it is to decide."""
    works = visit.may(Right.DECIDE) and item.state in OPEN
    event = acts.OPENED if works else acts.LOOKED
    acts.look_at(visit.desk.robot.store, item.id, by=visit.name, sitting=visit.desk.sitting, event=event)


def shown(visit: Visit, found: Sheet, status: int = 200, **more: Any) -> Response:
    """The page of an item, with what a form said where it has to be mended."""
    decision = found.decision
    given = {"problem": "", "choice": "", "reason": "", "suggested": "", **more}
    beside = _books(visit, found) if visit.asked("invoice") and visit.may(Right.MAIL) else {}
    return visit.page(
        "item", status, sheet=found, item=found.item, stamp=stamp(found.item),
        reasons=words.reasons(decision, visit.language, _rules(visit, found.item)) if decision else (),
        reads=sheets.reads(found.own), confirming=confirming(visit, found), abouts=list(About),
        earlier_actions={one.id: _action(one.decision) for one in found.earlier},
        books=beside, choices=_choices(found), step=_step(visit, found.item), routine=_routine(visit, found.item),
        objects=visit.may(Right.DECIDE) and may_object(found), **given,
    )  # fmt: skip


def confirming(visit: Visit, found: Sheet) -> tuple[bool, str]:
    """Whether the person may confirm, and the text that says what that does or why not."""
    read = found.read
    if read is not None and same_person(visit.name, read.sender.address):
        return False, "confirm_own"
    if any(same_person(visit.name, one) for one in sheets.approvers(found.item, read)):
        return False, "confirm_again"
    if read is None or found.decision is None:
        return True, "confirm_blind"
    if visit.desk.robot.mode == "shadow":
        return True, "confirm_shadow"
    return True, _leads_to(found.decision, found.four_eyes, _rules(visit, found.item))


def _leads_to(decision: Decision, eyes: FourEyes | None, rules: Mapping[str, Rule]) -> str:
    """What a confirmation leads to: some rules are overruled by one person, some by several, some by nobody."""
    if decision.action is not Action.REFER:
        return f"confirm_{decision.action}"
    rule = rules.get(decision.code)
    if decision.code != "four_eyes" and not (rule is not None and rule.overridable):
        return "confirm_in_vain"
    others = eyes is not None and eyes.needed - len(eyes.confirmed) > 1
    return "confirm_with_others" if others else "confirm_overrules"


def _choices(found: Sheet) -> list[Choice]:
    """What may be decided where the item waits: what the map has a way for from there."""
    ways = {"confirmed": Choice.CONFIRM, "done": Choice.DONE, "refused": Choice.REFUSE}
    exits = found.item.exits
    return [choice for way, choice in ways.items() if exits is None or way in exits]


def _step(visit: Visit, item: Item) -> str:
    """Name of the step on the map where the item waits; nothing where it stands at none."""
    routine = visit.desk.robot.routines.get(item.routine)
    step = routine.map.steps.get(item.at or "") if routine else None
    return step.named(visit.language) if step else ""


def _rules(visit: Visit, item: Item) -> Mapping[str, Rule]:
    """Rules of the item's routine; those of every routine where the robot does not follow it any more."""
    routine = visit.desk.robot.routines.get(item.routine)
    return routine.by_code if routine else visit.desk.rules


def _routine(visit: Visit, item: Item) -> str:
    """Title of the item's routine, where the robot follows several; its name where it follows it no more."""
    routines = visit.desk.robot.routines
    if list(routines) == [item.routine]:
        return ""
    return words.called(routines[item.routine], visit.language) if item.routine in routines else item.routine


def may_object(found: Sheet) -> bool:
    """Tell whether the item was settled by a rule of the robot's that nobody has said was wrong."""
    alone = [one.body for one in found.entries if one.event == "decided" and not one.body.get("approved_by")]
    acted = bool(alone) and alone[-1].get("action") in {Action.CANCEL, Action.REJECT}
    said = any(one.event in {"closed by hand", "objected"} for one in found.entries)
    return found.item.state in SETTLED and acted and not said


def _action(decision: dict[str, Any] | None) -> str:
    return str(DECISION.validate_python(decision).action) if decision else ""


def _books(visit: Visit, found: Sheet) -> dict[str, Any]:
    """How the invoice stands in the finance system now, or why that cannot be told."""
    if not found.item.target:
        return {"invoices": (), "error": ""}
    try:
        return {"invoices": visit.desk.books.find(found.item.target), "error": ""}
    except ApplicationError as error:
        return {"invoices": None, "error": str(error)}


def invoice(visit: Visit, number: int) -> Response:
    """The invoice alone, for the page to fetch when it is shown already."""
    found = sheets.sheet(visit.desk.robot, number, with_mail=False)
    return visit.page("_invoice", item=found.item, books=_books(visit, found))


def decide(visit: Visit, number: int) -> Response:
    """Take a decision; a page that says why where it cannot be taken, with the reason as it was written."""
    choice, reason, seen = visit.said("choice"), visit.said("reason"), visit.said("stamp")
    missing = "choice_missing" if choice not in set(Choice) else "reason_missing" if not reason else ""
    robot = visit.desk.robot
    if missing:
        found = sheets.sheet(robot, number)
        return shown(visit, found, 422, problem=missing, choice=choice, reason=reason)
    try:
        said = {"by": visit.name, "reason": reason, "seen": seen}
        acts.decide(robot.store, number, Choice(choice), **said, demands=robot.demands)
    except DecisionRefusedError as error:
        found = sheets.sheet(robot, number)
        return shown(visit, found, 409, problem=f"decision_{error.why}", choice=choice, reason=reason)
    return visit.go("/", said=f"decided_{choice}", about=number)


def retry(visit: Visit, number: int) -> Response:
    """Give a dead letter another row of tries."""
    people.retry(visit.desk.robot.store, number, by=visit.name)
    return visit.go(f"/item/{number}", said="retried")


def object_to(visit: Visit, number: int) -> Response:
    """Say that what the robot did with a settled item was wrong; its rule answers for it."""
    robot, reason = visit.desk.robot, visit.said("reason")
    if not reason:
        return shown(visit, sheets.sheet(robot, number), 422, problem="objection_missing")
    people.object_to(robot.store, number, by=visit.name, reason=reason, demands=robot.demands)
    return visit.go(f"/item/{number}", said="objected")


def suggest_change(visit: Visit, number: int) -> Response:
    """Write down a suggestion that came up at this item."""
    about, text = visit.said("about"), visit.said("text")
    found = sheets.sheet(visit.desk.robot, number, with_mail=visit.may(Right.MAIL))
    if about not in set(About) or not text:
        return shown(visit, found, 422, problem="text_missing", suggested=text)
    code = found.decision.code if found.decision else ""
    targets = {About.RULE: code, About.TEMPLATE: code, About.MAP: found.item.at or "", About.READING: ""}
    wanted = About(about)
    suggest(visit.desk.robot.store, by=visit.name, about=wanted, target=targets[wanted], text=text, item=number)
    return visit.go(f"/item/{number}", said="suggested")


def file(visit: Visit, number: int, place: int) -> Response:
    """A file of the mail, to be saved and never shown by the browser: it came from a stranger."""
    item, found = sheets.file(visit.desk.robot.store, number, place)
    _note(visit, item)
    return Response(
        found.data,
        media_type="application/octet-stream",
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(found.name, safe='')}",
            "Content-Security-Policy": "sandbox; default-src 'none'",
        },
    )


PAGES = (
    Page("/item/{number:int}", Right.ITEM, item),
    Page("/item/{number:int}/invoice", Right.MAIL, invoice),
    Page("/item/{number:int}/file/{place:int}", Right.MAIL, file),
    Page("/item/{number:int}/decide", Right.DECIDE, decide, "POST"),
    Page("/item/{number:int}/retry", Right.RETRY, retry, "POST"),
    Page("/item/{number:int}/object", Right.DECIDE, object_to, "POST"),
    Page("/item/{number:int}/suggest", Right.SUGGEST, suggest_change, "POST"),
)
