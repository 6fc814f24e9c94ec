"""The rules' policy, allow-list, version and documents."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from vardag.core.errors import ConfigError
from vardag.core.parameters import Parameters
from vardag.invoices.model import Action, Customer, Invoice, InvoiceState, Money, Sender
from vardag.invoices.rules import (
    CATALOGUE,
    EDITION,
    Allowed,
    Grant,
    decision_table,
    documented,
    entitled,
    in_order,
    load_policy,
    person,
    read_allowed,
    version,
)
from vardag.invoices.rules.catalogue import TEXTS, rule
from vardag.invoices.rules.policy import READERS, policy_of

INVOICE = Invoice(
    "7", "10421", InvoiceState.POSTED, Customer("1001", "Eva Ek", addresses=("eva@example.com",)),
    date(2026, 11, 10), date(2026, 12, 10), Money(Decimal(1250)),
)  # fmt: skip
LIST = (Allowed("anna@kommun.se", Decimal(5000), ("2001",)), Allowed("@kommun.se"), Allowed("Bo@Skola.se"))


def own(folder: Path, text: str) -> Path:
    path = folder / "own.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def entry(name: str, value: str) -> str:
    return f"{name}: {{value: {value}, unit: x, date: 2026-01-01, source: the board}}\n"


def test_every_rule_has_texts_a_source_and_parameters_that_exist() -> None:
    known = load_policy().parameters.entries
    for one in in_order():
        assert one.source and one.when() and TEXTS.has(f"{one.code}_says") and TEXTS.has(f"{one.code}_look")
        assert set(one.parameters) <= set(known) and (one.steer is None or one.steer in one.parameters)
        assert not (one.overridable and one.action is Action.REJECT)
    assert len(TEXTS.entries) == 2 * len(CATALOGUE)


def test_every_parameter_is_used_by_a_rule() -> None:
    assert set(READERS) == set(load_policy().parameters.entries)
    assert set(READERS) == {name for one in in_order() for name in one.parameters}


def test_a_code_or_a_place_is_taken_once() -> None:
    with pytest.raises(ValueError, match="there already"):
        rule(10, Action.REFER, "x")(lambda _case, _policy: None)


def test_a_citys_own_parameters_go_before_the_packaged_ones(tmp_path: Path) -> None:
    policy = load_policy(own(tmp_path, entry("four_eyes_above", "2500.50") + entry("paid_invoice", "refund")))
    assert (policy.four_eyes_above, policy.paid_invoice) == (Decimal("2500.50"), "refund")
    assert policy.always_refer_above == load_policy().always_refer_above
    assert policy.parameters["four_eyes_above"].source == "the board"
    assert load_policy(own(tmp_path, "")).four_eyes_above == load_policy().four_eyes_above


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (entry("four_eyes", "1"), "unknown four_eyes. Known: always_refer_above, amount_tolerance"),
        (entry("four_eyes_above", "many"), "four_eyes_above is 'many', expected an amount"),
        (entry("four_eyes_above", "-1"), "expected an amount of 0 or more"),
        (entry("four_eyes_above", "true"), "expected an amount of 0 or more"),
        (entry("four_eyes_above", ".nan"), "expected an amount of 0 or more"),
        (entry("four_eyes_persons", "0"), "expected a whole number of 1 or more"),
        (entry("four_eyes_persons", "1.5"), "expected a whole number"),
        (entry("sure_enough", "80"), "expected a share between 0 and 1"),
        (entry("customers_may_ask", "maybe"), "expected true or false"),
        (entry("paid_invoice", "note"), "expected one of refer, refund"),
        (entry("currency", "kronor"), "expected a currency code"),
        (entry("languages", "sv"), "expected a list of language codes"),
        ("four_eyes_above: 5\n", "expected name: {value: 5000"),
        ("- a\n", "cannot be read as parameters"),
        ("a: [\n", "cannot be read as parameters"),
        ("sure_enough: {value: 1, unit: x, date: soon, source: y}\n", "expected YYYY-MM-DD"),
    ],
)
def test_a_wrong_parameter_is_named_with_its_cure(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load_policy(own(tmp_path, text))


def test_a_missing_file_is_an_error_of_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml"):
        load_policy(tmp_path / "none.yaml")


def test_the_version_is_stable_and_changes_with_any_parameter_and_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = load_policy()
    first = version(policy)
    assert first == version(load_policy()) and first.startswith(f"{EDITION}-") and len(first) == len(EDITION) + 9
    seen = {first}
    for name, one in policy.parameters.entries.items():
        for changed in (replace(one, source="other"), replace(one, date=date(2027, 1, 1))):
            entries = policy.parameters.entries | {name: changed}
            seen.add(version(policy_of(Parameters(policy.parameters.path, entries))))
    assert len(seen) == 1 + 2 * len(policy.parameters.entries)
    for change in ({"order": 999}, {"overridable": False}, {"source": "other"}):
        monkeypatch.setitem(CATALOGUE, "paid", replace(CATALOGUE["paid"], **change))
        seen.add(version(policy))
    assert len(seen) == 4 + 2 * len(policy.parameters.entries)


@pytest.mark.parametrize(
    ("address", "invoice", "may_ask", "grant"),
    [
        ("bo@kommun.se", INVOICE, False, Grant("staff")),
        ("BO@skola.SE", None, False, Grant("staff")),
        ("anna@kommun.se", INVOICE, False, None),
        ("anna@kommun.se", None, False, Grant("staff", Decimal(5000), ("2001",))),
        ("eva@example.com", INVOICE, True, Grant("customer", None, ("1001",))),
        ("eva@example.com", INVOICE, False, None),
        ("eva@example.com", None, True, None),
        ("bo@kommun.se.evil.com", INVOICE, False, None),
        ("bo@sub.kommun.se", INVOICE, False, None),
        ("x@kommun.se@evil.com", INVOICE, False, None),
        ("x@evil.com@kommun.se", INVOICE, False, None),
        ("kommun.se", INVOICE, False, None),
        ("@kommun.se", INVOICE, False, None),
        ("", INVOICE, True, None),
    ],
)
def test_who_is_entitled_to_what(address: str, invoice: Invoice | None, may_ask: bool, grant: Grant | None) -> None:
    assert entitled(Sender(address), LIST, invoice, customers_may_ask=may_ask) == grant


def test_an_allow_list_is_read_and_its_faults_are_named(tmp_path: Path) -> None:
    good = "- {who: anna@kommun.se, most: 5000, customers: [2001]}\n- who: '@kommun.se'\n"
    assert read_allowed(own(tmp_path, good)) == (
        Allowed("anna@kommun.se", Decimal(5000), ("2001",)), Allowed("@kommun.se"),
    )  # fmt: skip
    assert read_allowed(own(tmp_path, "")) == ()
    faults = {
        "- {who: kommun.se}": "line 1 of the list: who is 'kommun.se'",
        "- {who: a@b.se}\n- {most: 5}": "line 2 of the list: expected who",
        "- {who: a@b.se, most: lots}": "most is 'lots'",
        "- {who: a@b.se, most: .inf}": "most is inf",
        "- {who: a@b.se, customers: 5}": "customers is 5",
        "- {who: a@b.se, role: boss}": "expected who",
        "who: a@b.se": "expected a list",
        "- [": "cannot be read",
    }
    for text, says in faults.items():
        with pytest.raises(ConfigError, match=says):
            read_allowed(own(tmp_path, text))


def test_a_person_is_the_same_in_any_spelling() -> None:
    assert person(" Anna+x@Kommun.SE") == person("anna@kommun.se") != person("anna@skola.se")


def test_the_page_shows_every_rule_parameter_and_text() -> None:
    page = documented()
    assert all(f"| `{one.code}` |" in page for one in in_order())
    assert all(f"`{name}`" in page for name in READERS)
    assert page == documented() and len(decision_table()) == len(CATALOGUE) + 2
    assert len({line.count("|") for line in decision_table()}) == 1
    assert "‹paid› av ‹total› är betalt." in page
