"""What winters did to the number of breaks, and the level that counts on an average one."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from vardag.water.lof.baselines import MaterialAge
from vardag.water.lof.calibrate import Calibrated, Record
from vardag.water.lof.example import example_panel
from vardag.water.lof.port import POLICY, Floats, counts, km_years
from vardag.water.lof.winter_effect import Winters, enough, winter_effect, winters_of
from vardag.water.winters import WINTER

USUAL, SPREAD = 450.0, 150.0
MILD = 5  # latest years, all of them mild
TOWNS = range(12)


def winters(frost: Floats, generator: np.random.Generator, last: int = 2021) -> pl.DataFrame:
    """Figures of the winters before the end of ``last`` + 1; the falls mean nothing."""
    days = [date(last - frost.size + 1 + number, 12, 31) for number in range(frost.size)]
    falls = generator.poisson(10.0, frost.size).astype(float)
    return pl.DataFrame({"as_of": days, "frost_degree_days": frost, "temperature_falls": falls})


def with_winters(panel: pl.DataFrame, *, effect: float, seed: int, mild: int = 0) -> tuple[pl.DataFrame, float]:
    """Draw the breaks anew, each year's factor exp(effect x standardised frost); and its mean over the winters."""
    generator = np.random.default_rng(seed)
    z = generator.normal(0.0, 1.0, panel["as_of"].n_unique())
    z[z.size - mild :] = -np.abs(generator.normal(1.2, 0.3, mild))
    years = winters(np.maximum(USUAL + SPREAD * z, 0.0), generator)
    told = panel.drop(WINTER, strict=False).join(years, on="as_of", maintain_order="left")
    factor = np.exp(effect * (told["frost_degree_days"].to_numpy() - USUAL) / SPREAD)
    breaks = generator.poisson(told["true_rate"].to_numpy() * km_years(told) * factor).astype(np.int32)
    average = float(np.exp(effect * (years["frost_degree_days"].to_numpy() - USUAL) / SPREAD).mean())
    return told.with_columns(breaks=pl.Series(breaks)), average


@pytest.fixture(scope="module")
def panel() -> pl.DataFrame:
    """A town of about 100 breaks a year, so that 15 years have something to say."""
    return example_panel(pipes=1000, years=15, level=5.0)


def level(record: Record, town: pl.DataFrame) -> float:
    """Factor against what is true of the model inside, which is the same in all years."""
    rows = town.filter(pl.col("as_of") == town["as_of"].max())
    inside = MaterialAge().fit(town).rate(rows) * km_years(rows)
    return record.factor * float(inside.sum()) / float((rows["true_rate"].to_numpy() * km_years(rows)).sum())


def test_a_known_effect_is_found_again(panel: pl.DataFrame) -> None:
    """Over some towns: never further off than three standard errors, and near on average."""
    found = []
    for seed in TOWNS:
        town, _ = with_winters(panel, effect=0.25, seed=seed)
        told = Calibrated(MaterialAge()).fit(town).record.winters
        assert told is not None and told.label_years == tuple(range(2008, 2023))
        one, other = (told.effects[name] for name in WINTER)
        true = 0.25 * one.spread / SPREAD
        found.append(one.effect / true)
        assert abs(one.effect - true) < 3.0 * one.error and abs(other.effect) < 3.0 * other.error
        assert np.mean(told.factors) == pytest.approx(1.0)
    assert 0.7 < np.mean(found) < 1.05  # the prior draws it towards nought


def test_after_mild_winters_the_level_is_nearer_the_true_one(panel: pl.DataFrame) -> None:
    off: dict[str, list[float]] = {"with": [], "without": []}
    for seed in TOWNS:
        town, average = with_winters(panel, effect=0.25, seed=seed, mild=MILD)
        for name, rows in {"with": town, "without": town.drop(WINTER)}.items():
            record = Calibrated(MaterialAge()).fit(rows).record
            off[name].append(np.log(level(record, rows) / average))
        told = Calibrated(MaterialAge()).fit(town).record.winters
        assert told is not None and told.latest < 0.95
    assert np.mean(off["without"]) < -0.15
    assert abs(np.mean(off["with"])) < 0.3 * abs(np.mean(off["without"]))


def test_where_winters_do_nothing_the_level_hardly_moves(panel: pl.DataFrame) -> None:
    moved = []
    for seed in TOWNS:
        town, _ = with_winters(panel, effect=0.0, seed=seed, mild=MILD)
        factors = [Calibrated(MaterialAge()).fit(rows).record.factor for rows in (town, town.drop(WINTER))]
        moved.append(np.log(factors[0] / factors[1]))
    assert np.sqrt(np.mean(np.square(moved))) < 0.07 and abs(np.mean(moved)) < 0.04


@pytest.mark.parametrize("by_material", [False, True])
def test_the_ranking_is_the_same_with_and_without_winters(panel: pl.DataFrame, *, by_material: bool) -> None:
    town, _ = with_winters(panel, effect=0.25, seed=1, mild=MILD)
    year = town.filter(pl.col("as_of") == town["as_of"].max())
    models = [Calibrated(MaterialAge(), by_material=by_material).fit(rows) for rows in (town, town.drop(WINTER))]
    ratio = models[0].rate(year) / models[1].rate(year)
    assert ratio == pytest.approx(ratio[0], rel=1e-12) and ratio[0] > 1.05
    assert models[0].record.materials == models[1].record.materials


def test_without_winters_the_result_is_what_it_was_to_the_last_bit(panel: pl.DataFrame) -> None:
    """The factor as it was before winters were heard of; empty columns and too few winters are as none."""
    town, _ = with_winters(panel, effect=0.25, seed=2)
    bare = town.drop(WINTER)
    empty = bare.with_columns(pl.lit(None, dtype=pl.Float64).alias(name) for name in WINTER)
    latest_known = pl.col("as_of") > date(2021 - POLICY.value("winter_least_years") + 1, 12, 31)
    few = town.with_columns(pl.when(latest_known).then(name).alias(name) for name in WINTER)
    records = [Calibrated(MaterialAge(), by_material=True).fit(rows).record for rows in (bare, empty, few)]
    recent = bare.sort("as_of", "pipe_key").filter(pl.col("as_of") > date(2016, 12, 31))
    expected = MaterialAge().fit(bare).rate(recent) * km_years(recent)
    assert records[0].factor == (float(counts(recent).sum()) + 1.0) / (float(expected.sum()) + 1.0)
    assert records[0] == records[1] == records[2]
    assert "winters" not in records[0].document()


def test_a_year_whose_winter_is_not_known_counts_as_it_was(panel: pl.DataFrame) -> None:
    town, _ = with_winters(panel, effect=0.25, seed=3)
    gap = town.with_columns(
        pl.when(pl.col("as_of") != date(2021, 12, 31)).then(name).alias(name) for name in WINTER
    )
    told = Calibrated(MaterialAge()).fit(gap).record.winters
    assert told is not None and 2022 not in told.label_years
    assert told.of(pl.Series([date(2021, 12, 31), date(2020, 12, 31)])).tolist() == [1.0, told.factors[-1]]


def test_winters_all_alike_say_nothing(panel: pl.DataFrame) -> None:
    warm = panel.with_columns(pl.lit(0.0).alias(name) for name in WINTER)
    assert not enough(winters_of(warm))
    frost_only = with_winters(panel, effect=0.25, seed=4)[0].with_columns(temperature_falls=pl.lit(3.0))
    told = Calibrated(MaterialAge()).fit(frost_only).record.winters
    assert told is not None and list(told.effects) == ["frost_degree_days"]


def test_a_trend_is_not_taken_for_winters() -> None:
    """Breaks fall by 4 % a year and winters grow milder, with much noise of their own: the effect stays small."""
    effects = []
    for seed in range(40):
        generator = np.random.default_rng(seed)
        years = np.arange(20)
        frost = np.maximum(USUAL - 12.0 * years + generator.normal(0, SPREAD, 20), 0.0)
        seen = generator.poisson(100.0 * np.exp(-0.04 * (years - 9.5))).astype(float)
        table = winters(frost, generator).with_columns(observed=pl.Series(seen), predicted=pl.lit(100.0))
        effects.append(winter_effect(table).effects["frost_degree_days"].effect)
    assert abs(np.mean(effects)) < 0.04


def test_the_record_is_told_as_plain_values() -> None:
    record = Record((2021,), 1.0, 1.0, 1.0, winters=Winters((2021,), (1.0,), {}, 0.9))
    assert record.document()["winters"]["latest"] == 0.9
