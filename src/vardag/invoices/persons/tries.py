"""Wrong passwords, counted by name, by address and by both, so that nobody can guess for long."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta

from vardag.core.parameters import Parameters
from vardag.invoices import store
from vardag.invoices.store import Transaction

SETTING = "desk wrong passwords"


def keys(name: str, address: str) -> Mapping[str, str]:
    """What a try is counted under: the parameter that limits it, and a hash."""
    counted = {
        "tries_by_name_and_address": f"{name}\n{address}",
        "tries_by_address": f"\n{address}",
        "tries_by_name": f"{name}\n",
    }
    return {limit: hashlib.sha256(f"{limit}\n{text}".encode()).hexdigest()[:32] for limit, text in counted.items()}


def too_many(tx: Transaction, counted: Mapping[str, str], limits: Parameters, *, now: datetime) -> bool:
    """Tell whether no password is looked at for a while."""
    found = _recent(tx, limits, now)
    return any(found.get(key, (0, ""))[0] >= int(limits.value(limit)) for limit, key in counted.items())


def wrong(tx: Transaction, counted: Mapping[str, str], limits: Parameters, *, now: datetime) -> None:
    """Count a wrong password."""
    found = _recent(tx, limits, now)
    for key in counted.values():
        count, since = found.get(key, (0, now.isoformat()))
        found[key] = (count + 1, since)
    store.put(tx, SETTING, found)


def right(tx: Transaction, counted: Mapping[str, str], limits: Parameters, *, now: datetime) -> None:
    """Forget what this person mistyped here before; what others tried stays counted."""
    found = _recent(tx, limits, now)
    if found.pop(counted["tries_by_name_and_address"], None):
        store.put(tx, SETTING, found)


def _recent(tx: Transaction, limits: Parameters, now: datetime) -> dict[str, tuple[int, str]]:
    window = timedelta(minutes=float(limits.value("sign_in_window_minutes")))
    found = store.get(tx, SETTING) or {}
    return {
        key: (int(count), since)
        for key, (count, since) in found.items()
        if now - datetime.fromisoformat(since) < window
    }
