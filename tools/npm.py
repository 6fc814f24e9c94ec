"""Files of pinned npm packages, fetched with npm's own client at set-up and checked against their hash.

No script of a package is run. Where npm is missing, or its registry cannot be reached, whoever asked goes without.
"""

import base64
import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SECONDS = 300


class UnavailableError(Exception):
    """The package could not be had, or is not the one that was pinned; says why."""


@dataclass(frozen=True)
class Package:
    """A pinned package.

    Attributes
    ----------
    integrity
        SHA-512 of its archive in base64, as npm writes it.
    files
        Files that are wanted, by their place in the package, and the names that they get.
    """

    name: str
    version: str
    integrity: str
    files: Mapping[str, str]


def fetch(package: Package, folder: Path) -> None:
    """Lay a package's wanted files into a folder, all or none.

    Raises
    ------
    UnavailableError
        When npm is missing or fails, or the archive's hash is another than the pinned one.
    """
    if shutil.which("npm") is None:
        raise UnavailableError("npm is not installed")
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        archive = _packed(package, place)
        _check(package, archive)
        found = _wanted(package, archive)
    for name, data in found.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        making = path.with_name(f"{path.name}.{os.getpid()}")
        making.write_bytes(data)
        making.replace(path)


def _packed(package: Package, place: Path) -> Path:
    """The package's archive, as npm hands it over."""
    command = ["npm", "pack", "--silent", "--ignore-scripts", f"{package.name}@{package.version}"]
    try:
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise UnavailableError(f"npm pack took more than {SECONDS} s") from None
    archives = list(place.glob("*.tgz"))
    if done.returncode != 0 or len(archives) != 1:
        raise UnavailableError(f"npm pack failed ({done.returncode})")
    return archives[0]


def _check(package: Package, archive: Path) -> None:
    found = "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if found != package.integrity:
        raise UnavailableError(f"{package.name}@{package.version}: its hash is {found}, not {package.integrity}")


def _wanted(package: Package, archive: Path) -> dict[str, bytes]:
    """The wanted files' bytes; nothing else is unpacked."""
    found: dict[str, bytes] = {}
    with tarfile.open(archive, "r:gz") as tar:
        for inside, name in package.files.items():
            try:
                file = tar.extractfile(f"package/{inside}")
            except KeyError:
                file = None
            if file is None:
                raise UnavailableError(f"{package.name}@{package.version} has no {inside}")
            found[name] = file.read()
    return found
