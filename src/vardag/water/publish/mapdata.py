"""What the report's map is fed with: the ranking in columns of small whole numbers, highest rate first."""

import json
from typing import Any

import numpy as np
import polars as pl
from markupsafe import Markup

from vardag.water.publish.classes import CLASSES, ROAD_COLOUR, rank_class
from vardag.water.publish.context import TEXTS
from vardag.water.publish.lines import encode, frame_of, inside, lines_of
from vardag.water.publish.reasons import COUNT, material_name, told_reasons

RATE_UNIT = 1e4
ROAD_TOLERANCE_M = 3.0


def map_data(ranked: pl.DataFrame, *, language: str, roads: pl.DataFrame | None) -> dict[str, Any]:
    """Make the data of the map and of the search.

    Parameters
    ----------
    ranked
        Predictions sorted by rank, so that row ``i`` has rank ``i + 1``.
    language
        Language of names and reasons.
    roads
        Roads as context, or None.
    """
    lines = lines_of(ranked["geom"])
    frame = frame_of(lines)
    streets = None if roads is None else inside(lines_of(roads["geom"], tolerance_m=ROAD_TOLERANCE_M), frame)
    return {
        "frame": [frame.west, frame.south, frame.east, frame.north, frame.step],
        "lines": encode(lines, frame),
        "roads": None if streets is None else encode(streets, frame),
        "classes": [{"colour": one.colour, "width": one.width_mm} for one in CLASSES],
        "class_labels": [TEXTS(f"class_{one.number}", language) for one in CLASSES],
        "road_colour": ROAD_COLOUR,
        "pipes": pipe_columns(ranked, language),
        "texts": script_texts(language),
        "language": language,
    }


def pipe_columns(ranked: pl.DataFrame, language: str) -> dict[str, Any]:
    """Columns of the pipes; names are told once and referred to by number, rates are in 1/10,000, chances in %."""
    material = ranked["material"].fill_null("UNKNOWN")
    named = pl.DataFrame({"m": [material_name(code, language) for code in material]}).to_series()
    rates = {
        key: (ranked[name] * RATE_UNIT).round(0).fill_nan(None).cast(pl.Int64).to_list()
        for key, name in (("rate", "expected_breaks_per_km_year"), ("low", "lower"), ("high", "upper"))
    }
    chances = {
        key: (ranked[name] * 100).round(0).cast(pl.Int64).to_list()
        for key, name in (("first", "p_top_1"), ("fifth", "p_top_5"))
    }
    positions = [TEXTS(f"position_{value}", language) for value in ranked["position"].fill_null("none")]
    return {
        "id": ranked["pipe_id"].to_list(),
        "class_ends": _class_ends(ranked),
        "street": _numbered(ranked["street"].fill_null("")),
        "material": _numbered(named),
        "position": _numbered(pl.Series(positions, dtype=pl.String)),
        "diameter": ranked["diameter_mm"].round(0).cast(pl.Int64).to_list(),
        "year": ranked["install_year"].cast(pl.Int64).to_list(),
        "length": ranked["length_m"].round(0).cast(pl.Int64).to_list(),
        "reasons": _reasons(ranked, language),
        **rates,
        **chances,
    }


def script_texts(language: str) -> dict[str, str]:
    """Texts that the scripts show, by key without the prefix."""
    return {
        key.removeprefix("js_"): entry[language] for key, entry in TEXTS.entries.items() if key.startswith("js_")
    }


def as_json(data: Any) -> Markup:
    """JSON that may stand in a script element: no ``<``, ``>``, ``&`` or line separator is left in it."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def _class_ends(ranked: pl.DataFrame) -> list[int]:
    """Number of pipes down to and including each class."""
    counts = np.bincount(rank_class(ranked).to_numpy(), minlength=len(CLASSES) + 1)[1:]
    return np.cumsum(counts).tolist()  # type: ignore[no-any-return]


def _numbered(names: pl.Series) -> dict[str, Any]:
    """Distinct names and, for each row, the number of its name."""
    distinct = names.unique(maintain_order=True)
    places = pl.DataFrame({"name": distinct, "place": np.arange(distinct.len())})
    numbers = names.to_frame("name").join(places, on="name", how="left", maintain_order="left")["place"]
    return {"names": distinct.to_list(), "at": numbers.to_list()}


def _reasons(ranked: pl.DataFrame, language: str) -> dict[str, Any]:
    """Distinct words, and per pipe three pairs of word number and multiplier in hundredths (-1, 0 for none)."""
    told = told_reasons(ranked, language)
    words = _numbered(told["words"])
    at = np.full((ranked.height, COUNT, 2), (-1, 0), dtype=np.int64)
    rows, places = told["row"].to_numpy(), told["place"].to_numpy() - 1
    at[rows, places, 0] = words["at"]
    at[rows, places, 1] = np.rint(told["multiplier"].to_numpy() * 100)
    return {"names": words["names"], "at": at.ravel().tolist()}
