"""Differences of random registers against a loop over dictionaries, and there and back again."""

from datetime import date
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from registers import PARAMETERS, line, pipe, pipes
from vardag.water.register import difference, retired

DAYS = (date(2018, 1, 31), date(2020, 1, 31), date(2022, 1, 31))
ROW = st.fixed_dictionaries(
    {
        "material": st.sampled_from(["CI", "PE", "UNKNOWN"]),
        "diameter_mm": st.sampled_from([150.0, 150.2, 200.0, None]),
        "install_year": st.sampled_from([1960, 1961, 1985, 2019, 2021, None]),
        "geom": st.sampled_from([line(0), line(0.05), line(3), line(90), None]),
        "status": st.sampled_from(["in_service", "planned"]),
        "street": st.sampled_from(["Storgatan", None]),
    }
)
REGISTER = st.dictionaries(st.sampled_from("abcdef"), ROW, min_size=1)
PLACE = {line(0): 0.0, line(0.05): 0.05, line(3): 3.0, line(90): 90.0}
Rows = dict[str, dict[str, Any]]


def frame(rows: Rows) -> pl.DataFrame:
    return pipes(*(pipe(name, **values) for name, values in rows.items()))


def another(old: dict[str, Any], new: dict[str, Any], seen: date, now: date) -> bool:
    """The rule of `vardag.water.register.same`, said once more in plain Python."""
    if old["status"] == "planned":
        return False
    years = (old["install_year"], new["install_year"])
    shift = (date(years[1], 1, 1) - date(years[0], 1, 1)).days / 366 if None not in years else 0.0
    material = {old["material"], new["material"]} == {"CI", "PE"}
    sizes = (old["diameter_mm"], new["diameter_mm"])
    size = None not in sizes and abs(sizes[0] - sizes[1]) > 0.05 * max(sizes)
    places = (old["geom"], new["geom"])
    far = None not in places and abs(PLACE[places[0]] - PLACE[places[1]]) > 25
    since = years[1] is not None and seen < date(years[1], 1, 1) <= now and years[0] != years[1]
    return since or (shift > 1 and (material or size)) or (far and (material or size or abs(shift) > 1))


def fields(old: dict[str, Any], new: dict[str, Any]) -> set[str]:
    found = {name for name in ("material", "status", "street") if old[name] != new[name]}
    sizes, places = (old["diameter_mm"], new["diameter_mm"]), (old["geom"], new["geom"])
    if (None in sizes and sizes != (None, None)) or (None not in sizes and abs(sizes[0] - sizes[1]) > 0.5):
        found.add("diameter_mm")
    if old["install_year"] != new["install_year"]:
        found.add("install_date")
    if (None in places and places != (None, None)) or (
        None not in places and abs(PLACE[places[0]] - PLACE[places[1]]) > 0.1
    ):
        found.add("geom")
    return found


@given(REGISTER, REGISTER)
def test_the_difference_equals_a_loop_over_dictionaries(before: Rows, after: Rows) -> None:
    found = difference(
        frame(before), frame(after), last_seen={"mains": DAYS[0]}, after_date=DAYS[2], parameters=PARAMETERS
    )
    expected: set[tuple[str, str, str | None]] = {(name, "new", None) for name in after.keys() - before.keys()}
    expected |= {(name, "gone", None) for name in before.keys() - after.keys()}
    for name in before.keys() & after.keys():
        if another(before[name], after[name], DAYS[0], DAYS[2]):
            expected.add((name, "reused", None))
        else:
            expected |= {(name, "changed", field) for field in fields(before[name], after[name])}
    assert set(found.changes.select("pipe_id", "change", "field").rows()) == expected
    assert found.changes.height == len(expected)


@given(REGISTER, REGISTER)
def test_the_earlier_register_and_its_changes_give_the_later_one(before: Rows, after: Rows) -> None:
    first, second = frame(before), frame(after)
    found = difference(first, second, last_seen={"mains": DAYS[0]}, after_date=DAYS[2], parameters=PARAMETERS)
    rows = {row["pipe_id"]: row for row in first.to_dicts() if row["pipe_id"] not in set(found.left["pipe_id"])}
    later = {row["pipe_id"]: row for row in second.to_dicts()}
    for name, change, field, _, told in found.changes.rows():
        if change in {"new", "reused"}:
            rows[name] = later[name]
        elif field == "geom":
            rows[name]["geom"] = later[name]["geom"]
        elif change == "changed":
            kind = type(later[name][field]) if later[name][field] is not None else str
            rows[name][field] = None if told is None else date.fromisoformat(told) if kind is date else kind(told)
    assert rows.keys() == later.keys()
    for name, row in rows.items():
        for field in ("material", "status", "street", "install_date"):
            assert row[field] == later[name][field]


@given(REGISTER, REGISTER)
def test_there_and_back_again_leaves_the_first_register_with_every_pipe_once(before: Rows, after: Rows) -> None:
    first, second = frame(before), frame(after)
    there = difference(first, second, last_seen={"mains": DAYS[0]}, after_date=DAYS[1], parameters=PARAMETERS)
    former = retired(there.left, first_missed=DAYS[1], taken=second["pipe_id"])
    back = difference(
        second, first, last_seen={"mains": DAYS[1]}, after_date=DAYS[2], parameters=PARAMETERS, former=former
    )
    gone = there.changes.filter(pl.col("change") == "gone")["pipe_id"].to_list()
    assert set(gone) <= set(former.filter(pl.col("pipe_key").is_in(back.back.implode()))["pipe_id"])
    stays = former.filter(~pl.col("pipe_key").is_in(back.back.implode()))
    later = retired(back.left, first_missed=DAYS[2], taken=pl.concat([stays["pipe_key"], first["pipe_id"]]))
    keys = pl.concat([stays["pipe_key"], later["pipe_key"], first["pipe_id"]])
    assert keys.is_unique().all()


@given(REGISTER)
def test_the_order_of_rows_means_nothing(rows: Rows) -> None:
    register = frame(rows)
    changes = difference(
        register, register.reverse(), last_seen={"mains": DAYS[0]}, after_date=DAYS[2], parameters=PARAMETERS
    ).changes
    assert_frame_equal(changes, changes.clear())
