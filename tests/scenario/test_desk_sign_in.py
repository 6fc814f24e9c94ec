"""Signing in under attack: many tries at once, other spellings, other addresses, an old password."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from desks import PASSWORD, secret
from servers.postgis import PostGIS
from vardag.invoices import store as stored
from vardag.invoices.commands import person as people
from vardag.invoices.commands import sign_in
from vardag.invoices.commands.sign_in import SignedIn, Wait, Wrong, life
from vardag.invoices.persons import Role, register, sessions
from vardag.invoices.store import Store

NEW = "ett helt annat lösenord"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = Store(tmp_path / "robot.sqlite")
    staff(found)
    yield found
    found.close()


def staff(found: Store) -> None:
    with found.begin() as tx:
        register.add(tx, "karin", roles=[Role.CASEWORKER], secret=secret(), language="sv")


def count_only(_password: str, _secret: str) -> bool:
    """A comparison that takes no time: what is tried here is the counting."""
    return False


def at_once(found: Store, number: int, monkeypatch: pytest.MonkeyPatch) -> list[type]:
    """Results of wrong passwords, all looked at before the first of them has been answered."""
    gate = threading.Event()

    def slow(_password: str, _secret: str) -> bool:
        gate.wait(3)
        return False

    monkeypatch.setattr(sign_in, "fits", slow)
    with ThreadPoolExecutor(number) as pool:
        tried = [pool.submit(sign_in.prove, found, "karin", "fel", address="10.1.1.1") for _ in range(number)]
        threading.Timer(1, gate.set).start()
        return [type(one.result()) for one in tried]


def test_many_tries_at_once_are_many_tries(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    told = at_once(store, 12, monkeypatch)
    assert (told.count(Wrong), told.count(Wait)) == (5, 7)


@pytest.mark.parametrize("spelled", ["ｋarin", "Karin", "ka\uff52in", " karin "])
def test_another_spelling_is_the_same_name(store: Store, spelled: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in, "fits", count_only)
    for _ in range(5):
        assert isinstance(sign_in.prove(store, "karin", "fel", address="10.1.1.1"), Wrong)
    assert isinstance(sign_in.prove(store, spelled, "fel", address="10.1.1.1"), Wait)


def test_the_addresses_of_one_network_are_one(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in, "fits", count_only)
    for number in range(5):
        sign_in.prove(store, "karin", "fel", address=f"2001:db8::{number}")
    assert isinstance(sign_in.prove(store, "karin", "fel", address="2001:db8::ffff:1"), Wait)
    assert isinstance(sign_in.prove(store, "karin", "fel", address="2001:db8:0:1::1"), Wrong)


def test_a_right_password_takes_its_own_try_back_and_no_other(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in, "fits", lambda password, _secret: password == PASSWORD)
    for _ in range(3):
        for _ in range(4):
            assert isinstance(sign_in.prove(store, "karin", "fel", address="10.1.1.1"), Wrong)
        assert not isinstance(sign_in.prove(store, "karin", PASSWORD, address="10.1.1.1"), Wrong | Wait)
    with store.read() as tx:
        counted = stored.get(tx, "desk wrong passwords")
    assert sorted(count for count, _ in counted.values()) == [12, 12]  # by name, and by address


def test_an_old_password_is_worth_nothing_once_it_is_changed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The administrator gives a new password while the old one is being compared."""

    def late(_password: str, _secret: str) -> bool:
        people.give_password(store, "karin", NEW, by="adam")
        return True

    monkeypatch.setattr(sign_in, "fits", late)
    assert isinstance(sign_in.sign_in(store, "karin", PASSWORD, address="10.1.1.1"), Wrong)
    with store.read() as tx:
        assert not tx.execute(
            sa.select(stored.setting.c.name).where(stored.setting.c.name.like("desk session%"))
        ).all()


def test_on_a_server_every_try_is_counted_and_an_ended_session_stays_ended(
    postgis: PostGIS, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Store(postgis.fresh())
    staff(found)
    begun = sign_in.vouched(found, "karin")
    assert isinstance(begun, SignedIn)
    now = datetime.now(UTC)
    with ThreadPoolExecutor(1) as pool, found.begin() as tx:
        sessions.end(tx, begun.token)
        renewing = pool.submit(renew, found, begun.token, now)
        threading.Event().wait(0.5)  # by now it has seen the session, and waits to write it
        tx.commit()
        renewing.result()
    with found.read() as tx:
        assert sessions.whose(tx, begun.token, now=now, life=life()) is None
    told = at_once(found, 12, monkeypatch)
    assert (told.count(Wrong), told.count(Wait)) == (5, 7)
    found.close()


def renew(found: Store, token: str, now: datetime) -> None:
    with found.begin() as tx:
        sessions.renew(tx, token, now=now)
