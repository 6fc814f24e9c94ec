"""Two deliveries of the register: what is a change, what is another pipe, and what becomes of those that left."""

from datetime import date

import polars as pl
import pytest
import shapely

from registers import PARAMETERS, PIPES, line, pipe, pipes
from vardag.core.errors import RefusedError
from vardag.water.register import Difference, difference, moves, refuse_shrinking, retired, summary, with_keys

SEEN, MISSED = date(2020, 1, 31), date(2022, 1, 31)
KEYS = {"pipe_key": pl.String, "left_because": pl.String, "last_seen": pl.Date, "first_missed": pl.Date}


def compare(before: pl.DataFrame, after: pl.DataFrame, former: pl.DataFrame | None = None) -> Difference:
    return difference(
        before, after, last_seen={"mains": SEEN}, after_date=MISSED, parameters=PARAMETERS, former=former
    )


def told(found: Difference) -> list[tuple[object, ...]]:
    return found.changes.sort("pipe_id", "change", "field").rows()


def leave(found: Difference, taken: list[str] | None = None) -> pl.DataFrame:
    names = pl.Series(taken or [], dtype=pl.String)
    return retired(found.left, first_missed=MISSED, taken=names).sort("pipe_key")


def changed(**values: object) -> list[tuple[object, ...]]:
    return [row[1:] for row in told(compare(pipes(pipe("a")), pipes(pipe("a", **values))))]


def test_the_same_register_twice_has_no_difference() -> None:
    found = compare(pipes(pipe("a"), pipe("b", geom=None)), pipes(pipe("b", geom=None, line=7), pipe("a")))
    assert told(found) == [] and found.left.is_empty() and found.compared == 2


def test_noise_is_no_change() -> None:
    noisy = shapely.to_wkb(shapely.LineString([(100.00004, 0), (50, 0.03), (0, 0)]))  # drawn from the other end
    assert changed(length_m=100.04, diameter_mm=150.0000001, geom=noisy, material_raw="Gjutjärn") == []


def test_a_corrected_field_is_a_change() -> None:
    assert changed(material="DI") == [("changed", "material", "CI", "DI")]
    assert changed(install_year=1952) == [("changed", "install_date", "1960-01-01", "1952-01-01")]
    assert changed(install_date=None, install_year=1961) == [("changed", "install_date", "1960-01-01", None)]
    assert changed(diameter_mm=None, street=None) == [
        ("changed", "diameter_mm", "150", None), ("changed", "street", "Storgatan", None),
    ]  # fmt: skip
    assert changed(material="PE", diameter_mm=160.0) == [
        ("changed", "diameter_mm", "150", "160"), ("changed", "material", "CI", "PE"),
    ]  # fmt: skip


def test_a_line_that_moved_is_told_in_metres() -> None:
    assert changed(geom=line(3.4)) == [("changed", "geom", "line", "3.4 m")]
    assert changed(geom=line(400)) == [("changed", "geom", "line", "400.0 m")]
    assert changed(geom=None) == [("changed", "geom", "line", "none")]
    assert changed(geom=line(0, 112), length_m=112.0) == [
        ("changed", "geom", "line", "12.0 m"), ("changed", "length_m", "100", "112"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "values",
    [
        {"install_date": date(2021, 5, 1), "install_year": 2021},
        {"install_year": 2015, "material": "PE"},
        {"install_year": 1975, "diameter_mm": 200.0},
        {"geom": line(400), "material": "PE"},
    ],
)
def test_an_id_of_another_pipe_is_two_pipes(values: dict[str, object]) -> None:
    found = compare(pipes(pipe("a")), pipes(pipe("a", **values)))
    left = leave(found)
    assert left["pipe_key"].to_list() == ["a@1960"] and left["left_because"].to_list() == ["reused"]
    assert told(found)[0][:2] == ("a", "reused") and with_keys(found.changes, left)["before"].to_list() == [
        "a@1960"
    ]


@pytest.mark.parametrize(
    ("before", "values"),
    [
        ({"status": "planned"}, {"install_date": date(2021, 5, 1), "install_year": 2021, "status": "in_service"}),
        ({}, {"install_date": date(2061, 5, 1), "install_year": 2061}),
        ({}, {"install_year": 1961, "material": "DI"}),
    ],
)
def test_plans_carried_out_and_slips_of_the_pen_are_the_same_pipe(
    before: dict[str, object], values: dict[str, object]
) -> None:
    found = compare(pipes(pipe("a", **before)), pipes(pipe("a", **values)))
    assert found.left.is_empty() and found.count("changed") == 1


def test_a_gone_pipe_is_retired_on_the_day_it_is_missed_and_keeps_its_row() -> None:
    planned, dated = pipe("p", status="planned"), pipe("d", status="retired", retired_date=date(2019, 5, 1))
    found = compare(pipes(pipe("a"), pipe("b"), planned, dated), pipes(pipe("b")))
    left = leave(found, taken=["a@1960"])
    assert left["pipe_key"].to_list() == ["a@1960-2", "d@1960", "p@1960"]
    assert left["retired_date"].to_list() == [MISSED, date(2019, 5, 1), None]
    assert left["status"].to_list() == ["retired", "retired", "planned"]
    assert left.row(0, named=True) | {"last_seen": SEEN, "first_missed": MISSED} == left.row(0, named=True)
    assert left["geom"].to_list() == [line(0)] * 3 and left["length_m"].to_list() == [100.0] * 3


def test_a_replaced_pipe_is_retired_when_its_successor_was_laid() -> None:
    laid = compare(pipes(pipe("a")), pipes(pipe("a", install_year=2021, material="PE")))
    assert leave(laid)["retired_date"].to_list() == [date(2021, 1, 1)]
    undated = compare(pipes(pipe("a", install_year=None)), pipes(pipe("a", install_year=None, geom=line(90))))
    assert undated.left.is_empty()


def former(*rows: dict[str, object]) -> pl.DataFrame:
    stamps = {"pipe_key": "a@1960", "left_because": "gone", "last_seen": date(2018, 1, 1), "first_missed": SEEN}
    return pl.DataFrame([stamps | row for row in rows], schema=KEYS | PIPES)


def test_a_former_pipe_that_returns_is_back_and_another_one_is_new() -> None:
    old = former(pipe("a", status="retired", retired_date=SEEN))
    found = compare(pipes(pipe("b")), pipes(pipe("b"), pipe("a", material="DI")), old)
    assert found.back.to_list() == ["a@1960"] and found.count("back") == 1 and found.count("new") == 0
    assert ("a", "changed", "material", "CI", "DI") in told(found)
    other = compare(pipes(pipe("b")), pipes(pipe("b"), pipe("a", material="PE", install_year=2021)), old)
    assert other.back.to_list() == [] and other.count("new") == 1


def test_an_id_that_goes_back_to_its_first_pipe_swaps_the_two() -> None:
    second = pipe("a", material="PE", install_year=2019)
    found = compare(pipes(second), pipes(pipe("a")), former(pipe("a", status="retired", retired_date=SEEN)))
    assert found.back.to_list() == ["a@1960"] and leave(found)["pipe_key"].to_list() == ["a@2019"]
    assert leave(found)["retired_date"].to_list() == [MISSED]  # not 1960, when the other was laid


def test_sources_that_did_not_deliver_neither_lose_nor_gain() -> None:
    other = pipe("x", source="trunk")
    found = compare(pipes(pipe("a"), other), pipes(pipe("a"), pipe("y", source="trunk"), pipe("n")))
    assert told(found) == [("n", "new", None, None, None)]


def test_a_row_that_cannot_be_read_is_not_a_gone_pipe() -> None:
    found = difference(
        pipes(pipe("a"), pipe("b")), pipes(pipe("b")), last_seen={"mains": SEEN}, after_date=MISSED,
        parameters=PARAMETERS, unreadable={"a"},
    )  # fmt: skip
    assert told(found) == [("a", "unreadable", None, None, None)] and found.left.is_empty() and found.missing == 1


def test_a_shrunken_delivery_is_refused_with_counts_and_cure() -> None:
    many = [pipe(f"p{n}") for n in range(200)]
    refuse_shrinking(compare(pipes(*many), pipes(*many[20:])), where="mains", folder="x", parameters=PARAMETERS)
    with pytest.raises(RefusedError, match=r"mains: 21 of 200 pipes.*21 gone.*first: p0.*at most 20.*--accept-shr"):
        refuse_shrinking(compare(pipes(*many), pipes(*many[21:])), where="mains", folder="x", parameters=PARAMETERS)


def test_summary_counts_pipes_and_kilometres_and_the_steps_of_fields() -> None:
    before, after = (
        pipes(pipe("a"), pipe("b"), pipe("g")),
        pipes(pipe("a", material="DI"), pipe("b", material="DI")),
    )
    found = compare(before, after)
    lengths = found.changes.select("pipe_id", "change", length_m=pl.lit(500.0))
    kinds = {entry["change"]: entry for entry in summary(found.changes, lengths)}
    assert kinds["changed"] == {"change": "changed", "pipes": 2, "km": 1.0, "first": ["a", "b"]}
    assert kinds["gone"]["first"] == ["g"] and kinds["new"]["pipes"] == 0
    step = {"before": "CI", "after": "DI", "pipes": 2}
    assert moves(found.changes) == [{"field": "material", "pipes": 2, "steps": [step]}]
