"""The hierarchical count model: it finds again what a made-up town was made of, and says what is prior."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from vardag.water.lof import frailty as own
from vardag.water.lof import hierarchical
from vardag.water.lof.example import RATE_PER_KM, example_panel
from vardag.water.lof.frailty import Frailty, Past, cumulative
from vardag.water.lof.hierarchical import Hierarchical
from vardag.water.lof.port import km_years
from vardag.water.lof.published import prior_rate, published_rates

AS_OF = date(2015, 12, 31)


def weibull_town(pipes: int, *, slope: float, shape: float, seed: int) -> pl.DataFrame:
    """Ten years of a town in which the rate goes with age to a power and pipes differ by a gamma of one shape."""
    generator = np.random.default_rng(seed)
    material = generator.choice(["CI", "PVC"], pipes)
    age = generator.uniform(5, 80, pipes)
    km = np.exp(generator.normal(-2.5, 0.5, pipes))
    true = np.where(material == "CI", 0.5, 0.1) * generator.gamma(shape, 1 / shape, pipes)
    own_breaks, years = np.zeros(pipes), []
    for year in range(11):
        now = age + year
        breaks = generator.poisson(true * km * ((now + 0.5) / 40) ** slope)
        years.append(
            pl.DataFrame(
                {
                    "pipe_key": [f"p{number:06d}" for number in range(pipes)],
                    "as_of": date(2005 + year, 12, 31),
                    "material": material,
                    "age_years": now,
                    "install_year": 2005.0 - age,
                    "length_m": 1000 * km,
                    "exposure_years": 1.0,
                    "breaks": breaks,
                    "own_breaks": own_breaks.copy(),
                    "own_observed_years": float(year),
                    "true_rate": true * ((now + 0.5) / 40) ** slope,
                }
            )
        )
        own_breaks += breaks
    return pl.concat(years)


@pytest.fixture(scope="module")
def town() -> pl.DataFrame:
    return weibull_town(4000, slope=0.8, shape=1.5, seed=3)


@pytest.fixture(scope="module")
def fitted(town: pl.DataFrame) -> Hierarchical:
    return Hierarchical().fit(town.filter(pl.col("as_of") < AS_OF))


@pytest.fixture(scope="module")
def now(town: pl.DataFrame) -> pl.DataFrame:
    return town.filter(pl.col("as_of") == AS_OF)


def test_age_and_frailty_are_found_again(fitted: Hierarchical, now: pl.DataFrame) -> None:
    """An old pipe's looks over a young one's give the exponent; the shape of a typical pipe is near 1.5."""
    young, old = (
        now.head(1).with_columns(age_years=pl.lit(age), own_observed_years=pl.lit(0.0)) for age in (9.5, 79.5)
    )
    young, old = (rows.with_columns(own_breaks=pl.lit(0.0)) for rows in (young, old))
    without = Hierarchical(encoding=fitted.encoding, effects=fitted.effects, frailty=Frailty(1e6, 0.0, 0.0))
    slope = np.log(without.rate(old)[0] / without.rate(young)[0]) / np.log(80 / 10)
    assert slope == pytest.approx(0.8, abs=0.25)
    assert fitted.frailty.shape(np.array([0.08]))[0] == pytest.approx(1.5, rel=0.35)


def test_rates_are_near_the_true_ones(fitted: Hierarchical, now: pl.DataFrame) -> None:
    rate, true, size = fitted.rate(now), now["true_rate"].to_numpy(), km_years(now)
    for material in ("CI", "PVC"):
        rows = (now["material"] == material).to_numpy()
        assert (rate * size)[rows].sum() == pytest.approx((true * size)[rows].sum(), rel=0.1)
    assert np.corrcoef(rate, true)[0, 1] > 0.7


def test_with_no_break_it_stays_near_the_published_rates() -> None:
    quiet = example_panel(pipes=300, years=4, level=0.0)
    model = Hierarchical().fit(quiet)
    ratio = model.rate(quiet) / prior_rate(quiet)
    assert (ratio < 1.0).all()
    assert (
        model.rate(quiet)[(quiet["material"] == "CI").to_numpy()].mean()
        > 3 * published_rates()["PVC"] * ratio.min()
    )


def test_few_breaks_move_it_a_little_and_many_all_the_way() -> None:
    """Asbestos cement breaks at 2.3 times its published rate; a large town shows it, a small one only in part."""
    gap = {}
    for pipes in (60, 6000):
        town = example_panel(pipes=pipes, years=10, seed=4)
        model = Hierarchical().fit(town)
        rows = (town["material"] == "AC").to_numpy()
        found = float(np.average(model.rate(town)[rows], weights=km_years(town)[rows]))
        gap[pipes] = abs(np.log(found / RATE_PER_KM["AC"]))
    assert gap[6000] < 0.2
    assert gap[60] > gap[6000]


def test_what_is_data_grows_with_the_town() -> None:
    shares = []
    for pipes in (60, 600, 6000):
        town = example_panel(pipes=pipes, years=10, seed=5)
        looks, record = Hierarchical().fit(town).data_share(town)
        assert ((looks >= -1e-9) & (looks <= 1) & (record >= 0) & (record <= 1)).all()
        shares.append(float(np.median(looks)))
    assert shares == sorted(shares)
    assert shares[2] > 0.9
    assert shares[0] < 0.8


def test_one_year_ahead_is_the_rate_and_years_add_up(fitted: Hierarchical, now: pl.DataFrame) -> None:
    one, ten = fitted.expected(now, years=1), fitted.expected(now, years=10)
    np.testing.assert_allclose(one, fitted.rate(now) * now["length_m"].to_numpy() / 1000)
    assert (fitted.expected(now, years=0.5) < one).all()
    assert ten.sum() > 10 * one.sum()  # they grow older


def test_ten_years_ahead_come_true(town: pl.DataFrame) -> None:
    """Fitted on what had ended after four years, it expects the seven to come within a tenth."""
    first = date(2009, 12, 31)
    model = Hierarchical().fit(town.filter(pl.col("as_of") < first))
    start = town.filter(pl.col("as_of") == first)
    expected = model.expected(start, years=7)
    ahead = town.filter(pl.col("as_of") >= first)
    assert expected.sum() == pytest.approx(float(ahead["breaks"].sum()), rel=0.1)
    broken = ahead.group_by("pipe_key").agg(pl.col("breaks").sum() > 0).sort("pipe_key")["breaks"].to_numpy()
    alive = model.survival(start, years=[7])[:, 0]
    for part in np.array_split(np.argsort(alive), 4):
        assert broken[part].mean() == pytest.approx(1 - alive[part].mean(), abs=0.05)


def test_survival_falls_and_gives_the_years_to_a_break(fitted: Hierarchical, now: pl.DataFrame) -> None:
    alive = fitted.survival(now, years=[0, 1, 5, 30])
    np.testing.assert_allclose(alive[:, 0], 1.0)
    assert (np.diff(alive, axis=1) < 0).all()
    years = fitted.years_to_break(now, probability=0.5)
    soon = np.isfinite(years)
    assert (fitted.survival(now.filter(pl.Series(soon)), years=[200])[:, 0] <= 0.5).all()
    assert years[np.argmax(fitted.rate(now) * km_years(now))] < np.median(years)
    assert (fitted.years_to_break(now, probability=0.1) <= years).all()
    first = int(years.min())
    soonest = now.filter(pl.Series(years == first))
    assert (fitted.survival(soonest, years=[first - 1, first]) > 0.5).tolist() == [[True, False]] * soonest.height


def test_years_to_a_break_follow_the_rate_that_another_model_has(fitted: Hierarchical, now: pl.DataFrame) -> None:
    own = fitted.rate(now)
    np.testing.assert_array_equal(fitted.years_to_break(now, rate=own), fitted.years_to_break(now))
    assert (fitted.years_to_break(now, rate=3 * own) <= fitted.years_to_break(now)).all()
    assert np.median(fitted.years_to_break(now, rate=3 * own)) < 0.6 * np.median(fitted.years_to_break(now))


def test_multipliers_times_the_base_are_the_rate(fitted: Hierarchical, now: pl.DataFrame) -> None:
    families = {"age_years": "age", "install_year": "age", "log_length": "length", "own_breaks": "own_history"}
    told = fitted.explain(now, [4, 0, 9], families=families)
    assert told.columns == ["base", "material", "age", "length", "own_history"]
    assert told.to_numpy().prod(axis=1) == pytest.approx(fitted.rate(now)[[4, 0, 9]])


def test_a_sample_of_the_empty_years_changes_little(
    town: pl.DataFrame, fitted: Hierarchical, now: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hierarchical, "enough", lambda _: 5000)
    light = Hierarchical(seed=1).fit(town.filter(pl.col("as_of") < AS_OF)).rate(now)
    assert np.corrcoef(np.log(light), np.log(fitted.rate(now)))[0, 1] > 0.97
    assert light.sum() == pytest.approx(fitted.rate(now).sum(), rel=0.1)


def test_the_mean_frailty_of_pipes_that_survived_is_as_simulated() -> None:
    """Pipes of shape 2, breaks before the record that end one in five of them, then two kinds of record."""
    generator = np.random.default_rng(0)
    frailty = Frailty(phi=2.0, gamma=0.0, q=0.2)
    z = generator.gamma(2.0, 0.5, 400_000)
    alive = generator.random(z.size) < 0.8 ** generator.poisson(3.0 * z)
    seen = generator.poisson(1.5 * z)
    for breaks in (0, 2):
        there = alive & (seen == breaks)
        past = Past(*(np.array([value]) for value in (0.07, float(breaks), 1.5, 3.0)))
        assert past.multiplier(frailty)[0] == pytest.approx(z[there].mean(), rel=0.02)


def test_the_frailty_is_found_again_from_records() -> None:
    generator = np.random.default_rng(1)
    pipes = 60_000
    km = np.exp(generator.normal(np.log(0.07), 0.6, pipes))
    shape = 1.2 * km / 0.07
    z = generator.gamma(shape, 1 / shape)
    expected, looks = np.full(pipes, 0.8), np.full(pipes, 0.3)
    past = Past(km, generator.poisson(z * expected).astype(float), expected, np.zeros(pipes))
    found = own.most_likely(past, generator.poisson(z * looks).astype(float), looks, np.ones(pipes))
    assert found.phi == pytest.approx(1.2, rel=0.15)
    assert found.gamma == pytest.approx(1.0, abs=0.2)


def test_years_at_todays_rate_by_hand() -> None:
    """Without ageing years are years; with the first power it is (age^2 - since^2) / 2 over age + 1/2."""
    age = np.array([30.0])
    assert cumulative(age, np.zeros(1), since=10.0)[0] == pytest.approx(20.0)
    assert cumulative(age, np.ones(1), since=10.0)[0] == pytest.approx((900 - 100) / 2 / 30.5)
    assert own.ahead(age, np.ones(1), years=1)[0] == 1.0
    assert own.ahead(age, np.ones(1), years=2.5)[0] == pytest.approx(1 + 31.5 / 30.5 + 0.5 * 32.5 / 30.5)


def test_not_fitted_says_so(now: pl.DataFrame) -> None:
    with pytest.raises(ValueError, match="not fitted"):
        Hierarchical().rate(now)
