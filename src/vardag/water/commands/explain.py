"""`vardag water explain`: one pipe of the last prediction, so that a person can judge it.

Everything told was stored by `predict`: nothing is fitted here, so the answer takes as long as reading the tables.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from math import prod
from pathlib import Path
from typing import Any

import polars as pl

from vardag.core.errors import NotFoundError
from vardag.water.commands.publish import read_predictions
from vardag.water.commands.workspace import OUT, SUMMARY, OnStep, Workspace, read_table, record_of, workspace
from vardag.water.lof.port import POLICY
from vardag.water.lof.similar import similar
from vardag.water.publish import with_street_names

CHANGES = ("new_pipe", "relined", "lower_pressure")
IDENTITY = ("pipe_id", "pipe_key", "street", "material", "diameter_mm", "install_year", "length_m", "position")
PREDICTED = ("rank", "lower", "upper", "expected_breaks", "p_break", "p_top_1", "p_top_5", "years_to_break")


@dataclass(frozen=True)
class Explained:
    """One pipe as plain values, ready for JSON; `vardag.water.publish.one_pipe` puts it into words."""

    document: dict[str, Any]
    language: str


def explain(folder: Path, pipe: str, *, language: str | None = None, on_step: OnStep | None = None) -> Explained:
    """Tell why a pipe stands where it does, what pipes like it have done, and what would change it.

    Parameters
    ----------
    folder
        City folder with a prediction.
    pipe
        Its id in the register, or its key where an id has been used twice.
    language
        ``sv`` or ``en``; the city's unless given.

    Raises
    ------
    NotFoundError
        When nothing has been predicted, or when the pipe is not in the prediction; ids like it are named.
    """
    with workspace(folder, "water explain", on_step=on_step, writes=False) as work:
        with work.run.step("read"):
            ranked = with_street_names(read_predictions(work), read_table(work.connection, "road"))
            summary = read_summary(work)
            breaks = read_breaks(work, date.fromisoformat(summary["as_of"]))
        with work.run.step("explain"):
            told = with_history(ranked, breaks, work, date.fromisoformat(summary["as_of"]))
            document = describe(told, find(told, pipe), summary)
    return Explained(document | {"city": work.city.name}, language or work.city.language)


def read_summary(work: Workspace) -> dict[str, Any]:
    """What `predict` left beside its table."""
    summary: dict[str, Any] = json.loads((work.city.folder / OUT / SUMMARY).read_text(encoding="utf-8"))
    if "typical_rate" not in summary:
        raise NotFoundError(
            f"prediction: it was made before reasons were kept whole. Make it anew: vardag water predict "
            f"{work.city.folder}"
        )
    return summary


def read_breaks(work: Workspace, as_of: date) -> pl.DataFrame:
    """Breaks that were known on `as_of`, one row each: ``pipe_key`` and ``break_date``."""
    log = read_table(work.connection, "break").select("break_id", "break_date")
    links = read_table(work.connection, "link").select("break_id", "pipe_key").drop_nulls()
    known = links.join(log, on="break_id", how="inner").filter(pl.col("break_date") <= as_of)
    return known.select("pipe_key", "break_date").sort("pipe_key", "break_date")


def with_history(ranked: pl.DataFrame, breaks: pl.DataFrame, work: Workspace, as_of: date) -> pl.DataFrame:
    """Add ``breaks``, the date of the ``last_break`` and for how many ``years`` the pipe has been observed."""
    start, _ = record_of(work.city, read_table(work.connection, "break"))
    own = breaks.group_by("pipe_key").agg(breaks=pl.len(), last_break=pl.col("break_date").max())
    since = pl.max_horizontal(pl.col("install_date").fill_null(start), pl.lit(start))
    joined = ranked.join(own, on="pipe_key", how="left", maintain_order="left")
    return joined.with_columns(
        pl.col("breaks").fill_null(0), years=((pl.lit(as_of) - since).dt.total_days() / 365.25).clip(lower_bound=0)
    )


def find(ranked: pl.DataFrame, pipe: str) -> int:
    """Row of a pipe by its id or key."""
    found = ranked.with_row_index("row").filter((pl.col("pipe_id") == pipe) | (pl.col("pipe_key") == pipe))
    if found.is_empty():
        near = get_close_matches(pipe, ranked["pipe_id"].drop_nulls().to_list(), n=3)
        hint = f" Ids like it: {', '.join(near)}." if near else ""
        raise NotFoundError(
            f"pipe {pipe!r}: not among the {ranked.height:,} pipes of the prediction; it may be a service, retired "
            f"or not yet in the ground.{hint}"
        )
    return int(found.sort(pl.col("pipe_key") != pipe, "rank")["row"][0])


def describe(ranked: pl.DataFrame, row: int, summary: Mapping[str, Any]) -> dict[str, Any]:
    """The pipe, its reasons, pipes like it and what would change it, as plain values."""
    pipe = ranked.row(row, named=True)
    rate, typical = pipe["expected_breaks_per_km_year"], summary["typical_rate"]
    told = prod(reason["multiplier"] for reason in pipe["reasons"])
    like = alike(ranked, row)
    return {
        **{name: pipe[name] for name in (*IDENTITY, *PREDICTED)},
        **history(pipe),
        "as_of": summary["as_of"],
        "pipes": ranked.height,
        "rate": rate,
        "typical_rate": typical,
        "reasons": pipe["reasons"],
        "rest": rate / (typical * told),
        "similar": like,
        "together": together(like),
        "what_if": [change(ranked, pipe, name, summary) for name in CHANGES],
    }


def history(pipe: Mapping[str, Any]) -> dict[str, Any]:
    """Recorded breaks of a pipe."""
    last = pipe["last_break"]
    return {"breaks": pipe["breaks"], "last_break": last and last.isoformat(), "years": pipe["years"]}


def alike(ranked: pl.DataFrame, row: int) -> list[dict[str, Any]]:
    """Pipes whose rates the same things move as much, and what they have done."""
    found = similar(multipliers_of(ranked), row)
    return [
        {name: pipe[name] for name in (*IDENTITY, "rank")}
        | history(pipe)
        | {"rate": pipe["expected_breaks_per_km_year"], "distance": distance}
        for pipe, distance in zip(
            ranked[found["row"].to_numpy()].iter_rows(named=True), found["distance"].to_list(), strict=True
        )
    ]


def multipliers_of(ranked: pl.DataFrame) -> pl.DataFrame:
    """One column a family; what moves a pipe's rate by less than 5 per cent was not kept, and counts as 1."""
    long = ranked.select("reasons").with_row_index("row").explode("reasons", keep_nulls=False, empty_as_null=False)
    wide = long.unnest("reasons").pivot("family", index="row", values="multiplier", aggregate_function="first")
    rows = pl.DataFrame({"row": pl.arange(ranked.height, eager=True, dtype=pl.UInt32)})
    return rows.join(wide, on="row", how="left", maintain_order="left").drop("row").fill_null(1.0)


def together(like: list[dict[str, Any]]) -> dict[str, Any]:
    """What similar pipes have done, taken together."""
    breaks = sum(one["breaks"] for one in like)
    km_years = sum(one["length_m"] / 1000 * one["years"] for one in like)
    return {
        "pipes": len(like),
        "broken": sum(one["breaks"] > 0 for one in like),
        "breaks": breaks,
        "km_years": km_years,
        "rate": breaks / km_years if km_years else None,
    }


def change(ranked: pl.DataFrame, pipe: Mapping[str, Any], name: str, summary: Mapping[str, Any]) -> dict[str, Any]:
    """Rate, multiplier and rank after a change; or why it is not told: no data, too few pipes, not this pipe."""
    known = summary["what_if"].get(name, {"pipes": 0, "told": 0})
    rate, few = pipe[f"rate_{name}"], known["pipes"] < POLICY.value("what_if_least_pipes")
    if rate is None:
        state = "not_here" if known["told"] or not few else "few" if known["pipes"] else "none"
        return {
            "change": name,
            "state": state,
            "pipes": known["pipes"],
            "rate": None,
            "multiplier": None,
            "rank": None,
        }
    return {
        "change": name,
        "state": "published" if few else "told",
        "pipes": known["pipes"],
        "rate": rate,
        "multiplier": rate / pipe["expected_breaks_per_km_year"],
        "rank": int((ranked["expected_breaks_per_km_year"] > rate).sum()) + 1,
    }
