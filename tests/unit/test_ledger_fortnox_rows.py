"""What Fortnox's answers say, in every form that its contract has had, and in forms that it has not."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from servers.fortnox import Company, fortnox
from servers.tokens import CLIENT, SECRET, TENANT
from servers.web import Answer
from vardag.core.rest import NoError, UnansweredError
from vardag.invoices.ledger import fortnox_rows as rows
from vardag.invoices.ledger.fortnox import Fortnox, service_account
from vardag.invoices.model import ApplicationError, InvoiceState


@pytest.mark.parametrize("written", [True, "true", "True"])
def test_a_truth_value_may_be_text(written: object) -> None:
    assert rows.true({"Credit": written}, "Credit")
    assert not rows.true({"Credit": "false"}, "Credit") and not rows.true({}, "Credit")


@pytest.mark.parametrize("written", ["1250.50", 1250.5, Decimal("1250.50")])
def test_a_number_may_be_text(written: object) -> None:
    assert rows.amount({"Total": written}, "Total") == Decimal("1250.5")
    assert rows.amount({"Total": None}, "Total") == 0


@pytest.mark.parametrize("written", ["abc", float("nan"), float("inf"), [], {}])
def test_what_is_no_number_is_no_answer(written: object) -> None:
    with pytest.raises(UnansweredError, match="Total is no number"):
        rows.amount({"Total": written}, "Total")


def test_dates() -> None:
    assert rows.day({"DueDate": "2026-10-31"}, "DueDate") == date(2026, 10, 31)
    assert rows.day({"DueDate": None}, "DueDate", otherwise=date(2026, 1, 1)) == date(2026, 1, 1)
    for written in ("31/10 2026", "", "2026-02-30"):
        with pytest.raises(UnansweredError, match="DueDate is no date"):
            rows.day({"DueDate": written}, "DueDate")
    assert rows.locked({"LockedPeriod": {"EndDate": None}}) is None == rows.locked({"LockedPeriod": {}})


BOOKED: dict[str, Any] = {"Booked": True, "Total": 1000, "Balance": 1000}
NOTE: dict[str, Any] = {"Booked": True, "Total": -1000, "Balance": 0}


@pytest.mark.parametrize(
    ("row", "note", "state", "paid"),
    [
        (BOOKED, None, InvoiceState.POSTED, 0),
        (BOOKED | {"Balance": 0}, None, InvoiceState.PAID, 1000),
        (BOOKED | {"Balance": 0}, NOTE, InvoiceState.CREDITED, 0),
        (BOOKED | {"Balance": 0}, NOTE | {"Balance": -1000}, InvoiceState.CREDITED, 1000),  # paid, then credited
        (BOOKED | {"Balance": 600}, NOTE | {"Total": -400}, InvoiceState.POSTED, 0),  # credited in part
        (BOOKED, NOTE | {"Booked": False}, InvoiceState.POSTED, 0),
        (BOOKED | {"Booked": False}, None, InvoiceState.DRAFT, 0),
        (BOOKED | {"Cancelled": True, "Balance": 0}, None, InvoiceState.VOID, 0),
    ],
)
def test_where_an_invoice_stands(
    row: dict[str, Any], note: dict[str, Any] | None, state: InvoiceState, paid: int
) -> None:
    assert (rows.state(row, note), rows.paid(row, note)) == (state, paid)


@pytest.mark.parametrize("names", [("error", "message", "code"), ("Error", "Message", "Code")])
def test_an_error_is_read_in_both_spellings(names: tuple[str, str, str]) -> None:
    body = {"ErrorInformation": dict(zip(names, (1, "Kan inte hitta kontot.", 2000423), strict=True))}
    error = NoError("", 400, body)
    assert rows.said(error) == "Kan inte hitta kontot (code 2000423)." and not rows.technical(error)
    assert rows.technical(NoError("", 403, body))


@pytest.mark.parametrize("body", [None, [], "no", {"error": "x"}, {"ErrorInformation": "x"}])
def test_what_is_not_fortnoxs_own_error_is_no_refusal(body: object) -> None:
    assert rows.technical(NoError("proxy says no", 400, body)) and rows.said(NoError("proxy", 400, body)) == "proxy"


def test_what_means_that_a_token_does_not_hold() -> None:
    login = b'{"ErrorInformation": {"error": 1, "message": "Ogiltig inloggning", "code": 2000310}}'
    assert rows.token_expired(401, b"") and rows.token_expired(400, login) and rows.token_expired(403, login)
    assert not rows.token_expired(403, b"<html>") and not rows.token_expired(404, b"[]")


@pytest.mark.parametrize(
    "body",
    [b"[]", b"{}", b"null", b'"text"', b'{"Invoice": []}', b'{"Invoice": {"DocumentNumber": "1001"}}',
     b'{"Invoice": {"DocumentNumber": "1001", "Total": 1, "Booked": true}}', b"\xff\xfe"],
)  # fmt: skip
def test_an_answer_of_another_shape_is_no_answer(body: bytes) -> None:
    with fortnox(Company()) as company:
        company.add("100")
        keys = service_account(CLIENT, lambda: SECRET, tenant=TENANT, url=company.token_url)
        books = Fortnox(keys, address=company.url)
        assert company.api is not None
        company.api._answer = lambda call: (
            company.tokens.answer(call) if call.path.startswith("/oauth") else Answer(body)
        )
        with pytest.raises(ApplicationError, match="fortnox: "):
            books.find("1001")
