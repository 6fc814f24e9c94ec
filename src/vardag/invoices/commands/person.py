"""`vardag invoices person`, and the desk's page of people: each change is an entry in the audit log."""

from collections.abc import Iterable

from vardag.core.errors import InputError
from vardag.core.texts import LANGUAGES
from vardag.invoices import audit
from vardag.invoices.persons import Person, Role, hashed, parameters, register, sessions
from vardag.invoices.store import Store


def add(
    store: Store, name: str, *, roles: Iterable[Role], by: str, password: str = "", language: str = "sv"
) -> Person:
    """Let somebody in; without a password only where the city's own sign-in vouches for the person."""
    secret = hashed(long_enough(password)) if password else ""
    with store.begin() as tx:
        made = register.add(tx, name, roles=roles, secret=secret, language=language)
        audit.append(tx, "person added", actor=by, person=made.name, roles=sorted(made.roles))
    return made


def give_roles(store: Store, name: str, roles: Iterable[Role], *, by: str) -> Person:
    """Give a person these roles and no others."""
    with store.begin() as tx:
        before = register.get(tx, name).roles
        left = register.give_roles(tx, name, roles)
        was, now = sorted(before), sorted(left.roles)
        audit.append(tx, "roles given", actor=by, person=left.name, before=was, roles=now)
    return left


def give_password(store: Store, name: str, password: str, *, by: str, keep: str = "") -> Person:
    """Give a person another password; every session but the one with this token ends."""
    secret = hashed(long_enough(password))
    with store.begin() as tx:
        left = register.give_secret(tx, name, secret)
        sessions.end_all(tx, left.name, but=keep)
        audit.append(tx, "password given", actor=by, person=left.name)
    return left


def remove(store: Store, name: str, *, by: str) -> Person:
    """Let a person in no more; what the log says of them stays."""
    with store.begin() as tx:
        left = register.remove(tx, name)
        sessions.end_all(tx, left.name)
        audit.append(tx, "person removed", actor=by, person=left.name)
    return left


def speak(store: Store, name: str, language: str) -> Person:
    """Set a person's language; no entry in the log, for it changes nothing for anybody else."""
    if language not in LANGUAGES:
        raise InputError(f"{language!r} is no language of the desk: {', '.join(LANGUAGES)}.")
    with store.begin() as tx:
        return register.speak(tx, name, language)


def listed(store: Store) -> list[Person]:
    """Everybody, by name."""
    with store.read() as tx:
        return register.listed(tx)


def long_enough(password: str) -> str:
    """The password, where it is long enough.

    Raises
    ------
    InputError
        When it is not; says how long it has to be.
    """
    least = int(parameters().value("password_least"))
    if len(password) < least:
        raise InputError(f"the password has {len(password)} characters; it needs at least {least}.")
    return password
