"""Rules about money and time: what has been paid, what has been reported, and who has to agree."""

from vardag.invoices.model import Action, InvoiceState
from vardag.invoices.rules.about_the_invoice import BOOKS, CREDIT_NOTE, OPEN, years_later
from vardag.invoices.rules.case import Case
from vardag.invoices.rules.catalogue import Found, rule
from vardag.invoices.rules.policy import Policy

CONTROL = (
    "kommunallagen (2017:725) 6 kap. on internal control; the city's rules for control of financial transactions"
)
IMPARTIAL = "on conflicts of interest kommunallagen 7 kap. and förvaltningslagen (2017:900) 16 §"
COLLECTION = "inkassolagen (1974:182): good collection practice; a claim is withdrawn at the collector too"
PERIOD = f"{BOOKS}; by good accounting practice the correction falls in the period in which the error is found"
LAPSED = "preskriptionslagen (1981:130) 2 §; policy"
REFUND = "policy; a payment without ground goes back (condictio indebiti, case law)"


@rule(
    200,
    Action.REFER,
    COLLECTION,
    overridable=True,
)
def collection(case: Case, _policy: Policy) -> Found:
    """The claim has gone to debt collection."""
    return {} if case.invoice and case.invoice.collection else None


@rule(
    210,
    Action.REFER,
    "policy; lagen (1981:739) om ersättning för inkassokostnader m.m. on the reminder's fee",
    overridable=True,
    parameters=("reminder_sent",),
    steer="reminder_sent",
)
def reminder_sent(case: Case, _policy: Policy) -> Found:
    """A reminder has been sent."""
    reminded = case.invoice is not None and case.invoice.reminders > 0
    return {"reminders": str(case.invoice.reminders)} if reminded and case.invoice else None


@rule(220, Action.REFER, REFUND, overridable=True, parameters=("paid_invoice",), steer="paid_invoice")
def paid(case: Case, _policy: Policy) -> Found:
    """The invoice is paid in full, or more than that."""
    invoice = case.invoice
    full = invoice and (invoice.state is InvoiceState.PAID or 0 < invoice.total.amount <= invoice.paid)
    return paid_facts(case) if full else None


@rule(225, Action.REFER, REFUND, overridable=True, parameters=("paid_invoice",), steer="paid_invoice")
def paid_in_part(case: Case, _policy: Policy) -> Found:
    """A part of the invoice is paid."""
    invoice = case.invoice
    part = invoice and invoice.state is not InvoiceState.PAID and 0 < invoice.paid < invoice.total.amount
    return paid_facts(case) if part else None


@rule(230, Action.REFER, PERIOD, overridable=True, parameters=("closed_period",), steer="closed_period")
def closed_period(case: Case, _policy: Policy) -> Found:
    """The invoice is posted in a period that is closed."""
    invoice = case.invoice
    return {} if invoice and invoice.state in OPEN and not invoice.period_open else None


@rule(
    240,
    Action.REFER,
    f"{CREDIT_NOTE}; Skatteverket, Rättslig vägledning on it",
    overridable=True,
    parameters=("vat_reported",),
    steer="vat_reported",
)
def vat_reported(case: Case, _policy: Policy) -> Found:
    """The invoice is posted, and the VAT of its period has been reported."""
    invoice, until = case.invoice, case.vat_reported_until
    if invoice is None or until is None or invoice.state not in OPEN or invoice.issued > until:
        return None
    return {"reported_until": until.isoformat()}


@rule(250, Action.REFER, LAPSED, overridable=True, parameters=("oldest_years",))
def too_old(case: Case, policy: Policy) -> Found:
    """The invoice is so old that its claim has lapsed."""
    old = case.invoice and case.today >= years_later(case.invoice.issued, policy.oldest_years)
    return {"oldest_years": str(policy.oldest_years)} if old else None


@rule(260, Action.REFER, "policy", overridable=True, parameters=("days_after_due",))
def long_overdue(case: Case, policy: Policy) -> Found:
    """The invoice is posted, and it is overdue by more days than the policy allows."""
    invoice = case.invoice
    if invoice is None or invoice.state not in OPEN:
        return None
    days = (case.today - invoice.due).days
    return {"days": str(days)} if days > policy.days_after_due else None


@rule(270, Action.REFER, CONTROL, parameters=("always_refer_above",))
def above_the_robots_limit(case: Case, policy: Policy) -> Found:
    """The invoice's amount is above what the robot cancels at all."""
    high = case.invoice and case.invoice.total.amount > policy.always_refer_above
    return {"robots_limit": f"{policy.always_refer_above:.2f}"} if high else None


@rule(280, Action.REFER, CONTROL, overridable=True)
def above_the_senders_limit(case: Case, _policy: Policy) -> Found:
    """The invoice's amount is above what the sender may ask for alone."""
    most = case.grant.most if case.grant else None
    high = most is not None and case.invoice is not None and case.invoice.total.amount > most
    return {"senders_limit": f"{most:.2f}"} if high else None


@rule(290, Action.REFER, f"{CONTROL}; {IMPARTIAL}", parameters=("four_eyes_above", "four_eyes_persons"))
def four_eyes(case: Case, policy: Policy) -> Found:
    """The amount is above the four-eyes limit and too few persons, the one who asks not counted, have confirmed."""
    if case.invoice is None or case.invoice.total.amount <= policy.four_eyes_above:
        return None
    if len(case.approvers) >= policy.four_eyes_persons:
        return None
    return {
        "four_eyes_limit": f"{policy.four_eyes_above:.2f}",
        "persons": str(policy.four_eyes_persons),
        "confirmed": str(len(case.approvers)),
    }


def paid_facts(case: Case) -> dict[str, str]:
    """What has been paid."""
    return {"paid": f"{case.invoice.paid:.2f}"} if case.invoice else {}
