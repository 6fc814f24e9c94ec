"""The peers: what they are given, that delayed entry is not forgotten, and that the table is the same twice.

Peers whose libraries the product lacks are tested in their own environment, which `make bench-peers` builds; where
it is not there those tests are skipped.
"""

import importlib
import importlib.util
import json
import re
import subprocess
import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from benchmarks.peers.comparison import Timed, compare
from benchmarks.peers.inputs import learn_coding, terms
from benchmarks.peers.survival import Pieces, baseline, landmarks, pieces
from benchmarks.peers.table import NAMES, markdown
from benchmarks.peers.trees import HistogramBoosting, Size

from vardag.water.lof.baselines import MaterialAge, OldestFirst, PastBreaksPerKm
from vardag.water.lof.calibrate import calibrated
from vardag.water.lof.example import example_panel
from vardag.water.lof.port import km_years

ROOT = Path(__file__).parents[2]
PEERS = ROOT / ".venv-peers" / "bin" / "python"
LIBRARIES = ("catboost", "glum", "lifelines", "scikit-survival", "xgboost-cpu")
FEATURES = ("material", "era", "age_years", "diameter_mm", "own_breaks", "nearby_150m", "aadt")
QUICK = Size(rounds=40, smallest_leaf_rows=50)
LAST = date(2021, 12, 31)


@pytest.fixture(scope="module")
def panel() -> pl.DataFrame:
    return example_panel(pipes=500, years=8)


def year(**columns: object) -> pl.DataFrame:
    """One pipe-year: 100 m of pipe, ten years old, observed for the whole year, without a break."""
    row = {"pipe_key": "a", "as_of": LAST, "length_m": 100.0, "age_years": 10.0, "exposure_years": 1.0, "breaks": 0}
    return pl.DataFrame([row | columns])


class TestPieces:
    def test_a_year_without_a_break_is_one_piece_of_age_that_begins_at_its_entry(self) -> None:
        found = pieces(year(age_years=40.0), typical=0.0)
        assert (found.entry.tolist(), found.stop.tolist(), found.event.tolist()) == ([40.0], [41.0], [False])

    def test_breaks_cut_the_year_and_each_begins_a_new_interval(self) -> None:
        found = pieces(pl.concat([year(), year(breaks=2, exposure_years=0.6)]), typical=0.0)
        assert found.row.tolist() == [0, 1, 1, 1]
        assert found.entry == pytest.approx([10.0, 10.0, 10.2, 10.4])
        assert found.stop == pytest.approx([11.0, 10.2, 10.4, 10.6])
        assert found.event.tolist() == [False, True, True, False]

    def test_a_pipe_of_unknown_age_is_placed_at_the_typical_one(self) -> None:
        assert pieces(year(age_years=None), typical=33.0).entry.tolist() == [33.0]

    def test_no_break_and_no_observed_time_is_lost(self, panel: pl.DataFrame) -> None:
        found = pieces(panel, typical=50.0)
        assert found.event.sum() == panel["breaks"].sum()
        assert (found.stop - found.entry).sum() == pytest.approx(panel["exposure_years"].sum())


class TestLandmarks:
    def test_blocks_end_with_the_latest_year_and_begin_as_the_pipe_was_then(self) -> None:
        years = [year(as_of=date(2016 + n, 12, 31), age_years=10.0 + n, breaks=int(n == 4)) for n in range(6)]
        found = landmarks(pl.concat(years), years=3).sort("as_of")
        assert found["as_of"].to_list() == [date(2016, 12, 31), date(2019, 12, 31)]
        assert found["age_years"].to_list() == [10.0, 13.0]
        assert found["broke"].to_list() == [False, True]
        assert found["followed_years"].to_list() == [3.0, 1.5]

    def test_a_retired_pipe_is_followed_until_then(self) -> None:
        rows = pl.concat([year(as_of=date(2020, 12, 31)), year(exposure_years=0.25)])
        assert landmarks(rows, years=3)["followed_years"].to_list() == [1.25]


def delayed(*, pipes: int = 4000, years: int = 10, seed: int = 3) -> pl.DataFrame:
    """Pipes of all ages seen for ten years only: a rate that grows with age, three times as high for cast iron.

    Taken without its entry, an old pipe would seem to have lived its youth without a break.
    """
    rng = np.random.default_rng(seed)
    born = rng.uniform(0.0, 80.0, pipes)
    material, length = rng.choice(["CI", "PVC"], pipes), np.exp(rng.normal(4.6, 0.6, pipes))
    of_pipe = pl.DataFrame(
        {"pipe_key": [f"p{n:05d}" for n in range(pipes)], "material": material, "length_m": length}
    )
    cuts = []
    for ago in range(years, 0, -1):
        age = born + (years - ago)
        rate = true_rate(age, material)
        cuts.append(
            of_pipe.with_columns(
                as_of=pl.lit(date(2021 - ago, 12, 31)),
                origin=pl.lit("register"),
                age_years=pl.Series(age),
                log_length=pl.col("length_m").log(),
                exposure_years=pl.lit(1.0),
                breaks=pl.Series(rng.poisson(rate * length / 1000).astype(np.int32)),
                true_rate=pl.Series(rate),
            )
        )
    return pl.concat(cuts)


def true_rate(age: np.ndarray, material: np.ndarray) -> np.ndarray:
    """Expected breaks per km in the year after each age: a Weibull law of shape 2.5."""
    return np.where(material == "CI", 3.0, 1.0) * 0.6 * (((age + 1) / 80) ** 2.5 - (age / 80) ** 2.5) * 80 / 2.5


def ratios(panel: pl.DataFrame, rate: np.ndarray) -> list[float]:
    """Predicted over true breaks by material and twenty years of age; those under 20 hardly break."""
    table = (
        panel.with_columns(predicted=pl.Series(rate) * pl.col("length_m"), band=pl.col("age_years") // 20)
        .filter(pl.col("band").is_between(1, 3))
        .group_by("material", "band")
        .agg(ratio=pl.col("predicted").sum() / (pl.col("true_rate") * pl.col("length_m")).sum())
    )
    return table["ratio"].to_list()


class TestBaseline:
    def test_ages_before_the_record_are_not_at_risk(self) -> None:
        rows = delayed().filter(pl.col("material") == "PVC")
        found = pieces(rows, typical=0.0)
        ones = np.ones(found.row.size)
        hazard = baseline(found, rows["length_m"].to_numpy()[found.row] / 1000, ones, half_width=5)
        assert ratios(rows, hazard.at(rows["age_years"].to_numpy())) == pytest.approx([1.0] * 3, abs=0.2)

    def test_by_hand(self) -> None:
        """Two breaks in four weighted years at risk, spread over ages 10 to 12; nothing is known of the others."""
        observed = Pieces(
            np.arange(3), np.array([10.0, 11.0, 12.0]), np.array([11.0, 12.0, 13.0]), np.array([True, False, True])
        )
        hazard = baseline(observed, np.array([1.0, 2.0, 1.0]), np.ones(3), half_width=1)
        assert hazard.at(np.array([11.0])) == pytest.approx([2 / 4])
        assert hazard.at(np.array([10.0, 99.0])) == pytest.approx([1 / 3, 1 / 3])


class TestInputs:
    def test_a_category_never_seen_is_missing_and_what_never_varies_is_left_out(self, panel: pl.DataFrame) -> None:
        coding = learn_coding(
            panel.with_columns(truck=pl.lit(1.0)), ("material", "truck", "age_years", "soil_class")
        )
        assert coding.features == ("material", "age_years")
        assert coding.is_category == (True, False)
        unseen = coding.matrix(year(material="lead"))
        assert np.isnan(unseen[0, 0]) and unseen[0, 1] == 10.0

    def test_history_enters_regressions_as_logarithms_and_names_as_categories(self) -> None:
        shapes = {term.column: term.kind for term in terms()}
        assert shapes["own_breaks"] == "log1p"
        assert shapes["material"] == "category"
        assert shapes["age_years"] == "hinge"


class TestHistogramBoosting:
    MODEL = HistogramBoosting(FEATURES, QUICK)

    def test_rates_are_right_in_level_and_do_not_depend_on_the_order_of_rows(self, panel: pl.DataFrame) -> None:
        train, test = panel.filter(pl.col("as_of") < LAST), panel.filter(pl.col("as_of") == LAST)
        rate = self.MODEL.fit(train).rate(test)
        mixed = self.MODEL.fit(train.sample(fraction=1.0, shuffle=True, seed=5)).rate(test)
        np.testing.assert_array_equal(rate, mixed)
        assert np.isfinite(rate).all() and (rate >= 0).all()
        per_year = float(train["breaks"].sum()) / train["as_of"].n_unique()
        assert float((rate * km_years(test)).sum()) == pytest.approx(per_year, rel=0.45)

    def test_it_learns_a_rate_per_km_whatever_the_lengths(self) -> None:
        rows = delayed()
        fitted = HistogramBoosting(("material", "age_years"), Size(rounds=60, learning_rate=0.2, l2=0.0)).fit(rows)
        assert ratios(rows, fitted.rate(rows)) == pytest.approx([1.0] * 6, abs=0.3)

    def test_a_town_without_breaks_gets_the_mean(self) -> None:
        quiet = example_panel(pipes=60, years=3, level=0.0)
        assert np.unique(self.MODEL.fit(quiet).rate(quiet)).size == 1


class TestTable:
    @staticmethod
    def table(panel: pl.DataFrame) -> str:
        """The table of four peers without the column of seconds."""
        models = calibrated((HistogramBoosting(FEATURES, QUICK), PastBreaksPerKm(), MaterialAge(), OldestFirst()))
        text = markdown(compare(panel, models=models, years=range(2019, 2023)), city="Town", seed=1, replicates=50)
        cells = [line.split(" | ") for line in text.splitlines()]
        return "\n".join(" | ".join(line[:6] + line[7:]) for line in cells)

    def test_the_same_command_gives_the_same_table(self, panel: pl.DataFrame) -> None:
        assert self.table(panel) == self.table(panel)

    def test_it_is_one_table_with_every_model_and_the_first_one_compared_with_none(
        self, panel: pl.DataFrame
    ) -> None:
        caption, _, heads, _, *rows = self.table(panel).splitlines()
        assert "2019 to 2022" in caption
        assert heads == "| ranked by | 1 % | 5 % | 10 % | 20 % | PR-AUC | ahead at 5 % | ahead at 10 % |"
        assert [row.split(" | ")[0] for row in rows] == [
            f"| {NAMES[name]}"
            for name in ("histogram_boosting", "past_breaks_per_km", "material_age", "oldest_first")
        ]
        assert rows[0].endswith("|  |  |")
        assert all(re.search(r"[+-]\d+\.\d \([+-]\d+\.\d to [+-]\d+\.\d\) \|$", row) for row in rows[1:])

    def test_only_pipes_of_the_register_take_part(self, panel: pl.DataFrame) -> None:
        rebuilt = panel.with_columns(origin=pl.lit("rebuilt"), pipe_key=pl.lit("r") + pl.col("pipe_key"))
        models = [PastBreaksPerKm()]
        alone = compare(panel, models=models, years=[2022]).scores
        assert compare(pl.concat([panel, rebuilt]), models=models, years=[2022]).scores.equals(alone)

    def test_every_fit_is_timed(self, panel: pl.DataFrame) -> None:
        model = Timed(OldestFirst())
        model.fit(panel).fit(panel)
        assert len(model.fits) == 2 and min(model.fits) >= 0


class TestEnvironment:
    def test_the_product_needs_no_peer(self) -> None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        assert {re.split(r"[><=]", name)[0] for name in project["optional-dependencies"]["peers"]} == set(LIBRARIES)
        assert not any(name.startswith((*LIBRARIES, "pandas")) for name in project["dependencies"])

    def test_peers_are_pinned_without_a_host_and_share_the_products_versions(self) -> None:
        product, peers = (
            dict(re.findall(r"^([\w-]+)==(\S+)", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE))
            for name in ("constraints.txt", "constraints-peers.txt")
        )
        pinned = (ROOT / "constraints-peers.txt").read_text(encoding="utf-8")
        assert "://" not in pinned and "--hash=sha256:" in pinned
        assert {name for name in product.keys() & peers.keys() if product[name] != peers[name]} <= {"pandas"}
        assert set(LIBRARIES) <= peers.keys()

    def test_without_its_environment_the_command_says_what_makes_it(self) -> None:
        if importlib.util.find_spec("lifelines"):
            pytest.skip("this is the peers' environment")
        with pytest.raises(SystemExit, match="make bench-peers"):
            importlib.import_module("benchmarks.peers.__main__")


RATES = """
import json, sys
import polars as pl
from vardag.water.features import CATALOGUE
panel = pl.read_parquet(sys.argv[1])
for recipe in json.loads(sys.argv[2]):
    module, name, options = recipe
    model = getattr(__import__(f"benchmarks.peers.{module}", fromlist=[name]), name)(**options)
    shuffled = panel.sample(fraction=1.0, shuffle=True, seed=5)
    once, again = model.fit(panel).rate(panel), model.fit(shuffled).rate(panel)
    panel = panel.with_columns(pl.Series(f"{name} 1", once), pl.Series(f"{name} 2", again))
panel.write_parquet(sys.argv[1])
"""
SEEN = {"features": ["material", "age_years", "log_length"]}
RECIPES = [
    ("hazards", "Cox", SEEN | {"row_limit": 8_000}),
    ("hazards", "Weibull", SEEN | {"row_limit": 8_000}),
    ("forest", "SurvivalForest", SEEN | {"trees": 10}),
    ("boosters", "CatBoost", SEEN),
    ("boosters", "XGBoost", SEEN),
    ("regression", "GlumRegression", SEEN | {"ridge": 1e-6}),
]


@pytest.fixture(scope="module")
def in_their_environment(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], pl.DataFrame]:
    if not PEERS.exists():
        pytest.skip("the peers' environment is not there; `make bench-peers` builds it")
    file = tmp_path_factory.mktemp("peers") / "panel.parquet"
    delayed().write_parquet(file)
    subprocess.run([PEERS, "-c", RATES, file, json.dumps(RECIPES)], cwd=ROOT, check=True, capture_output=True)
    rates = pl.read_parquet(file)
    return lambda name: rates.select(
        "material", "age_years", "length_m", "true_rate", once=f"{name} 1", again=f"{name} 2"
    )


@pytest.mark.parametrize("name", [name for _, name, _ in RECIPES])
def test_the_same_rows_in_any_order_give_the_same_rates(
    in_their_environment: Callable[[str], pl.DataFrame], name: str
) -> None:
    rates = in_their_environment(name)
    assert rates["once"].is_finite().all() and (rates["once"] >= 0).all()
    np.testing.assert_array_equal(rates["once"].to_numpy(), rates["again"].to_numpy())


@pytest.mark.parametrize("name", [name for _, name, _ in RECIPES])
def test_pipes_that_came_late_under_observation_get_the_rate_of_their_age(
    in_their_environment: Callable[[str], pl.DataFrame], name: str
) -> None:
    rates = in_their_environment(name)
    limit = 0.4 if name == "SurvivalForest" else 0.25
    assert ratios(rates, rates["once"].to_numpy()) == pytest.approx([1.0] * 6, abs=limit)
