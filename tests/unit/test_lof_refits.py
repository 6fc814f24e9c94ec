"""Fitting again: pipes are drawn whole, and a stable list is told from one that chance made."""

import numpy as np
import polars as pl
import pytest

from vardag.water.lof.baselines import MaterialAge
from vardag.water.lof.calibrate import Calibrated
from vardag.water.lof.example import example_panel
from vardag.water.lof.port import usable
from vardag.water.lof.refits import refits, resample, spread, stability


def test_pipes_are_drawn_with_all_their_years() -> None:
    panel = example_panel(pipes=60, years=5)
    drawn = resample(panel, seed=4)
    assert drawn.height == panel.height
    assert drawn["pipe_key"].n_unique() == 60
    assert set(drawn.group_by("pipe_key").len()["len"]) == {5}
    first = drawn.with_columns(pl.col("pipe_key").str.split("#").list.first())
    assert first.join(panel, on=["pipe_key", "as_of"], how="left")["breaks_right"].equals(first["breaks"])
    assert 25 <= first["pipe_key"].n_unique() <= 45  # 63 % of the pipes are drawn at least once
    assert usable(drawn).select("as_of", "pipe_key").is_duplicated().sum() == 0


def test_the_draw_hangs_on_its_seed_alone() -> None:
    panel = example_panel(pipes=30, years=3)
    assert resample(panel, seed=4).equals(resample(panel, seed=4))
    assert not resample(panel, seed=4).equals(resample(panel, seed=5))
    assert resample(panel.clear(), seed=1).is_empty()


def test_refits_have_seeds_and_pipes_of_their_own() -> None:
    seen: list[int] = []

    def make(seed: int) -> Calibrated:
        seen.append(seed)
        return Calibrated(MaterialAge())

    models = list(refits(example_panel(pipes=60, years=5), make=make, count=3, seed=1))
    assert len(set(seen)) == 3
    assert len({model.record.observed for model in models if isinstance(model, Calibrated)}) == 3


def test_what_stays_by_hand() -> None:
    """Ten pipes: the top tenth is one pipe, kept by one refit of two; the top half keeps four of five, or all."""
    year = pl.DataFrame({"length_m": [100.0] * 10})
    rate = np.arange(10.0)[::-1]
    other = rate.copy()
    other[[0, 4, 5]] = 5.5, 3.0, 8.5
    tenth, half = stability(year, rate, [rate, other], levels=(0.1, 0.5))
    assert (tenth["mean"], tenth["low"], tenth["high"], tenth["always"]) == pytest.approx((0.5, 0.0, 1.0, 0.0))
    assert (half["mean"], half["low"], half["high"], half["always"]) == pytest.approx((0.9, 0.8, 1.0, 0.8))


def test_the_spread_of_two_by_hand() -> None:
    """Standard deviation of 0 and 2 is 1.414; Student's t of one degree of freedom at 95 % is 6.314."""
    assert spread(np.array([[0.0], [2.0]]), level=0.9) == pytest.approx([1.41421 * 6.31375], rel=1e-4)
    assert np.isnan(spread(np.zeros((1, 3)))).all()
