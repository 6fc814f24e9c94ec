"""Words for the reasons of a pipe: multipliers of the network's typical rate, family by family.

A reason is a family of features, a machine-readable value and a multiplier. `vardag.water.publish.values` writes
the values from a panel; this module reads them. Fields are separated by ``|``, numbers have a decimal point, an
empty field means unknown. A family that is not in the table is told by its own name and value.

| family | value | example | in English |
|---|---|---|---|
| ``material`` | material code, decade | ``CI|1950s`` | grey cast iron of the 1950s |
| ``age`` (or ``era``) | age in years, installation year | ``68|1957`` | 68 years old (1957) |
| ``diameter`` | mm | ``150`` | 150 mm in diameter |
| ``length`` | m | ``12`` | 12 m long |
| ``own_history`` | own breaks, years observed, years since the last | ``2|25|1`` | two breaks of its own ... |
| ``neighbours`` | breaks of others, within m, in the last years | ``2|150|5|2019|3`` | two breaks within ... |
| ``joined`` | breaks of joined pipes, in the last years, since | ``2|10|2014`` | two breaks on the pipes ... |
| ``street`` | breaks per km and year of the rest of the street | ``0.42`` | the rest of its street: 0.42 ... |
| ``cohort`` | the same of its cohort, material code, decade | ``0.31|CI|1950s`` | like pipes (...): 0.31 ... |
| ``pressure`` (or ``zone``) | zone, metres of water | ``North|52`` | pressure zone North, 52 m |
| ``elevation`` | metres above the sea, low or high third, slope | ``12|low|3`` | low ground, 12 m above ... |
| ``traffic`` | road class, vehicles a day | ``Arterial|15600`` | road: Arterial, 15,600 vehicles a day |
| ``soil`` | soil class | ``clay`` | soil: clay |
| ``lining`` | years since lining, empty where none is dated | ``12`` | lined 12 years ago |
| ``cleaning`` | years since the last cleaning, empty where none is dated | ``3`` | cleaned 3 years ago |
| ``function`` | main, trunk or service | ``trunk`` | trunk main |
| ``position`` | surveyed, approximate or none | ``approximate`` | approximate position |

``neighbours`` has two more where they are known: the first year of those years, and how many breaks there are if
older ones and those up to 300 m away are counted too, each for less. ``pressure`` has four more where it has been
measured nearby: the recent mean, how it differs from the years before, the swing in a day, and the first of the
recent years: ``North|52|48|6|9|2019``.
"""

from collections.abc import Callable
from functools import lru_cache

import polars as pl

from vardag.water.publish.context import TEXTS
from vardag.water.publish.notation import number

COUNT = 3

Fields = list[str]
Say = Callable[[Fields, str], str]


def reason_text(family: str, value: str, multiplier: float, language: str) -> str:
    """Tell one reason with its multiplier.

    >>> reason_text("neighbours", "2|150|5", 1.8, "sv")
    '× 1,8: två rörbrott inom 150 m de senaste 5 åren'
    """
    return f"× {multiplier_text(multiplier, language)}: {words(family, value, language)}"


def multiplier_text(multiplier: float, language: str) -> str:
    """Write a multiplier with two significant digits where it matters: 0.45, 2.1, 12."""
    digits = 0 if multiplier >= 9.95 else 1 if multiplier >= 0.95 else 2
    return number(multiplier, language, digits)


@lru_cache(maxsize=65536)
def words(family: str, value: str, language: str) -> str:
    """Say a family's value in words; a family that is not known is told by its own name."""
    say = FAMILIES.get(family)
    fields = [field.strip() for field in (value or "").split("|")]
    try:
        return say(fields, language) if say else _unknown(family, value, language)
    except (ValueError, IndexError):
        return _unknown(family, value, language)


def reason_columns(predictions: pl.DataFrame, language: str) -> pl.DataFrame:
    """Write the reasons of every pipe as columns.

    Returns
    -------
    ``reason_1`` to ``reason_3`` (String, null where there are fewer), rows as in `predictions`.
    """
    told = told_reasons(predictions, language)
    text = pl.concat_str(pl.lit("× "), pl.col("multiplier_text"), pl.lit(": "), pl.col("words"))
    wide = told.with_columns(text=text, place=pl.format("reason_{}", pl.col("place"))).select(
        "row", "place", "text"
    )
    names = [f"reason_{place}" for place in range(1, COUNT + 1)]
    rows = pl.DataFrame({"row": pl.arange(predictions.height, eager=True, dtype=pl.UInt32)})
    for name in names:
        part = wide.filter(pl.col("place") == name).select("row", pl.col("text").alias(name))
        rows = rows.join(part, on="row", how="left", maintain_order="left")
    return rows.select(names)


def told_reasons(predictions: pl.DataFrame, language: str) -> pl.DataFrame:
    """List every reason in words: ``row``, ``place`` (1 = strongest), ``multiplier``, its text, and ``words``."""
    # Each distinct value is put into words once: a network of 100,000 pipes has some thousands of them.
    long = (
        predictions.select(pl.col("reasons").list.head(COUNT).alias("reason"))
        .with_row_index("row")
        .explode("reason", keep_nulls=False, empty_as_null=False)
        .unnest("reason")
        .with_columns(place=pl.int_range(1, pl.len() + 1).over("row"), multiplier=pl.col("multiplier").round(2))
    )
    pairs = long.select("family", "value").unique(maintain_order=True)
    said = [words(family, value, language) for family, value in pairs.iter_rows()]
    ratios = long.select("multiplier").unique(maintain_order=True)
    texts = [multiplier_text(ratio, language) for ratio in ratios["multiplier"]]
    return (
        long.join(
            pairs.with_columns(words=pl.Series(said, dtype=pl.String)), on=["family", "value"], nulls_equal=True
        )
        .join(ratios.with_columns(multiplier_text=pl.Series(texts, dtype=pl.String)), on="multiplier")
        .sort("row", "place")
    )


def material_name(code: str | None, language: str) -> str:
    """Name of a material code; the code itself where it is not known."""
    key = f"material_{code or 'UNKNOWN'}"
    return TEXTS(key, language) if TEXTS.has(key) else str(code)


def era_name(era: str, language: str) -> str:
    """Name of a decade such as ``1950s``; empty where unknown."""
    return TEXTS("era", language, decade=era[:4]) if era[:4].isdigit() else ""


def _unknown(family: str, value: str, language: str) -> str:
    return TEXTS("reason_other", language, family=family.replace("_", " "), value=value or "–").rstrip(": –")


def _count(text: str) -> int:
    return round(float(text))


def counted(count: int, language: str) -> str:
    """Write a count as a person would: in letters up to twelve.

    >>> counted(2, "sv"), counted(14, "sv")
    ('två', '14')
    """
    letters = TEXTS("small_numbers", language).split()
    return letters[count] if 0 <= count < len(letters) else number(count, language)


def _material(fields: Fields, language: str) -> str:
    name, era = material_name(fields[0], language), era_name(fields[1] if len(fields) > 1 else "", language)
    return TEXTS("reason_material", language, material=name, era=era) if era else name


def _age(fields: Fields, language: str) -> str:
    year = fields[1] if len(fields) > 1 else ""
    if not fields[0]:
        return TEXTS("reason_age_unknown", language)
    key = "reason_age" if year else "reason_age_only"
    return TEXTS(key, language, years=_count(fields[0]), year=year)


def _diameter(fields: Fields, language: str) -> str:
    if not fields[0]:
        return TEXTS("reason_diameter_unknown", language)
    return TEXTS("reason_diameter", language, mm=_count(fields[0]))


def _length(fields: Fields, language: str) -> str:
    return TEXTS("reason_length", language, m=number(float(fields[0]), language, 0))


def _own_history(fields: Fields, language: str) -> str:
    breaks, observed, since = _count(fields[0]), _count(fields[1] or "0"), fields[2] if len(fields) > 2 else ""
    if not breaks:
        return TEXTS("reason_own_none", language, years=observed)
    key = "reason_own_one" if breaks == 1 else "reason_own"
    told = TEXTS(key, language, breaks=counted(breaks, language), years=observed)
    if not since:
        return told
    ago = _count(since)
    key = "reason_own_this_year" if ago == 0 else "reason_own_last_one" if ago == 1 else "reason_own_last"
    return told + TEXTS(key, language, years=ago)


def _neighbours(fields: Fields, language: str) -> str:
    breaks, since = _count(fields[0]), fields[3] if len(fields) > 3 else ""
    around = _count(fields[4] or "0") if len(fields) > 4 else 0
    key = "reason_neighbours_since" if since else "reason_neighbours_years"
    when = TEXTS(key, language, year=since, years=_count(fields[2]))
    key = "reason_neighbours_none" if not breaks else "reason_neighbours"
    key = "reason_neighbours_one" if breaks == 1 else key
    told = TEXTS(key, language, breaks=counted(breaks, language), m=_count(fields[1]), when=when)
    return told + (TEXTS("reason_neighbours_around", language) if around and not breaks else "")


def _joined(fields: Fields, language: str) -> str:
    if not fields[0]:
        return TEXTS("reason_joined_unknown", language)
    breaks, since = _count(fields[0]), fields[2] if len(fields) > 2 else ""
    key = "reason_neighbours_since" if since else "reason_neighbours_years"
    when = TEXTS(key, language, year=since, years=_count(fields[1]))
    key = {0: "reason_joined_none", 1: "reason_joined_one"}.get(breaks, "reason_joined")
    return TEXTS(key, language, breaks=counted(breaks, language), when=when)


def _street(fields: Fields, language: str) -> str:
    return TEXTS("reason_street", language, rate=number(float(fields[0]), language, 2))


def _cohort(fields: Fields, language: str) -> str:
    rate = number(float(fields[0]), language, 2)
    return TEXTS("reason_cohort", language, rate=rate, cohort=_material(fields[1:], language))


def _pressure(fields: Fields, language: str) -> str:
    zone, metres = fields[0], fields[1] if len(fields) > 1 else ""
    told = TEXTS("reason_zone", language, zone=zone) if zone else TEXTS("reason_pressure", language)
    parts = [f"{told}, {_count(metres)} m" if metres else told] if zone or metres else []
    parts += _measured(fields[2:], language) if len(fields) > 5 else []
    return "; ".join(parts) or TEXTS("reason_zone_unknown", language)


def _measured(fields: Fields, language: str) -> list[str]:
    mean, change, swing = (_count(field) if field else None for field in fields[:3])
    told = [] if mean is None else [TEXTS("reason_measured", language, m=mean)]
    if change:
        key = "reason_pressure_risen" if change > 0 else "reason_pressure_fallen"
        told.append(TEXTS(key, language, m=abs(change), year=fields[3]))
    return told + ([TEXTS("reason_pressure_swing", language, m=swing)] if swing else [])


def _elevation(fields: Fields, language: str) -> str:
    if not fields[0]:
        return TEXTS("reason_ground_unknown", language)
    metres, slope = _count(fields[0]), _count(fields[2] or "0") if len(fields) > 2 else 0
    lies = {"low": "reason_ground_low", "high": "reason_ground_high"}.get(fields[1] if len(fields) > 1 else "")
    height = TEXTS("reason_above_sea" if metres >= 0 else "reason_below_sea", language, m=abs(metres))
    told = TEXTS(lies or "reason_ground_plain", language, height=height)
    return told + (TEXTS("reason_slope", language, m=slope) if slope else "")


def _traffic(fields: Fields, language: str) -> str:
    road, aadt = fields[0], fields[1] if len(fields) > 1 else ""
    parts = [road] if road else []
    if aadt:
        parts.append(TEXTS("reason_aadt", language, vehicles=number(float(aadt), language, 0)))
    return (
        TEXTS("reason_traffic", language, what=", ".join(parts))
        if parts
        else TEXTS("reason_traffic_none", language)
    )


def _soil(fields: Fields, language: str) -> str:
    return TEXTS("reason_soil", language, soil=fields[0]) if fields[0] else TEXTS("reason_soil_unknown", language)


def _lining(fields: Fields, language: str) -> str:
    key = "reason_lined" if fields[0] else "reason_unlined"
    return TEXTS(key, language, years=_count(fields[0] or "0"))


def _cleaning(fields: Fields, language: str) -> str:
    if not fields[0]:
        return TEXTS("reason_uncleaned", language)
    ago = _count(fields[0])
    key = {0: "reason_cleaned_lately", 1: "reason_cleaned_one"}.get(ago, "reason_cleaned")
    return TEXTS(key, language, years=ago)


def _named(prefix: str) -> Say:
    def say(fields: Fields, language: str) -> str:
        key = f"{prefix}_{fields[0] or 'none'}"
        if not TEXTS.has(key):
            raise ValueError(key)
        return TEXTS(key, language)

    return say


FAMILIES: dict[str, Say] = {
    "material": _material,
    "age": _age,
    "era": _age,
    "diameter": _diameter,
    "length": _length,
    "own_history": _own_history,
    "neighbours": _neighbours,
    "joined": _joined,
    "street": _street,
    "cohort": _cohort,
    "pressure": _pressure,
    "zone": _pressure,
    "elevation": _elevation,
    "traffic": _traffic,
    "soil": _soil,
    "lining": _lining,
    "cleaning": _cleaning,
    "function": _named("function"),
    "position": _named("position"),
}
