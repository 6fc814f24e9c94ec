"""Where a password comes from: the environment, a file, or the machine's keyring; never a settings file.

A setting names the place, ``env:NAME``, ``file:PATH`` or ``keyring:SERVICE/USER``; the word itself is fetched when
it is needed and kept nowhere.
"""

import os
import stat
from collections.abc import Callable
from pathlib import Path

from vardag.core.errors import ConfigError, NotFoundError

PLACES = "env:NAME, file:PATH or keyring:SERVICE/USER"


def secret(place: str, *, folder: Path | None = None) -> Callable[[], str]:
    """A function that fetches the secret.

    Parameters
    ----------
    place
        ``env:NAME``, ``file:PATH`` (relative to `folder`) or ``keyring:SERVICE/USER``.

    Raises
    ------
    ConfigError
        When the place is of none of these kinds; what was written there is not repeated, it may be the secret.

    Examples
    --------
    >>> os.environ["VARDAG_EXAMPLE"] = "word"
    >>> secret("env:VARDAG_EXAMPLE")()
    'word'
    """
    kind, colon, where = place.partition(":")
    if not colon or not where or kind not in FROM:
        raise ConfigError(f"a secret's place is written {PLACES}; it is never the secret itself.")
    return lambda: FROM[kind](where, folder or Path())


def _from_environment(name: str, _folder: Path) -> str:
    if not os.environ.get(name):
        raise NotFoundError(f"the environment has no {name}. Set it, or name another place: {PLACES}.")
    return os.environ[name]


def _from_file(path: str, folder: Path) -> str:
    file = folder / path
    try:
        mode = file.stat().st_mode
        word = file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise NotFoundError(f"{file}: the secret cannot be read ({error.strerror}).") from None
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(f"{file}: others may read this secret. Mend it with: chmod 600 {file}")
    return word


def _from_keyring(where: str, _folder: Path) -> str:
    import keyring  # noqa: PLC0415 - looks for the desktop's keyring when imported
    from keyring.errors import KeyringError  # noqa: PLC0415

    service, _, user = where.rpartition("/")
    try:
        found = keyring.get_password(service, user)
    except KeyringError as error:
        raise NotFoundError(f"the keyring cannot be opened: {error}") from None
    if not found:
        raise NotFoundError(f"the keyring has nothing for {user} at {service}. Add it with: keyring set")
    return found


FROM = {"env": _from_environment, "file": _from_file, "keyring": _from_keyring}
