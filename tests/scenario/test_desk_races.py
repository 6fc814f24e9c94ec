"""What happens between two looks: somebody else, or the robot, is a moment faster."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from offices import Office, invoice, mail, office
from vardag.core.errors import RefusedError
from vardag.invoices import workitems
from vardag.invoices.commands import desk as acts
from vardag.invoices.commands.desk import Choice, DecisionRefusedError
from vardag.invoices.model import Money
from vardag.invoices.robot import people
from vardag.invoices.store import Store
from vardag.invoices.workitems import State, stamp

ASKED = "Hej! Makulera faktura 1234567. Fel mottagare.\nAnna"


@pytest.fixture
def found(tmp_path: Path) -> Office:
    """One large invoice that needs four eyes, and waits for them."""
    made = office(tmp_path, [invoice("1234567", total=Money(Decimal(15_000)))], [mail(ASKED)])
    made.work()
    return made


@pytest.mark.parametrize("choice", list(Choice))
def test_the_decision_itself_looks_whether_the_item_is_still_as_it_was_seen(
    found: Office, choice: Choice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another confirms, and the robot comes back, after the desk has looked and before the decision is taken."""
    seen, store = stamp(found.item), found.robot.store
    begin = Store.begin

    def late(self: Store) -> object:
        monkeypatch.setattr(Store, "begin", begin)
        people.approve(store, 1, by="olle", reason="stämmer")
        found.work()
        return begin(self)

    monkeypatch.setattr(Store, "begin", late)
    with pytest.raises(DecisionRefusedError) as refused:
        acts.decide(store, 1, choice, by="karin", reason="nej", seen=seen, demands=found.robot.demands)
    assert refused.value.why == "changed"
    assert (found.item.state, found.item.approvals) == (State.WAITING, ("olle",))


def test_a_person_with_two_accounts_is_one_pair_of_eyes(found: Office) -> None:
    """First a user name, then the address that the city's own sign-in knows the person by."""
    store, demands = found.robot.store, found.robot.demands
    acts.decide(store, 1, Choice.CONFIRM, by="karin", reason="ja", seen=stamp(found.item), demands=demands)
    found.work()
    with pytest.raises(DecisionRefusedError) as refused:
        told = {"reason": "ja", "seen": stamp(found.item), "demands": demands}
        acts.decide(store, 1, Choice.CONFIRM, by="karin@kommun.example", **told)
    assert refused.value.why == "again"
    people.approve(store, 1, by="karin@kommun.example", reason="ja")  # by command; the rules see it too
    found.work()
    assert found.item.state is State.WAITING and not found.ledger.notes


def test_what_waits_for_a_decision_is_not_given_new_tries(found: Office) -> None:
    with pytest.raises(RefusedError, match="work item 1 is waiting; only what failed technically"):
        people.retry(found.robot.store, 1, by="adam")
    assert found.item.state is State.WAITING


@pytest.mark.parametrize("act", ["approve", "close", "retry"])
def test_nobody_takes_an_item_out_of_a_robots_hands(found: Office, act: str) -> None:
    store, now = found.robot.store, datetime.now(UTC)
    people.approve(store, 1, by="olle", reason="stämmer")
    with store.begin() as tx:
        workitems.reserve(tx, robot="a", now=now, lease=timedelta(minutes=5))
    with pytest.raises(RefusedError, match="work item 1 is reserved"):
        if act == "approve":
            people.approve(store, 1, by="karin", reason="ja")
        elif act == "close":
            people.close(store, 1, by="karin", reason="nej", done=True)
        else:
            people.retry(store, 1, by="adam")
    assert found.item.reserved_by == "a"
