"""The two spatial engines on the same joins, as ratios."""

import time
from collections.abc import Callable

import numpy as np
import polars as pl
import shapely

from vardag.core import spatial
from vardag.demo import Town

RADIUS_M = 300.0
POINTS = 10_000


def compare_engines(town: Town) -> None:
    """Print the time of DuckDB's joins and of shapely's, and their ratio: breaks near pipes."""
    pipes = town.pipes["geom"]
    x, y = spatial.midpoints(pipes)
    known = np.flatnonzero(np.isfinite(x))
    middles = pl.Series(shapely.to_wkb(shapely.points(x[known], y[known])).tolist(), dtype=pl.Binary)
    jobs: dict[str, Callable[[], object]] = {
        f"{pipes.len():,} pipes, {POINTS:,} breaks within 300 m": lambda: spatial.pairs_within(
            pipes, middles[:POINTS], distance_m=RADIUS_M
        ),
    }
    print("## Spatial engines\n\n| join | DuckDB, s | shapely, s | DuckDB / shapely |\n|---|---:|---:|---:|")
    for name, job in jobs.items():
        duckdb, shaped = seconds(job), seconds(job, engine="shapely")
        print(f"| {name} | {duckdb:.2f} | {shaped:.2f} | {duckdb / shaped:.2f} |")


def seconds(job: Callable[[], object], *, engine: str = "duckdb") -> float:
    """Best of three runs with an engine."""
    found = spatial.extension_path
    if engine == "shapely":
        spatial.extension_path = lambda: None  # type: ignore[assignment]
    try:
        return min(_once(job) for _ in range(3))
    finally:
        spatial.extension_path = found


def _once(job: Callable[[], object]) -> float:
    started = time.perf_counter()
    job()
    return time.perf_counter() - started
