"""The quality report: fill counts what is there, and leaving doubtful rows out touches nothing predicted."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime

import polars as pl
import pytest

import quality_document
from registers import PARAMETERS, breaks, event, pipe, pipes, quarantine
from vardag.water.checks import CheckData
from vardag.water.features import panel_of
from vardag.water.life import lives
from vardag.water.linking import link
from vardag.water.lof.bayes import EmpiricalBayes
from vardag.water.panel import Network, build_network, year_ends
from vardag.water.publish.quality.doubtful import Doubt, doubts
from vardag.water.publish.quality.effect import forget, measure, validation_years, verdict
from vardag.water.publish.quality.fill import source_fill
from vardag.water.publish.quality.page import TEXTS, quality_page

START, END = date(2000, 1, 1), date(2012, 12, 31)
HISTORY = {"source": pl.String, "loaded_at": pl.Datetime(time_zone="UTC"), "field": pl.String, "rows": pl.Int64,
           "filled": pl.Int64}  # fmt: skip


def town() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Forty pipes, every fourth of which breaks every year; pipe p3 is of 0 mm and has every break twice."""
    register = [pipe(f"p{n}", 50.0 * n, diameter_mm=0.0 if n == 3 else 150.0) for n in range(40)]
    log = [
        event(f"{year}-{n}-{turn}", date(year, 3, 1 + n % 20), f"p{n}", geom=None)
        for year in range(2000, 2013)
        for n in range(3, 40, 4)
        for turn in range(2 if n == 3 else 1)
    ]
    return pipes(*register), breaks(*log)


def network_of(register: pl.DataFrame, log: pl.DataFrame) -> tuple[Network, pl.DataFrame]:
    links = link(register, log, parameters=PARAMETERS)
    table = lives(register, log, links, record_start=START, parameters=PARAMETERS)
    return build_network(lives=table, breaks=log, links=links, record_start=START, record_end=END), links


def data(register: pl.DataFrame, log: pl.DataFrame) -> CheckData:
    return CheckData(pipes=register, breaks=log, quarantine=quarantine(), parameters=PARAMETERS, record_end=END)


def test_fill_counts_cells_by_period_and_by_delivery() -> None:
    frame = pipes(
        pipe("a", install_year=1951), pipe("b", install_year=1959, material=None), pipe("c", install_year=None)
    )
    january, february = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    loads = pl.DataFrame(
        [
            ("mains", february, "material", 3, 2),
            ("mains", january, "material", 4, 1),
            ("other", january, "material", 9, 9),
        ],
        schema=HISTORY,
        orient="row",
    )
    told = source_fill(frame, source="mains", table="pipe", deliveries=loads)
    material = next(field for field in told["fields"] if field["field"] == "material")
    assert (told["rows"], told["period"], material["filled"]) == (3, "decade", 2)
    assert material["by_period"] == [
        {"period": 1950, "rows": 2, "filled": 1},
        {"period": None, "rows": 1, "filled": 1},
    ]
    assert [(row["loaded_at"], row["filled"]) for row in material["by_delivery"]] == [
        ("2026-01-01 00:00", 1),
        ("2026-02-01 00:00", 2),
    ]
    assert "lining" in told["empty"] and "source" not in told["empty"]


def test_fill_of_an_empty_source_and_of_a_table_without_time() -> None:
    loads = pl.DataFrame(schema=HISTORY)
    assert source_fill(pipes(), source="mains", table="pipe", deliveries=loads)["fields"] == []
    told = source_fill(pl.DataFrame({"road_id": ["r"]}), source="roads", table="road", deliveries=loads)
    assert told["period"] is None and told["fields"][0]["by_period"] == []


def test_doubtful_rows_come_from_their_checks_and_only_used_breaks_count() -> None:
    register, log = town()
    links = link(register, log, parameters=PARAMETERS)
    used = frozenset(log["break_id"]) - {"2000-3-1"}
    groups, clean = doubts(data(register, log), links, used=used, least_confidence=0.8)
    assert [group.name for group in groups] == ["impossible_diameter", "repeated_breaks", "all_doubtful"]
    assert groups[0].pipes == {"p3"}
    assert groups[1].breaks == {f"{year}-3-1" for year in range(2001, 2013)}
    assert groups[2] == Doubt("all_doubtful", groups[0].pipes, groups[1].breaks)
    assert "doubtful_links" in clean
    unsure, _ = doubts(data(register, log), links, used=used, least_confidence=1.1)
    assert next(group for group in unsure if group.name == "doubtful_links").breaks == used


def test_forgetting_breaks_is_the_same_as_never_having_had_them() -> None:
    register, log = town()
    gone = frozenset(f"{year}-3-1" for year in range(2000, 2013))
    kept = log.filter(~pl.col("break_id").is_in(list(gone)))
    days = year_ends(2002, 2011)
    forgotten = panel_of(forget(network_of(register, log)[0], gone), days)
    assert forgotten.equals(panel_of(network_of(register, kept)[0], days))


def test_what_is_predicted_is_the_same_with_and_without() -> None:
    register, log = town()
    network, _ = network_of(register, log)
    panel = panel_of(network, year_ends(2001, 2010))
    twice = frozenset(f"{year}-3-1" for year in range(2000, 2013))
    groups = (Doubt("impossible_diameter", pipes=frozenset({"p3"})), Doubt("repeated_breaks", breaks=twice))
    models = (EmpiricalBayes(),)
    told = measure(network, panel, groups, models=models, again=models, years=range(2010, 2012), seed=1)
    rows = told["models"]["empirical_bayes"]
    assert [row["group"] for row in rows] == ["with", "another_seed", "impossible_diameter", "repeated_breaks"]
    assert told["breaks"] == 22 and all(row["observed"] == 22 for row in rows)
    assert rows[1]["difference"] == [0.0] * 4 and rows[0]["capture"] == rows[1]["capture"]
    assert rows[3]["predicted"] < rows[0]["predicted"]
    for row in rows:
        for place in range(4):
            assert row["low"][place] <= row["difference"][place] <= row["high"][place]
            assert row["difference"][place] == pytest.approx(row["capture"][place] - rows[0]["capture"][place])


@pytest.mark.parametrize(
    ("labelled", "expected"),
    [
        (range(1999, 2023), range(2009, 2013)),  # the last four before the ten test years
        (range(2008, 2023), range(2013, 2017)),  # none before them can be predicted: the first that can
        (range(2018, 2021), range(2020, 2021)),  # too short for that too: the last
    ],
)
def test_test_years_are_not_looked_at_where_others_remain(labelled: range, expected: range) -> None:
    assert validation_years(list(labelled), tested=10, training=5, wanted=4) == expected


def test_a_verdict_needs_an_interval_on_one_side_of_zero() -> None:
    rows = {"nothing": (-0.1, 0.0), "harm": (0.01, 0.1), "help": (-0.2, -0.01)}
    assert {verdict({"low": [low], "high": [high]}, 0): name for name, (low, high) in rows.items()} == {
        name: name for name in rows
    }
    assert verdict({"low": [None], "high": [None]}, 0) == "nothing"


@pytest.mark.parametrize("language", ["sv", "en"])
def test_the_page_tells_everything_and_is_complete_in_itself(language: str) -> None:
    page = quality_page(quality_document.document(), language=language)
    assert f'<html lang="{language}">' in page
    assert quality_document.HOSTILE not in page and "&lt;script&gt;" in page
    assert "<script" not in page and not re.search(r"(src|href)=\"(?!#)", page)
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page
    assert page.count('<svg class="difference sure"') == 2 and page.count('<svg class="difference nothing"') == 2
    assert {"sv": "utan datum", "en": "no date"}[language] in page
    assert {"sv": "68,2\u00a0%", "en": "68.2%"}[language] in page
    assert {"sv": "+18,2", "en": "+18.2"}[language] in page
    assert {"sv": "raderna hjälper", "en": "the rows help"}[language] in page


def test_the_page_stands_without_effect_and_says_why() -> None:
    off = quality_page(quality_document.document(effect=None), language="en")
    assert "--no-effect" in off and "difference" not in off.split("</style>")[1]
    short = quality_document.effect() | {"measured": None}
    assert "Cannot be measured" in quality_page(quality_document.document(effect=short), language="en")


def test_texts_are_in_both_languages() -> None:
    assert TEXTS.incomplete() == []
    assert replace(Doubt("x"), pipes=frozenset({"a"})).kind == "pipe"
