"""What a source delivers: a file in the city folder, or one that is fetched from the address the city wrote.

Whatever a source is, it is a file before it is read. So one reader, one hash and one error path hold for all, and a
fetched delivery that has not changed costs no load.
"""

from dataclasses import dataclass
from pathlib import Path

from vardag.core.errors import InputError
from vardag.water.city import City, matches
from vardag.water.sources.remote import fetch


@dataclass(frozen=True)
class Delivery:
    """A file that is ready to be read.

    Attributes
    ----------
    path
        The file.
    origin
        Path in the city folder, or the address without secrets, for messages and the ``source`` table.
    service
        ``file``, or the kind of service it was fetched from.
    crs
        Coordinate system that the service stated; None where the file itself says it.
    """

    path: Path
    origin: str
    service: str = "file"
    crs: str | None = None


def deliver(city: City, name: str, *, offline: bool = False) -> Delivery:
    """Find, or fetch, what a source delivers now.

    Raises
    ------
    InputError
        When no file fits, or the service does not answer as it should; the earlier load stays in force.
    ConfigError
        When the environment variable that shall hold the service's token is not set.
    RefusedError
        When the source lies at an address and `offline` is asked for, or the service points to another host.
    """
    source = city.sources[name]
    if source.path is None:
        return fetch(city, name, offline=offline)
    return _file(city, name, source.path)


def _file(city: City, name: str, pattern: str) -> Delivery:
    """The newest file that fits: the latest by name among those changed last."""
    found = matches(city.folder, pattern)
    if not found:
        raise InputError(
            f"{name} ({pattern}): no such file in {city.folder}. Put it there, or mend path in city.toml."
        )
    newest = max(found, key=lambda path: (path.stat().st_mtime_ns, path.name))
    return Delivery(newest, newest.relative_to(city.folder).as_posix())
