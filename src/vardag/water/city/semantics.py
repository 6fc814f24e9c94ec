"""Checks of ``city.toml`` that need more than its structure: names, units, coordinate systems, files.

Each check is a generator of `Problem`; `vardag.water.city.reading` collects them all and adds the line numbers.
"""

import codecs
import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pyproj import CRS
from pyproj.exceptions import CRSError

from vardag.core.address import redacted
from vardag.core.errors import ConfigError
from vardag.core.units import TO_METRES, factor
from vardag.water.city.lines import Loc
from vardag.water.city.model import CityFile, ColumnMap, GeometryMap, Service, Source
from vardag.water.city.vocabulary import vocabulary_for
from vardag.water.schema import DELIVERED, Column, Table

GEOMETRY_FORMS = ({"x", "y"}, {"start_x", "start_y", "end_x", "end_y"}, {"wkt"})
SUFFIXES = {
    "csv": {".csv", ".tsv", ".txt"},
    "vector": {".gpkg", ".shp", ".geojson", ".geojsonl", ".json", ".gml", ".fgb", ".parquet"},
    "sheet": {".xlsx", ".xls", ".ods"},
    "raster": {".tif", ".tiff", ".asc"},
    "network": {".inp"},
}
DIRECTIVES = set("YymdbBHIMSfpz")


@dataclass(frozen=True)
class Problem:
    """One fault of the file: where it is, and what was found, expected and to be done."""

    loc: Loc
    message: str


def did_you_mean(found: str, known: Iterable[str]) -> str:
    """Sentence that proposes the nearest known name, empty where none is near.

    >>> did_you_mean("materal", ["material", "length_m"])
    " Did you mean 'material'?"
    """
    by_folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(found.casefold(), by_folded, n=1, cutoff=0.6)
    return f" Did you mean {by_folded[near[0]]!r}?" if near else ""


def problems(file: CityFile, folder: Path) -> Iterator[Problem]:
    """Find every fault of a file whose structure is right."""
    yield from _city(file)
    yield from _catalogue(file)
    for name, source in file.sources.items():
        loc = ("sources", name)
        yield from _origin(loc, source, folder)
        yield from _owner(loc, source, file)
        yield from _text_settings(loc, source)
        table = DELIVERED.get(source.table)
        if table is None:
            known = ", ".join(DELIVERED)
            yield Problem(
                (*loc, "table"),
                f"table {source.table!r} is unknown, expected one of {known}."
                + did_you_mean(source.table, DELIVERED),
            )
        else:
            yield from _columns(loc, source, table)
            yield from _vocabulary((*loc, "vocabulary"), source, table)
            yield from _geometry(loc, source, table)


def _city(file: CityFile) -> Iterator[Problem]:
    city = file.city
    yield from _crs(("city", "crs"), city.crs, projected=True)
    yield from _timezone(("city", "timezone"), city.timezone)
    if city.record_start and city.record_end and city.record_start > city.record_end:
        yield Problem(
            ("city", "record_end"),
            f"record_end {city.record_end} is before record_start {city.record_start}. Swap or mend them.",
        )


def _catalogue(file: CityFile) -> Iterator[Problem]:
    """Addresses that will be public: of known sources, complete, and without any secret."""
    for name in file.catalogue.access if file.catalogue else ():
        loc = ("catalogue", "access", name)
        if name not in file.sources:
            known = ", ".join(file.sources)
            yield Problem(loc, f"no source {name!r}, expected one of {known}." + did_you_mean(name, file.sources))
        elif file.sources[name].secrecy not in {"open", None} or (
            file.sources[name].secrecy is None and file.city.secrecy != "open"
        ):
            yield Problem(loc, f'{name} is not open and cannot be made public. Remove it, or set secrecy = "open".')
    for section in ("access", "licences"):
        for name, url in (getattr(file.catalogue, section) if file.catalogue else {}).items():
            parts = urlsplit(url)
            plain = parts.scheme in {"http", "https"} and parts.netloc and not re.search(r'[\s<>"{}|\\^`]', url)
            if not plain or "@" in parts.netloc or re.search("token|key=|password|secret", parts.query.casefold()):
                yield Problem(
                    ("catalogue", section, name),
                    f"{redacted(url)!r} is no public address, expected https://... without password or token.",
                )


def _crs(loc: Loc, text: str | None, *, projected: bool = False) -> Iterator[Problem]:
    if text is None:
        return
    try:
        crs = CRS.from_user_input(text)
    except CRSError:
        yield Problem(loc, f'crs {text!r} is no coordinate system, expected a code such as "EPSG:3006".')
        return
    metric = crs.is_projected and all(axis.unit_name == "metre" for axis in crs.axis_info[:2])
    if projected and not metric:
        yield Problem(
            loc,
            f"crs {text!r} ({crs.name}) is not in metres, expected a projected system such as "
            '"EPSG:3006" (SWEREF 99 TM). Files in other systems state theirs under their source.',
        )


def _timezone(loc: Loc, text: str | None) -> Iterator[Problem]:
    if text is None:
        return
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield Problem(loc, f'timezone {text!r} is unknown, expected a name such as "Europe/Stockholm".')


def _owner(loc: Loc, source: Source, file: CityFile) -> Iterator[Problem]:
    if not (source.owner or file.city.owner or "").strip():
        yield Problem(
            loc,
            f'{".".join(loc)} has no owner, expected who answers for the data. Add owner = "..." to the source, or '
            "under [city] where one owner holds for all.",
        )


def _origin(loc: Loc, source: Source, folder: Path) -> Iterator[Problem]:
    if (source.path is None) == (source.url is None):
        yield Problem(loc, f"{'.'.join(loc)} needs either path (a file) or url (a service), and only one of them.")
    elif source.path is not None:
        yield from _path(loc, source.path, folder)
    else:
        yield from _url(loc, source)


def _url(loc: Loc, source: Source) -> Iterator[Problem]:
    parts = urlsplit(source.url or "")
    schemes = {"postgresql", "postgres"} if source.service == "postgis" else {"http", "https"}
    if source.service is None:
        kinds = ", ".join(get_args(Service))
        yield Problem((*loc, "url"), f"{'.'.join(loc)} has a url but no service, expected one of {kinds}. Add it.")
    elif parts.scheme not in schemes or not parts.netloc:
        expected = " or ".join(f"{scheme}://" for scheme in sorted(schemes))
        yield Problem((*loc, "url"), f"url is {redacted(source.url or '')!r}, expected an address with {expected}.")
    if parts.password or "token=" in parts.query.casefold():
        yield Problem(
            (*loc, "url"),
            "url holds a password or token. Take it out, put it in an environment variable, and name that: "
            'token = "VARDAG_TOKEN_..."',
        )


def matches(folder: Path, pattern: str) -> list[Path]:
    """Files that a path or a pattern of a source means, by name."""
    if not any(letter in pattern for letter in "*?["):
        return [folder / pattern] if (folder / pattern).is_file() else []
    return sorted(path for path in folder.glob(pattern) if path.is_file())


def _path(loc: Loc, pattern: str, folder: Path) -> Iterator[Problem]:
    known = {suffix for suffixes in SUFFIXES.values() for suffix in suffixes}
    path = Path(pattern)
    if not matches(folder, pattern):
        names = sorted(p.name for p in folder.iterdir() if p.suffix.lower() in known)
        listed = f" The folder has {', '.join(names[:8])}." if names else " The folder has no data files."
        yield Problem(
            (*loc, "path"),
            f"file {pattern!r} does not exist in {folder.name or folder}." + listed + did_you_mean(pattern, names),
        )
    elif path.suffix.lower() not in known:
        yield Problem(
            (*loc, "path"),
            f"file {pattern!r} is of an unknown kind, expected {', '.join(sorted(known))}. "
            "Export it as CSV or GeoPackage.",
        )


def _text_settings(loc: Loc, source: Source) -> Iterator[Problem]:
    yield from _crs((*loc, "crs"), source.crs)
    yield from _timezone((*loc, "timezone"), source.timezone)
    if source.encoding is not None:
        try:
            codecs.lookup(source.encoding)
        except LookupError:
            yield Problem(
                (*loc, "encoding"),
                f'encoding {source.encoding!r} is unknown, expected one such as "utf-8" or "cp1252".',
            )


def _columns(loc: Loc, source: Source, table: Table) -> Iterator[Problem]:
    known = {column.name: column for column in table.mappable}
    for target, mapping in source.columns.items():
        here = (*loc, "columns", target)
        if target not in known:
            yield Problem(
                here,
                f"table {table.name} has no column {target!r}, expected one of {', '.join(known)}."
                + did_you_mean(target, known),
            )
            continue
        yield from _column(here, mapping, known[target])
    raster = Path(source.path or "").suffix.lower() in SUFFIXES["raster"]
    if raster and table.name != "elevation":
        yield Problem((*loc, "path"), f'a raster holds heights, not {table.name}s. Use table = "elevation".')
    for column in table.mappable:
        if column.required and column.name not in source.columns and not raster:
            yield Problem(
                (*loc, "columns"),
                f"table {table.name} needs {column.name} ({column.doc}); it is not mapped. "
                f'Add {column.name} = "COLUMN" under [{".".join((*loc, "columns"))}].',
            )


def _column(loc: Loc, mapping: ColumnMap, column: Column) -> Iterator[Problem]:
    if (mapping.column is None) == (mapping.value is None):
        yield Problem(loc, f"{column.name} needs either column or value, and only one of them.")
    if mapping.unit is not None:
        yield from _unit((*loc, "unit"), mapping.unit, column)
    if mapping.formats is not None and column.type != "DATE" and "year" not in column.name:
        yield Problem((*loc, "formats"), f"{column.name} is not a date, so it takes no formats. Remove them.")
    for text in mapping.formats or ():
        yield from _format((*loc, "formats"), text)
    yield from _timezone((*loc, "timezone"), mapping.timezone)


def _unit(loc: Loc, unit: str, column: Column) -> Iterator[Problem]:
    if column.unit not in TO_METRES:
        kept = f"its unit is {column.unit}" if column.unit else "it is not a length"
        yield Problem(loc, f"{column.name} takes no unit ({kept}). Remove it.")
        return
    try:
        factor(unit, to=column.unit)
    except ConfigError as error:
        yield Problem(loc, str(error) + did_you_mean(unit, TO_METRES))


def _format(loc: Loc, text: str) -> Iterator[Problem]:
    used = set(re.findall(r"%(.)", text))
    if not used & {"Y", "y"} or used - DIRECTIVES:
        yield Problem(
            loc,
            f'format {text!r} cannot be used, expected year, month and day such as "%Y-%m-%d", "%d/%m/%Y" '
            f'or "%Y"; known parts are {", ".join("%" + letter for letter in sorted(DIRECTIVES))}.',
        )


def _vocabulary(loc: Loc, source: Source, table: Table) -> Iterator[Problem]:
    kinds = {column.name: vocabulary_for(column) for column in table.mappable}
    words = {target: vocabulary for target, vocabulary in kinds.items() if vocabulary is not None}
    for target, entries in source.vocabulary.items():
        if target not in words:
            yield Problem(
                (*loc, target),
                f"{target!r} has no vocabulary in table {table.name}, expected one of {', '.join(words)}."
                + did_you_mean(target, words),
            )
            continue
        known = words[target].values
        for spelling, meaning in entries.items():
            if str(meaning).lower() not in {value.lower() for value in known}:
                yield Problem(
                    (*loc, target, spelling),
                    f"{spelling!r} = {meaning!r} is no {target}, expected one of {', '.join(known)}."
                    + did_you_mean(str(meaning), known),
                )


def _geometry(loc: Loc, source: Source, table: Table) -> Iterator[Problem]:
    shaped = SUFFIXES["vector"] | SUFFIXES["network"]
    vector = source.path is None or Path(source.path).suffix.lower() in shaped
    if source.geometry is not None:
        yield from _geometry_form((*loc, "geometry"), source.geometry, table)
    elif not vector and table.geometry == "polygon":
        yield Problem(loc, f'table {table.name} needs polygons. Add [{".".join(loc)}.geometry] wkt = "COLUMN".')


def _geometry_form(loc: Loc, geometry: GeometryMap, table: Table) -> Iterator[Problem]:
    given = set(geometry.columns)
    if given not in GEOMETRY_FORMS:
        yield Problem(
            loc,
            f"geometry has {', '.join(sorted(given)) or 'nothing'}, expected x and y, or start_x, start_y, "
            "end_x and end_y, or wkt.",
        )
    elif table.geometry not in {"point", "any"} and "x" in given:
        yield Problem(loc, f"table {table.name} holds {table.geometry}s; one x and y give a point.")
