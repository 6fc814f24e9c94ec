"""`make bench-peers`: other people's models and ours on the same pipe-years, in one table.

Without a city the demo town is made and tested on its last ten years.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.peers.city import city_panel
from benchmarks.peers.comparison import compare
from benchmarks.peers.table import markdown
from vardag.core.config import DEFAULT_SEED
from vardag.water.commands.evaluate import test_years

try:
    from benchmarks.peers.roster import peers
except ModuleNotFoundError as missing:
    raise SystemExit(
        f"{missing.name}: not in this environment, which is the product's. `make bench-peers` makes the peers' own."
    ) from None


def main() -> None:
    """Read the pipe-years, compare, print the table and write it where asked."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as scratch:
        city, panel = city_panel(arguments.city, Path(scratch))
    comparison = compare(
        panel,
        models=peers(seed=arguments.seed),
        years=test_years(panel, arguments.first, arguments.last),
        tell=lambda what: print(what, file=sys.stderr, flush=True),
    )
    text = markdown(comparison, city=city, seed=arguments.seed)
    print(text)
    if arguments.out:
        arguments.out.write_text(text, encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--city", type=Path, help="a loaded city folder; it is copied, not changed")
    parser.add_argument("--first", type=int, help="first test year")
    parser.add_argument("--last", type=int, help="last test year")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="seed of everything random")
    parser.add_argument("--out", type=Path, help="file to write the table to")
    return parser.parse_args()


if __name__ == "__main__":
    main()
