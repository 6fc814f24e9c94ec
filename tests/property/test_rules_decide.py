"""What must hold for every decision, whatever the request, the invoice and the persons who confirm."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from vardag.invoices.model import (
    Action,
    CancellationRequest,
    Customer,
    Effect,
    Invoice,
    InvoiceState,
    MailKind,
    MailRead,
    Money,
    Read,
    Sender,
)
from vardag.invoices.rules import CATALOGUE, Case, Earlier, Grant, decide, in_order, load_policy

TODAY = date(2026, 11, 24)
POLICY = load_policy()
AMOUNTS = st.sampled_from(["-1", "0", "0.01", "1250", "10000", "10000.01", "100000", "100000.01"]).map(Decimal)
DAYS = st.sampled_from([0, 14, 60, 61, 365, 3652, 3653, 5000]).map(lambda days: TODAY - timedelta(days=days))
PERSONS = st.sampled_from(["karin@kommun.se", "KARIN@kommun.se", "bo@kommun.se", "anna@kommun.se", "anna", ""])


def read(values: list[str]) -> st.SearchStrategy[Read | None]:
    made = st.builds(Read, st.sampled_from(values), st.just("body"), st.just(""), st.sampled_from([0.5, 0.8, 1.0]))
    return st.none() | made


REQUESTS = st.builds(
    CancellationRequest,
    number=read(["10421"]),
    reference=read(["1042100017"]),
    amount=read(["1250.00", "7", "x", "NaN"]),
    customer=read(["1001", "Bo"]),
    organisation=read(["2120001234"]),
    part=st.one_of(st.none(), st.none(), read(["2 timmar"])),
    doubts=st.sampled_from([(), (), ("conditional",)]),
)
MAILS = st.builds(
    MailRead,
    kind=st.sampled_from([MailKind.REQUEST, MailKind.REQUEST, *MailKind]),
    sender=st.builds(Sender, st.just("anna@kommun.se"), st.just("Anna"), st.booleans()),
    subject=st.just(""),
    language=st.sampled_from(["sv", "en", "fi"]),
    requests=st.just(()),
    doubts=st.sampled_from([(), ("threads",)]),
)
INVOICES = st.builds(
    Invoice,
    id=st.just("7"),
    number=st.just("10421"),
    state=st.sampled_from(InvoiceState),
    customer=st.builds(
        Customer, st.just("1001"), st.just("Eva Ek"), st.just("212000-1234"), internal=st.booleans()
    ),
    issued=DAYS,
    due=DAYS,
    total=st.builds(Money, AMOUNTS, st.sampled_from(["SEK", "SEK", "EUR"])),
    paid=AMOUNTS,
    credited_by=st.sampled_from([(), (), ("90001",)]),
    reminders=st.integers(0, 2),
    collection=st.booleans(),
    period_open=st.booleans(),
    is_credit_note=st.booleans(),
)
GRANTS = st.none() | st.builds(
    Grant,
    kind=st.sampled_from(["staff", "customer"]),
    most=st.none() | AMOUNTS,
    customers=st.sampled_from([(), ("1001",), ("9",)]),
)
CASES = st.builds(
    Case,
    request=REQUESTS,
    mail=MAILS,
    invoices=st.lists(INVOICES, max_size=2).map(tuple),
    today=st.just(TODAY),
    grant=GRANTS,
    earlier=st.lists(st.builds(Earlier, st.just("E1"), st.just("m"), st.sampled_from(Action)), max_size=2).map(
        tuple
    ),
    approvals=st.lists(PERSONS, max_size=3).map(tuple),
    vat_reported_until=st.none() | DAYS,
)
# Cases that no rule objects to, so that something is cancelled; then each of them is made worse.
PLAIN = Case(
    request=CancellationRequest(number=Read("10421", "body", "10421", 1.0)),
    mail=MailRead(MailKind.REQUEST, Sender("anna@kommun.se", "Anna", True), "", "sv", ()),
    invoices=(
        Invoice("7", "10421", InvoiceState.POSTED, Customer("1001", "Eva Ek"), TODAY, TODAY, Money(Decimal(1250))),
    ),
    today=TODAY,
    grant=Grant("staff"),
)
PARTS = ("request", "mail", "invoices", "grant", "earlier", "approvals")
MILD = st.builds(
    lambda case, kept: replace(PLAIN, **{name: getattr(case, name) for name in PARTS if name not in kept}),
    CASES,
    st.sets(st.sampled_from(PARTS), min_size=3),
)
ANY = CASES | MILD


def objecting(case: Case) -> list[str]:
    return [
        rule.code for rule in in_order()
        if rule.test(case, POLICY) is not None and rule.action_under(POLICY) is not Action.CANCEL
    ]  # fmt: skip


@given(ANY)
def test_cancels_only_when_nothing_that_stands_objects(case: Case) -> None:
    decision = decide(case, POLICY)
    against = objecting(case)
    hard = [code for code in against if not CATALOGUE[code].overridable]
    if decision.action is Action.CANCEL:
        assert hard == [] and (not against or case.approvers)
        state = case.invoices[0].state
        assert decision.effect is (Effect.VOID if state is InvoiceState.DRAFT else Effect.CREDIT)
        assert len(case.invoices) == 1 and case.grant is not None
    else:
        assert against and decision.effect is None and decision.code in against


@given(ANY)
def test_the_same_case_gives_the_same_decision_and_every_code_is_told(case: Case) -> None:
    decision = decide(case, POLICY)
    assert decide(replace(case), POLICY) == decision
    assert decision.codes[0] == decision.code and len(set(decision.codes)) == len(decision.codes)
    assert set(objecting(case)) <= set(decision.codes)
    orders = [CATALOGUE[code].order for code in decision.codes[1:]]
    assert orders == sorted(orders)


@given(ANY, st.sampled_from(["request", "mail"]))
def test_a_doubt_more_never_leads_to_cancelling(case: Case, where: str) -> None:
    before = decide(case, POLICY)
    part = getattr(case, where)
    after = decide(replace(case, **{where: replace(part, doubts=(*part.doubts, "more"))}), POLICY)
    assert after.action is not Action.CANCEL or before.action is Action.CANCEL
    assert after.action is not Action.CANCEL or case.approvers


@given(ANY, PERSONS)
def test_a_person_who_confirms_again_or_asked_herself_counts_for_nothing(case: Case, name: str) -> None:
    once = replace(case, approvals=(*case.approvals, name))
    again = replace(once, approvals=(*once.approvals, f" {name.upper()} "))
    assert decide(again, POLICY) == decide(once, POLICY)
    own = replace(case, approvals=(*case.approvals, case.mail.sender.address, "Anna"))
    assert decide(own, POLICY) == decide(case, POLICY)


@given(ANY)
def test_above_the_four_eyes_limit_two_others_have_confirmed(case: Case) -> None:
    decision = decide(case, POLICY)
    if decision.action is Action.CANCEL and case.invoices[0].total.amount > POLICY.four_eyes_above:
        assert len(case.approvers) >= 2 and "anna@kommun.se" not in case.approvers


@given(ANY)
def test_facts_name_nobody_but_those_who_confirmed(case: Case) -> None:
    facts = decide(case, POLICY).facts
    assert all(isinstance(value, str) for value in facts.values())
    assert "Eva" not in "".join(facts.values()) and "212000" not in "".join(facts.values())
