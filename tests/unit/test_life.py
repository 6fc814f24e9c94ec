"""Pipe lives: the register's, and the replaced ones rebuilt from the log."""

from datetime import date

import polars as pl
import pytest

from registers import PARAMETERS, RECORD_START, breaks, event, line, pipe, pipes, point
from vardag.water.life import LIFE_SCHEMA, lives, rebuilt_links, survivorship
from vardag.water.linking import link

SUCCESSOR = pipe("a", material="PVC", install_year=2012, pressure_zone="B", length_m=80.0)


def built(register: pl.DataFrame, log: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    links = rebuilt_links(register, log, link(register, log, parameters=PARAMETERS), parameters=PARAMETERS)
    return lives(register, log, links, record_start=RECORD_START, parameters=PARAMETERS), links


def rebuilt(register: pl.DataFrame, log: pl.DataFrame) -> list[dict[str, object]]:
    return built(register, log)[0].filter(pl.col("origin") == "rebuilt").to_dicts()


def test_register_pipe_is_known_from_the_record_or_its_installation() -> None:
    register = pipes(pipe("old"), pipe("new", install_year=2005), pipe("undated", install_year=None))
    table, _ = built(register, breaks())
    assert table.schema == LIFE_SCHEMA
    assert table["known_from"].to_list() == [RECORD_START, date(2005, 1, 1), RECORD_START]
    assert table["origin"].to_list() == ["register"] * 3


def test_planned_pipe_has_no_life_and_undated_retirement_no_time_at_risk() -> None:
    retired = pipe("r", status="retired")
    dated = pipe("d", status="retired", retired_date=date(2001, 5, 1))
    table, _ = built(pipes(pipe("p", status="planned"), retired, dated), breaks())
    assert table["pipe_key"].to_list() == ["r", "d"]
    assert table["retired_date"].to_list() == [RECORD_START, date(2001, 5, 1)]


def test_zero_length_gets_the_typical_one_and_says_so() -> None:
    like = [pipe(f"p{n}", length_m=length) for n, length in enumerate([10.0] * 10 + [200.0])]
    table, _ = built(pipes(pipe("z", length_m=0.0), *like), breaks())
    assert table.row(0, named=True)["length_m"] == 200.0  # half of the 300 m lie in the long pipe
    assert table["length_source"].to_list()[:2] == ["typical", "register"]


def test_reused_id_gives_a_retired_pipe_known_from_the_day_after_its_first_break() -> None:
    log = breaks(
        event("2", date(2006, 1, 1), "a"), event("1", date(2003, 3, 4), "a"), event("3", date(2015, 1, 1), "a")
    )
    table, links = built(pipes(SUCCESSOR), log)
    life = table.row(1, named=True)
    assert links["pipe_key"].to_list() == ["a@1960", "a@1960", None]  # the last contradicts the PVC of 2012
    assert links["method"].to_list() == ["rebuilt", "rebuilt", "none"]
    assert (life["known_from"], life["retired_date"]) == (date(2003, 3, 5), date(2012, 1, 1))
    assert (life["material"], life["install_year"], life["diameter_mm"]) == ("CI", 1960, 150.0)
    assert (life["length_m"], life["length_source"], life["pressure_zone"]) == (80.0, "successor", "B")
    assert (life["position"], life["geom"]) == ("surveyed", line(0))


def test_details_copied_from_the_successor_are_not_those_of_the_pipe_that_broke() -> None:
    copied = {"material": "PVC", "install_year": 2012, "diameter_mm": 150.0}
    (life,) = rebuilt(pipes(SUCCESSOR), breaks(event("1", date(2003, 3, 4), "a", **copied)))
    assert life["pipe_key"] == "a@unknown"
    assert (life["material"], life["install_year"], life["diameter_mm"]) == ("UNKNOWN", None, None)


def test_gone_id_is_retired_when_its_road_got_a_new_main() -> None:
    short, main = pipe("short", y=300, install_year=2005, length_m=5.0), pipe("main", y=300, install_year=2008)
    (life,) = rebuilt(pipes(short, main, pipe("old", y=300)), breaks(event("1", date(2003, 3, 4), "gone")))
    assert (life["pipe_key"], life["retired_date"]) == ("gone@1960", date(2008, 1, 1))
    assert (life["length_source"], life["position"]) == ("typical", "approximate")


def test_gone_id_without_road_is_retired_by_the_new_main_near_it() -> None:
    near, far = pipe("near", y=10, install_year=2009), pipe("far", y=90, install_year=2004)
    (life,) = rebuilt(pipes(near, far), breaks(event("1", date(2003, 3, 4), "gone", road_id=None)))
    assert life["retired_date"] == date(2009, 1, 1)


def test_unknown_retirement_is_never_at_risk() -> None:
    log = breaks(event("1", date(2003, 3, 4), "gone"), event("2", date(2013, 3, 4), "gone"))
    (life,) = rebuilt(pipes(pipe("old", y=300)), log)
    assert life["retired_date"] == life["known_from"] == date(2003, 3, 5)
    assert (life["geom"], life["position"]) == (point(50, 1), "approximate")


def test_id_reused_within_the_log_is_two_pipes() -> None:
    second = {"material": "PE", "install_year": 2001}
    log = breaks(event("1", date(1999, 1, 1), "a"), event("2", date(2003, 1, 1), "a", **second))
    first, last = rebuilt(pipes(SUCCESSOR), log)
    assert (first["pipe_key"], last["pipe_key"]) == ("a@1960", "a@2001")
    assert (first["retired_date"], last["retired_date"]) == (date(2003, 1, 1), date(2012, 1, 1))


def test_slips_of_the_pen_are_one_pipe() -> None:
    log = breaks(
        event("1", date(1999, 1, 1), "a"),
        event("2", date(2000, 1, 1), "a", install_year=1990),
        event("3", date(2001, 1, 1), "a", material="UNKNOWN", diameter_mm=None, install_year=None),
    )
    assert [life["pipe_key"] for life in rebuilt(pipes(SUCCESSOR), log)] == ["a@1960"]


def test_rebuilding_twice_changes_nothing() -> None:
    register, log = (
        pipes(SUCCESSOR),
        breaks(event("1", date(2003, 1, 1), "a"), event("2", date(2003, 1, 1), "gone")),
    )
    links = link(register, log, parameters=PARAMETERS)
    table, again = built(register, log)
    assert rebuilt_links(register, log, again, parameters=PARAMETERS).equals(again)
    assert lives(register, log, links, record_start=RECORD_START, parameters=PARAMETERS).equals(table)


def test_survivorship_counts_what_is_usable_before_and_after() -> None:
    register = pipes(SUCCESSOR, pipe("ok", y=50), pipe("undated", y=99, install_year=None))
    log = breaks(
        event("1", date(2003, 1, 1), "a"),
        event("2", date(2004, 1, 1), "a"),
        event("3", date(2004, 1, 1), "ok"),
        event("4", date(2004, 1, 1), "undated"),
        event("5", date(2004, 1, 1), None, geom=None, road_id=None),
    )
    table, links = built(register, log)
    report = survivorship(log, links, table)
    assert {name: part["breaks"] for name, part in report["plain"].items()} == {
        "usable": 1, "gone": 2, "before_installation": 2,
    }  # fmt: skip
    assert report["register"] == {"breaks": 2, "share": pytest.approx(0.4)}
    assert report["with_rebuilt"]["breaks"] == 4
    assert report["labels"]["breaks"] == 3  # the first break of the rebuilt pipe is what made it known
    assert report["rebuilt"] == {"pipes": 1, "at_risk": 1, "breaks_after_retirement": 0}
    assert report["by_year"][0] == {
        "year": 2003,
        "logged": 1,
        "plain": 0,
        "register": 0,
        "with_rebuilt": 1,
        "labels": 0,
    }
    assert sum(row["breaks"] for row in report["reasons"]) == report["breaks"] == 5


def test_survivorship_of_an_empty_log() -> None:
    table, links = built(pipes(pipe("a")), breaks())
    assert survivorship(breaks(), links, table)["labels"] == {"breaks": 0, "share": 0.0}
