"""A real Tryton, started by the tests on loopback; its empty books are made once and copied."""

import fcntl
import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from vardag.core.errors import NotFoundError
from vardag.demo.finance.books import Entry, Party
from vardag.demo.finance.server import Finance, books, fill, require_tryton

CACHE = Path(".vardag-cache").absolute()


def require() -> None:
    """Tryton; without it the test is skipped by name, in CI it fails."""
    try:
        require_tryton()
    except NotFoundError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(f"tryton: {error}")


def empty_books(today: date) -> Finance:
    """Empty books, made by the first test process that asks and waited for by the others."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "tryton.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return books(CACHE, today=today)


def town_books(
    folder: Path, parties: Sequence[Party], entries: Sequence[Entry], *, today: date
) -> tuple[Finance, list[Entry]]:
    """Books with these customers and invoices in a folder of the test's own."""
    finance = empty_books(today).copy(folder)
    return finance, fill(finance, parties, entries)
