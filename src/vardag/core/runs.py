"""The run record: what was run, on what, with which seed, how long each step took and how much memory.

A run is written to the tables ``run`` and ``run_step`` when it ends, also when it fails, so that every published
number can be traced and repeated.
"""

import json
import platform
import resource
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import duckdb
import polars as pl

from vardag import __version__
from vardag.core.db import insert

DDL = """
CREATE TABLE IF NOT EXISTS run (
    run_id TEXT PRIMARY KEY, command TEXT, version TEXT, python TEXT, started_at TIMESTAMPTZ, seconds DOUBLE,
    status TEXT, seed BIGINT, configuration_hash TEXT, inputs TEXT, error TEXT);
CREATE TABLE IF NOT EXISTS run_step (
    run_id TEXT, step INTEGER, name TEXT, seconds DOUBLE, peak_memory_mb DOUBLE, rows_in BIGINT, rows_out BIGINT,
    rows_dropped BIGINT);
"""


@dataclass
class Step:
    """One named step of a run; `rows` may be filled in by the step itself."""

    name: str
    seconds: float = 0.0
    peak_memory_mb: float = 0.0
    rows_in: int | None = None
    rows_out: int | None = None
    rows_dropped: int | None = None
    report: Callable[[str, float], None] | None = None

    def advance(self, done: int, total: int) -> None:
        """Tell how far the step has come; the command line shows the time left with it."""
        if self.report:
            self.report(self.name, done / max(total, 1))

    def as_row(self) -> dict[str, Any]:
        """Return what is recorded of the step."""
        return {name: value for name, value in vars(self).items() if name != "report"}

    def rows(self, *, rows_in: int | None = None, rows_out: int | None = None) -> None:
        """Note how many rows went in and came out; the difference was dropped."""
        self.rows_in, self.rows_out = rows_in, rows_out
        if rows_in is not None and rows_out is not None:
            self.rows_dropped = max(rows_in - rows_out, 0)


@dataclass
class Run:
    """A running command: its identity, and the steps it has taken so far.

    Parameters
    ----------
    command
        Name of the command, such as ``water predict``.
    seed
        Seed of everything random in the run; None where nothing is.
    configuration_hash, inputs
        Hash of the city.toml and content hash per source, so that the run can be repeated on the same ground.
    on_step
        Called with the name of a step and how much of it is done, 0 to 1; the command line shows progress with it.
    """

    command: str
    seed: int | None = None
    configuration_hash: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    on_step: Callable[[str, float], None] | None = None
    run_id: str = field(default_factory=lambda: secrets.token_hex(6))
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    status: str = "running"
    error: str = ""
    steps: list[Step] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Time a named step and sample the peak memory while it runs."""
        step = Step(name, report=self.on_step)
        self.steps.append(step)
        step.advance(0, 1)
        started = time.perf_counter()
        with _peak_memory(step):
            yield step
        step.seconds = round(time.perf_counter() - started, 3)
        step.advance(1, 1)

    def summary(self) -> dict[str, Any]:
        """Return the run as plain values, for the report and for ``--json``."""
        steps = [step.as_row() for step in self.steps]
        return {
            "run_id": self.run_id,
            "command": self.command,
            "version": __version__,
            "started_at": self.started_at.isoformat(timespec="seconds"),
            "seed": self.seed,
            "status": self.status,
            "configuration_hash": self.configuration_hash,
            "inputs": dict(self.inputs),
            "steps": steps,
        }


@contextmanager
def recorded(connection: duckdb.DuckDBPyConnection, run: Run) -> Iterator[Run]:
    """Record a run in the database when the block ends, whether it succeeds or fails."""
    try:
        yield run
        run.status = "done"
    except BaseException as error:
        run.status, run.error = "failed", f"{type(error).__name__}: {error}"[:2000]
        raise
    finally:
        _write(connection, run)


def _write(connection: duckdb.DuckDBPyConnection, run: Run) -> None:
    connection.execute(DDL)
    seconds = (datetime.now(UTC) - run.started_at).total_seconds()
    connection.execute(
        "INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            run.run_id,
            run.command,
            __version__,
            platform.python_version(),
            run.started_at,
            seconds,
            run.status,
            run.seed,
            run.configuration_hash,
            json.dumps(dict(run.inputs)),
            run.error,
        ],
    )
    numbered = enumerate(run.steps, start=1)
    rows = [{"run_id": run.run_id, "step": number, **step.as_row()} for number, step in numbered]
    if rows:
        insert(connection, "run_step", pl.DataFrame(rows, infer_schema_length=None))


def resident_mb() -> float:
    """Memory of this process now, in MB (the peak so far where the system does not say)."""
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123 - a system file, read many times
            return int(statm.read().split()[1]) * resource.getpagesize() / 1e6
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


@contextmanager
def _peak_memory(step: Step) -> Iterator[None]:
    done = threading.Event()

    def sample() -> None:
        while not done.wait(0.05):
            step.peak_memory_mb = max(step.peak_memory_mb, round(resident_mb(), 1))

    step.peak_memory_mb = round(resident_mb(), 1)
    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
