"""The benchmarks' city: about 100,000 pipes, 25 years and 10,000 breaks, made by the demo's generator."""

from pathlib import Path

from vardag.demo import Town, town

SEED, KM, YEARS, BREAKS = 2025, 5000, 25, 10_000


def synthetic_city(folder: Path) -> Town:
    """Write the city folder (about 20 s) and return it with its truth."""
    return town(folder=folder, seed=SEED, km=KM, years=YEARS, breaks=BREAKS)
