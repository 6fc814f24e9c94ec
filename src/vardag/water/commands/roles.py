"""`vardag db roles`: who may do what with a city on a server."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from psycopg.errors import InsufficientPrivilege

from vardag.core.errors import DatabaseError, InputError, NotFoundError
from vardag.core.postgres import Rows, execute, quoted
from vardag.water.city import City, did_you_mean
from vardag.water.commands.database import place_of, server_of, smallest
from vardag.water.schema.roles import KINDS, has_roles, make_roles, role_name


@dataclass(frozen=True)
class Roles:
    """Who has which role.

    Attributes
    ----------
    members
        Logins by role, in the order of `KINDS`.
    owners
        Logins by source.
    """

    server: str
    members: dict[str, tuple[str, ...]]
    owners: dict[str, tuple[str, ...]]


def roles(
    folder: Path,
    *,
    server: str | None = None,
    readers: Sequence[str] = (),
    planners: Sequence[str] = (),
    owners: Sequence[tuple[str, str]] = (),
    remove: Sequence[str] = (),
) -> Roles:
    """Make the city's roles on the server, give them their rights, and make people members of them.

    Parameters
    ----------
    server
        Address, ``postgresql://...``; ``VARDAG_DATABASE`` unless given. The user must be the keeper of the city's
        schema and may make roles.
    readers, planners
        Logins that become members.
    owners
        Pairs of a source in city.toml and a login that owns it.
    remove
        Logins that lose every role of this city; done first.

    Raises
    ------
    NotFoundError
        When there is no such login or source.
    DatabaseError
        When the user may not make roles. Nothing has been changed then.
    """
    city, place = place_of(folder, server)
    with server_of(city, place, make=False) as connection:
        _check(connection, city, [*readers, *planners, *(login for _, login in owners), *remove], owners)
        try:
            with connection.transaction():
                make_roles(connection, place.schema, smallest=smallest())
                for login in remove:
                    _remove(connection, place.schema, login)
                for kind, logins in (("reader", readers), ("planner", planners)):
                    for login in logins:
                        _add(connection, place.schema, kind, login)
                for source, login in owners:
                    _own(connection, place.schema, source, login)
        except InsufficientPrivilege as error:
            raise DatabaseError(
                f"{place.key}: {str(error).splitlines()[0]}. Roles are made by the keeper of the city's schema, "
                "who needs the right to make them: ALTER ROLE ... CREATEROLE"
            ) from None
        return Roles(place.key, _members(connection, place.schema), _owners(connection))


def _check(server: Rows, city: City, logins: Sequence[str], owners: Sequence[tuple[str, str]]) -> None:
    """Refuse what is not there before anything is changed."""
    for source, _ in owners:
        if source not in city.sources:
            raise NotFoundError(
                f"owner: no source {source!r} in city.toml, expected one of {', '.join(city.sources)}."
                + did_you_mean(source, city.sources)
            )
    there = {str(name) for (name,) in execute(server, "SELECT rolname FROM pg_roles")}
    server.rollback()
    for login in logins:
        if not login.strip():
            raise InputError("a login is empty. Give its name on the server.")
        if login not in there:
            raise NotFoundError(
                f"no login {login!r} on the server." + did_you_mean(login, there) + " Let the server's keeper make "
                f"it: CREATE ROLE {quoted(login)} LOGIN, with a password set by that person."
            )


def _add(server: Rows, schema: str, kind: str, login: str) -> None:
    execute(server, f"GRANT {quoted(role_name(schema, kind))} TO {quoted(login)}")


def _own(server: Rows, schema: str, source: str, login: str) -> None:
    _add(server, schema, "owner", login)
    execute(server, "INSERT INTO source_owner VALUES (%s, %s) ON CONFLICT DO NOTHING", (source, login))


def _remove(server: Rows, schema: str, login: str) -> None:
    execute(server, "DELETE FROM source_owner WHERE role = %s", (login,))
    for kind in KINDS:
        execute(server, f"REVOKE {quoted(role_name(schema, kind))} FROM {quoted(login)}")


def _members(server: Rows, schema: str) -> dict[str, tuple[str, ...]]:
    if not has_roles(server, schema):
        return {}
    sql = (
        "SELECT member.rolname FROM pg_auth_members JOIN pg_roles AS role ON role.oid = roleid "
        "JOIN pg_roles AS member ON member.oid = member WHERE role.rolname = %s AND NOT admin_option ORDER BY 1"
    )
    names = {kind: role_name(schema, kind) for kind in KINDS}
    return {name: tuple(str(row[0]) for row in execute(server, sql, (name,))) for name in names.values()}


def _owners(server: Rows) -> dict[str, tuple[str, ...]]:
    sql = "SELECT source, array_agg(role ORDER BY role) FROM source_owner GROUP BY 1 ORDER BY 1"
    found = execute(server, sql)
    return {str(source): tuple(names) for source, names in found if isinstance(names, list)}
