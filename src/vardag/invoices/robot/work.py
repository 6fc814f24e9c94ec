"""One work item along the map, from where it stands to a person's step or an end."""

from datetime import timedelta
from typing import Any

from vardag.invoices import brakes, workitems
from vardag.invoices.model import Action, ApplicationError, BusinessError, Done
from vardag.invoices.process.map import Kind, OffTheMapError, Step
from vardag.invoices.robot.desk import Mode, Robot
from vardag.invoices.robot.filing import file_mail
from vardag.invoices.robot.steps import STEPS, Walk, mail_of
from vardag.invoices.routines import Routine
from vardag.invoices.workitems import Item, LeaseLostError, State

HELD_BACK = timedelta(minutes=10)  # until an item that met a limit is looked at again
MOST_STEPS = 100  # of one walk: a map may lead in a circle that has an exit and never takes it


def work(robot: Robot, item: Item) -> str:
    """Take an item along the map as far as it goes now, and leave it in a stated state.

    Returns
    -------
    str
        Why it was held back, where a limit or a pause did that; else nothing.
    """
    try:
        held_back = _attempt(robot, item)
    except LeaseLostError:
        return ""  # another robot has it, and looks before it acts
    file_mail(robot, item.mail)
    return held_back


def _attempt(robot: Robot, item: Item) -> str:
    """Work on the item, and put every way in which that may fail into a state of the item."""
    try:
        if item.tries > robot.retries.tries:
            raise ApplicationError(f"{item.tries - 1} tries, and at the last one the robot died.")
        _walk(robot, item)
    except LeaseLostError:
        raise
    except brakes.BrakeError as error:
        _put_back(robot, item, paused=isinstance(error, brakes.PausedError))
        return str(error)
    except ApplicationError as error:
        _fail(robot, item, error)
    except Exception as error:  # noqa: BLE001 - a fault of ours in one item stops neither the robot nor the others
        _fail(robot, item, ApplicationError(f"{type(error).__name__}: {error}"))
    return ""


def _walk(robot: Robot, item: Item) -> None:
    """Follow the map to a person's step or an end; where that cannot be done, a person has to look."""
    path: list[str] = []
    try:
        walk = Walk(robot, item, _routine(robot, item), mail_of(robot, item), path=path)
        step = _follow(walk)
    except (BusinessError, OffTheMapError) as error:
        return _leave(robot, item, State.WAITING, {"told": str(error), "exits": None}, exception=True, path=path)
    return _end(walk, step) if step.kind is Kind.END else _wait(walk, step)


def _follow(walk: Walk) -> Step:
    """From step to step, as the map says: the person's step or end that the robot comes to."""
    step = _set_out(walk)
    for _ in range(MOST_STEPS):
        walk.path.append(step.id)
        if step.kind is not Kind.ROBOT:
            return step
        walk.outcomes[step.code] = STEPS[step.code](walk)
        step = walk.map.after(step.id, walk.outcomes)
    raise OffTheMapError(f"{MOST_STEPS} steps and no end: the map {walk.map.name} leads in a circle.")


def _routine(robot: Robot, item: Item) -> Routine:
    """The item's routine."""
    if item.routine not in robot.routines:
        known = ", ".join(sorted(robot.routines)) or "none"
        raise BusinessError(f"The robot knows no routine {item.routine}; it knows {known}.")
    return robot.routines[item.routine]


def _set_out(walk: Walk) -> Step:
    """The first step: after the person's that was decided, where the map still has it; else after the start."""
    at, decided = walk.item.at or "", walk.item.outcome
    if at in walk.map.steps and decided:
        walk.outcomes |= {**(walk.item.outcomes or {}), walk.map.steps[at].code: decided}
        walk.path.append(at)
        return walk.map.after(at, walk.outcomes)
    if decided in {"done", "refused"}:
        raise OffTheMapError(
            f"A person decided {decided} at {at}, and that step is no longer on the map {walk.map.name}. End it by "
            "hand, or confirm to let it begin again."
        )
    walk.path.append(walk.map.start.id)
    return walk.map.after(walk.map.start.id, walk.outcomes)


def _wait(walk: Walk, step: Step) -> None:
    """Leave the item with a person, who may decide what the map has a way for."""
    decision, refused = walk.decision, walk.refused
    code = "ledger_refused" if refused else decision.code if decision else step.id
    regular = decision is not None and decision.action in {Action.ACCEPT, Action.CANCEL} and not refused
    values = {
        "told": walk.told or code,
        "at": step.id,
        "outcome": None,
        "outcomes": walk.outcomes,
        "exits": walk.map.exits(step.id, walk.outcomes) or None,  # where the map has no way, it ends by hand
    }
    body = {"step": step.id, "path": walk.gone()} | ({} if walk.told and not refused else {"code": code})
    _leave(walk.robot, walk.item, State.WAITING, values, exception=not regular, **body)


def _end(walk: Walk, step: Step) -> None:
    """Leave the item where the map ends; what a person decided is no exception of the robot's."""
    decision, done = walk.decision, walk.done
    rejected = decision is not None and decision.action is Action.REJECT
    effect = {"effect": done.effect.value, "credit_note": _credit_note(done)} if done else {}
    body = {"code": decision.code if decision else step.id, "step": step.id, "path": walk.gone(), **effect}
    _leave(walk.robot, walk.item, State(step.state), {"told": None}, exception=rejected, **body)


def _credit_note(done: Done) -> str:
    return done.credit_note.number if done.credit_note else ""


def _leave(robot: Robot, item: Item, state: State, values: dict[str, Any], *, exception: bool, **body: Any) -> None:
    """Leave the item in a state; the brakes count the business exceptions in a row."""
    robot.at_step("settle")
    with robot.store.begin() as tx:
        robot.hold(tx, item.id)
        workitems.move(tx, item.id, state, now=robot.now(), **values)
        robot.note(tx, "settled", item.id, state=state.value, **body)
        if robot.mode is not Mode.SHADOW and brakes.note(tx, robot.limits, exception=exception, now=robot.now()):
            robot.note(tx, "paused", item.id, why="business exceptions in a row")


def _fail(robot: Robot, item: Item, error: Exception) -> None:
    """A technical fault: the item is tried again later, or goes to the dead letters."""
    with robot.store.begin() as tx:
        robot.hold(tx, item.id)
        left = workitems.failed(tx, item.id, str(error), now=robot.now(), retries=robot.retries)
        robot.note(tx, "fault", item.id, state=left.state.value, tries=left.tries, kind=type(error).__name__)


def _put_back(robot: Robot, item: Item, *, paused: bool) -> None:
    """The brakes are on: the item is new again, and this was no try. At a limit the others go before it."""
    later = None if paused else robot.now() + HELD_BACK
    with robot.store.begin() as tx:
        robot.hold(tx, item.id)
        workitems.move(tx, item.id, State.NEW, now=robot.now(), tries=max(item.tries - 1, 0), retry_at=later)
        robot.note(tx, "held back", item.id)
