"""One pipe in words: figures, reasons, pipes like it, and changes that are told or not."""

from typing import Any

import pytest

from vardag.water.publish.one_pipe import explained

LIKE = {
    "pipe_id": "V2",
    "street": None,
    "material": "CI",
    "diameter_mm": None,
    "install_year": 1952,
    "length_m": 40.0,
    "breaks": 2,
    "last_break": "2019-02-03",
    "years": 26.0,
    "rate": 0.7,
    "rank": 12,
}


def document(**changes: Any) -> dict[str, Any]:
    told = LIKE | {
        "pipe_id": "V1",
        "street": "<Kungsgatan>",
        "diameter_mm": 150.0,
        "as_of": "2024-12-31",
        "rank": 3,
        "pipes": 15896,
        "rate": 1.2,
        "lower": 0.4,
        "upper": 2.5,
        "typical_rate": 0.04,
        "p_break": 0.0012,
        "years_to_break": 31.0,
        "p_top_1": 0.4,
        "p_top_5": 0.999,
        "reasons": [
            {"family": "material", "value": "CI|1950s", "multiplier": 2.1},
            {"family": "neighbours", "value": "2|150|5|2019|3", "multiplier": 1.8},
        ],
        "rest": 0.97,
        "similar": [LIKE],
        "together": {"pipes": 1, "broken": 1, "breaks": 2, "km_years": 1.04, "rate": 1.92},
        "what_if": [
            {"change": "new_pipe", "state": "told", "pipes": 52, "rate": 0.12, "multiplier": 0.1, "rank": 4000},
            {"change": "relined", "state": "few", "pipes": 4, "rate": None},
            {"change": "lower_pressure", "state": "not_here", "pipes": 90, "rate": None},
        ],
    }  # fmt: skip
    return told | changes


def test_it_reads_as_a_person_would_say_it() -> None:
    told = explained(document(), "en")
    assert told["title"] == "Pipe V1 · <Kungsgatan> · grey cast iron, 150 mm, 1952, 40 m"
    assert told["facts"] == [
        "Rank 3 of 15,896, by what was known on 2024-12-31.",
        "1.20 breaks per km and year (80 % interval 0.40–2.50): 30 times the network’s typical rate, 0.040.",
        "Probability of a break within the year: < 1%.",
        "Left as it is, it has even odds of having broken within 31 years.",
        "It is in the worst 5 % of the network’s length with > 99% probability, in the worst 1 % with 40%.",
    ]
    assert told["reasons"] == [
        ("× 2.1", "grey cast iron of the 1950s"),
        ("× 1.8", "two breaks within 150 m since 2019"),
        ("× 1.0", "everything else together"),
    ]
    assert told["changes"] == [
        (
            "Replaced by a new PE pipe today",
            "× 0.10: 0.12 breaks per km and year, rank 4,000 of 15,896 (learned from 52 such pipes)",
        ),
        ("Relined today", "not told: the network has only 4 such pipes to learn from"),
        ("Pressure lowered by 10 m", "not told: it does not apply to this pipe"),
    ]


def test_it_says_where_published_rates_speak_for_the_network() -> None:
    change = {"change": "new_pipe", "state": "published", "pipes": 1, "rate": 0.024, "multiplier": 0.07, "rank": 5}
    told = explained(document(what_if=[change], pipes=6), "en")["changes"][0][1]
    assert told == (
        "× 0.07: 0.024 breaks per km and year, rank 5 of 6 (by published rates; the network has 1 such pipes)"
    )


@pytest.mark.parametrize("language", ["sv", "en"])
def test_pipes_like_it_come_with_what_they_have_done(language: str) -> None:
    told = explained(document(), language)["similar"]
    assert len(told["heads"]) == len(told["rows"][0]) == 7
    assert told["rows"][0][0] == "V2"
    assert told["rows"][0][2:5] == ["2", "2019", "26"]
    assert (
        told["together"]
        == {
            "sv": "1 av dessa 1 har brustit: 2 rörbrott på 1,0 km-år, 1,92 per km och år.",
            "en": "1 of these 1 have broken: 2 breaks in 1.0 km-years, 1.92 per km and year.",
        }[language]
    )


def test_a_pipe_alone_and_a_prediction_without_chances() -> None:
    alone = {"pipes": 0, "broken": 0, "breaks": 0, "km_years": 0.0, "rate": None}
    told = explained(document(similar=[], together=alone, p_top_1=None, p_top_5=None, years_to_break=None), "sv")
    assert told["similar"]["together"] == "Det finns ingen annan ledning att jämföra med."
    assert len(told["facts"]) == 3
