"""The report as text: complete in itself, escaped, alike in both languages, honest about what is missing."""

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import publishing
from vardag.water.publish import report
from vardag.water.publish.context import TEXTS
from vardag.water.publish.effects import point_name
from vardag.water.publish.notation import number, percent, rate

LANGUAGES = ("sv", "en")
PUBLISH = Path(report.__code__.co_filename).parent


def made(language: str = "sv", *, predictions: pl.DataFrame | None = None, **changes: Any) -> str:
    evaluation = changes.pop("evaluation", publishing.evaluation())
    changes.setdefault("plots", {"capture": "<svg></svg>"})
    frame = publishing.predictions() if predictions is None else predictions
    return report(
        predictions=frame, evaluation=evaluation, context=publishing.context(**changes), language=language
    )


def data_block(html: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="vardag-data">(.*?)</script>', html, re.S)
    assert found
    return json.loads(found[1])  # type: ignore[no-any-return]


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_fetched_from_anywhere(language: str) -> None:
    html = made(language)
    assert not re.search(r"""(?:src|href|action|poster|data)\s*=\s*["']?\s*(?:https?:|//)""", html)
    assert not re.search(r"url\(\s*['\"]?(?!#)", html)
    assert "@import" not in html
    assert not re.search(r"<(?:link|iframe|object|embed|form|base|img)\b", html)
    assert not re.search(r"\b(?:fetch|XMLHttpRequest|WebSocket|EventSource|sendBeacon|importScripts)\b", html)


def test_only_the_script_written_here_may_run() -> None:
    html = made()
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)
    script = re.search(r"<script>(.*?)</script>", html, re.S)
    assert policy
    assert script
    told = policy[1].replace("&#39;", "'")
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    assert "default-src 'none'" in told
    assert f"script-src 'sha256-{digest}';" in told
    assert "'unsafe-eval'" not in told
    assert len(re.findall(r"<script\b", html)) == 2
    assert not re.search(r"<[^>]+\son\w+=", html.split("<script", 1)[0])


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_hostile_name_is_text_and_nothing_else(language: str) -> None:
    hostile = publishing.HOSTILE
    html = made(
        language,
        city=hostile,
        few_breaks=hostile,
        data_card=[{"name": hostile, "knows": "dated", "doc": hostile, "why": hostile}],
    )
    assert hostile not in html
    assert hostile in data_block(html)["pipes"]["street"]["names"]
    assert "&lt;script&gt;" in html
    assert html.count("</script>") == 2


def test_the_data_block_has_no_character_that_could_end_it() -> None:
    html = made(predictions=publishing.predictions().with_columns(street=pl.lit("</script><!-- & \u2028")))
    block = html.split('id="vardag-data">', 1)[1].split("</script>", 1)[0]
    assert not set(block) & set("<>&\u2028\u2029")
    assert data_block(html)["pipes"]["street"]["names"] == ["</script><!-- & \u2028"]


def test_both_languages_have_the_same_parts() -> None:
    tags = [
        re.findall(r"<(h[123]|section|table|figure|th|li|td|caption|summary|nav|button)\b", made(one))
        for one in LANGUAGES
    ]
    assert tags[0] == tags[1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_key_result_stands_first_with_its_baselines(language: str) -> None:
    first = made(language).split("<nav", 1)[0]
    assert percent(0.347, language) in first
    assert percent(0.285, language) in first
    assert percent(0.118, language) in first
    assert "832" in first
    assert "2013–2022" in first


def test_every_model_and_interval_is_in_the_headline_table() -> None:
    html = made("en")
    table = html.split("<caption>Pipes of the register, one year ahead", 1)[1].split("</table>", 1)[0]
    assert len(re.findall(r"<tr", table)) == 1 + len(publishing.MODELS)
    assert "34.7<small>30.5–38.5</small>" in table
    assert "+6.2" in table


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("secrecy", ["open", "internal", "protected"])
def test_the_secrecy_marking_is_first_on_the_page_and_on_every_printed_one(language: str, secrecy: str) -> None:
    html = made(language, secrecy=secrecy)
    body = html.split("<body>", 1)[1].lstrip()
    assert body.startswith(f'<div class="marking marking-{secrecy}"')
    assert TEXTS(f"secrecy_{secrecy}", language) in body[:200]
    assert re.search(r"@media print.*\.marking \{ display: table-header-group", html, re.S)


def test_without_an_evaluation_the_report_says_so() -> None:
    html = made("en", evaluation=None)
    assert "has not been evaluated" in html
    assert 'class="big"' not in html


def test_without_breaks_in_the_test_years_nothing_is_claimed() -> None:
    empty: dict[str, Any] = {"populations": {"register": {"1": None, "3": None}}, "levels": [], "models": []}
    html = made("en", evaluation=empty)
    assert "There were no breaks in the test years" in html
    assert 'class="big"' not in html


def test_few_breaks_are_told_on_the_first_screen_and_in_the_method() -> None:
    html = made("sv", few_breaks="Bara 5 rörbrott.")
    assert "Bara 5 rörbrott." in html.split("<nav", 1)[0]
    assert "publicerade frekvenser" in html
    assert "publicerade frekvenser" not in made("sv")


def test_a_synthetic_town_is_called_so() -> None:
    assert TEXTS("synthetic", "sv") in made("sv", synthetic=True)
    assert TEXTS("synthetic", "sv") not in made("sv")


def test_the_list_has_fifty_rows_with_reasons_also_without_scripts() -> None:
    body = made("sv").split('class="ranked"', 1)[1].split("<tbody>", 1)[1].split("</tbody>", 1)[0]
    assert body.count("<tr>") == 50
    assert body.count('<ul class="reasons">') == 50
    assert "× 2,1" in body.replace("<b>", "")


def test_sources_checks_and_quarantine_are_accounted_for() -> None:
    html = made("sv")
    for told in (
        "VA-enheten",
        "CC0",
        "saknar anläggningsår",
        "Rätta registret.",
        "duplicate ids",
        "2\u202f723",
        "457 utbytta",
    ):
        assert told in html


def test_the_still_map_is_there_for_readers_without_scripts() -> None:
    html = made("sv")
    still = html.split('class="map-still"', 1)[1].split("</svg>", 1)[0]
    assert still.count("<path") == 6
    assert re.search(r'class="map-live" hidden', html)


def test_pipes_without_a_place_are_told() -> None:
    assert "2 ledningar saknar läge" in made("sv")


def test_lines_longer_than_their_pipes_are_told() -> None:
    short = publishing.predictions().with_columns(length_m=pl.lit(5.0), position=pl.lit("approximate"))
    assert "100\u00a0% ritas längs hela sitt gatuavsnitt" in made("sv", predictions=short)
    assert "gatuavsnitt, så" not in made("sv")


def test_a_network_without_any_place_can_be_published() -> None:
    nowhere = publishing.predictions().with_columns(geom=pl.lit(None, dtype=pl.Binary), position=pl.lit("none"))
    assert "120 ledningar saknar läge" in made("sv", predictions=nowhere, roads=None)


def test_given_plots_are_shown() -> None:
    html = made("sv", plots={"capture": '<?xml version="1.0"?><svg id="given"></svg>'})
    assert '<svg id="given">' in html
    assert "<?xml" not in html


def test_plots_are_drawn_from_the_evaluation_where_none_are_given() -> None:
    html = made("sv", plots={})
    assert html.count('<figure class="plot') == 3
    assert "<metadata" not in html
    assert "matplotlib.org" not in html


@pytest.mark.parametrize("language", LANGUAGES)
def test_effects_are_told_as_multipliers_with_their_intervals(language: str) -> None:
    section = made(language).split('id="effects"', 1)[1].split("</section>", 1)[0]
    assert section.count('<figure class="followed">') == 3
    assert re.search(r"1963–1990</th>.*?× 1[.,]20</td><td class=\"between\">1[.,]08–1[.,]32", section)
    assert section.count('class="difference sure"') == 7
    assert {"sv": "Knappt någon egen effekt: Tung trafik.", "en": "Hardly any effect of its own: Heavy trucks."}[
        language
    ] in section
    assert {"sv": '<th scope="row">okänt</th>', "en": '<th scope="row">unknown</th>'}[language] in section
    assert publishing.HOSTILE not in section


def test_stability_is_told_with_the_proof_and_nothing_is_claimed_without_refits() -> None:
    proof = made("en").split('id="proof"', 1)[1].split("</section>", 1)[0]
    assert '<th scope="row">Top 5%</th><td>88%</td><td>78–93%</td><td>58%</td>' in proof
    without = made("en", effects=None, stability=None)
    assert "luck change" not in without
    assert "have not been measured on these data" in without


def test_the_chance_of_the_top_is_in_the_data_of_the_map() -> None:
    frame = publishing.predictions()
    pipes = data_block(made(predictions=frame))["pipes"]
    assert pipes["fifth"] == [round(100 * chance) for chance in frame["p_top_5"]]
    unknown = frame.with_columns(p_top_1=pl.lit(None, dtype=pl.Float64), p_top_5=pl.lit(None, dtype=pl.Float64))
    assert set(data_block(made(predictions=unknown))["pipes"]["first"]) == {None}


def test_a_step_below_nought_has_words_and_not_a_dash_between_its_ends() -> None:
    fall = {"low": -6.21, "high": -2.0, "name": None, "missing": False}
    assert point_name("pressure_change_m", fall, "en") == "-6.2 to -2"
    assert point_name("pressure_change_m", fall, "sv") == "-6,2 till -2"
    assert point_name("pressure_change_m", fall | {"low": 2.0, "high": 6.0}, "en") == "2–6"


def test_every_text_is_used() -> None:
    used = "".join(
        path.read_text(encoding="utf-8")
        for path in sorted(PUBLISH.rglob("*.*"))
        if path.suffix in {".py", ".j2", ".js"}
    )
    computed = (
        "class_",
        "column_",
        "explain_",
        "feature_",
        "file_",
        "for_",
        "function_",
        "horizon_",
        "knows_",
        "layer_",
        "material_",
        "method_",
        "not_",
    )
    computed += ("missing_", "population_", "position_", "secrecy_", "severity_", "stability_", "survivorship_")
    plain = [key for key in TEXTS.entries if not key.startswith(computed)]
    names = {key: key.removeprefix("js_") for key in plain}
    assert [key for key in plain if f'"{names[key]}"' not in used and f"texts.{names[key]}" not in used] == []


def test_numbers_are_written_as_the_language_does() -> None:
    assert number(1234.5, "sv", 1) == "1\u202f234,5"
    assert percent(0.0525, "sv") == "5,2\u00a0%"
    assert percent(None, "en") == "–"
    assert [rate(value, "en") for value in (12.34, 0.456, 0.0123, None)] == ["12.3", "0.46", "0.012", "–"]


def test_the_report_leads_to_the_model_card_where_there_is_one() -> None:
    assert '<a href="model-card.html">model-card.html</a>' in made()
    assert "model-card" not in made(fit={})
