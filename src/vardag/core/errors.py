"""The exception tree, and the exit code of each class.

::

    VardagError            1   anything this product reports on purpose
    ├── InputError         2   a file or a row cannot be used as it is
    │   └── ConfigError    3   city.toml or a setting is wrong; names the line
    ├── DatabaseError      4   the database is missing, locked or of another version
    ├── NotFoundError      5   something asked for by name does not exist
    └── RefusedError       6   allowed by the computer, refused by a rule (a lock that exists, a calculation
                               that would look into the future)

A message names what was found, what was expected, how many rows, the first ids, and what to do. The command
line prints it without a traceback and ends with the class's exit code.
"""

from collections.abc import Iterable
from typing import ClassVar


class VardagError(Exception):
    """Base of every error that a user can cause; its text is meant for that user."""

    exit_code: ClassVar[int] = 1


class InputError(VardagError):
    """A file or a row cannot be used as it is."""

    exit_code = 2


class ConfigError(InputError):
    """``city.toml`` or a setting is wrong."""

    exit_code = 3


class DatabaseError(VardagError):
    """The database is missing, locked by another process or of another version."""

    exit_code = 4


class NotFoundError(VardagError):
    """Something asked for by name does not exist."""

    exit_code = 5


class RefusedError(VardagError):
    """The step is possible but a rule forbids it."""

    exit_code = 6


def first_ids(ids: Iterable[object], *, show: int = 3) -> str:
    """Write the first few ids for a message.

    >>> first_ids(["10080", "76299", "10110", "10111"])
    'first: 10080, 76299, 10110'
    """
    shown = [str(value) for _, value in zip(range(show), ids, strict=False)]
    return "first: " + ", ".join(shown) if shown else "first: none"
