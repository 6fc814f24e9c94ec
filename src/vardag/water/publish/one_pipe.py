"""One pipe in words: why it stands where it does, what pipes like it have done, and what would change it."""

from collections.abc import Mapping
from typing import Any

from vardag.water.publish.context import TEXTS
from vardag.water.publish.notation import NONE, number, percent, rate
from vardag.water.publish.reasons import material_name, multiplier_text, words

Table = dict[str, Any]
HEADS = ("pipe", "what", "breaks", "last", "years", "rate", "place")
NARROW = 0.005


def explained(document: Mapping[str, Any], language: str) -> Table:
    """Put what `vardag water explain` found into words.

    Returns
    -------
    ``title`` and ``facts`` (lines of text), ``reasons`` (multiplier and words; the strongest three first, then the
    others, then what is left), ``similar`` (heads, rows and what they amount to) and ``changes`` (name, figure).
    """
    return {
        "title": _title(document, language),
        "facts": _facts(document, language),
        "reasons": _reasons(document, language),
        "similar": {
            "heads": [TEXTS(f"explain_{head}", language) for head in HEADS],
            "rows": [_similar(row, language) for row in document["similar"]],
            "together": _together(document["together"], language),
        },
        "changes": [_change(row, document["pipes"], language) for row in document["what_if"]],
    }


def _title(document: Mapping[str, Any], language: str) -> str:
    parts = [
        TEXTS("explain_title", language, id=document["pipe_id"]),
        document["street"],
        _what(document, language),
    ]
    return " · ".join(part for part in parts if part)


def _what(row: Mapping[str, Any], language: str) -> str:
    diameter = "" if row["diameter_mm"] is None else f"{round(row['diameter_mm'])} mm"
    year = "" if row["install_year"] is None else str(row["install_year"])
    parts = (material_name(row["material"], language), diameter, year, f"{number(row['length_m'], language)} m")
    return ", ".join(part for part in parts if part)


def _facts(document: Mapping[str, Any], language: str) -> list[str]:
    times = multiplier_text(document["rate"] / document["typical_rate"], language)
    told = {key: rate(document[key], language) for key in ("rate", "lower", "upper")}
    lines = [
        TEXTS(
            "explain_rank",
            language,
            rank=number(document["rank"], language),
            total=number(document["pipes"], language),
            as_of=document["as_of"],
        ),
        TEXTS("explain_level", language, times=times, typical=rate(document["typical_rate"], language), **told),
        TEXTS("explain_break", language, chance=_chance(document["p_break"], language)),
    ]
    if document["years_to_break"] is not None:
        lines.append(TEXTS("explain_odds", language, years=number(document["years_to_break"], language)))
    if document["p_top_5"] is not None:
        chances = {key: _chance(document[f"p_top_{top}"], language) for key, top in (("first", 1), ("fifth", 5))}
        lines.append(TEXTS("explain_top", language, **chances))
    return lines


def _chance(value: float, language: str) -> str:
    """A chance in whole per cent; never told as nought or certain."""
    if value < NARROW:
        return f"< {percent(0.01, language, 0)}"
    return f"> {percent(0.99, language, 0)}" if value > 1 - NARROW else percent(value, language, 0)


def _reasons(document: Mapping[str, Any], language: str) -> list[tuple[str, str]]:
    told = [
        (reason["multiplier"], words(reason["family"], reason["value"], language)) for reason in document["reasons"]
    ]
    told.append((document["rest"], TEXTS("explain_rest", language)))
    return [(f"× {multiplier_text(value, language)}", text) for value, text in told]


def _similar(row: Mapping[str, Any], language: str) -> list[str]:
    return [
        " · ".join(part for part in (row["pipe_id"], row["street"]) if part),
        _what(row, language),
        number(row["breaks"], language),
        (row["last_break"] or NONE)[:4],
        number(row["years"], language),
        rate(row["rate"], language),
        number(row["rank"], language),
    ]


def _together(found: Mapping[str, Any], language: str) -> str:
    if not found["pipes"]:
        return TEXTS("explain_no_similar", language)
    return TEXTS(
        "explain_together",
        language,
        pipes=number(found["pipes"], language),
        broken=number(found["broken"], language),
        breaks=number(found["breaks"], language),
        km_years=number(found["km_years"], language, 1),
        rate=rate(found["rate"], language),
    )


def _change(row: Mapping[str, Any], pipes: int, language: str) -> tuple[str, str]:
    name = TEXTS(f"explain_change_{row['change']}", language)
    if row["rate"] is None:
        return name, TEXTS(f"explain_state_{row['state']}", language, pipes=number(row["pipes"], language))
    after = TEXTS(
        "explain_after",
        language,
        times=multiplier_text(row["multiplier"], language),
        rate=rate(row["rate"], language),
        rank=number(row["rank"], language),
        total=number(pipes, language),
    )
    return name, after + TEXTS(f"explain_by_{row['state']}", language, pipes=number(row["pipes"], language))
