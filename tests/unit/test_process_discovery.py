"""What is counted in an event log, the page that shows it, and the limits that it states."""

import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest

from process_logs import BEGAN, event, log_of, tidied
from vardag.invoices.process import EventLog, discover, limits, load_parameters, page
from vardag.invoices.process.discovery import (
    activities,
    follows,
    handovers,
    hands,
    rework_cases,
    throughput,
    variants,
)
from vardag.invoices.process.page import About, share, span
from vardag.invoices.process.picture import END, START, layout

PARAMETERS = load_parameters()
ABOUT = About("log.csv", "csv", "0" * 64, "0.1.0", {"case": "Ärende"})


def at(hour: float) -> str:
    return (BEGAN + timedelta(hours=hour)).isoformat()


def shown(log: EventLog, language: str = "en") -> str:
    return page(log, discover(log, PARAMETERS), PARAMETERS, ABOUT, language)


def told(log: EventLog) -> str:
    return "\n".join(limits(log, discover(log, PARAMETERS), PARAMETERS, "en"))


def test_waiting_is_from_the_end_of_one_to_the_start_of_the_next() -> None:
    log = tidied(
        [
            event("1", "a", at(0)),
            event("1", "b", at(5), start=at(3)),
            event("2", "a", at(0)),
            event("2", "b", at(5)),
            event("3", "a", at(4)),
            event("3", "b", at(5), start=at(2)),
        ]
    )
    row = follows(log.events).row(0, named=True)
    assert (row["count"], row["median_h"], row["with_start"], row["overlaps"]) == (3, 3.0, 2, 1)
    worked = activities(log.events).filter(activity="b").row(0, named=True)
    assert (worked["with_start"], worked["median_h"]) == (2, 2.5)
    assert activities(log.events).filter(activity="a")["median_h"].to_list() == [None]


def test_too_few_for_a_median_or_a_decile_say_nothing() -> None:
    log = log_of([("ab", 7)])
    assert follows(log.events, few=8, few_p90=20)["median_h"].to_list() == [None]
    assert follows(log_of([("ab", 8)]).events, few=8, few_p90=20).select("median_h", "p90_h").row(0) == (1.0, None)


def test_throughput_begins_with_the_first_sign_of_life() -> None:
    log = tidied([event("1", "a", at(4), start=at(-2)), event("1", "b", at(6))])
    assert throughput(log.events).median == 8
    assert variants(log.events)["median_h"].to_list() == [8]
    assert throughput(log.events, few=2).median is None
    assert variants(log.events, few=2)["median_h"].to_list() == [None]


def test_rework_and_where_cases_begin_and_end() -> None:
    log = log_of([("abab", 2), ("ab", 3)])
    assert rework_cases(log.events) == 2
    row = activities(log.events).filter(activity="a").row(0, named=True)
    assert (row["events"], row["cases"], row["starts"], row["ends"], row["repeated_in"]) == (7, 5, 5, 0, 2)


def test_hands_are_counted_where_every_step_has_one() -> None:
    who = {"1": "xxy", "2": "xx", "3": "x?"}
    log = tidied(
        event(case, "a", at(place), resource=None if one == "?" else one)
        for case, every in who.items()
        for place, one in enumerate(every)
    )
    found = hands(log.events)
    assert found is not None
    assert (found.cases, found.unknown_cases, found.one_hand, found.handovers) == (2, 1, 1, 1)
    assert found.mean_hands == 1.5
    assert hands(log_of([("ab", 1)]).events) is None


def grouped(desk: int, chiefs: int) -> EventLog:
    """Cases that go from a person at the desk to a chief, ten of them."""
    return tidied(
        row
        for case in range(10)
        for row in (
            event(str(case), "a", at(0), resource=f"d{case % desk}", group="Desk"),
            event(str(case), "b", at(1), resource=f"c{case % chiefs}", group="Chief"),
        )
    )


def test_hand_overs_between_groups_that_are_large_enough() -> None:
    found, hidden = handovers(grouped(5, 5).events, smallest=5)
    assert found is not None and found.rows() == [("Desk", "Chief", 10, 10)] and hidden == 0


def test_a_group_of_few_persons_is_neither_named_nor_shown_alone() -> None:
    log = grouped(5, 4)
    found, hidden = handovers(log.events, smallest=5)
    assert found is not None and found.is_empty() and hidden == 10
    assert "Chief" not in shown(log)


def test_without_groups_no_hand_over_has_a_name() -> None:
    assert handovers(log_of([("ab", 9)]).events, smallest=5) == (None, 0)


def test_no_person_and_no_case_is_on_the_page() -> None:
    log = tidied(
        event(f"CASE{case}", name, at(place), resource=f"PERSON{case}", group="Desk")
        for case in range(40)
        for place, name in enumerate("ab")
    )
    assert "PERSON" not in shown(log) and "CASE" not in shown(log)


class Balanced(HTMLParser):
    """Every element that is opened is closed, and nothing is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.asked: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"meta", "link", "br"}:
            self.open.append(tag)
        self.asked += [name for name, _ in attrs if name in {"src", "href", "srcset", "action"}]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("language", ["sv", "en"])
@pytest.mark.parametrize("written", [[("a", 1)], [("ab", 1)], [("abcbcd", 40), ("aad", 3)]])
def test_the_page_is_whole_and_asks_for_nothing(language: str, written: list[tuple[str, int]]) -> None:
    text = shown(log_of(written), language)
    parser = Balanced()
    parser.feed(text)
    assert parser.open == [] and parser.asked == [] and "<script" not in text
    assert f'<html lang="{language}">' in text and "url(" not in text.replace("url(#tip)", "")


def test_what_comes_from_the_log_is_escaped() -> None:
    text = shown(tidied([event("1", "<script>alert(1)</script>", at(0)), event("1", '"><b>', at(1))]))
    assert "<script" not in text and "<b>" not in text


def test_a_single_case_and_few_cases_give_no_per_cent() -> None:
    assert "There is one case" in told(log_of([("ab", 1)]))
    few = log_of([("ab", 3), ("ac", 2)])
    assert "5 cases are few" in told(few)
    assert not re.search(r"\d\s?%", re.sub(r"<style>.*?</style>", "", shown(few), flags=re.DOTALL))
    assert share(3, 5, PARAMETERS, "en") == "3 of 5" and share(15, 60, PARAMETERS, "sv") == "25,0 % (15 av 60)"
    assert share(2, 60_000, PARAMETERS, "en") == "<0.1 % (2 of 60,000)"


def test_limits_are_stated() -> None:
    log = tidied(
        [
            event("1", "a", "2026-03-02"),
            event("1", "b", "2026-03-02", start="2026-03-03"),
            event("1", "c", "2026-03-01T10:00Z", start="when"),
            event(None, "c", "2026-03-01"),
        ]
    )
    for words in (
        "1 of 4 rows could not be used",
        "2 times have no time zone and 1 have one",
        "1 events in 1 cases stand after an event that",
        "2 events in 1 cases share their time",
        "1 steps end before they begin",
        "1 starts cannot be read",
        "does not say who did what",
        "does not say when a step began",
    ):
        assert words in told(log), words
    assert "Nearly every case goes its own way" in told(log_of([("a" * times, 1) for times in range(1, 41)]))


def test_spans_are_told_in_the_unit_that_suits() -> None:
    assert [span(hours, "sv") for hours in (None, 0.05, 0.5, 5.25, 72)] == [
        "–",
        "3,0 min",
        "30 min",
        "5,2 h",
        "3,0 dygn",
    ]


def test_boxes_do_not_lie_on_each_other() -> None:
    names = [START, END, *"abcdef"]
    steps = {(step[0], step[1]): 1 for step in ("ab", "ac", "ad", "bc", "cb", "de", "ef", "fa", "ee", "cf")}
    plan = layout(names, {(START, "a"): 1, **steps, ("f", END): 1})
    boxes = [plan.at[name] for name in "abcdef"]
    apart = [
        abs(x1 - x2) >= 200 or abs(y1 - y2) >= 46 for x1, y1 in boxes for x2, y2 in boxes if (x1, y1) != (x2, y2)
    ]
    assert all(apart) and len(set(boxes)) == 6
    assert all(0 < x < plan.width and 0 < y < plan.height for x, y in plan.at.values())
    assert plan.at[START][1] < min(y for _, y in boxes) and plan.at[END][1] > max(y for _, y in boxes)
