"""`vardag water predict`: rank every pipe by the breaks to expect in the year after a date."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from vardag.core import db
from vardag.core.config import DEFAULT_SEED
from vardag.core.errors import InputError
from vardag.core.texts import LANGUAGES
from vardag.water import features, schema
from vardag.water.commands.check import check_tables
from vardag.water.commands.models import chosen, levelled, reseeded, years_to_break
from vardag.water.commands.network import build_history
from vardag.water.commands.publish import context_of, read_evaluation
from vardag.water.commands.workspace import OUT, SUMMARY, OnStep, Workspace, read_table, read_tables, workspace
from vardag.water.features import families
from vardag.water.lof.calibrate import Calibrated
from vardag.water.lof.explain import explain
from vardag.water.lof.few import Choice
from vardag.water.lof.intervals import breaks_in_a_year, shape_out_of_time
from vardag.water.lof.port import POLICY, Floats, usable
from vardag.water.lof.ranking import rank
from vardag.water.lof.whatif import changes, what_if
from vardag.water.panel import Network, risk_set, years_before
from vardag.water.publish.card import filled, settings_of, thin, write_card
from vardag.water.publish.values import reason_values, strongest
from vardag.water.winters import WINTER

WHAT_IF = ("rate_new_pipe", "rate_relined", "rate_lower_pressure")


@dataclass(frozen=True)
class Predicted:
    """What a prediction rests on and found; the ranked pipes themselves are in the table ``prediction``.

    Attributes
    ----------
    run
        The run record, with its steps.
    choice, notes
        Why this model: ``enough`` breaks, or ``few_some`` or ``few_zero`` for the fallback; and the same in words
        by language.
    label_breaks
        Breaks that the model learned from.
    expected_breaks
        Breaks to expect in the year after `as_of`, in the whole network.
    breaks_interval
        Interval of that year's number, which chance and winters decide (``interval_level``).
    spread
        Gamma shape of the true rate of a pipe without breaks: the smaller, the more pipes differ from what is
        predicted for them.
    typical_rate
        Breaks per km and year that the multipliers of the reasons are multiples of.
    what_if
        For each change: ``pipes`` like that in the record, and for how many pipes it is ``told``.
    settings, filled, thin
        For the model card: settings of the model, share of pipes that have a value for each feature, and where the
        log says little.
    """

    run: dict[str, Any]
    as_of: date
    model: str
    choice: str
    notes: dict[str, str]
    pipes: int
    length_km: float
    label_breaks: int
    expected_breaks: float
    breaks_interval: list[float]
    calibration: dict[str, Any]
    survivorship: dict[str, Any]
    spread: float
    typical_rate: float
    what_if: dict[str, dict[str, int]]
    settings: dict[str, Any]
    filled: dict[str, float]
    thin: dict[str, Any]


def predict(
    folder: Path, *, as_of: date | None = None, seed: int = DEFAULT_SEED, on_step: OnStep | None = None
) -> Predicted:
    """Predict the breaks of the year after `as_of`, from what was known on that day.

    Parameters
    ----------
    folder
        City folder, loaded.
    as_of
        Last day whose knowledge may be used; the record's last day unless given.
    seed
        Seed of everything random.

    Raises
    ------
    InputError
        When no pipe was in the ground and under observation on `as_of`, or when it lies outside the record.
    """
    with workspace(folder, "water predict", seed=seed, on_step=on_step) as work:
        with work.run.step("read"):
            tables = read_tables(work)
        check_tables(work, tables)
        history = build_history(work, tables)
        network = history.network
        day = checked_day(as_of or network.record_end, network)
        past, today = past_and_today(work, network, day)
        choice, model, shape = fit(work, past, seed=seed)
        predictions, rate, typical = score(work, model, today, shape, seed=seed)
        predictions, known = change(work, choice, model, predictions, past=past, today=today, rate=rate)
        store(work, predictions, day, model.name)
        frames = {name: read_table(work.connection, name) for name in ("source", "check_result")}
    expected = float(predictions["expected_breaks"].sum())
    found = Predicted(
        run=work.run.summary(),
        as_of=day,
        model=model.name,
        choice=choice.reason,
        notes={language: choice.words(language) for language in LANGUAGES},
        pipes=predictions.height,
        length_km=float(predictions["length_m"].sum()) / 1000,
        label_breaks=int(past["breaks"].sum()),
        expected_breaks=expected,
        breaks_interval=breaks_in_a_year(expected).tolist(),
        calibration=model.record.document(),
        survivorship=history.survivorship,
        spread=shape,
        typical_rate=typical,
        what_if=known,
        settings=settings_of(choice.model, model.model),
        filled=filled(today, families()),
        thin=thin(today, pl.Series(rate)),
    )
    describe(work, found, frames)
    return found


def describe(work: Workspace, found: Predicted, frames: Mapping[str, pl.DataFrame]) -> None:
    """Keep what the prediction rests on beside it, for `publish` and for the reader, and write its model card."""
    out = work.city.folder / OUT
    out.mkdir(exist_ok=True)
    text = json.dumps(asdict(found), indent=1, default=str, ensure_ascii=False)
    (out / SUMMARY).write_text(text, encoding="utf-8")
    language = work.city.language
    context = context_of(work, json.loads(text), frames, language=language)
    write_card(out, context=context, evaluation=read_evaluation(work), language=language)


def checked_day(day: date, network: Network) -> date:
    """Return the day, if there is anything to predict from on it.

    Raises
    ------
    InputError
        When it lies outside the record, or no pipe was in the ground and under observation.
    """
    if not network.record_start <= day <= network.record_end:
        raise InputError(
            f"as_of: {day} lies outside the record, {network.record_start} to {network.record_end}. "
            "Choose a day within it, or correct record_start and record_end in city.toml."
        )
    if not risk_set(network, day).size:
        raise InputError(
            f"as_of: no pipe was in the ground and under observation on {day}. Choose a later day, or check "
            "install_date in the pipe source's columns."
        )
    return day


def past_and_today(work: Workspace, network: Network, day: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Pipe-years of the years before `day`, which can teach, and the risk set of the day, which is predicted.

    How cold the coming year was is known only where `day` lies back in the record, and no model is shown it.
    """
    panel = build_panel(work, network, day)
    return usable(panel.filter(pl.col("as_of") < day)), panel.filter(pl.col("as_of") == day).drop(WINTER)


def build_panel(work: Workspace, network: Network, day: date) -> pl.DataFrame:
    """Pipe-years of `day` and of every year before it that has some history behind it."""
    days = years_before(network, day, history=POLICY.value("panel_history_years"))
    with work.run.step("panel") as step:
        panel = features.panel_of(network, days, progress=step.advance)
        step.rows(rows_out=panel.height)
    return panel


def fit(work: Workspace, past: pl.DataFrame, *, seed: int) -> tuple[Choice, Calibrated, float]:
    """Choose the model by how many breaks there are, fit it, and estimate how far pipes differ from it."""
    with work.run.step("fit") as step:
        choice = chosen(past, seed=seed)
        model = levelled(choice.model).fit(past)
        step.rows(rows_in=past.height)
    with work.run.step("spread"):
        shape = shape_out_of_time(reseeded(choice, seed=seed, seeds=1), past)
    return choice, model, shape


def score(
    work: Workspace, model: Calibrated, today: pl.DataFrame, shape: float, *, seed: int
) -> tuple[pl.DataFrame, Floats, float]:
    """Rank the risk set, with the reasons of each pipe; its rates; the typical rate that reasons multiply."""
    with work.run.step("score") as step:
        rate = model.rate(today)
        ranked = rank(today, rate, shape=shape, seed=seed)
        step.rows(rows_out=ranked.height)
    with work.run.step("explain"):
        rows = ranked["row"].to_numpy()
        multipliers = explain(model, today, rows, families=families())
        reasons = strongest(multipliers, reason_values(today[rows]), count=None)
    return ranked.drop("row").with_columns(reasons=reasons), rate, model.record.factor * _typical(multipliers)


def _typical(multipliers: pl.DataFrame) -> float:
    """Rate of a pipe that has no reason to differ, before the level is set."""
    return float(np.exp(np.log(multipliers["base"].to_numpy()).mean()))


def change(
    work: Workspace,
    choice: Choice,
    model: Calibrated,
    predictions: pl.DataFrame,
    *,
    past: pl.DataFrame,
    today: pl.DataFrame,
    rate: Floats,
) -> tuple[pl.DataFrame, dict[str, dict[str, int]]]:
    """Add when a pipe left as it is will have broken, and what the model expects of it if it were changed.

    Says how many pipes each change is known from.

    Published rates know new pipes, so the fallback needs none in the network to tell of one.
    """
    with work.run.step("what if"):
        found = changes(past, today, families=families())
        rates = what_if(model, found, published=choice.reason != "enough")
        told = {one.name: {"pipes": one.pipes, "told": rates[one.name].count()} for one in found}
        known = today.select("pipe_key", years_to_break(model, today, rate=rate))
        named = pl.concat([known, rates.rename(lambda name: f"rate_{name}")], how="horizontal")
        joined = predictions.join(named, on="pipe_key", how="left", maintain_order="left")
    return joined, told


def store(work: Workspace, predictions: pl.DataFrame, day: date, model: str) -> None:
    """Write the prediction over the last one, reasons as JSON."""
    names = schema.PREDICTION.names
    absent = [pl.lit(None, dtype=pl.Float64).alias(name) for name in WHAT_IF if name not in predictions.columns]
    reasons = pl.Series([json.dumps(row) for row in predictions["reasons"].to_list()], dtype=pl.String)
    table = predictions.with_columns(
        *absent, run_id=pl.lit(work.run.run_id), as_of=pl.lit(day), model=pl.lit(model), reasons=reasons
    )
    with work.run.step("store"), db.transaction(work.connection):
        db.replace(work.connection, "prediction", table.select(names))
