"""Fortnox as the finance system, against a stand-in that keeps books and holds calls to the published contract."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from servers.api import Fault
from servers.fortnox import Company, fortnox
from servers.tokens import CLIENT, SECRET, TENANT
from vardag.core.errors import InputError, RefusedError
from vardag.core.net import Patience
from vardag.core.rest import Pace, Tokens
from vardag.invoices.ledger.fortnox import Fortnox, consent, service_account
from vardag.invoices.ledger.port import Ledger, LedgerRefusedError
from vardag.invoices.model import ApplicationError, Done, Effect, Invoice, InvoiceState

QUICK = Patience(tries=2, backoff_s=0.01, timeout_s=0.6, wait_limit_s=1)
KEY, REASON, TODAY = "vardag-5f2c-1", "Fel mottagare", date(2026, 11, 26)


def tokens(company: Company) -> Tokens:
    return service_account(CLIENT, lambda: SECRET, tenant=TENANT, url=company.token_url, patience=QUICK)


def ledger(company: Company, **others: object) -> Fortnox:
    options = {"page_rows": 2, "patience": QUICK, "pace": Pace(10_000, 1)} | others
    return Fortnox(tokens(company), address=company.url, **options)  # type: ignore[arg-type]


@pytest.fixture
def company() -> Iterator[Company]:
    with fortnox(Company()) as running:
        yield running


def only(books: Fortnox, number: str) -> Invoice:
    (found,) = books.find(number)
    return found


def credit(books: Fortnox, number: str, key: str = KEY) -> Done:
    return books.do(Effect.CREDIT, only(books, number), key=key, reason=REASON, on=TODAY)


def credited_once(company: Company, key: str = KEY, drafts: int = 0) -> None:
    """One credit note is booked, with the key, for the whole amount; no draft is left, and the books balance."""
    (note,) = (row for row in company.notes() if row["Booked"])
    assert len(company.notes()) == 1 + drafts
    original = company.invoices[note["CreditInvoiceReference"]]
    assert (note["Booked"], note["ExternalInvoiceReference1"]) == (True, key)
    assert note["Total"] == -original["Total"] and original["Balance"] == 0
    assert company.balanced()


def test_it_is_a_ledger(company: Company) -> None:
    books: Ledger = ledger(company)
    assert books.name == "fortnox"


# Reading


def test_an_invoice_is_told_in_the_routines_words(company: Company) -> None:
    company.add("1250.50", Reminders=2, NoxFinans=True, Comments="Avtal 9")
    found = only(ledger(company), "1001")
    assert (found.id, found.number, found.state, found.reference) == ("1001", "1001", InvoiceState.POSTED, "10015")
    assert (found.total.amount, found.total.currency, found.paid) == (Decimal("1250.50"), "SEK", 0)
    assert (found.issued, found.due) == (date(2026, 10, 1), date(2026, 10, 31))
    assert found.customer.addresses == ("ekonomi@ytterby.example", "faktura@ytterby.example")
    assert (found.customer.name, found.customer.organisation) == ("Ytterby Bygg AB", "556677-8899")
    assert (found.reminders, found.collection, found.comment) == (2, True, "Avtal 9")
    assert (found.period_open, found.credited_by, found.is_credit_note) == (True, (), False)


def test_an_ocr_number_is_found_on_the_third_page_and_parts_of_numbers_are_not(company: Company) -> None:
    for ocr in ("77441", "77442", "77443", "77444", "7744"):  # the search matches parts
        company.add("100", OCR=ocr)
    assert only(ledger(company), "7744").number == "1005"
    assert company.api is not None
    pages = [call.query["page"] for call in company.api.calls if call.query.get("ocr")]
    assert pages == ["1", "2", "3"]


def test_a_number_that_is_one_invoices_and_anothers_ocr_finds_both(company: Company) -> None:
    company.add("100")
    company.add("200", OCR="1001")
    assert [found.number for found in ledger(company).find("1001")] == ["1001", "1002"]
    assert ledger(company).find("999") == () == ledger(company).find("A-17")


def test_states_and_payments(company: Company) -> None:
    for fields in ({"Booked": False}, {"Booked": False, "Cancelled": True, "Balance": Decimal(0)}, {}, {}, {}):
        company.add("100", **fields)
    company.pay(company.invoices["1003"], "100")
    company.pay(company.invoices["1004"], "40")
    books = ledger(company)
    credit(books, "1005")
    told = [(found.state, found.paid) for found in (only(books, str(number)) for number in range(1001, 1006))]
    assert told == [
        (InvoiceState.DRAFT, 0),
        (InvoiceState.VOID, 0),
        (InvoiceState.PAID, 100),
        (InvoiceState.POSTED, 40),
        (InvoiceState.CREDITED, 0),
    ]
    note = only(books, "1006")
    assert note.is_credit_note and note.credited_by == ()
    company.locked = "2026-10-01"
    assert not only(books, "1001").period_open


# Acting


def test_an_invoice_is_credited_in_full(company: Company) -> None:
    company.add("1250.50")
    books = ledger(company)
    done = credit(books, "1001")
    credited_once(company)
    assert done.credit_note is not None
    assert (done.effect, done.invoice, done.credit_note.number, done.credit_note.key) == (
        Effect.CREDIT, "1001", "1002", KEY)  # fmt: skip
    assert (done.credit_note.total.amount, done.credit_note.issued) == (Decimal("1250.5"), TODAY)
    assert company.invoices["1002"]["Comments"] == REASON
    found = only(books, "1001")
    assert (found.state, found.credited_by) == (InvoiceState.CREDITED, ("1002",))
    assert books.done(found, key=KEY) == done == credit(books, "1001")
    assert books.done(found, key="another") is None
    credited_once(company)


def test_a_reference_that_the_credit_note_inherits_is_not_taken_for_a_key(company: Company) -> None:
    company.inherits = True
    company.add("100", ExternalInvoiceReference1="ORDER-9")
    credit(ledger(company), "1001")
    credited_once(company)
    assert company.invoices["1001"]["ExternalInvoiceReference1"] == "ORDER-9"


def test_an_unbooked_invoice_is_voided_and_carries_the_key(company: Company) -> None:
    company.add("100", Booked=False, ExternalInvoiceReference1="ORDER-9", Comments="Avtal 9")
    books = ledger(company)
    invoice = only(books, "1001")
    for _ in range(2):
        done = books.do(Effect.VOID, invoice, key=KEY, reason=REASON, on=TODAY)
        assert done == Done(Effect.VOID, "1001") == books.done(invoice, key=KEY)
    row = company.invoices["1001"]
    assert row["Cancelled"] and row["ExternalInvoiceReference1"] == "ORDER-9"
    assert row["ExternalInvoiceReference2"] == KEY and row["Comments"] == "Avtal 9\n2026-11-26 Fel mottagare"
    with pytest.raises(LedgerRefusedError, match="by somebody else"):
        books.do(Effect.VOID, invoice, key="another", reason=REASON, on=TODAY)


@pytest.mark.parametrize("kind", ["html", "proxy", "cut", "slow", "gone", "down", "error"])
@pytest.mark.parametrize("step", ["credit", "1002", "bookkeep"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_fault_at_any_step_leaves_one_credit_note_when_tried_again(
    company: Company, kind: str, step: str, after: bool
) -> None:
    company.add("1250.50")
    books = ledger(company)
    assert company.api is not None
    company.api.faults.append(Fault(kind, ends=step, after=after))
    with pytest.raises(ApplicationError, match="fortnox: ") as failure:
        credit(books, "1001")
    assert SECRET not in str(failure.value)
    invoice = only(books, "1001")
    if not (step == "bookkeep" and after):
        assert books.done(invoice, key=KEY) is None
    done = books.do(Effect.CREDIT, invoice, key=KEY, reason=REASON, on=TODAY)
    assert books.done(invoice, key=KEY) == done
    credited_once(company)


@pytest.mark.parametrize("one_draft", [True, False])
@pytest.mark.parametrize("step", ["credit", "1002", "bookkeep"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_call_that_was_given_up_on_and_acts_late_books_no_second_one(
    company: Company, step: str, after: bool, one_draft: bool
) -> None:
    company.one_draft = one_draft
    company.add("1250.50")
    books = ledger(company)
    invoice = only(books, "1001")
    assert company.api is not None
    company.api.faults.append(Fault("late", ends=step, after=after))
    with pytest.raises(ApplicationError):
        books.do(Effect.CREDIT, invoice, key=KEY, reason=REASON, on=TODAY)
    # A draft made just before the next is asked for is named by nobody; it is in no books.
    drafts = 1 if step == "credit" and not (after or one_draft) else 0
    for _ in range(3):
        done = books.do(Effect.CREDIT, invoice, key=KEY, reason=REASON, on=TODAY)
        assert done == books.done(invoice, key=KEY)
        credited_once(company, drafts=drafts)
    assert company.api.late is None


def test_a_second_draft_is_never_booked_however_often_it_is_tried(company: Company) -> None:
    company.add("1250.50")
    books = ledger(company)
    credit(books, "1001")
    company.add("-1250.50", Booked=False, Credit="true", CreditInvoiceReference="1001")
    company.invoices["1001"]["CreditInvoiceReference"] = "1003"
    credit(books, "1001")
    assert [row["Booked"] for row in company.notes()] == [True, False] and company.balanced()


@pytest.mark.parametrize("kind", ["html", "proxy", "cut", "slow", "gone", "down", "error", "late"])
@pytest.mark.parametrize("step", ["1001", "cancel"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_fault_while_voiding_leaves_it_voided_once(company: Company, kind: str, step: str, after: bool) -> None:
    company.add("100", Booked=False)
    books = ledger(company)
    invoice = only(books, "1001")
    assert company.api is not None
    company.api.faults.append(Fault(kind, ends=step, after=after))
    with pytest.raises(ApplicationError, match="fortnox: "):
        books.do(Effect.VOID, invoice, key=KEY, reason=REASON, on=TODAY)
    done = books.do(Effect.VOID, invoice, key=KEY, reason=REASON, on=TODAY)
    assert done == Done(Effect.VOID, "1001") == books.done(invoice, key=KEY)
    assert company.invoices["1001"]["Cancelled"] and company.invoices["1001"]["ExternalInvoiceReference1"] == KEY


class KilledError(BaseException):
    """The process is killed."""


@pytest.mark.parametrize("inherits", [False, True])
@pytest.mark.parametrize("call", range(11))
def test_killed_before_any_call_it_is_continued(
    company: Company, monkeypatch: pytest.MonkeyPatch, call: int, inherits: bool
) -> None:
    company.inherits = inherits
    company.add("1250.50", ExternalInvoiceReference1="ORDER-9")
    books = ledger(company)
    invoice = only(books, "1001")
    send, left = books._calls.rest._send, iter(range(call))

    def killing(*arguments: object) -> object:
        if next(left, None) is None:
            raise KilledError
        return send(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch, pytest.raises(KilledError):
        patch.setattr(books._calls.rest, "_send", killing)
        for _ in range(2):  # crediting is fewer calls than eleven: then the look-ups of a second run are killed
            books.do(Effect.CREDIT, invoice, key=KEY, reason=REASON, on=TODAY)
    again = ledger(company)
    again.do(Effect.CREDIT, invoice, key=KEY, reason=REASON, on=TODAY)
    credited_once(company)


def test_reads_that_fail_are_tried_again_and_too_many_calls_are_waited_for(company: Company) -> None:
    company.add("100")
    assert company.api is not None
    company.api.faults += [Fault(kind, method="GET") for kind in ("down", "gone")]
    company.api.faults += [Fault("busy", ends=step) for step in ("credit", "1002", "bookkeep")]
    credit(ledger(company, patience=replace(QUICK, tries=3)), "1001")
    credited_once(company)
    company.api.faults.append(Fault("busy", method="GET", times=9))
    with pytest.raises(ApplicationError, match="429"):
        ledger(company).find("1001")


def test_the_rate_limit_is_kept_without_being_told(company: Company) -> None:
    company.add("100")
    company.window = (5, 0.2)
    books = ledger(company, pace=Pace(5, 0.25))
    credit(books, "1001")
    credited_once(company)
    assert company.api is not None and len(company.api.calls) > 10


# Refusals


@pytest.mark.parametrize("step", ["credit", "1002", "bookkeep"])
def test_a_no_that_nobody_has_heard_of_is_a_no_and_nothing_is_left(company: Company, step: str) -> None:
    company.add("100")
    assert company.api is not None
    company.api.faults.append(Fault("foreign", ends=step))
    with pytest.raises(LedgerRefusedError, match=r"Das Dokument ist gesperrt \(code 2009999\)"):
        credit(ledger(company), "1001")
    assert company.notes() == [] and company.invoices["1001"]["Balance"] == 100 and company.balanced()


@pytest.mark.parametrize("keeps_link", [True, False])
def test_a_refused_booking_takes_the_draft_back(company: Company, keeps_link: bool) -> None:
    company.keeps_link = keeps_link
    company.add("100")
    company.refuse = {"bookkeep"}
    with pytest.raises(LedgerRefusedError, match=r"Perioden är låst \(code 2000401\).*1002 was cancelled"):
        credit(ledger(company), "1001")
    assert company.notes() == []
    company.refuse = set()
    credit(ledger(company), "1001")
    credited_once(company)
    company.add("300")
    company.refuse = {"bookkeep", "cancel"}
    with pytest.raises(ApplicationError, match="could not be cancelled; cancel it by hand"):
        credit(ledger(company), "1004", key="another")


def test_what_would_be_refused_late_is_refused_before_a_draft_is_made(company: Company) -> None:
    company.add("100")
    company.add("100", Booked=False)
    books = ledger(company)
    with pytest.raises(LedgerRefusedError, match="1002 is not booked"):
        credit(books, "1002")
    company.locked = "2026-11-30"
    with pytest.raises(LedgerRefusedError, match="locked up to 2026-11-30"):
        credit(books, "1001")
    missing = only(books, "1001")
    del company.invoices["1001"]
    with pytest.raises(LedgerRefusedError, match="there is no invoice 1001"):
        books.do(Effect.CREDIT, missing, key=KEY, reason=REASON, on=TODAY)
    assert company.notes() == []


def test_somebody_elses_credit_note_is_left_alone(company: Company) -> None:
    company.add("100")
    books = ledger(company)
    credit(books, "1001", key="a person's")
    with pytest.raises(LedgerRefusedError, match="credited already, or about to be, by 1002"):
        credit(books, "1001")
    company.add("100")
    company.add("-30", Booked=False, Credit="true", CreditInvoiceReference="1003")
    company.invoices["1003"]["CreditInvoiceReference"] = "1004"
    with pytest.raises(LedgerRefusedError, match="or about to be, by 1004"):
        credit(books, "1003")
    company.add("100")
    with pytest.raises(LedgerRefusedError, match="stands on a credit note of invoice 1001"):
        credit(books, "1005", key="a person's")
    with pytest.raises(LedgerRefusedError, match="1002 is itself a credit note"):
        credit(books, "1002")


def test_a_refused_void_leaves_no_key_behind(company: Company) -> None:
    company.add("100", Booked=False)
    books = ledger(company)
    company.refuse = {"cancel"}
    with pytest.raises(LedgerRefusedError, match="redan bokförd"):
        books.do(Effect.VOID, only(books, "1001"), key=KEY, reason=REASON, on=TODAY)
    assert company.invoices["1001"]["ExternalInvoiceReference1"] == ""
    company.add("100")
    company.add("100", Booked=False, ExternalInvoiceReference1="a", ExternalInvoiceReference2="b")
    for number, words in (("1002", "is booked; it can be credited"), ("1003", "external references .* are taken")):
        with pytest.raises(LedgerRefusedError, match=words):
            books.do(Effect.VOID, only(books, number), key=KEY, reason=REASON, on=TODAY)


def test_a_key_that_is_part_of_another_is_not_that_other(company: Company) -> None:
    company.add("100")
    company.add("200")
    books = ledger(company)
    credit(books, "1001", key="case-10")
    assert books.done(only(books, "1002"), key="case-1") is None
    done = credit(books, "1002", key="case-1")
    assert done.credit_note is not None and done.credit_note.number == "1004"


@pytest.mark.parametrize("key", ["", "x" * 81, " padded"])
def test_a_key_that_fortnox_would_not_hold_is_refused(company: Company, key: str) -> None:
    company.add("100")
    with pytest.raises(InputError, match="1 to 80 characters"):
        credit(ledger(company), "1001", key=key)


# Log-in


@pytest.mark.parametrize("status", [401, 403])
def test_tokens_that_end_midway_are_renewed(company: Company, status: int) -> None:
    company.login_status, company.tokens.calls = status, 2
    company.add("100")
    credit(ledger(company), "1001")
    credited_once(company)
    assert set(company.tokens.grants) == {"client_credentials"} and len(company.tokens.grants) > 4


def test_a_refresh_token_is_replaced_at_each_use(company: Company) -> None:
    stored = [company.tokens.refresh]
    company.tokens.calls = 3
    company.add("100")
    keys = consent(CLIENT, lambda: SECRET, refresh=lambda: stored[-1], store=stored.append, url=company.token_url)
    credit(Fortnox(keys, address=company.url, patience=QUICK), "1001")
    credited_once(company)
    assert len(stored) > 3 and stored[-1] == company.tokens.refresh


def test_a_token_that_never_holds_is_a_fault_of_the_connection(company: Company) -> None:
    company.tokens.calls = 0
    company.add("100")
    with pytest.raises(ApplicationError, match="401"):
        ledger(company).find("1001")


def test_a_missing_permission_is_named_and_no_ones_invoice_is_blamed(company: Company) -> None:
    company.add("100")
    assert ledger(company).check() == []
    company.no_scope = "settings"
    (missing,) = ledger(company).check()
    assert "locked period (scope settings)" in missing and "ingen aktiv licens" in missing
    with pytest.raises(ApplicationError, match="ingen aktiv licens"):
        ledger(company).find("1001")
    assert company.api is not None
    company.api.faults.append(Fault("gone", method="GET", times=9))
    (missing,) = ledger(company).check()
    assert "did not answer to the end" in missing


def test_no_secret_in_words_logs_or_repr(company: Company, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    company.add("100")
    books = ledger(company)
    wrong = service_account(CLIENT, lambda: "fel-hemlighet", tenant=TENANT, url=company.token_url)
    with pytest.raises(ApplicationError, match="invalid_client") as failure:
        Fortnox(wrong, address=company.url).find("1001")
    credit(books, "1001")
    said = f"{caplog.text} {failure.value} {books!r} {books._calls.rest!r} {wrong!r} {vars(books)}"
    assert "fel-hemlighet" not in said
    for secret in (SECRET, *company.tokens.given):
        assert secret not in said


def test_offline_nothing_is_called(company: Company) -> None:
    company.add("100")
    with pytest.raises(RefusedError, match="offline"):
        ledger(company, offline=True).find("1001")
    assert company.api is not None and [call for call in company.api.calls if call.path != "/oauth-v1/token"] == []
