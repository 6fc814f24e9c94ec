"""Addresses, as they may be shown."""

from urllib.parse import urlsplit, urlunsplit


def redacted(url: str) -> str:
    """Address without user, password and query, for messages.

    >>> redacted("https://anna:hemligt@gis.example.org/wfs?token=abc")
    'https://gis.example.org/wfs'
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    return urlunsplit((parts.scheme, f"{host}:{parts.port}" if parts.port else host, parts.path, "", ""))
