"""Sessions at the desk: kept in the robot's database under the hash of a random token that the browser holds."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from vardag.invoices import store
from vardag.invoices.store import Transaction

PREFIX = "desk session "
RENEWED = timedelta(minutes=1)  # a session that was seen just now is not written again


@dataclass(frozen=True)
class Life:
    """How long a session lives: without a sign of life, and at the most."""

    idle: timedelta
    longest: timedelta


def begin(tx: Transaction, name: str, *, now: datetime, life: Life) -> str:
    """Begin a session and return its token; sessions that are over are swept away."""
    _sweep(tx, now, life)
    token = secrets.token_urlsafe(32)
    store.put(tx, _key(token), {"person": name, "since": now.isoformat(), "seen": now.isoformat()})
    return token


def whose(tx: Transaction, token: str, *, now: datetime, life: Life) -> str | None:
    """Whose session it is; None where there is none, or it is over."""
    found = store.get(tx, _key(token)) if token else None
    return str(found["person"]) if found and _alive(found, now, life) else None


def seen(tx: Transaction, token: str, *, now: datetime) -> bool:
    """Tell whether the session should be renewed with `renew`."""
    found = store.get(tx, _key(token))
    return bool(found) and now - datetime.fromisoformat(found["seen"]) > RENEWED


def renew(tx: Transaction, token: str, *, now: datetime) -> None:
    """Note a sign of life; a session that was ended meanwhile stays ended."""
    found, row = store.get(tx, _key(token)), store.setting
    if found:
        value = {**found, "seen": now.isoformat()}
        tx.execute(sa.update(row).where(row.c.name == _key(token)).values(value=value))


def end(tx: Transaction, token: str) -> None:
    """End a session."""
    tx.execute(sa.delete(store.setting).where(store.setting.c.name == _key(token)))


def end_all(tx: Transaction, name: str, *, but: str = "") -> None:
    """End all sessions of a person, but for the one with this token."""
    for key, found in _all(tx):
        if found["person"] == name and key != (_key(but) if but else ""):
            tx.execute(sa.delete(store.setting).where(store.setting.c.name == key))


def form_token(token: str) -> str:
    """What every form of a session carries, so that no other page can send one in the person's name."""
    return hmac.new(token.encode(), b"form", hashlib.sha256).hexdigest()


def _sweep(tx: Transaction, now: datetime, life: Life) -> None:
    for key, found in _all(tx):
        if not _alive(found, now, life):
            tx.execute(sa.delete(store.setting).where(store.setting.c.name == key))


def _all(tx: Transaction) -> list[tuple[str, dict[str, str]]]:
    query = sa.select(store.setting).where(store.setting.c.name.startswith(PREFIX, autoescape=True))
    return [(row.name, row.value) for row in tx.execute(query)]


def _alive(found: dict[str, str], now: datetime, life: Life) -> bool:
    since, last = datetime.fromisoformat(found["since"]), datetime.fromisoformat(found["seen"])
    return now - since < life.longest and now - last < life.idle


def _key(token: str) -> str:
    """Name of a session in the database: who reads the database cannot take a session over."""
    return PREFIX + hashlib.sha256(token.encode()).hexdigest()
