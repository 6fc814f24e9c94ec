"""`vardag water stability`: how far the list and what the model goes by rest on which breaks happened to happen."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from vardag.core.config import DEFAULT_SEED
from vardag.water.commands.models import chosen, levelled, reseeded
from vardag.water.commands.network import build_history
from vardag.water.commands.predict import checked_day, past_and_today
from vardag.water.commands.workspace import EFFECTS, OUT, STABILITY, OnStep, Workspace, read_tables, workspace
from vardag.water.features import families
from vardag.water.lof.calibrate import Calibrated
from vardag.water.lof.effects import ground, told
from vardag.water.lof.port import POLICY, Floats
from vardag.water.lof.refits import refits, stability


@dataclass(frozen=True)
class Stable:
    """What was found, and the files that hold it."""

    stability: dict[str, Any]
    effects: dict[str, Any]
    paths: tuple[Path, ...]


def stable(
    folder: Path,
    *,
    count: int | None = None,
    as_of: date | None = None,
    seed: int = DEFAULT_SEED,
    on_step: OnStep | None = None,
) -> Stable:
    """Fit the model again on resampled pipes, and compare: the top of the list, and the effect of each property.

    Parameters
    ----------
    folder
        City folder, loaded.
    count
        How many times to fit again, two or more for intervals; the policy's unless given.
    as_of
        Last day whose knowledge may be used; the record's last day unless given.
    seed
        Seed of the first fit, which is that of `predict`, and of the refits.

    Notes
    -----
    Writes ``stability.json`` and ``effects.json`` into ``out/``; `publish` tells them while the data are the same.
    Takes about as long as `count` fits.

    Raises
    ------
    InputError
        When no pipe was in the ground and under observation on `as_of`, or when it lies outside the record.
    """
    times: int = count or POLICY.value("refits")
    with workspace(folder, "water stability", seed=seed, on_step=on_step) as work:
        with work.run.step("read"):
            tables = read_tables(work)
        network = build_history(work, tables).network
        day = checked_day(as_of or network.record_end, network)
        past, today = past_and_today(work, network, day)
        kept, effects = fit_again(work, past, today, count=times, seed=seed)
        facts = {
            "as_of": day.isoformat(),
            "refits": times,
            "seed": seed,
            "run_id": work.run.run_id,
            "inputs": work.run.inputs,
        }
        documents = {STABILITY: facts | {"levels": kept}, EFFECTS: facts | {"effects": effects}}
        paths = write(folder / OUT, documents)
    return Stable(documents[STABILITY], documents[EFFECTS], paths)


def fit_again(
    work: Workspace, past: pl.DataFrame, today: pl.DataFrame, *, count: int, seed: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Fit as `predict` does, then again and again; what stays of the top, and the effects."""
    on = ground(today, families=families(), seed=seed)

    choice = chosen(past, seed=seed)

    def make(number: int) -> Calibrated:
        return levelled(reseeded(choice, seed=number))

    with work.run.step("fit"):
        first = make(seed).fit(past)
        effects = on.measure(first)
    rates: list[Floats] = []
    again = []
    with work.run.step("fit again") as step:
        for done, model in enumerate(refits(past, make=make, count=count, seed=seed)):
            step.advance(done, count)
            rates.append(model.rate(today))
            again.append(on.measure(model))
    return stability(today, first.rate(today), rates), told(on, effects, again)


def write(out: Path, documents: Mapping[str, Mapping[str, Any]]) -> tuple[Path, ...]:
    """Write each document as JSON under its name."""
    out.mkdir(exist_ok=True)
    for name, document in documents.items():
        text = json.dumps(document, indent=1, ensure_ascii=False)
        (out / name).write_text(text, encoding="utf-8")
    return tuple(out / name for name in documents)
