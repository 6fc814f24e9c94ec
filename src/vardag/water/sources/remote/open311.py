"""Citizens' reports by Open311 GeoReport v2: ``requests.json``, in windows of at most 90 days, page by page.

The standard answers with 90 days or 1,000 requests, whichever is smaller; ``page`` and ``page_size`` are a common
extension. A service that knows no pages is asked for shorter windows instead.
"""

from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from vardag.core.address import redacted
from vardag.core.errors import ConfigError, InputError
from vardag.core.net import Client
from vardag.water.city import City, Source
from vardag.water.sources.delivery import Delivery
from vardag.water.sources.remote.spool import Feature, Spool, target_of

WINDOW = timedelta(days=90)
MOST = 1000
# From, to (None where the service chooses) and the page.
Place = list[Any]


def fetch(city: City, name: str, folder: Path, client: Client) -> Delivery:
    """Fetch the requests as points in WGS 84 into a GeoJSON text sequence."""
    source = city.sources[name]
    origin = redacted(source.origin)
    url = source.origin.split("?")[0].rstrip("/")
    url = url if url.endswith("requests.json") else f"{url}/requests.json"
    asked = dict(parse_qsl(source.filter or ""))
    start, end = (_moment(asked.pop(key, None), key, name) for key in ("start_date", "end_date"))
    last = (end or _tomorrow()) if start else None
    taken = _taken(source)
    question = [url, asked, str(start), str(last), source.page_rows, taken]
    spool = Spool(folder, where=f"{name} ({origin})", asked=question)
    first = [_text(start), _text(min(start + WINDOW, last)) if start and last else None, 1]
    rows = source.page_rows or MOST
    spool.run(first, partial(_page, client, url, asked, spool=spool, last=_text(last), rows=rows, taken=taken))
    return Delivery(spool.finish(target_of(folder, source.layer)), origin, "open311", "EPSG:4326")


def _taken(source: Source) -> list[str]:
    """Columns that the source maps: a free text that nobody asked for, and names people, is not even stored."""
    mapped = {entry.column for entry in source.columns.values() if entry.column}
    places = set(source.geometry.columns.values()) if source.geometry else set()
    return sorted({"service_request_id", *mapped, *places, *source.where})


def _page(
    client: Client,
    url: str,
    asked: dict[str, str],
    place: Place,
    *,
    spool: Spool,
    last: str | None,
    rows: int,
    taken: list[str],
) -> tuple[list[Feature], Place | None]:
    """One page of one window; only requests that have not come before, as windows meet at their ends."""
    start, end, page = place
    params = asked | {"start_date": start, "end_date": end, "page": page, "page_size": rows}
    answer = client.json(url, params=params)
    if not isinstance(answer, list):
        raise InputError(
            f"{spool.where}: the answer is no list of requests. {client.without_secret(str(answer))[:200]}"
        )
    seen = {key.strip('"') for key in spool.ids}
    fresh = [_feature(row, taken) for row in answer if str(row.get("service_request_id")) not in seen]
    if page > 1 and answer and not fresh:
        return [], _shorter(spool, start, end, len(answer), last)
    if len(answer) > 0 and fresh:
        return fresh, [start, end, page + 1]
    return fresh, _next_window(end, last)


def _shorter(spool: Spool, start: str | None, end: str | None, rows: int, last: str | None) -> Place | None:
    """After a service that knows no pages: the next window, or half of this one where it was full."""
    if rows < MOST:
        return _next_window(end, last)
    begin, stop = _moment(start, "start_date", ""), _moment(end, "end_date", "")
    if begin is None or stop is None or stop - begin <= timedelta(hours=1):
        spool.discard()
        raise InputError(
            f"{spool.where}: the service gives {rows:,} requests at most and no further pages. Ask for windows: "
            'filter = "start_date=2020-01-01T00:00:00Z" in city.toml.'
        )
    return [start, _text(begin + (stop - begin) / 2), 1]


def _next_window(end: str | None, last: str | None) -> Place | None:
    if end is None or last is None or end >= last:
        return None
    begin, stop = _moment(end, "end_date", ""), _moment(last, "end_date", "")
    assert begin is not None and stop is not None
    return [end, _text(min(begin + WINDOW, stop)), 1]


def _feature(row: dict[str, Any], taken: list[str]) -> Feature:
    key = str(row.get("service_request_id"))
    try:
        geometry = {"type": "Point", "coordinates": [float(row["long"]), float(row["lat"])]}
    except (KeyError, TypeError, ValueError):
        geometry = None
    return {"id": key, "properties": {name: row.get(name) for name in taken}, "geometry": geometry}


def _moment(text: str | None, key: str, name: str) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{name}: {key} is {text!r} in filter, expected such as 2020-01-01T00:00:00Z.") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def _text(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def _tomorrow() -> datetime:
    """End of today, so that loads of one day ask the same."""
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
