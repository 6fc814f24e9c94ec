"""The register of the desk's people: name, roles, language. A name is never given to somebody else."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from vardag.core.errors import InputError, NotFoundError, RefusedError
from vardag.invoices.store import Transaction, insert_new
from vardag.invoices.store import person as table

NAME = re.compile(r"[\w.@+-]{1,100}")


class Role(StrEnum):
    """What a person is at the desk; one may be several."""

    CASEWORKER = "caseworker"
    OWNER = "owner"
    CONTROLLER = "controller"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True)
class Person:
    """Somebody who may sign in.

    Attributes
    ----------
    secret
        Salted hash of the password; empty where there is none, and another program vouches for the person.
    active
        False for one who has left: the name stays in the log, and is not used again.
    """

    name: str
    roles: frozenset[Role]
    secret: str
    language: str
    active: bool


def spelled(name: str) -> str:
    """A name in one spelling, whether or not it can be a user's."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def plain(name: str) -> str:
    """A user name in the one form it is kept in.

    >>> plain(" Anna.Berg ")
    'anna.berg'

    Raises
    ------
    InputError
        When it holds anything but letters, figures and ``._@+-``.
    """
    found = spelled(name)
    if not NAME.fullmatch(found):
        raise InputError(f"{name!r} is no user name: letters, figures and ._@+- only, at most 100.")
    return found


def add(tx: Transaction, name: str, *, roles: Iterable[Role], secret: str, language: str) -> Person:
    """Write a person in; one who had left comes back.

    Raises
    ------
    RefusedError
        When there is somebody with this name.
    """
    made = Person(plain(name), frozenset(roles), secret, language, True)
    row = {"roles": sorted(made.roles), "secret": secret, "language": language, "active": True}
    if not insert_new(tx, table, name=made.name, **row):
        if get(tx, made.name).active:
            raise RefusedError(f"{made.name} is there already. Change it with: vardag invoices person roles")
        _change(tx, made.name, **row)
    return made


def get(tx: Transaction, name: str, *, lock: bool = False) -> Person:
    """A person by name; locked, where nothing about them may change until the transaction ends.

    Raises
    ------
    NotFoundError
        When there is none.
    """
    query = sa.select(table).where(table.c.name == plain(name))
    row = tx.execute(query.with_for_update() if lock else query).first()
    if row is None:
        raise NotFoundError(f"nobody is called {name}. List the people with: vardag invoices person list")
    return _person(row)


def known(tx: Transaction, name: str, *, lock: bool = False) -> Person | None:
    """Who may sign in under a name; None for nobody, and for a name that cannot be one."""
    try:
        found = get(tx, name, lock=lock)
    except (InputError, NotFoundError):
        return None
    return found if found.active else None


def listed(tx: Transaction) -> list[Person]:
    """Everybody, those who have left too, by name."""
    return [_person(row) for row in tx.execute(sa.select(table).order_by(table.c.name))]


def give_roles(tx: Transaction, name: str, roles: Iterable[Role]) -> Person:
    """Give a person these roles and no others.

    Raises
    ------
    RefusedError
        When nobody would be administrator any more.
    """
    _keep_an_administrator(tx, name, roles)
    return _change(tx, name, roles=sorted(set(roles)))


def give_secret(tx: Transaction, name: str, secret: str) -> Person:
    """Give a person another password, as its hash."""
    return _change(tx, name, secret=secret)


def speak(tx: Transaction, name: str, language: str) -> Person:
    """Set a person's language."""
    return _change(tx, name, language=language)


def remove(tx: Transaction, name: str) -> Person:
    """Let a person in no more; the name stays, for the log names it."""
    _keep_an_administrator(tx, name, ())
    return _change(tx, name, active=False, secret="", roles=[])


def _keep_an_administrator(tx: Transaction, name: str, roles: Iterable[Role]) -> None:
    others = [one for one in listed(tx) if one.active and one.name != plain(name)]
    if Role.ADMINISTRATOR not in get(tx, name).roles or Role.ADMINISTRATOR in set(roles):
        return
    if others and not any(Role.ADMINISTRATOR in one.roles for one in others):
        raise RefusedError(f"{name} is the last administrator. Give somebody else the role first.")


def _change(tx: Transaction, name: str, **values: Any) -> Person:
    tx.execute(sa.update(table).where(table.c.name == get(tx, name).name).values(**values))
    return get(tx, name)


def _person(row: sa.Row[Any]) -> Person:
    roles = frozenset(Role(role) for role in row.roles if role in set(Role))
    return Person(row.name, roles, row.secret, row.language, bool(row.active))
