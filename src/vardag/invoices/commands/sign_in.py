"""Signing in at the desk, with a password or vouched for by the city's own sign-in, and out again."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from vardag.invoices import audit
from vardag.invoices.persons import Person, fits, parameters, register, sessions, tries
from vardag.invoices.persons.sessions import Life
from vardag.invoices.store import Store, Transaction


@dataclass(frozen=True)
class SignedIn:
    """Who is there, and the token of the session."""

    person: Person
    token: str


class Wrong:
    """The name or the password is wrong; which of them is not told."""


class Wait:
    """Too many wrong passwords: none is looked at for a while."""


def life() -> Life:
    """How long a session lives."""
    found = parameters()
    idle, longest = found.value("session_idle_minutes"), found.value("session_longest_hours")
    return Life(timedelta(minutes=float(idle)), timedelta(hours=float(longest)))


def sign_in(store: Store, name: str, password: str, *, address: str) -> SignedIn | Wrong | Wait:
    """Sign in with a password.

    Parameters
    ----------
    address
        Where the person sits, as the network tells it; wrong passwords are counted by it.
    """
    found = prove(store, name, password, address=address)
    if isinstance(found, Wrong | Wait):
        return found
    with store.begin() as tx:
        still = register.known(tx, found.name, lock=True)
        if still is None or still.secret != found.secret:  # changed while the old password was being compared
            return Wrong()
        return _begin(tx, still, datetime.now(UTC))


def prove(store: Store, name: str, password: str, *, address: str) -> Person | Wrong | Wait:
    """Whose password it is; wrong ones are counted, and after too many none is looked at for a while."""
    now, limits = datetime.now(UTC), parameters()
    counted = tries.keys(name, address)
    with store.begin() as tx:
        if not tries.begin(tx, counted, limits, now=now):
            return Wait()
        found = register.known(tx, name)
    right = fits(password, found.secret if found else "")
    with store.begin() as tx:
        if found is None or not right:
            if found:
                audit.append(tx, "sign-in refused", actor="vardag", person=found.name)
            return Wrong()
        tries.right(tx, counted, limits, now=now)
    return found


def vouched(store: Store, name: str) -> SignedIn | None:
    """Begin a session for somebody whom the city's own sign-in vouches for; None where the desk knows them not."""
    with store.begin() as tx:
        found = register.known(tx, name, lock=True)
        return _begin(tx, found, datetime.now(UTC)) if found else None


def _begin(tx: Transaction, person: Person, now: datetime) -> SignedIn:
    token = sessions.begin(tx, person.name, now=now, life=life())
    audit.append(tx, "signed in", actor=person.name)
    return SignedIn(person, token)


def who(store: Store, token: str) -> Person | None:
    """Who sits at the desk; None where nobody does any more. A sign of life is noted now and then."""
    now = datetime.now(UTC)
    with store.read() as tx:
        name = sessions.whose(tx, token, now=now, life=life())
        found = register.known(tx, name) if name else None
        old = found is not None and sessions.seen(tx, token, now=now)
    if old:
        with store.begin() as tx:
            sessions.renew(tx, token, now=now)
    return found


def sign_out(store: Store, token: str) -> None:
    """End the session."""
    with store.begin() as tx:
        sessions.end(tx, token)
