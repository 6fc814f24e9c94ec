"""Token-based replay as the literature works it: W. van der Aalst, Process Mining, Springer 2011, section 7.2.

The event log L_full (1391 cases) and the sequential model N2, which examines the claim before the ticket is
checked. The book's other models have parallel steps, which no map may hold. The second edition (2016) has them in
section 8.2.
"""

from pathlib import Path

import pytest

from maps import map_of
from process_logs import log_of
from vardag.invoices.process.conformance import conform
from vardag.invoices.process.map import Map

L_FULL = [
    ("acdeh", 455), ("abdeg", 191), ("adceh", 177), ("abdeh", 144), ("acdeg", 111), ("adceg", 82), ("adbeh", 56),
    ("acdefdbeh", 47), ("adbeg", 38), ("acdefbdeh", 33), ("acdefbdeg", 14), ("acdefdbeg", 11), ("adcefcdeh", 9),
    ("adcefdbeh", 8), ("adcefbdeg", 5), ("acdefbdefdbeg", 3), ("adcefdbeg", 2), ("adcefbdefbdeg", 2),
    ("adcefdbefbdeh", 1), ("adbefbdefdbeg", 1), ("adcefdbefcdefdbeg", 1),
]  # fmt: skip
EVERY = [("acdefbdeg", 1), ("acdeh", 1)]  # fit, and have every step


@pytest.fixture
def n2(tmp_path: Path) -> Map:
    """a, then b or c, then d, then e; after that f and round again, or g or h and the end."""
    steps = "\n".join(f"{letter} user" for letter in "abcdefgh")
    return map_of(
        tmp_path,
        f"start start\n{steps}\np1 choice\np4 choice\nend end",
        "start a\na p1\np1 b confirmed\np1 c *\nb d\nc d\nd e\ne p4\np4 f confirmed\np4 g done\np4 h *\nf p1\n"
        "g end\nh end",
    )


def test_the_log_is_that_of_the_book() -> None:
    assert sum(times for _, times in L_FULL) == 1391


def test_a_case_that_fits(n2: Map) -> None:
    found = conform(log_of([("acdeh", 1)]).events, n2).replayed
    assert found is not None and found.fitness == 1 and found.deviations == ()


def test_the_third_trace_on_the_second_model(n2: Map) -> None:
    """Six tokens produced and consumed, one missing, one remaining; beside cases that fit."""
    fits, both = (conform(log_of(log).events, n2).replayed for log in (EVERY, [*EVERY, ("adceh", 1)]))
    assert fits is not None and both is not None and fits.fitness == 1
    assert (both.produced - fits.produced, both.consumed - fits.consumed) == (6, 6)
    assert (both.missing, both.remaining) == (1, 1)
    assert [(one.after, one.came, one.times) for one in both.deviations] == [("a", "d", 1)]


def test_the_whole_log_on_the_second_model(n2: Map) -> None:
    found = conform(log_of(L_FULL).events, n2).replayed
    assert found is not None and found.items == 1391
    assert found.fitness == pytest.approx(0.9504, abs=5e-5)
