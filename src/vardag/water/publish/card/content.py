"""What the model card says: from a run's own figures to sections of finished text."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup
from scipy.stats import norm

from vardag.core.texts import Texts
from vardag.water.lof.port import POLICY
from vardag.water.publish import grounds, proof
from vardag.water.publish.card.blocks import Block, Section, points, table, text, title
from vardag.water.publish.card.tested import tested
from vardag.water.publish.context import TEXTS as REPORT
from vardag.water.publish.context import ReportContext
from vardag.water.publish.notation import NONE, level, number, percent, rate
from vardag.water.publish.reasons import material_name
from vardag.water.validation.render import model_name

TEXTS = Texts(Path(__file__).with_name("texts.toml"))
SHOWN_ZONES = 12
CHOSEN = (
    "few_breaks",
    "calibration_years",
    "interval_level",
    "dispersion_years",
    "top_draws",
    "fit_rows",
    "panel_history_years",
)


def sections(context: ReportContext, evaluation: Mapping[str, Any] | None, language: str) -> list[Section]:
    """Write all sections of the card.

    Parameters
    ----------
    context
        With what `predict` found in ``fit``.
    evaluation
        ``evaluation.json`` of the same data, or None.
    language
        ``sv`` or ``en``.
    """
    parts = {
        "short": _short(context, evaluation, language),
        "uses": _uses(language),
        "harm": _harm(context, language),
        "data": _data(context, language),
        "features": _features(context, language),
        "method": _method(context, language),
        "prior": _prior(context, language),
        "tests": tested(context, evaluation, language),
        "limits": [points([TEXTS(f"limits_{one}", language) for one in range(1, 6)])],
        "run": _run(context, language),
    }
    return [Section(key, TEXTS(key, language), blocks) for key, blocks in parts.items()]


def _short(context: ReportContext, evaluation: Mapping[str, Any] | None, language: str) -> list[Block]:
    fit = context.fit
    what = TEXTS(
        "short_what",
        language,
        pipes=number(fit["pipes"], language),
        km=number(fit["length_km"], language),
        as_of=context.as_of,
        expected=number(fit["expected_breaks"], language, 1),
    )
    learned = TEXTS("short_learned", language, breaks=number(fit["label_breaks"], language))
    model = TEXTS("short_model", language, model=model_name(context.model, language))
    return [points([what, learned, model, _headline(evaluation, language)])]


def _headline(evaluation: Mapping[str, Any] | None, language: str) -> str:
    hero, trial = proof.hero(evaluation, language), proof.trial_of(evaluation, *proof.MAIN)
    if hero is None or trial is None:
        return TEXTS("short_untested", language)
    first, last = proof.years_of(trial)
    shown = level(proof.KEY_LEVEL, language)
    return TEXTS("short_tested", language, first=first, last=last, share=hero["share"], level=shown)


def _uses(language: str) -> list[Block]:
    return [
        title(REPORT("for_title", language)),
        points([REPORT(f"for_{one}", language) for one in range(1, 4)]),
        title(REPORT("not_title", language)),
        points([REPORT(f"not_{one}", language) for one in range(1, 5)]),
    ]


def _harm(context: ReportContext, language: str) -> list[Block]:
    fit, thin, log = context.fit, context.fit["thin"], context.survivorship
    lost = 1.0 - log["labels"]["share"] if log.get("labels") else None
    expected = number(fit["expected_breaks"], language, 1)
    quiet = {
        key: percent(thin["quiet"][name], language, 0) for key, name in (("share", "km"), ("expected", "expected"))
    }
    years = number(thin["observed_years"], language, 0)
    told = [
        TEXTS("harm_quiet", language, **quiet),
        TEXTS("harm_owners", language),
        TEXTS("harm_renewal", language, expected=expected, years=years),
        "" if lost is None else TEXTS("harm_lost", language, lost=percent(lost, language, 0)),
        TEXTS("harm_blame", language),
        _secrecy(context.secrecy, language),
    ]
    return [text(TEXTS("harm_intro", language)), points(told, strong=True), *_zones(thin["zones"], language)]


def _secrecy(secrecy: str, language: str) -> str:
    if secrecy == "open":
        return TEXTS("harm_open", language)
    return TEXTS("harm_secrecy", language, secrecy=REPORT(f"secrecy_{secrecy}", language).lower())


def _zones(rows: Sequence[Mapping[str, Any]], language: str) -> list[Block]:
    if len(rows) < 2:
        return []
    heads = [TEXTS(f"zones_{head}", language) for head in ("zone", "km", "breaks", "recorded", "predicted")]
    cells = [
        [
            row["pressure_zone"],
            number(row["km"], language, 1),
            number(row["breaks"], language),
            rate(row["recorded"], language),
            rate(row["predicted"], language),
        ]
        for row in rows[:SHOWN_ZONES]
    ]
    head = title(TEXTS("zones_title", language))
    return [head, text(TEXTS("zones_intro", language)), table(heads, cells, figures=True)]


def _data(context: ReportContext, language: str) -> list[Block]:
    keys = ("source", "owner", "licence", "secrecy", "date", "rows_in", "kept", "quarantined")
    heads = [REPORT(f"sources_{key.removeprefix('rows_')}", language) for key in keys]
    rows = [[row[key] for key in keys] for row in grounds.sources(context.sources, language)]
    return [
        table(heads, rows),
        text(_rows_used(context, language)),
        text(_unknown(context.fit["thin"]["unknown"], language)),
        text(grounds.checks(context.checks, language)["intro"]),
        *_survivorship(context, language),
    ]


def _rows_used(context: ReportContext, language: str) -> str:
    columns = {"rows": "rows_in", "kept": "rows_kept", "quarantined": "rows_quarantined"}
    sums = {key: number(float(context.sources[name].sum()), language) for key, name in columns.items()}
    return TEXTS("data_rows", language, **sums)


def _unknown(shares: Mapping[str, float], language: str) -> str:
    material, year = (percent(shares[name], language) for name in ("material", "install_year"))
    return TEXTS("data_unknown", language, material=material, year=year)


def _survivorship(context: ReportContext, language: str) -> list[Block]:
    told = grounds.survivorship(context.survivorship, language)
    if told is None:
        return []
    heads = [TEXTS(f"data_{head}", language) for head in ("step", "breaks", "share")]
    return [
        title(REPORT("survivorship_title", language)),
        text(REPORT("survivorship_intro", language)),
        table(heads, [[row["name"], row["breaks"], row["share"]] for row in told["rows"]], figures=True),
        text(told["rebuilt"]),
    ]


def _features(context: ReportContext, language: str) -> list[Block]:
    known = context.fit["filled"]
    families: dict[str, list[Mapping[str, str]]] = {}
    for row in context.data_card:
        families.setdefault(row["family"], []).append(row)
    rows = [
        [
            family_name(family, language),
            ", ".join(_with_share(row["name"], known, language) for row in members),
            ", ".join(dict.fromkeys(REPORT(f"knows_{row['knows']}", language) for row in members)),
        ]
        for family, members in families.items()
    ]
    heads = [TEXTS(f"features_{head}", language) for head in ("family", "columns", "knows")]
    return [text(TEXTS("features_intro", language)), table(heads, rows)]


def _with_share(name: str, known: Mapping[str, float], language: str) -> str:
    return f"{name} ({percent(known[name], language, 0)})" if name in known else name


def family_name(family: str, language: str) -> str:
    """Name of a family of features in words, else its own."""
    key = f"family_{family}"
    return TEXTS(key, language) if TEXTS.has(key) else family.replace("_", " ")


def _method(context: ReportContext, language: str) -> list[Block]:
    steps = [Markup(REPORT(f"method_{one}", language)).striptags() for one in range(1, 5)]
    fallback = Markup(REPORT("method_fallback", language)).striptags() if context.few_breaks else ""
    settings = [[name, _value(value)] for name, value in context.fit["settings"].items()]
    heads = [TEXTS(f"settings_{head}", language) for head in ("name", "value")]
    return [
        points(steps),
        text(fallback),
        title(TEXTS("settings_title", language)),
        table(heads, settings),
        title(TEXTS("policy_title", language)),
        _policy(CHOSEN, language),
    ]


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {part}" for name, part in value.items())
    if isinstance(value, list):
        return ", ".join(str(part) for part in value)
    return NONE if value is None else str(value)


def _policy(names: Sequence[str], language: str) -> Block:
    heads = [TEXTS(f"settings_{head}", language) for head in ("name", "value")]
    heads += [TEXTS(f"policy_{head}", language) for head in ("unit", "source")]
    entries = {name: POLICY[name] for name in names if name in POLICY.entries}
    return table(heads, [[name, _value(one.value), one.unit, one.source] for name, one in entries.items()])


def _prior(context: ReportContext, language: str) -> list[Block]:
    fit = context.fit
    priors = [name for name in POLICY.entries if "prior" in name and not name.startswith(("link_", "check_"))]
    spread = TEXTS(
        "prior_spread",
        language,
        spread=number(fit["spread"], language, 2),
        years=POLICY.value("dispersion_years"),
        median=number(POLICY.value("dispersion_prior")["median"], language, 1),
    )
    told = [
        fit["notes"][language],
        _level(fit["calibration"], language),
        _materials(fit["calibration"], language),
        _winters(fit["calibration"].get("winters"), language),
        spread,
    ]
    trained = TEXTS("prior_trained", language) if fit["choice"] == "enough" else ""
    return [points([*told, trained]), title(TEXTS("prior_policy", language)), _policy(priors, language)]


def _level(record: Mapping[str, Any], language: str) -> str:
    years = record["label_years"]
    if not years:
        return ""
    return TEXTS(
        "prior_level",
        language,
        observed=number(record["observed"], language),
        predicted=number(record["predicted"], language, 1),
        factor=number(record["factor"], language, 2),
        first=min(years),
        last=max(years),
    )


def _materials(record: Mapping[str, Any], language: str) -> str:
    factors = record.get("materials") or {}
    told = [f"{material_name(code, language)} × {number(value, language, 2)}" for code, value in factors.items()]
    return TEXTS("prior_materials", language, factors=", ".join(told)) if told else ""


def _winters(told: Mapping[str, Any] | None, language: str) -> str:
    if not told:
        return ""
    return TEXTS(
        "prior_winters",
        language,
        years=len(told["label_years"]),
        effects="; ".join(_winter(name, one, language) for name, one in told["effects"].items()),
        latest=number(told["latest"], language, 2),
        share=percent(POLICY.value("effect_interval_level"), language, 0),
    )


def _winter(name: str, one: Mapping[str, float], language: str) -> str:
    """Tell the factor for one standard deviation more, with the interval that effects have."""
    reach = float(norm.ppf(0.5 + POLICY.value("effect_interval_level") / 2.0)) * one["error"]
    logs = {"factor": one["effect"], "low": one["effect"] - reach, "high": one["effect"] + reach}
    factors = {key: number(math.exp(value), language, 2) for key, value in logs.items()}
    much, usual = (number(value, language) for value in (one["usual"] + one["spread"], one["usual"]))
    return TEXTS(f"prior_winter_{name}", language, much=much, usual=usual, **factors)


def _run(context: ReportContext, language: str) -> list[Block]:
    record = grounds.run_record(context, language)
    hashes = [(f"{REPORT('run_inputs', language)}: {name}", value) for name, value in record["inputs"]]
    heads = [TEXTS(f"run_{head}", language) for head in ("fact", "value")]
    return [table(heads, [[str(name), str(value)] for name, value in (*record["facts"], *hashes)])]
