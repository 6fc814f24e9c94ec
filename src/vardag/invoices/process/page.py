"""The page: one HTML file that is complete in itself, with the picture, the ways, the times and their limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
from markupsafe import Markup

from vardag.core.pages import environment
from vardag.core.parameters import Parameters
from vardag.core.texts import Texts
from vardag.invoices.process.discovery import Found
from vardag.invoices.process.log import EventLog
from vardag.invoices.process.picture import END, START, svg

HERE = Path(__file__).parent
TEXTS = Texts(HERE / "texts.toml")
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
# Signs of the log that are limits as they are; those that need more than their count are in `limits`.
PLAIN_SIGNS = (
    "newest_first",
    "encoding_guessed",
    "multiplied",
    "only_starts",
    "negative",
    "bad_start",
    "twice",
    "dated",
)


LEAST_SHOWN = 0.0005  # a smaller share would be told as 0.0 %

Limit = tuple[bool | int, str, dict[str, object]]  # whether it holds, its text, and the text's fields


@dataclass(frozen=True)
class About:
    """What the page says of the file itself."""

    name: str
    kind: str
    sha256: str
    version: str
    columns: Mapping[str, str]


def page(
    log: EventLog,
    found: Found,
    parameters: Parameters,
    about: About,
    language: str,
    *,
    conformance: Mapping[str, Any] | None = None,
    more_limits: Sequence[str] = (),
) -> str:
    """Make the page; with what the log comes to on a map (`map_page.conformance`), and its limits, where asked for.

    It asks for nothing from anywhere; a content security policy forbids every request and every script. What comes
    from the log is escaped. No resource and no case id is on it.
    """
    pages = environment(HERE)
    say = partial(TEXTS, language=language)
    return pages.get_template("page.html.j2").render(
        language=language,
        t=lambda key, **values: TEXTS(key, language, **values),
        policy=POLICY,
        style=Markup((HERE / "page.css").read_text(encoding="utf-8")),
        about=about,
        log=log,
        found=found,
        facts=_facts(log, found, parameters, language),
        limits=[*limits(log, found, parameters, language), *more_limits],
        conformance=conformance,
        picture=_picture(found, parameters, language),
        variants=_variants(found, parameters, language),
        steps=_steps(found, parameters, language),
        activities=_activities(found, language),
        handovers=_handovers(found, language),
        mean_hands=number(found.hands.mean_hands, language) if found.hands else "",
        quarantine=[(say(f"reason_{name}"), count, first) for name, (count, first) in log.reasons().items()],
    )


def limits(log: EventLog, found: Found, parameters: Parameters, language: str) -> list[str]:
    """What the log cannot tell, in words: the gravest first."""
    few, signs = int(parameters.value("few_cases")), log.signs
    zoned, unzoned = signs.get("zoned", 0), signs.get("unzoned", 0)
    starts = log.events["start"].is_not_null().sum()
    varied = found.variants.height > found.cases * float(parameters.value("own_way_share"))
    plain: list[Limit] = [
        (signs.get(name, 0), f"limit_{name}", {"count": signs.get(name, 0)}) for name in PLAIN_SIGNS
    ]
    told: list[Limit] = [
        (found.cases == 1, "limit_single_case", {}),
        (1 < found.cases < few, "limit_few_cases", {"cases": found.cases, "few": few}),
        (
            found.cases >= few and varied,
            "limit_own_ways",
            {"variants": found.variants.height, "cases": found.cases},
        ),
        (log.quarantined.height, "limit_quarantined", {"count": log.quarantined.height, "rows": log.rows_in}),
        (unzoned and zoned, "limit_mixed_zones", {"count": unzoned, "rest": zoned, "zone": log.zone}),
        (unzoned and not zoned, "limit_no_zone", {"zone": log.zone}),
        (
            signs.get("out_of_order", 0),
            "limit_out_of_order",
            {"count": signs.get("out_of_order", 0), "cases": signs.get("out_of_order_cases", 0)},
        ),
        (
            signs.get("same_time", 0),
            "limit_same_time",
            {"count": signs.get("same_time", 0), "cases": signs.get("same_time_cases", 0)},
        ),
        *plain,
        (starts == 0, "limit_no_start", {}),
        (0 < starts < found.events, "limit_some_start", {"count": starts, "events": found.events}),
        (found.hands is None, "limit_no_resource", {}),
        (True, "limit_open_cases", {}),
    ]
    return [TEXTS(key, language, **values) for holds, key, values in told if holds]


def span(hours: float | None, language: str) -> str:
    """Hours in the unit that suits them; a dash for what is not known."""
    if hours is None:
        return "–"
    if hours < 1:
        return f"{number(60 * hours, language, 0 if hours >= 1 / 6 else 1)} min"
    if hours < 48:
        return f"{number(hours, language)} h"
    return f"{number(hours / 24, language)} {TEXTS('days', language)}"


def number(value: float | None, language: str, digits: int = 1) -> str:
    """A number as the language writes it."""
    if value is None:
        return "–"
    text = f"{value:,.{digits}f}"
    return text.replace(",", "\u00a0").replace(".", ",") if language == "sv" else text


def share(part: int, whole: int, parameters: Parameters, language: str) -> str:
    """A part of a whole: with per cent only where there are enough of them for it to mean something."""
    counted = TEXTS("of", language, part=number(part, language, 0), whole=number(whole, language, 0))
    if whole < int(parameters.value("few_cases")):
        return counted
    if 0 < part / whole < LEAST_SHOWN:
        return f"<{number(0.1, language)} % ({counted})"
    return f"{number(100 * part / whole, language, 0 if part in {0, whole} else 1)} % ({counted})"


def _facts(log: EventLog, found: Found, parameters: Parameters, language: str) -> list[tuple[str, str]]:
    """Figures of the first screen."""
    part = partial(share, whole=found.cases, parameters=parameters, language=language)
    edges = log.events["time"].dt.convert_time_zone(log.zone).sort().gather([0, log.events.height - 1])
    days = " – ".join(str(moment.date()) for moment in edges)
    quick = found.throughput
    return [
        (number(found.cases, language, 0), TEXTS("fact_cases", language, events=number(found.events, language, 0))),
        (days, TEXTS("fact_days", language)),
        (number(found.variants.height, language, 0), TEXTS("fact_variants", language)),
        (part(int(found.variants["cases"][0])), TEXTS("fact_top", language)),
        (part(found.rework_cases), TEXTS("fact_rework", language)),
        (span(quick.median, language), _spread_words(quick.q1, quick.q3, quick.p90, language)),
    ]


def _spread_words(q1: float | None, q3: float | None, p90: float | None, language: str) -> str:
    """Words below the median time, with the quartiles where there are any."""
    words = TEXTS("fact_time", language)
    if q1 is not None:
        words += TEXTS("fact_quartiles", language, q1=span(q1, language), q3=span(q3, language))
    return words + (TEXTS("fact_p90", language, p90=span(p90, language)) if p90 is not None else "")


def _picture(found: Found, parameters: Parameters, language: str) -> dict[str, Any]:
    """The directly-follows graph, and what was left out of it."""
    most = int(parameters.value("most_activities_drawn"))
    kept = found.activities.head(most)
    names = {START: "", END: ""} | {
        row["activity"]: TEXTS("box", language, events=row["events"], cases=row["cases"])
        for row in kept.iter_rows(named=True)
    }
    every = _all_steps(found, kept, language)
    steps = _kept_steps(every, int(parameters.value("most_edges_drawn")))
    return {
        "svg": Markup(
            svg(names, steps, title=TEXTS("picture_alt", language), told=lambda name: _edge(name, language))
        ),
        "activities_left_out": found.activities.height - kept.height,
        "steps_left_out": len(every) - len(steps),
        "steps_left_out_count": sum(count for step, (count, _) in every.items() if step not in steps),
    }


def _edge(name: str, language: str) -> str:
    return TEXTS("picture_start" if name == START else "picture_end", language)


def _all_steps(found: Found, kept: pl.DataFrame, language: str) -> dict[tuple[str, str], tuple[int, str]]:
    names = set(kept["activity"])
    steps: dict[tuple[str, str], tuple[int, str]] = {}
    for row in found.follows.iter_rows(named=True):
        if {row["activity"], row["next"]} <= names:
            told = f"{row['activity']} → {row['next']}: {row['count']}"
            median = (
                f", {TEXTS('col_median', language)} {span(row['median_h'], language)}" if row["median_h"] else ""
            )
            steps[row["activity"], row["next"]] = (row["count"], told + median)
    for row in kept.iter_rows(named=True):
        for step, count in (((START, row["activity"]), row["starts"]), ((row["activity"], END), row["ends"])):
            if count:
                steps[step] = (count, str(count))
    return steps


def _kept_steps(
    every: Mapping[tuple[str, str], tuple[int, str]], most: int
) -> dict[tuple[str, str], tuple[int, str]]:
    """The heaviest steps, and the heaviest way into and out of each activity whatever its weight."""
    ranked = sorted(every, key=lambda step: (-every[step][0], step))
    into, out = ({step[side]: step for step in reversed(ranked)} for side in (1, 0))
    kept = {*ranked[:most], *into.values(), *out.values()}
    return {step: every[step] for step in ranked if step in kept}


def _variants(found: Found, parameters: Parameters, language: str) -> dict[str, Any]:
    """The most usual ways, each with a bar as long as its share of the cases, and the sum of the rest."""
    shown = found.variants.head(int(parameters.value("most_variants_shown")))
    rows = [
        {
            "place": place,
            "way": row["variant"],
            "share": share(row["cases"], found.cases, parameters, language),
            "bar": round(100 * row["share"], 1),
            "median": span(row["median_h"], language),
        }
        for place, row in enumerate(shown.iter_rows(named=True), start=1)
    ]
    rest = found.cases - int(shown["cases"].sum())
    return {
        "rows": rows,
        "rest": found.variants.height - shown.height,
        "rest_share": share(rest, found.cases, parameters, language),
    }


def _steps(found: Found, parameters: Parameters, language: str) -> list[dict[str, Any]]:
    """The heaviest steps with their times."""
    shown = found.follows.head(int(parameters.value("most_edges_drawn")))
    return [
        row | {"median": span(row["median_h"], language), "p90": span(row["p90_h"], language)}
        for row in shown.iter_rows(named=True)
    ]


def _activities(found: Found, language: str) -> list[dict[str, Any]]:
    return [
        row
        | {
            "median": span(row["median_h"], language) if row["with_start"] else TEXTS("unknown", language),
            "p90": span(row["p90_h"], language) if row["with_start"] else TEXTS("unknown", language),
        }
        for row in found.activities.iter_rows(named=True)
    ]


def _handovers(found: Found, language: str) -> list[tuple[str, str, int, int]] | None:
    if found.handovers is None:
        return None
    smaller = TEXTS("smaller_groups", language)
    return [
        (one or smaller, two or smaller, count, cases) for one, two, count, cases in found.handovers.iter_rows()
    ]
