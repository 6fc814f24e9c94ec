"""Pages of a fetch, kept until it is whole: a broken-off one goes on where it was, and nothing is half-replaced."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from heapq import merge
from itertools import islice
from pathlib import Path
from shutil import rmtree
from typing import Any

from vardag.core import parameters
from vardag.core.errors import InputError
from vardag.water.city import Source

Feature = dict[str, Any]
# Asks for the page at a place; gives its features, and the place of the next page or None.
Step = Callable[[Any], tuple[list[Feature], Any]]

STATE_FILE = "state.json"
RUN_ROWS = 50_000
AGAIN = "Load again: it starts from the beginning. The earlier load stays in force."


class Spool:
    """Pages that have come, and the place of the next one.

    Parameters
    ----------
    folder
        Folder of the source in the cache.
    where
        Source and address, for messages.
    asked
        What is asked for and of what state of the service; pages of another question are thrown away.
    """

    def __init__(self, folder: Path, *, where: str, asked: Any) -> None:
        self.where = where
        self.folder = folder / "under-way"
        self.asked = json.loads(json.dumps(asked))
        self.pages: list[dict[str, Any]] = self._kept()
        self.ids = {key for page in self.pages for key, _ in _entries(self.folder / page["file"])}
        if not self.pages:
            self._start()

    def run(self, first: Any, step: Step) -> None:
        """Ask for page after page, from where an earlier fetch ended."""
        place = self.pages[-1]["next"] if self.pages else first
        while place is not None:
            features, place = step(place)
            self.add(features, place)

    def add(self, features: list[Feature], place: Any) -> None:
        """Keep a page on disk: first its lines, then the fact that they are there."""
        keyed = [(json.dumps(feature.pop("id", None)), line_of(feature)) for feature in features]
        text = "".join(f"{key}\t{line}\n" for key, line in keyed)
        digest = hashlib.sha256(text.encode()).hexdigest()
        self._refuse_repeats([key for key, _ in keyed], digest)
        file = f"{len(self.pages) + 1:06}.page"
        write_whole(self.folder / file, text)
        self.pages.append({"file": file, "rows": len(keyed), "sha256": digest, "next": place})
        self.ids |= {key for key, _ in keyed}
        write_whole(self.folder / STATE_FILE, json.dumps({"asked": self.asked, "pages": self.pages}))

    @property
    def rows(self) -> int:
        """Features that have come."""
        return sum(page["rows"] for page in self.pages)

    def expect(self, rows: int) -> None:
        """Refuse a fetch with more or fewer features than the service counts."""
        if self.rows != rows:
            found = self.rows
            self.discard()
            raise InputError(
                f"{self.where}: got {found:,} features, the service counts {rows:,}; its data changed meanwhile, "
                f"or it leaves some out. {AGAIN} If it persists, ask for fewer at a time (page_rows)."
            )

    def features(self) -> Iterator[tuple[str, str]]:
        """Id and line of every feature, in the order they came."""
        for page in self.pages:
            yield from _entries(self.folder / page["file"])

    def finish(self, target: Path) -> Path:
        """Put the features in the place of the earlier delivery, in order of their ids, in one step."""
        write_sorted(target, self.features(), where=self.where)
        self.discard()
        return target

    def discard(self) -> None:
        """Throw the pages away."""
        rmtree(self.folder, ignore_errors=True)
        self.pages, self.ids = [], set()

    def _start(self) -> None:
        self.discard()
        self.folder.mkdir(mode=0o700, parents=True)

    def _kept(self) -> list[dict[str, Any]]:
        """Pages of an earlier try that asked the same, as long as their files are whole."""
        try:
            state = json.loads((self.folder / STATE_FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return []
        if state["asked"] != self.asked:
            return []
        pages: list[dict[str, Any]] = state["pages"]
        whole = all(_digest(self.folder / page["file"]) == page["sha256"] for page in pages)
        return pages if whole else []

    def _refuse_repeats(self, keys: list[str], digest: str) -> None:
        number = len(self.pages) + 1
        named = [key for key in keys if key != "null"]
        again = [key for key in named if key in self.ids]
        whole = bool(keys) and digest in {page["sha256"] for page in self.pages}
        if not again and not whole and len(set(named)) == len(named):
            return
        self.discard()
        which = f"{len(again):,} of its {len(keys):,} features" if again else "its features"
        first = f" (first: {', '.join(again[:3])})" if again else ""
        raise InputError(
            f"{self.where}: page {number} repeats what came before: {which} came already{first}. The service does "
            f"not page as it says, or its data changed meanwhile. {AGAIN} If it persists, set page_rows higher "
            "than the number of features, or ask the service's owner."
        )


def line_of(feature: Feature) -> str:
    """A feature as one line of a GeoJSON text sequence; the same content gives the same bytes."""
    values, place = (_packed(feature.get(part)) for part in ("properties", "geometry"))
    # GDAL knows a text sequence by a line that begins so.
    return f'{{"type":"Feature","properties":{values},"geometry":{place}}}'


def target_of(folder: Path, layer: str | None) -> Path:
    """File of a delivery; its name is the layer's, which is how GDAL calls its only layer."""
    return folder / f"{(layer or 'features').replace('/', '_')}.geojsonl"


def page_rows(source: Source) -> int:
    """Features to ask for at a time."""
    values = parameters.load(Path(__file__).parents[2] / "parameters.yaml")
    return source.page_rows or int(values.value("fetch_page_rows"))


def write_sorted(target: Path, lines: Iterable[tuple[str, str]], *, where: str) -> None:
    """Write lines in order of their ids, numbers as numbers; without ids in the order they came.

    Only `RUN_ROWS` lines are held at a time: each such run is sorted on disk, and the runs are merged.
    """
    folder = target.parent / "sorting"
    rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    try:
        runs = list(_runs(folder, iter(lines)))
        if not runs:
            raise InputError(
                f"{where}: the service has no features for this question. Look at layer, filter and bbox in "
                "city.toml."
            )
        merged = merge(*(_entries(run) for run in runs), key=_place)
        write_lines(target, (f"{line}\n" for _, line in merged))
    finally:
        rmtree(folder, ignore_errors=True)


def _runs(folder: Path, lines: Iterator[tuple[str, str]]) -> Iterator[Path]:
    while some := sorted(islice(lines, RUN_ROWS), key=_place):
        run = folder / f"{len(list(folder.iterdir())) + 1:06}.run"
        write_lines(run, (f"{key}\t{line}\n" for key, line in some))
        yield run


def _entries(path: Path) -> Iterator[tuple[str, str]]:
    """Id and line of every feature of a page or a run."""
    with path.open(encoding="utf-8", newline="\n") as file:
        for text in file:
            key, _, line = text.rstrip("\n").partition("\t")
            yield key, line


def _packed(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _digest(file: Path) -> str | None:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None


def _place(entry: tuple[str, str]) -> tuple[int, float, str]:
    value = json.loads(entry[0])
    return (
        (0, float(value), "") if isinstance(value, int | float) else (1, 0.0, "" if value is None else str(value))
    )


def write_whole(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all."""
    write_lines(path, [text])


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write a file line by line so that it is there whole or not at all."""
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
