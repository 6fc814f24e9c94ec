"""A small city that delivered its register twice, and has a prediction."""

from datetime import date
from pathlib import Path

from vardag.water.commands.load import load
from vardag.water.commands.predict import predict

CITY = """
[city]
name = "Ytterby"
owner = "VA"
crs = "EPSG:3006"
record_start = 2010-01-01
record_end = 2023-12-31
[sources.pipes]
table = "pipe"
path = "pipes.csv"
columns = { pipe_id = "id", material = "material", install_year = "laid" }
geometry = { wkt = "wkt" }
[sources.breaks]
table = "break"
path = "breaks.csv"
columns = { break_date = "day", asset_id = "pipe" }
"""


def predicted(folder: Path) -> Path:
    """Load both deliveries, and predict the year of the last break."""
    folder.mkdir(exist_ok=True)
    (folder / "city.toml").write_text(CITY, encoding="utf-8")
    for pipes in (400, 401):
        deliver(folder, pipes=pipes)
        load(folder)
    predict(folder, as_of=date(2021, 12, 31))
    return folder


def deliver(folder: Path, *, pipes: int) -> None:
    """Write the files; the last pipe is the latest."""
    shape = '"LINESTRING (674000 {y}, 674100 {y})"'
    lines = [f"P{n},GJJ,{1950 + n % 40}," + shape.format(y=6_580_000 + 20 * n) for n in range(pipes)]
    (folder / "pipes.csv").write_text("\n".join(["id,material,laid,wkt", *lines]) + "\n", encoding="utf-8")
    days = [f"20{12 + n}-12-06,P{n % 9}" for n in range(11)]
    (folder / "breaks.csv").write_text("\n".join(["day,pipe", *days]) + "\n", encoding="utf-8")
