"""The two things that a robot does outside, each written down before and after: it cancels, and it answers."""

import hashlib
from pathlib import Path

from vardag.core.texts import Texts
from vardag.invoices import brakes, journal
from vardag.invoices.answers import compose, step_of
from vardag.invoices.journal import Kind, Line, Progress
from vardag.invoices.ledger.port import LedgerRefusedError
from vardag.invoices.model import ApplicationError, Decision, Done, Effect, Invoice, MailRead
from vardag.invoices.robot.desk import DONE, Robot, plain
from vardag.invoices.routines import Routine
from vardag.invoices.workitems import Item

TEXTS = Texts(Path(__file__).with_name("texts.toml"))


def cancelled(
    robot: Robot, item: Item, decision: Decision, invoice: Invoice, *, because: str, path: list[str]
) -> Done:
    """Void or credit the invoice, once.

    Parameters
    ----------
    because
        Code of the reason that the mail gives.
    path
        Steps on the map that led here, for the log.

    Raises
    ------
    LedgerRefusedError
        When the finance system said no; nothing was done.
    ApplicationError
        When nobody knows yet, or another work item is at the same invoice.
    """
    robot.at_step("intend to cancel")
    with robot.store.begin() as tx:
        robot.hold(tx, item.id)
        line = journal.intend(
            tx, Kind.CANCEL, f"{robot.ledger.name}:{invoice.id}", key=key_of(item), item=item.id, now=robot.now(),
            amount=abs(invoice.total.amount),
        )  # fmt: skip
        if line.fresh:
            brakes.allow(tx, robot.limits, now=robot.now())
            robot.note(tx, "intends to cancel", item.id, effect=str(decision.effect), key=line.key, path=path)
    if line.item != item.id:
        raise ApplicationError(f"{invoice.number} is being cancelled by work item {line.item}.")
    if line.state is Progress.DONE:
        found: Done = DONE.validate_python(line.outcome)
        return found
    robot.at_step("cancel")
    _last_look(robot, item, line)
    done = _done(robot, item, decision, invoice, line, because=because)
    robot.at_step("note the cancellation")
    with robot.store.begin() as tx:
        journal.finish(tx, line, Progress.DONE, plain(DONE, done), now=robot.now())
        note = done.credit_note.number if done.credit_note else ""
        told = {"effect": done.effect.value, "invoice": done.invoice, "credit_note": note}
        robot.note(tx, "cancelled", item.id, **told, **({"evidence": list(done.evidence)} if done.evidence else {}))
    return done


def _done(robot: Robot, item: Item, decision: Decision, invoice: Invoice, line: Line, *, because: str) -> Done:
    """Act, or write down that the finance system refused; unless what it refuses is our own call coming twice."""
    try:
        return _do(robot, decision, invoice, line, reason=reason(robot, item, because))
    except LedgerRefusedError as error:
        found = robot.ledger.done(invoice, key=line.key)
        if found is not None:
            return found
        with robot.store.begin() as tx:
            robot.hold(tx, item.id)
            journal.finish(tx, line, Progress.REFUSED, {"said": str(error)}, now=robot.now())
            robot.note(tx, "ledger refused", item.id, key=line.key)
        raise


def _do(robot: Robot, decision: Decision, invoice: Invoice, line: Line, *, reason: str) -> Done:
    """Act; after any doubt look first, and give a call under way the time to arrive."""
    if not line.fresh:
        found = robot.ledger.done(invoice, key=line.key)
        if found is None:
            journal.wait_for_calls_under_way(line, now=robot.now(), settle=robot.settle)
    effect = decision.effect or Effect.CREDIT
    return robot.ledger.do(effect, invoice, key=line.key, reason=reason, on=robot.now().date())


def answered(
    robot: Robot,
    item: Item,
    decision: Decision,
    mail: MailRead,
    *,
    invoice: Invoice | None,
    done: Done | None,
    entitled: bool,
    routine: Routine,
    path: list[str],
) -> None:
    """Answer the requester, once; `path` are the steps on the map that led here, for the log."""
    message = compose(
        decision=decision, mail=mail, item=item.key, sender=robot.sender, entitled=entitled, now=robot.now(),
        target=item.target, invoice=invoice, done=done, reference=str(item.id),
        templates=robot.templates, routine=routine.templates, template=routine.template(decision),
    )  # fmt: skip
    message_id = str(message["Message-ID"]).strip("<>")
    robot.at_step("intend to answer")
    with robot.store.begin() as tx:
        robot.hold(tx, item.id)
        target = f"{item.id}/{step_of(decision, done)}"
        line = journal.intend(tx, Kind.ANSWER, target, key=message_id, item=item.id, now=robot.now())
        if line.fresh:
            brakes.let_pass(tx)
            robot.note(tx, "intends to answer", item.id, message=message_id, path=path)
    if line.state is Progress.DONE:
        return
    gone = not line.fresh and robot.mailbox.has(message_id)
    if not gone:
        if not line.fresh:
            journal.wait_for_calls_under_way(line, now=robot.now(), settle=robot.settle)
        robot.at_step("answer")
        _last_look(robot, item, line)
        robot.mailbox.send(message)
    robot.at_step("note the answer")
    with robot.store.begin() as tx:
        text = hashlib.sha256(message.as_bytes()).hexdigest()
        journal.finish(tx, line, Progress.DONE, {"sha256": text}, now=robot.now())
        robot.note(tx, "answered", item.id, message=message_id, text=text)


def _last_look(robot: Robot, item: Item, line: Line) -> None:
    """Prove once more that the item is ours: a robot that was stopped for a while may have lost it.

    The intention proved it; while the lease of that moment runs, nobody else can have taken the item.
    """
    if line.fresh and robot.now() - line.intended_at < robot.lease / 2:
        return
    with robot.store.begin() as tx:
        robot.hold(tx, item.id)


def key_of(item: Item) -> str:
    """Idempotency key of an item's cancellation: message id and invoice number, in a form any field can hold."""
    return f"vardag-{hashlib.sha256(item.key.encode()).hexdigest()[:32]}"


def reason(robot: Robot, item: Item, because: str) -> str:
    """What the credit note says: that the robot made it, in which work item, why, and who confirmed.

    A correction states when it was made and by whom (lagen (2018:597) om kommunal bokföring och redovisning,
    3 kap.; bokföringslagen (1999:1078) 5 kap. 5 §).
    """
    language = robot.sender.language
    why = f"because_{because}"
    said = TEXTS(why if because and TEXTS.has(why) else "because_none", language)
    persons = ", ".join(dict.fromkeys(item.approvals))
    confirmed = TEXTS("confirmed_by", language, persons=persons) if persons else ""
    return TEXTS("credit_note", language, item=item.id, because=said, confirmed=confirmed).strip()
