"""``vardag water watch``: load whenever a file of a source has changed and is complete."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from vardag.core.errors import DatabaseError, VardagError
from vardag.water.city import City, matches
from vardag.water.commands.load import LoadReport, load
from vardag.water.sources.store import files_of

# Size and time of change of each file, by source.
Marks = dict[str, tuple[tuple[str, int, int], ...]]
# Seconds between the two looks that tell a whole file from one that is still being written.
SETTLE_S = 2.0


@dataclass
class Watch:
    """What is known of a folder between two looks.

    A file is complete when two looks in a row find the same size and time of change. One that fails to load is
    tried again when it changes; where the database was busy, at the next look.
    """

    folder: Path
    on_load: Callable[[LoadReport], None]
    on_error: Callable[[VardagError], None]
    seen: Marks = field(default_factory=dict)
    done: Marks = field(default_factory=dict)
    said: str = ""

    def look(self) -> bool:
        """Load what has changed and is complete; tell whether something is still being written."""
        try:
            now = _marks(self.folder)
            changed = [name for name, mark in now.items() if self.done.get(name) != mark]
            complete = [name for name in changed if self.seen.get(name) == now[name]]
            self.seen = now
            if complete:
                self._load(complete, now)
        except VardagError as error:
            self._say(error)
            return False
        return len(complete) < len(changed)

    def _load(self, names: list[str], now: Marks) -> None:
        for name in names:
            self.done[name] = now[name]
        try:
            report = load(self.folder, only=names)
        except DatabaseError:
            for name in names:
                del self.done[name]
            raise
        self.said = ""
        self.on_load(report)

    def _say(self, error: VardagError) -> None:
        """Say a fault once, not at every look."""
        if str(error) != self.said:
            self.said = str(error)
            self.on_error(error)


def watch(
    folder: Path,
    *,
    on_load: Callable[[LoadReport], None],
    on_error: Callable[[VardagError], None],
    every_s: float = 60.0,
    once: bool = False,
    stop: Event | None = None,
) -> None:
    """Look into a city folder again and again, and load the sources whose files have changed.

    Parameters
    ----------
    on_load, on_error
        Called after each load, and when one fails; the earlier load then stays in force.
    every_s
        Seconds between looks.
    once
        Look, wait until nothing is being written or `every_s` has passed, load and return.
    stop
        Ends the watch when set, after the load that is under way.
    """
    stop, keeper = stop or Event(), Watch(folder, on_load, on_error)
    pause = min(SETTLE_S, every_s)
    deadline = time.monotonic() + every_s
    while not stop.is_set():
        writing = keeper.look()
        if once and (not writing or time.monotonic() > deadline + pause):
            return
        stop.wait(pause if writing else every_s)


def _marks(folder: Path) -> Marks:
    """What the files of each source look like now; services have none and are not watched."""
    city = City.read(folder)
    return {name: _of_files(folder, source.path) for name, source in city.sources.items() if source.path}


def _of_files(folder: Path, pattern: str) -> tuple[tuple[str, int, int], ...]:
    delivered = [file for path in matches(folder, pattern) for file in files_of(path)]
    found = [path for path in [folder / "city.toml", *delivered] if path.exists()]
    states = [(path.name, path.stat()) for path in found]
    return tuple((name, state.st_size, state.st_mtime_ns) for name, state in states)
