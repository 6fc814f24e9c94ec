"""What would change a rate, and which pipes are alike: by hand, and by a model that learned from a made-up town."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from vardag.water.lof.boosting import Boosted, Settings
from vardag.water.lof.example import example_panel
from vardag.water.lof.hierarchical import Hierarchical
from vardag.water.lof.similar import similar
from vardag.water.lof.whatif import changes, what_if

LAST = date(2021, 12, 31)
FAMILIES = {
    "material": "material",
    "era": "age",
    "install_year": "age",
    "age_years": "age",
    "own_breaks": "own_history",
    "own_observed_years": "own_history",
    "lined_years": "lining",
    "lining_kind": "lining",
    "cleaned_years": "cleaning",
    "pressure_m": "pressure",
}


@pytest.fixture(scope="module")
def town() -> tuple[pl.DataFrame, pl.DataFrame]:
    """A town that lays new PE; pipes p00000 to p00029 were lined in 2015."""
    panel = example_panel(pipes=900, years=10)
    number = pl.col("pipe_key").str.slice(1).cast(pl.Int64)
    year = pl.col("as_of").dt.year().cast(pl.Float64)
    install = pl.when((pl.col("material") == "PE") & (number % 2 == 0)).then(2008.0).otherwise("install_year")
    panel = panel.with_columns(install_year=install).with_columns(
        age_years=year - pl.col("install_year"),
        era=pl.format("{}s", (pl.col("install_year") // 10 * 10).cast(pl.Int64)),
        lined_years=pl.when((number < 30) & (year >= 2015)).then(year - 2015),
        lining_kind=pl.when((number < 30) & (year >= 2015)).then(pl.lit("cement")),
        cleaned_years=pl.when(year >= 2014).then(year - 2014),
        pressure_m=40.0 + number % 30,
    )
    return panel.filter(pl.col("as_of") < LAST), panel.filter(pl.col("as_of") == LAST)


def test_a_new_pipe_brings_its_own_and_keeps_its_place(town: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    past, today = town
    new = changes(past, today, families=FAMILIES)[0]
    assert new.name == "new_pipe"
    row = new.altered.row(5, named=True)
    assert (row["material"], row["age_years"], row["install_year"], row["own_breaks"]) == ("PE", 0.0, 2021.0, 0.0)
    assert (row["lined_years"], row["lining_kind"], row["cleaned_years"]) == (None, None, None)
    assert today["cleaned_years"].null_count() == 0
    assert row["era"] == "2000s"  # the latest decade whose new pipes the model has met
    assert (row["pressure_m"], row["length_m"]) == (today["pressure_m"][5], today["length_m"][5])
    assert row["pipe_key"] == "p00005@new"
    assert new.altered.schema == today.schema


def test_a_lined_pipe_keeps_all_but_its_lining(town: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    past, today = town
    lined = changes(past, today, families=FAMILIES)[1]
    assert lined.pipes == 30
    assert lined.altered.drop("lined_years", "lining_kind").equals(today.drop("lined_years", "lining_kind"))
    assert set(lined.altered["lined_years"]) == {0.0}
    assert set(lined.altered["lining_kind"]) == {"cement"}


def test_pressure_is_lowered_only_where_enough_is_left_and_the_network_has_as_little(
    town: tuple[pl.DataFrame, pl.DataFrame],
) -> None:
    past, today = town
    lower = changes(past, today, families=FAMILIES)[2]
    assert lower.told.to_list() == (today["pressure_m"] >= 50.0).to_list()
    assert (today["pressure_m"] - lower.altered["pressure_m"]).unique().to_list() == [10.0]


def test_the_pressure_measured_is_lowered_too(town: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    past, today = (part.with_columns(measured_pressure_m=pl.col("pressure_m") + 1.0) for part in town)
    lower = changes(past, today, families=FAMILIES)[2]
    assert lower.altered["measured_pressure_m"].equals(today["measured_pressure_m"] - 10.0)


def test_the_model_knows_that_new_pipes_break_less(town: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    past, today = town
    model = Boosted(tuple(FAMILIES), Settings(rounds=80, seeds=(1,))).fit(past)
    rates = what_if(model, changes(past, today, families=FAMILIES))
    assert rates.columns == ["new_pipe", "relined", "lower_pressure"]
    iron = (today["material"] == "CI").to_numpy()
    now, then = model.rate(today)[iron], rates["new_pipe"].to_numpy()[iron]
    assert float(np.median(then / now)) < 0.35
    assert rates["lower_pressure"].null_count() == (today["pressure_m"] < 50).sum()


def test_nothing_is_told_that_the_network_has_too_few_pipes_of(town: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    past, today = (part.filter(pl.col("material") != "PE") for part in town)
    model = Hierarchical().fit(past)
    found = changes(past, today, families=FAMILIES)
    assert what_if(model, found)["new_pipe"].null_count() == today.height
    assert what_if(model, found, published=True)["new_pipe"].null_count() == 0


def test_published_rates_know_nothing_of_lining(town: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    past, today = town
    never = past.with_columns(lined_years=pl.lit(None, dtype=pl.Float64))
    found = changes(never, today, families=FAMILIES)
    assert what_if(Hierarchical().fit(past), found, published=True)["relined"].null_count() == today.height


def test_a_change_without_its_columns_is_not_spoken_of(town: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    past, today = (part.drop("lined_years", "pressure_m") for part in town)
    assert [change.name for change in changes(past, today, families=FAMILIES)] == ["new_pipe"]
    past, today = (part.with_columns(pressure_m=pl.lit(None, dtype=pl.Float64)) for part in (past, today))
    told = changes(past, today, families=FAMILIES)[1]
    assert what_if(Hierarchical(), (told,), published=True)["lower_pressure"].null_count() == today.height


def test_the_nearest_are_those_whose_factors_are_alike_whatever_their_own_breaks() -> None:
    table = pl.DataFrame(
        {
            "base": [9.0, 0.1, 0.1, 0.1],
            "material": [2.0, 2.0, 1.0, 2.0],
            "soil": [1.0, 1.1, 1.0, None],
            "own_history": [1.0, 9.0, 1.0, 5.0],
        }
    )
    found = similar(table, 0, count=2)
    assert found["row"].to_list() == [3, 1]
    assert found["distance"].to_list() == pytest.approx([0.0, np.log(1.1)])
    assert similar(table, 0, without=())["row"].to_list()[0] == 2
    assert similar(table[:1], 0).is_empty()
