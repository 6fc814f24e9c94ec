"""What every likelihood model promises, on a made-up town with known rates."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from vardag.water.lof.ann import NeuralNetwork
from vardag.water.lof.baselines import MaterialAge, OldestFirst, PastBreaksPerKm, Random
from vardag.water.lof.bayes import EmpiricalBayes
from vardag.water.lof.blend import Blend
from vardag.water.lof.boosting import Boosted, Settings
from vardag.water.lof.calibrate import Calibrated
from vardag.water.lof.example import example_panel
from vardag.water.lof.glm import PoissonGlm
from vardag.water.lof.hierarchical import Hierarchical
from vardag.water.lof.port import Model, fit_all, km_years
from vardag.water.lof.standard import MODEL_NAMES, standard_models

FEATURES = ("material", "era", "age_years", "diameter_mm", "length_m", "own_breaks", "own_observed_years", "aadt")
QUICK = Settings(rounds=40, seeds=(1, 2), smallest_leaf_rows=50, smallest_leaf_breaks=1.0)
MODELS: tuple[Model, ...] = (
    Boosted(FEATURES, QUICK),
    Boosted(FEATURES, QUICK, EmpiricalBayes()),
    NeuralNetwork(),
    PoissonGlm(("nearby_150m",)),
    EmpiricalBayes(),
    Hierarchical(),
    Blend((Boosted(FEATURES, QUICK), Hierarchical(), EmpiricalBayes())),
    PastBreaksPerKm(),
    MaterialAge(),
    OldestFirst(),
    Random(seed=3),
    Calibrated(MaterialAge()),
)
IDS = ["boosted", "boosted_on_bayes", *(model.name for model in MODELS[2:-1]), "calibrated"]
LAST = date(2021, 12, 31)


@pytest.fixture(scope="module")
def panel() -> pl.DataFrame:
    return example_panel(pipes=500, years=8)


@pytest.fixture(scope="module")
def train(panel: pl.DataFrame) -> pl.DataFrame:
    return panel.filter(pl.col("as_of") < LAST)


@pytest.fixture(scope="module")
def test(panel: pl.DataFrame) -> pl.DataFrame:
    return panel.filter(pl.col("as_of") == LAST)


@pytest.mark.parametrize("model", MODELS, ids=IDS)
def test_rates_are_finite_not_negative_and_of_the_right_level(
    model: Model, train: pl.DataFrame, test: pl.DataFrame
) -> None:
    rate = model.fit(train).rate(test)
    assert rate.shape == (test.height,)
    assert np.isfinite(rate).all()
    assert (rate >= 0).all()
    expected = float((rate * km_years(test)).sum())
    seen = float(train["breaks"].sum()) / train["as_of"].n_unique()
    assert expected == pytest.approx(seen, rel=0.45)


@pytest.mark.parametrize("model", MODELS, ids=IDS)
def test_the_order_of_rows_changes_nothing(model: Model, train: pl.DataFrame, test: pl.DataFrame) -> None:
    shuffled = train.sample(fraction=1.0, shuffle=True, seed=5)
    place = np.random.default_rng(6).permutation(test.height)
    straight = model.fit(train).rate(test)
    mixed = model.fit(shuffled).rate(test[place])
    np.testing.assert_array_equal(mixed, straight[place])


@pytest.mark.parametrize("model", MODELS, ids=IDS)
def test_fitting_leaves_the_recipe_as_it_was(model: Model, train: pl.DataFrame, test: pl.DataFrame) -> None:
    before = repr(model)
    first = model.fit(train).rate(test)
    second = model.fit(train).rate(test)
    assert repr(model) == before
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("model", MODELS, ids=IDS)
def test_a_town_without_breaks_and_a_pipe_that_knows_nothing(model: Model, test: pl.DataFrame) -> None:
    quiet = example_panel(pipes=60, years=3, level=0.0)
    blank = test.head(3).with_columns(
        pl.lit(None, dtype=pl.String).alias("material"),
        pl.lit(None, dtype=pl.String).alias("era"),
        pl.lit(None, dtype=pl.Float64).alias("age_years"),
        pl.lit(None, dtype=pl.Float64).alias("diameter_mm"),
    )
    rate = model.fit(quiet).rate(blank)
    assert np.isfinite(rate).all()
    assert (rate >= 0).all()


@pytest.mark.parametrize("model", MODELS, ids=IDS)
def test_rows_that_were_never_observed_teach_nothing(model: Model, train: pl.DataFrame, test: pl.DataFrame) -> None:
    unseen = train.head(40).with_columns(exposure_years=pl.lit(0.0), breaks=pl.lit(9, dtype=pl.Int32))
    unseen = unseen.with_columns(pipe_key=pl.lit("x") + pl.col("pipe_key"))
    np.testing.assert_array_equal(model.fit(pl.concat([train, unseen])).rate(test), model.fit(train).rate(test))


@pytest.mark.parametrize("model", MODELS[:8], ids=IDS[:8])
def test_models_find_the_bad_pipes(model: Model, train: pl.DataFrame, test: pl.DataFrame) -> None:
    rate = model.fit(train).rate(test)
    assert np.corrcoef(rate, test["true_rate"].to_numpy())[0, 1] > 0.4


def test_standard_models_have_the_names_of_the_tables() -> None:
    models = standard_models(Blend((Boosted(FEATURES, QUICK), Hierarchical())), neighbours=("nearby_150m",))
    assert tuple(model.name for model in models) == MODEL_NAMES


def test_fit_all_gives_every_model_by_name(train: pl.DataFrame) -> None:
    fitted = fit_all([MaterialAge(), OldestFirst()], train)
    assert list(fitted) == ["material_age", "oldest_first"]


def test_random_is_new_each_year_and_depends_on_the_seed(panel: pl.DataFrame) -> None:
    years = panel.filter(pl.col("as_of") > date(2019, 12, 31)).partition_by("as_of")
    model = Random(seed=1).fit(panel)
    assert np.corrcoef(model.rate(years[0]), model.rate(years[1]))[0, 1] < 0.3
    assert not np.array_equal(Random(seed=2).fit(panel).rate(years[0]), model.rate(years[0]))


def test_random_is_the_same_for_a_year_alone_and_among_others(panel: pl.DataFrame) -> None:
    model = Random(seed=1).fit(panel)
    among = model.rate(panel)[(panel["as_of"] == LAST).to_numpy()]
    np.testing.assert_array_equal(among, model.rate(panel.filter(pl.col("as_of") == LAST)))


def test_material_age_by_hand() -> None:
    """Two cells of one material: 3 breaks in 10 km-years and 1 in 30; the material has 4 in 40, the network too."""
    rows = pl.DataFrame(
        {
            "pipe_key": ["a", "b"],
            "as_of": [LAST, LAST],
            "material": ["CI", "CI"],
            "age_years": [5.0, 15.0],
            "length_m": [10_000.0, 30_000.0],
            "exposure_years": [1.0, 1.0],
            "breaks": [3, 1],
        }
    )
    material = (4 + 1) / (40 + 1 / 0.1)
    rate = MaterialAge().fit(rows).rate(rows)
    assert rate == pytest.approx([(3 + 1) / (10 + 1 / material), (1 + 1) / (30 + 1 / material)])


def test_past_breaks_rank_by_breaks_per_km_and_year(train: pl.DataFrame) -> None:
    rows = pl.DataFrame(
        {"length_m": [100.0, 200.0, 100.0], "own_breaks": [1.0, 1.0, 1.0], "own_observed_years": [10.0, 10.0, 5.0]}
    )
    rate = PastBreaksPerKm().fit(train).rate(rows)
    assert rate / rate[1] == pytest.approx([2.0, 1.0, 4.0])


def test_empirical_bayes_lies_between_cohort_and_record(train: pl.DataFrame, test: pl.DataFrame) -> None:
    model = EmpiricalBayes().fit(train)
    cohort = model.cohort_rate(test)
    record = (test["own_breaks"] / (test["length_m"] / 1000 * test["own_observed_years"])).to_numpy()
    rate = model.rate(test)
    assert (rate >= np.minimum(cohort, record) - 1e-12).all()
    assert (rate <= np.maximum(cohort, record) + 1e-12).all()


def test_glm_recovers_a_known_law() -> None:
    """Rate 0.5 per km for CI, 0.05 for PVC, and nothing else: the regression finds both within a tenth."""
    generator = np.random.default_rng(1)
    material = np.repeat(["CI", "PVC"], 3000)
    truth = np.where(material == "CI", 0.5, 0.05)
    rows = pl.DataFrame(
        {
            "pipe_key": [f"{number}" for number in range(6000)],
            "as_of": [LAST] * 6000,
            "material": material,
            "length_m": np.full(6000, 1000.0),
            "exposure_years": np.ones(6000),
            "breaks": generator.poisson(truth),
        }
    )
    rate = PoissonGlm().fit(rows).rate(rows)
    assert rate[0] == pytest.approx(0.5, rel=0.1)
    assert rate[-1] == pytest.approx(0.05, rel=0.25)


def test_baselines_that_are_not_fitted_say_so(test: pl.DataFrame) -> None:
    for model in (MaterialAge(), EmpiricalBayes(), Hierarchical()):
        with pytest.raises(ValueError, match="not fitted"):
            model.rate(test)
