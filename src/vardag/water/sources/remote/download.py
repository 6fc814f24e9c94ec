"""A plain file at an address: fetched only when it has changed, and from where it was broken off."""

import json
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit
from zipfile import BadZipFile, ZipFile

import httpx

from vardag.core.address import redacted
from vardag.core.errors import InputError
from vardag.core.net import LATER, Client
from vardag.water.city import SUFFIXES, City
from vardag.water.sources.delivery import Delivery
from vardag.water.sources.remote.spool import write_whole

STATE_FILE = "delivered.json"
KINDS = {
    "text/csv": ".csv", "application/geo+json": ".geojson", "application/json": ".geojson",
    "application/zip": ".zip", "application/geopackage+sqlite3": ".gpkg",
}  # fmt: skip
READABLE = {suffix for suffixes in SUFFIXES.values() for suffix in suffixes}
BESIDE = {".dbf", ".shx", ".prj", ".cpg", ".xsd"}


def fetch(city: City, name: str, folder: Path, client: Client) -> Delivery:
    """Fetch the file, or keep the earlier one where the server says that it is the same."""
    source = city.sources[name]
    origin = redacted(source.origin)
    where = f"{name} ({origin})"
    whole = _fetched(client, source.origin, folder, where)
    path = _unpacked(whole, where) if whole.suffix.lower() == ".zip" else whole
    return Delivery(path, origin, "download")


def _fetched(client: Client, url: str, folder: Path, where: str) -> Path:
    """The whole file, old or new."""
    state = _read(folder / STATE_FILE)
    known = state if state.get("url") == url and (folder / state["file"]).is_file() else {}
    part, partial = folder / "download.part", _read(folder / "download.json")
    has = part.stat().st_size if part.is_file() and partial.get("url") == url and partial.get("etag") else 0
    headers = {"Accept-Encoding": "identity"}
    if has:
        headers |= {"Range": f"bytes={has}-", "If-Range": partial["etag"]}
    elif known:
        names = {"If-None-Match": known.get("etag"), "If-Modified-Since": known.get("modified")}
        headers |= {key: value for key, value in names.items() if value}
    with client.stream(url, headers=headers) as response:
        if response.status_code == 304:
            return folder / str(known["file"])
        found = _described(response, url, where)
        write_whole(folder / "download.json", json.dumps(found))
        _write(response, part, where, client, has=has if response.status_code == 206 else 0)
    part.replace(folder / found["file"])
    write_whole(folder / STATE_FILE, json.dumps(found))
    return folder / str(found["file"])


def _described(response: httpx.Response, url: str, where: str) -> dict[str, Any]:
    """What the server says of the file; its name, whose end decides how it is read."""
    kind = response.headers.get("content-type", "").split(";")[0].strip()
    name = PurePosixPath(unquote(urlsplit(url).path)).name.replace("/", "_").lstrip(".") or "download"
    suffix = Path(name).suffix.lower()
    if suffix not in READABLE | {".zip"}:
        name += KINDS.get(kind, "")
    if Path(name).suffix.lower() not in READABLE | {".zip"} or kind == "text/html":
        raise InputError(
            f"{where}: the address gives {kind or 'no stated type'}, expected a file of a known kind "
            f"({', '.join(sorted(READABLE))}, .zip). Write the address of the file itself, not of its page."
        )
    etag = response.headers.get("etag")
    strong = etag if etag and not etag.startswith("W/") else None
    return {"url": url, "file": name, "etag": strong, "modified": response.headers.get("last-modified")}


def _write(response: httpx.Response, part: Path, where: str, client: Client, *, has: int) -> None:
    """Write what comes to the end of what is there; what is missing is asked for the next time."""
    promised = response.headers.get("content-length")
    whole = has + int(promised) if promised else None
    try:
        with part.open("ab" if has else "wb") as file:
            for some in response.iter_raw():
                file.write(some)
    except httpx.TransportError:
        pass  # the length tells
    size = part.stat().st_size
    if size != whole if whole is not None else not response.is_stream_consumed:
        raise InputError(
            f"{where}: the file is cut off: got {size:,} of {whole or 'an unknown number of'} bytes from "
            f"{redacted(client.address)}. {LATER}"
        )


def _unpacked(archive: Path, where: str) -> Path:
    """The one file of an archive that can be read, with the files that belong to it."""
    try:
        with ZipFile(archive) as packed:
            inside = {Path(entry.filename).name: entry for entry in packed.infolist() if not entry.is_dir()}
            found = sorted(name for name in inside if Path(name).suffix.lower() in READABLE)
            if len(found) != 1:
                raise InputError(
                    f"{where}: the archive holds {len(found)} files that can be read "
                    f"({', '.join(found[:8]) or ', '.join(list(inside)[:8])}), expected one. Unpack it into "
                    "the city folder and write path."
                )
            beside = [name for name in inside if Path(name).stem == Path(found[0]).stem]
            for name in {found[0], *(name for name in beside if Path(name).suffix.lower() in BESIDE)}:
                part = archive.with_name(name + ".part")
                part.write_bytes(packed.read(inside[name]))
                part.replace(archive.with_name(name))
    except BadZipFile:
        raise InputError(f"{where}: the archive is damaged. Load again; if it persists, tell its owner.") from None
    return archive.with_name(found[0])


def _read(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}
