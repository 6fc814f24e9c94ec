"""A robot, people and other robots at the same thing at once: none takes it out of the other's hands."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from offices import ANNA, Office, invoice, mail, office
from servers.postgis import PostGIS
from vardag.core.errors import RefusedError
from vardag.invoices import brakes, journal, store, workitems
from vardag.invoices.brakes import BrakeError, Limits
from vardag.invoices.mailbox.port import Folder
from vardag.invoices.model import ApplicationError
from vardag.invoices.robot import Mode, people, run_once
from vardag.invoices.store import Store
from vardag.invoices.workitems import Retries, State

ASKED = "Hej! Makulera faktura 1234567. Fel mottagare.\nAnna"
NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
ACTS: dict[str, Callable[[Store], object]] = {
    "confirm": lambda store: people.approve(store, 1, by="bo", reason="ja"),
    "done": lambda store: people.close(store, 1, by="bo", reason="gjort", done=True),
    "refuse": lambda store: people.close(store, 1, by="bo", reason="nej", done=False),
    "retry": lambda store: people.retry(store, 1, by="bo"),
}


@pytest.mark.parametrize("act", ACTS)
def test_nobody_takes_an_item_out_of_a_robots_hands(tmp_path: Path, act: str) -> None:
    """A page at the desk was opened while it waited; by now a robot is at the call."""
    found, said = office(tmp_path, [invoice("1234567")], [mail(ASKED)]), []

    def pressed(step: str) -> None:
        if step == "cancel":
            with pytest.raises(RefusedError, match="work item 1 is reserved") as refused:
                ACTS[act](found.robot.store)
            said.append(refused)

    found.work(at_step=pressed)
    assert said
    assert (found.item.state, found.item.approvals, len(found.ledger.notes)) == (State.DONE, (), 1)
    assert not {"approved", "closed by hand", "retried"} & set(found.events(1))


def test_what_will_be_tried_again_needs_no_confirmation(tmp_path: Path) -> None:
    found = office(tmp_path, [invoice("1234567")], [mail(ASKED)], mode=Mode.ATTENDED)
    found.ledger.find = _down  # type: ignore[method-assign,assignment]
    found.work()
    assert found.item.state is State.FAILED_APPLICATION
    with pytest.raises(RefusedError, match="work item 1 is failed_application"):
        people.approve(found.robot.store, 1, by="bo", reason="ja")
    people.retry(found.robot.store, 1, by="bo")
    assert found.item.state is State.NEW


def _down(*_arguments: object) -> object:
    raise ApplicationError("no answer")


def test_who_asked_is_no_judge_of_the_rule(tmp_path: Path) -> None:
    found = office(tmp_path, [invoice("1234567")], [mail(ASKED)], mode=Mode.ATTENDED)
    found.work()
    people.approve(found.robot.store, 1, by=ANNA, reason="ja")
    found.work()
    assert judged(found) == []
    people.close(found.robot.store, 1, by="bo", reason="ska inte krediteras", done=False)
    assert judged(found) == [("bo", False)]


def judged(found: Office) -> list[tuple[str, bool]]:
    with found.robot.store.read() as tx:
        return [(row.by, row.agrees) for row in tx.execute(store.judgement.select())]


def test_two_robots_take_in_the_same_mail_and_it_stays_where_it_belongs(tmp_path: Path) -> None:
    """The second one had seen it in the inbox too; it is no mail that came again."""
    found = office(tmp_path, [invoice("1234567")], [mail(ASKED)], mode=Mode.ATTENDED)
    second = replace(found.robot, name="second")

    def meanwhile(step: str) -> None:
        if step == "take in":
            run_once(second)

    found.work(at_step=meanwhile)
    assert "came again" not in [entry.event for entry in found.log]
    assert [len(found.mailbox.folders[folder]) for folder in (Folder.REFERRED, Folder.DONE)] == [1, 0]


def test_an_item_that_kills_robots_ends_as_a_dead_letter(tmp_path: Path) -> None:
    found = office(tmp_path, [invoice("1234567")], [mail(ASKED)])
    few = {"retries": Retries(tries=3), "lease": timedelta(0)}
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            found.work(at_step=_dies, **few)
    found.work(at_step=_dies, **few)
    assert (found.item.state, len(found.ledger.notes)) == (State.DEAD, 0)
    assert "3 tries" in (found.item.told or "")


def _dies(step: str) -> None:
    if step == "look up":
        raise KeyboardInterrupt


def test_in_shadow_not_even_the_copy_of_an_earlier_answer_is_moved(tmp_path: Path) -> None:
    found = office(tmp_path, [invoice("1234567")], [mail(ASKED)])
    real = found.mailbox.send
    found.work()
    (answer,) = found.mailbox.sent
    found.mailbox.sent.clear()
    real(answer)
    before = dict(found.mailbox.inbox)
    found.work(mode=Mode.SHADOW)
    assert found.mailbox.inbox == before
    assert len(found.items) == 1


def test_two_robots_do_not_pass_a_limit_together(postgis: PostGIS) -> None:
    made, limits, began = Store(postgis.fresh()), Limits(per_hour=1), threading.Event()
    with made.begin() as tx:
        row = {"handle": "1", "message_id": "m", "sha256": "s", "size": 1, "received_at": NOW}
        store.insert_new(tx, store.mail, key="m", **row)
        for number in ("1", "2"):
            workitems.add(tx, key=number, mail="m", place=0, target=number, now=NOW)

    def cancels(item: int) -> None:
        with made.begin() as tx:
            more = {"key": str(item), "item": item, "now": NOW, "amount": Decimal(1)}
            journal.intend(tx, journal.Kind.CANCEL, str(item), **more)  # type: ignore[arg-type]
            began.set()
            brakes.allow(tx, limits, now=NOW)

    with ThreadPoolExecutor() as pool:
        with made.begin() as tx:
            journal.intend(tx, journal.Kind.CANCEL, "1", key="1", item=1, now=NOW, amount=Decimal(1))
            brakes.allow(tx, limits, now=NOW)
            second = pool.submit(cancels, 2)
            assert began.wait(10)
            with pytest.raises(TimeoutError):
                second.result(0.5)  # it waits for the first
        with pytest.raises(BrakeError, match="would make 2 within the hour"):
            second.result(10)
    made.close()
