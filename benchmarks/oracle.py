"""How close the ranking comes to the truth: `python -m benchmarks.oracle`.

The demo's towns have a known true rate. Ranked by it, the *oracle* catches the most breaks that can be expected in
a share of the network's length; a model's figure is what it catches of that. No model can know all that the oracle
knows: much of a pipe's rate is its own and shows only in its own breaks. So a second ranking is printed, that of
somebody who knows everything else exactly (soil, street, batch, hidden neighbourhood, ageing) and judges the pipe's
own part by its breaks as well as can be done (the mean of the gamma-Poisson posterior). Nothing honest beats it but
by chance.

Each town is made twice: as most registers are, without the pipes that were taken out, and with them.

`--without joined` ranks also by a model whose trees are not told a family of features, and prints what the family
brings: points of the oracle's capture, with the standard error over the towns.
"""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from vardag.core.config import DEFAULT_SEED
from vardag.demo import Town, constants, rates, town
from vardag.water import features
from vardag.water.commands.load import load
from vardag.water.commands.models import contenders, levelled, recipe
from vardag.water.commands.network import build_history
from vardag.water.commands.workspace import read_tables, workspace
from vardag.water.features import families
from vardag.water.lof.boosting import Boosted
from vardag.water.lof.port import POLICY, Floats, Model
from vardag.water.panel import years_before
from vardag.water.validation.metrics import capture, length_intervals

LEVELS = (0.01, 0.05, 0.10)
MODEL = "vardag"
KNOWABLE = "knows all but the pipe's own part"
Shares = dict[str, Floats]


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the towns, rank them and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--towns", type=int, default=5, help="towns of each kind")
    parser.add_argument("--km", type=float, default=300.0, help="length of each town's network")
    parser.add_argument("--seed", type=int, default=101, help="seed of the first town")
    parser.add_argument(
        "--without", choices=sorted(set(families().values())), help="family to leave out of the trees"
    )
    asked = parser.parse_args(arguments)
    seeds = range(asked.seed, asked.seed + asked.towns)
    for kept in (False, True):
        measured = [_measured(seed, asked.km, keep_retired=kept, without=asked.without) for seed in seeds]
        print(
            "\n".join([*table(measured, keep_retired=kept), *brought(measured, asked.without)]) + "\n", flush=True
        )


def table(measured: Sequence[tuple[Floats, Shares]], *, keep_retired: bool) -> Iterator[str]:
    """Markdown: mean share of the oracle's capture over the towns, lowest and highest in brackets."""
    title = "with the pipes that were taken out" if keep_retired else "with survivors only"
    oracle = np.array([own for own, _ in measured]).mean(axis=0)
    yield f"{len(measured)} towns, register {title}. Share of what the oracle catches (%):\n"
    yield "| ranked by | " + " | ".join(f"{level:.0%}" for level in LEVELS) + " |"
    yield "|---|" + "---:|" * len(LEVELS)
    yield "| the oracle catches of all breaks | " + " | ".join(f"{100 * share:.1f}" for share in oracle) + " |"
    for name in measured[0][1]:
        parts = 100 * np.array([shares[name] / own for own, shares in measured])
        cells = [f"{mean:.0f} ({low:.0f}–{high:.0f})" for mean, low, high in _spread(parts)]
        yield f"| {name} | " + " | ".join(cells) + " |"


def brought(measured: Sequence[tuple[Floats, Shares]], family: str | None) -> Iterator[str]:
    """One more row: how much more of the oracle's capture the model has with the family than without."""
    if family is None:
        return
    gains = 100 * np.array([(shares[MODEL] - shares[_lacking(family)]) / own for own, shares in measured])
    errors = gains.std(axis=0, ddof=1) / np.sqrt(len(gains)) if len(gains) > 1 else np.full(len(LEVELS), np.nan)
    cells = [f"{mean:+.1f} ± {error:.1f}" for mean, error in zip(gains.mean(axis=0), errors, strict=True)]
    yield f"| what {family} brings, points | " + " | ".join(cells) + " |"


def _lacking(family: str) -> str:
    return f"{MODEL} without {family}"


def _spread(parts: Floats) -> Iterator[tuple[float, float, float]]:
    return zip(parts.mean(axis=0), parts.min(axis=0), parts.max(axis=0), strict=True)


def _measured(seed: int, km: float, *, keep_retired: bool, without: str | None) -> tuple[Floats, Shares]:
    """Capture of the oracle and of each ranking, in one town."""
    with tempfile.TemporaryDirectory() as scratch:
        made = town(folder=Path(scratch), seed=seed, km=km, keep_retired=keep_retired)
        load(made.folder)
        ranked = ranked_today(made, without=without)
    true = ranked["true"].to_numpy()
    shares = {name: caught(ranked[name].to_numpy(), true, ranked) for name in ranked.columns[3:]}
    return caught(true, true, ranked), shares


def caught(rate: Floats, true: Floats, ranked: pl.DataFrame) -> Floats:
    """Expected share of the breaks in the top shares of length, under the true rates."""
    length = ranked["length_m"].to_numpy()
    a, b = length_intervals(rate, length, np.zeros(length.size, dtype=np.int64))
    return capture(a, b, true * length, LEVELS)


def ranked_today(made: Town, *, without: str | None = None) -> pl.DataFrame:
    """Pipes of the last day: ``pipe_key``, ``length_m``, ``true`` rate, and the rate by each model."""
    day = made.record_end
    with workspace(made.folder, "benchmark oracle") as work:
        network = build_history(work, read_tables(work)).network
        days = years_before(network, day, history=POLICY.value("panel_history_years"))
        panel = features.panel_of(network, days)
    past, today = panel.filter(pl.col("as_of") < day), panel.filter(pl.col("as_of") == day)
    models = [*contenders(seed=DEFAULT_SEED), *reduced(without)]
    rated = today.select("pipe_key").with_columns(
        pl.Series(model.name, model.fit(past).rate(today)) for model in models
    )
    known = knowable(made).join(rated, left_on="pipe_id", right_on="pipe_key", how="inner")
    return known.select(pl.col("pipe_id").alias("pipe_key"), "length_m", "true", KNOWABLE, *rated.columns[1:])


def reduced(family: str | None) -> Iterator[Model]:
    """The model whose trees are not told a family of features; they alone are told every one."""
    if family is None:
        return
    told = tuple(name for name, own in families().items() if own != family)
    whole = recipe(seed=DEFAULT_SEED)
    members = tuple(replace(one, features=told) if isinstance(one, Boosted) else one for one in whole.members)
    yield levelled(replace(whole, members=members, name=_lacking(family)))


def knowable(made: Town) -> pl.DataFrame:
    """True rate of each pipe in the ground on the last day, and what could be known of it at best."""
    last = made.truth.filter(pl.col("as_of") == made.record_end).sort("life")
    life = last["life"].to_numpy()
    own = made.lives["own"].to_numpy()
    breaks = np.bincount(made.true_breaks["life"].to_numpy(), minlength=len(made.lives))
    shape = constants.PIPE_SHAPE
    judged = (shape + breaks) / (shape + expected_of_the_rest(made))
    true = last["expected_breaks_per_km_year"].to_numpy()
    rate = pl.Series(KNOWABLE, true / own[life] * judged[life])
    return last.select("pipe_id", "length_m", true="expected_breaks_per_km_year").with_columns(rate)


def expected_of_the_rest(made: Town) -> Floats:
    """Breaks that each life would have had in the record if its own part were the mean one."""
    first, last = made.record_start.year, made.record_end.year
    broken = made.true_breaks.select("life", year=pl.col("break_date").dt.year())
    by_year = np.zeros((len(made.lives), last - first + 4))  # three years of memory before the record: none known
    np.add.at(by_year, (broken["life"].to_numpy(), broken["year"].to_numpy() - first + 3), 1)
    level = _level(made, by_year)
    total = np.zeros(len(made.lives))
    for place, year in enumerate(range(first, last + 1), start=3):
        recent = by_year[:, place - 3 : place][:, ::-1]
        total += (
            level * rates.in_year(made.lives, recent, year=year, since=first) * _years_in_ground(made.lives, year)
        )
    return np.asarray(total * made.lives["length_m"].to_numpy() / 1000 / made.lives["own"].to_numpy())


def _level(made: Town, by_year: Floats) -> float:
    """The town's level, which the truth holds: true rate over relative rate."""
    last = made.truth.filter(pl.col("as_of") == made.record_end)
    relative = rates.in_year(
        made.lives, by_year[:, -3:][:, ::-1], year=made.record_end.year + 1, since=made.record_start.year
    )
    ratio = last["expected_breaks_per_km_year"].to_numpy() / relative[last["life"].to_numpy()]
    return float(np.median(ratio))


def _years_in_ground(lives: pl.DataFrame, year: int) -> Floats:
    laid, gone = (lives[name].dt.year() for name in ("install_date", "retired_date"))
    inside = (laid <= year) & (gone.is_null() | (gone >= year))
    return np.where(inside, np.where((laid == year) | (gone == year).fill_null(value=False), 0.5, 1.0), 0.0)


if __name__ == "__main__":
    main()
