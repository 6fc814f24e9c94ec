"""One work item, from the mail to the journal entry, top to bottom."""

from datetime import timedelta

import sqlalchemy as sa

from vardag.invoices import brakes, journal, store, workitems
from vardag.invoices.answers import answerable
from vardag.invoices.ledger.port import LedgerRefusedError
from vardag.invoices.mailbox.port import Folder, Waiting
from vardag.invoices.model import (
    Action,
    ApplicationError,
    BusinessError,
    CancellationRequest,
    Decision,
    Done,
    Invoice,
    MailKind,
    MailRead,
)
from vardag.invoices.robot.desk import DECISION, READ, Mode, Robot, plain, short
from vardag.invoices.robot.effects import answered, cancelled
from vardag.invoices.rules import Case, Earlier, decide, entitled
from vardag.invoices.store import Transaction
from vardag.invoices.workitems import Item, LeaseLostError, State

HELD_BACK = timedelta(minutes=10)  # until an item that met a limit is looked at again
IGNORED = "ignored"  # code of an automatic reply that asks for nothing


def work(robot: Robot, item: Item) -> str:
    """Take an item through the routine as far as it goes now, and leave it in a stated state.

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
        _work(robot, item)
    except LeaseLostError:
        raise
    except brakes.BrakeError as error:
        _put_back(robot, item, paused=isinstance(error, brakes.PausedError))
        return str(error)
    except BusinessError as error:
        _leave(robot, item, State.WAITING, told=str(error))
    except ApplicationError as error:
        _fail(robot, item, error)
    except Exception as error:  # noqa: BLE001 - a fault of ours in one item stops neither the robot nor the others
        _fail(robot, item, ApplicationError(f"{type(error).__name__}: {error}"))
    return ""


def _work(robot: Robot, item: Item) -> None:
    robot.at_step("look up")
    mail = mail_of(robot, item)
    case = _case(robot, item, mail)
    decision = _begun(robot, item) or _decide(robot, item, case)
    if _asks_for_nothing(mail):
        return _leave(robot, item, State.DONE, code=IGNORED)
    if _needs_a_person(robot, item, decision):
        told = f"{robot.mode}: {decision.action} ({decision.code})"
        return _leave(robot, item, State.WAITING, told=told, exception=decision.action is not Action.CANCEL)
    done = None
    if decision.action is Action.CANCEL and case.invoice is not None:
        because = case.request.reason.value if case.request.reason else ""
        try:
            done = cancelled(robot, item, decision, case.invoice, because=because)
        except LedgerRefusedError as error:
            return _leave(robot, item, State.WAITING, code="ledger_refused", told=str(error))
    if answerable(mail) and mail.sender.proven:  # an answer to a forged address would go to a stranger
        may_know = case.grant is not None
        answered(robot, item, decision, mail, invoice=case.invoice, done=done, entitled=may_know)
    return _settle(robot, item, decision, done)


def _case(robot: Robot, item: Item, mail: MailRead) -> Case:
    """Everything that a decision rests on, as it stands now."""
    request = request_of(mail, item)
    found = robot.ledger.find(request.target) if request.target else ()
    invoice = found[0] if len(found) == 1 else None
    with robot.store.read() as tx:
        earlier = _earlier(tx, item)
    return Case(
        request=request,
        mail=mail,
        invoices=tuple(found),
        today=robot.now().date(),
        grant=entitled(mail.sender, robot.allow_list, invoice, customers_may_ask=robot.policy.customers_may_ask),
        earlier=earlier,
        approvals=item.approvals,
        vat_reported_until=robot.vat_reported_until,
    )


def _decide(robot: Robot, item: Item, case: Case) -> Decision:
    """Ask the rules, and write down what they say."""
    decision = decide(case, robot.policy)
    robot.at_step("decide")
    with robot.store.begin() as tx:
        robot.hold(tx, item.id)
        tx.execute(_decided(item, decision))
        robot.note(
            tx,
            "decided",
            item.id,
            action=decision.action.value,
            code=decision.code,
            codes=list(decision.codes),
            rules=decision.version,
            facts=short(decision.facts),
            before=[_stands(found) for found in case.invoices],
            approved_by=len(set(item.approvals)),
        )
    return decision


def _begun(robot: Robot, item: Item) -> Decision | None:
    """The decision that was acted upon already: what was begun is ended, not decided again."""
    with robot.store.read() as tx:
        begun = journal.begun(tx, item.id)
    settled = [line for line in begun if line.kind is journal.Kind.CANCEL or line.target.endswith("/answer")]
    return DECISION.validate_python(item.decision) if settled and item.decision else None


def _settle(robot: Robot, item: Item, decision: Decision, done: Done | None) -> None:
    """Leave the item in the state that the decision asks for."""
    if done is not None:
        note = done.credit_note.number if done.credit_note else ""
        return _leave(robot, item, State.DONE, code=decision.code, effect=done.effect.value, credit_note=note)
    if decision.action is Action.REJECT:
        return _leave(robot, item, State.FAILED_BUSINESS, code=decision.code)
    return _leave(robot, item, State.WAITING, code=decision.code, told=decision.code)


def _leave(
    robot: Robot, item: Item, state: State, *, told: str | None = None, exception: bool | None = None, **body: str
) -> None:
    """Leave the item in a state; unless said otherwise, what waits or is rejected is a business exception."""
    robot.at_step("settle")
    if exception is None:
        exception = state in {State.WAITING, State.FAILED_BUSINESS}
    with robot.store.begin() as tx:
        robot.hold(tx, item.id)
        workitems.move(tx, item.id, state, now=robot.now(), told=told)
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


def file_settled(robot: Robot) -> None:
    """File the mails that a person's decision, or a robot that was killed, has left in the wrong place."""
    may_move = [Folder.REFERRED.value, Folder.FAILED.value]
    query = sa.select(store.mail.c.key).where(
        sa.or_(store.mail.c.folder.is_(None), store.mail.c.folder.in_(may_move)), store.mail.c.raw.is_not(None)
    )
    with robot.store.read() as tx:
        keys = tx.execute(query).scalars().all()
    for key in keys:
        file_mail(robot, key)


def file_mail(robot: Robot, key: str) -> None:
    """Lay the mail where its items say, once none of them is on its way any more."""
    if robot.mode is Mode.SHADOW:
        return
    with robot.store.read() as tx:
        states = {found.state for found in workitems.listed(tx, mail=key)}
        row = tx.execute(sa.select(store.mail).where(store.mail.c.key == key)).one()
    folder = _folder(states, row.read)
    if folder is None or row.folder == folder:
        return
    robot.at_step("file")
    try:
        robot.mailbox.file(Waiting(row.handle, row.size, row.message_id), folder)
    except ApplicationError as error:
        with robot.store.begin() as tx:
            robot.note(tx, "fault", None, mail=row.sha256, kind=type(error).__name__, why="the mail was not filed")
        return
    with robot.store.begin() as tx:
        tx.execute(sa.update(store.mail).where(store.mail.c.key == key).values(folder=folder))


def _folder(states: set[State], read: dict[str, object] | None) -> Folder | None:
    """Where a mail belongs; None while an item is on its way."""
    if not states or not states <= set(workitems.SETTLED):
        return None
    if State.DEAD in states:
        return Folder.FAILED
    if State.WAITING in states:
        return Folder.REFERRED
    automatic = read is not None and read.get("kind") == MailKind.AUTO_REPLY
    return Folder.IGNORED if automatic else Folder.DONE


def _needs_a_person(robot: Robot, item: Item, decision: Decision) -> bool:
    """In shadow nothing is done; attended, a person confirms what would be done."""
    if robot.mode is Mode.SHADOW:
        return True
    return robot.mode is Mode.ATTENDED and decision.action is not Action.REFER and not item.approvals


def _asks_for_nothing(mail: MailRead) -> bool:
    return mail.kind is MailKind.AUTO_REPLY and not mail.requests


def _earlier(tx: Transaction, item: Item) -> tuple[Earlier, ...]:
    """Older requests about the same invoice, and what was decided about them."""
    older = [found for found in workitems.listed(tx, target=item.target) if found.id < item.id and item.target]
    return tuple(
        Earlier(str(found.id), found.mail, DECISION.validate_python(found.decision).action)
        for found in older
        if found.decision and found.state in {State.DONE, State.WAITING}
    )


def _stands(invoice: Invoice) -> dict[str, str]:
    """How an invoice stands, for the audit log: no names."""
    return {
        "number": invoice.number,
        "state": invoice.state.value,
        "total": str(invoice.total),
        "paid": str(invoice.paid),
        "credited_by": ", ".join(invoice.credited_by),
    }


def _decided(item: Item, decision: Decision) -> sa.Update:
    return sa.update(store.item).where(store.item.c.id == item.id).values(decision=plain(DECISION, decision))


def mail_of(robot: Robot, item: Item) -> MailRead:
    """The mail as it was read.

    Raises
    ------
    BusinessError
        When its time was out and it has been deleted.
    """
    with robot.store.read() as tx:
        found = tx.execute(sa.select(store.mail.c.read).where(store.mail.c.key == item.mail)).scalar_one()
    if found is None:
        raise BusinessError("The mail has been deleted; ask the requester to send it again.")
    read: MailRead = READ.validate_python(found)
    return read


def request_of(mail: MailRead, item: Item) -> CancellationRequest:
    """The item's request; an empty one where the mail asks for nothing."""
    return mail.requests[item.place] if item.place < len(mail.requests) else CancellationRequest()
