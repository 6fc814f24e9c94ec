"""Rules about the mail and who wrote it; they come first, so that nothing is told to a stranger."""

from vardag.invoices.model import Action, MailKind
from vardag.invoices.rules.case import Case
from vardag.invoices.rules.catalogue import Found, rule
from vardag.invoices.rules.policy import Policy

DMARC = "policy: RFC 7489 (DMARC) as told by the city's own mail server"
READ = "policy: what is unclear is read by a person"
CONTROL = "kommunallagen (2017:725) 6 kap. on internal control; the city's allow-list"


@rule(10, Action.REFER, "policy: the robot acts on requests only")
def not_a_request(case: Case, _policy: Policy) -> Found:
    """The mail is not a request to cancel: an automatic reply, a bounce, the robot's own, something else."""
    return None if case.mail.kind is MailKind.REQUEST else {"kind": case.mail.kind.value}


@rule(20, Action.REFER, f"{DMARC}; {CONTROL}", overridable=True)
def unproven(case: Case, _policy: Policy) -> Found:
    """The receiving server could not prove that the mail comes from the sender's domain."""
    return None if case.mail.sender.proven else {}


@rule(30, Action.REFER, CONTROL, parameters=("customers_may_ask",))
def not_entitled(case: Case, policy: Policy) -> Found:
    """The sender is neither on the allow-list for this customer nor, where policy allows it, the customer."""
    grant = case.grant
    if grant is None or (grant.kind == "customer" and not policy.customers_may_ask):
        return {}
    return {} if any(not grant.covers(invoice) for invoice in case.invoices) else None


@rule(40, Action.REJECT, "policy: the sender is asked for what is missing")
def no_number(case: Case, _policy: Policy) -> Found:
    """The mail names neither an invoice number nor a payment reference."""
    return None if case.request.target else {}


@rule(50, Action.REFER, READ, overridable=True)
def unclear(case: Case, _policy: Policy) -> Found:
    """The reading has doubts about the mail or the request."""
    doubts = dict.fromkeys((*case.mail.doubts, *case.request.doubts))
    return {"doubts": ", ".join(doubts)} if doubts else None


@rule(60, Action.REFER, READ, overridable=True, parameters=("sure_enough",))
def unsure(case: Case, policy: Policy) -> Found:
    """The invoice number, or the payment reference where there is no number, was read with too little certainty."""
    named = case.request.number or case.request.reference
    if named is None or named.sure >= policy.sure_enough:
        return None
    return {"sure": f"{named.sure:.2f}", "limit_sure": f"{policy.sure_enough:.2f}"}


@rule(
    70,
    Action.REFER,
    "policy: the robot reads and answers in these languages",
    overridable=True,
    parameters=("languages",),
)
def other_language(case: Case, policy: Policy) -> Found:
    """The mail is in a language the robot does not read."""
    return None if case.mail.language in policy.languages else {"mail_language": case.mail.language or "–"}


@rule(80, Action.REJECT, "policy: the sender is asked for the right number")
def not_found(case: Case, _policy: Policy) -> Found:
    """The finance system has no invoice under this number or payment reference."""
    return {} if case.request.target and not case.invoices else None


@rule(90, Action.REFER, "policy: the robot never chooses between invoices")
def several_match(case: Case, _policy: Policy) -> Found:
    """The finance system has more than one invoice under this number or payment reference."""
    return {"matches": str(len(case.invoices))} if len(case.invoices) > 1 else None


@rule(100, Action.REJECT, "policy: a thing is done once; the invoice's other request has been decided")
def duplicate(case: Case, _policy: Policy) -> Found:
    """An earlier request about the same invoice led to its being cancelled."""
    done = [entry.item for entry in case.earlier if entry.action is Action.CANCEL]
    return {"earlier": ", ".join(done)} if done else None


@rule(105, Action.REFER, "policy: one person looks at all that waits about an invoice", overridable=True)
def waiting(case: Case, _policy: Policy) -> Found:
    """An earlier request about the same invoice was referred to a person."""
    open_ = [entry.item for entry in case.earlier if entry.action is Action.REFER]
    return {"waits_in": ", ".join(open_)} if open_ else None
