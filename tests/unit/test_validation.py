"""Evaluation end to end on a made-up town: splits, tables, plots, and that the future changes nothing."""

import json
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Self

import numpy as np
import polars as pl
import pytest

from vardag.core.errors import InputError
from vardag.water.lof.baselines import MaterialAge, OldestFirst, PastBreaksPerKm, Random
from vardag.water.lof.bayes import EmpiricalBayes
from vardag.water.lof.boosting import Boosted, Settings
from vardag.water.lof.calibrate import calibrated
from vardag.water.lof.example import example_panel
from vardag.water.lof.port import Floats, Model, km_years
from vardag.water.panel import years_after
from vardag.water.validation import plots, render, streets
from vardag.water.validation.evaluate import IDENTITY, evaluate
from vardag.water.validation.render import held_words
from vardag.water.validation.splits import origins, split
from vardag.water.validation.tables import Trial, believed, calibration, headline
from vardag.water.winters import WINTER

FEATURES = ("material", "age_years", "diameter_mm", "own_breaks", "own_observed_years")
TREES = Boosted(FEATURES, Settings(rounds=25, seeds=(1,), smallest_leaf_rows=50, smallest_leaf_breaks=1.0))
MODELS = calibrated((EmpiricalBayes(), TREES, PastBreaksPerKm(), MaterialAge(), OldestFirst(), Random(seed=1)))
YEARS = range(2018, 2023)


@pytest.fixture(scope="module")
def panel() -> pl.DataFrame:
    return example_panel(pipes=600, years=9)


@pytest.fixture(scope="module")
def evaluated(panel: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, Any]]:
    return evaluate(panel, models=MODELS, test_years=YEARS, city="Exempelstad", replicates=200)


def test_the_document_has_the_agreed_shape(evaluated: tuple[pl.DataFrame, dict[str, Any]]) -> None:
    _, document = evaluated
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["city"] == "Exempelstad"
    assert document["levels"] == [0.0025, 0.01, 0.05, 0.1, 0.2]
    assert set(document["populations"]) == {"register", "with_rebuilt"}
    for population in document["populations"].values():
        assert set(population) == {"1", "3"}
        for tables in population.values():
            wanted = "origins breaks pipe_years km_years headline believed curve calibration no_history streets"
            assert set(tables) == set(wanted.split())
            assert [row["model"] for row in tables["headline"]] == document["models"]
            assert all(len(row["capture"]) == 5 for row in tables["headline"])
            assert all(len(curve["capture"]) == 101 for curve in tables["curve"].values())


def test_three_years_ahead_uses_only_origins_that_reach(evaluated: tuple[pl.DataFrame, dict[str, Any]]) -> None:
    tables = evaluated[1]["populations"]["register"]
    assert tables["1"]["origins"][-1] == "2021-12-31"
    assert tables["3"]["origins"] == ["2017-12-31", "2018-12-31", "2019-12-31"]
    assert tables["3"]["breaks"] > tables["1"]["breaks"]
    assert tables["1"]["streets"] is None
    assert len(tables["3"]["streets"]["rows"]) == len(MODELS)


def test_scores_hold_one_row_per_pipe_and_origin(
    panel: pl.DataFrame, evaluated: tuple[pl.DataFrame, dict[str, Any]]
) -> None:
    scores = evaluated[0].filter(pl.col("population") == "register")
    assert scores.columns == [*IDENTITY, *(model.name for model in MODELS), "population"]
    assert scores.height == panel.filter(pl.col("as_of") >= date(2017, 12, 31)).height
    assert not scores.select("pipe_key", "as_of").is_duplicated().any()


def test_figures_are_ordered_and_the_models_beat_chance(evaluated: tuple[pl.DataFrame, dict[str, Any]]) -> None:
    rows = {row["model"]: row for row in evaluated[1]["populations"]["register"]["1"]["headline"]}
    for row in rows.values():
        assert all(
            low <= value <= high for low, value, high in zip(row["low"], row["capture"], row["high"], strict=True)
        )
        assert row["capture"] == sorted(row["capture"])
    assert rows["empirical_bayes"]["difference"] == [0.0] * 5
    assert rows["random"]["difference_low"][4] > 0
    lead = rows["empirical_bayes"]["capture"][4] - rows["random"]["capture"][4]
    assert rows["random"]["difference"][4] == pytest.approx(lead, abs=1e-5)


def test_calibration_sums_agree_everywhere(evaluated: tuple[pl.DataFrame, dict[str, Any]]) -> None:
    tables = evaluated[1]["populations"]["register"]["1"]
    pooled = tables["calibration"]["pooled"]
    assert pooled["observed"] == tables["breaks"]
    assert pooled["ratio"] == pytest.approx(1.0, abs=0.3)
    for part in ("by_year", "by_material", "by_decile"):
        rows = tables["calibration"][part]
        assert sum(row["observed"] for row in rows) == pooled["observed"]
        assert sum(row["predicted"] for row in rows) == pytest.approx(pooled["predicted"], abs=0.02)
    assert [row["decile"] for row in tables["calibration"]["by_decile"]] == list(range(1, 11))
    told = tables["calibration"]["held"]
    assert told["years"]["numbers"] == len(tables["origins"]) and told["stated"] == 0.8
    assert told["deciles"]["numbers"] == 10 * len(tables["origins"])
    assert 0.6 < told["deciles"]["share"] < 0.95
    assert evaluated[1]["populations"]["register"]["3"]["calibration"]["held"] is None
    assert f"{100 * told['deciles']['share']:.0f} % of those of each tenth" in held_words(told, "en")


def test_what_a_model_believes_is_what_it_would_catch_were_it_right(panel: pl.DataFrame) -> None:
    """Breaks drawn from the rates themselves, many times over: the capture is the believed one."""
    rows = panel.filter(pl.col("as_of").is_between(date(2019, 1, 1), date(2020, 12, 31)))
    rate = pl.Series("ours", rows["true_rate"])
    generator = np.random.default_rng(3)
    drawn = generator.poisson(500 * rate.to_numpy() * km_years(rows)).astype(np.int64)
    trial = Trial(rows.with_columns(rate, breaks=pl.Series(drawn)), ["ours"], "ours", 1)
    seen = headline(trial, seed=1, replicates=20)[0]["capture"]
    assert believed(trial) == pytest.approx(seen, abs=0.02)
    assert believed(trial)[2] > 0.08


def test_the_same_seed_gives_the_same_document(panel: pl.DataFrame) -> None:
    small = panel.filter(pl.col("as_of") > date(2017, 12, 31))
    mixed = small.sample(fraction=1.0, shuffle=True, seed=3)
    documents = [
        evaluate(table, models=MODELS[:2], test_years=[2022], replicates=50, seed=9)[1] for table in (small, mixed)
    ]
    assert documents[0] == documents[1]


def test_the_future_changes_nothing(panel: pl.DataFrame) -> None:
    """Alter every label and feature after the origin: the scores of the origin stay the same to the bit."""
    cut = date(2018, 12, 31)
    after = pl.col("as_of") > years_after(cut, -1)
    later = pl.col("as_of") > cut
    altered = panel.with_columns(
        breaks=pl.when(after).then(7).otherwise("breaks").cast(pl.Int32),
        breaks_3y=pl.lit(99, dtype=pl.Int32),
        own_breaks=pl.when(later).then(50.0).otherwise("own_breaks"),
        exposure_years=pl.when(after).then(0.5).otherwise("exposure_years"),
    ).filter(~later | (pl.col("material") == "CI"))
    rates = []
    for table in (panel, altered):
        scores, _ = evaluate(table, models=MODELS, test_years=[2019], horizons=(1,), replicates=10)
        rates.append(scores.select(model.name for model in MODELS))
    assert rates[0].equals(rates[1])


def test_models_never_see_the_labels_of_the_test(panel: pl.DataFrame) -> None:
    @dataclass(frozen=True)
    class Peeping:
        seen: tuple[str, ...] = ()
        name: str = "peeping"

        def fit(self, panel: pl.DataFrame) -> Self:
            assert "breaks_3y" not in panel.columns
            assert panel["as_of"].max() == date(2020, 12, 31)
            return replace(self)

        def rate(self, panel: pl.DataFrame) -> Floats:
            assert not {"breaks", "breaks_3y", "exposure_years", *WINTER} & set(panel.columns)
            return np.ones(panel.height)

    model: Model = Peeping()
    told = panel.with_columns(pl.lit(1.0).alias(name) for name in WINTER)
    evaluate(told, models=[model], test_years=[2022], replicates=10)


def test_training_ends_a_whole_year_before_the_origin(panel: pl.DataFrame) -> None:
    cut = split(panel, date(2019, 12, 31))
    assert cut.train["as_of"].max() == date(2018, 12, 31)
    assert cut.test["as_of"].unique().to_list() == [date(2019, 12, 31)]


def test_years_that_cannot_be_predicted_are_told(panel: pl.DataFrame) -> None:
    assert origins(panel, [2015, 2022]) == [date(2014, 12, 31), date(2021, 12, 31)]
    with pytest.raises(InputError, match=r"none of .2014. can be predicted; the panel holds 2013 to 2021"):
        origins(panel, [2014])


def test_rebuilt_pipes_are_in_their_own_population_only(panel: pl.DataFrame) -> None:
    rebuilt = panel.head(40).with_columns(pipe_key="r" + pl.col("pipe_key"), origin=pl.lit("rebuilt"))
    rebuilt = pl.concat([rebuilt.with_columns(as_of=pl.lit(date(2021, 12, 31))), rebuilt]).select(panel.columns)
    scores, document = evaluate(
        pl.concat([panel, rebuilt]), models=[MaterialAge()], test_years=[2022], horizons=(1,), replicates=10
    )
    tables = document["populations"]
    assert tables["with_rebuilt"]["1"]["pipe_years"] == tables["register"]["1"]["pipe_years"] + 40
    assert scores.filter(pl.col("population") == "register")["origin"].unique().to_list() == ["register"]


def test_a_test_without_breaks_gives_nulls_not_numbers(panel: pl.DataFrame) -> None:
    quiet = panel.with_columns(breaks=pl.lit(0, dtype=pl.Int32), breaks_3y=pl.lit(0, dtype=pl.Int32))
    _, document = evaluate(quiet, models=MODELS[:1], test_years=[2020], replicates=10)
    tables = document["populations"]["register"]["1"]
    assert tables["headline"][0]["capture"] == [None] * 5
    assert tables["calibration"]["pooled"]["ratio"] is None
    assert "–" in render.headline_sheet(document).markdown()
    assert plots.capture_plot(document).startswith("<svg")


def test_progress_counts_every_fit(panel: pl.DataFrame) -> None:
    told: list[tuple[str, int, int]] = []
    evaluate(
        panel,
        models=[MaterialAge(), OldestFirst()],
        test_years=[2021, 2022],
        replicates=10,
        progress=lambda *what: told.append(what),
    )
    assert [number for _, number, _ in told] == [0, 1, 2, 3]
    assert {total for _, _, total in told} == {4}
    assert told[0][0] == "material_age, 2021"


def test_a_pipe_retired_in_the_year_counts_for_its_part() -> None:
    scores = pl.DataFrame(
        {"pipe_key": ["a", "b"], "as_of": [date(2020, 12, 31)] * 2, "length_m": [1000.0, 1000.0]}
    ).with_columns(
        exposure_years=pl.Series([1.0, 0.25]),
        breaks=pl.Series([1, 0]),
        breaks_3y=pl.Series([2, 0]),
        material=pl.lit("CI"),
        vardag=pl.lit(0.8),
    )
    assert Trial(scores, ["vardag"], "vardag", 1).km_years.tolist() == [1.0, 0.25]
    assert Trial(scores, ["vardag"], "vardag", 3).km_years.tolist() == [3.0, 0.25]
    assert calibration(Trial(scores, ["vardag"], "vardag", 1))["pooled"]["predicted"] == pytest.approx(1.0)


def test_street_precision_by_hand() -> None:
    """200 blocks of two pipes; the top 1 % are two blocks, one of which had a break."""
    number = np.arange(400)
    scores = pl.DataFrame(
        {
            "pipe_key": [f"p{each}" for each in number],
            "as_of": [date(2018, 12, 31)] * 400,
            "street_block": [f"s{each // 2}" for each in number],
            "length_m": np.where(number % 2 == 0, 100.0, 300.0),
            "exposure_years": np.ones(400),
            "breaks": np.zeros(400, dtype=np.int32),
            "breaks_3y": np.isin(number, [1, 300]).astype(np.int32),
            "m": np.where(number < 4, 1.0, 0.1) + number * 1e-6,
        }
    )
    trial = Trial(scores, ["m"], "m", 3)
    found = streets.precision(trial)
    assert found["rows"] == [{"model": "m", "blocks": 2.0, "hits": 1.0, "precision": 0.5, "base_rate": 0.01}]
    rate = streets.blocks(trial).filter(pl.col("street_block") == "s10")["m"][0]
    assert rate == pytest.approx(0.1 + (20 * 100 + 21 * 300) / 400 * 1e-6)


def test_tables_are_rendered_in_both_languages(evaluated: tuple[pl.DataFrame, dict[str, Any]]) -> None:
    _, document = evaluated
    english = render.headline_sheet(document, language="en").markdown()
    assert "| Oldest first |" in english
    assert "| Äldst först |" in render.headline_sheet(document, language="sv").markdown()
    assert len(english.splitlines()) == 2 + 2 + len(MODELS)
    sheet = render.calibration_sheet(document, by="material", language="sv")
    assert sheet.rows[-1][0] == "Alla"
    assert sheet.rich().row_count == len(sheet.rows)
    top = render.streets_sheet(document)
    assert top is not None
    assert top.rows[0][3].endswith("%")


def test_plots_are_svg_the_same_twice_and_ask_for_nothing(evaluated: tuple[pl.DataFrame, dict[str, Any]]) -> None:
    _, document = evaluated
    for draw in (plots.capture_plot, plots.calibration_plot, plots.years_plot):
        swedish = draw(document, language="sv")
        assert swedish == draw(document, language="sv")
        assert swedish != draw(document, language="en")
        assert swedish.startswith("<svg")
        assert 'href="http' not in swedish
        assert "url(http" not in swedish


def test_texts_have_both_languages() -> None:
    assert render.TEXTS.incomplete() == []
