"""The boosted trees: offset, categories, contributions, sampling."""

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from vardag.water.lof import boosting
from vardag.water.lof.bayes import EmpiricalBayes
from vardag.water.lof.boosting import Boosted, Settings
from vardag.water.lof.encode import Term, category_codes, enough, learn, matrix, thin
from vardag.water.lof.example import example_panel
from vardag.water.lof.port import POLICY, km_years

FEATURES = ("material", "age_years", "diameter_mm", "own_breaks", "own_observed_years")
QUICK = Settings(rounds=60, seeds=(1, 2), smallest_leaf_rows=50, smallest_leaf_breaks=1.0)


@pytest.fixture(scope="module")
def panel() -> pl.DataFrame:
    return example_panel(pipes=500, years=8)


@pytest.fixture(scope="module")
def fitted(panel: pl.DataFrame) -> Boosted:
    return Boosted(FEATURES, QUICK).fit(panel)


def test_the_offset_makes_the_rate_independent_of_length(panel: pl.DataFrame, fitted: Boosted) -> None:
    twice = panel.with_columns(pl.col("length_m") * 2)
    np.testing.assert_array_equal(fitted.rate(twice), fitted.rate(panel))


def test_the_offset_is_added_back(panel: pl.DataFrame, fitted: Boosted) -> None:
    """In the training rows the expected breaks sum to those seen, which they would not without the offset."""
    expected = float((fitted.rate(panel) * km_years(panel)).sum())
    assert expected == pytest.approx(float(panel["breaks"].sum()), rel=0.05)


def test_half_the_exposure_with_the_same_breaks_is_twice_the_rate(panel: pl.DataFrame, fitted: Boosted) -> None:
    half = panel.with_columns(exposure_years=pl.lit(0.5))
    ratio = Boosted(FEATURES, QUICK).fit(half).rate(panel) / fitted.rate(panel)
    assert ratio == pytest.approx(2.0, rel=1e-6)


def test_multipliers_times_the_base_are_the_rate(panel: pl.DataFrame, fitted: Boosted) -> None:
    rows = np.array([3, 50, 7])
    families = {"own_breaks": "own_history", "own_observed_years": "own_history"}
    told = fitted.explain(panel, rows, families=families)
    assert told.columns == ["base", "material", "age_years", "diameter_mm", "own_history"]
    assert told.select(pl.all()).to_numpy().prod(axis=1) == pytest.approx(fitted.rate(panel)[rows], rel=1e-6)


def test_multipliers_hold_with_a_base_model_too(panel: pl.DataFrame) -> None:
    model = Boosted(FEATURES, QUICK, EmpiricalBayes()).fit(panel)
    told = model.explain(panel, [0, 1], families={})
    assert told.to_numpy().prod(axis=1) == pytest.approx(model.rate(panel)[:2], rel=1e-6)


def test_own_breaks_raise_the_rate(panel: pl.DataFrame, fitted: Boosted) -> None:
    worst = int(panel["own_breaks"].arg_max() or 0)
    told = fitted.explain(panel, [worst], families={})
    assert told["own_breaks"][0] > 1.2


def test_a_material_never_seen_is_taken_as_missing(panel: pl.DataFrame, fitted: Boosted) -> None:
    strange, unknown = (
        panel.head(5).with_columns(material=pl.lit(value, dtype=pl.String)) for value in ("WOOD", None)
    )
    np.testing.assert_array_equal(fitted.rate(strange), fitted.rate(unknown))


def test_a_value_has_the_same_code_in_every_panel() -> None:
    frame = pl.DataFrame({"material": ["PVC", None, "CI", "WOOD"]})
    codes = category_codes(frame, "material", ["CI", "DI", "PVC"])
    np.testing.assert_array_equal(codes, [2.0, np.nan, 0.0, np.nan])


def test_a_feature_that_the_city_lacks_is_missing(panel: pl.DataFrame) -> None:
    rate = Boosted((*FEATURES, "no_such_column"), QUICK).fit(panel).rate(panel)
    assert np.isfinite(rate).all()


@pytest.mark.parametrize("settings", [QUICK, Settings(rounds=60)])
def test_features_without_any_value_change_nothing_to_the_last_bit(panel: pl.DataFrame, settings: Settings) -> None:
    """A city that delivers fewer tables gets exactly what it got before the features that rest on them."""
    nothing = panel.with_columns(pl.lit(None, dtype=pl.Float64).alias(name) for name in ("empty", "bare"))
    model = Boosted(FEATURES, settings).fit(panel)
    for features in ((*FEATURES, "empty", "bare"), ("empty", *FEATURES[:2], "bare", *FEATURES[2:])):
        more = Boosted(features, settings).fit(nothing)
        np.testing.assert_array_equal(more.rate(nothing), model.rate(panel))
        told, before = (one.explain(rows, [0, 9], families={}) for one, rows in ((more, nothing), (model, panel)))
        np.testing.assert_array_equal(told.select(before.columns).to_numpy(), before.to_numpy())
        assert told["empty"].to_list() == told["bare"].to_list() == [1.0, 1.0]


def test_old_years_count_less(panel: pl.DataFrame) -> None:
    """Breaks that happened only in the first years weigh less with a half-life."""
    early = pl.when(pl.col("as_of") < date(2017, 12, 31)).then("breaks").otherwise(0)
    faded = panel.with_columns(breaks=early.cast(pl.Int32))
    alike = Boosted(FEATURES, QUICK).fit(faded).rate(faded).sum()
    fading = Boosted(FEATURES, replace(QUICK, half_life_years=2.0)).fit(faded).rate(faded).sum()
    assert fading < 0.9 * alike


def test_sampled_zeros_keep_the_level(panel: pl.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boosting, "enough", lambda _: 1500)
    rate = Boosted(FEATURES, QUICK).fit(panel).rate(panel)
    assert float((rate * km_years(panel)).sum()) == pytest.approx(float(panel["breaks"].sum()), rel=0.1)


def test_enough_rows_grow_with_the_breaks_and_never_lose_one() -> None:
    rows = POLICY.value("fit_rows")
    broken = np.array([10, rows["least"] // 25 + 100, rows["most"]])
    found = [enough(np.ones(number)) for number in broken]
    assert found == [rows["least"], 25 * broken[1], 2 * rows["most"]]


def test_thin_keeps_all_breaks_and_the_weight_of_the_rest() -> None:
    breaks = np.zeros(1000)
    breaks[::100] = 2.0
    rows, weights = thin(breaks, limit=200, seed=4)
    assert rows.size == 200
    assert (breaks[rows] > 0).sum() == 10
    assert weights.sum() == pytest.approx(1000)
    assert (np.diff(rows) > 0).all()
    again, _ = thin(breaks, limit=200, seed=4)
    np.testing.assert_array_equal(rows, again)


def test_thin_below_the_limit_keeps_all() -> None:
    rows, weights = thin(np.array([0.0, 1.0, 0.0]), limit=3, seed=0)
    assert rows.tolist() == [0, 1, 2]
    assert weights.tolist() == [1.0, 1.0, 1.0]


def test_encoding_standardises_marks_missing_and_drops_what_tells_nothing() -> None:
    frame = pl.DataFrame({"a": [1.0, 3.0, None], "same": [2.0, 2.0, 2.0], "material": ["CI", "DI", "CI"]})
    encoding = learn(frame, [Term("a"), Term("same"), Term("absent"), Term("material", "category")])
    assert [fitted.term.column for fitted in encoding] == ["a", "material"]
    expected = [[-1.0, 0.0, 1.0, 0.0], [1.0, 0.0, 0.0, 1.0], [0.0, 1.0, 1.0, 0.0]]
    np.testing.assert_allclose(matrix(frame, encoding), expected)
