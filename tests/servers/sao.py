"""Tryton's own web client, fetched once with npm into the cache folder; trytond serves it as files."""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest

# npm has no 8.2 of the client yet. The 8.0 one speaks to an 8.2 server once it is told that it is of the same
# series; when npm has it, this is its version and the telling does nothing.
VERSION = "8.0.11"
TOLD = ("__version__: '8.0.11'", "__version__: '8.2.0'")
CACHE = Path(__file__).parents[2] / ".vardag-cache"
PARTS = ("dist", "images", "locale", "sounds", "index.html")
INSTALL = ("npm", "install", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund", "--no-save", "--prefix")
SECONDS = 300


def require() -> Path:
    """Folder of the client; without npm or its registry the test is skipped by name, in CI it fails."""
    folder = CACHE / f"tryton-sao-{VERSION}"
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "sao.lock").open("w") as lock:  # the first test process fetches, the others wait
        fcntl.flock(lock, fcntl.LOCK_EX)
        why = "" if (folder / "web" / "index.html").exists() else _fetch(folder)
    if not why:
        return folder / "web"
    message = f"sao: Tryton's web client could not be had: {why} (apt-get install npm)"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


def _fetch(folder: Path) -> str:
    """Install the client; says why not."""
    if shutil.which("npm") is None:
        return "npm is not installed"
    making = folder.with_name(f"{folder.name}-{os.getpid()}")
    making.mkdir(parents=True)
    try:
        command = [*INSTALL, str(making), f"tryton-sao@{VERSION}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
        if done.returncode != 0:
            return f"npm install failed ({done.returncode})"
        _lay(making)
        shutil.rmtree(folder, ignore_errors=True)
        making.rename(folder)
    except subprocess.TimeoutExpired:
        return f"npm install took more than {SECONDS} s"
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return ""


def _lay(folder: Path) -> None:
    """Lay the client and what it needs as its page expects them."""
    package, web = folder / "node_modules" / "tryton-sao", folder / "web"
    web.mkdir()
    for part in PARTS:
        (package / part).rename(web / part)
    (web / "node_modules").symlink_to("../node_modules")
    script = web / "dist" / "tryton-sao.js"
    script.write_text(script.read_text().replace(*TOLD))
