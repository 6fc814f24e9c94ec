"""The scorecard: a prediction is locked before the breaks happen, and compared with them afterwards.

A lock is two files, ``lock-<as_of>.parquet`` with every pipe's rate and ``lock-<as_of>.json`` with what, when and
the hashes. A lock is never overwritten, and one that has been changed is refused. Beside the rates of the model in
use it may hold those of challengers, so that a later choice between them rests on breaks that none had seen.
"""

import hashlib
import io
import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from vardag.core.errors import InputError, NotFoundError, RefusedError

LOCKED = ("pipe_key", "length_m", "expected_breaks_per_km_year")
CHALLENGER = "challenger_"  # before a challenger's name: the column with its rates
FORMAT = 2


@dataclass(frozen=True)
class Lock:
    """A locked prediction, read and found unchanged."""

    city: str
    model: str
    run_id: str
    as_of: date
    horizon_years: int
    predictions: pl.DataFrame

    @property
    def rates(self) -> dict[str, str]:
        """Column with the rates of each model, the one in use first."""
        others = [name for name in self.predictions.columns if name.startswith(CHALLENGER)]
        return {self.model: LOCKED[-1]} | {name.removeprefix(CHALLENGER): name for name in others}


def lock(
    predictions: pl.DataFrame,
    *,
    folder: Path,
    as_of: date,
    horizon_years: int,
    model: str,
    run_id: str,
    city: str,
) -> Path:
    """Write a lock of a prediction; returns the path of its JSON file.

    Parameters
    ----------
    predictions
        One row per pipe with at least ``pipe_key``, ``length_m`` and ``expected_breaks_per_km_year``; a column
        ``challenger_<model>`` for each challenger.
    folder
        Where locks lie; made where missing.
    as_of
        Last day whose knowledge the prediction used.
    horizon_years
        Years predicted from the day after.

    Raises
    ------
    RefusedError
        When there is a lock of this date already. Cure: check it; a new prediction takes a new date.
    InputError
        When a column is missing, or a pipe stands twice; the message names the first.
    """
    _validate(predictions)
    paths = _paths(folder, as_of)
    if paths[0].exists():
        raise RefusedError(
            f"{paths[0]}: a prediction of {as_of} is locked already, and a lock is never written over. "
            "Compare it with what happened (vardag water scorecard check), or lock a later date."
        )
    content = _content(predictions)
    facts: dict[str, Any] = {
        "format": FORMAT,
        "city": city,
        "as_of": as_of.isoformat(),
        "horizon_years": horizon_years,
        "model": model,
        "run_id": run_id,
        "pipes": predictions.height,
        "km": round(float(predictions["length_m"].sum()) / 1000, 3),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    # The JSON file makes the lock; a parquet file alone is what an interrupted run left, and may be replaced.
    paths[1].write_bytes(content)
    with paths[0].open("x", encoding="utf-8") as file:
        json.dump(facts | {"seal": _seal(facts)}, file, indent=2, ensure_ascii=False)
    return paths[0]


def _paths(folder: Path, as_of: date) -> tuple[Path, Path]:
    stem = folder / f"lock-{as_of.isoformat()}"
    return stem.with_suffix(".json"), stem.with_suffix(".parquet")


def _validate(predictions: pl.DataFrame) -> None:
    missing = [name for name in LOCKED if name not in predictions.columns]
    if missing:
        raise InputError(f"predictions: no column {', '.join(missing)}; a lock needs {', '.join(LOCKED)}.")
    twice = predictions.filter(pl.col("pipe_key").is_duplicated())["pipe_key"].unique().sort()
    if twice.len():
        raise InputError(f"predictions: {twice.len()} pipes stand twice (first: {twice[0]}). Predict again.")


def _content(predictions: pl.DataFrame) -> bytes:
    """Parquet bytes of the locked columns in the order of the keys, so that row order does not matter."""
    buffer = io.BytesIO()
    predictions.select(*LOCKED, pl.col(f"^{CHALLENGER}.*$")).sort("pipe_key").write_parquet(buffer)
    return buffer.getvalue()


def _seal(facts: dict[str, Any]) -> str:
    """Hash of the facts themselves, so that a date or a model's name cannot be changed unseen either."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def open_lock(path: Path) -> Lock:
    """Read a lock by its JSON file and make sure that nothing in it has changed.

    Raises
    ------
    NotFoundError
        When one of its two files is missing.
    RefusedError
        When either file differs from what was locked. Cure: restore both from a copy.
    """
    data = path.with_suffix(".parquet")
    missing = [file for file in (path, data) if not file.exists()]
    if missing:
        raise NotFoundError(f"{missing[0]}: no such file; a lock is a .json and a .parquet file of the same name.")
    facts = _facts(path)
    content = data.read_bytes()
    if hashlib.sha256(content).hexdigest() != facts["sha256"]:
        raise RefusedError(f"{data}: has changed since it was locked (sha256 differs). Restore it from a copy.")
    return Lock(
        city=facts["city"],
        model=facts["model"],
        run_id=facts["run_id"],
        as_of=date.fromisoformat(facts["as_of"]),
        horizon_years=facts["horizon_years"],
        predictions=pl.read_parquet(io.BytesIO(content)),
    )


def _facts(path: Path) -> dict[str, Any]:
    try:
        facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        seal = facts.pop("seal")
    except (ValueError, KeyError, AttributeError, TypeError):
        raise RefusedError(f"{path}: is not a lock. Restore it from a copy.") from None
    if seal != _seal(facts):
        raise RefusedError(f"{path}: has changed since it was locked (seal differs). Restore it from a copy.")
    return facts
