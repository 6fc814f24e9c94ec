"""The risk set, the label window and the joins."""

from datetime import date

import numpy as np
import polars as pl
import shapely

import builders
from vardag.water import features
from vardag.water.panel import build_network, labels, snapshot

END = date(2004, 12, 31)


def keys(network, as_of=END) -> list[str]:
    return snapshot(network, as_of).lives["pipe_key"].to_list()


def test_risk_set_holds_the_retired_and_leaves_out_the_unborn_and_the_unknown() -> None:
    pipes = [
        builders.life("always"),
        builders.life("retired_since", retired_date=date(2006, 5, 1)),
        builders.life("retired_before", retired_date=date(2004, 12, 31)),
        builders.life("not_yet", install_date=date(2005, 1, 1)),
        builders.life("known_later", known_from=date(2005, 1, 1)),
        builders.life("unknown_age", install_date=None),
    ]
    assert keys(builders.network(pipes, [])) == ["always", "retired_since", "unknown_age"]


def test_the_label_window_begins_the_day_after_as_of() -> None:
    pipes = [builders.life("a")]
    days = [date(2004, 12, 31), date(2005, 1, 1), date(2005, 12, 31), date(2006, 1, 1), date(2007, 12, 31)]
    network = builders.network(pipes, [(f"b{n}", day, "a", 0.0, 0.0) for n, day in enumerate(days)])
    cut = snapshot(network, END)
    row = labels(network, cut).row(0, named=True)
    assert (row["breaks"], row["breaks_3y"], row["exposure_years"]) == (2, 4, 1.0)
    assert cut.breaks["break_id"].to_list() == ["b0"]


def test_retirement_and_record_end_censor_the_window() -> None:
    pipes = [builders.life("gone", retired_date=date(2005, 7, 2)), builders.life("stays")]
    network = builders.network(pipes, [])
    exposure = labels(network, snapshot(network, END))["exposure_years"]
    np.testing.assert_allclose(exposure.to_numpy(), [183 / 365, 1.0])
    last = labels(network, snapshot(network, builders.RECORD_END))
    assert last["exposure_years"].to_list() == [0.0]
    assert last["breaks_3y"].to_list() == [None]


def test_road_soil_and_pressure_are_joined_by_id_and_by_place() -> None:
    log, links = builders.breaks([])
    roads = pl.DataFrame(
        {"road_id": ["r1"], "road_class": ["local"], "aadt": [900.0], "speed_kmh": [40.0], "truck": [False],
         "bus": [True], "width_m": [7.0]}
    )  # fmt: skip
    soil = pl.DataFrame(
        {"soil_class": ["clay", "rock"], "geom": [shapely.box(x, -9, x + 100, 9).wkb for x in (0, 100)]}
    )
    zones = pl.DataFrame({"pressure_m": [45.0], "geom": [shapely.box(90, -9, 200, 9).wkb]})
    pipes = builders.lives(
        [builders.life("a", road_id="r1"), builders.life("b", x=120.0), builders.life("c", geom=None)]
    )
    network = build_network(
        lives=pipes, breaks=log, links=links, roads=roads, soil=soil, zones=zones,
        record_start=builders.RECORD_START, record_end=builders.RECORD_END,
    )  # fmt: skip
    assert network.lives["soil_class"].to_list() == ["clay", "rock", None]
    assert network.lives["pressure_m"].to_list() == [None, 45.0, None]
    assert network.lives["aadt"].to_list() == [900.0, None, None]


def test_neighbours_never_count_the_pipe_itself() -> None:
    pipes = [builders.life("a"), builders.life("b", y=40.0), builders.life("c", y=140.0)]
    network = builders.network(pipes, [("b1", date(2004, 12, 31), "a", 10.0, 0.0)])
    panel = features.panel_of(network, [END])
    assert panel["nearby_50m"].to_list() == [0.0, 1.0, 0.0]
    assert panel["nearby_150m"].to_list() == [0.0, 1.0, 1.0]
    assert panel["own_breaks"].to_list() == [1.0, 0.0, 0.0]


def test_a_break_weighs_half_after_five_years() -> None:
    network = builders.network([builders.life("a")], [("b1", date(2004, 12, 31), "a", 0.0, 0.0)])
    panel = features.panel_of(network, [date(2004, 12, 31), date(2009, 12, 31)])
    np.testing.assert_allclose(panel["own_breaks_recent"].to_numpy(), [1.0, 0.5], atol=1e-3)
    np.testing.assert_allclose(panel["own_years_since"].to_numpy(), [0.0, 5.0], atol=0.01)


def test_street_and_cohort_rates_are_those_of_the_others() -> None:
    pipes = [builders.life(key, road_id="r", y=500.0 * n) for n, key in enumerate("ab")]
    network = builders.network(pipes, [("b1", date(2004, 6, 1), "a", 0.0, 0.0)])
    panel = features.panel_of(network, [END])
    assert panel["street_rate"][0] < panel["street_rate"][1]
    assert panel["cohort_rate"][0] < panel["cohort_rate"][1]


def test_a_cleaning_counts_from_its_day_and_a_later_one_is_unknown() -> None:
    days = (date(2003, 12, 31), date(2005, 12, 31), date(2006, 1, 1), None)
    pipes = [builders.life(f"p{at}", y=30.0 * at, cleaned_date=day) for at, day in enumerate(days)]
    cut = snapshot(builders.network(pipes, []), date(2005, 12, 31))
    assert cut.lives["cleaned_date"].to_list() == [*days[:2], None, None]
    years = features.compute(cut)["cleaned_years"].to_list()
    assert years == [731 / 365.25, 0.0, None, None]
    assert features.compute(cut)["lined_years"].null_count() == 4


def test_every_feature_declares_what_it_knows() -> None:
    card = features.data_card()
    assert all(row["doc"] for row in card)
    assert [row["name"] for row in card if row["knows"] == "undated" and not row["why"]] == []
