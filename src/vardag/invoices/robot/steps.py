"""The steps that the robot has code for. Which of them follows which stands on the map, and nowhere here.

Each takes the walk of one work item, adds what it found, and says what it came to (`routines.OUTCOMES`). What must
never happen is refused here whatever the map says: nothing is cancelled that was not decided and allowed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa

from vardag.invoices import journal, ladder, store, workitems
from vardag.invoices.answers import answerable
from vardag.invoices.ladder import Level, Standing
from vardag.invoices.ledger.port import LedgerRefusedError
from vardag.invoices.model import (
    Action,
    BusinessError,
    CancellationRequest,
    Decision,
    Done,
    Invoice,
    MailKind,
    MailRead,
)
from vardag.invoices.process.map import Map
from vardag.invoices.robot.desk import DECISION, READ, Robot, plain, short
from vardag.invoices.robot.effects import answered, cancelled
from vardag.invoices.routines import Routine
from vardag.invoices.rules import Case, Earlier, entitled
from vardag.invoices.rules import decide as ask_the_rules
from vardag.invoices.store import Transaction
from vardag.invoices.workitems import Item, State

MAIL_READ = sa.select(store.mail.c.read).where(store.mail.c.key == sa.bindparam("mail"))
LADDER = (Action.CANCEL, Action.REJECT)  # what the robot does by itself, as far as the rule's level lets it


@dataclass
class Walk:
    """A work item on its way along the map.

    Attributes
    ----------
    outcomes
        What each step came to when it was last taken, by the step's code.
    path
        Steps gone through that the audit log does not hold yet.
    stands
        How far the ladder lets the robot go with the decision.
    begun
        Whether an effect of this decision was begun before: what was begun is ended, not decided again.
    refused
        Whether the finance system has refused in this walk.
    told
        For the person who gets it: why.
    """

    robot: Robot
    item: Item
    routine: Routine
    mail: MailRead
    case: Case | None = None
    decision: Decision | None = None
    stands: Standing | None = None
    done: Done | None = None
    begun: bool = False
    refused: bool = False
    told: str = ""
    outcomes: dict[str, str] = field(default_factory=dict)
    path: list[str] = field(default_factory=list)

    @property
    def map(self) -> Map:
        """The routine's map."""
        return self.routine.map

    def gone(self) -> list[str]:
        """The steps for the next entry in the log; from then on it holds them."""
        gone = list(self.path)
        self.path.clear()
        return gone


def read(walk: Walk) -> str:
    """What the mail was read as when it was taken in: a request, or an automatic reply that asks for nothing."""
    nothing = walk.mail.kind is MailKind.AUTO_REPLY and not walk.mail.requests
    return "nothing" if nothing else "request"


def look_up(walk: Walk) -> str:
    """Find the invoice, and everything else that a decision rests on, as it stands now."""
    walk.case = _looked_up(walk)
    return "done"


def _looked_up(walk: Walk) -> Case:
    robot, item, mail = walk.robot, walk.item, walk.mail
    robot.at_step("look up")
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


def decide(walk: Walk) -> str:
    """Ask the rules, and write down what they say; a decision that was acted upon stands."""
    begun = _begun(walk.robot, walk.item)
    walk.begun, walk.decision = begun is not None, begun or _decide(walk)
    return walk.decision.action.value


def allow(walk: Walk) -> str:
    """In shadow nothing is done; attended, or in the control sample, a person confirms what would be done."""
    stands, decision = _stands_on(walk), _decision(walk)
    if walk.begun:  # it is ended, wherever its rule stands by now
        return "alone"
    confirmed = decision.action not in LADDER or _case(walk).approvers  # the one who asked is none
    if stands.alone or (stands.writes and confirmed):
        return "alone"
    walk.told = f"{'control' if stands.sampled else stands.level}: {decision.action} ({decision.code})"
    return "person"


def cancel(walk: Walk) -> str:
    """Void or credit the invoice, once; the finance system may refuse."""
    decision, case = _decision(walk), _case(walk)
    allowed = walk.outcomes.get("allow") == "alone" and allow(walk) == "alone"  # then, and now
    if decision.action is not Action.CANCEL or not allowed or case.invoice is None:
        raise BusinessError("The map leads to cancelling what was not decided and allowed. Mend the map.")
    because = case.request.reason.value if case.request.reason else ""
    try:
        walk.done = cancelled(
            walk.robot, walk.item, decision, case.invoice, because=because, path=walk.gone()
        )  # fmt: skip
    except LedgerRefusedError as error:
        walk.told, walk.refused = str(error), True
        return "refused"
    return "done"


def answer(walk: Walk) -> str:
    """Answer the one who asked, once; not in shadow, and never a forged address: that one is a stranger's."""
    writes = walk.begun or _stands_on(walk).writes
    if not writes or not (answerable(walk.mail) and walk.mail.sender.proven):
        return "done"
    case = _case(walk)
    answered(
        walk.robot, walk.item, _decision(walk), walk.mail, invoice=case.invoice, done=walk.done,
        entitled=case.grant is not None, routine=walk.routine, path=walk.gone(),
    )  # fmt: skip
    return "done"


STEPS: Mapping[str, Callable[[Walk], str]] = {
    step.__name__: step for step in (read, look_up, decide, allow, cancel, answer)
}


def _decide(walk: Walk) -> Decision:
    robot, item, case = walk.robot, walk.item, _case(walk)
    decision = ask_the_rules(case, robot.policy, walk.routine.rules)
    read = case.request.fields  # a mail's own words stay out of the log
    robot.at_step("decide")
    with robot.store.begin() as tx:
        robot.hold(tx, item.id)
        tx.execute(workitems.CHANGE, {"number": item.id, "decision": plain(DECISION, decision)})
        walk.stands = stands = _standing(tx, walk, decision)
        robot.note(
            tx,
            "decided",
            item.id,
            action=decision.action.value,
            code=decision.code,
            codes=list(decision.codes),
            rules=decision.version,
            facts=short({name: fact for name, fact in decision.facts.items() if name not in read}),
            before=[_stands(found) for found in case.invoices],
            approved_by=len(set(item.approvals)),
            level=stands.level.value,
            sampled=stands.sampled,
            map=walk.map.version,
            path=walk.gone(),
        )
    return decision


def _standing(tx: Transaction, walk: Walk, decision: Decision) -> Standing:
    """How far the ladder lets the robot go with a decision, under the ceiling of its mode."""
    item, robot = walk.item, walk.robot
    rule = decision.code if decision.action in LADDER else None
    return ladder.standing(
        tx, routine=item.routine, rule=rule, key=item.key, ceiling=Level(robot.mode.value), demands=robot.demands
    )


def _stands_on(walk: Walk) -> Standing:
    """The same, asked now where it was not asked in this walk."""
    if walk.stands is None:
        with walk.robot.store.begin() as tx:
            walk.stands = _standing(tx, walk, _decision(walk))
    return walk.stands


def _begun(robot: Robot, item: Item) -> Decision | None:
    """The decision that was acted upon already."""
    with robot.store.read() as tx:
        begun = journal.begun(tx, item.id)
    settled = [line for line in begun if line.kind is journal.Kind.CANCEL or line.target.endswith("/answer")]
    return DECISION.validate_python(item.decision) if settled and item.decision else None


def _decision(walk: Walk) -> Decision:
    """What was decided: in this walk, or before a person's step."""
    if walk.decision is None:
        if walk.item.decision is None:
            raise BusinessError("The map leads here with nothing decided. Put the step decide before it.")
        walk.decision = DECISION.validate_python(walk.item.decision)
    return walk.decision


def _case(walk: Walk) -> Case:
    """What a decision rests on; looked up now where the map has no step for that on the way."""
    if walk.case is None:
        walk.case = _looked_up(walk)
    return walk.case


def _earlier(tx: Transaction, item: Item) -> tuple[Earlier, ...]:
    """Older requests about the same invoice, and what was decided about them."""
    older = [found for found in workitems.about(tx, item.target) if found.id < item.id and item.target]
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


def mail_of(robot: Robot, item: Item) -> MailRead:
    """The mail as it was read.

    Raises
    ------
    BusinessError
        When its time was out and it has been deleted.
    """
    with robot.store.read() as tx:
        found = tx.execute(MAIL_READ, {"mail": item.mail}).scalar_one()
    if found is None:
        raise BusinessError("The mail has been deleted; ask the requester to send it again.")
    read: MailRead = READ.validate_python(found)
    return read


def request_of(mail: MailRead, item: Item) -> CancellationRequest:
    """The item's request; an empty one where the mail asks for nothing."""
    return mail.requests[item.place] if item.place < len(mail.requests) else CancellationRequest()
