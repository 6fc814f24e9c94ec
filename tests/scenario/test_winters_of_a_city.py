"""Weather beside the breaks, from the files on: it moves the level alone, and the future moves nothing."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from stored import stored
from vardag.demo import town
from vardag.water.commands.load import load
from vardag.water.commands.predict import Predicted, predict

AS_OF = date(2019, 12, 31)
SOURCE = """
[sources.weather]
table = "weather"
path = "weather.csv"
[sources.weather.columns]
station = "station"
day = "day"
temperature_c = "temperature"
"""


def write_weather(folder: Path, *, mild_from: int, after: float = 0.0) -> None:
    """Winters of chance until a year, then mild ones; and after `AS_OF` so many degrees warmer."""
    generator = np.random.default_rng(1)
    first, last = date(1999, 1, 1), date(2024, 12, 31)
    severity = dict(zip(range(1999, 2025), generator.normal(0.0, 3.0, 26), strict=True))
    lines = ["station,day,temperature"]
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        cold = 5.0 if day.year >= mild_from else severity[day.year]
        season = 7.0 - 11.0 * np.cos(2.0 * np.pi * (day.timetuple().tm_yday - 20) / 365.25)
        later = after if day > AS_OF else 0.0
        lines.append(f"A,{day},{season + cold + generator.normal(0.0, 3.0) + later:.1f}")
    (folder / "weather.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def ranking(folder: Path) -> pl.DataFrame:
    with stored(folder) as connection:
        return connection.execute("SELECT * EXCLUDE (run_id) FROM prediction ORDER BY rank").pl()


def predicted(folder: Path) -> tuple[Predicted, pl.DataFrame]:
    load(folder)
    found = predict(folder, as_of=AS_OF)
    return found, ranking(folder)


@pytest.fixture(scope="module")
def city(shared: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("town")
    town(folder=folder, seed=7, km=10, breaks=200)
    return folder


def test_weather_moves_the_level_alone_and_the_future_moves_nothing(city: Path) -> None:
    without, bare = predicted(city)
    with (city / "city.toml").open("a", encoding="utf-8") as file:
        file.write(SOURCE)
    write_weather(city, mild_from=2015)
    told, ranked = predicted(city)
    assert "winters" not in without.calibration
    winters = told.calibration["winters"]
    assert winters["label_years"][-1] == AS_OF.year and len(winters["label_years"]) >= 8
    assert ranked["pipe_key"].equals(bare["pipe_key"])
    factor = told.calibration["factor"] / without.calibration["factor"]
    assert factor != 1.0 and told.expected_breaks == pytest.approx(factor * without.expected_breaks)
    write_weather(city, mild_from=2015, after=-25.0)
    later, same = predicted(city)
    assert_frame_equal(same, ranked)
    assert later.calibration == told.calibration
    card = (city / "out" / "model-card.md").read_text(encoding="utf-8")
    assert "köldmängd" in card
