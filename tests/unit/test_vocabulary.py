"""Spellings in Swedish and English, and what is never guessed."""

import pytest
import yaml

from vardag.water.city.vocabulary import FALLBACKS, WORDS, builtin, fold, missing_words
from vardag.water.schema import PIPE


@pytest.mark.parametrize(
    ("kind", "text", "meaning"),
    [
        ("material", "GJJ", "CI"), ("material", "Gråjärn", "CI"), ("material", "cast iron", "CI"),
        ("material", "SEG", "DI"), ("material", "Segjärn K9", "DI"), ("material", "GJS", "DI"),
        ("material", "PEH", "PE"), ("material", "PE100 SDR11", "PE"), ("material", "MDPE", "PE"),
        ("material", "pvc-u", "PVC"), ("material", "PVCO", "PVC"), ("material", "BTG", "CON"),
        ("material", "Eternit", "AC"), ("material", "Stål", "ST"), ("material", "GAP", "GRP"),
        ("material", "Koppar", "CU"), ("material", "bly", "PB"), ("material", "Okänt", "UNKNOWN"),
        ("material", "HDPE IN CI", None), ("material", "unobtainium", None),
        ("status", "I drift", "in_service"), ("status", "ACTIVE", "in_service"), ("status", "Slopad", "retired"),
        ("status", "ABANDONED", "retired"), ("status", "Planerad", "planned"), ("status", "xyz", None),
        ("event", "Rörbrott", "break"), ("event", "vattenläcka", "leak"), ("event", "Servisläcka", "service"),
        ("event", "brandpost", "other"), ("function", "Huvudledning", "main"), ("function", "servis", "service"),
        ("boolean", "Ja", "true"), ("boolean", "N", "false"),
    ],
)  # fmt: skip
def test_a_spelling_has_its_meaning(kind: str, text: str, meaning: str | None) -> None:
    assert builtin(kind).meaning(text) == meaning


def test_a_citys_own_words_win() -> None:
    own = builtin("material").extended({"CPP": "PVC", "-": "AC"})
    assert own.meaning("cpp") == "PVC"
    assert own.meaning("-") == "AC"
    assert own.meaning("GJJ") == "CI"


def test_no_spelling_stands_under_two_meanings() -> None:
    words = yaml.safe_load(WORDS.read_text(encoding="utf-8"))
    for kind in FALLBACKS:
        spellings = [(fold(text), meaning) for meaning, listed in words[kind].items() for text in listed]
        meanings: dict[str, set[str]] = {}
        for spelling, meaning in spellings:
            meanings.setdefault(spelling, set()).add(meaning)
        assert {s: m for s, m in meanings.items() if len(m) > 1} == {}
        assert all(isinstance(text, str) for listed in words[kind].values() for text in listed)


def test_materials_are_those_that_the_schema_names() -> None:
    assert all(value in PIPE.column("material").doc for value in builtin("material").values)
    assert all(value in PIPE.column("status").doc for value in builtin("status").values)


def test_words_for_nothing_are_in_lower_case() -> None:
    assert all(word == word.lower() for word in missing_words())


@pytest.mark.parametrize(
    ("kind", "text", "meaning"),
    [
        ("building_kind", "Samhällsfunktion;Sjukhus", "hospital"), ("building_kind", "Äldreboende", "care"),
        ("building_kind", "nursing_home", "care"), ("building_kind", "Förskola", "preschool"),
        ("building_kind", "kindergarten", "preschool"), ("building_kind", "Grundskola", "school"),
        ("building_kind", "Samhällsfunktion;Badhus", "other"), ("building_kind", "kiosk", None),
        ("rail_kind", "Järnväg", "rail"), ("rail_kind", "light_rail", "tram"), ("rail_kind", "Tunnelbana", "metro"),
        ("rail_kind", "1862", "rail"), ("report_status", "Åtgärdad", "closed"), ("report_status", "Ny", "open"),
        ("boolean", "Normalt stängd", "false"), ("boolean", "Elektrifierad", "true"),
    ],
)  # fmt: skip
def test_words_of_what_lies_around_the_network(kind: str, text: str, meaning: str | None) -> None:
    assert builtin(kind).meaning(text) == meaning
