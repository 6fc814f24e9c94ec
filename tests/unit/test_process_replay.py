"""Replays worked by hand: what is on the map, what is not, and what cannot be said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from maps import map_of, properties
from process_logs import BEGAN, event, tidied
from vardag.invoices.process import load_parameters
from vardag.invoices.process.conformance import conform, match
from vardag.invoices.process.map import Map
from vardag.invoices.process.map_words import limits_of_log, numbers
from vardag.invoices.process.replay import replay

STEPS = """
    s start Mejl
    read service Läs mejlet
    g choice
    a user Titta
    h choice
    e end Klart
    n end Inget
"""
FLOWS = "s read\nread g\ng n nothing\ng a *\na h\nh read confirmed\nh e *"


@dataclass(frozen=True)
class Entry:
    """An entry as the audit log has it."""

    item: int | None
    event: str
    body: Mapping[str, Any] = field(default_factory=dict)


@pytest.fixture
def routine(tmp_path: Path) -> Map:
    return map_of(tmp_path, STEPS, FLOWS, inside={"a": properties(name_en="Have a look")})


def settled(item: int, *path: str, **more: Any) -> Entry:
    return Entry(item, "settled", {"path": list(path), "step": path[-1], **more})


RESERVED = Entry(1, "reserved")
WAITS = settled(1, "s", "read", "a", state="waiting")


def test_an_item_that_waits_stands_at_its_step(routine: Map) -> None:
    found = replay([Entry(None, "paused"), Entry(1, "received"), RESERVED, WAITS, Entry(2, "received")], routine)
    assert (found.items, found.standing, found.ended, found.new) == (1, {"a": 1}, 0, 1)
    assert (found.times, found.fitness) == ({"s": 1, "read": 1, "a": 1}, 1.0)
    assert found.flows == {"s_read": 1, "read_g": 1, "g_a": 1}


def test_what_a_person_closed_comes_to_the_maps_end(routine: Map) -> None:
    closed = Entry(1, "closed by hand", {"step": "a", "outcome": "done", "state": "done"})
    found = replay([RESERVED, WAITS, closed], routine)
    assert (found.ended, found.standing, found.deviations) == (1, {}, ())
    assert found.times["e"] == 1 and found.flows["h_e"] == 1


def test_what_a_person_confirmed_goes_on_from_there_once(routine: Map) -> None:
    confirmed = Entry(1, "approved", {"step": "a", "outcome": "confirmed"})
    on_its_way = replay([RESERVED, WAITS, confirmed], routine)
    assert on_its_way.standing == {"a": 1}
    found = replay([RESERVED, WAITS, confirmed, RESERVED, settled(1, "a", "read", "n")], routine)
    assert found.times == {"s": 1, "read": 2, "a": 1, "n": 1}
    assert (found.went["read"], found.ended, found.restarts, found.deviations) == (1, 1, 0, ())


def test_what_the_person_decided_shuts_the_other_ways(routine: Map) -> None:
    done = Entry(1, "approved", {"step": "a", "outcome": "done"})
    found = replay([RESERVED, WAITS, done, RESERVED, settled(1, "a", "read", "n")], routine)
    assert [(one.after, one.came, one.why) for one in found.deviations] == [("a", "read", "no_way")]
    assert (found.missing, found.remaining, found.consumed) == (1, 1, 4)
    assert found.fitness == 0.75


def test_a_walk_that_was_broken_off_begins_again_at_the_start_or_where_the_item_stood(routine: Map) -> None:
    broken = Entry(1, "decided", {"path": ["s", "read"], "action": "x"})
    found = replay([RESERVED, broken, Entry(1, "fault"), RESERVED, WAITS], routine)
    assert (found.restarts, found.deviations, found.times["s"], found.times["read"]) == (1, (), 1, 2)
    confirmed = Entry(1, "approved", {"step": "a", "outcome": "confirmed"})
    again = Entry(1, "intends to answer", {"path": ["a", "read"]})
    found = replay([RESERVED, WAITS, confirmed, RESERVED, again, RESERVED, settled(1, "a", "read", "n")], routine)
    assert (found.restarts, found.deviations, found.times["a"]) == (1, (), 1)


def test_a_decision_shuts_the_ways_of_others_until_the_step_is_taken_again(routine: Map) -> None:
    decided = Entry(1, "decided", {"path": ["s", "read"], "action": "request"})
    assert replay([decided, settled(1, "n")], routine).missing == 1
    confirmed = Entry(1, "approved", {"step": "a", "outcome": "confirmed"})
    log = [decided, settled(1, "a", state="waiting"), confirmed, RESERVED, settled(1, "a", "read", "n")]
    assert replay(log, routine).missing == 0


def test_a_jump_an_unknown_step_and_an_end_outside(routine: Map) -> None:
    log = [
        settled(1, "s", "a"),
        settled(2, "s", "fax", "n"),
        settled(3, "s", "read", "a", state="waiting"),
        Entry(3, "closed by hand", {"step": None, "outcome": "done", "state": "done"}),
        Entry(4, "settled", {"state": "waiting", "path": ["s", "read"]}),
    ]
    found = replay(log, routine)
    assert {(one.after, one.came, one.why) for one in found.deviations} == {
        ("s", "a", "no_way"), ("s", "fax", "no_step"), ("fax", "n", "no_way"), ("a", "", "outside"),
        ("read", "", "outside"),
    }  # fmt: skip
    assert found.ended == 2 and found.standing == {"a": 1, "read": 1}


def test_the_same_deviation_is_counted_and_its_first_items_told(routine: Map) -> None:
    found = replay([settled(number, "s", "a") for number in range(1, 9)], routine)
    (one,) = found.deviations
    assert (one.times, one.items) == (8, ("1", "2", "3", "4", "5"))
    assert found.fitness == 0


def test_an_empty_log_comes_to_nothing(routine: Map) -> None:
    found = replay([], routine)
    assert (found.items, found.fitness) == (0, None)


def events_of(*cases: str) -> pl.DataFrame:
    rows = [
        event(str(number), activity.strip(), (BEGAN.replace(hour=8 + place)).isoformat())
        for number, case in enumerate(cases)
        for place, activity in enumerate(case.split(","))
    ]
    return tidied(rows).events


def test_activities_are_found_by_id_code_and_name_in_either_language(routine: Map) -> None:
    names = ["READ", "läs  mejlet", "have a LOOK", "Titta", "g", "fax"]
    found = match(names, routine)
    assert found == {"READ": "read", "läs  mejlet": "read", "have a LOOK": "a", "Titta": "a"}


def test_a_name_that_fits_two_steps_fits_none(tmp_path: Path) -> None:
    found = map_of(tmp_path, "s start\na user Titta\nb user Titta\ne end", "s a\na b\nb e")
    assert match(["Titta", "a"], found) == {"a": "a"}


def test_steps_that_the_log_lacks_are_taken_without_a_trace(routine: Map) -> None:
    done = conform(events_of("titta", "titta,titta", "Ringer,titta"), routine)
    assert done.replayed is not None
    assert (done.unseen, done.unmatched, done.cases) == (("read",), {"Ringer": 1}, 3)
    assert (done.replayed.fitness, done.replayed.ended) == (1.0, 3)
    assert done.replayed.flows["read_g"] == 4 and "read" not in done.replayed.went


def test_a_case_that_stops_too_early_or_jumps_is_told(tmp_path: Path) -> None:
    found = map_of(tmp_path, "s start\na user\nb user\nc user\ne end", "s a\na b\nb c\nc e")
    done = conform(events_of("a,b,c", "a,b", "a,c,b,c"), found).replayed
    assert done is not None and done.ended == 2
    assert {(one.after, one.came, one.why) for one in done.deviations} == {
        ("b", "", "not_ended"),
        ("a", "c", "no_way"),
    }


def test_starts_and_ends_that_the_log_has_are_moves_too(routine: Map) -> None:
    done = conform(
        events_of("Mejl,Läs mejlet,Titta,Klart", "Mejl,Läs mejlet,Inget", "Mejl,Läs mejlet,Klart"), routine
    )
    assert done.replayed is not None
    assert done.replayed.went == {"s": 3, "read": 3, "a": 1, "e": 2, "n": 1}
    assert [(one.after, one.came, one.times) for one in done.replayed.deviations] == [("read", "e", 1)]


def test_nothing_is_said_of_a_log_that_is_about_something_else(routine: Map) -> None:
    done = conform(events_of("x,y", "x"), routine)
    assert done.replayed is None and done.unmatched == {"x": 2, "y": 1}
    (limit,) = limits_of_log(done, routine, load_parameters(), 3, "en")
    assert limit.startswith("No activity of the log is a step of the map") and "x, y" in limit
    assert conform(events_of("Klart"), routine).replayed is None  # an event alone is no step


def test_one_case_gets_no_fitness(routine: Map) -> None:
    done = conform(events_of("Läs mejlet,Titta"), routine)
    told = numbers(done.replayed, items=False)
    assert told is not None and told["fitness"] is None and told["items"] == 1
    assert any("One case is no routine" in one for one in limits_of_log(done, routine, load_parameters(), 2, "en"))
