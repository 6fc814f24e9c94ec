"""Minutes at the desk: from opening to deciding, never twice, and never guessed."""

from account_logs import Log
from vardag.invoices.hours.sittings import Sitting, sittings


def minutes(log: Log, longest: float = 30) -> list[tuple[int, float | None, bool]]:
    return [(one.item, one.minutes, one.decided) for one in sittings(log.entries, longest=longest)]


def test_from_opening_to_deciding() -> None:
    log = Log().person("opened", 1).later(4).person("approved", 1)
    assert minutes(log) == [(1, 4.0, True)]
    assert sittings(log.entries, longest=30) == [Sitting(1, 4.0, log.now, decided=True)]


def test_several_open_at_once_are_not_counted_twice() -> None:
    log = Log().person("opened", 1).person("opened", 2).later(3).person("approved", 1)
    log.later(2).person("closed by hand", 2, state="done")
    assert minutes(log) == [(1, 0.0, False), (1, 3.0, True), (2, 2.0, True)]


def test_looking_away_and_coming_back_adds_up() -> None:
    log = Log().person("opened", 1).later(5).person("opened", 2).later(1).person("opened", 1).later(2)
    log.person("approved", 1).later(20).person("opened", 3)
    assert minutes(log) == [(1, 5.0, False), (2, 1.0, False), (1, 2.0, True), (3, None, False)]


def test_too_long_is_unknown_and_not_thirty_minutes() -> None:
    log = Log().person("opened", 1).later(31).person("approved", 1)
    assert minutes(log) == [(1, None, True)]
    assert minutes(log, longest=31) == [(1, 31.0, True)]


def test_what_was_not_opened_at_the_desk_is_unknown() -> None:
    assert minutes(Log().person("approved", 1)) == [(1, None, True)]
    assert minutes(Log().person("opened", 1, by="bo").later(2).person("approved", 1)) == [
        (1, None, False),
        (1, None, True),
    ]


def test_an_opening_serves_one_decision() -> None:
    log = (
        Log().person("opened", 1).later(2).person("approved", 1).later(3).person("closed by hand", 1, state="done")
    )
    assert minutes(log) == [(1, 2.0, True), (1, None, True)]


def test_the_robot_sits_nowhere() -> None:
    assert minutes(Log().cancelled(1)) == []
