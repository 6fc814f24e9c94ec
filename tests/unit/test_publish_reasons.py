"""Reasons in words: every family in both languages, and the way from a panel's columns to them."""

from datetime import date

import polars as pl
import pytest

from vardag.water.publish import reason_values, strongest
from vardag.water.publish.context import TEXTS
from vardag.water.publish.reasons import FAMILIES, reason_columns, reason_text, told_reasons, words
from vardag.water.publish.values import REASON, VALUES

SAID = [
    ("material", "CI|1950s", "grått gjutjärn från 1950-talet", "grey cast iron of the 1950s"),
    ("material", "PVC|unknown", "PVC", "PVC"),
    ("age", "68|1957", "68 år gammal (från 1957)", "68 years old (from 1957)"),
    ("age", "|", "okänd ålder", "age unknown"),
    ("diameter", "150", "150 mm i diameter", "150 mm in diameter"),
    ("length", "1250", "1\u202f250 m lång", "1,250 m long"),
    ("own_history", "0|25|", "inget eget rörbrott på 25 år", "no break of its own in 25 years"),
    (
        "own_history",
        "1|25|0",
        "ett eget rörbrott på 25 år, senast under året",
        "one break of its own in 25 years, the last within the year",
    ),
    (
        "own_history",
        "3|25|4",
        "tre egna rörbrott på 25 år, senast för 4 år sedan",
        "three breaks of its own in 25 years, the last 4 years ago",
    ),
    (
        "neighbours",
        "0|150|5",
        "inget rörbrott inom 150 m de senaste 5 åren",
        "no break within 150 m in the last 5 years",
    ),
    (
        "neighbours",
        "2|150|5",
        "två rörbrott inom 150 m de senaste 5 åren",
        "two breaks within 150 m in the last 5 years",
    ),
    (
        "neighbours",
        "2|150|5|2019|4",
        "två rörbrott inom 150 m sedan 2019",
        "two breaks within 150 m since 2019",
    ),
    ("neighbours", "1|150|5|2019", "ett rörbrott inom 150 m sedan 2019", "one break within 150 m since 2019"),
    ("neighbours", "14|150|5|2019", "14 rörbrott inom 150 m sedan 2019", "14 breaks within 150 m since 2019"),
    (
        "neighbours",
        "0|150|5|2019|3",
        "inget rörbrott inom 150 m sedan 2019, men det finns äldre eller lite längre bort",
        "no break within 150 m since 2019, but there are some longer ago or a little further away",
    ),
    (
        "joined",
        "2|10|2013",
        "två rörbrott på anslutna ledningar sedan 2013",
        "two breaks on the pipes joined to it since 2013",
    ),
    (
        "joined",
        "1|10",
        "ett rörbrott på anslutna ledningar de senaste 10 åren",
        "one break on the pipes joined to it in the last 10 years",
    ),
    (
        "joined",
        "0|10|2013",
        "inget rörbrott på anslutna ledningar sedan 2013",
        "no break on the pipes joined to it since 2013",
    ),
    ("joined", "|10|2013", "okänt vilka ledningar som är anslutna", "not known which pipes are joined to it"),
    (
        "street",
        "0.42",
        "gatans andra ledningar: 0,42 rörbrott per km och\u00a0år",
        "other pipes in the street: 0.42 breaks per km and year",
    ),
    (
        "cohort",
        "0.31|CI|1950s",
        "andra av samma slag (grått gjutjärn från 1950-talet): 0,31 rörbrott per km och år",
        "others of its kind (grey cast iron of the 1950s): 0.31 breaks per km and year",
    ),
    ("pressure", "Norr|52", "tryckzon Norr, 52 m", "pressure zone Norr, 52 m"),
    ("pressure", "|52", "vattentryck, 52 m", "water pressure, 52 m"),
    (
        "pressure",
        "Norr|52|48|6|9|2019",
        "tryckzon Norr, 52 m; 48 m tryck uppmätt i närheten; trycket har stigit 6 m sedan före 2019; "
        "trycket svänger 9 m på ett dygn",
        "pressure zone Norr, 52 m; 48 m of pressure measured nearby; pressure has risen by 6 m since before 2019; "
        "pressure swings by 9 m in a day",
    ),
    (
        "pressure",
        "||48|-6||2019",
        "48 m tryck uppmätt i närheten; trycket har sjunkit 6 m sedan före 2019",
        "48 m of pressure measured nearby; pressure has fallen by 6 m since before 2019",
    ),
    ("pressure", "||48|0|0|2019", "48 m tryck uppmätt i närheten", "48 m of pressure measured nearby"),
    ("elevation", "12|low|0", "låg mark, 12 m över havet", "low ground, 12 m above sea level"),
    (
        "elevation",
        "61|high|3",
        "hög mark, 61 m över havet, lutar 3 m längs ledningen",
        "high ground, 61 m above sea level, sloping 3 m along the pipe",
    ),
    ("elevation", "-2||", "mark 2 m under havet", "ground 2 m below sea level"),
    ("elevation", "||", "okänd markhöjd", "height of the ground unknown"),
    (
        "traffic",
        "Genomfart|15600",
        "gatan ovanför: Genomfart, 15\u202f600 fordon per dygn",
        "road above: Genomfart, 15,600 vehicles a day",
    ),
    ("soil", "lera", "jordart: lera", "soil: lera"),
    ("lining", "12", "infodrad för 12 år sedan", "lined 12 years ago"),
    ("lining", "", "ingen daterad infodring", "no dated lining"),
    ("cleaning", "3", "rensad för 3 år sedan", "cleaned 3 years ago"),
    ("cleaning", "1", "rensad för ett år sedan", "cleaned one year ago"),
    ("cleaning", "0", "rensad för mindre än ett halvår sedan", "cleaned less than half a year ago"),
    ("cleaning", "", "ingen daterad rensning", "no dated cleaning"),
    ("function", "trunk", "matarledning", "trunk main"),
    ("position", "approximate", "ungefärligt läge", "approximate position"),
]


@pytest.mark.parametrize(("family", "value", "swedish", "english"), SAID)
def test_a_value_is_said_in_both_languages(family: str, value: str, swedish: str, english: str) -> None:
    assert words(family, value, "sv") == swedish
    assert words(family, value, "en") == english


def test_a_multiplier_has_the_decimal_sign_of_its_language() -> None:
    assert reason_text("material", "CI|1950s", 2.1, "sv") == "× 2,1: grått gjutjärn från 1950-talet"
    assert reason_text("material", "CI|1950s", 0.452, "en") == "× 0.45: grey cast iron of the 1950s"
    assert reason_text("material", "CI|1950s", 12.3, "en") == "× 12: grey cast iron of the 1950s"


@pytest.mark.parametrize("value", ["", "7", "a|b|c", "|||"])
@pytest.mark.parametrize("family", [*FAMILIES, "moon_phase"])
def test_an_unexpected_value_is_still_told(family: str, value: str) -> None:
    assert words(family, value, "sv")
    assert words(family, value, "en")


def test_an_unknown_family_is_told_by_its_own_name() -> None:
    assert words("moon_phase", "full", "sv") == "moon phase: full"


def test_every_text_is_in_both_languages() -> None:
    assert TEXTS.incomplete() == []


MEASURED = ("measured_pressure_m", "pressure_change_m", "pressure_swing_m")
PANEL = pl.DataFrame(
    {
        "material": ["CI", None],
        "era": ["1950s", "unknown"],
        "age_years": [68.4, None],
        "install_year": [1957.0, None],
        "diameter_mm": [150.0, None],
        "length_m": [12.3, 400.0],
        "lined_years": [None, 3.2],
        "cleaned_years": [2.8, None],
        "pressure_zone": ["Norr | övre", None],
        "pressure_m": [None, 51.7],
        "measured_pressure_m": [None, 48.2],
        "pressure_change_m": [None, 5.6],
        "pressure_swing_m": [None, None],
        "elevation_m": [12.4, 31.0],
        "elevation_span_m": [0.2, None],
        "function": ["main", "trunk"],
        "own_breaks": [2.0, 0.0],
        "own_observed_years": [25.0, 3.4],
        "own_years_since": [1.2, None],
        "as_of": [date(2022, 12, 31), date(2022, 12, 31)],
        "nearby_150m_5y": [2.0, 0.0],
        "nearby_300m": [2.6, 0.2],
        "joined_breaks_10y": [3.0, None],
        "street_rate": [0.4213, 0.1],
        "cohort_rate": [0.31, 0.2],
        "road_class": ["gata", None],
        "aadt": [None, 1200.0],
        "soil_class": ["lera", None],
    },
    schema_overrides={"lined_years": pl.Float64, "aadt": pl.Float64, "pressure_swing_m": pl.Float64},
)


def test_every_family_written_from_a_panel_is_read_back_into_words() -> None:
    values = reason_values(PANEL)
    assert set(values.columns) == set(VALUES)
    for family in values.columns:
        for value in values[family]:
            assert family in FAMILIES
            assert words(family, value, "sv") != words("moon_phase", value, "sv").replace("moon phase", family)
    assert words("neighbours", values["neighbours"][0], "sv") == "två rörbrott inom 150 m sedan 2018"
    assert values["joined"].to_list() == ["3|10|2013", "|10|2013"]
    assert words("pressure", values["pressure"][0], "sv") == "tryckzon Norr / övre"
    assert values["pressure"].to_list() == ["Norr / övre|", "|52|48|6||2018"]
    assert values["cleaning"].to_list() == ["3", ""]
    assert values["elevation"].to_list() == ["12|low|0", "31|high|"]
    assert words("age", values["age"][1], "en") == "age unknown"


def test_families_without_their_columns_are_left_out() -> None:
    assert reason_values(PANEL.select("material", "era", "length_m")).columns == ["material", "length"]


def test_a_city_without_measurements_is_told_as_before() -> None:
    bare = PANEL.with_columns(pl.lit(None, dtype=pl.Float64).alias(name) for name in MEASURED)
    for panel in (bare, PANEL.drop(MEASURED), PANEL.drop("as_of")):
        assert reason_values(panel)["pressure"].to_list() == ["Norr / övre|", "|52"]


def test_a_value_is_written_from_what_there_is() -> None:
    """Without the date the last five years are told by their number; the wider circle may be missing."""
    assert reason_values(PANEL.drop("nearby_300m"))["neighbours"][0] == "2|150|5|2018"
    assert reason_values(PANEL.drop("as_of"))["neighbours"][0] == "2|150|5"
    assert reason_values(PANEL.drop("as_of"))["joined"][0] == "3|10"


def test_all_reasons_can_be_kept() -> None:
    multipliers = pl.DataFrame({"base": [0.1], "age": [1.3], "soil": [0.4], "street": [2.0], "length": [1.01]})
    kept = strongest(multipliers, reason_values(PANEL[:1]), count=None)
    assert [reason["family"] for reason in kept[0]] == ["soil", "street", "age"]


def test_the_strongest_reasons_come_first_whether_they_raise_or_lower() -> None:
    multipliers = pl.DataFrame({"base": [0.1, 0.1], "age": [1.3, 1.0], "soil": [0.4, 1.02], "street": [2.0, 0.98]})
    chosen = strongest(multipliers, reason_values(PANEL), count=2)
    assert chosen.dtype == pl.List(REASON)
    assert [reason["family"] for reason in chosen[0]] == ["soil", "street"]
    assert chosen[0][1]["value"] == "0.42"
    assert chosen[1].to_list() == []


def test_rows_keep_their_own_reasons() -> None:
    reason = {"family": "soil", "value": "lera", "multiplier": 1.5}
    rows = [[], [reason], None, [reason | {"value": "sand"}, reason]]
    frame = pl.DataFrame({"reasons": pl.Series(rows, dtype=pl.List(REASON))})
    columns = reason_columns(frame, "en")
    assert columns["reason_1"].to_list() == [None, "× 1.5: soil: lera", None, "× 1.5: soil: sand"]
    assert columns["reason_2"].to_list() == [None, None, None, "× 1.5: soil: lera"]
    assert columns["reason_3"].null_count() == 4
    assert told_reasons(frame, "en")["row"].to_list() == [1, 3, 3]
