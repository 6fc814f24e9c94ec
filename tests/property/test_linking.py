"""Linking against a naive loop, and what must hold for any register and log."""

import math
from datetime import date, timedelta

import polars as pl
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from registers import PARAMETERS, breaks, event, pipe, pipes, point
from vardag.water.linking import link

MATERIALS = st.sampled_from(["CI", "PVC", "UNKNOWN"])
YEARS = st.one_of(st.none(), st.sampled_from([1950, 1960, 1995, 2012]))
ROADS = st.sampled_from(["r1", "r2", "0", None])
PLACE = {"surveyed": 15.0, "approximate": 60.0}


@st.composite
def registers(draw: st.DrawFn) -> pl.DataFrame:
    rows = []
    for number in range(draw(st.integers(0, 5))):
        values = {
            "y": draw(st.integers(-60, 60)), "material": draw(MATERIALS), "install_year": draw(YEARS),
            "road_id": draw(ROADS), "position": draw(st.sampled_from(list(PLACE))),
            "length_m": draw(st.sampled_from([5.0, 100.0])),
            "diameter_mm": draw(st.sampled_from([100.0, 300.0])),
            "status": draw(st.sampled_from(["in_service", "planned"])),
        }  # fmt: skip
        rows.append(pipe(f"p{number}", **values))
    return pipes(*rows)


@st.composite
def logs(draw: st.DrawFn, *, ids: bool = True) -> pl.DataFrame:
    rows = []
    for number in range(draw(st.integers(0, 6))):
        asset = draw(st.sampled_from(["p0", "p1", "p2", "p9", "0", None])) if ids else None
        day = date(1997, 1, 1) + timedelta(days=draw(st.integers(0, 9000)))
        values = {
            "geom": draw(st.sampled_from([None, point(50, 0), point(120, 10)])), "material": draw(MATERIALS),
            "install_year": draw(YEARS), "diameter_mm": draw(st.sampled_from([None, 10.0, 300.0])),
            "road_id": draw(ROADS),
        }  # fmt: skip
        rows.append(event(f"b{number}", day, asset, **values))
    return breaks(*rows)


@settings(max_examples=40, deadline=None)
@given(registers(), logs())
def test_every_break_has_one_row_in_order_with_a_reason(register: pl.DataFrame, log: pl.DataFrame) -> None:
    links = link(register, log, parameters=PARAMETERS)
    assert links["break_id"].to_list() == log["break_id"].to_list()
    assert links["reason"].null_count() == 0
    assert links["confidence"].is_between(0, 1).all()
    assert (links["pipe_key"].is_null() == (links["method"] == "none")).all()
    assert set(links["pipe_key"].drop_nulls()) <= set(register["pipe_id"])


@settings(max_examples=15, deadline=None)
@given(registers(), logs())
def test_a_later_break_changes_no_earlier_link(register: pl.DataFrame, log: pl.DataFrame) -> None:
    log = log.sort("break_date")
    together = link(register, log, parameters=PARAMETERS)
    for known in range(1, log.height):
        then = link(register, log[:known], parameters=PARAMETERS)
        assert then.equals(together[:known])


@settings(max_examples=15, deadline=None)
@given(registers(), logs(ids=False))
def test_without_anything_to_learn_from_a_break_is_judged_alone(register: pl.DataFrame, log: pl.DataFrame) -> None:
    together = link(register, log, parameters=PARAMETERS)
    alone = [link(register, log[row], parameters=PARAMETERS) for row in range(log.height)]
    assert together.equals(pl.concat([together.clear(), *alone]))


@settings(max_examples=40, deadline=None)
@given(registers(), logs(ids=False))
def test_position_rule_is_the_posterior_written_out(register: pl.DataFrame, log: pl.DataFrame) -> None:
    links = link(register, log, parameters=PARAMETERS)
    for row, found in zip(log.to_dicts(), links.to_dicts(), strict=True):
        expected = max(naive_posteriors(register.to_dicts(), row), default=0.0)
        assert found["confidence"] == pytest.approx(expected, abs=1e-9)


def naive_posteriors(register: list[dict[str, object]], log: dict[str, object]) -> list[float]:
    """Bayes' rule in a loop: prior by length and closeness, one likelihood ratio a field."""
    weights, ratios, nearness = [], [], []
    for row in register:
        close = closeness(row, log)
        if close is None or row["status"] == "planned":
            continue
        if row["install_year"] is not None and date(row["install_year"], 1, 1) > log["break_date"]:
            continue
        length = min(row["length_m"], 4 * PLACE["surveyed"]) if row["position"] == "surveyed" else row["length_m"]
        weights.append(length * close)
        ratios.append(ratio(row, log))
        nearness.append(close)
    if not weights or sum(weights) == 0:
        return []
    present = PARAMETERS.value("link_in_register")["no_id"] * max(nearness)
    evidence = [present * w / sum(weights) * r for w, r in zip(weights, ratios, strict=True)]
    return [value / (sum(evidence) + 1 - present) for value in evidence]


def closeness(row: dict[str, object], log: dict[str, object]) -> float | None:
    distance = None
    if log["geom"] is not None:
        x, y = (50, 0) if log["geom"] == point(50, 0) else (120, 10)
        distance = math.hypot(max(0, x - 100), y - height(row))
    spread = PLACE[row["position"]]
    near = distance is not None and distance <= 2 * spread
    roads = [value for value in (row["road_id"], log["road_id"]) if value not in ("0", None)]
    same_road = len(roads) == 2 and roads[0] == roads[1]
    rough = row["position"] != "surveyed"
    if not near and not (rough and same_road):
        return None
    bell = math.exp(-0.5 * (distance / spread) ** 2) if near else 0.0
    if not rough or len(roads) < 2:
        return bell
    agree = PARAMETERS.value("link_road_agreement")
    return agree if same_road else bell * (1 - agree)


def ratio(row: dict[str, object], log: dict[str, object]) -> float:
    m, u = PARAMETERS.value("link_agree_if_same"), PARAMETERS.value("link_agree_if_other")
    same: dict[str, bool] = {}
    if "UNKNOWN" not in (row["material"], log["material"]):
        same["material"] = row["material"] == log["material"]
    if log["diameter_mm"] is not None:  # 10 is 100 mm in centimetres, and 254 mm in inches: near enough to 300
        alike = {(100.0, 10.0), (300.0, 10.0), (300.0, 300.0)}
        same["diameter_mm"] = (row["diameter_mm"], log["diameter_mm"]) in alike
    if None not in (row["install_year"], log["install_year"]):
        same["install_year"] = abs(row["install_year"] - log["install_year"]) <= 3
    if row["position"] == "surveyed" and not {"0", None} & {row["road_id"], log["road_id"]}:
        same["street"] = row["road_id"] == log["road_id"]
    return math.prod(m[f] / u[f] if agree else (1 - m[f]) / (1 - u[f]) for f, agree in same.items())


def height(row: dict[str, object]) -> float:
    return float(shapely.from_wkb(row["geom"]).coords[0][1])
