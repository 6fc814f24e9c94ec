"""Rules about the invoice: where it stands, and whether it is the one that was meant."""

from datetime import date
from decimal import Decimal, InvalidOperation

from vardag.invoices.model import Action, Effect, Invoice, InvoiceState, Read
from vardag.invoices.rules.case import Case
from vardag.invoices.rules.catalogue import Found, rule
from vardag.invoices.rules.policy import Policy

BOOKS = (
    "lagen (2018:597) om kommunal bokföring och redovisning 3 kap.; for a municipal company bokföringslagen "
    "(1999:1078) 5 kap. 5 §"
)
CREDIT_NOTE = "mervärdesskattelagen (2023:200) 17 kap. 22 §"
OPEN = (InvoiceState.POSTED, InvoiceState.PAID)


@rule(110, Action.REFER, f"policy: the robot credits invoices, not credit notes; {BOOKS}")
def credit_note(case: Case, _policy: Policy) -> Found:
    """The number belongs to a credit note."""
    return {} if case.invoice and case.invoice.is_credit_note else None


@rule(120, Action.REJECT, f"{BOOKS}: an error is corrected once")
def already_credited(case: Case, _policy: Policy) -> Found:
    """The invoice is credited in full already."""
    credited = case.invoice is not None and case.invoice.state is InvoiceState.CREDITED
    return {"credit_notes": credit_notes(case)} if credited else None


@rule(125, Action.REFER, "policy: the robot credits in full only, and something is credited already")
def credited_in_part(case: Case, _policy: Policy) -> Found:
    """A credit note names the invoice, which is still open."""
    invoice = case.invoice
    partly = invoice and invoice.credited_by and invoice.state not in (InvoiceState.CREDITED, InvoiceState.VOID)
    return {"credit_notes": credit_notes(case)} if partly else None


@rule(130, Action.REJECT, "policy: a thing is done once")
def already_void(case: Case, _policy: Policy) -> Found:
    """The invoice was voided before it was posted."""
    return {} if case.invoice and case.invoice.state is InvoiceState.VOID else None


@rule(140, Action.REFER, f"policy: the robot credits in full only; {CREDIT_NOTE}")
def part_credit(case: Case, _policy: Policy) -> Found:
    """Only a part of the invoice is asked for."""
    return {} if case.request.part else None


@rule(
    150,
    Action.REFER,
    "policy: both units' books are corrected together",
    overridable=True,
    parameters=("internal_invoice",),
    steer="internal_invoice",
)
def internal_invoice(case: Case, _policy: Policy) -> Found:
    """The customer is a unit of the city itself."""
    return {} if case.invoice and case.invoice.customer.internal else None


@rule(
    160,
    Action.REFER,
    "policy: the right invoice, not a mistyped number",
    overridable=True,
    parameters=("amount_tolerance",),
)
def amount_mismatch(case: Case, policy: Policy) -> Found:
    """The mail's amount differs from the invoice's by more than the tolerance."""
    invoice, asked = case.invoice, case.request.amount
    if invoice is None or asked is None:
        return None
    wanted = number_of(asked)
    if wanted is not None and abs(wanted - invoice.total.amount) <= policy.amount_tolerance:
        return None
    return {"asked": f"{wanted:.2f}" if wanted is not None else "–"}


@rule(170, Action.REFER, "policy: the right customer; a stranger's invoice is never touched", overridable=True)
def customer_mismatch(case: Case, _policy: Policy) -> Found:
    """The mail names another customer, or another organisation number, than the invoice has."""
    invoice, request = case.invoice, case.request
    if invoice is None:
        return None
    customer = request.customer is None or same_customer(request.customer.value, invoice)
    organisation = request.organisation is None or same_organisation(request.organisation.value, invoice)
    return None if customer and organisation else {}


@rule(180, Action.REFER, "policy: the limits hold in one currency", parameters=("currency",))
def other_currency(case: Case, policy: Policy) -> Found:
    """The invoice is in another currency than the limits."""
    invoice = case.invoice
    return {} if invoice and invoice.total.currency != policy.currency else None


@rule(190, Action.REFER, f"policy: there is nothing to credit; {CREDIT_NOTE}")
def nothing_to_credit(case: Case, _policy: Policy) -> Found:
    """The invoice's amount is zero or negative."""
    return {} if case.invoice and not case.invoice.total.amount > 0 else None


@rule(900, Action.CANCEL, "policy: a draft has no entry in the books, so it is voided", effect=Effect.VOID)
def draft(case: Case, _policy: Policy) -> Found:
    """The invoice is not posted."""
    return {} if case.invoice and case.invoice.state is InvoiceState.DRAFT else None


@rule(
    910,
    Action.CANCEL,
    f"{BOOKS}: a correction says when and by whom; {CREDIT_NOTE}: the credit note names the "
    "invoice; a posted invoice is never deleted",
    effect=Effect.CREDIT,
)
def posted(case: Case, _policy: Policy) -> Found:
    """The invoice is posted, paid or not."""
    return {} if case.invoice and case.invoice.state in OPEN else None


def credit_notes(case: Case) -> str:
    """Numbers of the credit notes that name the invoice."""
    return ", ".join(case.invoice.credited_by) if case.invoice and case.invoice.credited_by else "–"


def number_of(read: Read) -> Decimal | None:
    """An amount as read, or None where it is no number."""
    try:
        number = Decimal(read.value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def same_customer(asked: str, invoice: Invoice) -> bool:
    """Tell whether a customer's number or name, with its words in any order, is the invoice's."""
    customer = invoice.customer
    return letters(asked) == letters(customer.number) or words(asked) == words(customer.name)


def same_organisation(asked: str, invoice: Invoice) -> bool:
    """Tell whether an organisation number is the invoice's; a century in front of one of them does not matter."""
    own, other = letters(invoice.customer.organisation), letters(asked)
    return bool(own and other) and own[-10:] == other[-10:]


def letters(text: str) -> str:
    """Letters and digits only, in lower case."""
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def words(text: str) -> list[str]:
    """Words of a name, in lower case and in order."""
    return sorted("".join(letter if letter.isalnum() else " " for letter in text.casefold()).split())


def years_later(day: date, years: int) -> date:
    """The same day some years later; 28 February for a leap day that is not there."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)
