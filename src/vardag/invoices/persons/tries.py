"""Wrong passwords, counted by name, by address and by both, so that nobody can guess for long.

A try is counted before its password is looked at, and taken back when it is right: many at once are many tries.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

import sqlalchemy as sa

from vardag.core.parameters import Parameters
from vardag.invoices import store
from vardag.invoices.persons import register
from vardag.invoices.store import Transaction

SETTING = "desk wrong passwords"


def keys(name: str, address: str) -> Mapping[str, str]:
    """What a try is counted under: the parameter that limits it, and a hash; one name however it is spelled."""
    name, address = register.spelled(name), _household(address)
    counted = {
        "tries_by_name_and_address": f"{name}\n{address}",
        "tries_by_address": f"\n{address}",
        "tries_by_name": f"{name}\n",
    }
    return {limit: hashlib.sha256(f"{limit}\n{text}".encode()).hexdigest()[:32] for limit, text in counted.items()}


def begin(tx: Transaction, counted: Mapping[str, str], limits: Parameters, *, now: datetime) -> bool:
    """Count a try as a wrong one; False where there were too many, and no password is looked at for a while."""
    found = _recent(tx, limits, now)
    if any(found.get(key, (0, ""))[0] >= int(limits.value(limit)) for limit, key in counted.items()):
        return False
    for key in counted.values():
        count, since = found.get(key, (0, now.isoformat()))
        found[key] = (count + 1, since)
    store.put(tx, SETTING, found)
    return True


def right(tx: Transaction, counted: Mapping[str, str], limits: Parameters, *, now: datetime) -> None:
    """Take a try back, and forget what this person mistyped here before; what others tried stays counted."""
    found = _recent(tx, limits, now)
    for key in counted.values():
        count, since = found.pop(key, (0, ""))
        if count > 1:
            found[key] = (count - 1, since)
    found.pop(counted["tries_by_name_and_address"], None)
    store.put(tx, SETTING, found)


def _household(address: str) -> str:
    """What one person can have of addresses: an IPv6 network of 64 bits counts as one."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((int(found), 64), strict=False)) if found.version == 6 else address


def _recent(tx: Transaction, limits: Parameters, now: datetime) -> dict[str, tuple[int, str]]:
    """What was counted lately; locked, so that tries at once on a server are all counted."""
    window = timedelta(minutes=float(limits.value("sign_in_window_minutes")))
    store.insert_new(tx, store.setting, name=SETTING, value={})
    tx.execute(sa.select(store.setting.c.name).where(store.setting.c.name == SETTING).with_for_update())
    found = store.get(tx, SETTING) or {}
    return {
        key: (int(count), since)
        for key, (count, since) in found.items()
        if now - datetime.fromisoformat(since) < window
    }
