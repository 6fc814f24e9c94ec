"""axe-core, which looks for what keeps people with a disability out of a page; fetched once with npm."""

import fcntl
import os
from pathlib import Path

import pytest
from tools.npm import Package, UnavailableError, fetch

CACHE = Path(__file__).parents[2] / ".vardag-cache"
AXE = Package(
    name="axe-core",
    version="4.14.1",
    integrity="sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
    files={"axe.min.js": "axe.min.js"},
)


def require() -> Path:
    """The script; without npm or its registry the test is skipped by name, in CI it fails."""
    folder = CACHE / f"axe-core-{AXE.version}"
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "axe.lock").open("w") as lock:  # the first test process fetches, the others wait
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "axe.min.js").exists():
            try:
                fetch(AXE, folder)
            except UnavailableError as error:
                message = f"axe-core could not be had: {error} (apt-get install npm)"
                if os.environ.get("CI") == "true":
                    pytest.fail(message)
                pytest.skip(message)
    return folder / "axe.min.js"
