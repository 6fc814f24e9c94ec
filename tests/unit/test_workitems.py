"""Work items on SQLite and on PostgreSQL: states, leases, retries, and several robots at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from servers.postgis import PostGIS
from vardag.core.errors import NotFoundError, RefusedError
from vardag.invoices import store as stored
from vardag.invoices import workitems
from vardag.invoices.robot import people
from vardag.invoices.store import Store
from vardag.invoices.workitems import ALLOWED, LeaseLostError, Retries, State

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
LEASE = timedelta(minutes=5)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with opened(request, tmp_path) as made:
        yield made


@contextmanager
def opened(request: pytest.FixtureRequest, folder: Path) -> Iterator[Store]:
    server: PostGIS | None = request.getfixturevalue("postgis") if request.param == "postgresql" else None
    made = Store(server.fresh() if server else folder / "robot.sqlite")
    yield made
    made.close()


def add(store: Store, *numbers: str) -> list[int]:
    """Items about these invoices, all from one mail."""
    row = {"handle": "1", "message_id": "m", "sha256": "s", "size": 1, "received_at": NOW}
    with store.begin() as tx:
        stored.insert_new(tx, stored.mail, key="m", **row)
        made = [workitems.add(tx, key=f"m\n{one}", mail="m", place=0, target=one, now=NOW) for one in numbers]
    return [number for number in made if number is not None]


def reserve(store: Store, robot: str, now: datetime = NOW) -> int | None:
    with store.begin() as tx:
        item = workitems.reserve(tx, robot=robot, now=now, lease=LEASE)
    return item.id if item else None


def move(store: Store, number: int, state: State) -> None:
    with store.begin() as tx:
        workitems.move(tx, number, state, now=NOW)


def test_the_same_request_makes_one_item(store: Store) -> None:
    assert len(add(store, "1", "2")) == 2
    assert add(store, "1") == []


def test_times_come_back_in_utc(store: Store) -> None:
    (number,) = add(store, "1")
    with store.read() as tx:
        assert workitems.get(tx, number).created_at == NOW
        assert workitems.get(tx, number).created_at.tzinfo is UTC


def test_the_oldest_is_taken_first_and_by_one_robot(store: Store) -> None:
    first, second = add(store, "1", "2")
    assert [reserve(store, "a"), reserve(store, "b"), reserve(store, "c")] == [first, second, None]


def test_robots_at_once_share_the_items_without_overlap(store: Store) -> None:
    numbers = add(store, *map(str, range(40)))

    def robot(name: int) -> list[int]:
        taken = []
        while (number := reserve(store, str(name))) is not None:
            taken.append(number)
        return taken

    with ThreadPoolExecutor(4) as pool:
        taken = [number for part in pool.map(robot, range(4)) for number in part]
    assert sorted(taken) == numbers


def test_a_dead_robot_loses_its_item_and_may_not_go_on(store: Store) -> None:
    (number,) = add(store, "1")
    reserve(store, "first")
    assert reserve(store, "second", NOW + LEASE - timedelta(seconds=1)) is None
    assert reserve(store, "second", NOW + LEASE) == number
    with store.begin() as tx, pytest.raises(LeaseLostError, match=r"no longer reserved by first"):
        workitems.hold(tx, number, robot="first", now=NOW, lease=LEASE)
    with store.read() as tx:
        assert workitems.get(tx, number).tries == 2


def test_a_heartbeat_keeps_the_item(store: Store) -> None:
    (number,) = add(store, "1")
    reserve(store, "first")
    later = NOW + LEASE - timedelta(seconds=1)
    with store.begin() as tx:
        workitems.hold(tx, number, robot="first", now=later, lease=LEASE)
    assert reserve(store, "second", NOW + LEASE) is None


def test_a_technical_fault_is_tried_again_later_and_then_given_up(store: Store) -> None:
    (number,) = add(store, "1")
    retries, now = Retries(tries=3, first_s=60, factor=2), NOW
    for pause in (60, 120):
        assert reserve(store, "a", now) == number
        with store.begin() as tx:
            left = workitems.failed(tx, number, "no answer", now=now, retries=retries)
        assert left.state is State.FAILED_APPLICATION
        assert left.retry_at == now + timedelta(seconds=pause)
        assert reserve(store, "a", left.retry_at - timedelta(seconds=1)) is None
        now = left.retry_at
    assert reserve(store, "a", now) == number
    with store.begin() as tx:
        assert workitems.failed(tx, number, "no answer", now=now, retries=retries).state is State.DEAD
    assert reserve(store, "a", now + timedelta(days=30)) is None


def test_only_the_routines_ways_are_open(store: Store) -> None:
    (number,) = add(store, "1")
    with pytest.raises(RefusedError, match=r"work item 1 is new and cannot become done; from there: reserved"):
        move(store, number, State.DONE)
    reserve(store, "a")
    move(store, number, State.DONE)
    with pytest.raises(RefusedError, match=r"from there: nowhere"):
        move(store, number, State.NEW)


def test_every_state_is_reached_and_none_but_the_settled_ends() -> None:
    reached = {state for ways in ALLOWED.values() for state in ways}
    assert reached | {State.NEW} == set(State)
    assert {state for state, ways in ALLOWED.items() if not ways} <= set(workitems.SETTLED)


def test_a_persons_confirmation_makes_it_new_with_the_name(store: Store) -> None:
    (number,) = add(store, "1")
    reserve(store, "a")
    move(store, number, State.WAITING)
    left = people.approve(store, number, by="anna", reason="ja")
    assert (left.state, left.approvals, left.tries) == (State.NEW, ("anna",), 0)


def test_an_unknown_item_is_said_to_be_unknown(store: Store) -> None:
    with store.read() as tx, pytest.raises(NotFoundError, match=r"no work item 99\. List them with"):
        workitems.get(tx, 99)


def test_counts_name_every_state(store: Store) -> None:
    add(store, "1", "2")
    reserve(store, "a")
    with store.read() as tx:
        assert workitems.counted(tx) == {**dict.fromkeys(State, 0), State.NEW: 1, State.RESERVED: 1}
