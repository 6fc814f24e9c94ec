"""The winter of a label window: by hand, null where it is not known, and never seen by a feature."""

from datetime import date, timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import builders
from vardag.water import features
from vardag.water.lof.port import POLICY
from vardag.water.panel import build_network, labels, snapshot
from vardag.water.winters import WINTER, winter_days, winter_of

END, NEXT = date(2004, 12, 31), date(2005, 12, 31)


def weather(temperature: dict[date, float | None], *, station: str | None = "A") -> pl.DataFrame:
    return pl.DataFrame(
        {
            "station": [station] * len(temperature),
            "day": list(temperature),
            "temperature_c": list(temperature.values()),
        },
        schema={"station": pl.String, "day": pl.Date, "temperature_c": pl.Float64},
    )


def days(first: date, last: date, value: float = 8.0) -> dict[date, float | None]:
    return {first + timedelta(days=number): value for number in range((last - first).days + 1)}


def figures(table: pl.DataFrame) -> dict[str, float | None]:
    return winter_of(winter_days(table, parameters=POLICY), after=END, to=NEXT)


def test_frost_and_falls_by_hand() -> None:
    """Five days of -4 in the window; what comes just before it is of another winter."""
    cold = dict.fromkeys([END - timedelta(days=1), END], -30.0) | days(date(2005, 2, 1), date(2005, 2, 5), -4.0)
    told = figures(weather(days(date(2004, 12, 1), NEXT) | cold))
    assert told["frost_degree_days"] == pytest.approx(20.0)
    # Means of three days: 4, 0, -4, -4, -4. Below freezing and 5 degrees lower than three days before are the third
    # and the fourth (8 and 4 against -4); the fifth stands against 0. The fall of December is not in the window.
    mild = figures(weather(days(date(2004, 12, 1), NEXT) | days(date(2005, 2, 1), date(2005, 2, 5), -4.0)))
    assert mild == {"frost_degree_days": pytest.approx(20.0), "temperature_falls": 2.0}


def test_a_fall_far_above_freezing_is_none() -> None:
    warm = days(date(2004, 12, 1), NEXT, 22.0) | days(date(2005, 7, 1), date(2005, 7, 9), 9.0)
    assert figures(weather(warm)) == {"frost_degree_days": 0.0, "temperature_falls": 0.0}


def test_stations_are_averaged_by_day_and_repeated_rows_count_once() -> None:
    one, other = days(date(2005, 1, 1), NEXT), days(date(2005, 1, 1), NEXT) | {date(2005, 1, 9): -20.0}
    tables = [weather(one), weather(one), weather(other, station="B")]
    assert figures(pl.concat(tables))["frost_degree_days"] == pytest.approx(6.0)
    assert figures(pl.concat(reversed(tables))) == figures(pl.concat(tables))


def test_what_is_not_known_is_null() -> None:
    nothing = dict.fromkeys(WINTER)
    assert winter_of(None, after=END, to=NEXT) == nothing
    assert winter_days(weather({END: None}), parameters=POLICY) is None
    assert winter_days(None, parameters=POLICY) is None
    year = days(date(2005, 1, 1), NEXT)
    least = POLICY.value("winter_least_days")
    assert figures(weather(dict(list(year.items())[:least])))["frost_degree_days"] == 0.0
    assert figures(weather(dict(list(year.items())[: least - 1]))) == nothing
    impossible = year | dict.fromkeys(list(year)[:20], 9999.0)
    assert figures(weather(impossible)) == nothing


def test_only_labels_know_the_winter() -> None:
    """Weather after `as_of` changes the label and no feature; what comes after the window changes nothing."""
    pipes, (log, links) = builders.lives([builders.life("a"), builders.life("b", y=40.0)]), builders.breaks([])
    past, window = days(date(2003, 1, 1), END, 1.0), days(date(2005, 1, 1), NEXT, -1.0)
    later = days(date(2006, 1, 1), builders.RECORD_END, -9.0)

    def panel(temperature: dict[date, float | None]) -> pl.DataFrame:
        network = build_network(
            lives=pipes, breaks=log, links=links, winters=winter_days(weather(temperature), parameters=POLICY),
            record_start=builders.RECORD_START, record_end=builders.RECORD_END,
        )  # fmt: skip
        assert not set(WINTER) & set(features.compute(snapshot(network, END)).columns)
        return features.panel_of(network, [END])

    known, unknown = panel(past | window), panel(past)
    assert known["frost_degree_days"].to_list() == [365.0, 365.0]
    assert unknown["frost_degree_days"].to_list() == [None, None]
    assert_frame_equal(known.drop(WINTER), unknown.drop(WINTER))
    assert_frame_equal(panel(past | window | later), known)


def test_without_weather_the_panel_has_the_columns_empty() -> None:
    network = builders.network([builders.life("a")], [])
    told = labels(network, snapshot(network, END))
    assert told.select(WINTER).schema == dict.fromkeys(WINTER, pl.Float64)
    assert told.select(WINTER).null_count().row(0) == (1, 1)
