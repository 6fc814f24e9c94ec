"""`make static`: the desk's browser libraries, from npm; the desk works without them."""

import sys
import tomllib
from pathlib import Path

from tools.npm import Package, UnavailableError, fetch

DESK = Path(__file__).parents[1] / "src" / "vardag" / "app" / "desk"
PINNED = DESK / "vendor.toml"
VENDOR = DESK / "static" / "vendor"


def main() -> int:
    """Fetch what is pinned; says in one line what could not be had."""
    for entry in tomllib.loads(PINNED.read_text(encoding="utf-8"))["package"]:
        package = Package(**entry)
        try:
            fetch(package, VENDOR)
        except UnavailableError as error:
            print(f"static: {package.name} is left out ({error}); the desk works without it")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
