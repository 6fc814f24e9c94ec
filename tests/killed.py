"""A small city, and a process that works on it until it is killed at a named step."""

import signal
import subprocess
import sys
from pathlib import Path

TOML = """
[city]
name = "Ytterby"
owner = "VA"
crs = "EPSG:3006"
[sources.pipes]
table = "pipe"
path = "pipes.csv"
[sources.pipes.columns]
pipe_id = "id"
length_m = "length"
[sources.breaks]
table = "break"
path = "breaks.csv"
[sources.breaks.columns]
break_date = "day"
asset_id = "pipe"
"""
LOAD = "import sys; from pathlib import Path; from vardag.water.commands.load import load; load(Path(sys.argv[1]))"
PUSH = (
    "import sys; from pathlib import Path; from vardag.water.commands.database import push; "
    "push(Path(sys.argv[1]), to=sys.argv[-1])"
)
KILLING = """
import importlib, os, signal, sys
target, moment, count = sys.argv[2], sys.argv[3], int(sys.argv[4])
module, _, path = target.partition(":")
where, *names = [importlib.import_module(module), *path.split(".")]
for name in names[:-1]:
    where = getattr(where, name)
real, calls = getattr(where, names[-1]), 0

def killing(*args, **kwargs):
    global calls
    calls += 1
    if moment == "before" and calls == count:
        os.kill(os.getpid(), signal.SIGKILL)
    result = real(*args, **kwargs)
    if calls == count:
        os.kill(os.getpid(), signal.SIGKILL)
    return result

setattr(where, names[-1], killing)
"""
# A function, and whether the process is killed before or after its n-th call.
Point = tuple[str, str, int]


def write(folder: Path, *, pipes: int, breaks: int) -> None:
    """Write the city's files, in the place of those that are there."""
    folder.mkdir(exist_ok=True)
    (folder / "city.toml").write_text(TOML, encoding="utf-8")
    rows = "".join(f"P{number},{10 + number % 90}\n" for number in range(pipes))
    (folder / "pipes.csv").write_text("id,length\n" + rows, encoding="utf-8")
    rows = "".join(f"20{number % 25:02d}-05-06,P{number % pipes}\n" for number in range(breaks))
    (folder / "breaks.csv").write_text("day,pipe\n" + rows, encoding="utf-8")


def kill_at(point: Point, program: str, folder: Path, *arguments: str) -> None:
    """Run a program and kill it at a point, which it must reach."""
    command = [sys.executable, "-c", KILLING + program, str(folder), *map(str, point), *arguments]
    killed = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert killed.returncode == -signal.SIGKILL, killed.stderr


def named(point: Point) -> str:
    """How a point is called among the tests."""
    return f"{point[0].rsplit(':', 1)[1]}-{point[1]}-{point[2]}"
