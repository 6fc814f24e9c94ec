"""`make bench`: whole commands against their budgets, and the spatial engines against each other, in one run.

Each city is loaded, predicted and published by the command line in processes of their own, so that the memory is
that of the command. Figures are seconds and the share of the budget; budgets are those of the project's first
issue: Kitchener under 30 s, a synthetic city of 100,000 pipes under 120 s and 4 GB, on two cores.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import fit
from benchmarks.engines import compare_engines
from benchmarks.large_city import large_city
from benchmarks.linking import compare_links
from benchmarks.synthetic_city import synthetic_city

COMMANDS = ("load", "predict", "publish")


@dataclass(frozen=True)
class Budget:
    """Seconds and GB that a city may take from its files to a ranked GeoPackage."""

    seconds: float
    gigabytes: float


def main() -> None:
    """Run the benchmarks and print a Markdown table of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kitchener", type=Path, help="folder with Kitchener's three CSV files")
    parser.add_argument("--server", help="postgresql://... with PostGIS, where the large city may be pushed")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}\n")
        if arguments.kitchener:
            folder = copy_kitchener(arguments.kitchener, Path(scratch) / "kitchener")
            measure_city("Kitchener, 15,903 pipes", folder, Budget(30, 4))
        folder = Path(scratch) / "city"
        town = synthetic_city(folder)
        measure_city(
            f"Synthetic city, {town.pipes.height:,} pipes, {town.log.height:,} events", folder, Budget(120, 4)
        )
        compare_engines(town)
        measure_large(Path(scratch) / "large", arguments.server)
        compare_links(Path(scratch), arguments.kitchener)
    fit.main([])


def measure_large(folder: Path, server: str | None) -> None:
    """Load, link and join a million breaks; load again; push to a server where one is given."""
    large_city(folder)
    print("## 1,000,000 breaks, 100,000 pipes, 200,000 soil polygons, 500,000 roads\n")
    print("| command | seconds | peak memory, GB | share of the budget |\n|---|---:|---:|---:|")
    load, check, again = (run_command(command, folder) for command in ("load", "check", "load"))
    both = load[0] + check[0]
    for name, (took, peak) in {"load": load, "check (links and joins)": check}.items():
        print(f"| vardag water {name} | {took:.1f} | {peak:.2f} | |")
    print(
        f"| **loaded, linked and joined** | **{both:.1f}** | **{max(load[1], check[1]):.2f}** | {both / 60:.2f} |"
    )
    print(f"| the same load again | {again[0]:.1f} | {again[1]:.2f} | {again[0] / 5:.2f} |")
    if server:
        for name, budget in (("push", 120), ("push again", 5)):
            took, peak = run_command("push", folder, group="db", options=["--server", server])
            print(f"| vardag db {name} | {took:.1f} | {peak:.2f} | {took / budget:.2f} |")


def copy_kitchener(data: Path, folder: Path) -> Path:
    """Put the data beside the example's city.toml."""
    folder.mkdir()
    example = Path(__file__).parents[1] / "examples" / "kitchener" / "city.toml"
    for file in [example, *data.glob("*.csv")]:
        shutil.copy(file, folder)
    return folder


def measure_city(title: str, folder: Path, budget: Budget) -> None:
    """Run load, predict and publish; print each step's seconds and memory, and the sum against the budget."""
    print(f"## {title}\n\n| command or step | seconds | peak memory, GB |\n|---|---:|---:|")
    seconds, gigabytes = 0.0, 0.0
    for command in COMMANDS:
        took, peak = run_command(command, folder)
        seconds, gigabytes = seconds + took, max(gigabytes, peak)
        print(f"| **vardag water {command}** | {took:.1f} | {peak:.2f} |")
        for name, step_seconds, megabytes in recorded_steps(folder, command):
            print(f"| {name} | {step_seconds:.1f} | {megabytes / 1000:.2f} |")
    print(f"| **from files to GeoPackage** | **{seconds:.1f}** | **{gigabytes:.2f}** |")
    shares = f"{seconds / budget.seconds:.2f} | {gigabytes / budget.gigabytes:.2f}"
    print(f"| share of the budget ({budget.seconds:g} s, {budget.gigabytes:g} GB) | {shares} |\n")


def run_command(
    command: str, folder: Path, *, group: str = "water", options: Sequence[str] = ()
) -> tuple[float, float]:
    """Seconds and peak memory in GB of one command of the command line."""
    program = (
        "import resource, runpy, sys; sys.argv = ['vardag', *sys.argv[1:]]\n"
        "try: from vardag.app.cli import main; main()\n"
        "finally: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
    )
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", program, group, command, str(folder), "--json", *options],
        check=True,
        capture_output=True,
        text=True,
    )
    return time.perf_counter() - started, int(done.stderr.split()[-1]) / 1e6


def recorded_steps(folder: Path, command: str) -> list[tuple[str, float, float]]:
    """Steps of the last run of a command, from the run record."""
    query = (
        "import duckdb, json, sys; c = duckdb.connect(sys.argv[1], read_only=True); print(json.dumps(c.execute("
        "'SELECT name, s.seconds, peak_memory_mb FROM run_step s JOIN run r USING (run_id) WHERE r.run_id = ("
        "SELECT arg_max(run_id, started_at) FROM run WHERE command = ?) ORDER BY step', [sys.argv[2]]).fetchall()))"
    )
    database = folder / "vardag.duckdb"
    done = subprocess.run(
        [sys.executable, "-c", query, str(database), f"water {command}"], check=True, capture_output=True, text=True
    )
    return [tuple(row) for row in json.loads(done.stdout)]


if __name__ == "__main__":
    main()
