"""Screenshots as evidence: one folder for one piece of work, numbered as it went, with the hash of each.

The pictures show customers' names, so the folder and the files are for their owner's eyes only, and the audit log
carries hashes alone. ``SHA256SUMS`` in the folder is what ``sha256sum --check`` reads.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

SUMS = "SHA256SUMS"


@dataclass(frozen=True)
class Shot:
    """A screenshot: its file's name, and the SHA-256 of its bytes."""

    name: str
    sha256: str


class Evidence:
    """The folder of one piece of work.

    Parameters
    ----------
    root
        Where such folders are kept.
    work
        What is done, for the folder's name; letters, digits and hyphens of it are used.
    """

    def __init__(self, root: Path, work: str) -> None:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        started = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        self.folder = root / f"{started}-{slug(work)}"
        self.folder.mkdir(mode=0o700)
        self.shots: list[Shot] = []

    def keep(self, step: str, picture: bytes) -> Shot:
        """Write a screenshot down under the next number."""
        name = f"{len(self.shots) + 1:02d}-{slug(step)}.png"
        shot = Shot(name, hashlib.sha256(picture).hexdigest())
        self._write(name, picture)
        self.shots.append(shot)
        self._write(SUMS, "".join(f"{one.sha256}  {one.name}\n" for one in self.shots).encode())
        return shot

    def _write(self, name: str, content: bytes) -> None:
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_bytes(content)


def slug(text: str) -> str:
    """Letters, digits and hyphens of a text, so that it can be a file's name.

    >>> slug("Open F26000001 / form")
    'open-f26000001-form'
    """
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60]
