"""The model card: figures from the run, both languages alike, hostile names as text, no claim without a test."""

import re
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl
import pytest

import publishing
from vardag.water.lof.boosting import Boosted, Settings
from vardag.water.lof.example import example_panel
from vardag.water.publish.card import card_html, card_markdown, filled, settings_of, thin
from vardag.water.publish.card.content import TEXTS

LANGUAGES = ("sv", "en")


def made(language: str, *, evaluation: Any = ..., page: bool = False, **changes: Any) -> str:
    tested = publishing.evaluation() if evaluation is ... else evaluation
    write = card_html if page else card_markdown
    return write(publishing.context(**changes), tested, language)


def section(text: str, title: str) -> str:
    return text.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def test_both_languages_have_the_same_parts() -> None:
    shapes = [re.findall(r"^(#+|-|\|)", made(language), re.MULTILINE) for language in LANGUAGES]
    assert shapes[0] == shapes[1]
    tags = [re.findall(r"<(h[123]|section|table|li|td|th)\b", made(one, page=True)) for one in LANGUAGES]
    assert tags[0] == tags[1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_that_a_run_fills_in_is_filled_in(language: str) -> None:
    assert not re.search(r"\{[a-z_]+\}", made(language))
    assert TEXTS.incomplete() == []


def test_it_says_whom_it_could_harm_with_the_figures_of_the_run() -> None:
    told = section(made("en"), "Whom it could harm")
    assert "- **Those who live where few breaks are reported.** The model learns" in told
    assert "76% of the length" in told and "30% of the expected breaks" in told
    assert "21.5 expected breaks" in told
    assert "18% of the breaks in the log could not be tied" in told
    assert "It is marked protected" in told and "consider whether it should be" in made("en", secrecy="open")


def test_the_tests_are_those_of_the_evaluation_with_intervals() -> None:
    told = section(made("en"), "Tests")
    assert "| Vardag (blend of three models) | 3.1 (2.7–3.4) | 10.4 (9.2–11.5) | 34.7 (30.5–38.5) |" in told
    assert "| grey cast iron | 594.0 | 582 | 1.02 |" in told
    assert "| Top 5% | 88% | 78–93% | 58% |" in told
    assert "Three years" not in told


def test_without_an_evaluation_nothing_is_claimed() -> None:
    told = made("en", evaluation=None, stability=None)
    assert "there is no evaluation of them" in told
    assert "Not tested against what happened" in told
    assert "stability has not been measured" in told


def test_what_is_prior_and_what_is_data_stands_apart() -> None:
    told = section(made("en"), "What is prior, and what is data")
    assert "2174 breaks are enough." in told
    assert "2020–2024: breaks 90" in told and "factor 0.90" in told
    assert "Published break rates were not used" in told
    assert "dispersion\\_prior | median 1.0, log\\_sd 0.5" in told
    few = publishing.fit() | {"choice": "few_some", "notes": {"en": "Only 5 breaks."}}
    told = made("en", fit=few, few_breaks="Only 5 breaks.")
    assert "Only 5 breaks." in told and "were not used" not in told


def test_what_winters_did_is_told_where_it_is_known() -> None:
    assert "Winters:" not in made("en")
    frost = {"usual": 450.0, "spread": 150.0, "effect": 0.2, "error": 0.05}
    falls = {"usual": 10.0, "spread": 3.0, "effect": 0.0, "error": 0.06}
    effects = {"frost_degree_days": frost, "temperature_falls": falls}
    winters = {"label_years": [2010, 2011], "factors": [1.1, 0.9], "effects": effects, "latest": 0.91}
    fit = publishing.fit()
    fit["calibration"] = fit["calibration"] | {"winters": winters}
    told = section(made("en", fit=fit), "What is prior, and what is data")
    assert "600 degree-days of frost instead of the usual 450, × 1.22 (1.12–1.33)" in told
    assert "13 days of sudden falls in temperature instead of 10, × 1.00 (0.91–1.10)" in told
    assert "gave × 0.91 the breaks of an average winter" in told
    assert "köldmängd 600 graddagar" in made("sv", fit=fit)


def test_sources_settings_features_and_hashes_are_the_runs() -> None:
    told = made("sv")
    assert "| ledningar | VA-enheten | CC0 | Skyddad | 2025-01-15 | 123 | 120 | 3 |" in told
    assert "| settings.rounds | 240 |" in told and "| settings.seeds | 1, 2, 3 |" in told
    assert "| ålder | age\\_years (98 %) | daterad |" in told
    assert f"| Hash av indata: ledningar | {'ab' * 32} |" in told


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_hostile_name_is_text_and_nothing_else(language: str) -> None:
    hostile = publishing.HOSTILE
    page = made(language, page=True, city=hostile)
    assert hostile not in page and "&lt;script&gt;" in page
    assert page.count("<script") == 0
    told = made(language, city=hostile)
    assert hostile not in told
    assert "| Norr \\| övre |" in told


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_fetches_nothing_and_leads_to_the_report(language: str) -> None:
    page = made(language, page=True)
    assert "default-src 'none'" in page.replace("&#39;", "'")
    assert set(re.findall(r'href="([^#"][^"]*)"', page)) == {{"sv": "rapport.html", "en": "report.html"}[language]}
    assert not re.search(r"\bsrc=|url\(|@import", page)


def test_settings_are_told_and_what_was_learned_is_not() -> None:
    recipe = Boosted(("material", "age_years"), Settings(rounds=5, seeds=(4,), smallest_leaf_rows=20))
    told = settings_of(recipe, recipe.fit(example_panel(pipes=60, years=4)))
    assert told["settings.rounds"] == 5 and told["settings.seeds"] == [4]
    assert told["features"] == ["material", "age_years"]
    assert "mean" not in told and "boosters" not in told


@dataclass(frozen=True)
class Deep:
    """A model made of models, with a table that it has learned."""

    inside: Settings = field(default_factory=Settings)
    members: tuple[Settings, ...] = (Settings(seeds=(1,)), Settings(seeds=(2,)))
    weight: float = 0.4
    table: pl.DataFrame = field(default_factory=pl.DataFrame)
    name: str = "deep"


def test_settings_of_a_model_within_a_model_have_its_name() -> None:
    told = settings_of(Deep(), replace(Deep(), weight=0.5))
    assert told["inside.rounds"] == 300
    assert told["members.1.seeds"] == [1] and told["members.2.seeds"] == [2]
    assert "weight" not in told and "table" not in told and "name" not in told


def test_where_the_log_is_thin_by_hand() -> None:
    today = pl.DataFrame(
        {
            "street_block": ["a", "a", "b", "c"],
            "own_breaks": [0.0, 2.0, 0.0, 0.0],
            "own_observed_years": [10.0, 10.0, 20.0, 4.0],
            "length_m": [1000.0, 1000.0, 2000.0, 500.0],
            "material": ["CI", "UNKNOWN", None, "PE"],
            "install_year": [1950.0, None, 1960.0, 2010.0],
            "pressure_zone": ["high", "high", "low", None],
        }
    )
    found = thin(today, pl.Series([0.1, 0.3, 0.05, 0.2]))
    assert found["quiet"] == {"km": pytest.approx(2.5 / 4.5), "expected": pytest.approx(0.2 / 0.6)}
    assert found["unknown"] == {"material": pytest.approx(3 / 4.5), "install_year": pytest.approx(1 / 4.5)}
    assert found["observed_years"] == 10.0
    assert [(zone["pressure_zone"], zone["breaks"]) for zone in found["zones"]] == [("low", 0.0), ("high", 2.0)]
    assert found["zones"][1]["recorded"] == pytest.approx(2 / 20)
    assert found["zones"][1]["predicted"] == pytest.approx(0.2)


def test_how_full_the_columns_are() -> None:
    today = pl.DataFrame({"soil": ["clay", None], "age": [1.0, 2.0]})
    assert filled(today, {"soil": "soil", "age": "age", "gone": "gone"}) == {"soil": 0.5, "age": 1.0}
